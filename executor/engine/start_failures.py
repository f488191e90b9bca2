"""The engine's refusal to create or start a container → our errors.

The engine tells most failures apart by its words only.
"""

from executor.engine.failures import NO_SPACE, first_line, no_space
from executor.errors import (
    EngineRefused,
    ExecutorError,
    NoShell,
    SettingsError,
    UnsupportedJobOption,
    UnusableImage,
)

_NO_SHELL = ("executable file not found", "no such file or directory")
_NO_PROGRAM = (*_NO_SHELL, "permission denied", "is a directory", "exec format error")
_STARTING = ("exec: ", "exec /")
_NO_USER = ("unable to find user", "unable to find group")
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

_GONE = "no such image"
_BAD_REQUEST = 400
_AMBIGUOUS = "is ambiguous"
"""Several networks have the name of the job's: nobody's option is wrong."""


def create_failure(
    container: str, image: str, status: int, message: str, *, runs_scripts: bool = True
) -> ExecutorError:
    """Return the error for a container that could not be created or started."""
    lower = message.lower()
    if any(pattern in lower for pattern in NO_SPACE):
        return no_space(message)
    unusable = _unusable_image(image, message, runs_scripts=runs_scripts)
    if unusable:
        return unusable
    # A container of ours that is gone is nobody's setting.
    if container not in message and any(pattern in lower for pattern in _OF_SETTINGS):
        return SettingsError(
            f"The Docker Engine rejects the runner's settings for the container {container}:"
            f" {first_line(message)}. Correct the keys of `[docker]` and `[dind]`."
            " `dind-executor doctor --only runtime,userns-remap` looks at some of them."
        )
    if status == _BAD_REQUEST and _AMBIGUOUS not in lower:
        return UnsupportedJobOption(
            f'The Docker Engine rejects the options of the image "{image}": {message}. Correct'
            " `image:` or `services:` in the job."
        )
    return _refused(container, status, message)


def _unusable_image(image: str, message: str, *, runs_scripts: bool) -> UnusableImage | None:
    """Return the error where the image is at fault, or what the job wants of it."""
    lower = message.lower()
    if any(pattern in lower for pattern in _NO_USER):
        return _no_user(image, message)
    starting = any(pattern in lower for pattern in _STARTING)
    if starting and not runs_scripts and any(each in lower for each in _NO_PROGRAM):
        return _unusable_service(image, message)
    if starting and any(pattern in lower for pattern in _NO_SHELL):
        return UnusableImage(
            f'The image "{image}" cannot run scripts: {first_line(message)}. Use an image'
            " with a shell (`sh` on its PATH). If its entrypoint is the cause, set"
            ' `entrypoint: [""]` in the job.'
        )
    return None


def _no_user(image: str, message: str) -> UnusableImage:
    return UnusableImage(
        f'The image "{image}" does not know the user or group that it is to run as:'
        f" {first_line(message)}. Name another one in `docker: user` of the job's image or service,"
        " or write its number. If the job names none, the image itself does, or `[docker] user` of"
        " the runner's settings."
    )


def _unusable_service(image: str, message: str) -> UnusableImage:
    if 'exec: "sh":' in message:
        return NoShell(
            f'The service "{image}" could not start, because its image has no `sh`.'
            " Docker-in-Docker needs one, and so does a `command` or `entrypoint` that calls it."
            " Use an image with a shell, or correct `command` and `entrypoint`."
        )
    return UnusableImage(
        f'The service "{image}" could not start: {first_line(message)}. Check the image, and the'
        " `command` and `entrypoint` of the service."
    )


def _refused(container: str, status: int, message: str) -> EngineRefused:
    hint = ""
    if any(each in message.lower() for each in ("unable to apply caps", "operation not permitted")):
        section = "dind" if container.endswith("-dind") else "docker"
        hint = (
            " This host cannot start privileged containers with the default runtime: set"
            f" `[{section}] runtime` (for example `sysbox-runc`)."
            " `dind-executor doctor --only privileged,runtime` looks at this."
        )
    elif _GONE in message.lower():
        hint = " Something removed it after it was pulled (a prune on the host?). Retry the job."
    elif "mount source path" in message.lower():
        hint = " Check `cache_dir` and `volumes` of `[docker]`, and `volumes` of `[dind]`."
    sentence = f"The container {container} could not start: {first_line(message)}.{hint}"
    return EngineRefused(sentence, status)
