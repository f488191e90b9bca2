"""The volumes of a job, at a stub."""

from pathlib import Path

import pytest

from executor.budgets.records import Records
from executor.errors import EngineRefused
from executor.log import AdministratorLog
from executor.names import LABEL
from executor.spec import VolumeSpec
from executor.stages.prepare.steps import Steps
from executor.stages.prepare.volumes import make_volumes
from tests.engine.stub import StubEngine, http, refusal


def _nothing() -> None:
    """Wait for nothing."""


VOLUMES = (VolumeSpec("first", {"a": "1"}), VolumeSpec("second", {"a": "1"}))


def test_each_volume_is_made(stub: StubEngine) -> None:
    """The engine is asked for every volume of the plan, in order and with its labels."""
    stub.on("POST", "/volumes/create", http(201, {}))

    make_volumes(
        stub.engine(), VOLUMES, Steps(AdministratorLog("prepare")), Records("", ""), _nothing
    )

    asked = [each.json() for each in stub.asked("POST", "/volumes/create")]
    assert [(each["Name"], each["Labels"]) for each in asked] == [
        ("first", {"a": "1"}),
        ("second", {"a": "1"}),
    ]


def test_a_volume_that_cannot_be_made_ends_it(stub: StubEngine) -> None:
    """The engine's reason is passed on, and no further volume is asked for."""
    stub.on("POST", "/volumes/create", refusal(500, "the plugin is broken"))

    with pytest.raises(EngineRefused, match="the plugin is broken"):
        make_volumes(
            stub.engine(), VOLUMES, Steps(AdministratorLog("prepare")), Records("", ""), _nothing
        )

    assert len(stub.asked("POST", "/volumes/create")) == 1


def test_a_volume_that_lasts_is_noted_as_used(stub: StubEngine, tmp_path: Path) -> None:
    """One that goes with the job is not."""
    stub.on("POST", "/volumes/create", http(201, {}))
    volumes = (VolumeSpec("lasts", {}), VolumeSpec("goes", {LABEL: "1-ab"}))
    records = Records(str(tmp_path), stub.host)

    make_volumes(stub.engine(), volumes, Steps(AdministratorLog("prepare")), records, _nothing)

    assert set(records.known().volumes) == {"lasts"}


def test_no_volume_is_made_before_the_claims(stub: StubEngine) -> None:
    """Containers wait for the volumes, so none of them uses what nobody sees to be claimed."""
    stub.on("POST", "/volumes/create", http(201, {}))
    seen: list[int] = []

    def claimed() -> None:
        seen.append(len(stub.received))

    steps = Steps(AdministratorLog("prepare"))
    make_volumes(stub.engine(), VOLUMES, steps, Records("", ""), claimed)

    assert seen == [0]
