"""The engine's socket, the log, the clock and containers, in cases beside those of the table."""

from pathlib import Path

from executor.commands.doctor.files import User
from executor.engine.description import Description
from tests.commands.doctor.hosts import SOCKET, Host


def test_a_file_that_is_no_socket_is_found(tmp_path: Path) -> None:
    """A directory that Docker has made where the socket was to be mounted is not one."""
    host = Host(tmp_path)
    host.write({SOCKET: None})
    (tmp_path / SOCKET.lstrip("/")).mkdir()

    assert "not a socket" in host.found("engine-socket")[0].found


def test_a_user_in_the_right_group_may_ask(tmp_path: Path) -> None:
    """The group of the socket counts, whoever owns it."""
    gid = tmp_path.stat().st_gid
    host = Host(tmp_path, more={"user": User("gitlab-runner", 995, frozenset({gid}), "its unit")})
    assert [each.level for each in host.found("engine-socket")] == ["ok"]


def test_a_log_elsewhere_than_in_a_file_is_right(tmp_path: Path) -> None:
    """The journal needs no file, and a state directory is looked at nevertheless."""
    host = Host(
        tmp_path, settings='[log]\ndestination = "journal"\n[sweep]\nstate_dir = "/var/none"\n'
    )

    assert [each.found for each in host.found("log")] == [
        "`[sweep] state_dir` cannot be written by gitlab-runner's user: /var/none is not there"
    ]


def test_an_engine_without_a_clock_is_not_judged(tmp_path: Path) -> None:
    """Where nobody says what time it is, the check is skipped."""
    host = Host(tmp_path)
    host.info.pop("SystemTime")

    assert [each.level for each in host.found("clock")] == ["skip"]


def test_mounted_directories_of_a_container_pass(tmp_path: Path) -> None:
    """A gitlab-runner in a container whose directories are the host's is right."""
    mounts = ("/var/log/dind-executor", "/var/lib/dind-executor", "/etc/gitlab-runner")
    lines = "".join(f"1 1 0:1 / {each} rw - ext4 a\n" for each in mounts)
    host = Host(tmp_path, more={"container": "0" * 64})
    host.write({"/proc/self/mountinfo": lines})

    assert [each.level for each in host.found("runner-container")] == ["ok"]


def test_who_may_not_ask_hears_so(tmp_path: Path) -> None:
    """A user without access to the engine has not found a fault of gitlab-runner's user."""
    problem = "The Docker Engine at unix:///x cannot be reached: Permission denied. Check."
    host = Host(tmp_path, more={"engine": Description({}, {}, [], [], problem)})

    (found,) = host.found("engine-socket")

    assert found.level == "skip"
    assert "as root" in found.found


def test_a_log_that_is_no_file_needs_no_room(tmp_path: Path) -> None:
    """In a container the log may go to the output of gitlab-runner, in a file system without blocks."""
    host = Host(tmp_path, settings='[log]\npath = "/proc/1/fd/2"\n')
    (tmp_path / "proc/1").symlink_to("/proc/self", target_is_directory=True)

    assert [each.level for each in host.found("disk")] == ["ok"]
