"""What the kernel knows of a container's first process, by both versions of control groups."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from executor.host.sidecar import FirstProcess

CONTAINER = "c0ffee" * 10 + "abcd"
DOCKER = f"/docker/{CONTAINER}"
SLICE = f"/jobs.slice/docker-{CONTAINER}.scope"


class Host:
    """A host with one process, whose files are a test's."""

    def __init__(self, directory: Path) -> None:
        self.proc, self.cgroups = directory / "proc", directory / "cgroup"
        (self.proc / "77" / "root" / "run").mkdir(parents=True)
        self.root = self.proc / "77" / "root"

    def says(self, *lines: str) -> None:
        (self.proc / "77" / "cgroup").write_text("".join(f"{each}\n" for each in lines))

    def counts(self, path: str, text: str) -> None:
        place = self.cgroups / path.lstrip("/")
        place.parent.mkdir(parents=True)
        place.write_text(text)

    def process(self) -> FirstProcess:
        return FirstProcess(77, CONTAINER, str(self.proc), str(self.cgroups))

    def peak(self) -> int | None:
        process = self.process()
        with closing(process):
            return process.peak_memory()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Return a host."""
    return Host(tmp_path)


@pytest.mark.parametrize("place", [DOCKER, SLICE])
def test_the_peak_by_version_1(host: Host, place: str) -> None:
    """The memory controller has a tree of its own."""
    host.says(f"9:name=systemd:{place}", f"4:memory:{place}", "0::/elsewhere")
    host.counts(f"memory{place}/memory.max_usage_in_bytes", "123456\n")

    assert host.peak() == 123456


def test_the_peak_of_controllers_that_share_a_tree(host: Host) -> None:
    """Of version 1, some have several names."""
    host.says(f"4:cpu,memory:{DOCKER}")
    host.counts(f"memory{DOCKER}/memory.max_usage_in_bytes", "5\n")

    assert host.peak() == 5


@pytest.mark.parametrize("below", ["", "/init"])
@pytest.mark.parametrize("place", [DOCKER, SLICE])
def test_the_peak_by_version_2(host: Host, place: str, below: str) -> None:
    """dind's processes lie in a group below, and the container's own counts."""
    host.says(f"0::{place}{below}")
    host.counts(f"{place}/memory.peak", "123456\n")

    assert host.peak() == 123456


@pytest.mark.parametrize(
    "line",
    ["0::/docker/another", f"0::/../..{DOCKER}", "0::/", "nonsense", ""],
)
def test_another_process_has_no_peak(host: Host, line: str) -> None:
    """Its number was given again, or it is seen from a container."""
    host.says(line)
    host.counts("docker/another/memory.peak", "1\n")

    assert host.peak() is None
    with closing(host.process()) as process, pytest.raises(ProcessLookupError):
        process.socket("run", "docker.sock")


@pytest.mark.parametrize("text", ["", "max\n", None])
def test_a_kernel_that_does_not_say(host: Host, text: str | None) -> None:
    """It is older, or says something else."""
    host.says(f"0::{DOCKER}")
    if text is not None:
        host.counts(f"{DOCKER}/memory.peak", text)

    assert host.peak() is None


def test_no_such_process(host: Host) -> None:
    """The container has ended meanwhile."""
    with pytest.raises(FileNotFoundError):
        FirstProcess(78, CONTAINER, str(host.proc), str(host.cgroups))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Path]:
    """Return a socket of the host."""
    path = tmp_path / "host.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        yield path


def test_the_containers_socket(host: Host, daemon: Path) -> None:
    """It is reached by its descriptor, whatever takes its name afterwards."""
    host.says(f"0::{DOCKER}")
    os.link(daemon, host.root / "run" / "docker.sock")
    with closing(host.process()) as process:
        found = process.socket("run", "docker.sock")
    (host.root / "run" / "docker.sock").unlink()

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(f"/proc/self/fd/{found}")
    os.close(found)


def test_no_link_leads_to_a_socket_of_the_host(host: Host, daemon: Path) -> None:
    """A job is root in its sidecar, and the host's engine has a socket of the same name."""
    host.says(f"0::{DOCKER}")
    (host.root / "run" / "docker.sock").symlink_to(daemon)
    (host.root / "var").symlink_to(daemon.parent)
    (host.root / "run" / "file").touch()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (its own descriptors)

    with closing(host.process()) as process:
        for path in (("run", "docker.sock"), ("var", daemon.name), ("run", "file"), ("run", "no")):
            with pytest.raises(OSError, match=r".*"):
                process.socket(*path)

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
