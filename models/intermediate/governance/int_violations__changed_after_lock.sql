-- One row per delivery that would change a locked budget line, and per locked line a whole delivery left out.
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
        cast(
            case when is_left_out_after_lock then 0 else coalesce(amount, 0) end - standing_amount as decimal(38, 2)
        ) as amount,
        'Locked at ' || cast(standing_amount as string) || ' ' || standing_currency || ' on '
        || substr(cast(standing_locked_at as string), 1, 10) || ', later '
        || case
            when is_left_out_after_lock then 'left out of a delivery of the whole'
            else coalesce('sent as ' || cast(amount as string) || ' ' || currency, 'deleted')
        end
        || '; the locked value stands. Plan the change in a revised version.' as message
    from budget_line_versions
    where is_change_after_lock or is_left_out_after_lock

)

select * from final
