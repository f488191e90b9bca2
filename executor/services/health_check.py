"""Which ports tell that a service is up, and what the job log says of one that is not.

Pure: no I/O.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from executor.spec import ContainerSpec, ImageFacts

DEFAULT_TIMEOUT_SECONDS = 30

_PORT_VARIABLE = "HEALTHCHECK_TCP_PORT"
_MOST_PORTS = 20
_LAST_PORT = 65535
_YELLOW, _RESET = "\033[0;33m", "\033[0;m"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How to tell that a service is up: the first of its ports that accepts is enough."""

    container: str
    service: str
    """What the job log calls it, such as `postgres:16`."""
    ports: tuple[int, ...] = ()
    """None: it only has to run, or to have ended well."""
    mistake: str = ""
    """Why it cannot be checked."""


def health_check(spec: ContainerSpec, image: ImageFacts, service: str) -> HealthCheck:
    """Return the check of a service: the port that a variable names, else those of its image."""
    environment = {**spec.environment, **spec.secret_environment}
    wanted = _named_port(environment)
    if wanted is None:
        wanted = _named_port(dict(each.partition("=")[::2] for each in image.environment))
    if wanted is None:
        return HealthCheck(spec.name, service, exposed_ports(image.ports))
    if not wanted.isdecimal() or not 0 < int(wanted) <= _LAST_PORT:
        return HealthCheck(spec.name, service, (), f"invalid health check tcp port: {wanted}")
    return HealthCheck(spec.name, service, (int(wanted),))


def exposed_ports(ports: Iterable[str]) -> tuple[int, ...]:
    """Return the lowest TCP ports of an image's, such as `80/tcp` or `8000-8010/tcp`."""
    found: set[int] = set()
    for each in ports:
        numbers, _, protocol = each.partition("/")
        first, _, last = numbers.partition("-")
        if protocol in {"", "tcp"} and first.isdecimal() and (last or first).isdecimal():
            found |= set(range(int(first), int(last or first) + 1))
    return tuple(sorted(found)[:_MOST_PORTS])


def health_warning(check: HealthCheck, error: str, log: str) -> str:
    """Return what the job log says of a service that is not up, in gitlab-runner's form."""
    lines: Sequence[str] = (
        "",
        f"{_YELLOW}*** WARNING:{_RESET} Service {check.container} probably didn't start properly.",
        "",
        "Health check error:",
        error,
        "",
        "Service container logs:",
        log,
        "",
        f"{_YELLOW}*********{_RESET}",
        "",
    )
    return "\n".join(lines) + "\n"


def _named_port(environment: Mapping[str, str]) -> str | None:
    """Return what the variable says, in whatever case it is written; None where there is none."""
    return next(
        (value for key, value in environment.items() if key.upper() == _PORT_VARIABLE), None
    )
