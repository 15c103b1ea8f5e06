-- One row per charge of a cloud bill in FOCUS columns (FinOps Open Cost and Usage Specification 1.0-1.3).
with

source as {{ inlined() }} (

    select *
    from {{ source('cost', 'cloud_costs') }}

),

latest as (

    {{ latest_version([]) }}

),

final as (

    select
        BilledCost as billed_cost,
        EffectiveCost as effective_cost,
        ListCost as list_cost,
        ContractedCost as contracted_cost,
        ChargeCategory as charge_category,
        ChargeClass as charge_class,
        ChargeDescription as charge_description,
        ChargeFrequency as charge_frequency,
        ChargePeriodStart as charge_period_start,
        ChargePeriodEnd as charge_period_end,
        BillingPeriodStart as billing_period_start,
        BillingPeriodEnd as billing_period_end,
        BillingCurrency as billing_currency,
        InvoiceId as invoice_id,
        ServiceName as service_name,
        ServiceCategory as service_category,
        SubAccountId as sub_account_id,
        SubAccountName as sub_account_name,
        ResourceId as resource_id,
        RegionId as region_id,
        SkuId as sku_id,
        CommitmentDiscountId as commitment_discount_id,
        CommitmentDiscountStatus as commitment_discount_status,
        PricingQuantity as pricing_quantity,
        PricingUnit as pricing_unit,
        ConsumedQuantity as consumed_quantity,
        ConsumedUnit as consumed_unit,
        ProviderName as provider_name,
        tags,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
