"""What has to go is removed, unless somebody has begun to use it."""

import os
import time
from pathlib import Path

import pytest

from executor.budgets.look import look
from executor.budgets.records import Records
from executor.budgets.removal import SINCE, Remover
from executor.budgets.things import Thing
from executor.log import AdministratorLog
from tests.budgets.shelf import DAY, Shelf
from tests.builders import some_settings
from tests.engine.stub import refusal
from tests.sweep.left import events

SETTINGS = some_settings()


class Sample:
    """Things that a look has seen, and what removes them."""

    def __init__(self, shelf: Shelf, directory: Path) -> None:
        self.shelf = shelf
        self.records = Records(str(directory), shelf.stub.host)
        self.log = AdministratorLog("prune")
        self.remover = Remover(shelf.engine(), SETTINGS, self.records, self.log)

    def seen(self) -> Thing:
        """Return the one thing that is there."""
        (thing,) = look(self.shelf.engine(), SETTINGS, self.records.known()).things
        return thing


@pytest.fixture
def sample(shelf: Shelf, tmp_path: Path) -> Sample:
    return Sample(shelf, tmp_path)


def test_a_volume_goes_with_its_record(sample: Sample) -> None:
    """The log says so."""
    sample.shelf.cache("a", days=3)

    gone = sample.remover.remove(sample.seen(), "unused")

    assert gone.left == ""
    assert sample.shelf.volumes == {}
    assert sample.records.known().volumes == {}
    (noted,) = events(sample.log)
    assert noted.items() >= {"event": "pruned", "name": "a", "reason": "unused"}.items()


def test_an_image_goes_name_by_name(sample: Sample) -> None:
    """With its last name the engine removes it."""
    image = sample.shelf.image(1, "a:1", "b:1")
    for name in ("a:1", "b:1"):
        sample.records.image_came(image, name, "", "")

    assert sample.remover.remove(sample.seen(), "unused").left == ""

    assert sample.shelf.removed() == ["a:1", "b:1"]
    assert sample.records.known().images == {}


def test_an_image_without_a_name_goes_by_its_id(sample: Sample) -> None:
    """A newer one has its name by now."""
    image = sample.shelf.image(1)
    sample.records.image_came(image, "a:1", "", "")

    sample.remover.remove(sample.seen(), "unused")

    assert sample.shelf.removed() == [image]


def test_what_a_job_has_used_since_the_look_stays(sample: Sample) -> None:
    """Its record says so, or a container that has it."""
    sample.shelf.cache("a", days=3)
    thing = sample.seen()
    sample.records.volumes_used(["a"])
    assert sample.remover.remove(thing, "unused").left == SINCE

    thing = sample.seen()
    sample.shelf.container("a")
    assert sample.remover.remove(thing, "unused").left == SINCE
    assert sample.shelf.removed() == []


@pytest.mark.parametrize("recorded", [True, False])
def test_what_has_no_age_goes_too(sample: Sample, tmp_path: Path, *, recorded: bool) -> None:
    """Its record lies ahead, as the clock was wrong, or nobody knows when it was made."""
    sample.shelf.cache("a")
    sample.shelf.volumes["a"]["CreatedAt"] = None
    if recorded:
        sample.records.volumes_used(["a"])
        (record,) = tmp_path.glob("used-*/*")
        os.utime(record, (time.time() + DAY, time.time() + DAY))
    thing = sample.seen()

    assert sample.remover.remove(thing, "disk-full").left == ""

    assert sample.shelf.volumes == {}


def test_what_the_engine_keeps_stays(sample: Sample) -> None:
    """Its reason is told, and the record stays."""
    sample.shelf.cache("a", days=3)
    sample.records.volumes_used(["a"])
    sample.shelf.stub.on("DELETE", "/volumes/a", refusal(409, "volume is in use"))

    assert sample.remover.remove(sample.seen(), "unused").left == "volume is in use"
    assert set(sample.records.known().volumes) == {"a"}


def test_what_is_gone_is_gone(sample: Sample) -> None:
    """Somebody else has removed it since the look."""
    sample.shelf.cache("a", days=3)
    thing = sample.seen()
    sample.shelf.volumes.clear()

    assert sample.remover.remove(thing, "unused").left == ""


def test_a_list_that_fails_keeps_everything(sample: Sample) -> None:
    """What is in use cannot be told then."""
    sample.shelf.cache("a", days=3)
    thing = sample.seen()
    sample.shelf.stub.on("GET", "/containers/json", refusal(500, "no list"))

    assert sample.remover.remove(thing, "unused").left == "no list"
    assert sample.shelf.removed() == []
