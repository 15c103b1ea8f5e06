-- One row per benefit and month of the benefits ledger, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('product', 'benefits') }}

),

latest as (

    {{ latest_version(['benefit_id', 'period_month']) }}

),

final as (

    select
        benefit_id,
        period_month,
        initiative_id,
        kpi_id,
        segment,
        planned_amount,
        realised_amount,
        currency,
        attribution_share,
        cashable_class,
        evidence_grade,
        owner,
        confirmed_by,
        confirmed_at,
        persistence_end_on,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
