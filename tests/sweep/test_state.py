"""What a sweep leaves for the next one, and for those who ask how it went."""

import json
import os
import time
from pathlib import Path

import pytest

from executor.sweep.state import Memory, held, recall, remember, states
from tests.sweep.left import ADDRESS, KEY, OTHER, options

RESULT: dict[str, object] = {"seconds": 0.1, "by": "prepare", "error": ""}


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def the_file(directory: Path) -> Path:
    (found,) = directory.glob("sweep-*.json")
    return found


def test_the_next_sweep_knows_what_this_one_saw(tmp_path: Path) -> None:
    """What is seen for the first time counts from then on, by the clock that runs since the boot."""
    ours = options(state_dir=tmp_path)
    before = boottime()
    first = recall(ours)
    assert (first.seconds_gone(KEY), first.seconds_over(OTHER)) == (0.0, 0.0)

    assert remember(ours, first, RESULT) == ""

    again = recall(ours)
    assert before <= first.now <= again.now <= boottime()
    assert again.gone == {KEY: first.now}
    assert again.over == {OTHER: first.now}
    assert again.seconds_gone(KEY) == again.now - first.now
    assert again.seconds_over(OTHER) == again.now - first.now


def test_each_engine_has_its_own_memory(tmp_path: Path) -> None:
    """Two runners on one host may have two engines; what one sweep saw is not the other's."""
    ours, other = (
        options(state_dir=tmp_path),
        options(state_dir=tmp_path, address="tcp://build:2376"),
    )
    memory = recall(ours)
    memory.seconds_gone(KEY)
    remember(ours, memory, RESULT)
    remember(other, recall(other), RESULT)

    assert recall(other).gone == {}
    assert recall(ours).gone == {KEY: memory.now}
    assert {each["engine"] for each in states(str(tmp_path))} == {ADDRESS, "tcp://build:2376"}


def test_another_boot_remembers_nothing(tmp_path: Path) -> None:
    """Times of the clock of an earlier boot mean nothing."""
    ours = options(state_dir=tmp_path)
    memory = recall(ours)
    memory.seconds_gone(KEY)
    remember(ours, memory, RESULT)
    left = json.loads(the_file(tmp_path).read_text())
    the_file(tmp_path).write_text(json.dumps({**left, "boot": "another"}))

    assert recall(ours).gone == {}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        "\0" * 100,
        json.dumps({"boot": "BOOT", "memory": 1}),
        json.dumps({"boot": "BOOT", "memory": {"gone": [1], "over": "x"}}),
        json.dumps({"boot": "BOOT", "memory": {"gone": {"a": "1", "b": 1e300, "c": None}}}),
        json.dumps({"boot": "BOOT", "memory": {"gone": {"a": -(10**400), "b": float("-inf")}}}),
    ],
    ids=range(9),
)
def test_a_file_that_somebody_else_wrote(tmp_path: Path, content: str) -> None:
    """What is no memory, or lies ahead, is nothing; the next sweep writes it anew."""
    ours = options(state_dir=tmp_path)
    remember(ours, recall(ours), RESULT)
    boot = json.loads(the_file(tmp_path).read_text())["boot"]
    the_file(tmp_path).write_text(content.replace("BOOT", boot))

    found = recall(ours)

    assert not any(found[1:])
    assert remember(ours, found, RESULT) == ""


def test_how_the_last_sweep_went(tmp_path: Path) -> None:
    """The result stays until the next one, whatever is remembered meanwhile; only the owner reads it."""
    ours = options(state_dir=tmp_path)
    before = time.time()
    remember(ours, recall(ours), RESULT)
    remember(ours, recall(ours))

    (state,) = states(str(tmp_path))

    assert {**state, **RESULT} == state
    assert (state["version"], state["engine"]) == (1, ADDRESS)
    assert before - 1 <= float(str(state["at"])) <= time.time() + 1
    assert the_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [the_file(tmp_path).name]


def test_root_leaves_files_that_the_runner_s_user_can_use(tmp_path: Path) -> None:
    """Files that root writes belong to the owner of the directory."""
    os.chown(tmp_path, 12345, 54321)
    ours = options(state_dir=tmp_path)

    with held(ours):
        remember(ours, recall(ours), RESULT)

    owners = {(each.stat().st_uid, each.stat().st_gid) for each in tmp_path.iterdir()}
    assert owners == {(12345, 54321)}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A link in the directory leads root nowhere."""
    ours = options(state_dir=tmp_path / "state")
    (tmp_path / "state").mkdir()
    remember(ours, recall(ours), RESULT)
    name = the_file(tmp_path / "state").name
    victim = tmp_path / "victim"
    victim.write_text("{}")
    (tmp_path / "state" / f"{name}.new").symlink_to(victim)

    assert "cannot be written" in remember(ours, recall(ours), RESULT)
    assert victim.read_text() == "{}"


@pytest.mark.parametrize("place", ["", "missing", "file"])
def test_no_place_is_no_memory(tmp_path: Path, place: str) -> None:
    """Without a directory there is no lock, no memory and no result, and nothing fails."""
    (tmp_path / "file").touch()
    ours = options(state_dir=tmp_path / place) if place else options()

    with held(ours) as is_ours:
        assert is_ours
    assert recall(ours).gone == {}
    assert bool(remember(ours, recall(ours), RESULT)) is bool(place)
    assert states(ours.state_dir) == []


def test_one_sweep_at_a_time(tmp_path: Path) -> None:
    """A second sweep of the same engine finds the first one at it; one of another engine does not."""
    ours, other = (
        options(state_dir=tmp_path),
        options(state_dir=tmp_path, address="tcp://build:2376"),
    )

    with (
        held(ours) as first,
        held(ours) as second,
        held(ours, 0.2) as patient,
        held(other) as apart,
    ):
        assert (first, second, patient, apart) == (True, False, False, True)
    with held(ours) as again:
        assert again


def test_memory_is_bounded(tmp_path: Path) -> None:
    """No more than a thousand jobs are remembered."""
    ours = options(state_dir=tmp_path)
    memory = Memory(boottime(), {str(each): 1.0 for each in range(2000)}, {}, {}, {}, {}, {}, {})

    remember(ours, memory, RESULT)

    assert len(recall(ours).gone) == 1000
