"""Which addresses a job's network gets, by tables of what has some already."""

import ipaddress
from collections.abc import Sequence
from dataclasses import replace

import pytest

from executor.errors import ResourceExhausted
from executor.plan.addresses import (
    MOST_REFUSALS,
    choose_subnet,
    free_networks,
    is_shared,
    prefix_for,
    usage,
)
from executor.plan.inputs import Inputs
from executor.spec import Surroundings
from tests.builders import a_service, some_inputs

HERE = Surroundings(in_reach=True)
BRIDGE = "br-0123456789ab"
FIRST = "172.29.0.0/16"
COMMON = (*(f"172.{each}.0.0/16" for each in range(16, 21)), "192.168.0.0/20")


def pooled(*ranges: str, **more: object) -> Inputs:
    """Return a job of an administrator's who has set a pool."""
    return some_inputs(settings=f"docker.network_pool = {list(ranges)}", **more)  # type: ignore[arg-type]


def with_key(inputs: Inputs, number: int) -> Inputs:
    """Return another job with the same settings."""
    belonging = inputs.belonging._replace(key=f"{number}-0123456789")
    return replace(inputs, belonging=belonging)


def chosen(inputs: Inputs, around: Surroundings = HERE, refused: Sequence[str] = ()) -> str:
    """Return a choice that is a network, by the strict reading of Python's library."""
    found = choose_subnet(inputs, around, refused)
    assert ipaddress.IPv4Network(found).prefixlen <= 27
    return found


def all_chosen(inputs: Inputs, around: Surroundings = HERE) -> list[str]:
    """Return what jobs get one after the other, until nothing but the engine's choice is left."""
    found: list[str] = []
    try:
        while subnet := choose_subnet(
            with_key(inputs, len(found)), replace(around, networks=(*around.networks, *found))
        ):
            found.append(subnet)
    except ResourceExhausted:
        pass
    return found


def is_in(subnet: str, *networks: str) -> bool:
    """Tell whether a network lies in one of others."""
    return any(
        ipaddress.IPv4Network(subnet).subnet_of(ipaddress.IPv4Network(each)) for each in networks
    )


def overlaps(subnet: str, *networks: str) -> bool:
    """Tell whether a network overlaps one of others."""
    return any(
        ipaddress.IPv4Network(subnet).overlaps(ipaddress.IPv4Network(each)) for each in networks
    )


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        (Surroundings(), ""),
        (Surroundings(engine_pools=("10.0.0.0/8",)), ""),
        (HERE, FIRST),
        # What has the whole block, or a part of it behind which more may be.
        (replace(HERE, networks=(FIRST,)), "172.27.0.0/16"),
        (replace(HERE, subnets=("172.29.200.0/24",)), "172.27.0.0/16"),
        (replace(HERE, subnets=("172.29.200.53",)), "172.27.0.0/16"),
        (replace(HERE, insecure_registries=("172.29.0.9:5000",)), "172.27.0.0/16"),
        (replace(HERE, mirrors=("https://172.29.0.9/",)), "172.27.0.0/16"),
        # Another network of an engine has taken the block from all others anyway.
        (replace(HERE, networks=("172.29.0.0/24",)), FIRST),
        (
            replace(HERE, subnets=("172.29.0.0/24",), bridges=(("172.29.0.0/24", BRIDGE),)),
            FIRST,
        ),
        # A VPN with a route to a half of all private addresses.
        (replace(HERE, subnets=("172.16.0.0/12",)), "192.168.208.0/20"),
        # A part of a block is better than none.
        (
            replace(HERE, subnets=("192.168.0.0/17", "192.168.192.0/18", "172.16.0.0/12"),
                    networks=("192.168.128.0/19", "192.168.160.0/20")),
            "192.168.176.0/20",
        ),
        (replace(HERE, subnets=("172.16.0.0/12", "192.168.0.0/16")), ""),
        # The engine's own pools, which its daemon.json has.
        (replace(HERE, engine_pools=("10.9.0.0/16", "fd00::/8")), "10.9.0.0/16"),
        (replace(HERE, engine_pools=("172.16.0.0/12",)), "172.21.0.0/16"),
        (replace(HERE, engine_pools=("192.168.0.0/16",)), "192.168.16.0/20"),
        (replace(HERE, engine_pools=("172.18.0.0/16",)), "172.18.0.0/16"),
        (replace(HERE, engine_pools=("fd00::/8",)), ""),
    ],
)  # fmt: skip
def test_where_a_network_comes_from(around: Surroundings, expected: str) -> None:
    """Docker's own ranges from the other end; the engine chooses where routes cannot be seen."""
    found = choose_subnet(some_inputs(), around)
    assert is_in(found, expected) if expected else not found


@pytest.mark.parametrize(
    "taken",
    [
        Surroundings(in_reach=True, networks=("10.8.0.0/25",)),
        Surroundings(in_reach=True, bridges=(("10.8.0.0/25", BRIDGE),)),
        Surroundings(in_reach=True, subnets=("10.8.0.0/25",)),
        Surroundings(networks=("10.8.0.0/25",)),
        Surroundings(in_reach=True, networks=("10.8.0.0/26", "10.8.0.64/27"), subnets=("10.8.0.99",)),
    ],
)  # fmt: skip
def test_what_is_taken_of_a_pool(taken: Surroundings) -> None:
    """Nothing of the administrator's pool is used twice, also where the host cannot be seen."""
    found = all_chosen(pooled("10.8.0.0/24"), taken)

    assert len(found) == len(set(found)) == 4
    assert all(is_in(each, "10.8.0.128/25") for each in found)


@pytest.mark.parametrize("wider", ["10.0.0.0/8", "10.8.0.0/16"])
def test_a_route_that_is_wider_than_a_pool(wider: str) -> None:
    """The administrator has named a part of what a VPN leads to: it is free by their word."""
    assert chosen(pooled("10.8.3.0/24"), replace(HERE, subnets=(wider,)))

    with pytest.raises(ResourceExhausted):
        choose_subnet(pooled("10.8.3.0/24"), replace(HERE, networks=(wider,)))
    with pytest.raises(ResourceExhausted):
        choose_subnet(pooled("10.8.3.0/24"), replace(HERE, bridges=((wider, BRIDGE),)))


def test_a_route_or_a_network_in_the_way_of_every_second_choice() -> None:
    """The others are used, each one once."""
    every = [str(each) for each in ipaddress.IPv4Network("10.8.0.0/22").subnets(new_prefix=27)]
    around = replace(HERE, networks=tuple(every[0::4]), subnets=tuple(every[2::4]))

    assert sorted(all_chosen(pooled("10.8.0.0/22"), around)) == sorted(every[1::2])


def test_a_pool_that_is_used_up() -> None:
    """The sentence names the pool and what to do; a pool may have several ranges."""
    inputs = pooled("10.8.0.0/26", "10.9.0.96/27")
    taken = all_chosen(inputs)

    assert sorted(taken) == ["10.8.0.0/27", "10.8.0.32/27", "10.9.0.96/27"]
    with pytest.raises(ResourceExhausted) as raised:
        choose_subnet(inputs, replace(HERE, networks=tuple(taken)))
    assert str(raised.value) == (
        "`[docker] network_pool` (10.8.0.0/26, 10.9.0.96/27) has no free network of 32 addresses for"
        " this job: networks of the Docker Engine and routes of its host take them all. Add a range to"
        " the pool, or remove networks that nobody uses (`docker network prune`). `dind-executor doctor"
        " --only subnets` looks at this."
    )


def test_what_an_engine_refuses_is_not_tried_again() -> None:
    """Neither while there is something else, nor for ever; the engine itself may find one then."""
    inputs, refused = some_inputs(), [""]
    while subnet := choose_subnet(inputs, HERE, refused[1:]):
        assert subnet not in refused
        refused.append(subnet)
    assert len(refused) - 1 == MOST_REFUSALS

    pool = pooled("10.8.0.0/16")
    with pytest.raises(ResourceExhausted):
        choose_subnet(pool, HERE, [f"10.9.{each}.0/27" for each in range(MOST_REFUSALS)])


def test_jobs_choose_differently() -> None:
    """Many that look at the same moment seldom want the same, and an attempt wants another one."""
    jobs = [with_key(some_inputs(), number) for number in range(100)]

    first = [chosen(each) for each in jobs]
    assert len(set(first)) > 40
    assert first == [chosen(each) for each in jobs]
    # Another attempt of a job that lost its choice has more to choose from.
    second = [chosen(each, HERE, [lost]) for each, lost in zip(jobs, first, strict=True)]
    assert not any(overlaps(*each) for each in zip(first, second, strict=True))
    assert len(set(second)) > len(set(first))


def test_jobs_share_few_blocks() -> None:
    """200 networks lie in one of Docker's blocks."""
    found: list[str] = []
    for number in range(200):
        around = replace(HERE, networks=tuple(found))
        found.append(chosen(with_key(some_inputs(), number), around))

    assert len(set(found)) == 200
    assert all(is_in(each, FIRST) for each in found)


def test_all_of_dockers_blocks_but_those_of_compose_files() -> None:
    """The last ones are used before the engine itself chooses."""
    blocks = ["172.16.0.0/12", *(f"192.168.{each}.0/20" for each in range(32, 256, 16))]
    found = all_chosen(some_inputs(), replace(HERE, networks=tuple(blocks)))

    assert len(found) == len(set(found)) == 128
    assert all(is_in(each, "192.168.16.0/20") for each in found)
    assert not any(overlaps(each, *COMMON) for each in found)


@pytest.mark.parametrize(
    ("services", "prefix"), [(0, 27), (20, 27), (21, 26), (52, 26), (53, 25), (500, 23)]
)
def test_a_job_with_many_services(services: int, prefix: int) -> None:
    """Its network has room for all of its containers."""
    assert prefix_for(services) == prefix


def test_a_larger_network_is_taken_from_the_same_ranges() -> None:
    """A range that is too small for it is passed over."""
    inputs = pooled("10.8.0.0/27", "10.9.0.0/24", services=[a_service("redis")] * 30)

    found = all_chosen(inputs, replace(HERE, networks=("10.9.0.32/27",)))

    assert sorted(found) == ["10.9.0.128/26", "10.9.0.192/26", "10.9.0.64/26"]


@pytest.mark.parametrize(
    ("bridges", "shared"),
    [
        ((), False),
        ((("10.8.0.0/27", BRIDGE),), False),
        ((("10.8.0.0/27", BRIDGE), ("10.8.0.32/27", "br-another00000")), False),
        ((("10.8.0.0/27", BRIDGE), ("10.8.0.0/27", "br-ba9876543210")), True),
        ((("10.8.0.0/16", "docker0"),), True),
    ],
)
def test_what_another_engine_has(bridges: tuple[tuple[str, str], ...], *, shared: bool) -> None:
    """A network of an engine beside it overlaps, and a network's own interface does not."""
    assert is_shared("10.8.0.0/27", BRIDGE, bridges) is shared
    assert not is_shared("fd00::/64", BRIDGE, bridges)


@pytest.mark.parametrize(
    ("pool", "around", "used", "capacity"),
    [
        (("10.240.0.0/24",), Surroundings(), 0, 8),
        (("10.240.0.0/24",), Surroundings(networks=("10.240.0.32/27", "192.0.2.0/24")), 1, 8),
        (("10.240.0.0/24",), Surroundings(networks=("10.240.0.0/27", "10.240.0.16/28")), 1, 8),
        (("10.240.0.0/24",), Surroundings(bridges=(("10.240.0.0/16", "br-1"),)), 8, 8),
        (("10.240.0.0/24", "10.240.0.0/25"), Surroundings(), 0, 8),
        ((), Surroundings(engine_pools=("10.0.0.0/20",), networks=("10.0.0.0/24",)), 8, 128),
        ((), Surroundings(networks=("172.17.0.0/16", "172.29.0.0/16")), 2048, 24448),
    ],
)
def test_how_much_of_the_addresses_is_taken(
    pool: tuple[str, ...], around: Surroundings, used: int, capacity: int
) -> None:
    """Places for a usual job's network count, whoever has them; each once."""
    assert usage(pool, around) == (used, capacity)


@pytest.mark.parametrize(
    ("pool", "around", "free"),
    [
        (["10.9.0.0/25"], Surroundings(), 4),
        (["10.9.0.0/25"], Surroundings(networks=("10.9.0.32/27",)), 3),
        (["10.9.0.0/25"], Surroundings(subnets=("10.9.0.64/26",)), 2),
        (["10.9.0.0/25"], Surroundings(subnets=("10.9.0.0/16",)), 4),
        ([], Surroundings(engine_pools=("10.9.0.0/26",)), 2),
        ([], Surroundings(), 8),
    ],
)
def test_how_many_jobs_find_a_network(pool: list[str], around: Surroundings, free: int) -> None:
    """The places are counted where a job looks for them, up to a number."""
    assert free_networks(pool, around, 8) == free
