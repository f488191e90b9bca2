"""Whether the engine may run the sidecar as the settings want it.  Pure, on what was seen."""

from collections.abc import Iterator

from executor.bounds import whole_number
from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import Finding, fail, ok, warn
from executor.engine.wire import as_table

_IDMAPPED = (5, 12)
"""The first kernel with mounts that map ids, which sysbox needs."""
_PARSERS = ("/sbin/apparmor_parser", "/usr/sbin/apparmor_parser")
_LABELLED = ("z", "Z")


def runtime(facts: Facts) -> Iterator[Finding]:
    """Say whether the engine has the runtimes that the settings name."""
    there = as_table(facts.engine.info.get("Runtimes"))
    named = {
        "[dind] runtime": facts.settings.dind.runtime,
        "[docker] runtime": facts.settings.docker.containers.runtime,
    }
    for key, name in named.items():
        if name and name not in there:
            yield fail(
                f"the engine has no runtime {name}, which `{key}` names",
                f"one of: {', '.join(sorted(there))}",
                f"install {name} and restart the engine, or correct `{key}` in the settings",
            )
    kernel = str(facts.engine.info.get("KernelVersion") or "")
    sysbox = [each for each in named.values() if "sysbox" in each]
    if sysbox and _kernel(kernel) < _IDMAPPED:
        yield fail(
            f"{sysbox[0]} needs Linux 5.12 or later for jobs' volumes, and this is {kernel}",
            "Linux 5.12 or later",
            "upgrade the kernel",
        )
    chosen = [each for each in named.values() if each]
    default = facts.engine.info.get("DefaultRuntime") or "runc"
    yield ok(f"{', '.join(dict.fromkeys(chosen)) or f'the default, {default}'}")


def privileged(facts: Facts) -> Iterator[Finding]:
    """Say whether the sidecar can have the privileges that it needs."""
    dind = facts.settings.dind
    plugins = as_table(facts.engine.info.get("Plugins")).get("Authorization")
    if not dind.privileged and not dind.runtime:
        yield fail(
            "the sidecar is not privileged, and no runtime is named: dockerd does not start in it",
            "`[dind] privileged = true`, or `[dind] runtime` such as sysbox-runc",
            "correct `[dind]` in the settings",
        )
    if isinstance(plugins, list) and plugins and dind.privileged:
        yield warn(
            f"the engine asks an authorization plugin ({', '.join(map(str, plugins))}), which may refuse"
            " privileged containers",
            "privileged containers are allowed to gitlab-runner's user",
            "`dind-executor doctor --as-job` tries it",
        )
    yield ok("by the runtime" if dind.runtime else "privileged, as dind needs it")


def userns_remap(facts: Facts) -> Iterator[Finding]:
    """Say whether an engine that maps users lets the sidecar be privileged."""
    if _has(facts, "userns"):
        mode = facts.settings.docker.containers.userns_mode
        if facts.settings.dind.privileged and mode != "host":
            yield fail(
                "the engine maps users (`userns-remap`), and refuses privileged containers then",
                '`[docker] userns_mode = "host"` with a privileged sidecar',
                'set `[docker] userns_mode = "host"`, or `[dind] runtime` such as sysbox-runc',
            )
    yield ok(f"the engine {'maps' if _has(facts, 'userns') else 'does not map'} users")


def rootless(facts: Facts) -> Iterator[Finding]:
    """Say what jobs lack on an engine without root."""
    if _has(facts, "rootless"):
        yield warn(
            "the engine is rootless: its networks are out of gitlab-runner's reach, limits need delegated"
            " control groups, and overlay2 inside the sidecar needs Linux 5.11",
            "an engine that runs as root, on a host for jobs alone",
            "`dind-executor doctor --as-job` tries it",
        )
    yield ok("the engine runs as root")


def lsm(facts: Facts) -> Iterator[Finding]:
    """Say whether AppArmor or SELinux is half there."""
    parsers = any(facts.files.stat(each) for each in _PARSERS)
    enabled = facts.files.text("/sys/module/apparmor/parameters/enabled").strip() == "Y"
    beside = not facts.elsewhere and not facts.container
    if beside and _has(facts, "apparmor") and not parsers:
        yield warn(
            "AppArmor is on, and apparmor_parser is not there: the engine cannot load its profile",
            "the package apparmor",
            "`apt-get install apparmor`, and restart the engine",
        )
    if beside and enabled and not _has(facts, "apparmor"):
        yield warn(
            "the kernel has AppArmor, and the engine does not use it",
            "an engine that lists `name=apparmor`",
            "`apt-get install apparmor`, and restart the engine",
        )
    bare = [each for each in _sources(facts) if not _is_labelled(each)]
    if _has(facts, "selinux") and bare:
        yield warn(
            f"SELinux keeps containers from directories of the host without a label: {', '.join(bare)}",
            "`:z` at the end of each such entry of `volumes`",
            "add `:z` (several containers) or `:Z` (one alone) to these entries of the settings",
        )
    names = [each for each in ("apparmor", "selinux") if _has(facts, each)]
    yield ok(" and ".join(names) or "neither AppArmor nor SELinux")


def _has(facts: Facts, name: str) -> bool:
    options = facts.engine.info.get("SecurityOptions")
    found = [str(each) for each in options] if isinstance(options, list) else []
    return any(each.split(",")[0] == f"name={name}" for each in found)


def _sources(facts: Facts) -> list[str]:
    """Return the entries of the settings that mount a directory of the host."""
    settings = facts.settings
    entries = (*settings.docker.volumes.volumes, *settings.dind.volumes)
    return [each for each in entries if each.startswith("/") and ":/" in each]


def _is_labelled(entry: str) -> bool:
    options = entry.split(":")[2:3]
    return bool(options) and any(each in _LABELLED for each in options[0].split(","))


def _kernel(text: str) -> tuple[int, ...]:
    numbers = (whole_number(each) for each in text.partition("-")[0].split(".")[:2])
    return tuple(each for each in numbers if each is not None)
