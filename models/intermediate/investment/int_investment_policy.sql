-- One row: the rates and rules in force on the day the data speaks for.
with

reporting_date as (

    select reporting_on
    from {{ ref('int_reporting_date') }}

),

policies as (

    select
        effective_from,
        hurdle_rate,
        finance_rate,
        reinvestment_rate,
        tax_rate,
        valuation_rule,
        first_review_months,
        last_review_months,
        credibility_months,
        reference_class_size,
        milestone_start_share,
        index_reliable_from_share,
        index_reliable_to_share,
        review_threshold_amount,
        minimum_reviews
    from {{ ref('investment_policies') }}

),

business_cases as (

    select cast(max(known_at) as date) as known_on
    from {{ ref('stg_product__business_cases') }}

),

benefits as (

    select month_date
    from {{ ref('fct_benefits') }}
    where benefit_source = 'ledger' and is_counted

),

-- Without a ledger, the newest business case says what day it is.
dated as (

    select coalesce(reporting_date.reporting_on, business_cases.known_on) as reporting_on
    from reporting_date
    cross join business_cases

),

ended as (

    select
        reporting_on,
        cast(date_trunc('month', reporting_on) as date) as reporting_month,
        cast({{ dbt.dateadd('month', -1, "date_trunc('month', " ~ dbt.dateadd('day', 1, 'reporting_on') ~ ")") }} as date) as ended_month
    from dated

),

closed as (

    select max({{ period_month('end_on') }}) as closed_month
    from {{ ref('dim_fiscal_period') }}
    where
        is_reporting_entity
        and is_closed

),

-- What a month really cost is known when it is over and, where months are closed, closed: until then its cost comes in.
bounded as (

    select
        ended.reporting_on,
        ended.reporting_month,
        least(ended.ended_month, coalesce(closed.closed_month, ended.ended_month)) as cutoff_month
    from ended
    cross join closed

),

measured as (

    select
        bounded.reporting_on,
        bounded.reporting_month,
        bounded.cutoff_month,
        max(benefits.month_date) as measured_month
    from bounded
    left join benefits
        on bounded.cutoff_month >= benefits.month_date
    group by bounded.reporting_on, bounded.reporting_month, bounded.cutoff_month

),

final as (

    select
        measured.reporting_on,
        measured.cutoff_month,
        -- A month that is over brought something before finance says what; benefits wait one month for it, no longer.
        case
            when measured.measured_month < measured.cutoff_month
                then cast({{ dbt.dateadd('month', -1, 'measured.cutoff_month') }} as date)
            else measured.cutoff_month
        end as benefit_cutoff_month,
        case policies.valuation_rule
            when 'next_year_start'
                then cast({{ dbt.dateadd('year', 1, "date_trunc('year', measured.reporting_on)") }} as date)
            when 'next_month_start'
                then cast({{ dbt.dateadd('month', 1, 'measured.reporting_month') }} as date)
            else measured.reporting_month
        end as valuation_on,
        policies.hurdle_rate,
        policies.finance_rate,
        policies.reinvestment_rate,
        policies.tax_rate,
        policies.first_review_months,
        policies.last_review_months,
        policies.credibility_months,
        policies.reference_class_size,
        policies.milestone_start_share,
        policies.index_reliable_from_share,
        policies.index_reliable_to_share,
        policies.review_threshold_amount,
        policies.minimum_reviews
    from policies
    left join measured on true
    where policies.effective_from <= coalesce(measured.reporting_on, policies.effective_from)
    qualify row_number() over (order by policies.effective_from desc) = 1

)

select * from final
