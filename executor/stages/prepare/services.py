"""The waiting for a job's services, beside everything else that prepare does."""

import time
from collections.abc import Callable

from executor.engine.docker import Engine
from executor.errors import EngineUnavailable
from executor.log import AdministratorLog, say, write_through
from executor.services.health import (
    DEFAULT_TIMEOUT_SECONDS,
    HealthCheck,
    Prober,
    health_warning,
    service_log,
    wait_for_service,
)
from executor.tasks import Task

_STDERR = 2


class Waiting:
    """Waits for each service from the moment it runs; one that is not up fails no job."""

    def __init__(
        self,
        engine: Engine,
        log: AdministratorLog,
        timeout_seconds: int,
        helper: str,
        helper_up: Task[None],
        *,
        in_reach: bool,
    ) -> None:
        """Take `wait_for_services_timeout`, and the helper container to ask from.

        Addresses of containers are asked directly where they are in reach.
        """
        self._engine = engine
        self._log = log
        self._timeout_seconds = timeout_seconds or DEFAULT_TIMEOUT_SECONDS
        self._helper = helper
        self._helper_up = helper_up
        self._in_reach = in_reach
        self._tasks: list[tuple[Callable[[], HealthCheck], Task[None], Task[str]]] = []
        self._announced: Task[None] | None = None

    def wait_for(self, check: Callable[[], HealthCheck], started: Task[None]) -> None:
        """Wait for a service, beginning when it has started; `check` may need its image."""
        if self._timeout_seconds > 0:
            answer = Task(lambda: self._answer(check(), started))
            self._tasks.append((check, started, answer))

    def announce(self) -> None:
        """Say that the services are waited for, as soon as all have started."""
        if self._tasks:
            self._announced = Task(self._announce)

    def finish(self) -> None:
        """Return when each service is up or its time is over, and tell of those that are not."""
        if self._announced:
            self._announced.result()
        for check, _, answer in self._tasks:
            error = answer.result()
            if error:
                container = check().container
                log = service_log(self._engine, container)
                told = self._log.readable(error)
                text = health_warning(check(), told, self._log.without_secrets(log))
                write_through(_STDERR, text.encode(errors="replace"))
                self._log.event("service not up", container=container, error=error)

    def _announce(self) -> None:
        for _, started, _ in self._tasks:
            started.result()
        say(
            "Waiting for services to be up and running (timeout"
            f" {self._timeout_seconds} seconds)..."
        )

    def _answer(self, check: HealthCheck, started: Task[None]) -> str:
        started.result()
        begun = time.monotonic()
        prober = Prober(self._engine, self._helper, self._helper_up.result, in_reach=self._in_reach)
        try:
            error = wait_for_service(self._engine, check, prober, self._timeout_seconds)
        except EngineUnavailable as unavailable:
            error = str(unavailable)
        if not error:
            self._log.done("service up", begun, container=check.container)
        return error


def show_logs(engine: Engine, temp_dir: str, services: tuple[tuple[str, str], ...]) -> None:
    """Print what services have printed; each `run` call goes on from there."""
    if not services:
        return
    from executor.services.logs import new_logs  # noqa: PLC0415 (for few jobs only)

    new_logs(engine, temp_dir, services).end()
