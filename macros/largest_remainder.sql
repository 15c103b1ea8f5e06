{#- The integer share of one row when `total` is split over its partition in proportion to `weight`, without
    losing or inventing a unit: everyone gets the floor of the exact share of |total|, the units left over go
    to the largest remainders, ties to the first by `order_by`, and the sign of `total` comes back last.
    Double division only proposes the quotient; the exact decimal remainder corrects it. -#}
{% macro largest_remainder(total, weight, weight_total, partition_by, order_by) -%}
    {%- set units = "abs(cast(" ~ total ~ " as decimal(15, 0)))" -%}
    {%- set part = "cast(coalesce(" ~ weight ~ ", 0) as decimal(21, 9))" -%}
    {%- set whole = "nullif(cast(" ~ weight_total ~ " as decimal(21, 9)), 0)" -%}
    {%- set proposed -%}
        cast(floor(cast({{ units }} * {{ part }} as double) / cast({{ whole }} as double)) as decimal(15, 0))
    {%- endset -%}
    {%- set remainder = "(" ~ units ~ " * " ~ part ~ " - " ~ proposed ~ " * " ~ whole ~ ")" -%}
    {%- set correction = "case when " ~ remainder ~ " < 0 then -1 when " ~ remainder ~ " >= " ~ whole ~ " then 1 else 0 end" -%}
    {%- set share_floor = "(" ~ proposed ~ " + " ~ correction ~ ")" -%}
    {%- set fraction = "(" ~ units ~ " * " ~ part ~ " - cast(" ~ share_floor ~ " as decimal(15, 0)) * " ~ whole ~ ")" -%}
    cast(
        case when {{ total }} < 0 then -1 else 1 end
        * (
            {{ share_floor }}
            + case
                when
                    row_number() over (
                        partition by {{ partition_by | join(', ') }}
                        order by {{ fraction }} desc, {{ order_by | join(', ') }}
                    )
                    <= {{ units }} - sum({{ share_floor }}) over (partition by {{ partition_by | join(', ') }})
                    then 1
                else 0
            end
        ) as bigint
    )
{%- endmacro %}
