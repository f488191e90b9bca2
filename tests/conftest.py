"""What several tests need: the rig, which must be up for those that use it."""

import pytest

from tests.rig.state import Rig, load


@pytest.fixture(scope="session")
def rig() -> Rig:
    """Return the rig; a test that needs it fails without it, and says how to bring it up."""
    return load()
