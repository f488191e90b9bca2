"""Unit tests of stages start no job on the rig's engine."""

import pytest


@pytest.fixture(autouse=True)
def start() -> None:
    """Take the place of the fixture that all tests of behaviour use, which needs the rig."""
