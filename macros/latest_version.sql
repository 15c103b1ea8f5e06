{#- The rows of the CTE `source` that hold as known: later knowledge supersedes earlier, nothing is overwritten. -#}
{% macro latest_version(key) -%}
    {%- set held -%}
    {{ as_known() }}
        {#- What a delivery brings for a whole scope, say a month, replaces what earlier ones brought. #}
        and (
            _scope is null
            or _delivery = (
                select max(later._delivery)
                from source as later
                where later._scope = source._scope and {{ as_known('later._known_at') }}
            )
        )
    {%- endset -%}
    {%- if not key -%}
    select *
    from source
    where
        {{ held }}
        and not coalesce(_is_deleted, false)
    {%- else -%}
    with contested as (
        {{ contested_keys('source', key) }}
    )

    select *
    from source
    where
        {{ held }}
        and {{ key_hash(key) }} not in (select contested.key_hash from contested)
        and not coalesce(_is_deleted, false)
    union all
    select *
    from source
    where
        {{ held }}
        and {{ key_hash(key) }} in (select contested.key_hash from contested)
    {#- A row that says it is deleted is the last there is to know of its key. #}
    qualify row_number() over (
        partition by {{ key | join(', ') }}
        order by _known_at desc, _loaded_at desc, _file desc, _row desc
    ) = 1 and not coalesce(_is_deleted, false)
    {%- endif -%}
{%- endmacro %}
