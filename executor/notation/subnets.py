"""IPv4 networks in CIDR form, as numbers.

`ipaddress` would do for this, and takes as long to load as everything else here takes to run: each
prepare reads the networks of an engine.  Pure.
"""

from executor.bounds import whole_number

Span = tuple[int, int]
"""The first and the last address of a network, as numbers."""

BITS = 32
_LONGEST_PREFIX = 27
_SHORTEST_PREFIX = 8
_OCTETS = 4
_LARGEST_OCTET = 255


def span_of(text: str) -> Span | None:
    """Return the network that a text names; an address is a network of its own.

    None where it is neither, such as an IPv6 network or a name.  Bits behind the prefix do not count.
    """
    address, slash, length = text.partition("/")
    prefix = whole_number(length, BITS) if slash else BITS
    octets = address.split(".")
    numbers = [
        number for each in octets if (number := whole_number(each, _LARGEST_OCTET)) is not None
    ]
    if prefix is None or len(octets) != _OCTETS or len(numbers) != _OCTETS:
        return None
    value = 0
    for number in numbers:
        value = value << 8 | number
    size = 1 << BITS - prefix
    first = value // size * size
    return first, first + size - 1


def network_text(first: int, prefix: int) -> str:
    """Return the network of a prefix that begins with an address, in CIDR form."""
    return f"{'.'.join(str(first >> shift & _LARGEST_OCTET) for shift in (24, 16, 8, 0))}/{prefix}"


def overlap(one: Span, other: Span) -> bool:
    """Tell whether two networks have an address in common."""
    return one[0] <= other[1] and other[0] <= one[1]


def wrong_pool(text: str) -> str:
    """Check a range of addresses for the networks of jobs; return what is wrong, "" if nothing is."""
    span = span_of(text)
    prefix = whole_number(text.partition("/")[2], BITS)
    if span is None or prefix is None:
        return f"{text!r} must be an IPv4 network in CIDR form, such as 10.240.0.0/16"
    right = network_text(span[0], prefix)
    if right != text:
        return f"{text!r} has bits behind its prefix: write {right}"
    if not _SHORTEST_PREFIX <= prefix <= _LONGEST_PREFIX:
        return (
            f"{text!r} must have a prefix from /{_SHORTEST_PREFIX} to /{_LONGEST_PREFIX}: a job's"
            " network has 32 addresses or more"
        )
    return ""
