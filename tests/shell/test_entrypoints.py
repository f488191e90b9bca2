"""What an entrypoint may still do with its command: looked up for real under three shells."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from executor.shell.entrypoints import lister, may_hand_over
from executor.shell.keeper import keeper
from tests.limited import limited

KEEPER = keeper("job-build")


def listed(*processes: Sequence[str]) -> bytes:
    """Return what the lister prints of processes, itself among them."""
    with_itself = [*processes, lister(), ("cat", "/proc/9/cmdline")]
    parts = ["\ndind-executor: process\n" + "".join(f"{a}\0" for a in each) for each in with_itself]
    return "".join([*parts, "\ndind-executor: that is all\n"]).encode()


@pytest.mark.parametrize("hands_over", [True, False])
def test_the_lister_shows_every_process(programs: Path, *, hands_over: bool) -> None:
    """An entrypoint that has the keeper's command among its arguments may hand over."""
    shell = str(programs / "sh")
    _sh, _c, text = lister()
    entrypoint = [shell, "-c", '"$LISTER_SHELL" -c "$LISTER"; true "$@"', *KEEPER]
    other = "import os, subprocess; subprocess.run([os.environ['LISTER_SHELL'], '-c', os.environ['LISTER']])"

    done = subprocess.run(
        [
            *["unshare", "--pid", "--mount-proc", "--fork", "--kill-child"],
            *(entrypoint if hands_over else [sys.executable, "-c", other]),
        ],
        env={"PATH": f"{programs}:/usr/bin:/bin", "LISTER_SHELL": shell, "LISTER": text},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert (KEEPER[2].encode() in done.stdout) is hands_over
    assert may_hand_over(done.stdout) is hands_over


@pytest.mark.parametrize(
    "processes",
    [
        [("tini", "--", *KEEPER)],
        [("/bin/sh", "/entrypoint.sh", *KEEPER)],
        [("sh", "-c", 'sleep 30; exec "$@"', "sh", *KEEPER), ("sleep", "30")],
        [("sh", "-c", "sleep 30; exec bash", *KEEPER), ("sleep", "30")],
        [("bash", "-c", "./wait $0 && bash", *KEEPER), ("./wait", "sh")],
        [("sh", "-c", ". /entrypoint.sh", *KEEPER), ("sleep", "30")],
        [("sh", "-c", "./setup.sh", *KEEPER), ("/bin/bash", "./setup.sh"), ("sleep", "30")],
        [("/bin/busybox", "sh", "-c", "sleep 30; $0", *KEEPER), ("sleep", "30")],
        [("/bin/bash", "--login", "-c", f"exec {KEEPER[2]}"), ("sleep", "30")],
        [("sleep", "30"), ("-bash",)],
        [("sh", "-c", "wait-for db:5432 -- bash", *KEEPER), ("wait-for", "db:5432", "--", "bash")],
        [KEEPER],
    ],
)
def test_who_may_hand_over(processes: list[tuple[str, ...]]) -> None:
    """Whoever has the command, and a shell that may become one that reads its stdin."""
    assert may_hand_over(listed(*processes))


@pytest.mark.parametrize(
    "processes",
    [
        [("sleep", "3600")],
        [("java", "-jar", "app.jar"), ("defunct",)],
        [("sh", "-c", "cat >/dev/null", *KEEPER), ("cat",)],
        [("/bin/sh", "-c", "java $JAVA_OPTS -jar app.jar 2>&1", *KEEPER), ("java",)],
        [("sh", "-c", "cd /app && umask 022; java ${JAVA_OPTS} ${X:-a}", *KEEPER), ("java",)],
        [("/bin/bash", "-lc", "sleep 3600 "), ("sleep", "3600")],
        [("busybox", "sh", "-c", "tail -f /dev/null", *KEEPER), ("tail", "-f", "/dev/null")],
    ],
)
def test_who_cannot_hand_over(processes: list[tuple[str, ...]]) -> None:
    """Another program, and a shell that waits for its only command."""
    assert not may_hand_over(listed(*processes))


@pytest.mark.parametrize("listed", [b"", listed(("sleep", "1"))[:-2]])
def test_in_doubt_an_entrypoint_may(listed: bytes) -> None:
    """What was not seen to its end tells nothing."""
    assert may_hand_over(listed)


def test_an_entrypoint_of_any_length() -> None:
    """The text of a shell is looked at in time that is proportional to it."""
    assert limited("""
from executor.shell.entrypoints import _MARK, _END, may_hand_over
text = "cd /a;" * 500_000 + "exec nginx"
listed = f"x\\n{_MARK}\\nsh\\0-c\\0{text}\\0\\n{_END}\\n"
print(may_hand_over(listed.encode()))
""") in ("True\n", "False\n")
