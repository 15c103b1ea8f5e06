-- One row per portfolio (dimension and member) and initiative in it.
with

initiatives as (

    select
        initiative_id,
        product_id,
        objective_id,
        initiative_type,
        status
    from {{ ref('dim_initiative') }}

),

products as (

    select
        product_id,
        product_line
    from {{ ref('dim_product') }}

),

-- Proposals are no part of the portfolio until they are funded; they are one of their own.
funded as (

    select
        initiatives.initiative_id,
        initiatives.product_id,
        initiatives.objective_id,
        initiatives.initiative_type,
        products.product_line
    from initiatives
    left join products
        on initiatives.product_id = products.product_id
    where initiatives.status not in ('proposed', 'rejected')

),

final as (

    select
        'funding' as dimension,
        case when status = 'proposed' then 'proposed' else 'funded' end as member_id,
        initiative_id
    from initiatives
    where status <> 'rejected'

    union all

    select
        'objective' as dimension,
        coalesce(objective_id, 'none') as member_id,
        initiative_id
    from funded

    union all

    select
        'product_line' as dimension,
        coalesce(product_line, 'company_wide') as member_id,
        initiative_id
    from funded

    union all

    select
        'initiative_type' as dimension,
        coalesce(initiative_type, 'none') as member_id,
        initiative_id
    from funded

)

select * from final
