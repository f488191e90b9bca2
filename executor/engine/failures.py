"""The engine's refusals → our errors: status codes and message patterns, in one table.

The engine tells most failures apart by its words only.
"""

from executor.errors import (
    EngineRefused,
    ExecutorError,
    ImageUnavailable,
    PullInterrupted,
    ResourceExhausted,
)
from executor.excerpts import excerpt
from executor.quick_json import loads

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
    "http 401",
    "http 403",
    "http 404",
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
_MOST_READ = 16 * 1024
"""How much of what an engine says of a refusal is looked at: it may quote a job or a registry."""
_MOST_WORDS = 600
"""How much of a registry's or a program's words a sentence quotes, in characters."""
NO_SPACE = ("no space left on device", "disk quota exceeded")
_NO_CHAIN = ("does not exist", "No chain/target/match by that name", "Couldn't load target")
"""What iptables says of the engine's chains, by its versions, where they are gone."""
_NO_SUBNET = ("available, non-overlapping", "all predefined address pools")
NO_SUCH_IMAGE = "No such image"
"""How the sentence begins that an engine does not have an image."""
NAME_OR_LOGIN = (
    "Check the image's name and tag. If the registry needs a login, give the job one"
    " (DOCKER_AUTH_CONFIG, or access of the project to the registry)."
)


def words_of(body: bytes) -> str:
    """Return the engine's own words for a refusal, from the body of its answer."""
    try:
        decoded = loads(body)
    except (ValueError, RecursionError):
        return excerpt(body.decode(errors="replace").strip(), _MOST_READ)
    told = decoded.get("message", "") if isinstance(decoded, dict) else ""
    return excerpt(str(told), _MOST_READ)


def is_transient(message: str) -> bool:
    """Tell whether a pull may work a moment later."""
    return _any(_TRANSIENT, message)


def pull_failure(message: str) -> ExecutorError:
    """Return the error for a pull that failed, in the engine's words alone."""
    lower = message.lower()
    if any(pattern in lower for pattern in NO_SPACE):
        return no_space(message)
    denied = is_denial(message) and not is_transient(message)
    return (ImageUnavailable if denied else PullInterrupted)(first_line(message) or "no reason")


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
        return NAME_OR_LOGIN
    if is_transient(message):
        return (
            "The registry did not answer. Check the network between the host and the"
            " registry, and retry the job. `dind-executor doctor --online --only registry,mirror`"
            " looks at this."
        )
    return ""


def network_failure(name: str, status: int, message: str) -> ExecutorError:
    """Return the error for a network that could not be created."""
    if any(pattern in message.lower() for pattern in _NO_SUBNET):
        return ResourceExhausted(
            f"The Docker Engine has no free subnet for the network {name}. Remove unused networks"
            " (`docker network prune`), or give jobs addresses of their own: `[docker] network_pool`"
            " in the settings of dind-executor. `dind-executor doctor --only subnets` looks at this."
        )
    if any(pattern in message.lower() for pattern in NO_SPACE):
        return no_space(message)
    if "iptables" in message and any(each in message for each in _NO_CHAIN):
        return EngineRefused(
            f"The network {name} could not be created: {' '.join(message.split()).rstrip('.')}."
            " Something has removed the Docker Engine's rules from the host's firewall: another engine, or a"
            " reload of the firewall. Restart the engine while no job runs. `dind-executor doctor --only"
            " isolation` looks at this.",
            status,
        )
    return EngineRefused(
        (f"The network {name} could not be created: {message}. Check the Docker Engine's log."),
        status,
    )


def volume_failure(name: str, status: int, message: str) -> ExecutorError:
    """Return the error for a volume that could not be created."""
    if any(pattern in message.lower() for pattern in NO_SPACE):
        return no_space(message)
    return EngineRefused(
        (f"The volume {name} could not be created: {message}. Check the Docker Engine's log."),
        status,
    )


def is_denial(message: str) -> bool:
    """Tell whether a registry says that an image is not there, or not for everyone."""
    return _TORN not in message.lower() and _any(_DENIED, message)


def _any(patterns: tuple[str, ...], message: str) -> bool:
    lower = message.lower()
    return any(pattern in lower for pattern in patterns)


def no_space(message: str) -> ExecutorError:
    """Return the error for a disk of the engine's that is full."""
    return ResourceExhausted(
        f"The disk of the Docker Engine's host is full: {first_line(message)}. Free space"
        " with `docker system prune`, or enlarge the disk of the engine's data directory."
        " `dind-executor doctor --only disk` looks at this."
    )


def first_line(message: str) -> str:
    """Return an engine's words as the end of a sentence has them."""
    return excerpt(message.strip().partition("\n")[0], _MOST_WORDS).rstrip(".")
