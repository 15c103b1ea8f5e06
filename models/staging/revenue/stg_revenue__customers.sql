-- One row per customer, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('revenue', 'customers') }}

),

latest as (

    {{ latest_version(['customer_id']) }}

),

final as (

    select
        customer_id,
        customer_name,
        email,
        segment,
        region,
        industry,
        acquired_on,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
