"""Where gitlab-runners of a host make temporary directories."""

import os
from pathlib import Path

from executor.commands.reap.places import parents, users

MINE = (os.getuid(),)


def a_process(
    root: Path, pid: int, name: str, *, sees: Path, environ: bytes = b"", inside: str = ""
) -> None:
    """Add a process to a root's /proc, with a root directory of its own.

    `inside` is its number in an inner PID namespace.
    """
    proc = root / "proc" / str(pid)
    proc.mkdir(parents=True)
    (proc / "comm").write_text(f"{name}\n")
    (proc / "environ").write_bytes(environ)
    (proc / "status").write_text(f"Name:\t{name}\nNSpid:\t{pid} {inside}\n")
    (proc / "root").symlink_to(sees)


def test_the_usual_place_alone(tmp_path: Path) -> None:
    """Without any gitlab-runner, /tmp may have what a dead one left."""
    (tmp_path / "tmp").mkdir()

    assert parents(MINE, tmp_path) == (str(tmp_path / "tmp"),)


def test_a_place_counts_once(tmp_path: Path) -> None:
    """A gitlab-runner that sees the same /tmp adds nothing."""
    (tmp_path / "tmp").mkdir()
    a_process(tmp_path, 7, "gitlab-runner", sees=tmp_path)

    assert parents(MINE, tmp_path) == (str(tmp_path / "tmp"),)


def test_a_gitlab_runner_with_a_tmp_of_its_own(tmp_path: Path) -> None:
    """PrivateTmp is seen through the process; other processes do not count."""
    for name in ("tmp", "inside/tmp", "other/tmp"):
        (tmp_path / name).mkdir(parents=True)
    a_process(tmp_path, 7, "gitlab-runner", sees=tmp_path / "inside")
    a_process(tmp_path, 8, "bash", sees=tmp_path / "other")

    assert parents(MINE, tmp_path) == (str(tmp_path / "tmp"), f"{tmp_path}/proc/7/root/tmp")


def test_a_process_in_a_container_is_no_gitlab_runner_of_ours(tmp_path: Path) -> None:
    """A job may call a process of its own so, and leave what it likes in the /tmp of its container."""
    for name in ("tmp", "inside/tmp"):
        (tmp_path / name).mkdir(parents=True)
    a_process(tmp_path, 7, "gitlab-runner", sees=tmp_path / "inside", inside="1")

    assert parents(MINE, tmp_path) == (str(tmp_path / "tmp"),)


def test_a_process_of_another_user_is_no_gitlab_runner_of_ours(tmp_path: Path) -> None:
    """Any user of the host may call a process so, and have a /tmp of his own."""
    for name in ("tmp", "inside/tmp"):
        (tmp_path / name).mkdir(parents=True)
    a_process(tmp_path, 7, "gitlab-runner", sees=tmp_path / "inside")
    os.chown(tmp_path / "proc/7", 12345, 12345)

    assert parents(MINE, tmp_path) == (str(tmp_path / "tmp"),)


def test_the_memory_of_sweeps_is_of_gitlab_runner_s_user(tmp_path: Path) -> None:
    """That user's directories count, and this one's; a missing memory is nobody's."""
    os.chown(tmp_path, 12345, 12345)

    assert users(str(tmp_path)) == {os.geteuid(), 12345}
    assert users("") == users(str(tmp_path / "gone")) == {os.geteuid()}


def test_a_gitlab_runner_with_a_tmpdir(tmp_path: Path) -> None:
    """TMPDIR of the process counts as it sees it; a relative one is none."""
    for name in ("tmp", "var/jobs"):
        (tmp_path / name).mkdir(parents=True)
    environ = b"A=1\0XTMPDIR=/nowhere\0TMPDIR=/var/jobs\0"
    a_process(tmp_path, 7, "gitlab-runner-h", sees=tmp_path, environ=environ)
    a_process(tmp_path, 8, "gitlab-runner", sees=tmp_path, environ=b"TMPDIR=jobs\0")

    assert parents(MINE, tmp_path) == (str(tmp_path / "tmp"), f"{tmp_path}/proc/7/root/var/jobs")


def test_what_systemd_has_not_removed_yet(tmp_path: Path) -> None:
    """The private /tmp of a unit whose gitlab-runner is dead counts."""
    private = tmp_path / "tmp/systemd-private-0123-gitlab-runner.service-x/tmp"
    private.mkdir(parents=True)

    assert parents(MINE, tmp_path) == (str(tmp_path / "tmp"), str(private))


def test_what_cannot_be_seen_is_left_out(tmp_path: Path) -> None:
    """A process that ends, or another user's, and a directory that is missing raise nothing."""
    a_process(tmp_path, 7, "gitlab-runner", sees=tmp_path / "gone")
    (tmp_path / "proc/9").mkdir()

    assert parents(MINE, tmp_path) == ()
