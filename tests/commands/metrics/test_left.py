"""What others leave: sweeps, measurements, findings of doctor, and files that are none of these."""

import json
import time
from pathlib import Path

import pytest

from executor.budgets.measured import Measured, Measurement, leave_measurement
from executor.commands.metrics.left import budgets, read_doctor, read_left
from executor.log import AdministratorLog
from executor.settings.file import read_settings
from executor.sweep.options import Options
from executor.sweep.state import recall, remember

ENGINE = "unix:///run/docker.sock"
DOCTOR = {
    "ok": False,
    "at": 1795936000.5,
    "counts": {"ok": 3, "warn": 1, "fail": 1, "error": 0, "skip": 2},
    "checks": [
        {"id": "storage", "level": "fail", "found": "vfs", "remedy": "overlay2", "seconds": 0.1},
        {"id": "clock", "level": "ok", "found": "right"},
    ],
}


def left(directory: Path, doctor: str = "") -> object:
    return read_left(str(directory), ENGINE, doctor or str(directory / "doctor.json"))


def sweep(directory: Path, **result: object) -> None:
    """Leave a result as a sweep does."""
    options = Options(AdministratorLog("reap"), ENGINE, "reap", state_dir=str(directory))
    assert remember(options, recall(options), {"by": "reap", **result}) == ""


def test_nothing_is_there(tmp_path: Path) -> None:
    """A host that is new has left nothing, and neither has a directory that is missing."""
    for place in (tmp_path, tmp_path / "none"):
        found = read_left(str(place), ENGINE, str(place / "doctor.json"))
        assert (found.sweep, found.measurement, found.doctor) == (None, None, None)
        assert set(found.kept.values()) == {0}


def test_a_sweep(tmp_path: Path) -> None:
    """Its verdicts and what stayed are read, of this engine alone."""
    sweep(tmp_path, jobs={"keep": 2, "undecided": 1}, removed=[{}], left=[{"job": "1-a"}], error="")

    found = read_left(str(tmp_path), ENGINE, "").sweep

    assert found is not None
    assert abs(found.at - time.time()) < 3600
    assert (found.by, found.removed, found.left, found.error) == ("reap", 1, ("1-a",), "")
    assert found.verdicts == {"keep": 2, "remove": 0, "undecided": 1}
    assert read_left(str(tmp_path), "tcp://other:1", "").sweep is None


def test_a_measurement(tmp_path: Path) -> None:
    """Things are added up by what has a budget of its own; others do not count."""
    things = (
        Measured("builds", "b", 5),
        Measured("cache", "c", 6),
        Measured("layers", "l", 7),
        Measured("image", "i", 8),
        Measured("container", "x", 9),
    )
    assert leave_measurement(str(tmp_path), ENGINE, Measurement(3.0, things)) == ""

    found = read_left(str(tmp_path), ENGINE, "")

    assert found.measurement is not None
    assert found.kept == {"sources_and_caches": 11, "layers": 7, "images": 8}


def test_budgets() -> None:
    """What has no limit is left out."""
    settings = read_settings('[budgets]\nvolumes_size = "2GiB"\n', "x")

    found = budgets(settings)

    assert found["sources_and_caches"] == 2 * 1024**3
    assert 0 not in found.values()


def test_findings_of_doctor(tmp_path: Path) -> None:
    """Levels are counted, and each finding has its words."""
    path = tmp_path / "doctor.json"
    path.write_text(json.dumps(DOCTOR))

    found = read_doctor(str(path))

    assert found is not None
    assert (found.at, found.is_ok) == (1795936000.5, False)
    assert found.counts == DOCTOR["counts"]
    assert found.checks[0] == ("storage", "fail", "vfs", "overlay2")
    assert found.checks[1].remedy == ""


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"checks": 1}', "[" * 100000, "\x00"])
def test_findings_that_are_none(tmp_path: Path, content: str) -> None:
    """A file that is something else counts as none."""
    path = tmp_path / "doctor.json"
    path.write_text(content)

    assert read_doctor(str(path)) is None


def test_findings_of_a_later_version(tmp_path: Path) -> None:
    """What is not known or missing counts as nothing."""
    path = tmp_path / "doctor.json"
    path.write_text(json.dumps({"checks": [1, {"id": None, "level": 3}], "counts": {"ok": "x"}}))

    found = read_doctor(str(path))

    assert found is not None
    assert (found.is_ok, found.counts["ok"]) == (False, 0)
    assert found.checks == (("", "3", "", ""),)
