-- One row per delivery that would change a locked budget line; the locked value stands.
with

budget_line_versions as (

    select * from {{ ref('int_budget_line_versions') }}

),

final as (

    select
        'changed_after_lock' as rule_id,
        'error' as severity,
        'budget_lines' as extract_name,
        concat_ws(
            ', ',
            'budget_version=' || budget_version,
            'fiscal_period=' || fiscal_period,
            'cost_center_id=' || cost_center_id,
            'account_id=' || account_id,
            'product_id=' || coalesce(product_id, ''),
            'initiative_id=' || coalesce(initiative_id, '')
        ) as record_key,
        source_file,
        source_row,
        cast(coalesce(amount, 0) - standing_amount as decimal(38, 2)) as amount,
        'Locked at ' || cast(standing_amount as string) || ' ' || standing_currency || ' on '
        || substr(cast(standing_locked_at as string), 1, 10) || ', later '
        || coalesce('sent as ' || cast(amount as string) || ' ' || currency, 'deleted')
        || '; the locked value stands. Plan the change in a revised version.' as message
    from budget_line_versions
    where is_change_after_lock

)

select * from final
