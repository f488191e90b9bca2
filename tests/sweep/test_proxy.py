"""The environment's proxies, as Go reads them."""

import pytest

from executor.sweep.proxy import Proxy, UnknownProxy, proxy_for

PROXY = Proxy("proxy.example", 3128, "")


@pytest.mark.parametrize(
    ("environ", "scheme", "found"),
    [
        ({}, "https", None),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "https", PROXY),
        ({"https_proxy": "proxy.example:3128"}, "https", PROXY),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "http", None),
        ({"HTTP_PROXY": "http://proxy.example:3128"}, "http", PROXY),
        ({"HTTP_PROXY": "http://proxy.example"}, "http", Proxy("proxy.example", 80, "")),
        ({"HTTP_PROXY": "http://u:p%40ss@[::1]:8080"}, "http", Proxy("::1", 8080, "u:p@ss")),
        ({"ALL_PROXY": "http://proxy.example:3128"}, "https", None),
        ({"HTTPS_PROXY": "", "https_proxy": "http://proxy.example:3128"}, "https", PROXY),
    ],
)
def test_the_proxy_of_the_scheme_counts(
    environ: dict[str, str], scheme: str, found: Proxy | None
) -> None:
    """The upper or lower case variable of the URL's scheme names the proxy."""
    assert proxy_for(scheme, "gitlab.example", 443, environ) == found


@pytest.mark.parametrize(
    "entry",
    [
        "*",
        "gitlab.example.com",
        "GitLab.Example.com",
        "example.com",
        ".example.com",
        "*.example.com",
        "gitlab.example.com:8443",
        "other, gitlab.example.com ,more",
    ],
)
def test_a_name_may_be_excepted(entry: str) -> None:
    """NO_PROXY covers a name, the names below it, and one port of it."""
    environ = {"HTTPS_PROXY": "proxy.example:3128", "NO_PROXY": entry}

    assert proxy_for("https", "gitlab.example.com", 8443, environ) is None


@pytest.mark.parametrize(
    "entry", ["", ",", "lab.example.com", "gitlab.example.com:443", "*.gitlab.example.com", "."]
)
def test_other_names_are_not_excepted(entry: str) -> None:
    """A part of a word, another port and names below are other servers."""
    environ = {"HTTPS_PROXY": "proxy.example:3128", "no_proxy": entry}

    assert proxy_for("https", "gitlab.example.com", 8443, environ) == PROXY


@pytest.mark.parametrize(
    ("host", "entry", "is_excepted"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("gitlab.example", "10.0.0.0/8", False),
        ("10.1.2.3", "10.0.0.0/99", False),
        ("fd00::1", "fd00::/8", True),
        ("fd00::1", "fd00::1", True),
        ("fd00::1", "[fd00::1]", True),
        ("fd00::1", "[fd00::1]:443", True),
        ("fd00::1", "[fd00::1]:80", False),
    ],
)
def test_an_address_may_be_excepted(host: str, entry: str, *, is_excepted: bool) -> None:
    """NO_PROXY covers an address, and a network in CIDR form."""
    environ = {"HTTPS_PROXY": "proxy.example:3128", "NO_PROXY": entry}

    assert (proxy_for("https", host, 443, environ) is None) is is_excepted


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_asked_directly(host: str) -> None:
    """No proxy knows what localhost is here."""
    assert proxy_for("http", host, 80, {"HTTP_PROXY": "proxy.example:3128"}) is None


@pytest.mark.parametrize(
    "named",
    ["socks5://proxy.example", "https://proxy.example", "http://", "http://[", "http://a:b"],
)
def test_a_proxy_of_another_kind_is_no_way(named: str) -> None:
    """What cannot be used is said, and not gone around."""
    with pytest.raises(UnknownProxy):
        proxy_for("https", "gitlab.example", 443, {"HTTPS_PROXY": named})


def test_a_password_does_not_show() -> None:
    """The text of a proxy has no login in it."""
    assert "secret" not in repr(Proxy("proxy.example", 3128, "user:secret"))
