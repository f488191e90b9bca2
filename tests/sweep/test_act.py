"""What a look judged so is removed, and nothing else is, whatever happens meanwhile."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from executor.engine import removal
from executor.notation.owner import Belonging
from executor.sweep import act as acting
from executor.sweep.act import Done, act
from executor.sweep.answers import Ghost, GhostOutcome
from executor.sweep.files import LeftDirectory
from executor.sweep.look import Look, look
from executor.sweep.options import Options
from executor.sweep.state import Memory, recall
from executor.sweep.verdict import Word
from tests.engine.stub import StubEngine, refusal
from tests.sweep.belongings import Belongings
from tests.sweep.left import (
    KEY,
    OTHER,
    belonging,
    dead_owner,
    events,
    listed,
    living,
    objects_of,
    options,
    owner_of,
)
from tests.sweep.machine import have_own_machine
from tests.sweep.samples import payload
from tests.sweep.test_processes import OBEDIENT


@pytest.fixture(autouse=True)
def no_pauses(mocker: MockerFixture) -> None:
    mocker.patch.object(removal, "_PAUSE_SECONDS", 0.0)


@pytest.fixture
def there(stub: StubEngine) -> Belongings:
    return Belongings(stub)


def seen(there: Belongings, how: Options | None = None, memory: Memory | None = None) -> Look:
    return look(there.engine(), how or options(), memory or recall(options()))


def test_all_of_a_dead_job_goes(there: Belongings) -> None:
    """Its containers, networks and volumes are removed; a job that nobody can tell of stays whole."""
    other = objects_of(belonging(None, OTHER))
    there.have([*objects_of(belonging(dead_owner())), *other])

    (done,) = act(there.engine(), seen(there), options()).done

    assert done == Done(KEY, "17", "owner-gone", containers=1, networks=1, volumes=1)
    assert there.names() == sorted(str(each.get("Id") or each["Name"]) for _, each in other)


def test_what_is_not_ours_stays(there: Belongings) -> None:
    """A volume that lasts has no label of a job, and other people's objects have none of ours."""
    lasting = listed("volume", "runner-x-project-3-concurrent-0-cache-1", None)
    managed = listed("container", "theirs", None, Labels={"managed": "true"})
    there.have([*objects_of(belonging(dead_owner())), ("volume", lasting), ("container", managed)])

    act(there.engine(), seen(there), options())

    assert there.names() == ["id-of-theirs", "runner-x-project-3-concurrent-0-cache-1"]


@pytest.mark.parametrize("kind", ["containers/json", "networks\\?", "volumes\\?"])
def test_a_listing_that_fails_right_before_the_removal(there: Belongings, kind: str) -> None:
    """Nothing is removed where one kind is not listed any more, and the job is reported."""
    there.have(objects_of(belonging(dead_owner())))
    look_before = seen(there)
    there.stub.on("GET", f"^/{kind}", refusal(500, "no"))

    (done,) = act(there.engine(), look_before, options()).done

    assert "cannot list" in done.left[0]
    assert there.deleted() == []


def test_a_new_attempt_that_begins_meanwhile(there: Belongings, tmp_path: Path) -> None:
    """An object of another owner that appears after the look keeps all of the job."""
    dead = belonging(dead_owner())
    there.have(objects_of(dead))
    look_before = seen(there)
    with living() as process:
        young = belonging(owner_of(process.pid), temp_dir=str(tmp_path))
        there.have([("container", listed("container", f"dind-executor-{KEY}-helper", young))])

        (done,) = act(there.engine(), look_before, options()).done

    assert "has appeared" in done.left[0]
    assert there.deleted() == []


def test_a_stranger_that_appears_meanwhile(there: Belongings) -> None:
    """A container of an image with the job's labels that starts after the look is not removed."""
    dead = belonging(dead_owner())
    there.have(objects_of(dead))
    look_before = seen(there)
    there.have([("container", listed("container", "web", dead))])

    (done,) = act(there.engine(), look_before, options()).done

    assert done.left == ("web has the job's label and is not the job's",)
    assert there.deleted() == []


def test_what_a_request_made_that_outlived_its_process(there: Belongings) -> None:
    """An object that the engine made after the look, for the same dead owner, goes too."""
    dead = belonging(dead_owner())
    there.have(objects_of(dead)[1:])
    look_before = seen(there)
    late = belonging(dead.owner, temp_dir="/tmp/custom-executor2")
    there.have([("container", listed("container", f"dind-executor-{KEY}-dind", late))])

    (done,) = act(there.engine(), look_before, options()).done

    assert done.left == ()
    assert there.names() == []


def test_another_attempt_of_a_living_runner(there: Belongings, tmp_path: Path) -> None:
    """Where cleanup failed, a directory that was not named before is a new attempt, and all stays."""
    with living() as process:
        first = belonging(owner_of(process.pid), temp_dir=f"{tmp_path}/gone")
        there.have(objects_of(first))
        look_before = seen(there, memory=recall(options())._replace(gone={KEY: -1000.0}))
        second = first._replace(temp_dir=str(tmp_path))
        there.have([("container", listed("container", f"dind-executor-{KEY}-helper", second))])

        (done,) = act(there.engine(), look_before, options()).done

    assert (done.reason, there.deleted()) == ("cleanup-failed", [])
    assert "has appeared" in done.left[0]


def test_a_container_that_cannot_be_killed(there: Belongings) -> None:
    """It is reported, tried by three sweeps in a row, and then left alone for a while."""
    how = options(again_seconds=600.0)
    there.have(objects_of(belonging(dead_owner()))[:1])
    there.stub.on("DELETE", "^/containers", refusal(500, "cannot kill container: tried to kill"))
    memory, lefts, asked = recall(how), [], []
    for _ in range(4):
        memory = memory._replace(now=memory.now + 1)
        outcome = act(there.engine(), seen(there, how, memory), how)
        memory = outcome.memory
        lefts.append(outcome.done[0].left[0])
        asked.append(len(there.stub.asked("DELETE", "^/containers")))

    assert lefts[:3] == ["cannot kill container: tried to kill"] * 3
    assert lefts[3] == "it could not be removed before, and is tried again later"
    assert asked[2] == asked[3]
    later = memory._replace(now=memory.now + 601)
    there.stub.on("DELETE", "^/containers", refusal(404, "gone"))
    there.stub.on("GET", "^/containers/json", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
    outcome = act(there.engine(), seen(there, how, later), how)
    assert outcome.done == ()  # nothing is there any more
    assert outcome.memory.tries == {}


def test_what_becomes_less_is_not_stuck(there: Belongings) -> None:
    """Sweeps that are cut off, or remove a part, go on each time, however many there are."""
    how = options(again_seconds=600.0)
    memory = recall(how)
    there.stub.on("DELETE", "^/containers", refusal(500, "no"))
    for number in range(8, 0, -1):
        dead = belonging(dead_owner())
        there.there.clear()
        names = [f"dind-executor-{KEY}-service-{each}" for each in range(number)]
        there.have([("container", listed("container", name, dead)) for name in names])

        outcome = act(there.engine(), seen(there, how, memory), how)
        memory = outcome.memory

        assert outcome.done[0].left[0] == "no"


def test_a_stage_that_outlived_its_runner_ends_first(there: Belongings, tmp_path: Path) -> None:
    """The orphan gets TERM, ends, and then its objects go."""
    there.have(objects_of(belonging(dead_owner(), temp_dir=str(tmp_path))))
    with living(OBEDIENT, env={"TMPDIR": str(tmp_path)}) as process:
        outcome = act(there.engine(), seen(there), options())

        assert process.wait(60) == 3
    assert outcome.done[0].left == ()
    assert there.names() == []
    assert list(outcome.memory.ended) == [KEY]


def test_a_stage_that_does_not_end_keeps_the_job(
    there: Belongings, tmp_path: Path, mocker: MockerFixture
) -> None:
    """Nothing is removed under a stage that still makes things."""
    mocker.patch("executor.sweep.processes.end_stages", return_value=False)
    there.have(objects_of(belonging(dead_owner(), temp_dir=str(tmp_path))))
    with living(env={"TMPDIR": str(tmp_path)}):
        (done,) = act(there.engine(), seen(there), options()).done

    assert done.left == ("a stage of the job does not end",)
    assert there.deleted() == []


def test_the_next_sweep_kills_what_this_one_told_to_end(
    there: Belongings, tmp_path: Path, mocker: MockerFixture
) -> None:
    """TERM is sent once: a sweep that was cut off is remembered, and the next one has less patience."""
    end = mocker.patch("executor.sweep.processes.end_stages", return_value=True)
    said = belonging(dead_owner(), temp_dir=str(tmp_path))
    how = options(state_dir=tmp_path)
    with living(env={"TMPDIR": str(tmp_path)}):
        there.have(objects_of(said))
        act(there.engine(), seen(there, how), how)
        there.have(objects_of(said))
        told = recall(how)
        later = told._replace(now=told.ended[KEY] + 100)
        act(there.engine(), seen(there, how, later), how)

    calls = [(each.args[1], each.kwargs["terminate"]) for each in end.call_args_list]
    assert calls == [(acting.TERM_SECONDS, True), (0.0, False)]


# --- directories and ghosts ----------------------------------------------------------------------


def a_directory(parent: Path, said: Belonging) -> LeftDirectory:
    """Make what a killed job leaves beside its objects."""
    place = parent / "custom-executor1"
    place.mkdir(mode=0o700)
    (place / "script.1").write_text("echo")
    note = place / "dind-executor-owner"
    note.touch(mode=0o600)
    note.write_text(json.dumps(said.labels()))
    found = place.stat()
    return LeftDirectory(str(parent), place.name, (found.st_dev, found.st_ino), 0, said.labels())


def in_parent(parent: Path, **more: Any) -> Options:
    return options(parents=(str(parent),), uids=frozenset({0}), **more)


@pytest.mark.parametrize(
    ("ghost", "stays"),
    [(Ghost.ENDED, False), (Ghost.OVER, False), (Ghost.UNANSWERED, True), (Ghost.UNUSABLE, True)],
)
def test_the_payload_goes_when_gitlab_knows(
    there: Belongings, tmp_path: Path, mocker: MockerFixture, ghost: Ghost, *, stays: bool
) -> None:
    """The directory goes once the job has ended in GitLab; else it waits for the next sweep."""
    end = mocker.patch(
        "executor.sweep.ghosts.end_left", return_value=GhostOutcome(ghost, "it is away")
    )
    said = belonging(dead_owner())
    left = a_directory(tmp_path, said)
    there.have(objects_of(said))
    how = in_parent(tmp_path, environ={"https_proxy": "http://proxy:3128"}, patience_seconds=1.0)

    (done,) = act(there.engine(), seen(there, how), how).done

    assert there.names() == []
    assert Path(left.path).exists() is stays
    assert (done.ghost, done.directories) == (ghost.value, int(not stays))
    assert done.left == (("it is away",) if stays else ())
    words = {"environ": how.environ, "log": how.log, "patience_seconds": 1.0, "own": ""}
    assert end.call_args.kwargs == words


@pytest.mark.parametrize(
    ("ghost", "stays"),
    [(Ghost.ENDED, False), (Ghost.OVER, False), (Ghost.UNANSWERED, True), (Ghost.UNUSABLE, False)],
)
def test_an_unsigned_payload_goes_when_gitlab_knows(
    there: Belongings, tmp_path: Path, mocker: MockerFixture, ghost: Ghost, *, stays: bool
) -> None:
    """So does one that gitlab-runner had not written to its end, as nobody can do anything with it."""
    have_own_machine(mocker)
    end = mocker.patch("executor.sweep.ghosts.end_left", return_value=GhostOutcome(ghost, "why"))
    place = tmp_path / "custom-executor1"
    place.mkdir(mode=0o700)
    (place / "response.json").write_text(json.dumps(payload()))
    how = in_parent(tmp_path, own_temp_dir=f"{tmp_path}/custom-executor2")

    (done,) = act(there.engine(), seen(there, how), how).done

    assert place.exists() is stays
    assert (done.job_id, done.ghost, done.reason) == ("17", ghost.value, "owner-gone")
    assert done.left == (("why",) if stays else ())
    assert end.call_args.kwargs["own"] == how.own_temp_dir


@pytest.mark.parametrize(
    ("changes", "switch"), [({}, False), ({"deadline": 1}, True)], ids=["switched off", "late"]
)
def test_gitlab_is_not_asked(
    there: Belongings,
    tmp_path: Path,
    mocker: MockerFixture,
    changes: Mapping[str, Any],
    *,
    switch: bool,
) -> None:
    """Switched off, and past a job's deadline, nobody speaks to GitLab, and the directory goes."""
    end = mocker.patch("executor.sweep.ghosts.end_left")
    left = a_directory(tmp_path, belonging(dead_owner(), **changes))
    how = in_parent(tmp_path, end_ghosts=switch)

    (done,) = act(there.engine(), seen(there, how), how).done

    assert (done.ghost, done.directories) == ("", 1)
    assert not Path(left.path).exists()
    end.assert_not_called()


def test_no_ghost_without_proof(there: Belongings, tmp_path: Path, mocker: MockerFixture) -> None:
    """A job that GitLab says is over is not ended there once more."""
    end = mocker.patch("executor.sweep.ghosts.end_left")
    a_directory(tmp_path, belonging(dead_owner()._replace(local=False)))
    how = in_parent(tmp_path)
    unknown = seen(there, how)
    over = unknown.of(each.told(Word.OVER, 1e9) for each in unknown.jobs)

    (done,) = act(there.engine(), over, how).done

    assert (done.reason, done.directories) == ("gitlab-over", 1)
    end.assert_not_called()


def test_a_directory_stays_with_its_objects(
    there: Belongings, tmp_path: Path, mocker: MockerFixture
) -> None:
    """What tells whose the objects are goes after them."""
    mocker.patch("executor.sweep.ghosts.end_left", return_value=GhostOutcome(Ghost.ENDED))
    said = belonging(dead_owner())
    left = a_directory(tmp_path, said)
    there.have(objects_of(said))
    there.stub.on("DELETE", "^/volumes", refusal(409, "in use"))
    how = in_parent(tmp_path)

    (done,) = act(there.engine(), seen(there, how), how).done

    assert (done.ghost, done.left) == ("ended", ("in use",))
    assert Path(left.path).exists()


def test_many_jobs_at_once(there: Belongings) -> None:
    """All jobs of a runner that died go in one sweep, each noted in the log and none with its secrets."""
    owner = dead_owner()
    keys = [f"{number}-0123456789" for number in range(100, 120)]
    for key in keys:
        there.have(objects_of(belonging(owner, key)))
    how = options(jobs_at_once=4)

    outcome = act(there.engine(), seen(there), how)

    assert sorted(each.key for each in outcome.done) == keys
    assert there.names() == []
    noted = [each for each in events(how.log) if each["event"] == "job swept"]
    assert sorted(str(each["job"]) for each in noted) == keys
    assert {str(each["reason"]) for each in noted} == {"owner-gone"}
