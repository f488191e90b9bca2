"""What is wrong with one value of the settings: pure.

Each function takes a string and returns a sentence, "" if the value is right.
"""

import re
from collections.abc import Callable

from executor.names import LABEL_PREFIX
from executor.notation import amounts
from executor.notation.image_names import ImageReference, InvalidImage, is_bare_id
from executor.notation.paths import CERTS_DIRECTORY, DATA_ROOT, overlap, wrong_path
from executor.notation.patterns import is_pattern

_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_OWN_ARGUMENTS = ("--host", "-H", "--tls", "--data-root", "-g")
_SECURITY_OPTIONS = ("apparmor", "label", "no-new-privileges", "seccomp")
_LOG_OPTIONS = ("env", "labels")


def wrong_image(image: str) -> str:
    """Check an image that may hold variables of the job, which are not known yet, or an id."""
    return "" if "$" in image or is_bare_id(image) else wrong_fixed_image(image)


def wrong_pull_policy(policy: str) -> str:
    """Check a pull policy."""
    return _wrong_policy("pull_policy", policy)


def wrong_allowed_pull_policy(policy: str) -> str:
    """Check a pull policy that jobs may ask for."""
    return _wrong_policy("allowed_pull_policies", policy)


def wrong_fixed_image(image: str) -> str:
    """Check an image that holds no variables."""
    try:
        ImageReference.parse(image)
    except InvalidImage as error:
        return str(error)
    return ""


def wrong_pattern(pattern: str) -> str:
    """Check a pattern of an allow-list."""
    if is_pattern(pattern.removeprefix("!")) and pattern not in ("", "!"):
        return ""
    return (
        f"{pattern!r} is not a pattern: a [, {{ or \\ is left open, it is empty, or it is too long"
    )


def wrong_runtime(name: str) -> str:
    """Check the name of an OCI runtime."""
    good = _NAME_CHARACTERS.issuperset(name)
    return "" if good else f"{name!r} must be the name of a runtime in the engine's configuration"


def wrong_bind(bind: str) -> str:
    """Check a `source:destination[:ro]` bind of the dind sidecar."""
    source, _, rest = bind.partition(":")
    destination, _, mode = rest.partition(":")
    if not source or not destination:
        return f"{bind!r} must look like source:destination or source:destination:ro"
    if mode not in ("", "ro", "rw"):
        return f"{bind!r} ends in {mode!r}, which is neither ro nor rw"
    if "/" in source and wrong_path(source):
        return f"the source of {bind!r} must be an absolute path or the name of a volume"
    wrong = wrong_path(destination)
    if wrong:
        return f"the destination of {bind!r} is wrong: {wrong}"
    for taken, what in ((CERTS_DIRECTORY, "certificates"), (DATA_ROOT, "images and containers")):
        if overlap(destination, taken):
            return f"the destination of {bind!r} covers {taken}, where dind has its {what}"
    return ""


def wrong_argument(argument: str) -> str:
    """Check an extra argument of dockerd."""
    name = argument.partition("=")[0]
    if name in _OWN_ARGUMENTS or name.startswith("--tls"):
        return f"{argument!r} is set for each job and cannot be set here"
    return "" if argument else "an argument must not be empty"


def wrong_assignment(line: str) -> str:
    """Check a variable `KEY=value`; its value is not repeated."""
    key, equals, _ = line.partition("=")
    if not equals:
        return "a variable must be written KEY=value"
    if not key.isascii() or not key.isidentifier():
        return f"{key!r} is not the name of a variable"
    return ""


def wrong_size(text: str) -> str:
    """Check a size such as `512m`."""
    return _mistake(amounts.byte_size, text)


def wrong_swap(text: str) -> str:
    """Check a size, or -1 for no limit."""
    return _mistake(amounts.swap_size, text)


def wrong_cpus(text: str) -> str:
    """Check a number of CPUs."""
    return _mistake(amounts.nano_cpus, text)


def wrong_cpuset(text: str) -> str:
    """Check a list of CPUs or memory nodes."""
    good = re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text, re.ASCII)
    return "" if good else f"{text!r} must look like 0-3 or 0,2"


def wrong_ulimit(text: str) -> str:
    """Check a `soft[:hard]` limit."""
    return _mistake(amounts.ulimit, text)


def wrong_ulimit_name(name: str) -> str:
    """Check which limit is meant."""
    return "" if name in amounts.ULIMITS else f"it is not one of: {', '.join(amounts.ULIMITS)}"


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
    return "" if good else f"{text!r} must look like NET_ADMIN or ALL"


def wrong_security_option(text: str) -> str:
    """Check an option as for `docker run --security-opt`."""
    name, sign, value = [*re.split("([=:])", text, maxsplit=1), "", ""][:3]
    if name not in _SECURITY_OPTIONS or (bool(sign) != bool(value)):
        known = ", ".join(_SECURITY_OPTIONS)
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
    return _mistake(amounts.device, text)


def wrong_device_rule(text: str) -> str:
    """Check a rule of the device cgroup."""
    good = re.fullmatch(r"[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}", text, re.ASCII)
    return "" if good else f"{text!r} must look like 'c 10:232 rwm'"


def wrong_gpus(text: str) -> str:
    """Check GPUs, written as for `docker run --gpus`."""
    return _mistake(amounts.gpu_request, text)


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
        return f"labels that start with {LABEL_PREFIX} belong to dind-executor"
    return "" if name and name.isprintable() else "a label must have a name"


def wrong_log_option(name: str) -> str:
    """Check an option of the log driver, as gitlab-runner does."""
    return "" if name in _LOG_OPTIONS else "only env and labels are allowed"


def _wrong_policy(key: str, policy: str) -> str:
    known = ("always", "if-not-present", "never")
    if policy in known:
        return ""
    return f'unsupported {key} config: "{policy}" is not one of: {", ".join(known)}'


def _wrong_namespace(text: str, words: tuple[str, ...]) -> str:
    if text in words or re.fullmatch(r"container:[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        return ""
    return f"{text!r} must be one of: {', '.join(words)}, container:<name>"


def _mistake(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""
