-- One row per delivery that would change a locked budget line, and per locked line a whole delivery left out.
with

budget_line_versions as (

    select * from {{ ref('int_budget_line_versions') }}

),

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

final as (

    select
        'changed_after_lock' as rule_id,
        'error' as severity,
        'budget_lines' as extract_name,
        concat_ws(
            ', ',
            'budget_version=' || versions.budget_version,
            'fiscal_period=' || versions.fiscal_period,
            'cost_center_id=' || versions.cost_center_id,
            'account_id=' || versions.account_id,
            'product_id=' || coalesce(versions.product_id, ''),
            'initiative_id=' || coalesce(versions.initiative_id, '')
        ) as record_key,
        versions.source_file,
        versions.source_row,
        cast(
            {{ convert_amount(
                'case when versions.is_left_out_after_lock then 0 else coalesce(versions.amount, 0) end'
                ~ ' - versions.standing_amount',
                'budget_lines.budget_rate'
            ) }} as decimal(38, 2)
        ) as amount,
        'Locked at ' || cast(versions.standing_amount as string) || ' ' || versions.standing_currency || ' on '
        || substr(cast(versions.standing_locked_at as string), 1, 10) || ', later '
        || case
            when versions.is_left_out_after_lock then 'left out of a delivery of the whole'
            else coalesce('sent as ' || cast(versions.amount as string) || ' ' || versions.currency, 'deleted')
        end
        || '; the locked value stands. Plan the change in a revised version.' as message
    from budget_line_versions as versions
    left join budget_lines
        on
            versions.budget_version = budget_lines.budget_version
            and versions.fiscal_period = budget_lines.fiscal_period
            and versions.cost_center_id is not distinct from budget_lines.cost_center_id
            and versions.account_id = budget_lines.account_id
            and versions.product_id is not distinct from budget_lines.product_id
            and versions.initiative_id is not distinct from budget_lines.initiative_id
    where
        versions.is_change_after_lock
        or versions.is_left_out_after_lock

)

select * from final
