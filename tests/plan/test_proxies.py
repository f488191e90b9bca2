"""NO_PROXY of containers, and in gitlab-runner's scripts."""

import shutil
import subprocess

import pytest

from executor.names import DIRECT_NAMES
from executor.plan.proxies import direct_names, proxy_notices
from executor.plan.proxies import with_direct_names as container_with_direct_names
from executor.scripts.no_proxy import with_direct_names
from executor.spec import ContainerSpec

NAMES = "docker,web"
PROXY = {"HTTPS_PROXY": "http://proxy:3128"}


def a_container(shown: dict[str, str], hidden: dict[str, str] | None = None) -> ContainerSpec:
    """Return a container with this environment."""
    return ContainerSpec("c", "i", {}, "n", environment=shown, secret_environment=hidden or {})


def test_the_names_of_a_job() -> None:
    """Each once, those that every job has first."""
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
    """Nothing without a proxy; else the job's names in front of its own."""
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


VALUES = ("", "a", "docker:2375,.example.com", "it's", 'a "b" $c `d` \\', "*")


def ansi(text: str) -> str:
    """Return a word as gitlab-runner writes it by default."""
    table = {"\\": "\\\\", "'": "\\'", "\n": "\\n"}
    return "$'" + "".join(table.get(each, each) for each in text) + "'"


def posix(text: str) -> str:
    """Return a word as gitlab-runner writes it with FF_POSIXLY_CORRECT_ESCAPES."""
    return '"' + "".join(f"\\{each}" if each in '`"\\$' else each for each in text) + '"'


@pytest.mark.parametrize(
    ("shell", "escape"),
    # dash knows no ANSI-C quotes
    [("bash", ansi), ("busybox", ansi), ("bash", posix), ("busybox", posix), ("dash", posix)],
)
@pytest.mark.parametrize("value", VALUES)
def test_a_script_runs_with_the_names(shell: str, escape: object, value: str) -> None:
    """Whatever the value, in either kind of quotes; other variables and commands stay."""
    program = shutil.which(shell)
    assert program, f"{shell} is not installed: apt-get install {shell}"
    assert callable(escape)
    message = "a\\nb\nexport NO_PROXY=of-the-message\nend" if escape is ansi else "one line"
    body = (
        f"export FF_X=false\nexport MESSAGE={escape(message)}\nexport NO_PROXY={escape(value)}\n"
        'export LAST=x\ncd /\nexport no_proxy=authors\nprintf \'%s\\n\' "$NO_PROXY" "$no_proxy"\n'
        'printf %s "$MESSAGE"\n'
    )
    script = f"set -o errexit\n: | eval {escape(body)}\nexit 0\n".encode()

    done = subprocess.run(
        [program, *(["sh"] if shell == "busybox" else [])],
        input=with_direct_names(script),
        env={"PATH": "/usr/bin:/bin", DIRECT_NAMES: NAMES},
        capture_output=True,
        check=True,
    )

    assert done.stdout.decode() == f"{NAMES},{value}\nauthors\n{message}"


def test_a_container_without_names() -> None:
    """The script does what it says."""
    script = b"export A=1\nexport NO_PROXY=a\ncd /\necho $NO_PROXY\n"
    done = subprocess.run(["sh"], input=with_direct_names(script), capture_output=True, check=True)
    assert done.stdout == b"a\n"


@pytest.mark.parametrize(
    "script",
    [b"", b"echo export NO_PROXY=a", b"export NO_PROXY=a\n", b"\ncd /\n\nexport NO_PROXY=a"],
)
def test_a_script_that_begins_otherwise(script: bytes) -> None:
    """It is left as it is."""
    assert with_direct_names(script) == script
