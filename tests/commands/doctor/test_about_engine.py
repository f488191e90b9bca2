"""What engines of several kinds say of themselves, and what is said about it."""

from pathlib import Path

import pytest

from tests.commands.doctor.hosts import Host


@pytest.mark.parametrize(
    ("newest", "oldest"), [("1.41", "1.12"), ("1.47", "1.24"), ("1.52", "1.44")]
)
def test_versions_that_have_one_in_common_pass(tmp_path: Path, newest: str, oldest: str) -> None:
    """Engines from 20.10 to 29 pass, also 29.0, whose oldest version is 1.44."""
    host = Host(tmp_path)
    host.version.update(ApiVersion=newest, MinAPIVersion=oldest)

    assert [each.level for each in host.found("engine-version")] == ["ok"]


def test_an_engine_that_says_nothing_is_no_crash(tmp_path: Path) -> None:
    """An /info without any key leaves each check with a finding of its own."""
    host = Host(tmp_path)
    host.info.clear()

    for check in ("storage", "cgroup", "live-restore", "log-driver", "engine-warnings", "runtime"):
        assert [each.level for each in host.found(check)] == ["ok"], check


def test_the_containerd_store_is_right(tmp_path: Path) -> None:
    """Images in containerd (driver overlayfs) are as good as overlay2."""
    host = Host(tmp_path)
    host.info.update(
        Driver="overlayfs", DriverStatus=[["driver-type", "io.containerd.snapshotter.v1"]]
    )

    assert [each.level for each in host.found("storage")] == ["ok"]


def test_one_container_is_not_several(tmp_path: Path) -> None:
    """A number stands before the word that it asks for."""
    host = Host(tmp_path)
    host.containers.append({"Labels": {}})
    assert host.found("log-driver")[0].found.startswith("1 container outside of jobs")

    host.containers.append({"Labels": {}})
    assert host.found("log-driver")[0].found.startswith("2 containers outside of jobs")


def test_logs_of_jobs_need_no_bound_of_the_engine(tmp_path: Path) -> None:
    """A container of a job does not count, nor do others if daemon.json has a bound."""
    host = Host(tmp_path)
    host.containers.append({"Labels": {"dind-executor.job": "1"}})
    assert [each.level for each in host.found("log-driver")] == ["ok"]

    host.containers.append({"Labels": {}})
    host.write({"/etc/docker/daemon.json": '{"log-opts": {"max-size": "1m"}}'})
    assert [each.level for each in host.found("log-driver")] == ["ok"]
