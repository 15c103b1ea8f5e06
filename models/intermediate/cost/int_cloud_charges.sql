-- One row per charge of a cloud bill, with the product, initiative and owner it is traced to.
with

cloud_costs as (

    select * from {{ ref('stg_cost__cloud_costs') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

initiatives as (

    select * from {{ ref('dim_initiative') }}

),

cost_centers as (

    select * from {{ ref('dim_cost_center') }}

),

sub_accounts as (

    select * from {{ ref('cloud_sub_accounts') }}

),

tagged as (

    select
        *,
        nullif({{ json_text('tags', var('cloud_tag_keys')['product']) }}, '') as product_tag,
        nullif({{ json_text('tags', var('cloud_tag_keys')['initiative']) }}, '') as initiative_tag,
        nullif({{ json_text('tags', var('cloud_tag_keys')['cost_center']) }}, '') as cost_center_tag,
        nullif({{ json_text('tags', var('cloud_tag_keys')['owner']) }}, '') as owner_tag,
        cast(charge_period_start as date) as charge_date,
        {{ dbt.datediff("charge_period_start", "charge_period_end", "day") }} as charge_days,
        cast(date_trunc('month', billing_period_start) as date) as billing_month
    from cloud_costs

),

final as (

    select
        tagged.charge_date,
        tagged.charge_days,
        tagged.billing_month,
        tagged.provider_name,
        tagged.service_name,
        tagged.service_category,
        tagged.sub_account_id,
        tagged.resource_id,
        tagged.charge_category,
        tagged.charge_class,
        tagged.commitment_discount_id,
        tagged.commitment_discount_status,
        products.product_id,
        case when products.product_id is null then tagged.product_tag end as unknown_product_id,
        tagged.product_tag is not null as is_product_tagged,
        tagged.product_tag is not null and tagged.owner_tag is not null as is_tagged,
        initiatives.initiative_id,
        cost_centers.cost_center_id,
        coalesce(tagged.owner_tag, sub_accounts.owner) as owner,
        -- A purchase that covers future charges is billed now and used later.
        tagged.charge_category = 'Purchase' and tagged.billed_cost > 0 and tagged.effective_cost = 0
            as is_covering_purchase,
        tagged.billing_currency as currency,
        tagged.billed_cost,
        tagged.effective_cost,
        {{ convert_cloud_cost('tagged.billed_cost', 'fx_rates.average_rate') }} as reporting_billed_cost,
        {{ convert_cloud_cost('tagged.effective_cost', 'fx_rates.average_rate') }} as reporting_effective_cost,
        -- Some providers leave out list or contracted cost: the next price down then stands in for it.
        {{ convert_cloud_cost(
            'coalesce(tagged.list_cost, tagged.contracted_cost, tagged.effective_cost)',
            'fx_rates.average_rate',
        ) }} as reporting_list_cost,
        {{ convert_cloud_cost(
            'coalesce(tagged.contracted_cost, tagged.list_cost, tagged.effective_cost)',
            'fx_rates.average_rate',
        ) }} as reporting_contracted_cost,
        tagged.known_at,
        tagged.source_file,
        tagged.source_row
    from tagged
    left join sub_accounts on tagged.sub_account_id = sub_accounts.sub_account_id
    left join products on coalesce(tagged.product_tag, sub_accounts.product_id) = products.product_id
    left join initiatives on tagged.initiative_tag = initiatives.initiative_id
    left join cost_centers on coalesce(tagged.cost_center_tag, sub_accounts.cost_center_id) = cost_centers.cost_center_id
    left join fx_rates
        on
            tagged.billing_currency = fx_rates.from_currency
            and tagged.billing_month = fx_rates.rate_month

)

select * from final
