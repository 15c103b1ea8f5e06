{#- A sum that is empty when any of its parts is: an amount without an exchange rate is not zero. -#}
{% macro sum_complete(amount) -%}
    case when count(*) = count({{ amount }}) then sum({{ amount }}) end
{%- endmacro %}
