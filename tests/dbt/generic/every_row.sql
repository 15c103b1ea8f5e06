{#- Every row satisfies every condition; a condition that is neither true nor false fails too. -#}
{% test every_row(model, satisfies) %}
    {%- for condition in satisfies %}
    select
        '{{ condition | replace("'", "''") }}' as broken_condition,
        count(*) as row_count
    from {{ model }}
    where not coalesce({{ condition }}, false)
    having count(*) > 0
    {%- if not loop.last %}
    union all
    {%- endif -%}
    {%- endfor %}
{% endtest %}
