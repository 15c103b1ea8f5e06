{#- The hashes of keys that more than one row of a relation bears. Ordering all rows to find the last version of each key
    costs three times as much as this; where hashes meet by chance a row more is ordered, never one less. `day`: a date
    within the key; its months are looked at as a whole, with a bit for each day, which takes a fifth of the time.
    `condition`: which rows to look at. -#}
{% macro contested_keys(relation, key, day=none, condition='true') -%}
    select {{ key_hash(key, day) }} as key_hash
    from {{ relation }}
    where {{ condition }}
    group by 1
    having count(*) <> {{ days_counted(day) if day else 1 }}
{%- endmacro %}

{#- On how many days of a month there are rows: a bit for each, since counting distinct ones costs far more. -#}
{% macro days_counted(day) -%}
    {%- set number = 'extract(day from ' ~ day ~ ')' -%}
    bit_count(bit_or({{ 'shiftleft(1L, ' ~ number ~ ')' if target.type == 'spark' else 'cast(1 as bigint) << ' ~ number }}))
{%- endmacro %}

{#- A number that is the same for rows with the same key, or with `day` for all days of a month. -#}
{% macro key_hash(key, day=none) -%}
    {%- set parts = [] -%}
    {%- for column in key -%}
        {%- do parts.append("date_trunc('month', " ~ column ~ ")" if column == day else column) -%}
    {%- endfor -%}
    {{ 'xxhash64' if target.type == 'spark' else 'hash' }}({{ parts | join(', ') }})
{%- endmacro %}
