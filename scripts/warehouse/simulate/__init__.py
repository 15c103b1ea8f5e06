"""Simulates a company and writes every extract of the contract, with its truth kept apart.

Deterministic to the byte for a seed, a scale and a format. Customers are simulated in blocks of 400
and written as they come, so that memory does not grow with the scale.
"""

import shutil
from pathlib import Path
from typing import Never

from tqdm import tqdm

from warehouse.errors import UsageError

from .budget import Budgets, labour_standard_rows, period_close_rows, revenue_budget_rows
from .calendar import MONTHS, month_rates
from .catalog import PRODUCT_IDS
from .cloud import CloudBill, first_daily_day
from .company import customer_rows, invoice_rows, payment_rows, subscription_rows
from .customers import company_block
from .defects import Defect, Spoiler
from .drivers import Drivers
from .investment import Investments, initiative_rows, products_and_features
from .ledger import Ledger, SalesBook
from .marketing import Journeys, spend
from .parameters import (
    BROKEN_EXPERIMENT,
    MISSING_EXTRACT,
    MISSING_MONTH,
    UNRATED_CURRENCY,
    UNRATED_DAY,
)
from .people import Workforce
from .procurement import Procurement
from .sink import Sink, contracts
from .truth import Truth
from .usage import (
    CustomerUsage,
    DailyUsage,
    experiment_rows,
    monthly_usage_rows,
    tickets_and_surveys,
)

DETAIL_SCALE = 10  # from here on: daily usage, a journal per invoice, Parquet


def simulate(
    out: Path,
    seed: int = 7,
    scale: int = 1,
    truth: Path | None = None,
    file_format: str | None = None,
    progress: bool = True,
) -> dict[str, int]:
    """Write the extracts of a company of 400 x `scale` customers below `out`; return rows by extract.

    `truth` defaults to a folder beside `out`; `file_format` to csv, and to parquet from scale 10.
    """
    detail = scale >= DETAIL_SCALE
    chosen = file_format or ("parquet" if detail else "csv")
    beside = truth or out.with_name(f"{out.name}-truth")
    if scale < 1:
        raise UsageError(f"--scale must be 1 or more, not {scale}.")
    if beside.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"The truth must lie outside {out}; name another folder with --truth.")
    _clear(out)
    defects: list[Defect] = []
    with (
        Sink(out, chosen) as sink,
        tqdm(total=scale + MONTHS, unit="step", disable=not progress) as bar,
    ):
        spoiler = Spoiler(seed, sink, chosen == "parquet")
        bar.set_description("customers")
        book, journeys = _customers(seed, scale, detail, sink, spoiler, bar)
        sales = book.sales

        bar.set_description("people")
        workforce = Workforce(seed, scale)
        for month in range(MONTHS):
            payroll, timesheets = workforce.month(month)
            sink.add("payroll", payroll)
            spoiler.add("timesheets", timesheets)
            bar.update()

        bar.set_description("company")
        labour = workforce.labour
        bill = CloudBill(seed, scale, sales.events, first_daily_day(scale))
        bill.write(sink)
        procurement = Procurement(seed, scale)
        sink.add("purchase_orders", procurement.orders)
        sink.add("po_invoices", procurement.invoice_rows())
        spend_rows, spend_sums = spend(seed, scale)
        sink.add("marketing_spend", spend_rows)
        ledger = Ledger(seed, scale, sales, detail)
        ledger.post(sink, labour, bill, spend_sums, procurement.invoices)
        drivers = Drivers(seed, sales, labour, bill)
        sink.add("usage_drivers", drivers.rows())
        for extract, rows in zip(("products", "features"), products_and_features(), strict=True):
            sink.add(extract, rows)
        for extract, rows in zip(("initiatives", "milestones"), initiative_rows(), strict=True):
            sink.add(extract, rows)
        investments = Investments(seed, scale, labour, procurement.invoices, bill.saved)
        sink.add("business_cases", investments.case_rows())
        sink.add("benefits", investments.benefit_rows())
        budgets = Budgets(seed, scale, ledger.actual)
        sink.add("budget_lines", budgets.rows())
        sink.add("revenue_budgets", revenue_budget_rows(seed, sales))
        sink.add("labour_standards", labour_standard_rows(seed, labour))
        sink.add("variance_explanations", budgets.explanations())
        sink.add("period_closes", period_close_rows())

        defects += [*spoiler.defects, *ledger.defects, *budgets.defects, *investments.defects]
        conference = f"{UNRATED_DAY}/webinar/zurich-summit"
        defects.append(("missing_exchange_rate", "marketing_spend", conference, UNRATED_CURRENCY))
        defects.append(
            ("missing_month", MISSING_EXTRACT, MISSING_MONTH, "spent and posted, but not delivered")
        )
        defects.append(
            (
                "sample_ratio_mismatch",
                "experiments",
                BROKEN_EXPERIMENT,
                "part of the treatment group lost",
            )
        )
        kept = Truth(beside)
        kept.parameters(seed, scale)
        kept.defects(defects)
        kept.channels(journeys)
        kept.investments(investments)
        kept.costs(drivers, bill)
        bar.set_description("files")
    return sink.rows


def _clear(out: Path) -> None:
    """Remove an earlier company, and nothing else."""
    sources = {source for source, _ in contracts().values()}
    others = sorted(p.name for p in out.iterdir() if p.name not in sources) if out.is_dir() else []
    if others:
        raise UsageError(
            f"{out} holds {others[0]}, which no simulation wrote; name another folder."
        )
    for source in sources:
        shutil.rmtree(out / source, ignore_errors=True)


def _customers(
    seed: int, scale: int, detail: bool, sink: Sink, spoiler: Spoiler, bar: "tqdm[Never]"
) -> tuple[SalesBook, Journeys]:
    book = SalesBook(sink, detail)
    journeys = Journeys(seed, 48 if detail else 4)
    daily = DailyUsage(seed, sink) if detail else None
    rates = month_rates()
    for block in range(scale):
        customers = company_block(seed, block)
        pairs = [(customer, CustomerUsage(seed, customer)) for customer in customers]
        for customer, usage in pairs:
            customer.add_usage_lines(usage.by_product, usage.seats)
            customer.settle()
            book.add(customer)
            for index, product in enumerate(PRODUCT_IDS):
                if product in usage.seats:
                    book.sales.seats[:, index] += usage.seats[product]
                if product in usage.by_product:
                    book.sales.events[:, index] += usage.by_product[product]
        sink.add("customers", customer_rows(customers))
        sink.add("subscriptions", subscription_rows(customers))
        spoiler.add("invoice_lines", invoice_rows(customers))
        spoiler.add("payments", payment_rows(customers))
        touches, conversions = journeys.block(block, customers, rates)
        spoiler.add("touchpoints", touches)
        sink.add("conversions", conversions)
        if daily:
            daily.add(block, pairs)
        else:
            spoiler.add("feature_usage", monthly_usage_rows(pairs))
        tickets, surveys, _ = tickets_and_surveys(seed, block, pairs)
        spoiler.add("support_tickets", tickets)
        spoiler.add("survey_responses", surveys)
        sink.add("experiments", experiment_rows(seed, block, pairs))
        bar.update()
    if daily:
        daily.flush()
    return book, journeys


__all__ = ["DETAIL_SCALE", "simulate"]
