"""Which gitlab-runner a process works for, as /proc tells it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from executor.host.owner import (
    find_owner,
    lives,
    machine_id,
    own_container,
    pid_namespace,
    read_process,
    this_host,
)
from executor.notation.owner import NO_MACHINE, Owner

BOOT = "0b5d4c6e-7f3a-4c69-9a57-5f1f2f0f6a11"
HOST, INNER = "4026531836", "4026532999"
SELF = 300
CONTAINER, OTHER = "c" * 64, "0a" * 32
HASH = "15d68d6258c666a4"


@dataclass(frozen=True)
class Sample:
    """A process of a made-up /proc."""

    parent: int
    name: str = "python"
    group: int = 0
    """Its own number where 0."""
    started: int = 1000
    numbers: tuple[int, ...] = ()
    """Its numbers in inner namespaces."""
    namespace: str = HOST
    """Empty: it may not be looked at."""
    state: str = "S"
    threads: int = 1
    program: str = ""
    """Its name where empty."""


def a_proc(directory: Path, processes: Mapping[int, Sample]) -> str:
    """Write a /proc with these processes; number SELF is the one that looks."""
    proc = directory / "proc"
    boot = proc / "sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text(f"{BOOT}\n")
    for pid, each in processes.items():
        (proc / str(pid) / "ns").mkdir(parents=True)
        before = " ".join("0" for _ in range(14))
        (proc / f"{pid}/stat").write_text(
            f"{pid} ({each.name}) {each.state} {each.parent} {each.group or pid} {before}"
            f" {each.threads} 0 {each.started} 8192 3\n"
        )
        (proc / f"{pid}/cmdline").write_text(f"/usr/bin/{each.program or each.name}\0run\0")
        numbers = "\t".join(map(str, (pid, *each.numbers)))
        (proc / f"{pid}/status").write_text(
            f"Name:\tx\nPid:\t{pid}\nNSpid:\t{numbers}\nThreads:\t1\n"
        )
        if each.namespace:
            (proc / f"{pid}/ns/pid").symlink_to(f"pid:[{each.namespace}]")
    (proc / "self").symlink_to(str(SELF))
    return str(proc)


def found(directory: Path, processes: Mapping[int, Sample]) -> Owner | None:
    """Return the owner that is found among these processes."""
    machine = directory / "machine-id"
    machine.write_text("0123456789abcdef0123456789abcdef\n")
    proc = a_proc(directory, processes)
    return find_owner(local=True, proc=proc, machine_id_file=str(machine))


def the_owner(pid: int = 200, started: int = 500) -> Owner:
    """Return the owner of this number."""
    return Owner(HASH, BOOT, HOST, pid, started, local=True)


RUNNER = Sample(1, "gitlab-runner", started=500)
INIT = Sample(0, "systemd", started=1)


@pytest.mark.parametrize(
    "between",
    [
        {SELF: Sample(200)},
        # a wrapper script, without and with another one
        {250: Sample(200, "prepare.sh"), SELF: Sample(250, group=250)},
        {240: Sample(200, "a"), 250: Sample(240, "b", 240), SELF: Sample(250, group=240)},
        # sudo, which gives what it runs a group of its own
        {250: Sample(200, "sudo"), SELF: Sample(250)},
        # a wrapper that is called so, in the group of what it calls
        {250: Sample(200, "gitlab-runner-p"), SELF: Sample(250, group=250)},
        {240: Sample(200, "gitlab-runner"), 250: Sample(240, "sudo", 240), SELF: Sample(250)},
        # a script that is called so, and gives what it calls a group of its own
        {
            240: Sample(200, "gitlab-runner-p", program="sh"),
            250: Sample(240, "timeout"),
            SELF: Sample(250, group=250),
        },
    ],
)
def test_the_nearest_gitlab_runner_is_found(tmp_path: Path, between: dict[int, Sample]) -> None:
    """Wrappers may lie in between, whatever they are called."""
    assert found(tmp_path, {1: INIT, 200: RUNNER, **between}) == the_owner()


@pytest.mark.parametrize("name", ["gitlab-runner", "gitlab-runner-l"])
def test_the_program_may_be_called_after_its_platform(tmp_path: Path, name: str) -> None:
    """Downloads are called gitlab-runner-linux-amd64, of which the kernel keeps 15 bytes."""
    processes = {1: INIT, 200: Sample(1, name, started=500), SELF: Sample(200)}

    assert found(tmp_path, processes) == the_owner()


def test_of_two_the_inner_one_counts(tmp_path: Path) -> None:
    """`gitlab-runner wrapper` starts another one, which has the jobs."""
    outer = Sample(1, "gitlab-runner", started=400)
    inner = Sample(100, "gitlab-runner", started=500)

    assert found(tmp_path, {1: INIT, 100: outer, 200: inner, SELF: Sample(200)}) == the_owner()


@pytest.mark.parametrize(
    "processes",
    [
        {SELF: Sample(0)},
        {1: INIT, SELF: Sample(1)},
        {1: INIT, 200: Sample(1, "bash", started=500), SELF: Sample(200)},
        {1: INIT, 200: Sample(1, "my-gitlab-runne", started=500), SELF: Sample(200)},
        # not to be seen (hidepid), or gone
        {1: INIT, SELF: Sample(200)},
        {1: INIT, 200: RUNNER, SELF: Sample(250)},
        # the number is another process's by now
        {1: INIT, 200: RUNNER, SELF: Sample(200, started=499)},
        # in an inner namespace: its number is another one there
        {1: INIT, 200: Sample(1, "gitlab-runner", started=500, numbers=(7,)), SELF: Sample(200)},
        # nobody knows its namespace: neither it nor our own may be looked at
        {
            1: INIT,
            200: Sample(1, "gitlab-runner", started=500, namespace=""),
            SELF: Sample(200, numbers=(9,)),
        },
    ],
)
def test_nobody_is_named_on_a_guess(tmp_path: Path, processes: dict[int, Sample]) -> None:
    """Where no gitlab-runner can be seen for certain, the owner is not known."""
    assert found(tmp_path, processes) is None


def test_ancestors_in_a_circle_are_none(tmp_path: Path) -> None:
    """What is read while processes come and go may make no sense."""
    processes = {SELF: Sample(250), 250: Sample(260), 260: Sample(250)}

    assert found(tmp_path, processes) is None


def test_another_users_runner(tmp_path: Path) -> None:
    """sudo to another user: its namespace may not be read, and is that of /proc and of ourselves."""
    runner = Sample(1, "gitlab-runner", started=500, namespace="")

    assert found(tmp_path, {1: INIT, 200: runner, SELF: Sample(200)}) == the_owner()


def test_without_a_boot_id_nobody_is_named(tmp_path: Path) -> None:
    """A number and a time mean something since one boot only."""
    proc = a_proc(tmp_path, {1: INIT, 200: RUNNER, SELF: Sample(200)})
    Path(proc, "sys/kernel/random/boot_id").unlink()

    assert find_owner(local=True, proc=proc) is None


@pytest.mark.parametrize(
    "name", ["a) (b", "(", ")", "a b c d", "x) S 9 9 9", "line\nend", "gitlab-runner) S 1 ("]
)
def test_a_name_may_be_anything(tmp_path: Path, name: str) -> None:
    """Brackets, spaces and line ends in it change no field behind it."""
    proc = a_proc(tmp_path, {7: Sample(5, name, 6, 77)})

    process = read_process(7, proc)
    assert process
    assert (process.name, process.parent, process.group) == (name.encode(), 5, 6)
    assert (process.started, process.ended) == (77, False)


@pytest.mark.parametrize("text", ["", "7", "7 (a", "7 (a) S 1", "7 a S 1 2" + " 3" * 30])
def test_what_the_kernel_never_writes_is_no_process(tmp_path: Path, text: str) -> None:
    """A part of a line says nothing."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7/stat").write_text(text)

    assert read_process(7, str(tmp_path)) is None
    assert read_process(8, str(tmp_path)) is None


def test_a_host_without_an_id(tmp_path: Path) -> None:
    """The owner is known all the same: images of containers seldom have an id."""
    proc = a_proc(tmp_path, {1: INIT, 200: RUNNER, SELF: Sample(200)})

    owner = find_owner(local=False, proc=proc, machine_id_file=str(tmp_path / "none"))

    assert owner == Owner(NO_MACHINE, BOOT, HOST, 200, 500, local=False)
    here = this_host(proc, str(tmp_path / "none"))
    assert (here.machine, here.boot, here.namespace) == (NO_MACHINE, BOOT, HOST)


def test_where_a_process_lives_without_a_gitlab_runner(tmp_path: Path) -> None:
    """A command that a person typed, or a timer, has the same words for it."""
    (tmp_path / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    proc = a_proc(tmp_path, {SELF: Sample(0)})

    here = this_host(proc, str(tmp_path / "machine-id"))
    assert (here.machine, here.boot, here.namespace) == (HASH, BOOT, HOST)


def test_the_proc_of_an_outer_namespace_tells_no_namespace(tmp_path: Path) -> None:
    """Its numbers are not those of the namespace in which this process is."""
    proc = a_proc(tmp_path, {SELF: Sample(0, numbers=(1,), namespace=INNER)})

    assert pid_namespace("self", proc) == ""


def answering(error: type[OSError] | None) -> Callable[[int, int], None]:
    """Return what stands in for the kernel's answer to a signal."""

    def send(_pid: int, _signal: int) -> None:
        if error:
            raise error

    return send


@pytest.mark.parametrize(
    ("process", "error", "expected"),
    [
        (Sample(1, started=500), None, True),
        (Sample(1, started=500), PermissionError, True),
        (Sample(1, started=501), None, False),
        # its parent has not heard of its end yet; and another thread goes on
        (Sample(1, started=500, state="Z"), None, False),
        (Sample(1, started=500, state="Z", threads=2), None, True),
        (None, ProcessLookupError, False),
        # hidden by /proc, or gone since
        (None, PermissionError, None),
        (None, None, None),
    ],
)
def test_whether_a_process_goes_on(
    tmp_path: Path,
    process: Sample | None,
    error: type[OSError] | None,
    expected: bool | None,  # noqa: FBT001
) -> None:
    """Another one of its number is not it, and one that is hidden is not gone."""
    proc = a_proc(tmp_path, {SELF: Sample(0), **({200: process} if process else {})})

    assert lives(200, 500, proc, answering(error)) is expected


def test_a_real_process_that_ends() -> None:
    """It lives, is at its end until its parent hears of it, and then is gone."""
    child = subprocess.Popen(["sleep", "600"])
    begun = read_process(child.pid)
    assert begun
    seen = [lives(child.pid, begun.started), lives(child.pid, begun.started + 1)]
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    seen.append(lives(child.pid, begun.started))
    child.wait()
    seen.append(lives(child.pid, begun.started))

    assert seen == [True, False, False, False]


def test_the_kernels_own_words() -> None:
    """The real /proc is read: this process, its parent and group, and a child that began later."""
    this = read_process("self")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        begun = read_process(child.pid)
    finally:
        child.communicate()

    assert this
    assert begun
    assert (this.parent, this.group) == (os.getppid(), os.getpgrp())
    assert begun.parent == os.getpid()
    assert begun.started >= this.started
    assert pid_namespace() == str(Path("/proc/self/ns/pid").readlink())[5:-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0123456789abcdef0123456789abcdef\n", HASH),
        ("", ""),
        ("uninitialized\n", ""),
        ("0123456789ABCDEF0123456789abcdeg\n", ""),
    ],
)
def test_the_machines_id_is_not_shown_itself(tmp_path: Path, text: str, expected: str) -> None:
    """Labels have a digest of it; a host that has none yet has no digest either."""
    (tmp_path / "machine-id").write_text(text)

    assert machine_id(str(tmp_path / "machine-id")) == expected
    assert machine_id(str(tmp_path / "none")) == ""


def mounts(*lines: str) -> str:
    """Return the mounts of a container besides these lines."""
    return "\n".join(
        (
            "600 500 0:50 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/l,upperdir=/u",
            "601 600 0:53 / /proc rw,nosuid - proc proc rw",
            *lines,
            "",
        )
    )


def etc(directory: str, *names: str) -> tuple[str, ...]:
    """Return the mounts of files of such a directory in /etc."""
    return tuple(
        f"7{number} 600 8:1 {directory}/{name} /etc/{name} rw,relatime - ext4 /dev/sda1 rw"
        for number, name in enumerate(names)
    )


ALL = ("resolv.conf", "hostname", "hosts")
OF_DOCKER = f"/var/lib/docker/containers/{CONTAINER}"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (etc(OF_DOCKER, *ALL), CONTAINER),
        # the engine's data on a file system of its own; rootless; a file of the administrator's
        (etc(f"/containers/{CONTAINER}", *ALL), CONTAINER),
        (etc(f"/home/u/.local/share/docker/containers/{CONTAINER}", *ALL), CONTAINER),
        ((*etc(OF_DOCKER, "resolv.conf", "hostname"), *etc("/srv", "hosts")), CONTAINER),
        # control groups of version 1, and of version 2
        (
            (
                f"30 29 0:26 /docker/{CONTAINER} /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory",
                *etc(OF_DOCKER, *ALL),
            ),
            CONTAINER,
        ),
        (("30 29 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw", *etc(OF_DOCKER, *ALL)), CONTAINER),
        # a host's, which has mounts for its containers
        ((f"9 8 0:44 / {OF_DOCKER}/mounts/shm rw - tmpfs shm rw",), ""),
        (etc("/etc", *ALL), ""),
        ((), ""),
        # other engines': podman, containerd, CRI-O
        (etc(f"/containers/storage/overlay-containers/{CONTAINER}/userdata", *ALL), ""),
        (etc(f"/io.containerd.grpc.v1.cri/sandboxes/{CONTAINER}", *ALL), ""),
        # names that are none, and two at once
        (etc("/var/lib/docker/containers/short", *ALL), ""),
        (etc(f"/var/lib/docker/containers/{'x' * 64}", *ALL), ""),
        ((*etc(OF_DOCKER, "hosts"), *etc(f"/docker/containers/{OTHER}", "hostname")), ""),
        (("600", "600 500 0:50 /containers/x/hosts"), ""),
    ],
)
def test_which_container_this_seems_to_be(
    tmp_path: Path, lines: tuple[str, ...], expected: str
) -> None:
    """The engine mounts three files from a directory that is named after the container."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self/mountinfo").write_text(mounts(*lines))

    assert own_container(str(tmp_path)) == expected


def test_mounts_that_cannot_be_read_name_no_container(tmp_path: Path) -> None:
    """A /proc without them is no error."""
    assert own_container(str(tmp_path)) == ""
