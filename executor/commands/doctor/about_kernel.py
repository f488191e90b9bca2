"""What the kernel of the engine's host has, and how much of what it counts.  Pure, on what was seen."""

import gzip
from collections.abc import Iterator

from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import CannotTell, Finding, counted, fail, ok, warn
from executor.files import read_regular
from executor.host.owner import is_numbered_once

_MODULES = {
    "overlay": ("CONFIG_OVERLAY_FS",),
    "br_netfilter": ("CONFIG_BRIDGE_NETFILTER",),
    "nf_nat": ("CONFIG_NF_NAT",),
    "ip_tables": ("CONFIG_IP_NF_IPTABLES", "CONFIG_NF_TABLES"),
    "xt_conntrack": ("CONFIG_NETFILTER_XT_MATCH_CONNTRACK",),
    "veth": ("CONFIG_VETH",),
}
"""What containers and a dockerd among them need, with what a kernel's configuration calls it."""
_INSTEAD = {"ip_tables": "nf_tables"}
_MOST_BYTES = 4 * 1024 * 1024

_KEYS_A_JOB = 50
_INSTANCES, _INSTANCES_A_JOB = 64, 16
_PIDS_A_JOB = 4096
_CONNECTIONS_A_JOB = 8192
_FILES = 65536
_FILES_A_JOB = 20_000


def modules(facts: Facts) -> Iterator[Finding]:
    """Say whether the kernel has what containers need, or can load it."""
    loaded = facts.files.text("/proc/modules").splitlines()
    to_load = _to_load(facts)
    there = {line.split()[0] for line in loaded if line.split()} | to_load
    config = _configuration(facts)
    missing = []
    for name, options in _MODULES.items():
        names = {name, _INSTEAD.get(name, name)}
        built = any(f"{each}={value}" in config for each in options for value in "ym")
        # A configuration that names it as a module says nothing of a system that has no such file.
        if not names & there and not (built and (not there or _is_built_in(config, options))):
            missing.append(name)
    if missing and not to_load and not config:
        # What is not loaded may be in the kernel itself.
        raise CannotTell("neither the kernel's configuration nor its modules can be read")
    if missing:
        yield fail(
            f"the kernel lacks {', '.join(missing)}, and has no such modules to load",
            f"{', '.join(_MODULES)} in the kernel, or as modules",
            "install the whole package of the kernel's modules (linux-modules-extra), or boot the"
            " kernel that is installed: after an upgrade its modules replace those of the running one",
        )
    yield ok("all that containers need")


def keyrings(facts: Facts) -> Iterator[Finding]:
    """Say whether the kernel counts enough keyrings: each container has one, those inside dind too."""
    wanted = _KEYS_A_JOB * facts.concurrent
    names = ["kernel.keys.root_maxkeys"]
    options = str(facts.engine.info.get("SecurityOptions"))
    remapped = "name=userns" in options and not facts.settings.docker.containers.userns_mode
    if remapped or "name=rootless" in options or "sysbox" in facts.settings.dind.runtime:
        # Not root's: those of the users that containers are mapped to.
        names.append("kernel.keys.maxkeys")
    yield from _enough(facts, dict.fromkeys(names, wanted), "containers fail to start")


def inotify(facts: Facts) -> Iterator[Finding]:
    """Say whether there are enough instances of inotify: each dockerd and containerd has some."""
    wanted = _INSTANCES + _INSTANCES_A_JOB * facts.concurrent
    yield from _enough(
        facts,
        {"fs.inotify.max_user_instances": wanted},
        "dind and watchers in jobs fail with `too many open files`",
    )


def pids(facts: Facts) -> Iterator[Finding]:
    """Say whether there are enough numbers for processes."""
    wanted = {"kernel.pid_max": max(32768, _PIDS_A_JOB * facts.concurrent)}
    yield from _enough(
        facts, wanted, "processes fail to start with `resource temporarily unavailable`"
    )


def conntrack(facts: Facts) -> Iterator[Finding]:
    """Say whether the kernel tracks enough connections."""
    wanted = {"net.netfilter.nf_conntrack_max": max(65536, _CONNECTIONS_A_JOB * facts.concurrent)}
    yield from _enough(facts, wanted, "connections of all jobs are dropped at random")


def files(facts: Facts) -> Iterator[Finding]:
    """Say whether dockerd may open enough files."""
    yield from _enough(
        facts, {"fs.file-max": _FILES_A_JOB * facts.concurrent}, "nothing on the host opens a file"
    )
    for pid in facts.files.names("/proc"):
        if not pid.isdecimal() or facts.files.text(f"/proc/{pid}/comm").strip() != "dockerd":
            continue
        if not is_numbered_once(pid, facts.files.path("/proc")):
            continue  # it is one of a job's
        limits = facts.files.text(f"/proc/{pid}/limits")
        line = next((each for each in limits.splitlines() if "open files" in each), "")
        soft = line.split()[3] if len(line.split()) > 3 else ""  # noqa: PLR2004
        if soft.isdecimal() and int(soft) < _FILES:
            yield warn(
                f"dockerd (process {pid}) may open {soft} files, and so may those in containers",
                f"{_FILES} or more",
                "`LimitNOFILE=infinity` for docker.service (`systemctl edit docker`)",
            )
    yield ok("enough files")


def _enough(facts: Facts, wanted: dict[str, int], otherwise: str) -> Iterator[Finding]:
    for name, least in wanted.items():
        there = facts.sysctl(name)
        if there < least:
            yield warn(
                f"{name} is {there}, for {counted(facts.concurrent, 'job')} at once: {otherwise}",
                f"{least} or more",
                f"`sysctl -w {name}={least}`, and the same in a file in /etc/sysctl.d",
            )
    yield ok(", ".join(f"{name} is {facts.sysctl(name)}" for name in wanted))


def _to_load(facts: Facts) -> set[str]:
    """Return the modules that are in the kernel, or there to be loaded."""
    release = facts.files.text("/proc/sys/kernel/osrelease").strip()
    lines = (
        line
        for place in ("/lib/modules", "/usr/lib/modules")
        for name in ("modules.builtin", "modules.dep")
        for line in facts.files.text(f"{place}/{release}/{name}").splitlines()
    )
    return {_module(line) for line in lines if release}


def _module(line: str) -> str:
    return line.partition(":")[0].rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def _configuration(facts: Facts) -> str:
    """Return the kernel's configuration, "" where it is not there."""
    try:
        return gzip.decompress(
            read_regular(facts.files.path("/proc/config.gz"), _MOST_BYTES)
        ).decode(errors="replace")
    except (OSError, EOFError):
        release = facts.files.text("/proc/sys/kernel/osrelease").strip()
        return facts.files.text(f"/boot/config-{release}") if release else ""


def _is_built_in(config: str, options: tuple[str, ...]) -> bool:
    return any(f"{each}=y" in config for each in options)
