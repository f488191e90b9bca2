"""What an engine says of itself, judged: its kind, its version, what it can and how it stores.  Pure."""

from collections.abc import Iterator

from executor.bounds import whole_number
from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import Finding, counted, fail, ok, warn
from executor.engine.versions import NEWEST, OLDEST
from executor.engine.wire import as_table

_DAEMON = "/etc/docker/daemon.json"
_NO_WAY = ("nfs", "nfs4", "cifs", "overlayfs", "overlay", "aufs", "fuse", "ecryptfs", "9p")
"""File systems below the storage driver on which layers are slow, or not possible."""
_WARNINGS = {
    "no memory limit support": (
        "limits of memory have no effect: a job can take all memory of the host",
        "boot with `cgroup_enable=memory`",
    ),
    "no pids limit support": (
        "limits of processes have no effect: a job can take the host's last one",
        "use a kernel with the pids controller",
    ),
    "no cpu cfs quota support": (
        "limits of CPU time have no effect",
        "use a kernel with CFS quota",
    ),
    "ipv4 forwarding is disabled": (
        "IPv4 forwarding is off: no container reaches anything outside of the host",
        "`sysctl -w net.ipv4.ip_forward=1`, and a file in /etc/sysctl.d",
    ),
    "bridge-nf-call-iptables is disabled": (
        (
            "the kernel does not filter bridged packets: containers of one network reach each other past"
            " the engine's rules"
        ),
        "`modprobe br_netfilter`, and `sysctl -w net.bridge.bridge-nf-call-iptables=1`",
    ),
    "without tls": (
        "the engine listens on TCP without TLS: whoever reaches the port has this host",
        'remove the `tcp://` address from "hosts" in daemon.json, or add "tlsverify"',
    ),
}


def engine_version(facts: Facts) -> Iterator[Finding]:
    """Say whether the engine speaks a version of the API that dind-executor speaks."""
    told = facts.engine.version
    version = str(told.get("Version") or "(unknown)")
    newest, oldest = _version(told.get("ApiVersion")), _version(told.get("MinAPIVersion"))
    spoken = f"Docker Engine {version}, API {_text(oldest)} to {_text(newest)}"
    expected = f"Docker Engine 20.10 or later, with an API from {_text(OLDEST)} to {_text(NEWEST)}"
    if newest < OLDEST:
        yield fail(spoken, expected, "install a current Docker Engine")
    elif oldest > NEWEST:
        yield fail(
            spoken,
            expected,
            f'set "min-api-version": "{_text(NEWEST)}" in {_DAEMON}, or upgrade dind-executor',
        )
    yield ok(spoken)


def engine_kind(facts: Facts) -> Iterator[Finding]:
    """Say whether the engine is Docker's."""
    parts = facts.engine.version.get("Components")
    names = [str(as_table(each).get("Name")) for each in parts] if isinstance(parts, list) else []
    system = str(facts.engine.info.get("OperatingSystem") or "")
    expected = "a Docker Engine on Linux"
    if any("podman" in each.lower() for each in names):
        yield fail(
            f"{facts.address} is Podman's socket: dind-executor needs a Docker Engine, and jobs on"
            " Podman do not work",
            expected,
            "install a Docker Engine, and name its socket in `[docker] host` of the settings",
        )
    if "docker desktop" in system.lower():
        yield warn(
            "the engine is Docker Desktop's: its containers are in a virtual machine, whose network and"
            " disks are not seen from here",
            expected,
            "use a Docker Engine on a Linux host for jobs of others",
        )
    if str(facts.engine.info.get("OSType") or "linux") != "linux":
        yield fail("the engine runs Windows containers", expected, "use an engine on Linux")
    yield ok(f"{', '.join(names[:1]) or 'Docker Engine'} on {system or 'Linux'}")


def engine_warnings(facts: Facts) -> Iterator[Finding]:
    """Translate what the engine warns of, as far as it matters to jobs."""
    info = facts.engine.info
    told = info.get("Warnings")
    texts = [str(each).lower() for each in told] if isinstance(told, list) else []
    flags = {
        "no memory limit support": "MemoryLimit",
        "no pids limit support": "PidsLimit",
        "no cpu cfs quota support": "CpuCfsQuota",
        "ipv4 forwarding is disabled": "IPv4Forwarding",
    }
    for words, (found, remedy) in _WARNINGS.items():
        if any(words in each for each in texts) or info.get(flags.get(words, "")) is False:
            judge = fail if "forwarding" in words else warn
            yield judge(found, "an engine without this warning", remedy)
    yield ok("the engine warns of nothing that matters to jobs")


def storage(facts: Facts) -> Iterator[Finding]:
    """Say whether layers are stored in a way that builds can afford."""
    info = facts.engine.info
    name = str(info.get("Driver") or "unknown")
    pairs = info.get("DriverStatus")
    status = {
        str(each[0]): str(each[1])
        for each in (pairs if isinstance(pairs, list) else [])
        if isinstance(each, list) and len(each) == 2  # noqa: PLR2004
    }
    expected = "the storage driver overlay2, or the containerd image store, on ext4 or xfs"
    remedy = f'set "storage-driver": "overlay2" in {_DAEMON} and restart the engine'
    below = status.get("Backing Filesystem", "").lower()
    if name == "vfs":
        yield fail(
            "the storage driver is vfs: each layer is a whole copy, and disks fill within a few builds",
            expected,
            remedy,
        )
    elif name in {"aufs", "devicemapper", "overlay"}:
        yield warn(f"the storage driver is {name}, which Docker has removed", expected, remedy)
    if status.get("Supports d_type", "true").lower() == "false":
        yield fail(
            "the disk of the engine is xfs without ftype: layers on it lose files",
            expected,
            "make the file system again with `mkfs.xfs -n ftype=1`, or use ext4",
        )
    if below in _NO_WAY:
        yield fail(
            f"the data of the engine lies on {below}, where overlay2 does not work or not well",
            expected,
            f'put "data-root" in {_DAEMON} on a local disk with ext4 or xfs',
        )
    yield ok(f"{name} on {below or 'an unnamed file system'}")


def cgroup(facts: Facts) -> Iterator[Finding]:
    """Say whether control groups are of version 2, with the controllers that limits need."""
    version = str(facts.engine.info.get("CgroupVersion") or "")
    if version == "1":
        yield warn(
            "control groups are of version 1, which engines will refuse from 2029 on",
            "control groups of version 2",
            "boot with `systemd.unified_cgroup_hierarchy=1`, or a newer distribution",
        )
    if version == "2" and not facts.elsewhere:
        there = facts.files.text("/sys/fs/cgroup/cgroup.controllers").split()
        missing = [each for each in ("cpuset", "cpu", "memory", "pids") if each not in there]
        if there and missing:
            yield warn(
                f"control groups lack the controllers {', '.join(missing)}: such limits have no effect",
                "cpuset, cpu, memory and pids in /sys/fs/cgroup/cgroup.controllers",
                "enable them in the kernel's command line, or delegate them to this machine's slice",
            )
    yield ok(f"control groups of version {version or 'unknown'}")


def live_restore(facts: Facts) -> Iterator[Finding]:
    """Say that live-restore saves no job."""
    if facts.engine.info.get("LiveRestoreEnabled") is True:
        yield warn(
            "live-restore is on: containers outlive a restart of the engine, and jobs do not, since"
            " their scripts' connections break",
            "no restart of the engine while jobs run",
            f'stop gitlab-runner before the engine; "live-restore": false in {_DAEMON}',
        )
    yield ok("live-restore is off")


def log_limits(facts: Facts) -> Iterator[Finding]:
    """Say whether containers that are not of jobs have logs without a bound."""
    kind = str(facts.engine.info.get("LoggingDriver") or "")
    others = [each for each in facts.engine.containers if not _is_of_a_job(each)]
    bound = '"max-size"' in facts.files.text(_DAEMON)
    if kind == "json-file" and others and not bound and not facts.elsewhere:
        yield warn(
            f"{counted(len(others), 'container')} outside of jobs, with logs (json-file) without a bound",
            "a bound on each container's log; those of jobs have one by themselves",
            f'"log-opts": {{"max-size": "10m", "max-file": "3"}} in {_DAEMON}, and make them again',
        )
    yield ok(f"{kind or 'unknown'}; the logs of jobs' containers are bounded by themselves")


def _is_of_a_job(container: dict[str, object]) -> bool:
    return any("dind-executor" in each for each in as_table(container.get("Labels")))


def _version(told: object) -> tuple[int, ...]:
    numbers = (whole_number(each) for each in str(told or "").split("."))
    return tuple(each for each in numbers if each is not None) or (0,)


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
