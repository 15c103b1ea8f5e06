"""Benchmarks measure what they say, at any size, and say where."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from warehouse import bench, cli
from warehouse.bench import frames
from warehouse.bench.frames.equal import require_equal
from warehouse.errors import BuildFailedError, UsageError
from warehouse.home import Home
from warehouse.sql import literal


def test_a_part_writes_its_figures_and_the_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["bench", "attribution", "--set", "journeys=3000", "--out", str(tmp_path)])
    assert code == 0
    record = json.loads((tmp_path / "attribution.json").read_text(encoding="utf-8"))
    assert record["sizes"] == {"journeys": 3000, "channels": 20}
    assert record["machine"]["cores"] >= 1
    assert record["machine"]["duckdb"]
    figures = {figure["name"]: figure["value"] for figure in record["figures"]}
    assert figures["touches"] > 3000
    assert figures["conversions whose credits miss their revenue"] == 0
    assert figures["all models"] > 0
    assert "all models, peak memory" in capsys.readouterr().out


def test_figures_replace_their_section_of_a_page_and_leave_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\nBy hand.\n\n## Bad input\n\nOld.\n\n## Other\n\nStays.\n", "utf-8")
    part = bench.Part("bad_input", "files that are wrong", lambda *_: [])
    for name, number in (("bad_input", 1234), ("kills", 1), ("bad_input", 5678)):
        figures = [bench.Figure("files", number, "files")]
        bench.write_section(page, replace(part, name=name), {"files": number}, figures)
    text = page.read_text("utf-8")
    assert text.startswith("# Title\n\nBy hand.\n\n## Bad input\n\nFiles that are wrong.\n")
    assert "| files | 5,678 | files |" in text
    assert "files 5678, cores " in text
    assert "1,234" not in text
    assert "Old" not in text
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["## Bad input", "## Other", "## Kills"]
    assert "\n\n## Other\n\nStays.\n\n## Kills\n" in text


def test_every_part_describes_itself() -> None:
    for name, part in bench.parts().items():
        assert part.description
        assert importlib.util.find_spec(f"{bench.__name__}.{name}"), (
            f"name the module as the part: {name}"
        )


def test_unknown_parts_and_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match=r"no part nonsense; there are .*attribution"):
        bench.choose(["nonsense"])
    chosen = bench.choose(["attribution"])
    for setting in ("journey=3", "journeys", "journeys=-1", "journeys=many"):
        with pytest.raises(UsageError, match=r"NAME being channels, journeys"):
            bench.sizes_from([setting], chosen)


def test_memory_is_that_of_the_process_measured() -> None:
    large = bench.measure([sys.executable, "-c", "b'x' * 300_000_000; print('done')"], {})
    assert large.output == "done\n"
    assert 0.3 < large.peak_gigabytes < 1
    small = bench.measure([sys.executable, "-c", "pass"], {})
    assert small.peak_gigabytes < 0.2
    with pytest.raises(BuildFailedError, match="ended with 3"):
        bench.measure([sys.executable, "-c", "raise SystemExit(3)"], {})


def test_damaged_mappings_files_and_numbers_are_read_or_refused(tmp_path: Path) -> None:
    part = bench.parts()["fuzz"]
    figures = {one.name: one.value for one in bench.run(part, {"seconds": 3}, tmp_path)}
    assert figures["mappings tried"] > 0
    assert figures["files tried"] > 0
    assert figures["decimals tried"] >= 1000


def test_data_frames_make_the_marts_the_sql_makes(sample: Home, tmp_path: Path) -> None:
    figures = {one.name: one.value for one in frames.beside_frames(sample, tmp_path, runs=1)}
    for mart in frames.MARTS:
        assert figures[f"{mart}: rows"] > 50
    for way in frames.WAYS:
        assert figures[f"all five: {way}"] > 0
        assert 0 < figures[f"all five: {way}, peak memory"] < 2


@pytest.mark.parametrize(
    ("frame", "difference"),
    [
        ("(1, 250, 0.5), (2, null, null)", None),
        ("(1, 250, 0.5000000000000001), (2, null, null)", None),
        ("(1, 251, 0.5), (2, null, null)", "m differs at 1: amount is 251, not 250"),
        ("(1, 250, 0.50001), (2, null, null)", "m differs at 1: share is 0.50001, not 0.5"),
        ("(1, 250, 0.5), (2, 0, null)", "m differs at 2: amount is 0, not"),
        ("(1, 250, 0.5)", "m differs at 2: is missing"),
        ("(1, 250, 0.5), (2, null, null), (3, 1, 1)", "m differs at 3: is none of the mart's"),
        ("(1, 250, 0.5), (1, 250, 0.5), (2, null, null)", "m has 2 rows, the file 3"),
    ],
)
def test_one_wrong_figure_of_a_data_frame_is_named(
    tmp_path: Path, frame: str, difference: str | None
) -> None:
    database, path = tmp_path / "warehouse.duckdb", tmp_path / "m.parquet"
    with duckdb.connect(database) as connection:
        connection.execute("create schema marts")
        connection.execute(
            """
            create table marts.m as
            select id, cast(amount as decimal(18, 2)) as amount, cast(share as double) as share
            from (values (1, 2.5, 0.5), (2, null, null)) as rows (id, amount, share)
            """
        )
        connection.execute(
            f"""
            copy (select id, amount, cast(share as double) as share
            from (values {frame}) as rows (id, amount, share)) to {literal(str(path))}
            """
        )
    if difference is None:
        assert require_equal(database, "m", ["id"], path) == 2
    else:
        with pytest.raises(BuildFailedError, match=difference):
            require_equal(database, "m", ["id"], path)
