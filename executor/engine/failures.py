"""The engine's refusals → our errors: status codes and message patterns, in one table.

The engine tells most failures apart by its words only.
"""

from executor.errors import (
    EngineRefused,
    ExecutorError,
    ImageUnavailable,
    NoShell,
    PullInterrupted,
    ResourceExhausted,
    SettingsError,
    UnsupportedJobOption,
    UnusableImage,
)

_UNREADABLE = (
    "no longer supported",
    "schema 1 support",
    "unsupported manifest",
    "unsupported media type",
    "unsupported config",
    "missing signature key",
    "mediatype in manifest should be",
    "invalid rootfs in image",
)
"""An image that the registry gives and no engine of today takes, such as one of schema 1."""
# Source of both lists: how gitlab-runner sorts pull failures since 19.2, and what registries say.
_DENIED = (
    "not found",
    "manifest unknown",
    "name unknown",
    "pull access denied",
    "access to the resource is denied",
    "no basic auth credentials",
    "repository does not exist or may require",
    "unauthorized",
    "authentication required",
    "authentication is required",
    "authorization failed",
    "incorrect username or password",
    "wrong username",
    "bad credentials",
    "does not have permission",
    "denied:",
    "registry: denied",
    "forbidden",
    "http 403",
    "http status: 403",
    "http status: 401",
    "no matching manifest",
    "cannot be pulled due to configured policy",
    "blocking policy",
    *_UNREADABLE,
)
_TORN = "could not fetch content descriptor"
"""A registry with the image's name and without all of its layers, to the containerd image store."""
_TRANSIENT = (
    "dial tcp",
    "connection refused",
    "no such host",
    "i/o timeout",
    "tls handshake",
    "client.timeout exceeded",
    "request canceled",
    "connection reset",
    "unexpected eof",
    "bad gateway",
    "service unavailable",
    "gateway timeout",
    "too many requests",
    "toomanyrequests",
)
_NO_SPACE = ("no space left on device", "disk quota exceeded")
_NO_SUBNET = ("available, non-overlapping", "all predefined address pools")
_NO_SHELL = ("executable file not found", "no such file or directory")
_NO_PROGRAM = (*_NO_SHELL, "permission denied", "is a directory", "exec format error")
_STARTING = ("exec: ", "exec /")
# What an engine says of limits, devices and options, which only the administrator chooses.
_OF_SETTINGS = (
    "range of cpus",
    "minimum memory",
    "minimum allowed cpu-shares",
    "memory limit",
    "memory reservation",
    "memoryswap",
    "requested cpus",
    "requested memory nodes",
    "runtime specified",
    "runtime name",
    "invalid capadd",
    "invalid capdrop",
    "invalid tmpfs option",
    "security-opt",
    "seccomp profile",
    "sysctl",
    "incompatible with user namespaces",
    "no such container: ",
    "device driver",
    "device information",
    "setting rlimit",
)

_BAD_REQUEST = 400

NO_SUCH_IMAGE = "No such image"
"""How the sentence begins that an engine does not have an image."""


def is_transient(message: str) -> bool:
    """Tell whether a pull may work a moment later."""
    return _any(_TRANSIENT, message)


def pull_failure(message: str) -> ExecutorError:
    """Return the error for a pull that failed, in the engine's words alone."""
    lower = message.lower()
    if any(pattern in lower for pattern in _NO_SPACE):
        return _no_space(message)
    denied = is_denial(message) and not is_transient(message)
    return (ImageUnavailable if denied else PullInterrupted)(_first_line(message) or "no reason")


def advice(error: ExecutorError) -> str:
    """Return what to do about an image that could not be had."""
    message = str(error)
    if message.startswith(NO_SUCH_IMAGE):
        return (
            "The image is not on this host and the pull policy forbids pulling it: allow"
            " `always` or `if-not-present`, or load the image on the host."
        )
    if isinstance(error, ImageUnavailable) and _any(_UNREADABLE, message):
        return (
            "The image has an old or unknown format: use another tag, or build and push it again."
        )
    if isinstance(error, ImageUnavailable) and is_denial(message):
        return (
            "Check the image's name and tag. If the registry needs a login, give the job one"
            " (DOCKER_AUTH_CONFIG, or access of the project to the registry)."
        )
    if is_transient(message):
        return (
            "The registry did not answer. Check the network between the host and the"
            " registry, and retry the job."
        )
    return ""


def create_failure(
    container: str, image: str, status: int, message: str, *, runs_scripts: bool = True
) -> ExecutorError:
    """Return the error for a container that could not be created or started."""
    lower = message.lower()
    if any(pattern in lower for pattern in _NO_SPACE):
        return _no_space(message)
    starting = any(pattern in lower for pattern in _STARTING)
    if starting and not runs_scripts and any(each in lower for each in _NO_PROGRAM):
        return _unusable_service(image, message)
    if starting and any(pattern in lower for pattern in _NO_SHELL):
        return UnusableImage(
            f'The image "{image}" cannot run scripts: {_first_line(message)}. Use an image'
            " with a shell (`sh` on its PATH). If its entrypoint is the cause, set"
            ' `entrypoint: [""]` in the job.'
        )
    # A container of ours that is gone is nobody's setting.
    if container not in message and any(pattern in lower for pattern in _OF_SETTINGS):
        return SettingsError(
            f"The Docker Engine rejects the runner's settings for the container {container}:"
            f" {_first_line(message)}. Correct the keys of `[docker]` and `[dind]`."
        )
    if status == _BAD_REQUEST:
        return UnsupportedJobOption(
            f'The Docker Engine rejects the options of the image "{image}": {message}. Correct'
            " `image:` or `services:` in the job."
        )
    return _refused(container, status, message)


def _unusable_service(image: str, message: str) -> UnusableImage:
    if 'exec: "sh":' in message:
        return NoShell(
            f'The service "{image}" could not start, because its image has no `sh`.'
            " Docker-in-Docker needs one, and so does a `command` or `entrypoint` that calls it."
            " Use an image with a shell, or correct `command` and `entrypoint`."
        )
    return UnusableImage(
        f'The service "{image}" could not start: {_first_line(message)}. Check the image, and the'
        " `command` and `entrypoint` of the service."
    )


def network_failure(name: str, status: int, message: str) -> ExecutorError:
    """Return the error for a network that could not be created."""
    if any(pattern in message.lower() for pattern in _NO_SUBNET):
        return ResourceExhausted(
            f"The Docker Engine has no free subnet for the network {name}. Remove unused"
            " networks (`docker network prune`), or add `default-address-pools` to its"
            " daemon.json."
        )
    return EngineRefused(
        (f"The network {name} could not be created: {message}. Check the Docker Engine's log."),
        status,
    )


def volume_failure(name: str, status: int, message: str) -> ExecutorError:
    """Return the error for a volume that could not be created."""
    if any(pattern in message.lower() for pattern in _NO_SPACE):
        return _no_space(message)
    return EngineRefused(
        (f"The volume {name} could not be created: {message}. Check the Docker Engine's log."),
        status,
    )


def _refused(container: str, status: int, message: str) -> EngineRefused:
    hint = ""
    if any(each in message.lower() for each in ("unable to apply caps", "operation not permitted")):
        section = "dind" if container.endswith("-dind") else "docker"
        hint = (
            " This host cannot start privileged containers with the default runtime: set"
            f" `[{section}] runtime` (for example `sysbox-runc`)."
        )
    elif "mount source path" in message.lower():
        hint = " Check `cache_dir` and `volumes` of `[docker]`, and `volumes` of `[dind]`."
    sentence = f"The container {container} could not start: {_first_line(message)}.{hint}"
    return EngineRefused(sentence, status)


def is_denial(message: str) -> bool:
    """Tell whether a registry says that an image is not there, or not for everyone."""
    return _TORN not in message.lower() and _any(_DENIED, message)


def _any(patterns: tuple[str, ...], message: str) -> bool:
    lower = message.lower()
    return any(pattern in lower for pattern in patterns)


def _no_space(message: str) -> ExecutorError:
    return ResourceExhausted(
        f"The disk of the Docker Engine's host is full: {_first_line(message)}. Free space"
        " with `docker system prune`, or enlarge the disk of the engine's data directory."
    )


def _first_line(message: str) -> str:
    return message.strip().partition("\n")[0].rstrip(".")
