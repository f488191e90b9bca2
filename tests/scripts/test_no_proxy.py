"""The job's names in front of the NO_PROXY that gitlab-runner's script sets."""

import shutil
import subprocess

import pytest

from executor.names import DIRECT_NAMES
from executor.scripts.no_proxy import with_direct_names

NAMES = "docker,web"
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
    """The names go before any value, in either kind of quotes; other variables and commands stay."""
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
    """The script does what it says in a container without names."""
    script = b"export A=1\nexport NO_PROXY=a\ncd /\necho $NO_PROXY\n"
    done = subprocess.run(["sh"], input=with_direct_names(script), capture_output=True, check=True)
    assert done.stdout == b"a\n"


@pytest.mark.parametrize(
    "script",
    [b"", b"echo export NO_PROXY=a", b"export NO_PROXY=a\n", b"\ncd /\n\nexport NO_PROXY=a"],
)
def test_a_script_that_begins_otherwise(script: bytes) -> None:
    """A script that sets no NO_PROXY at its beginning is left as it is."""
    assert with_direct_names(script) == script
