-- One row per day, provider, service, sub-account, product, kind of charge and billing currency.
with

cloud_charges as (

    select * from {{ ref('int_cloud_charges') }}

),

final as (

    select
        charge_date,
        provider_name,
        service_name,
        service_category,
        sub_account_id,
        product_id,
        charge_category,
        currency,
        count(*) as charge_count,
        cast(sum(billed_cost) as decimal(28, 10)) as billed_amount,
        cast(sum(effective_cost) as decimal(28, 10)) as effective_amount,
        cast(sum(reporting_billed_cost) as decimal(28, 10)) as reporting_billed_amount,
        cast(sum(reporting_effective_cost) as decimal(28, 10)) as reporting_effective_amount,
        cast(sum(reporting_list_cost) as decimal(28, 10)) as reporting_list_amount,
        cast(sum(reporting_contracted_cost) as decimal(28, 10)) as reporting_contracted_amount,
        cast(
            sum(case when product_id is not null and owner is not null then reporting_effective_cost else 0 end)
            as decimal(28, 10)
        ) as reporting_allocated_amount,
        cast(sum(case when owner is null then reporting_effective_cost else 0 end) as decimal(28, 10))
            as reporting_unowned_amount
    from cloud_charges
    group by
        charge_date,
        provider_name,
        service_name,
        service_category,
        sub_account_id,
        product_id,
        charge_category,
        currency

)

select * from final
