{#- A number that stays while the observations of a registered pair and segment do, whatever their order. -#}
{% macro series_digest() -%}
    sum(
        cast(
            {{ key_hash(['unit_id', 'stratum', 'month_number', 'metric_value', 'kpi_value']) }} as decimal(38, 0)
        )
    )
{%- endmacro %}

{#- Removes, before an increment, the correlations of series that are not what they were. -#}
{% macro drop_changed_series() -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }}
    where (pair_id, segment, observations_digest) not in (
        select (series.pair_id, series.segment, {{ series_digest() }})
        from {{ ref('int_association_series') }} as series
        group by series.pair_id, series.segment
    )
    {%- endif -%}
{%- endmacro %}
