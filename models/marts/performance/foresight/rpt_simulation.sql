-- One row per subject (initiative or portfolio).
{%- set drivers = ['build_cost', 'run_cost', 'benefit', 'delay_months'] %}
with

policies as (

    select
        cast(draws as bigint) as draws,
        random_seed
    from {{ ref('simulation_policies') }}

),

present_values as (

    select * from {{ ref('int_initiative_present_values') }}

),

initiatives as (

    select
        initiative_id,
        product_id
    from {{ ref('dim_initiative') }}

),

-- All distributions side by side; sqrt(correlation) is the weight of what initiatives have in common.
distributions as (

    select
        {%- for driver in drivers %}
        max(case when driver = '{{ driver }}' then distribution end) as {{ driver }}_distribution,
        max(case when driver = '{{ driver }}' then cast(low_value as double) end) as {{ driver }}_low,
        max(case when driver = '{{ driver }}' then cast(mode_value as double) end) as {{ driver }}_mode,
        max(case when driver = '{{ driver }}' then cast(high_value as double) end) as {{ driver }}_high,
        max(case when driver = '{{ driver }}' then sqrt(correlation) end) as {{ driver }}_common,
        max(case when driver = '{{ driver }}' then sqrt(1 - correlation) end) as {{ driver }}_own,
        {%- endfor %}
        count(*) as drivers
    from {{ ref('driver_distributions') }}
    where subject_type = 'initiative'

),

draws as (

    select
        cast(numbers.i as bigint) as draw,
        cast(policies.random_seed as {{ dbt.type_string() }}) || '|' || cast(numbers.i as {{ dbt.type_string() }})
            as draw_key
    from policies
    inner join range(0, 100000) as numbers (i) on policies.draws > numbers.i

),

-- What all initiatives have in common in a draw, such as the labour market.
common_hashes as (

    select
        {%- for driver in drivers %}
        md5(draw_key || '|{{ driver }}') as {{ driver }}_hash,
        {%- endfor %}
        draw,
        draw_key
    from draws

),

common_draws as (

    select
        {%- for driver in drivers %}
        {{ hashed_normal(driver ~ '_hash') }} as {{ driver }}_common_z,
        {%- endfor %}
        draw,
        draw_key
    from common_hashes

),

own_hashes as (

    select
        common_draws.*,
        {%- for driver in drivers %}
        case
            when present_values.{{ 'benefit' if driver == 'delay_months' else driver }}_amount <> 0
                then md5(common_draws.draw_key || '|{{ driver }}|' || present_values.initiative_id)
        end as {{ driver }}_hash,
        {%- endfor %}
        present_values.initiative_id
    from common_draws
    cross join present_values

),

own_draws as (

    select
        distributions.*,
        {%- for driver in drivers %}
        distributions.{{ driver }}_common * own_hashes.{{ driver }}_common_z
        + distributions.{{ driver }}_own * {{ hashed_normal('own_hashes.' ~ driver ~ '_hash') }} as {{ driver }}_z,
        {%- endfor %}
        own_hashes.draw,
        own_hashes.initiative_id
    from own_hashes
    cross join distributions

),

probabilities as (

    select
        {%- for driver in drivers %}
        {{ normal_cdf(driver ~ '_z') }} as {{ driver }}_p,
        {%- endfor %}
        *
    from own_draws

),

driven as (

    select
        {%- for driver in drivers %}
        coalesce(
            {{ distributed_value(
                driver ~ '_z',
                driver ~ '_p',
                driver ~ '_distribution',
                driver ~ '_low',
                driver ~ '_mode',
                driver ~ '_high',
            ) }},
            0
        ) as {{ driver }},
        {%- endfor %}
        draw,
        initiative_id
    from probabilities

),

outcomes as (

    select
        driven.draw,
        driven.initiative_id,
        present_values.is_funded,
        present_values.is_selected,
        present_values.known_amount
        - present_values.build_cost_amount * (1 + driven.build_cost)
        - present_values.run_cost_amount * (1 + driven.run_cost)
        + present_values.benefit_amount * (1 + driven.benefit)
        * power(1 + present_values.discount_rate, -driven.delay_months / 12) as npv
    from driven
    inner join present_values on driven.initiative_id = present_values.initiative_id

),

portfolio_draws as (

    select
        draw,
        sum(case when is_funded then npv else 0 end) as funded_npv,
        sum(case when is_selected then npv else 0 end) as selected_npv,
        count_if(is_funded) as funded_count,
        count_if(is_selected) as selected_count
    from outcomes
    group by draw

),

subject_draws as (

    select
        'initiative' as subject_type,
        initiative_id as subject_id,
        1 as initiatives,
        draw,
        npv
    from outcomes
    union all
    select
        'portfolio' as subject_type,
        'funded' as subject_id,
        funded_count as initiatives,
        draw,
        funded_npv as npv
    from portfolio_draws
    where funded_count > 0
    union all
    select
        'portfolio' as subject_type,
        'selected' as subject_id,
        selected_count as initiatives,
        draw,
        selected_npv as npv
    from portfolio_draws
    where selected_count > 0
    union all
    select
        'portfolio' as subject_type,
        'funded_and_selected' as subject_id,
        funded_count + selected_count as initiatives,
        draw,
        funded_npv + selected_npv as npv
    from portfolio_draws
    where funded_count + selected_count > 0

),

-- A quantile is the draw of that rank; its error comes from the draws about one standard error of the rank away.
ranked as (

    select
        subject_draws.*,
        policies.draws,
        policies.random_seed,
        row_number() over (
            partition by subject_draws.subject_type, subject_draws.subject_id
            order by subject_draws.npv, subject_draws.draw
        ) as npv_rank,
        sqrt(0.09 * policies.draws) as tail_step,
        sqrt(0.25 * policies.draws) as middle_step
    from subject_draws
    cross join policies

),

summarised as (

    select
        subject_type,
        subject_id,
        max(initiatives) as initiatives,
        max(draws) as draws,
        max(random_seed) as random_seed,
        avg(npv) as mean_npv,
        stddev_samp(npv) as deviation,
        max(case when npv_rank <= ceil(0.1 * draws) then npv end) as p10,
        max(case when npv_rank <= ceil(0.5 * draws) then npv end) as p50,
        max(case when npv_rank <= ceil(0.9 * draws) then npv end) as p90,
        max(case when npv_rank <= ceil(0.1 * draws + tail_step) then npv end)
        - max(case when npv_rank <= ceil(0.1 * draws - tail_step) then npv end) as p10_width,
        max(case when npv_rank <= ceil(0.5 * draws + middle_step) then npv end)
        - max(case when npv_rank <= ceil(0.5 * draws - middle_step) then npv end) as p50_width,
        max(case when npv_rank <= ceil(0.9 * draws + tail_step) then npv end)
        - max(case when npv_rank <= ceil(0.9 * draws - tail_step) then npv end) as p90_width,
        avg(case when npv < 0 then 1e0 else 0e0 end) as loss_probability,
        avg(case when npv_rank <= ceil(0.1 * draws) then npv end) as cvar10,
        var_samp(case when npv_rank <= ceil(0.1 * draws) then npv end) as tail_variance
    from ranked
    group by subject_type, subject_id

),

base as (

    select
        'initiative' as subject_type,
        initiative_id as subject_id,
        npv_amount
    from present_values
    union all
    select
        'portfolio' as subject_type,
        'funded' as subject_id,
        sum(npv_amount) as npv_amount
    from present_values
    where is_funded
    union all
    select
        'portfolio' as subject_type,
        'selected' as subject_id,
        sum(npv_amount) as npv_amount
    from present_values
    where is_selected
    union all
    select
        'portfolio' as subject_type,
        'funded_and_selected' as subject_id,
        sum(npv_amount) as npv_amount
    from present_values
    where is_funded or is_selected

),

final as (

    select
        summarised.subject_type,
        summarised.subject_id,
        initiatives.product_id,
        cast(summarised.initiatives as bigint) as initiatives,
        cast(summarised.draws as bigint) as draws,
        cast(summarised.random_seed as integer) as random_seed,
        {%- for column, expression in [
            ('base_npv_amount', 'base.npv_amount'),
            ('mean_npv_amount', 'summarised.mean_npv'),
            ('deviation_amount', 'summarised.deviation'),
            ('p10_amount', 'summarised.p10'),
            ('p50_amount', 'summarised.p50'),
            ('p90_amount', 'summarised.p90'),
            ('cvar10_amount', 'summarised.cvar10'),
            ('mean_error_amount', 'summarised.deviation / sqrt(summarised.draws)'),
            ('p10_error_amount', 'summarised.p10_width / 2'),
            ('p50_error_amount', 'summarised.p50_width / 2'),
            ('p90_error_amount', 'summarised.p90_width / 2'),
            (
                'cvar10_error_amount',
                'sqrt((summarised.tail_variance + 0.9 * power(summarised.p10 - summarised.cvar10, 2))'
                ~ ' / (0.1 * summarised.draws))'
            ),
        ] %}
        {{ round_amount(expression) }} as {{ column }},
        {%- endfor %}
        summarised.loss_probability,
        sqrt(summarised.loss_probability * (1 - summarised.loss_probability) / summarised.draws) as loss_probability_error
    from summarised
    inner join base
        on
            summarised.subject_type = base.subject_type
            and summarised.subject_id = base.subject_id
    left join initiatives
        on
            summarised.subject_type = 'initiative'
            and summarised.subject_id = initiatives.initiative_id

)

select * from final
