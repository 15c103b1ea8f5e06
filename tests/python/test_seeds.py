"""An own company's seeds: in its home, in place of the project's."""

import shutil
from pathlib import Path

import duckdb
import pytest

from homes import current
from warehouse import backup, build, cli, seeds
from warehouse.errors import UsageError
from warehouse.home import Home


def test_every_seed_of_the_sample_company_has_a_start() -> None:
    begins = {name: seed.start for name, seed in seeds.load().items()}
    assert set(begins.values()) == {"", "empty", "copy"}
    # What names people, products and initiatives of the sample would count as the own company's.
    for name in ("review_signoffs", "rule_exceptions", "role_scopes", "capitalisation_decisions"):
        assert begins[name] == "empty"
    for name in (
        "chart_of_accounts",
        "cost_centers",
        "fiscal_calendars",
        "fx_rates",
        "revenue_policies",
        "cost_policies",
    ):
        assert begins[name] == "copy"


def test_starting_keeps_what_is_there(empty_home: Home) -> None:
    empty_home.seeds.mkdir(parents=True)
    mine = empty_home.seeds / "role_scopes.csv"
    mine.write_text("role_id,scope_column,scope_value\nproduct_manager,product_id,P9\n")
    kept = mine.read_bytes()

    begun = seeds.start(empty_home)
    assert begun["review_signoffs.csv"] == "empty"
    assert begun["chart_of_accounts.csv"] == "copy"
    assert mine.name not in begun
    assert mine.read_bytes() == kept
    assert seeds.start(empty_home) == {}
    # A copy is still the sample company's until it is changed.
    left = seeds.of_sample(empty_home)
    assert "chart_of_accounts" in left
    assert "review_signoffs" not in left
    with (empty_home.seeds / "chart_of_accounts.csv").open("a") as file:
        file.write("9999,Other,,expense,-1,general_admin,fixed,\n")
    assert "chart_of_accounts" not in seeds.of_sample(empty_home)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("scopes.csv", "role_id\n", "name it after the file"),
        ("role_scopes.txt", "role_id\n", "name it after the file"),
        ("role_scopes.csv", "role_id,scope_column\n", "line 1: the heading lacks scope_value"),
        ("role_scopes.csv", "role_id,scope_column,scope_value,x\n", "does not know x"),
        ("role_scopes.csv", "role_id,scope_column,scope_value,role_id\n", "names a column twice"),
        ("role_scopes.csv", "", "lacks role_id, scope_column, scope_value"),
        ("role_scopes.csv", "role_id,scope_column,scope_value\na,b,\xe9\n", "line 2: this is not"),
    ],
)
def test_a_seed_that_cannot_stand_in_is_refused(
    empty_home: Home, name: str, text: str, message: str
) -> None:
    empty_home.seeds.mkdir(parents=True)
    (empty_home.seeds / name).write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=message):
        seeds.own(empty_home, seeds.load())


def test_an_own_company_is_built_from_its_own_seeds(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All seeds begun, one with an account of its own: the company builds, and nothing of the sample counts."""
    before = current(home)
    assert "review_signoffs" in before.manifest["seeds_of_sample"]
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.root))
    assert cli.main(["seeds"]) == 0
    assert "role_scopes.csv: a heading to fill in" in capsys.readouterr().out
    accounts = home.seeds / "chart_of_accounts.csv"
    # Columns may stand in any order.
    rows = [line.split(",") for line in accounts.read_text().splitlines()]
    rows.append(["9999", "Rockets", "", "expense", "-1", "general_admin", "fixed", ""])
    accounts.write_text("".join(",".join(reversed(row)) + "\n" for row in rows))

    said: list[str] = []
    version, is_new = build.rebuild(home, build.Progress(said.append))
    assert is_new
    left = version.manifest["seeds_of_sample"]
    assert "fx_rates" in left
    assert "chart_of_accounts" not in left
    assert "review_signoffs" not in left
    assert "chart_of_accounts" not in next(line for line in said if "sample company's" in line)
    page = (version.path / "index.html").read_text()
    assert "still the sample company&#39;s" in page or "still the sample company's" in page
    with duckdb.connect(version.path / "marts.duckdb", read_only=True) as connection:
        found = connection.execute(
            """
            select account_name, (select count(*) from rpt_risk_register)
            from dim_account where account_id = '9999'"""
        ).fetchall()
    assert found == [("Rockets", 0)]

    # With nothing new nothing is built, also beside seeds of its own.
    assert build.rebuild(home, build.Progress(said.append)) == (version, False)

    backup.back_up(home, tmp_path / "backup")
    shutil.rmtree(home.root)
    restored = backup.restore(home, tmp_path / "backup", backup.choose(tmp_path / "backup"))
    assert "chart_of_accounts.csv" in restored.seeds
    assert "fx_rates.csv" not in restored.seeds
    assert seeds.own(home, seeds.load())["chart_of_accounts"].read_text() == "".join(
        ",".join(reversed(row)) + "\n" for row in rows
    )
