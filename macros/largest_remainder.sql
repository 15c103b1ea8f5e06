{#- Splits `total` over the rows of a partition in proportion to `weight`, without losing or inventing a unit: everyone gets
    the floor of the exact share of |total|, the units left over go to the largest remainders, ties to the first by
    `order_by`, and the sign of `total` comes back last. Each of the three steps is a column of a CTE of its own, since
    what a window orders by is computed again wherever it is written out.

    1. The floor. Double division only proposes the quotient; the exact decimal remainder corrects it. -#}
{% macro share_floor(total, weight, weight_total) -%}
    {%- set units = "abs(cast(" ~ total ~ " as decimal(15, 0)))" -%}
    {%- set part = "cast(coalesce(" ~ weight ~ ", 0) as decimal(21, 9))" -%}
    {%- set whole = "nullif(cast(" ~ weight_total ~ " as decimal(21, 9)), 0)" -%}
    {%- set proposed -%}
        cast(floor(cast({{ units }} * {{ part }} as double) / cast({{ whole }} as double)) as decimal(15, 0))
    {%- endset -%}
    {%- set remainder = "(" ~ units ~ " * " ~ part ~ " - " ~ proposed ~ " * " ~ whole ~ ")" -%}
    cast(
        {{ proposed }}
        + case when {{ remainder }} < 0 then -1 when {{ remainder }} >= {{ whole }} then 1 else 0 end
        as decimal(15, 0)
    )
{%- endmacro %}

{#- 2. What the floor leaves of the exact share, times `weight_total`. -#}
{% macro share_remainder(total, weight, weight_total, floor) -%}
    abs(cast({{ total }} as decimal(15, 0))) * cast(coalesce({{ weight }}, 0) as decimal(21, 9))
    - {{ floor }} * nullif(cast({{ weight_total }} as decimal(21, 9)), 0)
{%- endmacro %}

{#- 3. The share. -#}
{% macro largest_remainder(total, floor, remainder, partition_by, order_by) -%}
    {%- set partition = 'partition by ' ~ partition_by | join(', ') -%}
    cast(
        case when {{ total }} < 0 then -1 else 1 end
        * (
            {{ floor }}
            + case
                when
                    row_number() over ({{ partition }} order by {{ remainder }} desc, {{ order_by | join(', ') }})
                    <= abs(cast({{ total }} as decimal(15, 0))) - sum({{ floor }}) over ({{ partition }})
                    then 1
                else 0
            end
        ) as bigint
    )
{%- endmacro %}
