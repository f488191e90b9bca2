"""The gitlab-runners that live, what they have open, and where they can be seen from."""

import os
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.sweep import makers as rooms
from executor.sweep.makers import (
    JobLog,
    Maker,
    Unseen,
    are_in_control,
    held_by_others,
    logs_in,
    makers,
)
from tests.sweep.left import living, owner_of
from tests.sweep.runners import gitlab_runner

MINE = os.getuid()

pytestmark = pytest.mark.usefixtures("whole_machine")


def identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def test_what_a_gitlab_runner_has_open(parent: Path) -> None:
    """Each log once, also one that somebody has removed; other files do not count."""
    names = ("trace123456", "trace234567", "trace345678", "report", "trace1.txt")
    with gitlab_runner(parent, logs=names) as runner:
        logs = {identity(parent / each) for each in names[:3]}
        (parent / "trace345678").unlink()

        (found,) = makers(str(parent), MINE)

        assert found == Maker(
            runner.pid,
            owner_of(runner.pid).started,
            frozenset(logs),
            identity(Path(f"/proc/{runner.pid}/exe")),
        )


def test_only_those_that_make_their_directories_there(parent: Path, tmp_path: Path) -> None:
    """A gitlab-runner with another TMPDIR, a program of another name, and another user's are none."""
    (tmp_path / "other").mkdir()
    with (
        gitlab_runner(tmp_path / "other"),
        gitlab_runner(parent, name="runner"),
        gitlab_runner(parent, name="gitlab-runner-2") as second,
    ):
        assert [each.pid for each in makers(str(parent), MINE)] == [second.pid]
        assert makers(str(parent), MINE + 1) == []


def test_a_place_relative_to_where_it_works(parent: Path) -> None:
    """TMPDIR may be no absolute path."""
    before = ("sh", "-c", f'cd {parent.parent} && exec "$@"', "sh")
    with gitlab_runner(parent, before=before, environment={"TMPDIR": "tmp"}):
        assert len(makers(str(parent), MINE)) == 1


def test_a_place_that_somebody_removed(parent: Path, tmp_path: Path) -> None:
    """Whoever has another place, and has lost it, makes nothing here."""
    other = tmp_path / "other"
    other.mkdir()
    with gitlab_runner(other), gitlab_runner(parent) as here:
        other.rmdir()

        assert [each.pid for each in makers(str(parent), MINE)] == [here.pid]


def test_a_place_that_is_not_seen_as_it_is(parent: Path, mocker: MockerFixture) -> None:
    """In a container, a path may be one that is only missing from here."""
    with gitlab_runner(parent, environment={"TMPDIR": str(parent / "none")}):
        mocker.patch.object(rooms, "_has_our_root", return_value=False)

        with pytest.raises(Unseen):
            makers(str(parent), MINE)


def test_one_that_ends_while_it_is_looked_at(parent: Path, mocker: MockerFixture) -> None:
    """It is gone, and hides nothing; one that stays and cannot be looked at may hide anything."""
    with gitlab_runner(parent) as runner:
        mocker.patch.object(rooms, "open_logs", side_effect=PermissionError)
        with pytest.raises(Unseen):
            makers(str(parent), MINE)

        def end(*_: object) -> None:
            runner.kill()
            runner.wait()
            raise FileNotFoundError

        mocker.patch.object(rooms, "open_logs", side_effect=end)
        assert makers(str(parent), MINE) == []


def test_the_file_system_of_a_place(parent: Path) -> None:
    """The kernel says which one it is; what it does not say is none that can be trusted."""
    for place, kind in (("/proc", "proc"), ("/dev/shm", "tmpfs")):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            assert rooms._file_system(descriptor, "/proc") == kind
        finally:
            os.close(descriptor)
    with pytest.raises(Unseen, match="other machines"):
        makers("/proc/self", MINE)
    assert makers(str(parent), MINE) == []


def test_control_is_a_log_of_the_same_program() -> None:
    """One without jobs keeps its logs as another one of its program does; else nobody knows."""
    busy, idle = Maker(1, 1, frozenset({(1, 1)}), (5, 5)), Maker(2, 1, frozenset(), (5, 5))
    other = idle._replace(program=(6, 6))

    assert are_in_control([])
    assert are_in_control([busy, idle])
    assert not are_in_control([idle])
    assert not are_in_control([busy, idle, other])


def test_logs_of_a_place(parent: Path) -> None:
    """Regular files of the user whose names are those of job logs."""
    for name in ("trace1", "trace", "trace12x", "other"):
        (parent / name).touch()
    (parent / "trace2").symlink_to("trace1")
    (parent / "trace3").touch()
    os.chown(parent / "trace3", 12345, 12345)

    assert logs_in(str(parent), MINE) == [JobLog("trace1", *identity(parent / "trace1"))]


def test_a_log_that_no_gitlab_runner_has(parent: Path) -> None:
    """Another program has it open, or nobody has."""
    for name in ("trace1", "trace2", "trace3"):
        (parent / name).touch()
    one, two, three = sorted(logs_in(str(parent), MINE))
    known = Maker(1, 1, frozenset({one.identity}), (5, 5))
    hold = f"import signal; f = open({str(parent / 'trace2')!r}); print(flush=True); signal.pause()"
    with living(hold):
        assert held_by_others([one, two, three], [known], MINE) == [two]
        assert held_by_others([one], [known], MINE) == []
