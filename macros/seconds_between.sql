{#- Seconds from one timestamp to another, as a double with its fraction; the engines name the epoch differently. -#}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between')(earlier, later)) }}
{%- endmacro %}

{% macro default__seconds_between(earlier, later) -%}
    ((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 1e6)
{%- endmacro %}

{% macro spark__seconds_between(earlier, later) -%}
    ((unix_micros({{ later }}) - unix_micros({{ earlier }})) / 1e6)
{%- endmacro %}
