"""Whether a service is up: what tells it, the waiting for it, and what the job log says if it is not.

There is no container of its own to ask from: the helper asks where the address is out of reach.
"""

import errno
import select
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from executor.bounds import port_number
from executor.dataclass import dataclass
from executor.engine.docker import Engine
from executor.engine.wire import as_table
from executor.errors import EngineRefused
from executor.excerpts import excerpt
from executor.shell import program
from executor.spec import ContainerSpec, ImageFacts

DEFAULT_TIMEOUT_SECONDS = 30
"""What `wait_for_services_timeout` is where it is not set."""

_CONNECT_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
_BETWEEN_QUESTIONS_SECONDS = 3.0
"""How often the helper is asked although the address seems in reach and refuses: it may be another
container's, of another engine."""
_QUESTION_SECONDS = 2.0
"""The shortest that the helper may take for an answer."""

_LOG_LINES = 2000

_PORT_VARIABLE = "HEALTHCHECK_TCP_PORT"
_MOST_PORTS = 20
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
    port = port_number(wanted)
    if port is None:
        mistake = f"invalid health check tcp port: {excerpt(wanted)}"
        return HealthCheck(spec.name, service, (), mistake)
    return HealthCheck(spec.name, service, (port,))


def exposed_ports(ports: Iterable[str]) -> tuple[int, ...]:
    """Return the lowest TCP ports of an image's, such as `80/tcp` or `8000-8010/tcp`.

    Of a range no more is written out than is asked: whoever makes the image chooses its end.
    """
    found: set[int] = set()
    for each in ports:
        numbers, _, protocol = each.partition("/")
        begin, _, end = numbers.partition("-")
        first, last = port_number(begin), port_number(end or begin)
        if protocol in {"", "tcp"} and first and last:
            found.update(range(first, min(last, first + _MOST_PORTS - 1) + 1))
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


class Found:
    """What the engine says of a service right now."""

    __slots__ = ("address", "exit_code", "running")

    def __init__(self, found: dict[str, object]) -> None:
        """Read an inspected container."""
        state = as_table(found.get("State"))
        networks = as_table(as_table(found.get("NetworkSettings")).get("Networks"))
        addresses = [
            str(as_table(each).get(key) or "")
            for key in ("IPAddress", "GlobalIPv6Address")
            for each in networks.values()
        ]
        self.running = bool(state.get("Running"))
        self.exit_code = state.get("ExitCode")
        self.address = next((each for each in addresses if each), "")


class Prober:
    """Asks one service, directly while its address seems in reach, else from the helper."""

    def __init__(
        self, engine: Engine, helper: str, wait_for_helper: Callable[[], None], *, in_reach: bool
    ) -> None:
        """Take the helper container, which is on the job's network, and what waits for it.

        `in_reach` tells whether this process is on the engine's host, where addresses may be reached.
        """
        self._engine = engine
        self._helper = helper
        self._wait_for_helper = wait_for_helper
        self._direct = in_reach
        self._asked = time.monotonic()

    def accepts(self, address: str, ports: Sequence[int], deadline: float) -> bool:
        """Tell whether one of the ports accepts a connection before `deadline`.

        One that has passed, while the helper was waited for, still leaves time for a question.
        """
        if self._direct:
            answer = connects(address, ports)
            self._direct = answer is not None
            if answer:
                return True
            if self._direct and time.monotonic() - self._asked < _BETWEEN_QUESTIONS_SECONDS:
                return False
        self._wait_for_helper()
        self._asked = time.monotonic()
        command = ("sh", "-c", program("ask_service"), address, *map(str, ports))
        left = max(deadline - self._asked, _QUESTION_SECONDS)
        return self._engine.succeeds(self._helper, command, left)


def wait_for_service(
    engine: Engine, check: HealthCheck, prober: Prober, timeout_seconds: float
) -> str:
    """Return "" once a service is up, else what is wrong with it; raises EngineUnavailable."""
    if check.mistake:
        return check.mistake
    deadline = time.monotonic() + timeout_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        found = _find(engine, check.container)
        if found is None:
            return (
                f'service "{check.service}" was removed while the job started (a prune on'
                " the host?)"
            )
        if not found.running and (check.ports or found.exit_code):
            return f'service "{check.service}" exited with code {found.exit_code}'
        if not check.ports or prober.accepts(
            found.address or check.container, check.ports, deadline
        ):
            return ""
        if time.monotonic() > deadline:
            ports = ", ".join(map(str, check.ports))
            return (
                f'service "{check.service}" timeout: nothing accepts connections on its'
                f" {'port' if len(check.ports) == 1 else 'ports'} {ports} after"
                f" {timeout_seconds:.0f} seconds"
            )
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def connects(address: str, ports: Sequence[int]) -> bool | None:
    """Tell whether a port accepts a connection; None where the address seems out of reach."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    waiting: list[socket.socket] = []
    results: list[int] = []
    try:
        for port in ports:
            each = socket.socket(family, socket.SOCK_STREAM)
            waiting.append(each)
            each.settimeout(0)
            results.append(each.connect_ex((address, port)))
        _collect(waiting, results)
    except OSError:
        return None
    finally:
        for each in waiting:
            each.close()
    if 0 in results:
        return True
    return False if errno.ECONNREFUSED in results else None


def _collect(waiting: list[socket.socket], results: list[int]) -> None:
    """Replace each EINPROGRESS by what came of it, until one has connected or none is left."""
    deadline = time.monotonic() + _CONNECT_SECONDS
    while 0 not in results and errno.EINPROGRESS in results:
        pending = [
            each
            for each, result in zip(waiting, results, strict=True)
            if result == errno.EINPROGRESS
        ]
        left = deadline - time.monotonic()
        ready = select.select([], pending, [], max(left, 0))[1]
        if not ready:
            return
        for each in ready:
            results[waiting.index(each)] = each.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def service_log(engine: Engine, container: str) -> str:
    """Return a service's last lines with their times, or why the engine has none."""
    try:
        return engine.last_output(container, _LOG_LINES, timestamps=True)
    except EngineRefused as refused:
        return str(refused)


def _find(engine: Engine, name: str) -> Found | None:
    found = engine.inspect(name)
    return Found(found) if found else None


def _named_port(environment: Mapping[str, str]) -> str | None:
    """Return what the variable says, in whatever case it is written; None where there is none."""
    return next(
        (value for key, value in environment.items() if key.upper() == _PORT_VARIABLE), None
    )
