"""Hosts and addresses: what is wrong with one, and which host is in one."""

import pytest

from executor.notation import hosts
from tests.checking import Check, Values, checks_of, is_a_sentence, right, wrong

VALUES: Values = {
    hosts.wrong_engine: (
        ["unix:///run/docker.sock", "tcp://host:2376", "tcp://[::1]:2376"],
        ["engine", "tcp://host", "tcp://host:0", "ssh://host", "unix://socket"],
    ),
    hosts.wrong_extra_host: (
        ["git:10.0.0.1", "git:host-gateway", "git:[fd00::1]"],
        ["git", ":10.0.0.1", "git:somewhere", "-a:10.0.0.1"],
    ),
    hosts.wrong_ip: (["10.0.0.1", "fd00::1", "[fd00::1]"], ["10.0.0", "host"]),
    hosts.wrong_domain: (["example.com", "."], ["", "a b", ".example.com"]),
    hosts.wrong_mirror: (
        ["https://mirror.example.com", "http://10.0.0.1:5000/path"],
        ["mirror.example.com", "https://", "https://a?b", "ftp://a", "https://a:x"],
    ),
    hosts.wrong_insecure_registry: (
        ["registry.example.com:5000", "10.0.0.0/8", "fd00::/8"],
        ["10.0.0.0/x", "a/b", "host:99999", ""],
    ),
}
"""Right and wrong values for each check."""


@pytest.mark.parametrize(("check", "value"), right(VALUES))
def test_a_good_value_is_not_spoken_of(check: Check, value: str) -> None:
    """A check returns an empty sentence for a value that may stand in the file."""
    assert check(value) == ""


@pytest.mark.parametrize(("check", "value"), wrong(VALUES))
def test_a_wrong_value_gets_a_sentence(check: Check, value: str) -> None:
    """A check returns what is wrong, as a part of a sentence without a full stop."""
    assert is_a_sentence(check(value))


def test_every_check_is_tried() -> None:
    """A check that is added here has good and wrong values in the table above."""
    known = checks_of(hosts)

    assert known == set(VALUES)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("", ""),
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1:5000", "10.0.0.1"),
        ("http://10.0.0.1", "10.0.0.1"),
        ("https://me:secret@10.0.0.1:5000/v2/x@y", "10.0.0.1"),
        ("http://[fd00::1]:3128", "fd00::1"),
    ],
)
def test_the_host_in_an_address(address: str, host: str) -> None:
    """A host is found with and without scheme, login, port and path."""
    assert hosts.host_of(address) == host


def test_names_of_a_certificate() -> None:
    """Names and addresses are told by the words before them, as openssl does, and the rest is named."""
    text = "DNS:engine.ci, IP:10.0.0.1,DNS:*.ci.example\nIP:fd00::1 DNS:a_b"

    assert hosts.certified(text) == (
        ("engine.ci", "10.0.0.1", "*.ci.example", "fd00::1", "a_b"),
        (),
    )


@pytest.mark.parametrize(
    "entry",
    [
        "engine.ci",
        "IP:engine.ci",
        "DNS:",
        "DNS:a/b",
        "email:a@b",
        "IP:10.0.0",
        "DNS:*",
        "DNS:.a",
        "dns:x",
    ],
)
def test_what_is_no_name_of_a_certificate(entry: str) -> None:
    """An entry of another kind, or one that is neither a name nor an address, is given back."""
    assert hosts.certified(f"DNS:a,{entry}") == (("a",), (entry,))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tcp://dind:2375", ("tcp", "dind", "2375")),
        ("tcp://dind:2375/", ("tcp", "dind", "2375")),
        ("dind", ("", "dind", "")),
        ("dind:2376", ("", "dind", "2376")),
        ("tcp://[::1]:2376", ("tcp", "::1", "2376")),
        ("tcp://[::1]", ("tcp", "::1", "")),
        ("ssh://ci@host", ("ssh", "host", "")),
        ("tcp://:2375", ("tcp", "", "2375")),
        ("unix:///var/run/docker.sock", ("unix", "", "")),
        ("", ("", "", "")),
    ],
)
def test_the_parts_of_an_address(address: str, expected: tuple[str, str, str]) -> None:
    """What an address lacks is empty, and brackets belong to no host."""
    assert hosts.parts_of(address) == expected
