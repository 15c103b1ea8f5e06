-- One row per risk of the programme.
with

risks as (

    select * from {{ ref('risk_register') }}

),

governance_indicators as (

    select * from {{ ref('int_governance_indicators') }}

),

-- The latest month counts; what is only known as of now has no month.
latest_indicators as (

    select
        indicator_id,
        month_date,
        indicator_value
    from governance_indicators
    qualify row_number() over (partition by indicator_id order by month_date desc nulls last) = 1

),

measured as (

    select
        risks.*,
        latest_indicators.month_date,
        latest_indicators.indicator_value,
        case risks.comparison
            when 'above' then latest_indicators.indicator_value > risks.threshold
            else latest_indicators.indicator_value < risks.threshold
        end as is_triggered
    from risks
    left join latest_indicators on risks.indicator_id = latest_indicators.indicator_id

),

final as (

    select
        risk_id,
        category,
        risk_name,
        owner,
        inherent_probability,
        inherent_impact_amount,
        cast(inherent_probability * inherent_impact_amount as decimal(18, 2)) as inherent_exposure_amount,
        residual_probability,
        residual_impact_amount,
        cast(residual_probability * residual_impact_amount as decimal(18, 2)) as residual_exposure_amount,
        indicator_id,
        month_date,
        indicator_value,
        case when indicator_value is null then 'not_measured' end as indicator_value_reason,
        comparison,
        threshold,
        case
            when is_triggered is null then 'not_measured'
            when is_triggered then 'triggered'
            else 'not_triggered'
        end as risk_status,
        control,
        contingency,
        scenario_id,
        reviewed_on
    from measured

)

select * from final
