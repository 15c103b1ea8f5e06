"""Returns of many initiatives: every measure of every version, from business cases on."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from warehouse import contract
from warehouse.bench import Figure, Part, build_models
from warehouse.home import Home
from warehouse.ingest import write_contracts
from warehouse.sql import literal, scalar

TARGETS = ("rpt_initiative_returns",)
# From months of cash flow to every measure.
RETURN_MODELS = (
    "int_return_flows_pooled",
    "int_return_flows_weighted",
    "int_return_sets_defined",
    "int_return_roots_solved",
    "int_return_measures_computed",
    "rpt_initiative_returns",
)


def run(folder: Path, sizes: Mapping[str, int]) -> list[Figure]:
    """Build the returns of made-up business cases."""
    write_contracts(Home(folder), contract.load())
    write_cases(folder, sizes["initiatives"], sizes["months"])
    process, seconds = build_models(folder, TARGETS)
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as connection:
        return [
            *_size(connection),
            *(Figure(name, spent, "s") for name, spent in seconds.items() if spent >= 0.1),
            Figure("returns from cash flows", sum(seconds[name] for name in RETURN_MODELS), "s"),
            Figure("all models", sum(seconds.values()), "s"),
            Figure("all models, with dbt", process.seconds, "s"),
            Figure("all models, with dbt, processor", process.processor_seconds, "s"),
            Figure("all models, peak memory", process.peak_gigabytes, "GB"),
        ]


def write_cases(folder: Path, initiatives: int, months: int) -> None:
    """Proposed initiatives as accepted Parquet, the same on every machine.

    A tenth of the time they are built, then they earn and cost. One in ten is rebuilt half-way and
    taken down at the end, so that its flows change sign several times.
    """
    gate = """
        'benchmark' as _file, row_number() over () + 1 as _row, cast(null as varchar) as _extra,
        timestamp '2026-01-01' as _known_at, timestamp '2026-01-01' as _loaded_at
    """
    extracts = {
        "initiatives": f"""
            select
                'I' || number as initiative_id,
                'Initiative ' || number as initiative_name,
                'growth' as initiative_type,
                'proposed' as status,
                cast(0.05 + (hash(number, 1) % 100) / 1000 as decimal(9, 6)) as discount_rate,
                36 as useful_life_months,
                {gate}
            from range($initiatives) as numbers (number)
        """,
        "business_cases": f"""
            with months as (
                select
                    number,
                    month,
                    month < $months / 10 as is_build,
                    hash(number, 3) % 10 = 0 and month in ($months / 2, $months - 1) as is_again,
                    1 + (hash(number, month, 2) % 1000) / 1e3 as size
                from range($initiatives) as numbers (number), range($months) as months (month)
            )
            select
                'I' || number as initiative_id,
                'original' as case_version,
                cast(date '2026-02-01' + cast(month as integer) * interval 1 month as date) as period_month,
                case when is_build or is_again then 'vendor' else 'revenue_margin' end as flow_class,
                case when is_build or is_again then 'cost' else 'benefit' end as flow_type,
                cast(
                    case when is_again then 200000 when is_build then 10000 else 1500 end * size
                    as decimal(18, 2)
                ) as amount,
                'USD' as currency,
                timestamp '2025-12-01' as locked_at,
                'board' as approved_by,
                {gate}
            from months
        """,
    }
    with duckdb.connect() as connection:
        for extract, query in extracts.items():
            path = folder / "raw" / "product" / extract / "benchmark.parquet"
            given = {"initiatives": initiatives, "months": months}
            used = {name: value for name, value in given.items() if f"${name}" in query}
            connection.execute(f"copy ({query}) to {literal(str(path))} (format parquet)", used)


def _size(connection: duckdb.DuckDBPyConnection) -> list[Figure]:
    counts = {
        "months of cash flow": "select count(*) from marts.fct_initiative_cash_flows",
        "returns, of initiatives and versions": "select count(*) from marts.rpt_initiative_returns",
        "returns with a unique rate": """
            select count(irr_rate) from marts.rpt_initiative_returns
        """,
        "rates at which the flows are not worth nothing": """
            with discounted as (
                select
                    sum(flows.net_amount / pow(
                        1 + returns.irr_rate,
                        datediff('month', returns.first_flow_on, flows.month_date)
                    )) as balance,
                    sum(abs(flows.net_amount) / pow(
                        1 + returns.irr_rate,
                        datediff('month', returns.first_flow_on, flows.month_date)
                    )) as turnover
                from marts.rpt_initiative_returns as returns
                inner join marts.fct_initiative_cash_flows as flows
                    using (initiative_id, case_version)
                where returns.irr_rate is not null
                group by initiative_id, case_version
            )
            select count(*) from discounted where abs(balance) > 1e-9 * turnover
        """,
    }
    return [Figure(name, scalar(connection, query), "") for name, query in counts.items()]


PART = Part(
    name="returns",
    description="every measure of return of many initiatives over many months",
    run=run,
    sizes={"initiatives": 10_000, "months": 120},
)
