"""The network of a job, made to fit into what is around it."""

import _thread
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from executor.engine.docker import Engine
from executor.errors import EngineRefused
from executor.host.network import with_host
from executor.plan.certificates import with_gitlabs
from executor.plan.inputs import Inputs
from executor.plan.network import plan_network
from executor.spec import NetworkSpec, Surroundings
from executor.stages.prepare.steps import Steps
from executor.tasks import Task

T = TypeVar("T")


class JobNetwork:
    """The network in the making, and whatever takes it away before it is used."""

    def __init__(self, engine: Engine, inputs: Inputs, steps: Steps) -> None:
        """Begin to make it."""
        self._engine = engine
        self._inputs = inputs
        self._steps = steps
        self._lock = _thread.allocate_lock()
        self._made = Task(self._make)

    def surroundings(self) -> Surroundings:
        """Wait until it is made; return what is around it, with its own subnets."""
        return self._made.result()

    def holding(self, start: Callable[[], T]) -> T:
        """Return what `start` returns, which starts a container on the network.

        A `docker network prune` on the host, as cron jobs have it, removes a network on which
        nothing runs yet: it is made again, and `start` called once more.
        """
        try:
            return start()
        except EngineRefused as refused:
            if f"network {self._inputs.names.network} not found" not in str(refused):
                raise
        with self._lock:
            self._create(plan_network(self._inputs, self._made.result()))
        return start()

    def _make(self) -> Surroundings:
        found = self._steps.do("surroundings known", self._engine.survey)
        around = with_host(found, self._inputs.settings.docker.certs_d, local=self._engine.local)
        around = replace(around, authorities=with_gitlabs(around.authorities, self._inputs.values))
        subnets = self._create(plan_network(self._inputs, around))
        return replace(around, subnets=(*around.subnets, *subnets), own_subnets=subnets)

    def _create(self, spec: NetworkSpec) -> tuple[str, ...]:
        return self._steps.do("network created", lambda: self._engine.ensure_network(spec))
