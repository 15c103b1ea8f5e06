{#- Value of a driver at a standard normal z: triangular between low and high with its peak at the mode, or normal with
    low and high as P10 and P90. -#}
{% macro distributed_value(z, distribution, low, mode, high) -%}
    case
        when {{ distribution }} = 'normal' then {{ mode }} + ({{ high }} - {{ low }}) / 2.5631031310892 * {{ z }}
        when {{ high }} = {{ low }} then {{ mode }}
        when {{ normal_cdf(z) }} * ({{ high }} - {{ low }}) < {{ mode }} - {{ low }}
            then {{ low }} + sqrt({{ normal_cdf(z) }} * ({{ high }} - {{ low }}) * ({{ mode }} - {{ low }}))
        else {{ high }} - sqrt({{ normal_cdf('-(' ~ z ~ ')') }} * ({{ high }} - {{ low }}) * ({{ high }} - {{ mode }}))
    end
{%- endmacro %}
