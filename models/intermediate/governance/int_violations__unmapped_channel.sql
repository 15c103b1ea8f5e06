-- One row per extract and channel that channel_groups does not name.
with

channels as (

    select * from {{ ref('dim_channel') }}

),

touchpoints as (

    select trim(channel) as channel
    from {{ ref('stg_revenue__touchpoints') }}

),

marketing_spend as (

    select trim(channel) as channel
    from {{ ref('stg_revenue__marketing_spend') }}

),

named as (

    select
        'touchpoints' as extract_name,
        channel
    from touchpoints

    union all

    select
        'marketing_spend' as extract_name,
        channel
    from marketing_spend

),

final as (

    select
        'unmapped_channel' as rule_id,
        'warning' as severity,
        named.extract_name,
        'channel=' || named.channel as record_key,
        cast(null as string) as source_file,
        cast(null as bigint) as source_row,
        cast(null as decimal(38, 2)) as amount,
        'Channel ' || named.channel || ' of ' || cast(count(*) as string)
        || ' rows is not in channel_groups. Add it there, with its group and whether it is direct.' as message
    from named
    left join channels on lower(named.channel) = lower(channels.channel)
    where channels.channel is null
    group by named.extract_name, named.channel

)

select * from final
