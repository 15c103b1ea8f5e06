-- One row per person and month of payroll, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('cost', 'payroll') }}

),

latest as (

    {{ latest_version(['person_id', 'period_month']) }}

),

final as (

    select
        person_id,
        period_month,
        cost_center_id,
        role,
        base_pay,
        bonus,
        employer_taxes,
        benefits_cost,
        tools_cost,
        space_cost,
        contracted_hours,
        leave_hours,
        meeting_hours,
        currency,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
