"""What the sidecar is, and whether it answers; `tests/stages` has real ones."""

import pytest

from executor.errors import EngineRefused
from executor.names import TRANSPORT_LABEL
from executor.services.dind import Sidecar, find_sidecar, still_runs
from tests.engine.stub import StubEngine, refusal
from tests.services.sidecars import STARTED

SIDECAR = "/containers/job-dind/json"


def test_an_engine_that_cannot_show_it(stub: StubEngine) -> None:
    """An error of the engine is no absence."""
    stub.on("GET", SIDECAR, refusal(500, "layer not known"))

    with pytest.raises(EngineRefused, match="cannot inspect job-dind: layer not known"):
        find_sidecar(stub.engine(), "job-dind")


def test_what_an_inspection_says() -> None:
    """Address, end and transport are read; what is missing is empty."""
    found: dict[str, object] = {
        "State": {"Running": False, "ExitCode": 137, "OOMKilled": True, "StartedAt": STARTED},
        "Config": {"Labels": {TRANSPORT_LABEL: "tls"}},
        "NetworkSettings": {"Networks": {"a": {"IPAddress": ""}, "b": {"IPAddress": "10.0.0.2"}}},
    }
    sidecar, nothing = Sidecar("job-dind", found), Sidecar("job-dind", {})

    assert (sidecar.address, sidecar.tls, sidecar.exit_code) == ("10.0.0.2", True, 137)
    assert (sidecar.oom_killed, sidecar.running) == (True, False)
    assert (nothing.address, nothing.tls, nothing.exit_code, nothing.started) == (
        "",
        False,
        None,
        "",
    )


def test_a_sidecar_that_was_started_anew_is_another_one() -> None:
    """Neither the job's certificates nor its containers are in it."""
    sidecar = Sidecar("job-dind", {"State": {"Running": True, "StartedAt": STARTED}})

    assert still_runs(sidecar, STARTED)
    assert not still_runs(sidecar, "2026-01-01T11:00:00Z")
    assert not still_runs(sidecar, "")
    assert not still_runs(None, STARTED)
