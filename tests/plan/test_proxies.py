"""NO_PROXY of containers, and what is said of proxies that nobody reaches."""

import pytest

from executor.names import DIRECT_NAMES
from executor.plan.proxies import client_proxies, direct_names, proxy_notices
from executor.plan.proxies import with_direct_names as container_with_direct_names
from executor.spec import ContainerSpec

NAMES = "docker,web"
PROXY = {"HTTPS_PROXY": "http://proxy:3128"}


def a_container(shown: dict[str, str], hidden: dict[str, str] | None = None) -> ContainerSpec:
    """Return a container with this environment."""
    return ContainerSpec("c", "i", {}, "n", environment=shown, secret_environment=hidden or {})


def test_the_names_of_a_job() -> None:
    """Each name stands once, and those that every job has come first."""
    assert direct_names(("docker", "web", "db")) == "docker,localhost,127.0.0.1,web,db"


@pytest.mark.parametrize(
    ("shown", "hidden", "added"),
    [
        ({}, {}, {}),
        ({"NO_PROXY": "a"}, {}, {}),
        (PROXY, {}, {"NO_PROXY": NAMES, "no_proxy": NAMES}),
        ({}, PROXY, {"NO_PROXY": NAMES, "no_proxy": NAMES}),
        ({"http_proxy": "p"}, {}, {"NO_PROXY": NAMES, "no_proxy": NAMES}),
        ({**PROXY, "no_proxy": "*"}, {}, {}),
        # the other key would win for some programs
        ({**PROXY, "no_proxy": "a,b"}, {}, {"no_proxy": f"{NAMES},a,b"}),
        (
            {**PROXY, "NO_PROXY": "a", "no_proxy": "b"},
            {},
            {"NO_PROXY": f"{NAMES},a", "no_proxy": f"{NAMES},b"},
        ),
    ],
)
def test_what_a_container_is_given(
    shown: dict[str, str], hidden: dict[str, str], added: dict[str, str]
) -> None:
    """Without a proxy it gets nothing; else the job's names stand in front of its own."""
    found = container_with_direct_names(a_container(shown, hidden), NAMES)
    assert found.environment == {**shown, **added}
    assert found.secret_environment == hidden


def test_a_secret_stays_one() -> None:
    """A NO_PROXY that must not show is not shown with names in front of it either."""
    found = container_with_direct_names(a_container(PROXY, {"NO_PROXY": "secret"}), NAMES)
    assert found.environment == PROXY
    assert found.secret_environment == {"NO_PROXY": f"{NAMES},secret"}


def test_what_only_scripts_set() -> None:
    """The container learns the names that the script will use, and nothing of the values."""
    values = {**PROXY, "NO_PROXY": "secret"}
    found = container_with_direct_names(a_container({}), NAMES, values)
    assert found.environment == {DIRECT_NAMES: NAMES}


def test_scripts_without_any_proxy() -> None:
    """`*` means all hosts for curl only where it stands alone."""
    values = {**PROXY, "NO_PROXY": "*"}
    assert container_with_direct_names(a_container({}), NAMES, values).environment == {}


@pytest.mark.parametrize(
    ("url", "is_bad"),
    [
        ("http://127.0.0.1:3128", True),
        ("localhost:3128", True),
        ("http://user:hunter2@[::1]:3128/", True),
        ("http://proxy.example:3128", False),
        ("http://localhost.example", False),
        ("", False),
    ],
)
def test_a_proxy_that_nobody_reaches(url: str, is_bad: bool) -> None:  # noqa: FBT001
    """Its key is named, and nothing of its value."""
    found = proxy_notices({"https_proxy": url})
    assert [each.partition(" names a proxy")[0] for each in found] == (
        ["WARNING: https_proxy"] if is_bad else []
    )
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {}),
        ({"NO_PROXY": "a", "http_proxy": ""}, {}),
        (
            {"HTTPS_PROXY": "http://p:1", "http_proxy": "http://q:2"},
            {"httpsProxy": "http://p:1", "httpProxy": "http://q:2", "noProxy": NAMES},
        ),
        (
            {"all_proxy": "socks5://p", "FTP_PROXY": "f", "no_proxy": ".example"},
            {"allProxy": "socks5://p", "ftpProxy": "f", "noProxy": f"{NAMES},.example"},
        ),
        ({"HTTP_PROXY": "p", "NO_PROXY": "*"}, {"httpProxy": "p", "noProxy": "*"}),
    ],
)
def test_what_a_client_hands_on(values: dict[str, str], expected: dict[str, str]) -> None:
    """A client is told each of the job's proxies, in whichever case, and the names without one."""
    found = client_proxies(values, NAMES)
    assert found == ({"proxies": {"default": expected}} if expected else {})
