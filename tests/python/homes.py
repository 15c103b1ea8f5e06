"""A small company, and what tests ask of a warehouse home."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from warehouse.home import Home
from warehouse.publish import Shelf, Version

CUSTOMERS = """\
customer_id,customer_name,email,segment,region,industry,acquired_on
C1,Acme,acme@example.com,enterprise,EU,tools,2025-01-01
C2,Bolt,bolt@example.com,self_serve,US,tools,2025-02-01
"""
SUBSCRIPTIONS = """\
subscription_id,valid_from,customer_id,product_id,plan_id,quantity,unit_price,discount_rate,billing_interval_months,currency,valid_to
S1,2025-01-01,C1,P1,L1,10,20.00,0,1,USD,
S2,2025-02-01,C2,P1,L1,5,20.00,0,12,USD,2026-02-01
"""


def write_landing(root: Path) -> None:
    folder = root / "landing" / "revenue"
    folder.mkdir(parents=True)
    # The stamp in the name says when the rows were known, so homes loaded at other times agree.
    (folder / "customers.2026-03-31.csv").write_text(CUSTOMERS, encoding="utf-8")
    (folder / "subscriptions.2026-03-31.csv").write_text(SUBSCRIPTIONS, encoding="utf-8")


def mart_bytes(version: Version) -> Mapping[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (version.path / "marts").iterdir()
    }


def written_files(home: Home) -> Mapping[Path, int]:
    paths = home.published.rglob("*")
    return {path: path.lstat().st_mtime_ns for path in paths if path.is_symlink() or path.is_file()}


def current(home: Home) -> Version:
    version = Shelf(home.published).current()
    assert version is not None
    return version
