"""Whether an unsigned directory has lost its gitlab-runner: what is proof, and what is none."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.runner import notes
from executor.sweep import makers, orphans
from executor.sweep.files import LeftDirectory, find_left
from executor.sweep.makers import Maker
from executor.sweep.orphans import lives_of_makers
from executor.sweep.verdict import Life
from tests.sweep.left import living, owner_of
from tests.sweep.runners import gitlab_runner, sign
from tests.sweep.samples import payload

MINE = (os.getuid(),)

pytestmark = pytest.mark.usefixtures("whole_machine")


def a_directory(parent: Path, number: int) -> Path:
    made = parent / f"custom-executor{number}"
    made.mkdir(mode=0o700)
    (made / "response.json").write_text(json.dumps(payload()))
    return made


@pytest.fixture
def left(parent: Path) -> LeftDirectory:
    """What a gitlab-runner leaves that is killed before config has noted it."""
    a_directory(parent, 1)
    (found,) = find_left(str(parent), "", MINE)
    assert not found.is_signed
    return found


def life(left: LeftDirectory, own: str = "") -> Life:
    """Return what is known of the gitlab-runner that made the directory."""
    return lives_of_makers([left], own)[left.path]


# --- proof ---------------------------------------------------------------------------------------


def test_without_any_gitlab_runner_it_is_gone(left: LeftDirectory) -> None:
    """Nobody lives who has the directory."""
    assert life(left) is Life.GONE


def test_a_gitlab_runner_whose_jobs_are_all_known(left: LeftDirectory, parent: Path) -> None:
    """Each log that it has open is of a job whose stage runs: none is left for the directory."""
    jobs = [a_directory(parent, 2), a_directory(parent, 3)]
    with gitlab_runner(parent, logs=("trace123456", "trace234567"), stages=jobs) as runner:
        for each in jobs:
            sign(each, runner.pid)

        assert life(left) is Life.GONE


def test_the_job_that_looks_counts(
    left: LeftDirectory, parent: Path, mocker: MockerFixture
) -> None:
    """prepare itself is the stage of its job."""
    own = a_directory(parent, 2)
    sign(own, os.getppid())
    mine = owner_of(os.getppid())
    maker = Maker(mine.pid, mine.started, frozenset({(1, 2)}), (1, 3))
    mocker.patch.object(orphans, "makers", return_value=[maker])

    assert life(left, str(own)) is Life.GONE
    assert life(left) is Life.UNKNOWN


def test_a_gitlab_runner_with_another_place(left: LeftDirectory, tmp_path: Path) -> None:
    """It makes its directories elsewhere, whatever it has open there."""
    (tmp_path / "other").mkdir()
    with gitlab_runner(tmp_path / "other", logs=("trace123456",)):
        assert life(left) is Life.GONE


def test_a_gitlab_runner_that_has_ended(left: LeftDirectory, parent: Path) -> None:
    """One whose parent has not heard of its end yet has no job any more."""
    with gitlab_runner(parent, logs=("trace123456",)) as runner:
        runner.kill()
        os.waitid(os.P_PID, runner.pid, os.WEXITED | os.WNOWAIT)

        assert life(left) is Life.GONE


def test_an_idle_one_of_the_same_program(left: LeftDirectory, parent: Path) -> None:
    """Where one keeps the logs of its jobs, another one of the same program does."""
    job = a_directory(parent, 2)
    with (
        gitlab_runner(parent, logs=("trace123456",), stages=[job]) as runner,
        gitlab_runner(parent),
    ):
        sign(job, runner.pid)

        assert life(left) is Life.GONE


# --- none ----------------------------------------------------------------------------------------


def test_a_job_that_has_just_begun(left: LeftDirectory, parent: Path) -> None:
    """A living gitlab-runner has a log open of a job that nothing else is known of."""
    with gitlab_runner(parent, logs=("trace123456",)):
        assert life(left) is Life.UNKNOWN


def test_a_job_that_has_just_begun_beside_others(left: LeftDirectory, parent: Path) -> None:
    """One log more than there are jobs at work is that of this directory."""
    job = a_directory(parent, 2)
    with gitlab_runner(parent, logs=("trace123456", "trace234567"), stages=[job]) as runner:
        sign(job, runner.pid)

        assert life(left) is Life.UNKNOWN


@pytest.mark.parametrize("when", [0.0, 4e9])
def test_no_clock_counts(left: LeftDirectory, parent: Path, when: float) -> None:
    """The clock may have stepped by years between the directory and the look at it."""
    with gitlab_runner(parent, logs=("trace123456",)):
        os.utime(left.path, (when, when))
        os.utime(f"{left.path}/response.json", (when, when))

        assert life(left) is Life.UNKNOWN


def test_a_younger_gitlab_runner_beside_the_first(left: LeftDirectory, parent: Path) -> None:
    """That one of two began after the directory was made says nothing of the other one."""
    with gitlab_runner(parent, logs=("trace123456",)), gitlab_runner(parent):
        assert life(left) is Life.UNKNOWN


def test_a_job_between_two_stages(left: LeftDirectory, parent: Path) -> None:
    """No stage runs, so that its log may be that of another job: the next sweep looks again."""
    job = a_directory(parent, 2)
    with gitlab_runner(parent, logs=("trace123456",)) as runner:
        sign(job, runner.pid)

        assert life(left) is Life.UNKNOWN


def test_what_a_stage_has_left_running(left: LeftDirectory, parent: Path) -> None:
    """A process with a job's variables that gitlab-runner does not wait for is no stage of it."""
    job = a_directory(parent, 2)
    with (
        gitlab_runner(parent, logs=("trace123456",)) as runner,
        living(env={"TMPDIR": str(job)}),
    ):
        sign(job, runner.pid)

        assert life(left) is Life.UNKNOWN


def test_a_stage_of_another_gitlab_runner(left: LeftDirectory, parent: Path) -> None:
    """Each has as many logs as jobs, and none has a job too few for another one's too many."""
    job = a_directory(parent, 2)
    with (
        gitlab_runner(parent, logs=("trace123456",)),
        gitlab_runner(parent, stages=[job]) as other,
    ):
        sign(job, other.pid)

        assert life(left) is Life.UNKNOWN


def test_an_idle_one_alone(left: LeftDirectory, parent: Path) -> None:
    """It has no job, if it keeps its logs there: one more look must say the same."""
    with gitlab_runner(parent):
        assert life(left) is Life.IDLE


def test_another_way_to_the_same_place(left: LeftDirectory, parent: Path, tmp_path: Path) -> None:
    """A TMPDIR may be a link, or end with a slash."""
    (tmp_path / "link").symlink_to(parent)
    for path in (f"{tmp_path}/link", f"{parent}/"):
        with gitlab_runner(parent, logs=("trace123456",), environment={"TMPDIR": path}):
            assert life(left) is Life.UNKNOWN


def test_another_pid_namespace_below(left: LeftDirectory, parent: Path) -> None:
    """A gitlab-runner in a container that shares the place counts, whatever its numbers are there."""
    unshare = ("unshare", "--pid", "--fork", "--kill-child")
    with gitlab_runner(parent, logs=("trace123456",), before=unshare):
        assert life(left) is Life.UNKNOWN


def test_another_pid_namespace_above(left: LeftDirectory, mocker: MockerFixture) -> None:
    """From a container nobody can tell who else has the directory."""
    mocker.patch.object(makers, "_FIRST_NAMESPACE", "1")

    assert life(left) is Life.UNKNOWN


def test_a_private_place(left: LeftDirectory, parent: Path) -> None:
    """A gitlab-runner with a /tmp of its own is known by what it sees there, and not by the name."""
    for mount, seen in ((f"mount --bind {parent} /mnt", "/mnt"), ("true", str(parent))):
        within = ("unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh")
        there = {"TMPDIR": seen}
        with gitlab_runner(parent, logs=("trace123456",), before=within, environment=there):
            assert life(left) is Life.UNKNOWN
    hidden = ("unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {parent} && exec "$@"', "sh")
    with gitlab_runner(parent, logs=("trace123456",), before=hidden):
        assert life(left) is Life.GONE


def test_a_place_that_other_machines_have(left: LeftDirectory, mocker: MockerFixture) -> None:
    """A gitlab-runner of another host may have made it."""
    for kind in ("nfs4", "9p", "virtiofs", "ocfs2", ""):
        mocker.patch.object(makers, "_file_system", return_value=kind)

        assert life(left) is Life.UNKNOWN


def test_another_users(left: LeftDirectory, mocker: MockerFixture) -> None:
    """Who may not look at a user's processes knows nothing of them."""
    mocker.patch("os.geteuid", return_value=os.getuid() + 1)

    assert life(left) is Life.UNKNOWN


def test_a_gitlab_runner_that_cannot_be_looked_at(
    left: LeftDirectory, parent: Path, mocker: MockerFixture
) -> None:
    """What it has open is not known, so it may be anything."""
    with gitlab_runner(parent):
        mocker.patch.object(makers, "open_logs", side_effect=PermissionError)

        assert life(left) is Life.UNKNOWN


def test_a_gitlab_runner_of_another_name(left: LeftDirectory, parent: Path) -> None:
    """A program that has a job log open there is one, whatever it is called."""
    with gitlab_runner(parent, logs=("trace123456",), name="glr"):
        assert life(left) is Life.UNKNOWN


def test_a_note_that_has_come_meanwhile(left: LeftDirectory, parent: Path) -> None:
    """Its job is past config, and its gitlab-runner is judged by the note."""
    with gitlab_runner(parent) as runner:
        sign(Path(left.path), runner.pid)

        assert life(left) is Life.UNKNOWN


def test_another_directory_of_the_name(left: LeftDirectory) -> None:
    """What was made since is another job's."""
    Path(left.path).rename(f"{left.path}0")
    a_directory(Path(left.parent), 1)

    assert life(left) is Life.UNKNOWN


def test_a_note_that_names_nobody(parent: Path) -> None:
    """A config that outlived its gitlab-runner has found none to name: the directory is unsigned."""
    directory = a_directory(parent, 1)
    labels = {"dind-executor.job": "17-0123456789", "dind-executor.owner": "1:unknown"}
    notes.leave(str(directory), notes.OWNER, json.dumps(labels).encode())
    (found,) = find_left(str(parent), "", MINE)

    assert life(found) is Life.GONE
    with gitlab_runner(parent, logs=("trace123456",)):
        assert life(found) is Life.UNKNOWN


def test_the_kernel_is_asked_before_the_directory(
    left: LeftDirectory, parent: Path, mocker: MockerFixture
) -> None:
    """A job that begins and ends its config while somebody looks has its note at the end."""
    with gitlab_runner(parent) as runner:
        real = makers.makers

        def look(*words: str | int) -> list[Maker]:
            seen = real(*words)  # type: ignore[arg-type]
            sign(Path(left.path), runner.pid)
            return seen

        mocker.patch.object(orphans, "makers", side_effect=look)

        assert life(left) is Life.UNKNOWN


def test_processes_that_end_are_passed_over(left: LeftDirectory, parent: Path) -> None:
    """Whatever ends while the list of processes is read harms nobody."""
    with gitlab_runner(parent, logs=("trace123456",)):
        for _ in range(3):
            subprocess.run(["true"], check=True)

            assert life(left) is Life.UNKNOWN
