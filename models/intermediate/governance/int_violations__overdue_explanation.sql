-- One row per material variance against an original budget that was not explained in time.
with

variances as (

    select * from {{ ref('rpt_budget_variance') }}

),

explanations as (

    select * from {{ ref('stg_budget__variance_explanations') }}

),

final as (

    select
        'overdue_explanation' as rule_id,
        'warning' as severity,
        'variance_explanations' as extract_name,
        concat_ws(
            ', ',
            'fiscal_period=' || variances.fiscal_period,
            'cost_center_id=' || variances.cost_center_id,
            'account_id=' || variances.account_id,
            'product_id=' || coalesce(variances.product_id, '')
        ) as record_key,
        explanations.source_file,
        explanations.source_row,
        cast(variances.variance_favourable_amount as decimal(38, 2)) as amount,
        'Due on ' || cast(variances.explanation_due_on as string)
        || coalesce(
            ', explained on ' || substr(cast(explanations.explained_at as string), 1, 10)
            || '. Explain variances within the days allowed.',
            ' and not explained yet. Say why, and what is done about it.'
        ) as message
    from variances
    left join explanations
        on
            variances.fiscal_period = explanations.fiscal_period
            and variances.cost_center_id is not distinct from explanations.cost_center_id
            and variances.account_id = explanations.account_id
            and variances.product_id is not distinct from explanations.product_id
    where
        variances.version_type = 'original'
        and variances.is_explanation_overdue

)

select * from final
