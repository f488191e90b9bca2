"""A whole sweep, and what it leaves for those who ask."""

import json
import os
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.engine import removal
from executor.engine.docker import Engine
from executor.log import AdministratorLog
from executor.sweep.state import held, recall, states
from executor.sweep.sweeping import sweep
from tests.engine.stub import StubEngine, refusal
from tests.sweep.belongings import Belongings
from tests.sweep.left import (
    KEY,
    OTHER,
    belonging,
    dead_owner,
    events,
    living,
    objects_of,
    options,
    owner_of,
)
from tests.sweep.machine import have_own_machine

NOTHING = {"remove": 0, "keep": 0, "undecided": 0}


@pytest.fixture(autouse=True)
def no_pauses(mocker: MockerFixture) -> None:
    mocker.patch.object(removal, "_PAUSE_SECONDS", 0.0)


@pytest.fixture
def there(stub: StubEngine) -> Belongings:
    return Belongings(stub)


def the_state(directory: Path) -> dict[str, object]:
    (found,) = states(str(directory))
    return found


def test_a_sweep_without_work(there: Belongings, tmp_path: Path) -> None:
    """An engine without jobs is asked for three lists; the state says so, and the log nothing."""
    how = options(state_dir=tmp_path)

    assert sweep(there.engine(), how) is None

    assert len(there.stub.received) == 3
    state = the_state(tmp_path)
    assert (state["jobs"], state["removed"], state["left"], state["error"]) == (NOTHING, [], [], "")
    assert state["by"] == "prepare"
    assert events(how.log) == []


def test_a_sweep_removes_the_dead(there: Belongings, tmp_path: Path) -> None:
    """What was removed and why stands in the state and in the administrator's log."""
    how = options(state_dir=tmp_path)
    there.have(objects_of(belonging(dead_owner())))
    with living() as process:
        there.have(objects_of(belonging(owner_of(process.pid), OTHER, temp_dir=str(tmp_path))))
        outcome = sweep(there.engine(), how)

    assert outcome
    assert [each.key for each in outcome.done] == [KEY]
    counts = {"containers": 1, "networks": 1, "volumes": 1}
    state = the_state(tmp_path)
    assert state["jobs"] == {"remove": 1, "keep": 1, "undecided": 0}
    assert state["removed"] == [{"job": KEY, "job_id": "17", "reason": "owner-gone", **counts}]
    (noted,) = events(how.log)
    assert (
        noted.items()
        >= {"event": "job swept", "job": KEY, "reason": "owner-gone", **counts}.items()
    )


def test_what_is_left_is_told(there: Belongings, tmp_path: Path) -> None:
    """The state names what could not be removed, and why."""
    how = options(state_dir=tmp_path)
    there.have(objects_of(belonging(dead_owner())))
    there.stub.on("DELETE", "^/networks", refusal(403, "network has active endpoints"))

    sweep(there.engine(), how)

    state = the_state(tmp_path)
    assert state["removed"] == []
    (left,) = json.loads(json.dumps(state["left"]))
    assert left == {
        "job": KEY,
        "job_id": "17",
        "reason": "owner-gone",
        "left": "network has active endpoints",
    }
    assert recall(how).tries == {KEY: 1.0}


def test_a_sweep_that_fails_keeps_what_earlier_ones_saw(there: Belongings, tmp_path: Path) -> None:
    """A listing that fails ends the sweep with a word in state and log; the memory stays."""
    how = options(state_dir=tmp_path)
    with living() as process:
        there.have(objects_of(belonging(owner_of(process.pid), temp_dir=f"{tmp_path}/gone")))
        sweep(there.engine(), how)
        known = recall(how).gone
        there.stub.on("GET", "^/networks", refusal(500, "no"))

        assert sweep(there.engine(), how) is None

    assert list(known) == [KEY]
    assert recall(how).gone == known
    assert "cannot list the networks" in str(the_state(tmp_path)["error"])
    assert [each["event"] for each in events(how.log)] == ["sweep failed"]
    assert there.deleted() == []


def test_an_engine_that_is_away(tmp_path: Path) -> None:
    """A sweep at an engine that does not answer fails nothing."""
    how = options(state_dir=tmp_path)

    assert sweep(Engine.at(f"unix://{tmp_path}/none.sock", "", tls_verify=False), how) is None
    assert "cannot be reached" in str(the_state(tmp_path)["error"])


def test_another_sweep_is_at_it(there: Belongings, tmp_path: Path) -> None:
    """The second sweep of an engine does nothing at all."""
    how = options(state_dir=tmp_path)

    with held(how):
        assert sweep(there.engine(), how) is None

    assert there.stub.received == []


def test_without_a_place_for_memory(there: Belongings, tmp_path: Path) -> None:
    """What is proved by one look goes; what takes two stays, however often it is looked at."""
    there.have(objects_of(belonging(dead_owner())))
    with living() as process:
        stays = objects_of(belonging(owner_of(process.pid), OTHER, temp_dir=f"{tmp_path}/gone"))
        there.have(stays)
        for _ in range(2):
            sweep(there.engine(), options(state_dir=tmp_path / "missing"))

    assert there.names() == sorted(str(each.get("Id") or each["Name"]) for _, each in stays)


def test_jobs_that_are_long_past_their_deadlines_are_told(there: Belongings) -> None:
    """The administrator's log names what nobody can tell of and should be over."""
    log = AdministratorLog("prepare")
    there.have(objects_of(belonging(None, deadline=1)))

    sweep(there.engine(), options(log))

    assert [(each["event"], each["error"]) for each in events(log)] == [
        ("sweep undecided", f"past their deadlines: {KEY}")
    ]


@pytest.mark.parametrize("dead", [False, True])
def test_job_logs_that_nobody_has(
    there: Belongings, tmp_path: Path, mocker: MockerFixture, *, dead: bool
) -> None:
    """They go where there are more of them than jobs, and with what a dead gitlab-runner left."""
    have_own_machine(mocker)
    place = tmp_path / "tmp"
    place.mkdir()
    for name in ("trace123456", "trace234567"):
        (place / name).touch(mode=0o600)
    for number in (1, 2):
        (place / f"custom-executor{number}").mkdir()
        # Where others may write, nothing is anybody's.
        (place / f"custom-executor{number}").chmod(0o700 if dead and number == 1 else 0o777)
    if not dead:
        (place / "trace345678").touch(mode=0o600)
    how = options(parents=(str(place),), uids=frozenset({os.getuid()}))

    sweep(there.engine(), how)

    assert sorted(each.name for each in place.iterdir()) == [
        f"custom-executor{number}" for number in ((2,) if dead else (1, 2))
    ]
    (swept,) = [each for each in events(how.log) if each["event"] == "job logs swept"]
    assert swept["files"] == (2 if dead else 3)


def test_a_log_for_each_job_is_nobody_elses_business(
    there: Belongings, tmp_path: Path, mocker: MockerFixture
) -> None:
    """Without a sign that something is left, no process is looked at."""
    look = mocker.patch("executor.sweep.logs.makers")
    (tmp_path / "trace123456").touch(mode=0o600)
    (tmp_path / "custom-executor1").mkdir(mode=0o700)
    own = f"{tmp_path}/custom-executor1"
    how = options(parents=(str(tmp_path),), uids=frozenset({os.getuid()}), own_temp_dir=own)

    sweep(there.engine(), how)

    look.assert_not_called()
    assert (tmp_path / "trace123456").exists()


def test_captured_payloads_age(there: Belongings, tmp_path: Path) -> None:
    """Each sweep removes those that are too old, and one that cannot says so."""
    kept = tmp_path / "captures"
    kept.mkdir(mode=0o700)
    for name in ("old.json", "new.json"):
        (kept / name).write_text("{}")
    os.utime(kept / "old.json", (0, 0))
    how = options(state_dir=tmp_path)

    sweep(there.engine(), how)

    assert [each.name for each in kept.iterdir()] == ["new.json"]
    assert events(how.log)[-1]["event"] == "captured payloads removed"
    os.utime(kept / "new.json", (0, 0))
    kept.chmod(0o755)
    sweep(there.engine(), how)
    assert events(how.log)[-1]["event"] == "captured payloads not removed"
