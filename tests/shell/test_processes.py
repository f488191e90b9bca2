"""Whose a process is, and signals for a running script: run for real under three shells."""

import subprocess
from pathlib import Path

import pytest

from executor.shell import given, program
from tests.keeping import Start


@pytest.mark.parametrize(
    ("own", "first", "other", "ours"),
    [
        # a container of an engine on cgroup v1, and the same in a hybrid hierarchy
        ("9:cpu:/docker/a\n4:memory:/docker/a", "4:memory:/", "4:memory:/docker/a", True),
        ("4:memory:/docker/a\n0::/x", "4:memory:/", "4:memory:/docker/a/b\n0::/y", True),
        ("4:memory:/docker/a\n0::/x", "4:memory:/", "4:memory:/docker/ab\n0::/x", False),
        ("4:memory:/docker/a", "4:memory:/", "4:memory:/", False),
        # cgroup v2, with a cgroup namespace of the container's own, and without
        ("0::/", "0::/../../init.scope", "0::/", True),
        ("0::/", "0::/../../init.scope", "0::/below", True),
        ("0::/", "0::/../../init.scope", "0::/../b", False),
        ("0::/", "0::/../../init.scope", "0::/..", False),
        ("0::/system.slice/a", "0::/init.scope", "0::/system.slice/a", True),
        ("0::/system.slice/a", "0::/init.scope", "0::/system.slice/b", False),
        # an engine without cgroups: nothing tells who is whose
        ("0::/", "0::/", "0::/", False),
        ("", "", "", False),
        # gone meanwhile
        ("0::/", "0::/../../init.scope", None, False),
    ],
)
def test_whose_process_it_is(
    programs: Path,
    tmp_path: Path,
    own: str,
    first: str,
    other: str | None,
    ours: bool,  # noqa: FBT001
) -> None:
    """The cgroup says it where a container sees others' processes; in doubt it is not ours."""
    for name, text in (("self", own), ("1", first), ("77", other)):
        if text is not None:
            (tmp_path / "proc" / name).mkdir(parents=True)
            (tmp_path / "proc" / name / "cgroup").write_text(text and f"{text}\n")
    shared = given(_shared="yes") + program("our_processes")
    text = f"{shared}if ours 77; then echo ours; else echo not; fi"
    text = text.replace('"$$"', "self").replace("/proc/", f"{tmp_path}/proc/")

    done = subprocess.run(
        [str(programs / "sh"), "-c", text], capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == ("ours\n" if ours else "not\n", "")


def test_term_reaches_the_script(start: Start) -> None:
    """A script ends by its own trap, and the keeper takes the next one."""
    kept = start()
    going = kept.start("trap 'echo caught; exit 1' TERM\nwhile :; do sleep 4711 & wait $!; done\n")
    kept.wait_until_there("4711")

    kept.signal("TERM")
    ended = going.finish()

    assert (ended.code, ended.stdout) == (1, b"caught\n")
    assert kept.run("exit 8", "another-nonce").code == 8


def test_term_reaches_what_the_script_waits_for(start: Start) -> None:
    """A shell acts on a signal only when its child ends; so the child gets it too."""
    kept = start()
    going = kept.start("trap 'exit 1' TERM\nwhile :; do sleep 4711; done\n")
    # A shell that is about to start a child when a signal comes waits for that child.
    kept.wait_until_there("4711")

    kept.signal("TERM")

    assert going.finish().code == 1


def test_kill_ends_a_script_that_ignores_term(start: Start) -> None:
    """After SIGKILL the container is as good as before."""
    kept = start()
    going = kept.start("trap '' TERM\necho begun\nwhile :; do sleep 1; done\n")
    going.wait_for("begun")

    kept.signal("TERM")
    kept.signal("KILL")

    assert going.finish().code == 137
    assert kept.run("exit 8", "another-nonce").code == 8


def test_a_signal_without_a_script_hurts_nobody(start: Start, programs: Path) -> None:
    """A cancel may come when the script has just ended."""
    entry = (str(programs / "sh"), "-c", 'sleep 4711 >/dev/null 2>&1 & exec "$@"', "sh")
    kept = start(entrypoint=entry)
    kept.run("true")

    kept.signal("TERM")
    kept.signal("KILL")

    assert kept.run("exit 8", "another-nonce").code == 8
    kept.wait_until_gone("4712", "4713")
    assert "4711" in kept.arguments()
