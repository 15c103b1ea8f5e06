{#- Value of a driver at a standard normal z and its probability p = normal_cdf(z): triangular between low and high with
    its peak at the mode, or normal with low and high as P10 and P90. -#}
{% macro distributed_value(z, p, distribution, low, mode, high) -%}
    case
        when {{ distribution }} = 'normal' then {{ mode }} + ({{ high }} - {{ low }}) / 2.5631031310892 * {{ z }}
        when {{ p }} * ({{ high }} - {{ low }}) < {{ mode }} - {{ low }}
            then {{ low }} + sqrt({{ p }} * ({{ high }} - {{ low }}) * ({{ mode }} - {{ low }}))
        else {{ high }} - sqrt((1 - {{ p }}) * ({{ high }} - {{ low }}) * ({{ high }} - {{ mode }}))
    end
{%- endmacro %}
