"""Sidecars that end at bad moments; `tests.load.sidecar_deaths` does each many times."""

import pytest

from tests.generations import EXTRA, GENERATIONS, NEW, OLD
from tests.load.sidecar_deaths import DEATHS, fault, sidecar_dies
from tests.stages.conftest import Start
from tests.stages.witness import Witness

CASES = list(zip((NEW, OLD, NEW), DEATHS, strict=True))
if EXTRA in GENERATIONS:
    CASES += [(EXTRA, when) for when in DEATHS]


@pytest.mark.parametrize("needs", [True, False], ids=["needs it", "does not"])
@pytest.mark.parametrize(("image", "when"), CASES)
def test_a_sidecar_that_dies(
    start: Start, witness: Witness, image: str, when: str, *, needs: bool
) -> None:
    """A job that asks for it ends as a system failure with its last words; another one passes."""
    call, _seconds = sidecar_dies(start, witness, image, DEATHS[when], needs=needs)

    assert fault(call, DEATHS[when], needs=needs) == ""
