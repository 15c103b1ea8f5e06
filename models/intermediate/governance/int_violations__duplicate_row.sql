-- One row per row of a file that a later one of the same delivery of it repeats or contradicts under the same key.
with

superseded_rows as (

    select * from {{ ref('stg_governance__superseded_rows') }}

),

final as (

    select
        'duplicate_row' as rule_id,
        case when is_identical then 'warning' else 'error' end as severity,
        extract_name,
        record_key,
        source_file,
        source_row,
        cast(null as decimal(38, 2)) as amount,
        case
            when is_identical then 'Same as row '
            else 'Another record than row '
        end
        || cast(next_source_row as string)
        || ' under the same key; the later row counts. Send each key once per file.' as message
    from superseded_rows
    where
        source_file = next_source_file
        and known_at = next_known_at
        -- A file sent again in place corrects itself.
        and loaded_at = next_loaded_at

)

select * from final
