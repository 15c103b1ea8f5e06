-- One row per survey response, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('product', 'survey_responses') }}

),

latest as (

    {{ latest_version(['response_id']) }}

),

final as (

    select
        response_id,
        customer_id,
        product_id,
        responded_on,
        score,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
