{#- The rows as known at var('as_of'), one per key: later knowledge supersedes earlier, nothing is overwritten. -#}
{% macro latest_version(key) -%}
    {%- if var('as_of') -%}
    where cast(_known_at as date) <= cast('{{ var("as_of") }}' as date)
    {% endif -%}
    {%- if key -%}
    qualify row_number() over (
        partition by {{ key | join(', ') }}
        order by _known_at desc, _loaded_at desc, _file desc, _row desc
    ) = 1
    {%- endif -%}
{%- endmacro %}
