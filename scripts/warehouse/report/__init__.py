"""The report: static pages from published marts, one site per role, no server."""

import base64
import gzip
import shutil
import subprocess
import sys
from pathlib import Path

from warehouse.errors import BuildFailedError, UsageError
from warehouse.home import Home

# Forbids whatever the page of another project would fetch.
_OFFLINE = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'self\' file: data: blob:'
    " 'unsafe-inline' 'unsafe-eval'; connect-src data: blob:\">"
)

_PACKED = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Definitions and lineage</title><link rel="icon" href="data:,"></head>
<body>
<noscript>This page is unpacked by its own script, which is switched off here.</noscript>
<script>
(async () => {
  const packed = Uint8Array.from(atob("PAGE"), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const page = await new Response(stream).text();
  document.open();
  document.write(page);
  document.close();
})();
</script>
</body>
</html>
"""


def write_current(home: Home, role: str = "", *, is_single: bool = False) -> Path:
    """Write the report of the current version into report/ of the home; the file to open."""
    from warehouse.publish import Shelf
    from warehouse.report import site

    version = Shelf(home.published).current()
    if version is None:
        raise UsageError("There is no published version yet: run `warehouse build` first.")
    roles = version.manifest["roles"]
    if role and role not in roles:
        raise UsageError(f"There is no role {role!r}; there are {', '.join(sorted(roles))}.")
    database = version.path / (f"roles/{role}.duckdb" if role else "marts.duckdb")
    # The time in the name of a version: when it was made.
    made = version.id
    created_at = f"{made[:4]}-{made[4:6]}-{made[6:8]} {made[9:11]}:{made[11:13]} UTC"
    source = site.Source(database, role, version.manifest, created_at, cache=home.root / "target")
    home.reports.mkdir(mode=0o700, exist_ok=True)
    name = role or "all"
    if is_single:
        return site.write_single(source, home.reports / f"{name}.html")
    folder = home.reports / name
    if folder.exists():
        shutil.rmtree(folder)
    return site.write(source, folder)[0]


def packed(page: bytes) -> str:
    """A page that unpacks itself: a sixth of the size, and still one file that needs no server."""
    text = base64.b64encode(gzip.compress(page, mtime=0)).decode("ascii")
    return _PACKED.replace("PAGE", text)


def write_lineage(home: Home) -> Path:
    """Write the column lineage of every model as one page into report/ of the home."""
    target = home.root / "target"
    folder = home.reports / "lineage"
    if not (target / "catalog.json").exists():
        raise UsageError("Nothing was built in this home yet: run `warehouse build` first.")
    home.reports.mkdir(mode=0o700, exist_ok=True)
    options = [
        "--manifest",
        str(target / "manifest.json"),
        "--catalog",
        str(target / "catalog.json"),
    ]
    options += ["--output-dir", str(folder), "--light", "--disable-telemetry"]
    done = subprocess.run(
        [sys.executable, "-m", "dbt_colibri.cli.cli", "generate", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    page = folder / "index.html"
    if done.returncode or not page.exists():
        raise BuildFailedError(f"dbt-colibri could not draw the lineage: {done.stderr[-1000:]}")
    (folder / "colibri-manifest.json").unlink(missing_ok=True)
    text = page.read_text(encoding="utf-8").replace("<head>", f"<head>{_OFFLINE}", 1)
    page.write_text(text, encoding="utf-8")
    return page
