"""The accuracy study: its baseline stays what it was, its worlds keep their truth to themselves."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from warehouse import cli
from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT
from warehouse.study import (
    baseline,
    budget_world,
    outlook_estimates,
    ranges,
    report,
    return_estimates,
    returns_world,
    run,
    score,
)

# Frozen before the first result. Whoever improves the baseline starts the study anew and says so.
BASELINE = (
    "1d7907268b44384e0b113c5c59b1fda8d895ce7dadde50d1430ab2e5007f0882"  # pragma: allowlist secret
)
WORLDS = 10


def test_the_baseline_is_the_one_frozen_before_the_first_result() -> None:
    text = Path(baseline.__file__).read_bytes()
    assert hashlib.sha256(text).hexdigest() == BASELINE


def test_an_error_of_20_percent_brought_down_to_12_is_reduced_by_40() -> None:
    assert score.error_reduction(0.20, 0.12) == pytest.approx(0.40)  # method reference E18
    assert score.error_reduction(0.20, 0.25) == pytest.approx(-0.25)
    assert score.error_reduction(0.0099, 0.005) is None  # the baseline is accurate already


def world_with(kind: str, before: float, after: float) -> score.Scores:
    return {"kind": kind, "actual": 1.0, "errors": {"baseline": before, "integrated": after}}


def test_errors_are_pooled_before_they_are_divided() -> None:
    worlds = [world_with("ordinary", 1.0, 0.2), world_with("noise", 0.1, 0.2)]
    pooled = score.pool(worlds, score.budget_weight, score.budget_error, 1)
    assert pooled.baseline_error == pytest.approx(0.55)
    assert pooled.reduction == pytest.approx(1 - 0.4 / 1.1)
    assert pooled.worse_share == 0.5
    assert pooled.lower == pytest.approx(1 - 0.2 / 0.1)  # both drawn are the noise world
    assert pooled.upper == pytest.approx(1 - 0.2 / 1.0)


@pytest.fixture(scope="module")
def results(
    project: CompiledProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, list[score.Scores]]]:
    """A study of ten worlds, on the session's compiled project."""
    home = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CompiledProject, "compile", classmethod(lambda *_: project))
        yield home, run.run(home, WORLDS, 1, progress=False)


def test_every_kind_of_world_is_there_with_forty_investments(
    results: tuple[Path, list[score.Scores]],
) -> None:
    kinds = [world["returns"]["kind"] for world in results[1]]
    assert set(kinds) == {"ordinary", "plain", "noise"}
    world = returns_world.generate(1, 0)
    assert len(world.true_return) == len(world.investment) == 40
    assert len(budget_world.LINES) >= 40


def test_estimates_are_nearer_in_ordinary_worlds_and_not_in_the_negative_control(
    results: tuple[Path, list[score.Scores]],
) -> None:
    found = report.Findings(results[1], 1)
    for target, wanted in report.TARGETS.items():
        ordinary = found.pooled(target, ("ordinary",))
        assert ordinary.reduction is not None
        assert ordinary.reduction > wanted
        control = found.pooled(target, ("noise",))
        assert control.integrated_error > 0.9 * control.baseline_error
        plain = found.pooled(target, ("plain",))
        assert plain.baseline_error < 0.1 * ordinary.baseline_error or plain.baseline_error < 0.05
    naive = found.pooled("T5", ("ordinary",), reference="seasonal_naive")
    assert naive.reduction is not None
    assert naive.reduction > 0


def test_a_stopped_study_goes_on_and_the_same_seed_gives_the_same_bytes(
    results: tuple[Path, list[score.Scores]], tmp_path: Path
) -> None:
    home, first = results
    kept = sorted(home.rglob("0003.json"))
    assert len(kept) == 2
    stamps = {path: path.stat().st_mtime_ns for path in home.rglob("*.json")}
    for path in kept:
        path.unlink()
    again = run.run(home, WORLDS, 1, progress=False)
    assert again == first
    changed = {path for path in home.rglob("*.json") if stamps[path] != path.stat().st_mtime_ns}
    assert changed == set(kept)
    for name, found in (("one", first), ("two", again)):
        report.write(found, 1, tmp_path / name, tmp_path / name / "study_results.csv")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"README.md", "targets.csv", "worlds.svg", "study_results.csv"} <= set(files)
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), (
            name
        )
    text = (tmp_path / "one" / "README.md").read_text(encoding="utf-8")
    assert "5th percentile" in text
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (tmp_path / "one" / link).is_file(), link


def test_models_see_nothing_of_the_truth(project: CompiledProject) -> None:
    """Two worlds that differ in truth alone give the same estimates: truth goes into no database."""
    world = returns_world.generate(1, 0)
    estimates = return_estimates.estimate(project, world)
    blind = returns_world.World(
        world.kind, {}, world.extracts, world.seeds, world.areas, {}, {}, {}
    )
    assert return_estimates.estimate(project, blind) == estimates
    given = set(world.extracts) | set(world.seeds)
    assert all(name.startswith("stg_") or name == "experiment_designs" for name in given)
    text = json.dumps(list(project.manifest["nodes"])) + project.code(
        (*return_estimates.TARGETS, *outlook_estimates.TARGETS)
    )
    assert "true_return" not in text
    assert "true_final" not in text


def test_the_baseline_is_exact_where_it_is_right_by_construction() -> None:
    """In plain worlds products cost and earn exactly what the plain way reckons."""
    number = ranges.KINDS.index("plain")
    world = returns_world.generate(1, number)
    found = baseline.returns(world.extracts, world.areas, returns_world.PRODUCTS_FROM)
    for product in returns_world.PRODUCTS:
        key = f"product|{product}"
        assert found[key] == pytest.approx(world.true_return[key], abs=1e-3)
    assert found.keys() == world.true_return.keys()


def test_straight_line_and_seasonal_naive_by_hand() -> None:
    known = np.array([[10.0, 20.0, 30.0, *[0.0] * 9]])
    prior = np.array([[5.0] * 12])
    assert baseline.straight_line(known, 3) == pytest.approx([240.0])
    assert baseline.seasonal_naive(known, prior, 3) == pytest.approx([60.0 + 45.0])
    assert baseline.warns(np.array([240.0]), np.array([239.0])).tolist() == [True]


def test_reports_know_no_later_posting() -> None:
    """The baseline's year to date at a report is the one the warehouse has for it."""
    world = next(
        w for w in (budget_world.generate(1, n) for n in range(8)) if w.parameters["late"] > 0.05
    )
    known, _ = budget_world.known_actuals(world, 6)
    later, _ = budget_world.known_actuals(world, 12)
    assert not known[:, 6:].any()
    assert (known[:, 5] <= later[:, 5] + 1e-9).all()
    assert known[:, 5].sum() < later[:, 5].sum()
    assert later.sum(axis=1) == pytest.approx(world.true_final)


def test_worlds_are_what_their_number_says() -> None:
    one, two = returns_world.generate(1, 4), returns_world.generate(1, 4)
    assert one.true_return == two.true_return
    for name, frame in one.extracts.items():
        assert frame.equals(two.extracts[name]), name
    assert one.true_return != returns_world.generate(2, 4).true_return
    for parameters, declared in (
        (one.parameters, ranges.RETURNS),
        (budget_world.generate(1, 4).parameters, ranges.BUDGET),
    ):
        for name, span in declared.items():
            assert span.low <= parameters[name] <= span.high
            assert span.reason


def test_too_few_worlds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["study", "--worlds", "3"]) == 2
    assert "10 or more" in capsys.readouterr().err


def test_the_seed_holds_what_the_report_says() -> None:
    with (PROJECT / "seeds" / "governance" / "study_results.csv").open(encoding="utf-8") as lines:
        seeds = {row["target_id"]: row for row in csv.DictReader(lines)}
    with (PROJECT / "docs" / "study" / "targets.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["against"] == "baseline" and row["worlds_of_kind"] == "all worlds"]  # fmt: skip
    assert set(seeds) == {row["target_id"] for row in rows} == set(report.TARGETS)
    for row in rows:
        for name in ("worlds", "baseline_error", "integrated_error", "error_reduction", "lower_bound", "upper_bound", "worse_share"):  # fmt: skip
            assert seeds[row["target_id"]][name] == row[name]
        assert int(row["worlds"]) >= 200
        assert seeds[row["target_id"]]["state"] == "simulated_only"
