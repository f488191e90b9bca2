"""What took how much when it was last measured."""

import json
from pathlib import Path

import pytest

from executor.budgets.measured import (
    Measured,
    Measurement,
    last_measurement,
    leave_measurement,
    measure,
    with_more,
)

ADDRESS = "unix:///engine"
USAGE: dict[str, object] = {
    "Images": [{"Id": "sha256:1", "RepoTags": ["a:1"], "Size": 30, "SharedSize": 0}],
    "Volumes": [
        {"Name": "kept", "UsageData": {"Size": 50, "RefCount": 0}},
        {"Name": "other", "UsageData": {"Size": 10, "RefCount": 1}},
        {"Name": "elsewhere", "UsageData": {"Size": -1, "RefCount": -1}},
        {"Name": "nothing said", "UsageData": None},
    ],
    "Containers": [{"Id": "c", "Names": ["/job"], "SizeRw": 20}, {"Id": "d", "SizeRw": None}],
    "BuildCache": [{"ID": "x", "Size": 3}, {"ID": "y", "Size": 4}],
}


def test_what_the_engine_measures() -> None:
    """Everything that takes room is there, largest first; what a driver does not tell is not."""
    measured = measure(USAGE, {"kept": "builds"}, 12.0)

    assert [(each.kind, each.name, each.size) for each in measured.things] == [
        ("builds", "kept", 50),
        ("image", "a:1", 30),
        ("container", "job", 20),
        ("volume", "other", 10),
        ("build cache", "build cache of the Docker Engine", 7),
        ("container", "d", 0),
    ]
    assert measured.sizes == {"kept": 50, "sha256:1": 30, "other": 10}
    assert measured.at == 12.0


@pytest.mark.parametrize("usage", [{}, {"Images": None, "Volumes": 3}, {"Volumes": [3, None]}])
def test_an_engine_that_measures_nothing(usage: dict[str, object]) -> None:
    """A list that is none is empty."""
    assert measure(usage, {}, 0.0).things == ()


def test_what_the_engine_does_not_know_is_added() -> None:
    """It stands where its size puts it."""
    measured = with_more(measure(USAGE, {}, 0.0), [Measured("directory", "/srv/caches", 40)])

    assert [each.name for each in measured.things[:3]] == ["kept", "/srv/caches", "a:1"]


def test_a_measurement_is_left_for_jobs(tmp_path: Path) -> None:
    """It is read as it was left, by engine."""
    measured = measure(USAGE, {"kept": "builds"}, 12.0)

    assert leave_measurement(str(tmp_path), ADDRESS, measured) == ""

    assert last_measurement(str(tmp_path), ADDRESS) == measured
    assert last_measurement(str(tmp_path), "tcp://other") is None
    assert last_measurement("", ADDRESS) is None


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """Why is said; without a place there is nothing to say."""
    measured = Measurement(0.0, ())
    (tmp_path / "file").touch()

    assert leave_measurement("", ADDRESS, measured) == ""
    assert "is no directory" in leave_measurement(str(tmp_path / "file"), ADDRESS, measured)


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"at": None}, {"at": True}, {"at": "now"}, {"things": 3}, {"things": [1]}],
)
def test_a_file_that_is_no_measurement(tmp_path: Path, change: dict[str, object]) -> None:
    """It says nothing, or has no things."""
    leave_measurement(str(tmp_path), ADDRESS, measure(USAGE, {}, 1.0))
    (path,) = tmp_path.glob("measured-*")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    found = last_measurement(str(tmp_path), ADDRESS)

    assert found is None or found.things == ()
