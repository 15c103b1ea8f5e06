{#- The key of a record as people read it: column=value, column=value. -#}
{% macro record_key(key, relation=none) -%}
    concat_ws(
        ', '
        {%- for column in key -%}
        , '{{ column }}=' || coalesce(cast({{ relation ~ '.' if relation }}{{ column }} as string), '')
        {%- endfor -%}
    )
{%- endmacro %}
