"""The network of a job, made to fit into what is around it."""

import _thread
from collections.abc import Callable
from typing import TypeVar

from executor.dataclass import replace
from executor.engine.docker import Engine
from executor.engine.networks import Made, SubnetTaken
from executor.errors import EngineRefused, ResourceExhausted
from executor.host.network import bridge_of, host_bridges, with_host
from executor.plan.addresses import choose_subnet, is_shared
from executor.plan.certificates import with_gitlabs
from executor.plan.inputs import Inputs
from executor.plan.kept_networks import KeptNetwork, kept_by_name, plan_kept, will_do
from executor.plan.network import plan_network
from executor.runner import notes
from executor.spec import NetworkSpec, Surroundings
from executor.stages.prepare.steps import Steps
from executor.tasks import Task

T = TypeVar("T")


class JobNetwork:
    """The network in the making, and whatever takes it away before it is used."""

    def __init__(
        self, engine: Engine, inputs: Inputs, steps: Steps, taken_by: Callable[[], str]
    ) -> None:
        """Begin to make it, or to look for the one that the slot keeps; `taken_by` says who has that."""
        self._engine = engine
        self._inputs = inputs
        self._steps = steps
        self._taken_by = taken_by
        self._names = [inputs.names.network]
        self._lock = _thread.allocate_lock()
        self.kept: NetworkSpec | None = None
        """The network of the slot, where the job is on that; known once it is made."""
        self._made = Task(self._make)

    def leave_note(self, temp_dir: str) -> None:
        """Leave the note by which containers leave the slot's network before cleanup."""
        if self.kept:
            notes.leave(temp_dir, notes.NETWORK, self._names[-1].encode())

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
            if not gone and not any(f"network {each} is ambiguous" in said for each in self._names):
                raise
        with self._lock:
            around = self._made.result()
            # The same addresses as before: the sidecar's certificate has them.
            before = (each for each in around.own_subnets if ":" not in each)
            self._create(self.kept or plan_network(self._inputs, around), around, next(before, ""))
        return start()

    def _make(self) -> Surroundings:
        around = self._look()
        made = self._of_slot(around) or self._own(around)
        return replace(
            around,
            subnets=(*around.subnets, *made.subnets),
            own_subnets=made.subnets,
            # A rootless engine's docker0 may have the address that another engine's has on the host.
            in_reach=around.in_reach and _is_here(made),
        )

    def _of_slot(self, around: Surroundings) -> Made | None:
        """Return the network that the slot keeps, or one made for it; None where the job has its own.

        So it has where another job is on the slot's, or anything else stands in the way.
        """
        spec = plan_kept(self._inputs, around)
        if spec is None:
            return None
        self._names.append(spec.name)
        found = kept_by_name(around, spec.name)
        try:
            if self._taken_by():
                return None
            if len(found) == 1 and self._will_do(found[0], spec, around):
                made = Made(found[0].id, found[0].subnets)
            elif any(self._engine.kept.remove_network(each.id) for each in found):
                return None
            else:
                made = self._create(spec, around)
            # A list may be older than the claim.
            taken = self._steps.do(
                "network taken", lambda: self._engine.kept.take_network(spec.name, made.id)
            )
        except (EngineRefused, ResourceExhausted):
            return None
        if not taken:
            return None
        self._names.append(made.id)
        self.kept = spec
        return made

    def _will_do(self, found: KeptNetwork, spec: NetworkSpec, around: Surroundings) -> bool:
        is_shared = around.in_reach and _is_shared(Made(found.id, found.subnets))
        return will_do(found, spec, self._inputs, around) and not is_shared

    def _own(self, around: Surroundings) -> Made:
        """Return a network of this job's, in place of one that is kept where there is no other room."""
        try:
            return self._create(plan_network(self._inputs, around), around)
        except ResourceExhausted:
            if not around.kept_networks:
                raise
            from executor.budgets.networks import remove_unclaimed  # noqa: PLC0415 (rarely needed)

            if not remove_unclaimed(self._engine, [each[:2] for each in around.kept_networks]):
                raise
        around = self._look()
        return self._create(plan_network(self._inputs, around), around)

    def _look(self) -> Surroundings:
        found = self._steps.do("surroundings known", self._engine.survey)
        around = with_host(found, self._inputs.settings.docker.certs_d, local=self._engine.local)
        return replace(around, authorities=with_gitlabs(around.authorities, self._inputs.values))

    def _create(self, spec: NetworkSpec, around: Surroundings, subnet: str = "") -> Made:
        """Make it, with other addresses where they turn out to be taken; begin with `subnet`, if given.

        Nobody holds a lock meanwhile: the engine gives addresses to one of all that ask for them, and
        where another engine of the host has the same, whoever sees that first takes others.
        """
        refused: list[str] = []
        shared = ""
        subnet = subnet or choose_subnet(self._inputs, around)
        while True:
            try:
                made = self._ensure(replace(spec, subnet=subnet), shared)
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
