"""Real exports that lie beside the checkout: their licences keep them out of the repository."""

import pytest

from warehouse.home import PROJECT

DATA = PROJECT.parent / "shared" / "data"

needs_data = pytest.mark.skipif(
    not DATA.exists(), reason=f"the real exports are not in {DATA}; nothing else tests with them"
)
