"""Which network a runner's slot keeps for its jobs, and whether the one that is there will do: pure.

It is of no job: it has what the settings ask for, and nothing of a job's but the addresses that its
first one chose.
"""

from typing import NamedTuple

from executor.dataclass import replace
from executor.notation.claims import KEPT_NETWORK_LABEL
from executor.notation.subnets import BITS, Span, overlap, span_of
from executor.plan.addresses import prefix_for, reached
from executor.plan.inputs import Inputs
from executor.plan.labels import kind_labels
from executor.plan.network import ipv6_subnet, plan_network
from executor.plan.slots import runner_slot_name
from executor.spec import NetworkSpec, Surroundings


class KeptNetwork(NamedTuple):
    """A network that was found; see `Surroundings.kept_networks`."""

    name: str
    id: str
    made_with: str
    subnets: tuple[str, ...]


def kept_name(inputs: Inputs) -> str:
    """Return the name of the network of the job's slot; "" where none is kept, or the slot is hidden."""
    slot = runner_slot_name(inputs) if inputs.settings.docker.keep_network else ""
    return f"{slot}-network" if slot else ""


def plan_kept(inputs: Inputs, around: Surroundings) -> NetworkSpec | None:
    """Return the network of the job's slot; None where none is kept.  Raises as `plan_network`."""
    name = kept_name(inputs)
    if not name:
        return None
    own = plan_network(inputs, around)
    ipv6 = ipv6_subnet(name, 0) if own.ipv6_subnet else ""
    made_with = f"mtu={own.mtu} ipv6={ipv6}"
    labels = {
        **kind_labels("network"),
        "dind-executor.type": "network",
        KEPT_NETWORK_LABEL: made_with,
    }
    return replace(own, name=name, labels=labels, ipv6_subnet=ipv6)


def kept_by_name(around: Surroundings, name: str) -> list[KeptNetwork]:
    """Return the networks of a name that slots keep; Docker 20.10 may have several."""
    return [found for each in around.kept_networks if (found := KeptNetwork(*each)).name == name]


def found_for(inputs: Inputs, around: Surroundings) -> KeptNetwork | None:
    """Return the network of the job's slot where one is there that will do."""
    spec = plan_kept(inputs, around)
    found = kept_by_name(around, spec.name) if spec else []
    return (
        found[0] if spec and len(found) == 1 and will_do(found[0], spec, inputs, around) else None
    )


def will_do(found: KeptNetwork, spec: NetworkSpec, inputs: Inputs, around: Surroundings) -> bool:
    """Tell whether a network is what this job's would be, with addresses that it may have."""
    own = [span for each in found.subnets if (span := span_of(each))]
    if found.made_with != spec.labels[KEPT_NETWORK_LABEL] or len(own) != 1:
        return False
    (span,) = own
    first, last = span
    bases = inputs.settings.docker.network_pool or (around.engine_pools if around.in_reach else ())
    return (
        last - first + 1 >= 1 << BITS - prefix_for(len(inputs.services))
        and (not bases or any(_is_in(span, span_of(each)) for each in bases))
        and not any(
            overlap(span, other)
            for each in reached(inputs, around)
            if (other := span_of(each)) and other != span
        )
    )


def _is_in(one: Span, other: Span | None) -> bool:
    return other is not None and other[0] <= one[0] and one[1] <= other[1]
