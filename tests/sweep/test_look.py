"""A look: what is there of each job, and what follows; nothing is changed."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from executor.errors import EngineRefused, EngineUnavailable
from executor.names import LABEL, JobNames, job_key
from executor.sweep.look import look
from executor.sweep.options import Options
from executor.sweep.state import Memory, recall
from executor.sweep.verdict import GONE_SECONDS, Directories, Life, Verdict, Word
from tests.engine.stub import Answer, Connection, Received, StubEngine, http, refusal
from tests.sweep.belongings import Belongings
from tests.sweep.left import (
    KEY,
    OTHER,
    attempt,
    belonging,
    dead_owner,
    listed,
    living,
    objects_of,
    options,
    owner_of,
    view,
)
from tests.sweep.machine import have_own_machine
from tests.sweep.runners import gitlab_runner, sign
from tests.sweep.samples import TOKEN, payload


@pytest.fixture
def there(stub: StubEngine) -> Belongings:
    return Belongings(stub)


def a_memory(**changes: Any) -> Memory:
    return recall(options())._replace(**changes)


def test_each_kind_is_listed_once_by_label(there: Belongings) -> None:
    """A look at an engine without jobs asks for three lists of what has a job's label, and no more."""
    seen = look(there.engine(), options(), a_memory())

    assert seen.jobs == ()
    asked = sorted(each.path.partition("?")[0] for each in there.stub.received)
    assert asked == ["/containers/json", "/networks", "/volumes"]
    filters = {each.path.partition("filters=")[2] for each in there.stub.received}
    assert len(filters) == 1
    assert LABEL in filters.pop()


def test_the_dead_are_told_from_the_living(there: Belongings, tmp_path: Path) -> None:
    """A job whose gitlab-runner is gone may be removed, one beside it whose gitlab-runner works stays."""
    with living() as process:
        there.have(objects_of(belonging(dead_owner())))
        alive = belonging(owner_of(process.pid), OTHER, temp_dir=str(tmp_path))
        there.have(objects_of(alive))

        seen = look(there.engine(), options(), a_memory())

    judged = {each.found.key: (each.judgement.verdict, each.judgement.reason) for each in seen.jobs}
    assert judged == {
        KEY: (Verdict.REMOVE, "owner-gone"),
        OTHER: (Verdict.KEEP, "owner-alive"),
    }
    assert there.deleted() == []


def cut(connection: Connection, _received: Received) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[")


BROKEN: dict[str, Answer] = {
    "refused": refusal(500, "no"),
    "forbidden": refusal(403, "not allowed"),
    "no list": http(200, {"message": "no"}),
    "no objects": http(200, ["a"]),
    "cut off": cut,
}


@pytest.mark.parametrize("path", ["^/containers/json", r"^/networks\?", r"^/volumes\?"])
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_listing_that_failed_is_no_empty_one(
    there: Belongings, path: str, answer: Answer
) -> None:
    """Where one kind is not listed nothing is known of any job."""
    if "volumes" in path and answer is BROKEN["no list"]:
        answer = http(200, {"Volumes": {"a": 1}})
    there.have(objects_of(belonging(dead_owner())))
    there.stub.on("GET", path, answer)

    with pytest.raises((EngineRefused, EngineUnavailable)):
        look(there.engine(), options(), a_memory())


def test_an_old_label_beside_a_younger_object(there: Belongings, tmp_path: Path) -> None:
    """A job lives whose one object names an owner that is gone and another one that works."""
    with living() as process:
        there.have(objects_of(belonging(dead_owner()))[1:])
        young = belonging(owner_of(process.pid), temp_dir=str(tmp_path))
        there.have(objects_of(young)[:1])

        (job,) = look(there.engine(), options(), a_memory()).jobs

    assert set(job.evidence.owners) == {Life.GONE, Life.ALIVE}
    assert job.judgement.verdict is Verdict.KEEP


@pytest.mark.parametrize(
    "label", ["", "1:unknown", "2:a:b:1:2:3:local", "1:a:b:c", "x" * 300, "1:::::"]
)
def test_labels_that_cannot_be_read(there: Belongings, label: str) -> None:
    """An owner that cannot be read is none that is gone."""
    dead = belonging(dead_owner())
    there.have(objects_of(dead))
    broken = listed("container", f"dind-executor-{KEY}-helper", dead)
    labels = broken["Labels"]
    assert isinstance(labels, dict)
    labels["dind-executor.owner"] = label
    there.have([("container", broken)])

    (job,) = look(there.engine(), options(), a_memory()).jobs

    assert job.judgement == (Verdict.UNDECIDED, "owner-unknown")


def test_an_image_of_a_job_s_container(there: Belongings) -> None:
    """Somebody's container that has a dead job's labels keeps that job's objects from being removed."""
    dead = belonging(dead_owner())
    there.have([*objects_of(dead), ("container", listed("container", "web", dead))])

    (job,) = look(there.engine(), options(), a_memory()).jobs

    assert job.judgement == (Verdict.UNDECIDED, "other-object")


def test_a_cleanup_that_failed_is_seen_twice(there: Belongings, tmp_path: Path) -> None:
    """A living runner's job goes when its directories are seen gone two minutes apart, not before."""
    with living() as process:
        there.have(objects_of(belonging(owner_of(process.pid), temp_dir=f"{tmp_path}/gone")))
        first = look(there.engine(), options(), a_memory())
        known = first.memory.gone
        soon = a_memory(now=first.memory.now + GONE_SECONDS - 1, gone=dict(known))
        late = a_memory(now=first.memory.now + GONE_SECONDS + 1, gone=dict(known))
        again = look(there.engine(), options(), soon)
        last = look(there.engine(), options(), late)

    assert known == {KEY: first.memory.now}
    judged = [each.jobs[0].judgement.reason for each in (first, again, last)]
    assert judged == ["seen-once", "seen-once", "cleanup-failed"]


def test_a_directory_that_is_there_again_is_forgotten_as_gone(
    there: Belongings, tmp_path: Path
) -> None:
    """What was seen gone once, and is there, begins anew; so do jobs that are not there any more."""
    with living() as process:
        there.have(objects_of(belonging(owner_of(process.pid), temp_dir=str(tmp_path))))
        before = a_memory(gone={KEY: 1.0, OTHER: 1.0}, ended={OTHER: 1.0}, over={KEY: 1.0})

        seen = look(there.engine(), options(), before)

    assert seen.memory[1:] == ({}, {KEY: 1.0}, {}, {}, {}, {}, {})


def test_the_network_of_a_job_that_pulls(there: Belongings, tmp_path: Path) -> None:
    """A second attempt of prepare that has made nothing yet keeps the first one's network."""
    with living() as process:
        first = belonging(owner_of(process.pid), temp_dir=f"{tmp_path}/custom-executor1")
        there.have(objects_of(first)[1:2])
        second = first._replace(temp_dir=f"{tmp_path}/custom-executor2")
        attempt(tmp_path, 2, second.labels())
        long_ago = a_memory(gone={KEY: 1.0})

        (job,) = look(there.engine(), options(), long_ago).jobs

    assert job.evidence.directories is Directories.THERE
    assert job.judgement.verdict is Verdict.KEEP


def test_a_job_that_was_killed_before_it_had_an_object(there: Belongings, tmp_path: Path) -> None:
    """The note beside the payload is enough to know a dead runner's job; our own one is left out."""
    dead = belonging(dead_owner(), temp_dir=f"{tmp_path}/custom-executor1")
    attempt(tmp_path, 1, dead.labels())
    own = attempt(tmp_path, 2, {**dead.labels(), LABEL: OTHER})
    where = options(parents=(str(tmp_path),), uids=frozenset({0}), own_temp_dir=str(own))

    (job,) = look(there.engine(), where, a_memory()).jobs

    assert (job.found.key, job.judgement.verdict) == (KEY, Verdict.REMOVE)
    assert [each.path for each in job.found.directories] == [f"{tmp_path}/custom-executor1"]


def test_a_prepare_does_not_sweep_its_own_job(there: Belongings) -> None:
    """Also where its own gitlab-runner has died: the next sweep ends it and removes its objects."""
    there.have(objects_of(belonging(dead_owner())))

    own = look(there.engine(), options(own_temp_dir="/tmp/custom-executor1"), a_memory())
    next_one = look(there.engine(), options(own_temp_dir="/tmp/custom-executor2"), a_memory())

    assert own.jobs == ()
    assert len(next_one.jobs) == 1


def test_stages_that_outlived_their_runner(there: Belongings, tmp_path: Path) -> None:
    """They are counted where the owner is dead: they end before anything is removed."""
    there.have(objects_of(belonging(dead_owner(), temp_dir=str(tmp_path))))
    with living(env={"TMPDIR": str(tmp_path)}):
        (job,) = look(there.engine(), options(), a_memory()).jobs

    assert (job.evidence.stages, job.judgement.verdict) == (1, Verdict.REMOVE)


def test_a_stage_of_a_job_that_nobody_can_tell_of(there: Belongings, tmp_path: Path) -> None:
    """What somebody asks GitLab about is looked at more closely: a stage that is seen is a sign of life."""
    remote = belonging(dead_owner()._replace(local=False), temp_dir=str(tmp_path))
    there.have(objects_of(remote))
    with living(env={"TMPDIR": str(tmp_path)}):
        (seen,) = look(there.engine(), options(), a_memory()).jobs
        (asked,) = look(there.engine(), options(by="reap"), a_memory()).jobs

    assert seen.judgement == (Verdict.UNDECIDED, "owner-unknown")
    assert asked.told(Word.OVER, 1e9).judgement == (Verdict.KEEP, "stage-alive")


def test_a_deadline_that_has_passed(there: Belongings) -> None:
    """It is seen, and decides only where somebody lets it."""
    there.have(objects_of(belonging(None, deadline=1)))

    (job,) = look(there.engine(), options(), a_memory()).jobs

    assert job.judgement == (Verdict.UNDECIDED, "past-deadline")
    assert job.told(Word.NOT_ASKED, expired=True).judgement.verdict is Verdict.REMOVE


def test_a_container_that_the_owner_lives_in(there: Belongings) -> None:
    """The engine is asked for it, and that it is gone is proof."""
    owner = dead_owner()._replace(namespace="1")
    container = "c" * 64
    there.have(objects_of(belonging(owner, container=f"{container}@2026-11-28T20:00:00Z")))
    gone = refusal(404, f"No such container: {container}")
    there.stub.on("GET", f"/containers/{container}/json", gone)

    (job,) = look(there.engine(), options(), a_memory()).jobs

    assert job.judgement == (Verdict.REMOVE, "container-gone")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-5, (Verdict.REMOVE, "rebooted")), (5, (Verdict.UNDECIDED, "owner-unknown"))],
)
def test_what_is_younger_than_this_boot_is_of_no_earlier_one(
    there: Belongings, seconds: int, expected: tuple[Verdict, str]
) -> None:
    """A clone of this host that reaches the engine by a forwarded socket has another boot id too."""
    said = belonging(dead_owner()._replace(boot="1b5d4c6e-7f3a-4c69-9a57-5f1f2f0f6a11"))
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    build = listed("container", JobNames(said.key).build, said, Created=int(booted + seconds))
    there.have([("container", build)])

    (job,) = look(there.engine(), options(), a_memory(), view()).jobs

    assert job.judgement == expected


@pytest.mark.parametrize("answer", [refusal(404, "page not found"), http(200, {}), http(200, [])])
def test_a_container_that_a_proxy_hides(there: Belongings, answer: bytes) -> None:
    """Nothing is known of any job where a container is listed, and not there when it is asked for."""
    owner, container = dead_owner()._replace(namespace="1"), "c" * 64
    said = belonging(owner, container=f"{container}@2026-11-28T20:00:00Z")
    there.have([*objects_of(said), ("container", {"Id": container, "Labels": {}})])
    there.stub.on("GET", f"/containers/{container}/json", answer)

    with pytest.raises(EngineRefused, match="and does not show it"):
        look(there.engine(), options(), a_memory())


def test_a_look_can_have_other_jobs(there: Belongings) -> None:
    """Whoever looked may choose among the jobs; what was seen stays."""
    there.have([*objects_of(belonging(None)), *objects_of(belonging(None, OTHER))])
    seen = look(there.engine(), options(), a_memory())

    chosen = seen.of(each for each in seen.jobs if each.found.key == OTHER)

    assert [each.found.key for each in chosen.jobs] == [OTHER]
    assert chosen.memory is seen.memory


# --- unsigned directories ------------------------------------------------------------------------


UNSIGNED = job_key(17, TOKEN, str(payload()["git_info"]["repo_url"]))  # type: ignore[index]


@pytest.fixture
def unsigned(tmp_path: Path, mocker: MockerFixture) -> Path:
    """What a gitlab-runner leaves that is killed before config has noted its name."""
    have_own_machine(mocker)
    place = tmp_path / "tmp" / "custom-executor1"
    place.mkdir(parents=True)
    place.chmod(0o700)
    (place / "response.json").write_text(json.dumps(payload()))
    return place


def in_its_parent(unsigned: Path, **more: Any) -> Options:
    return options(parents=(str(unsigned.parent),), uids=frozenset({os.getuid()}), **more)


def test_an_unsigned_directory_without_a_gitlab_runner(there: Belongings, unsigned: Path) -> None:
    """Its job may be removed, by the key that its objects would have."""
    (job,) = look(there.engine(), in_its_parent(unsigned), a_memory()).jobs

    assert (job.found.key, job.found.job_id) == (UNSIGNED, "17")
    assert job.judgement == (Verdict.REMOVE, "owner-gone")


def test_the_job_that_sweeps_was_given_out_before(there: Belongings, unsigned: Path) -> None:
    """GitLab gives a job out again that has not started as far as it knows: it is the sweeping one."""
    how = in_its_parent(unsigned, own_key=UNSIGNED)

    assert look(there.engine(), how, a_memory()).jobs == ()


def test_a_job_that_lives_was_given_out_before(there: Belongings, unsigned: Path) -> None:
    """The living gitlab-runner that has the job now outweighs the dead one that had it."""
    again = unsigned.parent / "custom-executor2"
    again.mkdir(mode=0o700)
    with gitlab_runner(unsigned.parent, logs=("trace123456",), stages=[again]) as runner:
        sign(again, runner.pid, UNSIGNED)

        (job,) = look(there.engine(), in_its_parent(unsigned), a_memory()).jobs

    assert set(job.evidence.owners) == {Life.ALIVE, Life.GONE}
    assert job.judgement == (Verdict.KEEP, "owner-alive")


def test_an_idle_gitlab_runner_is_seen_twice(there: Belongings, unsigned: Path) -> None:
    """Two minutes later nobody has come who could be the job's gitlab-runner."""
    with gitlab_runner(unsigned.parent):
        first = look(there.engine(), in_its_parent(unsigned), a_memory())
        assert first.jobs[0].judgement == (Verdict.UNDECIDED, "seen-once")
        assert first.memory.idle == {UNSIGNED: first.memory.now}

        soon = first.memory._replace(now=first.memory.now + GONE_SECONDS - 1)
        (again,) = look(there.engine(), in_its_parent(unsigned), soon).jobs
        assert again.judgement == (Verdict.UNDECIDED, "seen-once")

        later = first.memory._replace(now=first.memory.now + GONE_SECONDS + 1)
        (job,) = look(there.engine(), in_its_parent(unsigned), later).jobs
    assert job.judgement == (Verdict.REMOVE, "owner-gone")


def test_objects_name_an_unsigned_directory(there: Belongings, unsigned: Path) -> None:
    """It is theirs, and nothing is said of it: its note may have found no room on a full disk."""
    there.have_jobs(belonging(None, temp_dir=str(unsigned)))

    for by in ("prepare", "reap"):
        (job,) = look(there.engine(), in_its_parent(unsigned, by=by), a_memory()).jobs

        assert (job.found.key, job.found.directories) == (KEY, ())
        assert job.judgement.verdict is Verdict.UNDECIDED


def test_more_logs_than_jobs(there: Belongings, unsigned: Path) -> None:
    """A job that died before all else has left a log and no directory."""
    (unsigned.parent / "trace123456").touch()
    assert not look(there.engine(), in_its_parent(unsigned), a_memory()).has_stray_logs

    (unsigned.parent / "trace234567").touch()
    assert look(there.engine(), in_its_parent(unsigned), a_memory()).has_stray_logs
