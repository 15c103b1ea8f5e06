-- One row per initiative, business-case version, month and class of flow, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('product', 'business_cases') }}

),

latest as (

    {{ latest_version(['initiative_id', 'case_version', 'period_month', 'flow_class']) }}

),

final as (

    select
        initiative_id,
        case_version,
        period_month,
        flow_class,
        flow_type,
        amount,
        currency,
        locked_at,
        approved_by,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
