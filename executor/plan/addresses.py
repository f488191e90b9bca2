"""Which addresses a job's network gets.

The engine hands out /16 and /20 networks, some 30 in all.  A job needs a few addresses, so we name a
small network ourselves.  An engine refuses one that overlaps another of its networks, and takes no
notice of what its host has routes to: those we keep free.  A single small network takes a whole
block from what the engine hands out to others, so that ours begin at the front of few ranges; among
the first places each job takes another one, as many may look at the same moment.  Pure.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from executor.digests import sha256
from executor.errors import ResourceExhausted
from executor.notation.hosts import host_of
from executor.notation.subnets import BITS, Span, network_text, overlap, span_of
from executor.plan.inputs import Inputs
from executor.plan.proxies import PROXIES
from executor.spec import Surroundings

MOST_REFUSALS = 250
"""After how many networks that an engine refused no other one is tried."""

_DOCKERS = (
    *(f"172.{each}.0.0/16" for each in (29, 27, 26, 24, 23, 30, 25, 22, 21)),
    *(f"192.168.{each}.0/20" for each in (208, 224, 240, 192, 160, 144, 128, 176, 80, 64)),
    *(f"192.168.{each}.0/20" for each in (16, 32, 48, 96, 112)),
    *(f"172.{each}.0.0/16" for each in (31, 28)),
)
"""The blocks of which Docker makes its own networks, without those that compose files and scripts
name (172.17 to 172.20 and 192.168.0.0/20).

Docker uses them from the lowest on, so that ours begin at the other end.  Late come what virtual
machines, home routers and Amazon's default network have, and 172.28, which Docker's manual names.
"""

_COMMON = ("172.16.0.0/14", "172.20.0.0/16", "192.168.0.0/20")
"""What compose files and scripts name; of an engine's own pools, these come last."""
_BLOCK = 1 << BITS - 20

_LONGEST_PREFIX = 27
_NEVER_FREE = 3
"""The network's own address, the gateway's, and that of all."""
_OWN_CONTAINERS = 3
_SPARE = 6
"""For containers that take another one's place, or that somebody puts on the network."""
_PLACES = 128
"""Among how many free networks a job chooses; so many are in a /20, the smaller one of Docker's blocks.

Each refusal doubles it: an engine lists a network some time after it has given its addresses away.
"""
_MOST_DOUBLINGS = 4


class _Around(NamedTuple):
    """What has addresses already."""

    networks: list[Span]
    """Networks of this engine and of others on its host, where nobody else's can be."""
    others: list[Span]
    """What the host has other routes to, and what the job may have to reach."""


def choose_subnet(inputs: Inputs, around: Surroundings, refused: Collection[str] = ()) -> str:
    """Return the network to try next, in CIDR form; "" leaves the choice to the engine.

    `refused` are those that turned out to be taken.  The engine chooses where its host's routes
    cannot be seen and the settings name no pool, or where nothing of ours is left.

    Raises ResourceExhausted where the settings' pool has no addresses left.
    """
    pool = inputs.settings.docker.network_pool
    if not pool and not around.in_reach:
        return ""
    prefix = prefix_for(len(inputs.services))
    known = _around(inputs, around)
    if len(refused) < MOST_REFUSALS:
        known.networks.extend(_spans(refused))
        free = _places(pool, around, known, 1 << BITS - prefix)
        places = list(islice(free, _PLACES << min(len(refused), _MOST_DOUBLINGS)))
        if places:
            chosen = places[_number(inputs.names.key, len(refused)) % len(places)]
            return network_text(chosen, prefix)
    if pool:
        raise _exhausted(pool, prefix)
    return ""


def free_networks(pool: Sequence[str], around: Surroundings, most: int) -> int:
    """Return how many jobs would find a network now, at most so many."""
    known = _Around(_spans(around.networks), _spans(around.subnets))
    return len(list(islice(_places(pool, around, known, 1 << BITS - _LONGEST_PREFIX), most)))


def prefix_for(services: int) -> int:
    """Return the length of the prefix of a job's network; with 20 services or fewer it is 27."""
    needed = services + _OWN_CONTAINERS + _NEVER_FREE + _SPARE
    return min(_LONGEST_PREFIX, BITS - (needed - 1).bit_length())


def usage(pool: Sequence[str], around: Surroundings) -> tuple[int, int]:
    """Return how many places for a usual job's network are taken, also by others, and how many there are.

    `pool` is the settings'; without one, the engine's own or Docker's counts.
    """
    size = 1 << BITS - _LONGEST_PREFIX
    ranges = _merged(_spans(pool or around.engine_pools or _DOCKERS))
    taken = _merged(_spans((*around.networks, *(subnet for subnet, _ in around.bridges))))
    used: set[int] = set()
    for first, last in ranges:
        for its_first, its_last in taken:
            begin, end = max(first, its_first), min(last, its_last)
            if begin <= end:
                used.update(range(begin // size, end // size + 1))
    return len(used), sum(-(-(last - first + 1) // size) for first, last in ranges)


def is_shared(subnet: str, interface: str, bridges: Iterable[tuple[str, str]]) -> bool:
    """Tell whether another engine's network on the same host overlaps one with this interface.

    Two engines know nothing of each other, and each takes what its host already has.
    """
    span = span_of(subnet)
    return span is not None and any(
        other != interface and (known := span_of(each)) is not None and overlap(span, known)
        for each, other in bridges
    )


def reached(inputs: Inputs, around: Surroundings) -> Iterator[str]:
    """Yield every network and address that the job may have to reach, and names beside them."""
    docker, dind = inputs.settings.docker, inputs.settings.dind
    registries = (*dind.insecure_registries, *around.insecure_registries)
    yield from around.subnets
    yield from docker.dns
    yield from (each.partition(":")[2] for each in docker.extra_hosts)
    yield from registries
    addresses = (
        *registries,
        *dind.registry_mirrors,
        *around.mirrors,
        inputs.job.repo_url,
        *(each.url for each in inputs.job.registries),
        *(inputs.values.get(key, "") for each in PROXIES for key in (each, each.lower())),
    )
    yield from map(host_of, addresses)


def _around(inputs: Inputs, around: Surroundings) -> _Around:
    networks = _spans((*around.networks, *(subnet for subnet, _ in around.bridges)))
    known = set(networks)
    return _Around(
        networks, [each for each in _spans(reached(inputs, around)) if each not in known]
    )


def _places(pool: Sequence[str], around: Surroundings, known: _Around, size: int) -> Iterator[int]:
    ranges = _of_settings(pool, known) if pool else _of_docker(around.engine_pools, known)
    return (first for base, taken in ranges for first in _free(base, size, taken))


def _spans(texts: Iterable[str]) -> list[Span]:
    return [span for each in texts if (span := span_of(each))]


def _of_settings(pool: Sequence[str], known: _Around) -> Iterator[tuple[Span, list[Span]]]:
    """Yield each range of a pool with what is taken of it.

    A route that is wider than a range is no reason: the administrator has said that the range is free.
    """
    for base in _spans(pool):
        others = (each for each in known.others if not _is_wider(each, base))
        yield base, _merged([*known.networks, *others])


def _of_docker(pools: Sequence[str], known: _Around) -> Iterator[tuple[Span, list[Span]]]:
    """Yield Docker's blocks, or the pools of an engine that has its own, with what is taken of them.

    A route or an address in a block says that more of it may be in use behind the host: such blocks
    come last.
    """
    blocks = _without_common(_spans(pools)) if pools else _spans(_DOCKERS)
    taken = _merged([*known.networks, *known.others])
    apart = [block for block in blocks if not _meets(block, known.others)]
    yield from ((block, taken) for block in apart)
    yield from ((block, taken) for block in blocks if block not in apart)


def _without_common(bases: Iterable[Span]) -> list[Span]:
    """Return what an engine's pools have, those parts last that jobs may name a network of theirs."""
    common = _spans(_COMMON)
    first: list[Span] = []
    last: list[Span] = []
    for base in bases:
        if not _meets(base, common):
            first.append(base)
            continue
        for start in range(base[0], base[1] + 1, _BLOCK):
            block = (start, min(start + _BLOCK - 1, base[1]))
            (last if _meets(block, common) else first).append(block)
    return [*first, *last]


def _meets(one: Span, others: Iterable[Span]) -> bool:
    return any(overlap(one, each) for each in others)


def _is_wider(one: Span, other: Span) -> bool:
    return one != other and one[0] <= other[0] and other[1] <= one[1]


def _free(base: Span, size: int, taken: list[Span]) -> Iterator[int]:
    """Yield where the free networks of this size begin, in order; `taken` is in order, too."""
    lasts = [last for _, last in taken]
    first = base[0]
    while first + size - 1 <= base[1]:
        behind = bisect_right(lasts, first - 1)
        if behind == len(taken) or taken[behind][0] >= first + size:
            yield first
            first += size
        else:
            first = (taken[behind][1] // size + 1) * size


def _number(key: str, attempt: int) -> int:
    """Return a number that is another one for each job and each attempt."""
    return int.from_bytes(sha256(f"{key} {attempt}".encode()).digest()[:8])


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Return the same addresses as spans in order that do not overlap."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _exhausted(pool: Sequence[str], prefix: int) -> ResourceExhausted:
    return ResourceExhausted(
        f"`[docker] network_pool` ({', '.join(pool)}) has no free network of"
        f" {1 << BITS - prefix} addresses for this job: networks of the Docker Engine and routes of"
        " its host take them all. Add a range to the pool, or remove networks that nobody uses"
        " (`docker network prune`). `dind-executor doctor --only subnets` looks at this."
    )
