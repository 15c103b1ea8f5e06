-- One row per day, channel and campaign, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('revenue', 'marketing_spend') }}

),

latest as (

    {{ latest_version(['spend_date', 'channel', 'campaign']) }}

),

final as (

    select
        spend_date,
        channel,
        campaign,
        amount,
        currency,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
