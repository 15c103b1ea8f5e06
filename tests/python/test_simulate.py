"""The sample company is what the simulator writes, ties across extracts, and is as spoilt as stated."""

import csv
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from warehouse.errors import UsageError
from warehouse.home import PROJECT
from warehouse.simulate import simulate
from warehouse.simulate.calendar import LAST_DAY, MONTHS, month_of
from warehouse.simulate.catalog import FEATURE
from warehouse.simulate.customers import company_block
from warehouse.simulate.parameters import (
    BAD_DATE_RATE,
    CLOUD_DIFFERENCE,
    DUPLICATE_RATE,
    EXPANSION_FACTOR,
    EXPANSION_FEATURE,
    MISSING_MONTH,
    REVENUE_DIFFERENCE,
    UNBALANCED_AMOUNT,
    UNKNOWN_PRODUCT,
    UNRATED_CURRENCY,
)
from warehouse.simulate.sink import contracts

SAMPLE = PROJECT / "sample"
SAMPLE_TRUTH = PROJECT / "sample-truth"
SAMPLE_SEED = 7
OTHER_SEED = 20260723


@dataclass(frozen=True)
class Company:
    """A simulated company, its extracts as views over untyped text, and its truth."""

    seed: int
    out: Path
    truth: Path
    connection: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.connection.execute(query).fetchall()

    def defects(self, rule: str, file: str = "") -> list[dict[str, str]]:
        with (self.truth / "defects.csv").open(encoding="utf-8", newline="") as lines:
            found = [row for row in csv.DictReader(lines) if row["rule"] == rule]
        return [row for row in found if row["file"].startswith(file)]


@pytest.fixture(scope="session", params=[SAMPLE_SEED, OTHER_SEED])
def company(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("company")
    out, truth = folder / "sample", folder / "truth"
    simulate(out, request.param, 1, truth, progress=False)
    with duckdb.connect() as connection:
        for name, (source, columns) in contracts().items():
            # Everything delivered, and apart from it the first delivery with each row once.
            types = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
            connection.execute(
                f"create table all_{name} as select * from read_csv('{out}/{source}/{name}.*csv',"
                f" header = true, columns = {{{types}}}, nullstr = '', filename = 'file')"
            )
            connection.execute(
                f"create view {name} as select distinct * exclude (file) from all_{name}"
                f" where file like '%/{name}.csv'"
            )
        for name in ("chart_of_accounts", "fx_rates"):
            connection.execute(
                f"create view {name} as select * from"
                f" read_csv('{PROJECT}/seeds/core/{name}.csv', all_varchar = true)"
            )
        yield Company(request.param, out, truth, connection)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- what is committed ---


@pytest.mark.parametrize("company", [OTHER_SEED], indirect=True)
def test_another_seed_makes_another_company(company: Company) -> None:
    assert files_of(company.out) != files_of(SAMPLE)


@pytest.mark.parametrize("company", [SAMPLE_SEED], indirect=True)
def test_the_committed_sample_is_what_the_simulator_writes(company: Company) -> None:
    for made, committed in ((company.out, SAMPLE), (company.truth, SAMPLE_TRUTH)):
        ours, theirs = files_of(made), files_of(committed)
        changed = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
        assert not changed, (
            "sample/ is out of date: uv run warehouse simulate --seed 7 --scale 1 --out sample/"
        )


def test_the_sample_is_small_and_complete(company: Company) -> None:
    assert sum(len(content) for content in files_of(company.out).values()) <= 8_000_000
    for name, (source, columns) in contracts().items():
        path = company.out / source / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as lines:
            assert next(csv.reader(lines)) == list(columns), path
        assert company.rows(f"select count(*) from {name}")[0][0] != 0, path


def test_truth_lies_outside_and_no_model_reads_it(company: Company) -> None:
    written = files_of(company.out)
    assert not [name for name in written if "truth" in name or "defect" in name]
    assert {*files_of(company.truth)}.isdisjoint({*written})
    for folder in ("models", "macros", "seeds", "analyses", "tests/dbt"):
        for path in (PROJECT / folder).rglob("*"):
            if path.is_file():
                assert b"sample-truth" not in path.read_bytes(), path


def test_only_a_former_company_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(UsageError, match=r"thesis\.txt"):
        simulate(tmp_path, progress=False)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "dear"


def test_truth_is_never_written_among_the_extracts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="outside"):
        simulate(tmp_path / "sample", truth=tmp_path / "sample" / "truth", progress=False)
    assert not any(tmp_path.rglob("*.csv"))


def test_every_row_says_when_it_became_known(company: Company) -> None:
    for name in contracts():
        unknown, late = company.rows(
            f"select count(*) filter (where recorded_at is null and not regexp_matches(file,"
            f" '\\d{{4}}-\\d\\d-\\d\\d')), count(*) filter (where recorded_at > '2026-10-20 24')"
            f" from all_{name}"
        )[0]
        assert (unknown, late) == (0, 0), name


# --- ties across extracts ---


def test_journals_balance_but_for_the_seeded_one(company: Company) -> None:
    uneven = company.rows(
        "select journal_id, cast(sum(amount::decimal(18, 2)) * 100 as integer) from gl_entries"
        " group by journal_id, currency having sum(amount::decimal(18, 2)) <> 0"
    )
    (seeded,) = company.defects("unbalanced_journal")
    assert uneven == [(seeded["key"], UNBALANCED_AMOUNT)]


def test_the_cloud_account_is_the_bill_but_for_the_seeded_difference(company: Company) -> None:
    uneven = company.rows(
        """
        with bill as (
            select substr(BillingPeriodStart, 1, 7) as month,
                coalesce(json_extract_string(Tags, '$.product'), '') as product_id,
                sum(BilledCost::decimal(28, 10)) as billed
            from all_cloud_costs group by all
        ), posted as (
            select substr(posted_on, 1, 7) as month, coalesce(product_id, '') as product_id,
                sum(amount::decimal(18, 2)) as posted
            from gl_entries where account_id = '5010' group by all
        )
        select month, product_id, cast((coalesce(posted, 0) - coalesce(billed, 0)) * 100 as integer)
        from bill full join posted using (month, product_id)
        where month < '2026-10' and posted is distinct from billed and coalesce(billed, posted) <> 0
        """
    )
    assert uneven == [CLOUD_DIFFERENCE]


def test_payroll_accounts_are_payroll(company: Company) -> None:
    uneven = company.rows(
        """
        with paid as (
            select substr(period_month, 1, 7) as month, cost_center_id,
                sum(base_pay::decimal(18, 2) + bonus::decimal(18, 2) + employer_taxes::decimal(18, 2)
                    + benefits_cost::decimal(18, 2) + tools_cost::decimal(18, 2)
                    + space_cost::decimal(18, 2)) as paid
            from payroll group by all
        ), posted as (
            select substr(posted_on, 1, 7) as month, cost_center_id,
                sum(amount::decimal(18, 2)) as posted
            from gl_entries where account_id in
                (select account_id from chart_of_accounts where detail_source = 'payroll')
            group by all
        )
        select * from paid full join posted using (month, cost_center_id)
        where posted is distinct from paid
        """
    )
    assert uneven == []


RECOGNISED = """
    months as (
        select cast(last_day(range) as date) as month_end
        from range(date '2023-10-01', date '2026-10-01', interval 1 month)
    ), lines as (
        select *, amount::decimal(18, 2) as price, service_start_on::date as first,
            service_end_on::date as last, case currency when 'JPY' then 1 else 100 end as unit
        from invoice_lines
    ), recognised as (
        select month_end, currency,
            sum(case when invoiced_on::date <= month_end then price else 0 end) as billed,
            sum(case
                when last <= month_end then price
                when first > month_end or charge_type = 'one_time' then 0
                else sign(price) * floor(
                    (2 * abs(price) * unit * (month_end - first + 1) + (last - first + 1))
                    / (2 * (last - first + 1))
                ) / unit
            end) as earned
        from lines cross join months group by all
    )
"""


def test_deferred_revenue_is_what_is_billed_and_not_earned(company: Company) -> None:
    uneven = company.rows(
        f"""
        with {RECOGNISED}, posted as (
            select month_end, currency, -sum(amount::decimal(18, 2)) as balance
            from gl_entries, months
            where account_id = '2400' and posted_on::date <= month_end group by all
        )
        select substr(cast(month_end as varchar), 1, 7),
            cast(round((balance - (billed - earned)) * 100) as integer)
        from recognised join posted using (month_end, currency)
        where abs(balance - (billed - earned)) > 0.005 order by 1
        """
    )
    month, _, difference = REVENUE_DIFFERENCE
    assert uneven[0] == (month, -difference)
    assert {row[1] for row in uneven} == {-difference}


def test_receivables_are_what_is_invoiced_and_not_paid(company: Company) -> None:
    uneven = company.rows(
        """
        with invoiced as (
            select currency, sum(amount::decimal(18, 2) + tax_amount::decimal(18, 2)) as invoiced
            from invoice_lines group by all
        ), paid as (
            select currency, sum(amount::decimal(18, 2)) as paid, sum(fee_amount::decimal(18, 2)) as fees
            from payments group by all
        ), posted as (
            select currency,
                sum(case account_id when '1100' then amount::decimal(18, 2) end) as receivable,
                sum(case account_id when '5020' then amount::decimal(18, 2) end) as fees
            from gl_entries group by all
        )
        select * from invoiced join paid using (currency) join posted using (currency)
        where receivable <> invoiced - paid or posted.fees <> paid.fees
        """
    )
    assert uneven == []
    assert company.rows("select 1 from payments anti join invoice_lines using (invoice_id)") == []


def test_suppliers_post_what_they_invoice_and_media_what_it_costs(company: Company) -> None:
    orders = company.rows(
        """
        select account_id, currency from (
            select account_id, po_invoices.currency, sum(invoice_amount::decimal(18, 2)) as invoiced
            from po_invoices
            join (select distinct po_id, line_number, account_id from purchase_orders)
                using (po_id, line_number)
            group by all
        ) full join (
            select account_id, currency, sum(amount::decimal(18, 2)) as posted from gl_entries
            where journal_id like 'AP-%' and account_id > '4' group by all
        ) using (account_id, currency)
        where posted is distinct from invoiced
        """
    )
    assert orders == []
    media = company.rows(
        """
        select month, sum(posted) - coalesce(sum(spent), 0) from (
            select substr(posted_on, 1, 7) as month, currency, sum(amount::decimal(18, 2)) as posted
            from gl_entries where account_id = '6200' group by all
        ) left join (
            select substr(spend_date, 1, 7) as month, currency, sum(amount::decimal(18, 2)) as spent
            from marketing_spend group by all
        ) using (month, currency)
        where posted is distinct from spent group by month
        """
    )
    assert [month for month, _ in media] == [MISSING_MONTH]


def test_time_is_kept_by_people_on_payroll_within_their_practical_hours(company: Company) -> None:
    wrong = company.rows(
        """
        select person_id, month from (
            select person_id, substr(work_date, 1, 7) as month,
                sum(case when activity_type <> 'training' then hours::decimal(12, 2) else 0 end) as worked,
                sum(case when activity_type = 'training' then hours::decimal(12, 2) else 0 end) as trained
            from timesheets group by all
        ) left join (
            select person_id, substr(period_month, 1, 7) as month,
                meeting_hours::decimal(12, 2) as meetings,
                contracted_hours::decimal(12, 2) - leave_hours::decimal(12, 2) - meetings as practical
            from payroll
        ) using (person_id, month)
        where month < '2026-10' and (
            practical is null or worked > practical or worked < practical * 0.8 or trained >= meetings
        )
        """
    )
    assert wrong == []


def test_commitments_are_used_up_at_what_they_cost(company: Company) -> None:
    terms = company.rows(
        """
        select CommitmentDiscountId,
            sum(BilledCost::decimal(28, 10)) filter (where ChargeCategory = 'Purchase') as price,
            sum(EffectiveCost::decimal(28, 10)) filter (where ChargeCategory = 'Usage') as used,
            sum(EffectiveCost::decimal(28, 10)) filter (where ChargeCategory = 'Purchase') as bought
        from all_cloud_costs where CommitmentDiscountId is not null group by 1 order by 1
        """
    )
    assert len(terms) == 4
    assert all(price == used and bought == 0 for _, price, used, bought in terms[:3])
    assert terms[3][2] < terms[3][1]  # type: ignore[operator]


def test_contracts_do_not_overlap_and_are_as_varied_as_promised(company: Company) -> None:
    company.connection.execute(
        """
        create or replace temp table terms as
        select *, lead(valid_from) over (partition by subscription_id order by valid_from) as next_from,
            lead(product_id) over (partition by subscription_id order by valid_from) as next_product
        from (
            select * from subscriptions
            qualify row_number() over (
                partition by subscription_id, valid_from order by recorded_at desc, valid_to nulls last
            ) = 1
        )
        """
    )
    overlaps = (
        "select 1 from terms where valid_to <= valid_from or coalesce(valid_to, '9') > next_from"
    )
    assert company.rows(overlaps) == []
    for fact in (
        "select 1 from terms where discount_rate::double = 1",  # trials
        "select 1 from terms where valid_to < next_from",  # pauses
        "select 1 from terms where next_product <> product_id",  # product moves
        "select 1 from terms semi join all_features on plan_id = feature_id",  # add-ons
        "select customer_id from terms group by 1 having count(distinct product_id) > 1",
        "select subscription_id from terms group by 1 having count(distinct unit_price) > 1",
        "select subscription_id from terms group by 1 having count(distinct plan_id) > 1",
    ):
        assert company.rows(fact), fact
    assert company.rows("select count(distinct currency) from terms") == [(4,)]
    intervals = company.rows("select distinct billing_interval_months::int from terms order by 1")
    assert [i for (i,) in intervals] == [1, 3, 6, 12, 24]
    charges = company.rows("select count(distinct charge_type) from invoice_lines")
    assert charges == [(5,)]


def test_only_customers_under_contract_use_features(company: Company) -> None:
    strangers = company.rows(
        """
        with released as (
            select distinct feature_id, product_id, is_add_on from features where released_on is not null
        ), used as (
            select usage_date, customer_id, feature_id, product_id, is_add_on
            from feature_usage left join released using (feature_id)
        )
        select used.* from used anti join subscriptions as held
            on held.customer_id = used.customer_id
            and valid_from <= usage_date
            and coalesce(valid_to, '9') > substr(usage_date, 1, 7)
            and case is_add_on when 'true' then plan_id = feature_id
                else held.product_id = used.product_id end
        """
    )
    assert strangers == []


def test_periods_close_after_their_own_entries(company: Company) -> None:
    late = sorted(row["key"] for row in company.defects("late_correction"))
    stamped = "select distinct journal_id from all_gl_entries where recorded_at is null order by 1"
    assert [journal for (journal,) in company.rows(stamped)] == late
    assert late
    # Whatever the period, the 15th of its month lies in it; entries carry that month's date.
    after_close = company.rows(
        """
        with months as (
            select substr(fiscal_period, 1, 4) || '-' || substr(fiscal_period, 7, 2) as month,
                min(closed_at) as closed_at
            from period_closes group by all
        )
        select journal_id from gl_entries join months on substr(posted_on, 1, 7) = month
        where recorded_at > closed_at and adjustment_id is null
        """
    )
    assert after_close == []
    assert company.rows("select count(*) from period_closes") == [(72,)]


def test_the_company_is_plausible(company: Company) -> None:
    years = company.rows(
        """
        select substr(posted_on, 1, 4) as year,
            sum(case when account_id < '5' then -usd end) as revenue,
            sum(case when account_id between '5000' and '5999' then usd end) as cost_of_revenue,
            sum(case when account_id > '4' then -usd end) as profit
        from (
            select *, amount::double * coalesce(average_rate::double, 1) as usd
            from gl_entries left join fx_rates
                on currency = from_currency and substr(posted_on, 1, 7) = substr(rate_month, 1, 7)
            where currency <> 'CHF'
        )
        where account_id > '4' and posted_on between '2024' and '2026-10' group by 1 order by 1
        """
    )
    revenue = [float(str(row[1])) for row in years]
    assert 8e6 < revenue[0] < revenue[1] < 25e6
    for _, earned, cost, profit in years:
        assert 0.68 < 1 - float(str(cost)) / float(str(earned)) < 0.88
        assert abs(float(str(profit))) < 0.25 * float(str(earned))


# --- seeded defects ---


@pytest.mark.parametrize("extract", sorted(DUPLICATE_RATE))
def test_duplicates_are_as_many_as_listed(company: Company, extract: str) -> None:
    (extra,) = company.rows(
        f"select count(*) - (select count(*) from (select distinct * from all_{extract}))"
        f" from all_{extract}"
    )[0]
    assert extra == len(company.defects("duplicate_row", extract)) > 0


@pytest.mark.parametrize("extract", sorted(BAD_DATE_RATE))
def test_unreadable_dates_are_as_many_as_listed(company: Company, extract: str) -> None:
    column = {"support_tickets": "opened_at", "survey_responses": "responded_on"}.get(
        extract, "occurred_at"
    )
    unreadable = company.rows(
        f"select * from {extract} where try_cast({column} as timestamp) is null order by 1"
    )
    listed = sorted(row["key"] for row in company.defects("unreadable_date", extract))
    assert [row[0] for row in unreadable] == listed
    assert listed


@pytest.mark.parametrize("extract", ["invoice_lines", "support_tickets", "timesheets"])
def test_unknown_products_are_as_many_as_listed(company: Company, extract: str) -> None:
    (count,) = company.rows(
        f"select count(*) from all_{extract} where product_id = '{UNKNOWN_PRODUCT}'"
    )[0]
    assert count == len(company.defects("unknown_product", extract)) > 0


def test_self_approvals_are_those_listed(company: Company) -> None:
    own = company.rows(
        """
        select distinct journal_id from gl_entries where posted_by = approved_by
        union all
        select concat_ws('/', budget_version, fiscal_period, cost_center_id, account_id,
            coalesce(product_id, ''), coalesce(initiative_id, ''))
        from budget_lines where prepared_by = approved_by
        union all select po_id from purchase_orders where requested_by = approved_by
        union all select initiative_id from initiatives where owner = approved_by
        union all select benefit_id from benefits where owner = confirmed_by
        """
    )
    listed = sorted(row["key"] for row in company.defects("self_approval"))
    assert sorted(str(key) for (key,) in own) == listed


def test_locked_budget_lines_change_only_where_listed(company: Company) -> None:
    changed = company.rows(
        """
        select concat_ws('/', budget_version, fiscal_period, cost_center_id, account_id,
            coalesce(product_id, ''), coalesce(initiative_id, ''))
        from budget_lines where recorded_at > locked_at
        """
    )
    listed = sorted(row["key"] for row in company.defects("budget_changed_after_lock"))
    assert sorted(str(key) for (key,) in changed) == listed


def test_one_currency_has_no_rate_and_one_month_is_missing(company: Company) -> None:
    unrated = company.rows(
        "select distinct currency from (select currency from gl_entries union select currency"
        " from marketing_spend union select currency from invoice_lines) where currency <> 'USD'"
        " and currency not in (select from_currency from fx_rates)"
    )
    assert unrated == [(UNRATED_CURRENCY,)]
    months = company.rows("select distinct substr(spend_date, 1, 7) from marketing_spend")
    assert len(months) == 36
    assert (MISSING_MONTH,) not in months


# --- truth ---


def test_parameters_and_effects_are_written_down(company: Company) -> None:
    stated = json.loads((company.truth / "parameters.json").read_text(encoding="utf-8"))
    assert stated["SEED"] == company.seed
    assert stated["DUPLICATE_RATE"] == DUPLICATE_RATE
    with (company.truth / "channel_effects.csv").open(encoding="utf-8", newline="") as lines:
        effects = {row["channel"]: float(row["incremental_share"]) for row in csv.DictReader(lines)}
    assert effects["direct"] == 0
    assert effects["partner"] > effects["paid_search"] > 0
    assert sum(effects.values()) < 1


def test_experiments_show_their_true_effect(company: Company) -> None:
    for experiment, effect in (("X1", 6.0), ("X2", 2.5), ("X3", 4.0), ("X4", 0.0)):
        ((estimate, error),) = company.rows(
            f"""
            select avg(y) filter (where variant = 'treatment') - avg(y) filter (where variant = 'control'),
                sqrt(var_samp(y) filter (where variant = 'treatment')
                    / count(*) filter (where variant = 'treatment')
                    + var_samp(y) filter (where variant = 'control')
                    / count(*) filter (where variant = 'control'))
            from (
                select variant, outcome_value::double - pre_value::double as y from experiments
                where experiment_id = '{experiment}' and pre_value is not null
            )
            """
        )
        assert abs(float(str(estimate)) - effect) < 3.5 * float(str(error))


def test_the_planted_feature_drives_expansion_and_low_engagement_churn() -> None:
    product = FEATURE[EXPANSION_FEATURE].product_id
    months, grown = [0, 0], [0, 0]
    left, all_customers = [], []
    for customer in (c for block in range(4) for c in company_block(SAMPLE_SEED, block)):
        left += [customer.engagement[min(MONTHS - 1, month_of(on))] for on in customer.ended]
        all_customers.append(customer.engagement.mean())
        terms = [term for term in customer.terms if term.plan.startswith(f"{product}-")]
        for term in terms:
            for month in range(
                max(0, month_of(term.valid_from)), month_of(term.valid_to or LAST_DAY)
            ):
                months[customer.uses(EXPANSION_FEATURE, month)] += 1
        for before, after in itertools.pairwise(terms):
            if before.subscription == after.subscription and after.quantity > before.quantity:
                grown[customer.uses(EXPANSION_FEATURE, month_of(after.valid_from))] += 1
    without, using = (g / m for g, m in zip(grown, months, strict=True))
    assert EXPANSION_FACTOR * 0.7 < using / without < EXPANSION_FACTOR * 1.4
    assert sum(left) / len(left) < sum(all_customers) / len(all_customers) - 0.15


def test_benefits_are_confirmed_around_the_truth(company: Company) -> None:
    company.connection.execute(
        f"create or replace temp view truth as select * from read_csv('{company.truth}/initiatives.csv')"
    )
    ratios = company.rows(
        """
        select benefits.initiative_id,
            sum(realised_amount::double * attribution_share::double) / sum(benefit_usd) as ratio
        from benefits join truth
            on benefits.initiative_id = truth.initiative_id
            and benefits.period_month::date = truth.period_month
        where realised_amount is not null and evidence_grade in ('A', 'B', 'C') group by all
        """
    )
    assert len(ratios) > 10
    assert all(0.7 < float(str(ratio)) < 1.3 for _, ratio in ratios)
    shares = company.rows(
        """
        select 1 from (select distinct benefit_id, period_month, kpi_id, segment, attribution_share
            from benefits) group by kpi_id, segment, period_month
        having sum(attribution_share::double) > 1.000001
        """
    )
    assert shares == []


# --- a large company ---


@pytest.mark.parametrize("company", [SAMPLE_SEED], indirect=True)
def test_a_large_company_has_the_same_books_in_detail(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Daily usage and a journal per invoice add up to what the summary says, in typed Parquet."""
    monkeypatch.setattr("warehouse.simulate.DETAIL_SCALE", 1)
    out = tmp_path / "large"
    rows = simulate(out, SAMPLE_SEED, 1, progress=False)
    assert rows["feature_usage"] >= 950_000
    assert rows["gl_entries"] >= 100_000
    assert rows["touchpoints"] >= 50_000
    assert not list(out.rglob("*.csv"))
    for name, (source, columns) in contracts().items():
        found = company.rows(
            f"describe select * from read_parquet('{out}/{source}/{name}.*parquet')"
        )
        assert [column for column, *_ in found] == list(columns), name
    journals = f"'{out}/cost/gl_entries.parquet'"
    uneven = company.rows(
        f"select journal_id from {journals} group by journal_id, currency having sum(amount) <> 0"
    )
    assert len(uneven) == 1
    different = company.rows(
        f"""
        with detail as (
            select account_id, substr(cast(posted_on as varchar), 1, 7) as month, currency,
                coalesce(product_id, '') as product_id, sum(amount) as detailed
            from {journals} where account_id > '4' group by all
        ), summary as (
            select account_id, substr(posted_on, 1, 7) as month, currency,
                coalesce(product_id, '') as product_id, sum(amount::decimal(18, 2)) as summed
            from gl_entries where account_id > '4' group by all
        )
        select * from detail full join summary using (account_id, month, currency, product_id)
        where coalesce(detailed, 0) <> coalesce(summed, 0)
            and account_id < '5' and month < '2026-10'
        """
    )
    assert different == []
    monthly = company.rows("select sum(event_count::bigint) from feature_usage")[0][0]
    daily = company.rows(
        f"select sum(event_count) from read_parquet('{out}/product/feature_usage.*parquet')"
    )[0][0]
    assert abs(float(str(daily)) / float(str(monthly)) - 1) < 0.01
