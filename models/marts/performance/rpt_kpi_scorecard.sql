-- One row per key figure, scope and month.
with

kpi_values as (

    select
        kpi_id,
        scope_type,
        scope_id,
        month_date,
        unit,
        kpi_value,
        kpi_value_reason
    from {{ ref('fct_kpi_values') }}

),

catalog as (

    select
        kpi_id,
        kpi_name,
        polarity,
        owner,
        cadence
    from {{ ref('kpi_catalog') }}

),

served as (

    select
        kpi_id,
        objective_id
    from {{ ref('kpi_objectives') }}

),

objectives as (

    select
        objective_id,
        objective_name
    from {{ ref('strategic_objectives') }}

),

targets as (

    select
        kpi_id,
        scope_type,
        scope_id,
        valid_from,
        valid_to,
        target_value,
        green_tolerance,
        amber_tolerance
    from {{ ref('kpi_targets') }}

),

-- A target of one member beats the one of all members of its kind; of two, the one that began last holds.
targeted as (

    select
        kpi_values.kpi_id,
        kpi_values.scope_type,
        kpi_values.scope_id,
        kpi_values.month_date,
        targets.target_value,
        targets.green_tolerance,
        targets.amber_tolerance
    from kpi_values
    inner join targets
        on
            kpi_values.kpi_id = targets.kpi_id
            and kpi_values.scope_type = targets.scope_type
            and (kpi_values.scope_id = targets.scope_id or targets.scope_id = '*')
            and kpi_values.month_date >= targets.valid_from
            and kpi_values.month_date < coalesce(targets.valid_to, cast('9999-01-01' as date))
    qualify
        row_number() over (
            partition by kpi_values.kpi_id, kpi_values.scope_type, kpi_values.scope_id, kpi_values.month_date
            order by case when targets.scope_id = '*' then 1 else 0 end asc, targets.valid_from desc
        ) = 1

),

-- Months are numbered, so that the month and the year before are found even where a month is missing.
judged as (

    select
        kpi_values.kpi_id,
        catalog.kpi_name,
        kpi_values.scope_type,
        kpi_values.scope_id,
        kpi_values.month_date,
        12 * cast(extract(year from kpi_values.month_date) as integer)
        + cast(extract(month from kpi_values.month_date) as integer) as month_number,
        kpi_values.unit,
        catalog.polarity,
        catalog.owner,
        catalog.cadence,
        served.objective_id,
        kpi_values.kpi_value,
        kpi_values.kpi_value_reason,
        targeted.target_value,
        targeted.green_tolerance,
        targeted.amber_tolerance,
        round(
            case
                when catalog.polarity = 0 then abs(kpi_values.kpi_value - targeted.target_value)
                else catalog.polarity * (targeted.target_value - kpi_values.kpi_value)
            end,
            9
        ) as shortfall
    from kpi_values
    inner join catalog on kpi_values.kpi_id = catalog.kpi_id
    left join served on kpi_values.kpi_id = served.kpi_id
    left join targeted
        on
            kpi_values.kpi_id = targeted.kpi_id
            and kpi_values.scope_type = targeted.scope_type
            and kpi_values.scope_id = targeted.scope_id
            and kpi_values.month_date = targeted.month_date

),

lit as (

    select
        *,
        case
            when target_value is null then 'no_target'
            when kpi_value is null then 'no_value'
            when shortfall <= green_tolerance then 'green'
            when shortfall <= amber_tolerance then 'amber'
            else 'red'
        end as status,
        max(month_date) over (partition by kpi_id, scope_type, scope_id) = month_date as is_latest
    from judged

),

-- A run of months begins where the verdict changes or a month is missing.
runs as (

    select
        *,
        case
            when
                status in ('green', 'amber', 'red')
                and lag(status) over (
                    partition by kpi_id, scope_type, scope_id order by month_number
                ) in ('green', 'amber', 'red')
                and (status = 'green')
                = (lag(status) over (partition by kpi_id, scope_type, scope_id order by month_number) = 'green')
                and month_number
                = 1 + lag(month_number) over (partition by kpi_id, scope_type, scope_id order by month_number)
                then 0
            else 1
        end as starts_run
    from lit

),

numbered as (

    select
        *,
        sum(starts_run) over (partition by kpi_id, scope_type, scope_id order by month_number) as run_number
    from runs

),

-- Straight line through the last twelve months; its slope counts where it differs from none with 95 % confidence. Months
-- and values are taken from the last one on: small numbers keep their digits.
regressed as (

    select
        later.kpi_id,
        later.scope_type,
        later.scope_id,
        later.month_date,
        count(*) as trend_months,
        regr_slope(earlier.kpi_value - later.kpi_value, cast(earlier.month_number - later.month_number as double)) as slope,
        regr_sxx(earlier.kpi_value - later.kpi_value, cast(earlier.month_number - later.month_number as double))
            as month_squares,
        regr_syy(earlier.kpi_value - later.kpi_value, cast(earlier.month_number - later.month_number as double))
            as value_squares
    from judged as later
    inner join judged as earlier
        on
            later.kpi_id = earlier.kpi_id
            and later.scope_type = earlier.scope_type
            and later.scope_id = earlier.scope_id
            and earlier.month_number between later.month_number - 11 and later.month_number
            and earlier.kpi_value is not null
    where later.kpi_value is not null
    group by later.kpi_id, later.scope_type, later.scope_id, later.month_date

),

trends as (

    select
        kpi_id,
        scope_type,
        scope_id,
        month_date,
        trend_months,
        slope,
        power(slope, 2) * month_squares as explained_squares,
        greatest(value_squares - power(slope, 2) * month_squares, 0) as residual_squares,
        {{ student_t_critical(1.9599639845401, 'cast(trend_months - 2 as double)') }} as critical_value
    from regressed
    where trend_months >= 6

),

moved as (

    select
        kpi_id,
        scope_type,
        scope_id,
        month_date,
        slope,
        case
            when explained_squares * (trend_months - 2) > power(critical_value, 2) * residual_squares
                then sign(slope)
            else 0
        end as direction
    from trends

),

final as (

    select
        numbered.kpi_id,
        numbered.kpi_name,
        numbered.scope_type,
        numbered.scope_id,
        numbered.month_date,
        numbered.is_latest,
        numbered.unit,
        cast(numbered.polarity as integer) as polarity,
        numbered.owner,
        numbered.cadence,
        numbered.objective_id,
        objectives.objective_name,
        numbered.kpi_value,
        numbered.kpi_value_reason,
        numbered.target_value,
        numbered.green_tolerance,
        numbered.amber_tolerance,
        numbered.kpi_value - numbered.target_value as target_gap,
        numbered.status,
        case
            when numbered.status in ('green', 'amber', 'red')
                then
                    cast(
                        count(*) over (
                            partition by numbered.kpi_id, numbered.scope_type, numbered.scope_id, numbered.run_number
                            order by numbered.month_number
                        ) as integer
                    )
        end as streak_months,
        -- Less is what is left of rounding.
        case when abs(moved.slope) < 1e-12 then 0 else moved.slope end as trend_slope,
        case
            when moved.direction is null then 'unknown'
            when moved.direction = 0 then 'steady'
            when numbered.polarity = 0 and moved.direction > 0 then 'rising'
            when numbered.polarity = 0 then 'falling'
            when moved.direction * numbered.polarity > 0 then 'improving'
            else 'worsening'
        end as trend,
        previous_months.kpi_value as prior_month_value,
        numbered.kpi_value - previous_months.kpi_value as month_change,
        previous_years.kpi_value as prior_year_value,
        numbered.kpi_value - previous_years.kpi_value as year_change,
        case
            when numbered.unit <> 'rate' and previous_years.kpi_value > 0
                then numbered.kpi_value / previous_years.kpi_value - 1
        end as year_change_rate
    from numbered
    left join objectives on numbered.objective_id = objectives.objective_id
    left join moved
        on
            numbered.kpi_id = moved.kpi_id
            and numbered.scope_type = moved.scope_type
            and numbered.scope_id = moved.scope_id
            and numbered.month_date = moved.month_date
    left join judged as previous_months
        on
            numbered.kpi_id = previous_months.kpi_id
            and numbered.scope_type = previous_months.scope_type
            and numbered.scope_id = previous_months.scope_id
            and numbered.month_number = previous_months.month_number + 1
    left join judged as previous_years
        on
            numbered.kpi_id = previous_years.kpi_id
            and numbered.scope_type = previous_years.scope_type
            and numbered.scope_id = previous_years.scope_id
            and numbered.month_number = previous_years.month_number + 12

)

select * from final
