-- One row per file in force and measure, which is rows or a decimal column of its extract.
with

load_totals as (

    select * from {{ ref('stg_governance__load_totals') }}

),

delivered_totals as (

    select * from {{ ref('int_delivered_totals') }}

),

-- A file none of whose rows was accepted has no rows; rows no file accounts for show as a difference.
matched as (

    select
        coalesce(load_totals.source_name, 'unknown') as source_name,
        coalesce(load_totals.extract_name, delivered_totals.extract_name) as extract_name,
        coalesce(load_totals.source_file, delivered_totals.source_file) as source_file,
        coalesce(load_totals.source_sha256, 'not in the ledger') as source_sha256,
        load_totals.mapping_name,
        coalesce(load_totals.measure, delivered_totals.measure) as measure,
        coalesce(load_totals.read_total, 0) as read_total,
        coalesce(load_totals.accepted_total, 0) as accepted_total,
        coalesce(load_totals.quarantined_total, 0) as quarantined_total,
        coalesce(load_totals.set_aside_total, 0) + coalesce(load_totals.blank_total, 0) as left_out_total,
        coalesce(delivered_totals.stored_total, 0) as stored_total,
        coalesce(delivered_totals.in_force_total, 0) as in_force_total,
        coalesce(delivered_totals.superseded_total, 0) as superseded_total,
        coalesce(delivered_totals.deleted_total, 0) as deleted_total,
        coalesce(delivered_totals.not_yet_known_total, 0) as not_yet_known_total
    from load_totals
    full outer join delivered_totals
        on
            load_totals.extract_name = delivered_totals.extract_name
            and load_totals.source_file = delivered_totals.source_file
            and load_totals.loaded_at = delivered_totals.loaded_at
            and load_totals.measure = delivered_totals.measure

),

final as (

    select
        source_name,
        extract_name,
        source_file,
        source_sha256,
        mapping_name,
        measure,
        cast(read_total as decimal(38, 10)) as read_total,
        cast(accepted_total as decimal(38, 10)) as accepted_total,
        cast(in_force_total as decimal(38, 10)) as in_force_total,
        cast(superseded_total as decimal(38, 10)) as superseded_total,
        cast(deleted_total as decimal(38, 10)) as deleted_total,
        cast(not_yet_known_total as decimal(38, 10)) as not_yet_known_total,
        cast(quarantined_total as decimal(38, 10)) as quarantined_total,
        cast(left_out_total as decimal(38, 10)) as left_out_total,
        cast(
            read_total
            - (in_force_total + superseded_total + deleted_total + not_yet_known_total)
            - quarantined_total
            - left_out_total
            as decimal(38, 10)
        ) as difference_total,
        accepted_total = stored_total
        and stored_total = in_force_total + superseded_total + deleted_total + not_yet_known_total
        and read_total = accepted_total + quarantined_total + left_out_total as is_complete
    from matched

)

select * from final
