{#- The text of one key of a JSON object held as a string; NULL where the key or the object is missing. -#}
{% macro json_text(column, key) -%}
    {{ adapter.dispatch('json_text')(column, key) }}
{%- endmacro %}

{% macro default__json_text(column, key) -%}
    json_extract_string({{ column }}, '$."{{ key }}"')
{%- endmacro %}

{% macro spark__json_text(column, key) -%}
    get_json_object({{ column }}, '$[\'{{ key }}\']')
{%- endmacro %}
