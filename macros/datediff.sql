{#- Boundaries crossed between two days, as DuckDB counts them: dbt-spark counts months by length and weeks from Sunday. -#}
{% macro spark__datediff(first_date, second_date, datepart) -%}
    {%- if datepart in ('day', 'week') -%}
        {%- set first = "date_trunc('" ~ datepart ~ "', " ~ first_date ~ ")" -%}
        {%- set second = "date_trunc('" ~ datepart ~ "', " ~ second_date ~ ")" -%}
        {%- set days = "datediff(" ~ second ~ ", " ~ first ~ ")" -%}
        cast({{ days }}{{ ' / 7' if datepart == 'week' }} as bigint)
    {%- elif datepart in ('month', 'quarter') -%}
        {%- set count = 12 if datepart == 'month' else 4 -%}
        cast(
            (year({{ second_date }}) - year({{ first_date }})) * {{ count }}
            + {{ datepart }}({{ second_date }}) - {{ datepart }}({{ first_date }}) as bigint
        )
    {%- elif datepart == 'year' -%}
        cast(year({{ second_date }}) - year({{ first_date }}) as bigint)
    {%- else -%}
        {{ exceptions.raise_compiler_error('datediff counts days, weeks, months, quarters and years; use seconds_between') }}
    {%- endif -%}
{%- endmacro %}
