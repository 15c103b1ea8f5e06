"""A world of 40 investments: 26 initiatives, 6 products and 8 channels, what is seen of them, and what is true.

Two years of months; returns are judged on the last day of the second. True cost is what work,
cloud and pools were consumed for an investment; true benefit is the contribution that would not have
come without it.
"""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.study import ranges

MONTHS = 24
FIRST = pd.Timestamp("2024-01-01")
# Products are judged on their last twelve months.
PRODUCTS_FROM = pd.Timestamp("2025-01-01")
LAST_MONTH = pd.Timestamp("2025-12-01")
PRODUCTS = tuple(f"P{number}" for number in range(1, 7))
INITIATIVES = tuple(f"I{number:02d}" for number in range(1, 27))
CHANNELS = ("paid_search", "paid_social", "webinar", "partner", "display", "email", "organic_search", "outbound")  # fmt: skip
TOUCHED = (*CHANNELS, "direct")
# Channels a buyer's own intent leads to.
SEARCHED = ("paid_search", "organic_search", "direct")
CONTRACTED_HOURS = 168.0
_STARTS = pd.date_range(FIRST, periods=MONTHS, freq="MS")
_TEAM = 14
_PAY = 11_000.0
_POOLS = ("CC120", "CC130", "CC200")
# Fewer people than this make no group whose average may be shown.
_STAFF_LEAST, _STAFF_LIMIT = 5, 15

# Account, cost center, product, initiative, month, amount.
Bill = tuple[str, str, int | None, str | None, int, float]


@dataclass(frozen=True)
class World:
    """What an observer sees (staging rows, policies), and apart from it the truth."""

    kind: str
    parameters: dict[str, float]
    extracts: dict[str, pd.DataFrame]
    seeds: dict[str, pd.DataFrame]
    areas: pd.DataFrame
    # Return and weight of `initiative|…`, `product|…`, `channel|…`.
    true_return: dict[str, float]
    investment: dict[str, float]
    # Share of the conversions channels caused, by channel.
    true_shares: dict[str, float]


def generate(seed: int, number: int) -> World:
    """World `number` of a study."""
    kind = ranges.kind_of(number)
    rng = np.random.default_rng([seed, number, 1])
    parameters = ranges.draw(ranges.RETURNS, ranges.RETURNS_FIXED[kind], rng)
    return _Builder(kind, parameters, rng).world()


class _Builder:
    def __init__(self, kind: str, parameters: dict[str, float], rng: np.random.Generator) -> None:
        self.kind = kind
        self.is_noise = kind == "noise"
        self.p = parameters
        self.rng = rng
        count = len(INITIATIVES)
        self.product_of = np.arange(count) % len(PRODUCTS)
        self.start = rng.integers(0, 6, count)
        self.ready = self.start + rng.integers(3, 8, count)  # month index, before month 13
        self.size = np.exp(rng.normal(0.0, 0.5, len(PRODUCTS)))
        self.extracts: dict[str, pd.DataFrame] = {}
        self.seeds: dict[str, pd.DataFrame] = {}
        self.ledger: list[Bill] = []
        shape = (len(PRODUCTS), MONTHS)
        # True cost of products per month, by part.
        self.labour = np.zeros(shape)
        self.cloud = np.zeros(shape)
        self.bills = np.zeros(shape)
        self.pools = np.zeros(shape)
        self.cost_to_serve_pools = np.zeros(shape)
        self.initiative_cost = np.zeros(count)

    def world(self) -> World:
        """Everything, in an order in which each part knows what it stands on."""
        self._master_data()
        self._people()
        self._contractors()
        self._revenue()
        self._tools()
        self._cloud()
        self._pools()
        self._benefits()
        self._channels()
        self._ledger()
        year = slice(MONTHS - 12, MONTHS)
        product_cost = (self.labour + self.cloud + self.bills + self.pools)[:, year].sum(axis=1)
        product_revenue = self.revenue[:, year].sum(axis=1)
        true_return = {
            **{f"initiative|{name}": float(self.true_benefit[i] / self.initiative_cost[i] - 1) for i, name in enumerate(INITIATIVES)},
            **{f"product|{name}": float(product_revenue[i] / product_cost[i] - 1) for i, name in enumerate(PRODUCTS)},
            **{f"channel|{name}": float(self.channel_gain[i] / self.spend[i] - 1) for i, name in enumerate(CHANNELS)},
        }  # fmt: skip
        investment = {
            **{f"initiative|{name}": float(self.initiative_cost[i]) for i, name in enumerate(INITIATIVES)},
            **{f"product|{name}": float(product_cost[i]) for i, name in enumerate(PRODUCTS)},
            **{f"channel|{name}": float(self.spend[i]) for i, name in enumerate(CHANNELS)},
        }  # fmt: skip
        total = self.caused_conversions.sum()
        shares = {c: float(self.caused_conversions[i] / total) for i, c in enumerate(TOUCHED)}
        return World(
            self.kind,
            self.p,
            self.extracts,
            self.seeds,
            self.areas,
            true_return,
            investment,
            shares,
        )

    def _master_data(self) -> None:
        self.extracts["stg_product__products"] = pd.DataFrame(
            {"product_id": PRODUCTS, "product_name": PRODUCTS, "launched_on": pd.Timestamp("2020-01-01"), "known_at": FIRST}
        )  # fmt: skip
        self.extracts["stg_product__initiatives"] = pd.DataFrame(
            {
                "initiative_id": INITIATIVES,
                "product_id": [PRODUCTS[i] for i in self.product_of],
                "initiative_type": "growth",
                "status": "live",
                "owner": "owner",
                "approved_on": FIRST - pd.Timedelta(days=30),
                "planned_start_on": [_STARTS[m] for m in self.start],
                "planned_end_on": [_STARTS[m] + pd.Timedelta(days=14) for m in self.ready],
                "started_on": [_STARTS[m] for m in self.start],
                "ready_for_use_on": [_STARTS[m] + pd.Timedelta(days=14) for m in self.ready],
                "discount_rate": 0.1,
                "known_at": FIRST,
            }
        )
        closes = [
            {"entity_id": entity, "fiscal_period": f"{start.year}-P{start.month:02d}", "closed_at": start + pd.DateOffset(months=1, days=7), "known_at": start + pd.DateOffset(months=1, days=7)}
            for entity in ("EU01", "US01")
            for start in _STARTS
        ]  # fmt: skip
        self.extracts["stg_budget__period_closes"] = pd.DataFrame(closes)

    def _people(self) -> None:
        """Two teams that keep time; what an hour for work costs differs by person and place."""
        rng, p = self.rng, self.p
        teams = ("CC100",) * _TEAM + ("CC110",) * _TEAM
        people = len(teams)
        roles = np.array(["engineer", "designer"])[
            (np.arange(people) % _TEAM >= _TEAM // 2).astype(int)
        ]
        level = np.where(np.array(teams) == "CC100", 1.0, p["location_ratio"])
        pay = _PAY * level * np.exp(rng.normal(0.0, p["pay_spread"], people))
        if p["pay_spread"] == 0.0:
            pay = np.full(people, _PAY)
        away = np.clip(rng.normal(p["unavailable"], 0.03, people), 0.0, 0.6)
        if p["unavailable"] == 0.0:
            away = np.zeros(people)
        practical = CONTRACTED_HOURS * (1 - away)
        hourly = pay / practical
        recorded_pay, recorded_away = pay, away
        if self.is_noise:
            # The total of pay stays known; who gets it and who is there is made up.
            recorded_pay = pay * np.exp(rng.normal(0.0, 0.5, people))
            recorded_pay = recorded_pay * pay.sum() / recorded_pay.sum()
            recorded_away = rng.uniform(0.0, 0.5, people)
        frame = pd.DataFrame(
            {
                "person_id": np.repeat([f"E{n:03d}" for n in range(people)], MONTHS),
                "period_month": np.tile(_STARTS, people),
                "cost_center_id": np.repeat(teams, MONTHS),
                "role": np.repeat(roles, MONTHS),
                "base_pay": np.repeat(recorded_pay.round(2), MONTHS),
                "leave_hours": np.repeat((CONTRACTED_HOURS * recorded_away).round(2), MONTHS),
            }
        )
        self._payroll = [frame]
        # Everyone works on one initiative being built, else on a product, four fifths to all of the time.
        sheets = []
        for month in range(MONTHS):
            building = np.flatnonzero((self.start <= month) & (month <= self.ready))
            busy = rng.uniform(0.8, 1.0, people)
            for person in range(people):
                true_hours = practical[person] * busy[person]
                parts: list[tuple[int, int | None, float]] = []
                if len(building) and rng.random() < 0.75:
                    chosen = rng.choice(building, size=min(2, len(building)), replace=False)
                    parts += [(int(self.product_of[i]), int(i), 0.8 / len(chosen)) for i in chosen]
                rest = 1.0 - sum(part[2] for part in parts)
                product = int(rng.choice(len(PRODUCTS), p=self.size / self.size.sum()))
                parts.append((product, None, rest))
                for index, initiative, share in parts:
                    worked = true_hours * share
                    logged = worked * float(np.exp(rng.normal(0.0, p["logging_noise"])))
                    cost = worked * hourly[person]
                    self.labour[index, month] += cost
                    if initiative is not None:
                        self.initiative_cost[initiative] += cost
                    sheets.append((person, month, index, initiative, round(logged, 2)))
        self.extracts["stg_cost__timesheets"] = pd.DataFrame(
            {
                "entry_id": [f"W{n:06d}" for n in range(len(sheets))],
                "person_id": [f"E{row[0]:03d}" for row in sheets],
                "work_date": [_STARTS[row[1]] + pd.Timedelta(days=14) for row in sheets],
                "product_id": [PRODUCTS[row[2]] for row in sheets],
                "initiative_id": [
                    None if row[3] is None else INITIATIVES[row[3]] for row in sheets
                ],
                "activity_type": "development",
                "hours": [row[4] for row in sheets],
            }
        )

    def _contractors(self) -> None:
        """Suppliers of initiatives, as billed: all methods see the same."""
        rng = self.rng
        bills: list[Bill] = []
        for index in range(len(INITIATIVES)):
            product = int(self.product_of[index])
            monthly = round(float(rng.uniform(2_000, 15_000)), 2)
            for month in range(int(self.start[index]), int(self.ready[index]) + 1):
                bills.append(("6110", "CC100", product, INITIATIVES[index], month, monthly))
                self.bills[product, month] += monthly
                self.initiative_cost[index] += monthly
        overhead = self.p["initiative_overhead"] * rng.uniform(0.5, 1.5, len(INITIATIVES))
        self.initiative_cost *= 1 + overhead
        self.ledger += bills

    def _tools(self) -> None:
        """Tools and services of a product, as billed; they bring direct cost to a third of revenue or more."""
        rng, p = self.rng, self.p
        bills: list[Bill] = []
        for product in range(len(PRODUCTS)):
            direct = float(self.revenue[product].mean()) / rng.uniform(1.1, 3.0)
            known = float((self.labour[product] + self.bills[product]).mean())
            monthly = max(direct * (1 - p["cloud_share"]) - known, 0.02 * direct)
            for month in range(MONTHS):
                amount = round(monthly, 2)
                bills.append(("6330", "CC100", product, None, month, amount))
                self.bills[product, month] += amount
        self.ledger += bills

    def _ledger(self) -> None:
        bills = self.ledger
        posted = [_STARTS[bill[4]] + pd.Timedelta(days=19) for bill in bills]
        self.extracts["stg_cost__gl_entries"] = pd.DataFrame(
            {
                "journal_id": [f"J{n:06d}" for n in range(len(bills))],
                "line_number": 1,
                "account_id": [bill[0] for bill in bills],
                "cost_center_id": [bill[1] for bill in bills],
                "product_id": [None if bill[2] is None else PRODUCTS[bill[2]] for bill in bills],
                "initiative_id": [bill[3] for bill in bills],
                "posted_on": posted,
                "amount": [bill[5] for bill in bills],
                "currency": "USD",
                "known_at": [on + pd.Timedelta(days=1) for on in posted],
            }
        )

    def _cloud(self) -> None:
        """Usage on demand and by commitment; a commitment is billed at once and used for a term."""
        rng, p = self.rng, self.p
        direct = (self.labour + self.bills).mean(axis=1)
        base = direct * p["cloud_share"] / (1 - p["cloud_share"])
        rows = []
        for index, product in enumerate(PRODUCTS):
            growth = rng.uniform(0.0, 0.02)
            use = (
                base[index]
                * (1 + growth) ** np.arange(MONTHS)
                * np.exp(rng.normal(0, 0.05, MONTHS))
            )
            term = 36 if rng.random() < p["long_terms"] else 12
            bought = int(rng.integers(0, 12))
            central = rng.random() < p["central_purchase"]
            committed = np.zeros(MONTHS)
            if p["committed"] > 0:
                for begin in range(bought, MONTHS, term):
                    span = slice(begin, min(begin + term, MONTHS))
                    monthly = p["committed"] * float(use[begin])
                    committed[span] = np.minimum(monthly, use[span])
                    unused = monthly - committed[span]
                    committed[span] += unused
                    account = "acct-platform" if central else f"acct-{product.lower()}"
                    tag = None if central else product
                    rows.append((begin, account, tag, "Purchase", monthly * term, 0.0))
            demand = np.maximum(use - committed, 0.0)
            missing = p["untagged"] * rng.uniform(0.5, 1.5)
            for month in range(MONTHS):
                own = f"acct-{product.lower()}"
                if committed[month]:
                    rows.append((month, own, product, "Usage", 0.0, committed[month]))
                hidden = min(missing, 0.9) * demand[month]
                seen = demand[month] - hidden
                if hidden:
                    rows.append((month, "acct-misc", None, "Usage", hidden, hidden))
                effective = seen * (
                    float(np.exp(rng.normal(-0.125, 0.5))) if self.is_noise else 1.0
                )
                rows.append((month, own, product, "Usage", seen, effective))
            self.cloud[index] = committed + demand
        self._cloud_rows = rows

    def _pools(self) -> None:
        """Platform, data and support: paid by the company, used by products, measured by drivers."""
        rng, p = self.rng, self.p
        direct = (self.labour + self.cloud + self.bills).sum(axis=0)
        monthly = p["shared"] * direct
        split = rng.dirichlet((4.0, 3.0, 3.0))
        drivers, tickets = [], []
        bills: list[Bill] = []
        for pool, center in enumerate(_POOLS):
            true_use = rng.dirichlet(3.0 * self.size / self.size.mean())
            seen_use = true_use * np.exp(rng.normal(0.0, p["driver_noise"], len(PRODUCTS)))
            if self.is_noise:
                seen_use = rng.dirichlet(np.ones(len(PRODUCTS)))
            amounts = monthly * split[pool]
            shares = true_use[:, None] * amounts[None, :] * p["caused"]
            self.pools += shares
            # A fifth of platform and data is cloud of their own; it serves customers, their people do not.
            cloud_part = np.zeros(MONTHS) if center == "CC200" else 0.2 * amounts
            self.cost_to_serve_pools += shares if center == "CC200" else 0.2 * shares
            account = {"CC120": "acct-platform", "CC130": "acct-data"}.get(center, "")
            for month in range(MONTHS):
                if cloud_part[month] > 0:
                    self._cloud_rows.append(
                        (month, account, None, "Usage", cloud_part[month], cloud_part[month])
                    )
            # People paid like any other, as many as half the pool pays for; suppliers take the rest.
            wanted = float((amounts - cloud_part).mean()) / 2 / _PAY
            pay = _PAY * np.exp(rng.normal(0.0, p["pay_spread"], _STAFF_LIMIT))
            count = int(wanted) if wanted >= _STAFF_LEAST else 0
            count = min(count, _STAFF_LIMIT)
            for person in range(count):
                self._payroll.append(
                    pd.DataFrame(
                        {
                            "person_id": f"S{pool}{person:02d}",
                            "period_month": _STARTS,
                            "cost_center_id": center,
                            "role": "staff",
                            "base_pay": round(float(pay[person]), 2),
                            "leave_hours": round(CONTRACTED_HOURS * p["unavailable"], 2),
                        }
                    )
                )
            rest = amounts - cloud_part - pay[:count].round(2).sum()
            supplied = "5030" if center == "CC200" else "6330"
            bills += [
                (supplied, center, None, None, m, round(float(rest[m]), 2))
                for m in range(MONTHS)
                if rest[m]
            ]
            for index, product in enumerate(PRODUCTS):
                quantity = 1_000_000 * seen_use[index] * np.exp(rng.normal(0.0, 0.05, MONTHS))
                for month in range(MONTHS):
                    if center == "CC200":
                        tickets.append((product, month, round(quantity[month] / 1000, 2)))
                    else:
                        driver = "requests" if center == "CC120" else "storage_gb"
                        drivers.append((driver, product, month, round(quantity[month], 2)))
        self.ledger += bills
        payroll = pd.concat(self._payroll, ignore_index=True)
        for column in (
            "bonus",
            "employer_taxes",
            "benefits_cost",
            "tools_cost",
            "space_cost",
            "meeting_hours",
        ):
            payroll[column] = 0.0
        payroll["contracted_hours"] = CONTRACTED_HOURS
        payroll["currency"] = "USD"
        self.extracts["stg_cost__payroll"] = payroll
        self.extracts["stg_cost__usage_drivers"] = pd.DataFrame(
            {
                "driver_id": [row[0] for row in drivers],
                "consumer_id": [row[1] for row in drivers],
                "period_month": [_STARTS[row[2]] for row in drivers],
                "quantity": [row[3] for row in drivers],
            }
        )
        self.extracts["stg_product__support_tickets"] = pd.DataFrame(
            {
                "ticket_id": [f"T{n:05d}" for n in range(len(tickets))],
                "product_id": [row[0] for row in tickets],
                "opened_at": [_STARTS[row[1]] + pd.Timedelta(days=9) for row in tickets],
                "handling_hours": [row[2] for row in tickets],
            }
        )
        cloud = self._cloud_rows
        self.extracts["stg_cost__cloud_costs"] = pd.DataFrame(
            {
                "billed_cost": [round(row[4], 4) for row in cloud],
                "effective_cost": [round(row[5], 4) for row in cloud],
                "charge_category": [row[3] for row in cloud],
                "charge_period_start": [_STARTS[row[0]] for row in cloud],
                "charge_period_end": [_STARTS[row[0]] + pd.DateOffset(months=1) for row in cloud],
                "billing_period_start": [_STARTS[row[0]] for row in cloud],
                "billing_currency": "USD",
                "service_name": "Virtual Machines",
                "provider_name": "Cloud",
                "sub_account_id": [row[1] for row in cloud],
                "tags": [json.dumps({"product": row[2]}) if row[2] else None for row in cloud],
            }
        )

    def _revenue(self) -> None:
        """Areas of products earn; an initiative lifts its area from the month after it is ready."""
        rng, p = self.rng, self.p
        months = np.arange(MONTHS)
        core = self.labour.mean(axis=1) * rng.uniform(0.5, 1.5, len(PRODUCTS))
        count = len(INITIATIVES)
        self.revenue = np.zeros((len(PRODUCTS), MONTHS))
        self.lift = np.zeros((count, MONTHS))
        self.margin = rng.uniform(0.6, 0.85, count)
        rows = []
        for index in range(count):
            product = int(self.product_of[index])
            # Benefits of a year are half to twice the cost, over the effect on the area's revenue.
            yearly = self.initiative_cost[index] * rng.uniform(0.4, 1.6)
            effect = p["effect"] * float(np.exp(rng.normal(0.0, 0.3)))
            level = yearly / 12 / self.margin[index] / effect
            growth = 1 + (p["growth"] + rng.normal(0.0, 0.004) if p["growth"] else 0.0)
            season = 1 + p["season"] * np.sin(2 * np.pi * (months + rng.uniform(0, 12)) / 12)
            noise = np.exp(rng.normal(0.0, p["revenue_noise"], MONTHS))
            plain = level * growth**months * season * noise
            age = months - self.ready[index]
            self.lift[index] = np.where(age > 0, level * effect * 0.99 ** np.maximum(age, 0), 0.0)
            series = plain + self.lift[index]
            self.revenue[product] += series.round(2)
            rows += [
                (product, INITIATIVES[index], month, round(series[month], 2))
                for month in range(MONTHS)
            ]
        for product in range(len(PRODUCTS)):
            series = core[product] * np.exp(rng.normal(0.0, p["revenue_noise"], MONTHS))
            self.revenue[product] += series.round(2)
            rows += [(product, "core", month, round(series[month], 2)) for month in range(MONTHS)]
        self.true_benefit = (self.lift * self.margin[:, None]).sum(axis=1)
        self.areas = pd.DataFrame(
            {
                "initiative_id": INITIATIVES,
                "plan_id": [
                    f"{PRODUCTS[self.product_of[i]]}-{name}" for i, name in enumerate(INITIATIVES)
                ],
                "margin_rate": self.margin,
            }
        )
        starts = [_STARTS[row[2]] for row in rows]
        ends = [start + pd.DateOffset(months=1, days=-1) for start in starts]
        self.extracts["stg_revenue__invoice_lines"] = pd.DataFrame(
            {
                "invoice_id": [f"N{n:06d}" for n in range(len(rows))],
                "line_number": 1,
                "customer_id": "C",
                "product_id": [PRODUCTS[row[0]] for row in rows],
                "plan_id": [f"{PRODUCTS[row[0]]}-{row[1]}" for row in rows],
                "charge_type": "usage",
                "quantity": 1,
                "unit_price": [row[3] for row in rows],
                "amount": [row[3] for row in rows],
                "tax_amount": 0.0,
                "currency": "USD",
                "invoiced_on": ends,
                "due_on": ends,
                "service_start_on": starts,
                "service_end_on": ends,
                "known_at": ends,
            }
        )

    def _benefits(self) -> None:
        """How an initiative's benefit is measured: experiment, invoice, model, or not at all."""
        rng, p = self.rng, self.p
        drawn = rng.random(len(INITIATIVES))
        limits = np.cumsum([p["experiments"], p["invoiced"], p["asserted"]])
        measured = self.lift * self.margin[:, None]
        if self.is_noise:
            measured = measured[rng.permutation(len(INITIATIVES))] * np.exp(
                rng.normal(0.0, 1.0, (len(INITIATIVES), 1))
            )
        benefits: list[tuple[str, int, float, str]] = []
        units: list[pd.DataFrame] = []
        designs: list[dict[str, object]] = []
        for index, initiative in enumerate(INITIATIVES):
            if drawn[index] < limits[0]:
                units.append(self._experiment(index, initiative, designs))
                continue
            bias, grade = 1.0, "C"
            if drawn[index] >= limits[1]:
                bias = p["optimism"] * float(
                    np.exp(rng.normal(0.0, p["model_noise"]) - p["model_noise"] ** 2 / 2)
                )
                grade = "E" if drawn[index] < limits[2] else "D"
            noise = np.exp(rng.normal(0.0, p["invoice_noise"], MONTHS))
            for month in range(int(self.ready[index]) + 1, MONTHS):
                amount = float(measured[index, month]) * bias * float(noise[month])
                benefits.append((initiative, month, round(amount, 2), grade))
        ends = [_STARTS[row[1]] + pd.DateOffset(months=1, days=4) for row in benefits]
        self.extracts["stg_product__benefits"] = pd.DataFrame(
            {
                "benefit_id": [f"{row[0]}-B" for row in benefits],
                "period_month": [_STARTS[row[1]] for row in benefits],
                "initiative_id": [row[0] for row in benefits],
                "kpi_id": [f"kpi-{row[0]}" for row in benefits],
                "segment": "all",
                "planned_amount": [row[2] for row in benefits],
                "realised_amount": [row[2] for row in benefits],
                "currency": "USD",
                "attribution_share": 1.0,
                "cashable_class": 1,
                "evidence_grade": [row[3] for row in benefits],
                "owner": "owner",
                "confirmed_by": "finance",
                "confirmed_at": ends,
                "persistence_end_on": pd.Timestamp("2028-12-31"),
            }
        )
        if units:
            self.extracts["stg_product__experiments"] = pd.concat(units, ignore_index=True)
        self.seeds["experiment_designs"] = pd.DataFrame(designs)

    def _experiment(
        self, index: int, initiative: str, designs: list[dict[str, object]]
    ) -> pd.DataFrame:
        """Half the units get the feature before all do; designs state value, reach and how long it lasts."""
        rng, p = self.rng, self.p
        arm = int(p["experiment_units"])
        effect = p["effect_size"] * float(np.exp(rng.normal(0.0, 0.2)))
        reach = 500
        first_month = float(self.lift[index, self.ready[index] + 1])
        designs.append(
            {
                "experiment_id": f"X{initiative}",
                "outcome_name": "revenue",
                "treatment_share": 0.5,
                "value_per_unit_amount": round(first_month / effect / reach, 2) or 0.01,
                "margin_rate": round(float(self.margin[index]), 6),
                "exposed_units": reach,
                "persistence_months": int(rng.choice([12, 18, 24])),
            }
        )
        before = rng.standard_normal(2 * arm)
        treated = np.arange(2 * arm) % 2 == 0
        rho = p["pre_correlation"]
        outcome = rho * before + np.sqrt(1 - rho**2) * rng.standard_normal(2 * arm)
        outcome = outcome + effect * treated * (0.0 if self.is_noise else 1.0)
        return pd.DataFrame(
            {
                "experiment_id": f"X{initiative}",
                "unit_id": [f"U{n:05d}" for n in range(2 * arm)],
                "initiative_id": initiative,
                "assigned_on": _STARTS[self.ready[index]],
                "variant": np.where(treated, "treatment", "control"),
                "pre_value": before.round(6),
                "outcome_value": outcome.round(6),
            }
        )

    def _channels(self) -> None:
        """Prospects are touched and decide; what a channel caused is what would be lost without it."""
        rng, p = self.rng, self.p
        people = 2_000
        intent = p["intent"] * rng.standard_normal(people)
        effects = p["channel_effect"] * np.exp(rng.normal(0.0, 0.6, len(TOUCHED)))
        effects[-1] = 0.0  # coming directly causes nothing
        means = p["touches"] * np.exp(rng.normal(0.0, 0.5, len(TOUCHED)))
        pull = np.array([p["intent_pull"] if c in SEARCHED else 0.0 for c in TOUCHED])
        late = np.array([0.7 if c in SEARCHED else 0.4 for c in TOUCHED])
        reach = rng.poisson(means[None, :] * np.exp(pull[None, :] * intent[:, None]))
        if np.isinf(p["organic"]):
            # One touch each, and it alone causes what is bought.
            reach = np.zeros_like(reach)
            reach[np.arange(people), rng.choice(len(CHANNELS), people)] = 1
            effects[:-1] = np.log(-np.log(1 - 0.15)) + rng.normal(0.0, 0.6, len(CHANNELS))
            hazard = np.exp(np.where(reach > 0, effects[None, :], -np.inf)).sum(axis=1)
            without = np.where(reach > 0, 0.0, hazard[:, None])
        else:
            utility = p["organic"] + intent + (effects[None, :] * (reach > 0)).sum(axis=1)
            hazard = np.exp(utility)
            without = np.exp(utility[:, None] - effects[None, :] * (reach > 0))
        chance = 1 - np.exp(-hazard)
        self.caused_conversions = (chance[:, None] - (1 - np.exp(-without))).sum(axis=0)
        won = rng.random(people) < chance
        day = rng.integers(95, 725, people)
        product = rng.choice(len(PRODUCTS), people, p=self.size / self.size.sum())
        value = np.exp(rng.normal(9.0, 0.5, people)).round(2)
        decided = FIRST + pd.to_timedelta(day, unit="D") + pd.Timedelta(hours=23)
        self.extracts["stg_revenue__conversions"] = pd.DataFrame(
            {
                "conversion_id": [f"V{n:05d}" for n in range(people)],
                "customer_id": [f"L{n:05d}" for n in range(people)],
                "product_id": [PRODUCTS[i] for i in product],
                "occurred_at": decided,
                "is_won": won,
                "revenue_amount": np.where(won, value, 0.0),
                "currency": "USD",
            }
        )
        who = np.repeat(np.arange(people), reach.sum(axis=1))
        channel = np.concatenate([np.repeat(np.arange(len(TOUCHED)), row) for row in reach])
        ago = np.ceil(75 * (1 - rng.beta(1 + 4 * late[channel], 5 - 4 * late[channel]))).astype(int)
        if self.is_noise:
            # Touches before the last one are made up.
            extra = rng.poisson(2.0, people)
            who = np.concatenate([who, np.repeat(np.arange(people), extra)])
            channel = np.concatenate([channel, rng.choice(len(CHANNELS), extra.sum())])
            ago = np.concatenate([np.ones_like(ago), rng.integers(3, 80, extra.sum())])
        at = (
            decided[who]
            - pd.to_timedelta(ago, unit="D")
            - pd.to_timedelta(rng.integers(1, 600, len(who)), unit="min")
        )
        self.extracts["stg_revenue__touchpoints"] = pd.DataFrame(
            {
                "touch_id": [f"H{n:06d}" for n in range(len(who))],
                "customer_id": [f"L{n:05d}" for n in who],
                "occurred_at": at,
                "channel": [TOUCHED[c] for c in channel],
                "is_paid": False,
            }
        )
        # What serving and supporting a product truly costs comes off the revenue a channel caused.
        serving = (self.cloud + self.cost_to_serve_pools).sum(axis=1)
        margin = 1 - serving / self.revenue.sum(axis=1)
        worth = float(np.exp(9.0 + 0.125)) * float((margin * self.size).sum() / self.size.sum())
        gain = self.caused_conversions[: len(CHANNELS)] * worth
        spend = gain.mean() * np.exp(rng.normal(-0.4, 0.5, len(CHANNELS)))
        self.spend = np.maximum(spend, 1_000.0).round(2)
        self.channel_gain = gain
        weekly = pd.date_range(FIRST, periods=MONTHS, freq="MS")
        self.extracts["stg_revenue__marketing_spend"] = pd.DataFrame(
            {
                "spend_date": np.tile(weekly, len(CHANNELS)),
                "channel": np.repeat(CHANNELS, MONTHS),
                "campaign": "all",
                "amount": np.repeat((self.spend / MONTHS).round(2), MONTHS),
                "currency": "USD",
            }
        )
