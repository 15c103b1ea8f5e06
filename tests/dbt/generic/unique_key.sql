{#- The columns together identify a row; empty values count as one value. -#}
{% test unique_key(model, columns) %}
    select
        {{ columns | join(',\n        ') }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
