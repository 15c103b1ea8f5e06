{#- Standard normal distribution function to about 15 digits (Hart's rational approximation, as given by West, 2005). -#}
{% macro normal_cdf(x) -%}
    {%- set z = "abs(" ~ x ~ ")" -%}
    {%- set numerator = ["0.0352624965998911", "0.700383064443688", "6.37396220353165", "33.912866078383",
        "112.079291497871", "221.213596169931", "220.206867912376"] -%}
    {%- set denominator = ["0.0883883476483184", "1.75566716318264", "16.064177579207", "86.7807322029461",
        "296.564248779674", "637.333633378831", "793.826512519948", "440.413735824752"] -%}
    {%- set polynomials = [] -%}
    {%- for coefficients in [numerator, denominator] -%}
        {%- set state = namespace(sum="cast(" ~ coefficients[0] ~ " as double)") -%}
        {%- for coefficient in coefficients[1:] -%}
            {%- set state.sum = "(" ~ state.sum ~ " * " ~ z ~ " + " ~ coefficient ~ ")" -%}
        {%- endfor -%}
        {%- do polynomials.append(state.sum) -%}
    {%- endfor -%}
    case
        when {{ x }} is null then null
        when {{ z }} > 37 then case when {{ x }} > 0 then 1e0 else 0e0 end
        when {{ x }} > 0 then 1 - exp(-{{ z }} * {{ z }} / 2) * {{ polynomials[0] }} / {{ polynomials[1] }}
        else exp(-{{ z }} * {{ z }} / 2) * {{ polynomials[0] }} / {{ polynomials[1] }}
    end
{%- endmacro %}
