-- One row per file in force and measure, which is rows or a decimal column of its extract.
with

source as (

    select *
    from {{ source('gate', 'load_totals') }}

),

final as (

    select
        source_name,
        extract_name,
        file as source_file,
        sha256 as source_sha256,
        mapping as mapping_name,
        measure,
        read_total,
        accepted_total,
        quarantined_total,
        set_aside_total,
        blank_total,
        loaded_at
    from source

)

select * from final
