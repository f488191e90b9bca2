"""The network of a job, made to fit into what is around it."""

import _thread
from collections.abc import Callable
from typing import TypeVar

from executor.dataclass import replace
from executor.engine.docker import Engine
from executor.engine.networks import Made, SubnetTaken
from executor.errors import EngineRefused
from executor.host.network import bridge_of, host_bridges, with_host
from executor.plan.addresses import choose_subnet, is_shared
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
        self._names = [inputs.names.network]
        self._lock = _thread.allocate_lock()
        self._made = Task(self._make)

    def surroundings(self) -> Surroundings:
        """Wait until it is made; return what is around it, with its own subnets."""
        return self._made.result()

    def holding(self, start: Callable[[], T]) -> T:
        """Return what `start` returns, which starts a container on the network.

        A `docker network prune` on the host, as cron jobs have it, removes a network on which
        nothing runs yet: it is made again, and `start` called once more.  That also takes away another
        network of its name, with which an engine starts nothing on either.
        """
        try:
            return start()
        except EngineRefused as refused:
            said = str(refused)
            gone = any(f"network {each} not found" in said for each in self._names)
            if not gone and f"network {self._inputs.names.network} is ambiguous" not in said:
                raise
        with self._lock:
            around = self._made.result()
            # The same addresses as before: the sidecar's certificate has them.
            before = (each for each in around.own_subnets if ":" not in each)
            self._create(around, next(before, ""))
        return start()

    def _make(self) -> Surroundings:
        around = self._look()
        made = self._create(around)
        return replace(
            around,
            subnets=(*around.subnets, *made.subnets),
            own_subnets=made.subnets,
            # A rootless engine's docker0 may have the address that another engine's has on the host.
            in_reach=around.in_reach and _is_here(made),
        )

    def _look(self) -> Surroundings:
        found = self._steps.do("surroundings known", self._engine.survey)
        around = with_host(found, self._inputs.settings.docker.certs_d, local=self._engine.local)
        return replace(around, authorities=with_gitlabs(around.authorities, self._inputs.values))

    def _create(self, around: Surroundings, subnet: str = "") -> Made:
        """Make it, with other addresses where they turn out to be taken; begin with `subnet`, if given.

        Nobody holds a lock meanwhile: the engine gives addresses to one of all that ask for them, and
        where another engine of the host has the same, whoever sees that first takes others.
        """
        refused: list[str] = []
        shared = ""
        subnet = subnet or choose_subnet(self._inputs, around)
        while True:
            try:
                made = self._ensure(
                    replace(plan_network(self._inputs, around), subnet=subnet), shared
                )
            except SubnetTaken:
                pass
            else:
                self._names.append(made.id)
                if not (around.in_reach and subnet and _is_shared(made)):
                    return made
                shared = made.id
            refused.append(subnet)
            around = self._look()
            subnet = choose_subnet(self._inputs, around, refused)

    def _ensure(self, spec: NetworkSpec, instead_of: str) -> Made:
        def ensure() -> Made:
            return self._engine.ensure_network(spec, instead_of)

        return self._steps.do("network created", ensure)


def _is_here(made: Made) -> bool:
    return any(interface == bridge_of(made.id) for _, interface in host_bridges())


def _is_shared(made: Made) -> bool:
    bridges = host_bridges()
    return any(is_shared(each, bridge_of(made.id), bridges) for each in made.subnets)
