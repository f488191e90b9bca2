"""Room is freed on the way of a job, without measuring anything."""

import fcntl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.budgets.measured import Measured, Measurement, leave_measurement
from executor.budgets.reclaim import reclaim
from executor.budgets.records import Records
from executor.errors import EngineRefused
from executor.host.disk import IMAGES, VOLUMES
from executor.log import AdministratorLog
from executor.settings.file import Settings
from tests.budgets.shelf import MIB, Shelf
from tests.builders import some_settings
from tests.engine.stub import refusal


class Room:
    """A disk that has enough room again once so many things are gone, and what is kept there."""

    def __init__(self, shelf: Shelf, wanted: int, keeps: tuple[str, ...]) -> None:
        self.shelf = shelf
        self.wanted = wanted
        self.keeps = keeps

    def lacks(self) -> tuple[str, ...]:
        return self.keeps if len(self.shelf.removed()) < self.wanted else ()


@pytest.fixture
def settings(tmp_path: Path) -> Callable[[str], Settings]:
    def made(budgets: str = "") -> Settings:
        return some_settings(f'[sweep]\nstate_dir = "{tmp_path}"\n[budgets]\n{budgets}')

    return made


Given = Callable[..., Settings]


def freed(
    shelf: Shelf, settings: Settings, wanted: int, keeps: tuple[str, ...] = (VOLUMES, IMAGES)
) -> list[str]:
    """Free room until so many things are gone; return what went."""
    log, room = AdministratorLog("prepare"), Room(shelf, wanted, keeps)
    return reclaim(shelf.engine(), settings, shelf.stub.host, log, room.lacks)


def measured(directory: Path, shelf: Shelf, **sizes: int) -> None:
    """Leave a measurement of a minute ago: a file's time may lie some milliseconds before the clock's."""
    things = tuple(Measured("cache", name, size, name) for name, size in sizes.items())
    leave_measurement(str(directory), shelf.stub.host, Measurement(time.time() - 60, things))


def test_nothing_is_asked_where_there_is_room(shelf: Shelf, settings: Given) -> None:
    """A job pays nothing."""
    shelf.cache("a")

    assert freed(shelf, settings(), 0) == []
    assert shelf.stub.received == []


def test_no_more_goes_than_must(shelf: Shelf, settings: Given) -> None:
    """The least recently used goes first, and nothing is measured."""
    for days, name in enumerate(("a", "b", "c", "d")):
        shelf.cache(name, days=days)

    assert freed(shelf, settings(), 2) == ["d", "c"]

    assert set(shelf.volumes) == {"a", "b"}
    assert shelf.stub.asked("GET", "/system/df") == []


def test_what_exceeds_a_budget_goes_first(shelf: Shelf, settings: Given, tmp_path: Path) -> None:
    """As far as its size is known from the last measurement."""
    shelf.cache("a", days=1)
    image = shelf.image(1, "x:1")
    bounded = settings('images_size = "1k"\n')

    Records(str(tmp_path), shelf.stub.host).image_came(image, "x:1", "", "")
    things = (Measured("image", "x:1", 5000, image), Measured("cache", "a", 5 * MIB, "a"))
    leave_measurement(str(tmp_path), shelf.stub.host, Measurement(1.0, things))

    assert freed(shelf, bounded, 1) == ["x:1"]


def test_what_takes_nothing_stays(shelf: Shelf, settings: Given, tmp_path: Path) -> None:
    """To remove it would cost a cache and free nothing."""
    shelf.cache("tiny", days=3)
    shelf.cache("large", days=2)
    shelf.cache("unknown", days=1)
    measured(tmp_path, shelf, tiny=10, large=5 * MIB)

    assert freed(shelf, settings(), 5) == ["large", "unknown"]


def test_what_took_nothing_before_a_job_used_it(
    shelf: Shelf, settings: Given, tmp_path: Path
) -> None:
    """It may have grown since."""
    shelf.cache("grown", days=3)
    measured(tmp_path, shelf, grown=10)
    Records(str(tmp_path), shelf.stub.host).volumes_used(["grown"])

    assert freed(shelf, settings(), 1) == ["grown"]


@pytest.mark.parametrize(("keeps", "goes"), [((VOLUMES,), "a"), ((IMAGES,), "x:1"), ((), "")])
def test_what_lies_on_another_disk_stays(
    shelf: Shelf, settings: Given, tmp_path: Path, keeps: tuple[str, ...], goes: str
) -> None:
    """It would go for nothing."""
    shelf.cache("a", days=1)
    records = Records(str(tmp_path), shelf.stub.host)
    records.image_came(shelf.image(1, "x:1"), "x:1", "", "")

    assert freed(shelf, settings(), 2, keeps) == ([goes] if goes else [])


def test_what_must_stay_stays_though_the_disk_is_full(shelf: Shelf, settings: Given) -> None:
    """A container has it."""
    shelf.cache("a", days=3)
    shelf.container("a")

    assert freed(shelf, settings(), 1) == []


def test_whoever_is_at_it_already_is_not_doubled(
    shelf: Shelf, settings: Given, tmp_path: Path
) -> None:
    """Two that free room at once would free too much; a killed one holds nobody up."""
    shelf.cache("a")
    assert freed(shelf, settings(), 1) == ["a"]
    (lock,) = tmp_path.glob("budgets-*.lock")
    shelf.cache("b")
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert freed(shelf, settings(), 2) == []

    assert freed(shelf, settings(), 2) == ["b"]


def test_an_engine_that_lists_nothing(shelf: Shelf, settings: Given) -> None:
    """Nothing is removed, and whoever wanted room hears why."""
    shelf.cache("a")
    shelf.stub.on("GET", "/containers/json", refusal(500, "no list"))

    with pytest.raises(EngineRefused, match="no list"):
        freed(shelf, settings(), 1)
    assert shelf.removed() == []
