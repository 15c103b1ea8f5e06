-- One row per delivered row of a transaction extract that another row with the same key supersedes.
{{ config(
    materialized=('table' if target.type == 'spark' else 'incremental'),
    incremental_strategy='append',
    pre_hook='{{ drop_changed_parts(transaction_extracts()) }}',
    meta={'increments_of': 'any'}
) }}
{%- set changed = changed_parts(transaction_extracts()) %}
with

delivered as (
    {% for source_name, extract_name, condition in changed %}
    {%- set relation = source(source_name, extract_name) -%}
    {%- set contract = extract_contract(source_name, extract_name) -%}
    {%- set key = contract.config.meta.key if contract else ['_row'] -%}
    {%- set columns = contract.columns.keys() if contract else ['_row'] -%}
    {%- set day = day_in_key(contract) -%}
    select
        '{{ extract_name }}' as extract_name,
        cast({{ "date_trunc('month', " ~ day ~ ')' if day else 'null' }} as date) as month_date,
        {{ record_key(key) }} as record_key,
        {{ key | select('in', personal_columns(contract)) | list | length > 0 }} as is_personal,
        concat_ws(
            '|',
            {%- for column in columns %}
            coalesce(cast({{ column }} as string), '') {{- ',' if not loop.last }}
            {%- endfor %}
        ) as content,
        {{ key_hash(key, day) }} as key_hash,
        _file as source_file,
        _row as source_row,
        _known_at as known_at,
        _loaded_at as loaded_at
    from {{ relation }}
    where
        {{ as_known() }}
        and {{ condition }}
        and {{ key_hash(key, day) }} in (
            select contested.key_hash
            from (
                {{ contested_keys(relation, key, day, condition) }}
            ) as contested
        )
    qualify count(*) over (partition by {{ key | join(', ') }}) > 1
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

ranked as (

    select
        extract_name,
        month_date,
        record_key,
        is_personal,
        content,
        key_hash,
        source_file,
        source_row,
        known_at,
        loaded_at,
        lead(content) over (
            partition by extract_name, record_key
            order by known_at, loaded_at, source_file, source_row
        ) as next_content,
        lead(known_at) over (
            partition by extract_name, record_key
            order by known_at, loaded_at, source_file, source_row
        ) as next_known_at,
        lead(loaded_at) over (
            partition by extract_name, record_key
            order by known_at, loaded_at, source_file, source_row
        ) as next_loaded_at,
        lead(source_file) over (
            partition by extract_name, record_key
            order by known_at, loaded_at, source_file, source_row
        ) as next_source_file,
        lead(source_row) over (
            partition by extract_name, record_key
            order by known_at, loaded_at, source_file, source_row
        ) as next_source_row
    from delivered

),

final as (

    select
        extract_name,
        month_date,
        -- A key that names a person stays here: its row is named by where it stands.
        case when is_personal then {{ record_key(['source_file', 'source_row']) }} else record_key end as record_key,
        key_hash,
        source_file,
        source_row,
        next_source_file,
        next_source_row,
        content = next_content as is_identical,
        known_at,
        next_known_at,
        loaded_at,
        next_loaded_at
    from ranked
    where next_content is not null

)

select * from final
