{#- Critical value of Student's t from the normal one, by the Cornish-Fisher expansion: three digits from five
    degrees of freedom on, six from thirty on. -#}
{% macro student_t_critical(normal, degrees) -%}
    {%- set z = "cast(" ~ normal ~ " as double)" -%}
    (
        {{ z }}
        + (power({{ z }}, 3) + {{ z }}) / (4 * {{ degrees }})
        + (5 * power({{ z }}, 5) + 16 * power({{ z }}, 3) + 3 * {{ z }}) / (96 * power({{ degrees }}, 2))
        + (3 * power({{ z }}, 7) + 19 * power({{ z }}, 5) + 17 * power({{ z }}, 3) - 15 * {{ z }})
        / (384 * power({{ degrees }}, 3))
        + (
            79 * power({{ z }}, 9) + 776 * power({{ z }}, 7) + 1482 * power({{ z }}, 5)
            - 1920 * power({{ z }}, 3) - 945 * {{ z }}
        ) / (92160 * power({{ degrees }}, 4))
    )
{%- endmacro %}
