"""IPv4 networks as numbers, beside what Python's own library says of them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.notation.subnets import network_text, overlap, span_of, wrong_pool

NETWORKS = st.builds(
    lambda address, prefix: ipaddress.IPv4Network((address, prefix), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)


@given(NETWORKS)
def test_a_network_is_its_first_and_last_address(network: ipaddress.IPv4Network) -> None:
    """It can be written again as it was."""
    span = span_of(str(network))
    assert span == (int(network[0]), int(network[-1]))
    assert network_text(span[0], network.prefixlen) == str(network)


@given(NETWORKS, NETWORKS)
def test_networks_overlap(one: ipaddress.IPv4Network, other: ipaddress.IPv4Network) -> None:
    """They do where one holds the other, and only there."""
    spans = span_of(str(one)), span_of(str(other))
    assert spans[0]
    assert spans[1]
    assert overlap(spans[0], spans[1]) is one.overlaps(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.9", (0x0A000009, 0x0A000009)),
        ("10.0.0.9/24", (0x0A000000, 0x0A0000FF)),
        ("fd00::/8", None),
        ("docker.io", None),
        ("", None),
        ("10.0.0/8", None),
        ("10.0.0.256", None),
        ("10.0.0.0.0", None),
        ("10.0.0.0/33", None),
        ("10.0.0.0/", None),
        ("10.0.0.0/8/8", None),
        ("10..0.0", None),
        ("+1.0.0.0", None),
        ("1" * 9999 + ".0.0.0", None),
    ],
)
def test_what_is_no_network_is_none(text: str, expected: tuple[int, int] | None) -> None:
    """An address is a network of its own, and bits behind the prefix do not count."""
    assert span_of(text) == expected


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("10.240.0.0/16", ""),
        ("10.0.0.0/8", ""),
        ("192.168.7.96/27", ""),
        ("10.240.0.1/16", "write 10.240.0.0/16"),
        ("010.240.0.0/16", "write 10.240.0.0/16"),
        ("10.240.0.0", "in CIDR form"),
        ("10.240.0.0/28", "from /8 to /27"),
        ("8.0.0.0/7", "from /8 to /27"),
        ("fd00::/48", "an IPv4 network"),
        ("any", "such as 10.240.0.0/16"),
    ],
)
def test_a_pool_of_addresses(text: str, wrong: str) -> None:
    """It is an IPv4 network in CIDR form, and the sentence says what is wrong with another."""
    said = wrong_pool(text)
    assert wrong in said
    assert bool(wrong) is bool(said)
