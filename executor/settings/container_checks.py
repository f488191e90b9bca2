"""What is wrong with one value of the settings that shape containers: pure.

Each function takes a string and returns a sentence, "" where the value is good.
"""

import re
from collections.abc import Callable

from executor.names import LABEL_PREFIX
from executor.notation import amounts as units

_OPTIONS_OF_SECURITY = ("apparmor", "label", "no-new-privileges", "seccomp")
_LOG_OPTIONS = ("env", "labels")


def wrong_size(text: str) -> str:
    """Check a size such as `512m`."""
    return _wrong(units.byte_size, text)


def wrong_swap(text: str) -> str:
    """Check a size, or -1 for no limit."""
    return _wrong(units.swap_size, text)


def wrong_cpus(text: str) -> str:
    """Check a number of CPUs."""
    return _wrong(units.nano_cpus, text)


def wrong_cpuset(text: str) -> str:
    """Check a list of CPUs or memory nodes."""
    good = re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text, re.ASCII)
    return "" if good else f"{text!r} must look like 0-3 or 0,2"


def wrong_ulimit(text: str) -> str:
    """Check a `soft[:hard]` limit."""
    return _wrong(units.ulimit, text)


def wrong_ulimit_name(name: str) -> str:
    """Check which limit is meant."""
    return "" if name in units.ULIMITS else f"not one of: {', '.join(units.ULIMITS)}"


def wrong_cgroup(text: str) -> str:
    """Check a cgroup: a path, or a slice of systemd."""
    good = text.isprintable() and not {" ", ".."} & {*text, *text.split("/")}
    return "" if good else f"{text!r} must look like /jobs or jobs.slice"


def wrong_hostname(text: str) -> str:
    """Check a host name of a container."""
    good = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}", text) and text[-1].isalnum()
    return "" if good else f"{text!r} is not a host name of at most 63 characters"


def wrong_group(text: str) -> str:
    """Check a group by name or number."""
    good = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", text)
    return "" if good else f"{text!r} must be a group's name or number"


def wrong_capability(text: str) -> str:
    """Check a capability."""
    good = re.fullmatch(r"[A-Za-z_]+", text)
    return "" if good else f"{text!r} must look like NET_ADMIN, or be ALL"


def wrong_security_option(text: str) -> str:
    """Check an option as for `docker run --security-opt`."""
    name, sign, value = [*re.split("([=:])", text, maxsplit=1), "", ""][:3]
    if name not in _OPTIONS_OF_SECURITY or (bool(sign) != bool(value)):
        known = ", ".join(_OPTIONS_OF_SECURITY)
        return f"{text!r} must look like name=value, with one of the names {known}"
    if not sign and name != "no-new-privileges":
        return f"{text!r} must look like {name}=value"
    if name == "seccomp" and value not in ("unconfined", "builtin") and value[0] not in "/{":
        return (
            f"{text!r} must name a profile by an absolute path, or be seccomp=unconfined or"
            " seccomp=builtin"
        )
    return ""


def wrong_device(text: str) -> str:
    """Check a device."""
    return _wrong(units.device, text)


def wrong_device_rule(text: str) -> str:
    """Check a rule of the device cgroup."""
    good = re.fullmatch(r"[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}", text, re.ASCII)
    return "" if good else f"{text!r} must look like 'c 10:232 rwm'"


def wrong_gpus(text: str) -> str:
    """Check GPUs, written as for `docker run --gpus`."""
    return _wrong(units.gpu_request, text)


def wrong_sysctl(name: str) -> str:
    """Check the name of a kernel parameter."""
    return "" if re.fullmatch(r"[a-z0-9_./-]+", name) else "it must look like net.core.somaxconn"


def wrong_volumes_from(text: str) -> str:
    """Check a container whose volumes are to be used."""
    good = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*(:(ro|rw))?", text)
    return "" if good else f"{text!r} must look like container or container:ro"


def wrong_pid_mode(text: str) -> str:
    """Check a PID namespace."""
    return _wrong_namespace(text, ("host",))


def wrong_ipc_mode(text: str) -> str:
    """Check an IPC namespace."""
    return _wrong_namespace(text, ("none", "private", "shareable", "host"))


def wrong_mac_address(text: str) -> str:
    """Check the hardware address of one network interface."""
    good = re.fullmatch(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}", text)
    if not good:
        return f"{text!r} must look like 02:42:ac:11:00:02"
    return f"{text!r} is a multicast address" if int(text[:2], 16) & 1 else ""


def wrong_tmpfs(path: str) -> str:
    """Check where a tmpfs is to be mounted."""
    parts = path.split("/")
    good = path.startswith("/") and path.strip("/") and ".." not in parts and path.isprintable()
    return "" if good else "it must be an absolute path in the container, and not /"


def wrong_label(name: str) -> str:
    """Check the name of a label."""
    if name.startswith(LABEL_PREFIX):
        return f"labels that start with {LABEL_PREFIX} are the executor's own"
    return "" if name and name.isprintable() else "a label must have a name"


def wrong_log_option(name: str) -> str:
    """Check an option of the log driver, as gitlab-runner does."""
    return "" if name in _LOG_OPTIONS else "only env and labels are allowed"


def _wrong_namespace(text: str, words: tuple[str, ...]) -> str:
    if text in words or re.fullmatch(r"container:[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        return ""
    return f"{text!r} must be one of: {', '.join(words)}, container:<name>"


def _wrong(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""
