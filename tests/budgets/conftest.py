"""An engine that keeps things."""

import pytest

from tests.budgets.shelf import Shelf
from tests.engine.stub import StubEngine


@pytest.fixture
def shelf(stub: StubEngine) -> Shelf:
    """Return an engine that keeps nothing yet."""
    return Shelf(stub)
