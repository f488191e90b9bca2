"""The program that takes a container's files, run for real under three shells."""

import stat
import subprocess
from pathlib import Path

from executor.shell import ENVIRONMENT
from executor.shell.receiver import receiver, sent_environment, sent_files


def test_a_receiver_becomes_its_program(programs: Path, tmp_path: Path) -> None:
    """The sidecar's files are there before its program starts, which sees an end of stdin."""
    wanted = tmp_path / "certs/server/key.pem"
    shell = str(programs / "sh")
    program = (shell, "-c", f'cat "{wanted}"; cat; umask; echo "$1"', "sh", "an argument")
    command = receiver(program)

    done = subprocess.run(
        [shell, *command[1:]],
        input=sent_files([(str(wanted), b"secret\n")]) + b"left over\n",
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    lines = done.stdout.split(b"\n")
    assert (lines[0], lines[1][-3:], lines[2]) == (b"secret", b"022", b"an argument")
    assert stat.S_IMODE(wanted.stat().st_mode) == 0o600
    assert done.returncode == 0


def test_a_receivers_program_has_its_secret_variables(programs: Path, tmp_path: Path) -> None:
    """Values of any kind arrive, keys that no shell takes are left out, no file stays behind."""
    variables = {"A": "it's\n $x `y`\n", "1ST": "no name", "B_2": "", "C": "\\n"}
    variables |= dict.fromkeys(("UID", "PPID", "SHELLOPTS", "OPTIND", "_"), "the shell's own")
    path = tmp_path / "run/environment"
    shell = str(programs / "sh")
    program = (shell, "-c", 'printf "[%s]" "$A" "$B_2" "$C"; ls "$0"', str(path))
    command = [each.replace(ENVIRONMENT, str(path)) for each in receiver(program)]

    done = subprocess.run(
        [shell, *command[1:]],
        input=sent_files([(str(path), sent_environment(variables))]),
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    assert done.stdout == b"[it's\n $x `y`\n][][\\n]"
    assert done.returncode != 0
    assert not path.exists()


def test_an_entrypoint_leaves_the_rest_of_stdin_to_the_keeper(programs: Path) -> None:
    """The receiver in front of it reads its own variables, and not a byte more."""
    path = programs.parent / "environment"
    shell = str(programs / "sh")
    entrypoint = (shell, "-c", 'export MADE="<$A>"; exec "$@"', "entrypoint")
    command = [
        each.replace(ENVIRONMENT, str(path)) for each in receiver(entrypoint, keeps_stdin=True)
    ]

    done = subprocess.run(
        [shell, *command[1:], shell, "-c", 'cat; printf "%s" "$MADE"'],
        input=sent_files([(str(path), sent_environment({"A": "secret"}))]) + b"the rest\n",
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    assert done.stdout == b"the rest\n<secret>"
