-- One row per month and scope: the company, a service or a product.
with

cloud_charges as (

    select * from {{ ref('int_cloud_charges') }}

),

eligible_services as (

    select * from {{ ref('commitment_services') }}

),

-- Savings look at usage alone: a purchase that covers later usage would count list and contracted price twice.
charges as (

    select
        cast(date_trunc('month', cloud_charges.charge_date) as date) as month_date,
        cloud_charges.service_name,
        coalesce(cloud_charges.product_id, 'shared') as product_scope,
        cloud_charges.reporting_billed_cost,
        cloud_charges.reporting_effective_cost,
        cloud_charges.reporting_list_cost,
        cloud_charges.reporting_contracted_cost,
        cloud_charges.charge_category = 'Usage'
        and coalesce(cloud_charges.commitment_discount_status, 'Used') <> 'Unused' as is_consumed,
        cloud_charges.charge_category = 'Usage' as is_usage,
        cloud_charges.charge_category = 'Usage'
        and cloud_charges.commitment_discount_id is not null
        and coalesce(cloud_charges.commitment_discount_status, 'Used') = 'Used' as is_committed,
        cloud_charges.commitment_discount_status = 'Unused' as is_unused,
        cloud_charges.commitment_discount_id is not null
        or eligible_services.service_name is not null as is_eligible,
        cloud_charges.product_id is not null and cloud_charges.owner is not null as is_allocated,
        cloud_charges.is_tagged,
        cloud_charges.is_covering_purchase
    from cloud_charges
    left join eligible_services
        on
            cloud_charges.service_name = eligible_services.service_name
            and cloud_charges.charge_date >= eligible_services.valid_from

),

scoped_charges as (

    select
        'company' as scope_type,
        'all' as scope_id,
        *
    from charges

    union all

    select
        'service' as scope_type,
        service_name as scope_id,
        *
    from charges

    union all

    select
        'product' as scope_type,
        product_scope as scope_id,
        *
    from charges

),

scopes as (

    select
        month_date,
        scope_type,
        scope_id,
        sum(reporting_billed_cost) as billed_amount,
        sum(reporting_effective_cost) as effective_amount,
        sum(case when is_covering_purchase then reporting_billed_cost else 0 end) as purchase_amount,
        sum(case when is_usage then reporting_effective_cost else 0 end) as usage_effective_amount,
        sum(case when is_consumed then reporting_list_cost else 0 end) as list_amount,
        sum(case when is_consumed then reporting_contracted_cost else 0 end) as contracted_amount,
        sum(case when is_committed then reporting_effective_cost else 0 end) as commitment_used_amount,
        sum(case when is_unused then reporting_effective_cost else 0 end) as commitment_unused_amount,
        sum(case when is_committed then reporting_contracted_cost else 0 end) as covered_amount,
        sum(case when is_consumed and is_eligible then reporting_contracted_cost else 0 end) as eligible_amount,
        sum(case when is_allocated then reporting_effective_cost else 0 end) as allocated_amount,
        count(*) as charge_count,
        count_if(is_tagged) as tagged_charge_count
    from scoped_charges
    group by
        month_date,
        scope_type,
        scope_id

),

final as (

    select
        month_date,
        scope_type,
        scope_id,
        cast(billed_amount as decimal(28, 10)) as billed_amount,
        cast(effective_amount as decimal(28, 10)) as effective_amount,
        cast(purchase_amount as decimal(28, 10)) as purchase_amount,
        cast(usage_effective_amount as decimal(28, 10)) as usage_effective_amount,
        cast(list_amount as decimal(28, 10)) as list_amount,
        cast(contracted_amount as decimal(28, 10)) as contracted_amount,
        cast(commitment_used_amount as decimal(28, 10)) as commitment_used_amount,
        cast(commitment_unused_amount as decimal(28, 10)) as commitment_unused_amount,
        cast(covered_amount as decimal(28, 10)) as covered_amount,
        cast(eligible_amount as decimal(28, 10)) as eligible_amount,
        cast(allocated_amount as decimal(28, 10)) as allocated_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency,
        case
            when contracted_amount > 0
                then cast(contracted_amount - usage_effective_amount as double) / cast(contracted_amount as double)
        end as savings_rate_contracted,
        case when contracted_amount <= 0 or contracted_amount is null then 'no_contracted_cost' end
            as savings_rate_contracted_reason,
        case
            when list_amount > 0
                then cast(list_amount - usage_effective_amount as double) / cast(list_amount as double)
        end as savings_rate_list,
        case when list_amount <= 0 or list_amount is null then 'no_list_cost' end as savings_rate_list_reason,
        case
            when list_amount > 0
                then cast(list_amount - contracted_amount as double) / cast(list_amount as double)
        end as negotiated_savings_rate,
        case when list_amount <= 0 or list_amount is null then 'no_list_cost' end as negotiated_savings_rate_reason,
        case
            when commitment_used_amount + commitment_unused_amount > 0
                then
                    cast(commitment_used_amount as double)
                    / cast(commitment_used_amount + commitment_unused_amount as double)
        end as commitment_utilisation_rate,
        case
            when commitment_used_amount + commitment_unused_amount > 0
                then
                    cast(commitment_unused_amount as double)
                    / cast(commitment_used_amount + commitment_unused_amount as double)
        end as commitment_waste_rate,
        case when not coalesce(commitment_used_amount + commitment_unused_amount > 0, false) then 'no_commitment' end
            as commitment_utilisation_rate_reason,
        case
            when eligible_amount > 0 then cast(covered_amount as double) / cast(eligible_amount as double)
        end as commitment_coverage_rate,
        case when not coalesce(eligible_amount > 0, false) then 'no_eligible_usage' end
            as commitment_coverage_rate_reason,
        case
            when effective_amount > 0 then cast(allocated_amount as double) / cast(effective_amount as double)
        end as allocation_coverage_rate,
        case when not coalesce(effective_amount > 0, false) then 'no_cost' end as allocation_coverage_rate_reason,
        cast(tagged_charge_count as double) / cast(charge_count as double) as tag_compliance_rate
    from scopes

)

select * from final
