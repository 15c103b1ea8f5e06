-- One row per attribution model, channel, campaign and calendar month.
with

credits as (

    select * from {{ ref('fct_attribution_credits') }}

),

models as (

    select attribution_model
    from {{ ref('attribution_models') }}
    where is_enabled

),

channel_groups as (

    select
        channel,
        channel_group,
        is_paid
    from {{ ref('dim_channel') }}

),

marketing_spend as (

    select
        trim(channel) as named_channel,
        coalesce(nullif(trim(campaign), ''), 'not_tracked') as campaign,
        cast(date_trunc('month', spend_date) as date) as month_date,
        amount,
        currency
    from {{ ref('stg_revenue__marketing_spend') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

product_contribution as (

    select
        product_id,
        month_date,
        cm2_rate,
        is_closed
    from {{ ref('rpt_product_contribution') }}
    where cm2_rate is not null

),

-- A month not closed yet takes the margin of the last one that is.
last_margins as (

    select
        product_id,
        cm2_rate
    from product_contribution
    where is_closed
    qualify row_number() over (partition by product_id order by month_date desc) = 1

),

valued_credits as (

    select
        credits.attribution_model,
        credits.channel,
        credits.campaign,
        credits.month_date,
        credits.credit_share,
        credits.credited_amount,
        credits.recognised_amount,
        credits.is_window_complete,
        case when credits.is_first_win then credits.credit_share else 0 end as new_customer_share,
        credits.credited_amount * coalesce(product_contribution.cm2_rate, last_margins.cm2_rate)
            as contribution_amount
    from credits
    left join product_contribution
        on
            credits.product_id = product_contribution.product_id
            and credits.month_date = product_contribution.month_date
            and product_contribution.is_closed
    left join last_margins on credits.product_id = last_margins.product_id

),

credit_totals as (

    select
        attribution_model,
        channel,
        campaign,
        month_date,
        sum(credit_share) as credited_conversions,
        sum(new_customer_share) as credited_new_customers,
        sum(case when credited_amount is null then credit_share else 0 end) as unvalued_conversions,
        sum(credited_amount) as credited_amount,
        {{ sum_complete('recognised_amount') }} as recognised_amount,
        bool_and(is_window_complete) as is_window_complete,
        case
            when count(contribution_amount) = count(credited_amount) then sum(contribution_amount)
        end as contribution_amount
    from valued_credits
    group by attribution_model, channel, campaign, month_date

),

converted_spend as (

    select
        coalesce(channel_groups.channel, marketing_spend.named_channel) as channel,
        marketing_spend.campaign,
        marketing_spend.month_date,
        case
            when marketing_spend.currency = '{{ var("reporting_currency") }}' then marketing_spend.amount
            else {{ convert_amount('marketing_spend.amount', 'fx_rates.average_rate') }}
        end as spend_amount
    from marketing_spend
    left join channel_groups on lower(marketing_spend.named_channel) = lower(channel_groups.channel)
    left join fx_rates
        on
            marketing_spend.currency = fx_rates.from_currency
            and marketing_spend.month_date = fx_rates.rate_month

),

-- One amount without a rate leaves the whole sum unknown.
spend_totals as (

    select
        channel,
        campaign,
        month_date,
        case when count(spend_amount) = count(*) then sum(spend_amount) end as spend_amount,
        count(spend_amount) < count(*) as is_spend_unknown
    from converted_spend
    group by channel, campaign, month_date

),

model_spend as (

    select
        models.attribution_model,
        spend_totals.channel,
        spend_totals.campaign,
        spend_totals.month_date,
        spend_totals.spend_amount,
        spend_totals.is_spend_unknown
    from spend_totals
    cross join models

),

joined as (

    select
        coalesce(credit_totals.attribution_model, model_spend.attribution_model) as attribution_model,
        coalesce(credit_totals.channel, model_spend.channel) as channel,
        coalesce(credit_totals.campaign, model_spend.campaign) as campaign,
        coalesce(credit_totals.month_date, model_spend.month_date) as month_date,
        coalesce(credit_totals.credited_conversions, 0) as credited_conversions,
        coalesce(credit_totals.credited_new_customers, 0) as credited_new_customers,
        coalesce(credit_totals.unvalued_conversions, 0) as unvalued_conversions,
        coalesce(credit_totals.credited_amount, 0) as credited_amount,
        case
            when credit_totals.attribution_model is null then 0 else credit_totals.recognised_amount
        end as recognised_amount,
        coalesce(credit_totals.is_window_complete, true) as is_window_complete,
        case
            when credit_totals.attribution_model is null then 0 else credit_totals.contribution_amount
        end as contribution_amount,
        case
            when model_spend.attribution_model is null then 0 else model_spend.spend_amount
        end as spend_amount,
        coalesce(model_spend.is_spend_unknown, false) as is_spend_unknown
    from credit_totals
    full outer join model_spend
        on
            credit_totals.attribution_model = model_spend.attribution_model
            and credit_totals.channel = model_spend.channel
            and credit_totals.campaign = model_spend.campaign
            and credit_totals.month_date = model_spend.month_date

),

rated as (

    select
        *,
        case
            when is_spend_unknown then 'no_exchange_rate'
            when spend_amount <= 0 then 'no_spend'
        end as roas_ratio_reason,
        case
            when is_spend_unknown then 'no_exchange_rate'
            when spend_amount <= 0 then 'no_spend'
            when contribution_amount is null then 'no_margin'
        end as romi_ratio_reason,
        case
            when is_spend_unknown then 'no_exchange_rate'
            when spend_amount <= 0 then 'no_spend'
            when credited_new_customers <= 0 then 'no_new_customers'
        end as cac_amount_reason
    from joined

),

final as (

    select
        rated.attribution_model,
        rated.channel,
        rated.campaign,
        rated.month_date,
        coalesce(channel_groups.channel_group, 'Unmapped') as channel_group,
        rated.roas_ratio_reason,
        rated.romi_ratio_reason,
        rated.cac_amount_reason,
        'D' as evidence_grade,
        rated.credited_conversions,
        rated.credited_new_customers,
        rated.unvalued_conversions,
        cast(rated.credited_amount as decimal(18, 2)) as credited_amount,
        cast(rated.recognised_amount as decimal(18, 2)) as recognised_amount,
        rated.is_window_complete,
        {{ round_amount('rated.contribution_amount') }} as contribution_amount,
        cast(rated.spend_amount as decimal(18, 2)) as spend_amount,
        case
            when rated.roas_ratio_reason is null
                then cast(rated.credited_amount as double) / cast(rated.spend_amount as double)
        end as roas_ratio,
        case
            when rated.romi_ratio_reason is null
                then
                    (cast(rated.contribution_amount as double) - cast(rated.spend_amount as double))
                    / cast(rated.spend_amount as double)
        end as romi_ratio,
        case
            when rated.cac_amount_reason is null
                then
                    {{ round_amount('cast(rated.spend_amount as double) / rated.credited_new_customers') }}
        end as cac_amount,
        false as is_causal
    from rated
    left join channel_groups on rated.channel = channel_groups.channel

)

select * from final
