{#- A draw of the standard normal distribution from an MD5 hash (Box and Muller): the same for the same key, everywhere. -#}
{% macro hashed_normal(hash) -%}
    sqrt(-2 * ln(({{ hex_to_integer("substr(" ~ hash ~ ", 1, 12)") }} + 0.5e0) / 281474976710656))
    * cos(2 * acos(-1e0) * ({{ hex_to_integer("substr(" ~ hash ~ ", 13, 12)") }} + 0.5e0) / 281474976710656)
{%- endmacro %}

{% macro hex_to_integer(hex) -%}
    {{ return(adapter.dispatch('hex_to_integer')(hex)) }}
{%- endmacro %}

{% macro default__hex_to_integer(hex) -%}
    cast('0x' || {{ hex }} as bigint)
{%- endmacro %}

{% macro spark__hex_to_integer(hex) -%}
    cast(conv({{ hex }}, 16, 10) as bigint)
{%- endmacro %}
