{#- Pearson correlation of two columns over a group, NULL where one of them does not vary; of the rows that meet a
    condition, if one is given. Twelve digits are the same on every engine. -#}
{% macro correlation(first, second, condition='true') -%}
    case
        when
            stddev_pop({{ first }}) filter (where {{ condition }} and {{ second }} is not null) > 1e-12
            and stddev_pop({{ second }}) filter (where {{ condition }} and {{ first }} is not null) > 1e-12
            then round(corr({{ first }}, {{ second }}) filter (where {{ condition }}), 12)
    end
{%- endmacro %}
