"""Benchmarks measure what they say, at any size, and say where."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from warehouse import bench, cli
from warehouse.errors import BuildFailedError, UsageError


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
        assert Path(bench.__path__[0], f"{name}.py").exists(), (
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
