{#- An amount in words: reporting currency, whole units, thousands apart; with `signed`, a plus where it is positive. -#}
{% macro amount_text(amount, signed=false) -%}
    case when round({{ amount }}) < 0 then '-' {% if signed %}when round({{ amount }}) > 0 then '+' {% endif %}else '' end
    || '{{ var("reporting_currency") }} ' || {{ grouped_digits("cast(round(abs(" ~ amount ~ ")) as bigint)") }}
{%- endmacro %}

{% macro grouped_digits(number) -%}
    {{ return(adapter.dispatch('grouped_digits')(number)) }}
{%- endmacro %}

{% macro default__grouped_digits(number) -%}
    format('{:,}', {{ number }})
{%- endmacro %}

{% macro spark__grouped_digits(number) -%}
    format_number({{ number }}, 0)
{%- endmacro %}
