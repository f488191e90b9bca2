"""The command as a person, a timer and a monitor call it."""

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from executor.budgets.limits import budgets_of
from executor.budgets.measured import last_measurement
from executor.budgets.records import Records
from executor.budgets.things import Thing
from executor.commands.prune import command
from executor.host.disk import VOLUMES
from executor.settings.budgets import BudgetSettings
from executor.settings.file import Settings
from tests.budgets.shelf import DAY, MIB, Shelf
from tests.engine.stub import StubEngine, http, refusal

VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Arch": "amd64"}
Call = Callable[..., tuple[int, str, str]]
BUDGETS = 'volumes_size = "1k"\nvolumes_days = 30\nimages_days = 7\n'


@pytest.fixture(name="shelf")
def _shelf(stub: StubEngine) -> Shelf:
    stub.on("GET", "/version", http(200, VERSION))
    stub.on("GET", "/info", http(200, {}))
    stub.on("GET", "/networks", http(200, []))
    return Shelf(stub)


@pytest.fixture(name="settings")
def _settings(tmp_path: Path, stub: StubEngine) -> Path:
    (tmp_path / "state").mkdir()
    path = tmp_path / "settings.toml"
    path.write_text(
        f'[docker]\nhost = "{stub.host}"\n[log]\npath = "{tmp_path}/log"\n'
        f'[sweep]\nstate_dir = "{tmp_path}/state"\n[budgets]\n{BUDGETS}'
    )
    return path


@pytest.fixture(name="call")
def _call(settings: Path, capfd: pytest.CaptureFixture[str]) -> Call:
    def call(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = command.main([f"--settings={settings}", *args])
        return (code, *capfd.readouterr())

    return call


@pytest.fixture(name="records")
def _records(tmp_path: Path, stub: StubEngine) -> Records:
    return Records(f"{tmp_path}/state", stub.host)


def rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def fill(shelf: Shelf, records: Records) -> None:
    """Keep more than the budgets allow, and what is not to be touched."""
    shelf.cache("old", days=40)
    shelf.cache("large", days=3, size=900)
    shelf.cache("young", days=1, size=200)
    shelf.cache("in use", days=50, size=10)
    shelf.container("in use")
    shelf.cache("administrator's", days=90, size=10**6, labels={})
    shelf.image(1, "by-hand:1")
    records.image_came(shelf.image(2, "pulled:1"), "pulled:1", "", "")
    for each in Path(records._place).glob("image-*"):
        os.utime(each, (time.time() - 8 * DAY,) * 2)


def test_nothing_is_kept(call: Call, shelf: Shelf) -> None:
    """The sums are 0, and so is the exit code."""
    code, out, err = call()

    assert (code, err) == (0, "")
    assert "Builds directories and caches: 0, 0 bytes (the budget is 1 KiB)." in out
    assert shelf.removed() == []


def test_without_yes_it_only_shows(call: Call, shelf: Shelf, records: Records) -> None:
    """Whatever has to go stands first, and a monitor hears of it."""
    fill(shelf, records)

    code, out, _ = call()

    assert code == 1
    verdicts = {line.split("  ")[-1].strip(): line for line in out.splitlines()[1:7]}
    assert "remove" in verdicts["old"]
    assert "remove" in verdicts["large"]
    assert "remove" in verdicts["pulled:1"]
    assert "keep" in verdicts["young"]
    assert "a container has it" in verdicts["in use"]
    assert "3 things are removed with --yes." in out
    assert "by-hand" not in out
    assert "administrator" not in out
    assert shelf.removed() == []


def test_with_yes_it_is_brought_within_bounds(call: Call, shelf: Shelf, records: Records) -> None:
    """What is least recently used goes, and nothing else."""
    fill(shelf, records)

    code, out, _ = call("--yes", "--json")

    *things, last = rows(out)
    assert code == last["exit_code"] == 0
    assert {each["name"]: each["reason"] for each in things if each["removed"]} == {
        "old": "unused",
        "large": "over-budget",
        "pulled:1": "unused",
    }
    assert sorted(shelf.removed()) == ["large", "old", "pulled:1"]
    assert call("--yes")[0] == 0
    assert len(shelf.removed()) == 3


def test_a_lost_record_loses_nothing_that_it_must_not(
    call: Call, shelf: Shelf, records: Records
) -> None:
    """A volume counts as last used when it was made, and no image is a job's."""
    fill(shelf, records)
    records.volumes_used(["old"])
    for each in Path(records._place).iterdir():
        each.unlink()

    call("--yes")

    assert sorted(shelf.removed()) == ["large", "old"]


def test_what_was_measured_is_left_for_jobs(call: Call, shelf: Shelf, tmp_path: Path) -> None:
    """Also without `--yes`: whoever lacks room hears what takes it."""
    shelf.cache("b", size=7, destination="/builds")
    shelf.image(1, "by-hand:1", size=9)

    call()

    measured = last_measurement(f"{tmp_path}/state", shelf.stub.host)
    assert measured
    assert [(each.kind, each.name, each.size) for each in measured.things] == [
        ("image", "by-hand:1", 9),
        ("builds", "b", 7),
    ]
    assert abs(measured.at - time.time()) < 60


def test_what_was_done_stands_in_the_log(
    call: Call, shelf: Shelf, records: Records, tmp_path: Path
) -> None:
    """A line for each thing, with its reason."""
    fill(shelf, records)

    call("--yes")

    lines = [json.loads(each) for each in (tmp_path / "log").read_text().splitlines()]
    pruned = {each["name"]: each["reason"] for each in lines if each["event"] == "pruned"}
    assert pruned == {"old": "unused", "large": "over-budget", "pulled:1": "unused"}


def test_what_must_stay_though_it_is_too_much(call: Call, shelf: Shelf) -> None:
    """The exit code and a sentence say so."""
    shelf.cache("in use", size=5000)
    shelf.container("in use")

    code, out, _ = call("--yes")

    assert code == 1
    assert "3.9 KiB too much is in use or otherwise has to stay." in out


def test_what_cannot_be_removed(call: Call, shelf: Shelf) -> None:
    """The engine's reason stands in the table."""
    shelf.cache("old", days=40)
    shelf.stub.on("DELETE", "/volumes/old", refusal(500, "device busy"))

    code, out, _ = call("--yes")

    assert code == 1
    assert "device busy" in out


def test_an_engine_that_measures_for_somebody_else(
    call: Call, shelf: Shelf, mocker: MockerFixture
) -> None:
    """The last sizes are taken where there are any."""
    mocker.patch("time.sleep")
    shelf.cache("a", size=5000)
    refused = refusal(500, "a disk usage operation is already running")
    shelf.stub.on("GET", "/system/df", refused)
    assert call()[0] == 75

    shelf.stub.on("GET", "/system/df", shelf._usage)
    call()
    shelf.stub.on("GET", "/system/df", refused)
    code, out, _ = call("--yes")

    assert code == 0
    assert "The sizes are those of the last measurement." in out
    assert shelf.removed() == ["a"]


@pytest.mark.parametrize("path", ["/volumes", "/images/json", "/containers/json", "/version"])
def test_an_engine_that_does_not_tell(call: Call, shelf: Shelf, path: str) -> None:
    """Nothing is removed, and the next call tries again."""
    shelf.cache("old", days=40)
    shelf.stub.on("GET", path, refusal(500, "no list"))

    code, _, err = call("--yes")

    assert code == 75
    assert err.startswith("dind-executor prune: ")
    assert shelf.removed() == []


def test_settings_that_cannot_be_read(settings: Path, call: Call) -> None:
    """Every mistake is named."""
    settings.write_text('[budgets]\nvolumes_size = "0"\nimages_size = "much"\nimages_days = -1\n')

    code, _, err = call()

    assert code == 2
    assert "budgets.volumes_size: '0' must be more than 0" in err
    assert "budgets.images_size" in err
    assert "budgets.images_days" in err


def test_without_a_settings_file_the_defaults_count(mocker: MockerFixture, shelf: Shelf) -> None:
    """They have no budget, so nothing goes."""
    mocker.patch.object(command, "SETTINGS", "/nowhere/settings.toml")
    mocker.patch.object(command, "engine_address", return_value=(shelf.stub.host, "", False))
    shelf.cache("old", days=4000, size=10**12)

    assert command.main(["--yes"]) == 0
    assert shelf.removed() == []


class Disk:
    """A disk with volumes that has room again once so many things are gone."""

    def __init__(self, shelf: Shelf, missing: int, wanted: int) -> None:
        self.shelf = shelf
        self.missing = missing
        self.wanted = wanted

    def lacking(self) -> list[tuple[tuple[str, ...], int]]:
        return [((VOLUMES,), self.missing)]

    def scarce_kinds(self) -> tuple[str, ...]:
        return (VOLUMES,) if len(self.shelf.removed()) < self.wanted else ()

    def too_small(self) -> list[str]:
        return ["/data"]

    def misfit(self, disk: str) -> str:
        return f"{disk} is too small."


def test_a_disk_that_lacks_room(
    call: Call, shelf: Shelf, records: Records, mocker: MockerFixture
) -> None:
    """Without any budget what is least recently used goes, and no more once there is room.

    What lies on another disk stays.
    """
    records.image_came(shelf.image(1, "x:1", size=5 * MIB), "x:1", "", "")
    for days, name in enumerate(("a", "b", "c", "d")):
        shelf.cache(name, days=days, size=5 * MIB)
    mocker.patch.object(command, "budgets_of", side_effect=_unbounded)
    mocker.patch("executor.disk.room.Room.at", return_value=Disk(shelf, 12 * MIB, 2))

    _, shown, _ = call()
    code, out, _ = call("--yes")

    assert shown.count("the disk lacks room") == 3
    assert (code, shelf.removed()) == (0, ["d", "c"])
    assert "2 things are removed." in out
    assert "/data is too small." in out


def _unbounded(settings: Settings, things: Sequence[Thing]) -> object:
    return budgets_of(settings.changed(budgets=BudgetSettings()), things)
