"""Models are written in words that DuckDB and Spark read the same: a fast guard before the slow one, test_spark.py.

A word missing here is not forbidden, only untried: run it on both engines (docs/spark.md), then list it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


# Functions tried on both engines: same rows, NULLs and rounding, as far as models use them.
TRIED = _words(
    """
    abs acos array_agg array_sort asin avg bit_count bit_or bool_and bool_or cast ceil coalesce concat_ws corr cos
    count count_if covar_pop covar_samp date_trunc decimal dense_rank exp extract floor greatest lag lead least
    length ln lower lpad make_date max max_by md5 median min min_by mod nullif percentile_cont power range rank
    regexp_extract regr_intercept regr_slope regr_sxx regr_syy replace round row_number sign split_part sqrt
    stddev_pop stddev_samp substr sum tan trim var_pop var_samp
    """
)
# Words that may stand before a parenthesis without being functions.
WORDS = _words(
    """
    and as between by case distinct else exists except filter from group in intersect is join not nulls on or order over
    partition select sets then union unpivot using values when where window with cube rollup
    """
)
# What only one engine reads, or both read differently; and what to write instead.
FORBIDDEN = {
    r"::": "cast(x as type)",
    r"\b(varchar|text|hugeint|ubigint|timestamptz|double precision)\b": "string, bigint, decimal(p,s), double, timestamp",
    r"\*\s*(exclude|replace|rename|except)\s*\(": "every column by name",
    r"\bunion( all)? by name\b": "the same columns in the same order",
    r"\basof\b": "a validity window from lead() and a range join",
    r"\bpositional join\b": "row_number() and a join",
    r"\bignore nulls\b": "max(x) over a group counted by non-NULL values",
    r"[^:]//": "cast(floor(a / b) as bigint)",
    r'"': "unquoted snake_case; double quotes are text on Spark",
    r"\binterval '[^'\n]*[a-z]": "interval '1' month, the unit outside the quotes",
    r"\btemp(orary)?\b": "a common table expression",
}
# Planning a model on Spark takes seconds up to here, and grows faster than the number.
MOST_COPIES = 1000
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_COMMENT = re.compile(r"--[^\n]*")
_TEXT = re.compile(r"'(?:[^']|'')*'")
# What a dispatched macro holds for one engine alone.
_ONE_ENGINE = re.compile(r"\{%-? macro (?:default|duckdb|spark)__.*?endmacro", re.DOTALL)
_CALL = re.compile(r"(?<![\w.])([a-z_]\w*)\s*\(")
# A table expression's or window's own name, and a table alias with column names.
_NAMED = re.compile(r"\b(?:as|window)\s+[a-z_]\w*\s*\(|[a-z_]\w*\s+as\s*\(")


def blanked(text: str, *patterns: re.Pattern[str]) -> str:
    """The text with what matches blanked out, so that line numbers stay."""
    for pattern in patterns:
        text = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return text


def complaints(sql: str) -> Iterator[tuple[int, str]]:
    """Line and reason of every spelling that may not run the same on Spark."""
    bare = blanked(sql, _JINJA, _COMMENT)
    for pattern, instead in FORBIDDEN.items():
        # Intervals carry their unit inside text, everything else is judged outside of it.
        judged = bare if "interval" in pattern else blanked(bare, _TEXT)
        for match in re.finditer(pattern, judged, re.IGNORECASE):
            line = judged.count("\n", 0, match.start()) + 1
            yield line, f"{match[0].strip()!r}: write {instead}"
    judged = blanked(bare, _TEXT, _NAMED)
    for match in _CALL.finditer(judged):
        if match[1] not in TRIED | WORDS:
            line = judged.count("\n", 0, match.start()) + 1
            yield line, f"{match[1]}() is untried on Spark: try it on both engines, then list it"


def copies(sql: str) -> int:
    """Steps Spark computes for a compiled model: each common table expression anew wherever it is used."""
    bare = blanked(sql, _COMMENT, _TEXT)
    counted: dict[str, int] = {}
    place = match.end() if (match := re.match(r"\s*with\s+(recursive\s+)?", bare)) else 0
    while match := re.compile(r"[\s,]*([a-z_]\w*)\s+as\s*\(").match(bare, place):
        depth, place = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(bare[place], 0)
            place += 1
        counted[match[1]] = _steps(bare[match.end() : place], counted)
    return _steps(bare[place:], counted)


def _steps(body: str, counted: Mapping[str, int]) -> int:
    return 1 + sum(counted.get(name, 1) for name in re.findall(r"\b(?:from|join)\s+([\w.]+)", body))


def sources() -> list[Path]:
    return sorted([*(PROJECT / "models").rglob("*.sql"), *(PROJECT / "macros").glob("*.sql")])


def test_models_and_macros_are_portable() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{line}: {reason}"
        for path in sources()
        for line, reason in complaints(
            blanked(path.read_text(encoding="utf-8"), _ONE_ENGINE)
            if path.parent.name == "macros"
            else path.read_text(encoding="utf-8")
        )
    ]
    assert not found, "\n".join(found)


def test_no_model_multiplies_its_steps(project: CompiledProject) -> None:
    found = {
        node["name"]: number
        for node in project.manifest["nodes"].values()
        if node["resource_type"] == "model"
        and (number := copies(node["compiled_code"])) > MOST_COPIES
    }
    assert not found, f"Spark would not finish planning these; put a table between steps: {found}"


def test_steps_that_use_steps_twice_multiply() -> None:
    sql = """with recursive a as (select 1 from s.t), b as (select 1 from a join a as other using (x)),
    c as (select 'from b' from b join b as other using (x)) select * from c -- from c"""
    assert copies(sql) == 1 + (1 + 2 * (1 + 2 * (1 + 1)))


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select a::int from t", "'::'"),
        ("select cast(a as varchar) from t", "'varchar'"),
        ("select * exclude (a) from t", "'* exclude ('"),
        ("select quantile_cont(a, 0.5) from t", "quantile_cont()"),
        ("select list_sort(a) from t", "list_sort()"),
        ("select strftime(a, '%Y') from t", "strftime()"),
        ("select a // 2 from t", "//"),
        ('select "a" from t', "'\"'"),
        ("select d + interval '1 month' from t", "interval '1 month"),
        ("select lag(a ignore nulls) over (order by b) from t", "'ignore nulls'"),
    ],
)
def test_what_spark_reads_differently_is_found(sql: str, word: str) -> None:
    assert any(word in reason for _, reason in complaints(f"-- One row per a.\n{sql}\n"))


def test_text_comments_and_names_are_left_alone() -> None:
    sql = """-- a::b "c" list_sort()
    with monthly as (select sum(a) over w as s, 'x::y "z"' as text_value from {{ ref('t') }} window w as (order by b))
    select d + interval '1' month from monthly as m (s, text_value)
    """
    assert not list(complaints(sql))
