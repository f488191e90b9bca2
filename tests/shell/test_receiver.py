"""The program that takes a container's files, run for real under three shells."""

import stat
import subprocess
from pathlib import Path

from executor.shell import ENVIRONMENT
from executor.shell.greetings import asks, challenge, has_all, hears
from executor.shell.receiver import receiver, sent_environment, sent_files

END = challenge()
SAID = asks("job-dind", "files") + hears("job-dind", END) + has_all("job-dind")


def test_a_receiver_becomes_its_program(programs: Path, tmp_path: Path) -> None:
    """The sidecar's files are there before its program starts, which sees an end of stdin."""
    wanted = tmp_path / "certs/server/key.pem"
    shell = str(programs / "sh")
    program = (shell, "-c", f'cat "{wanted}"; cat; umask; echo "$1"', "sh", "an argument")
    command = receiver("job-dind", program)

    done = subprocess.run(
        [shell, *command[1:]],
        input=END + sent_files([(str(wanted), b"secret\n")], END) + b"left over\n",
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    assert done.stdout.startswith(SAID)
    lines = done.stdout.removeprefix(SAID).split(b"\n")
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
    command = [each.replace(ENVIRONMENT, str(path)) for each in receiver("job-dind", program)]

    done = subprocess.run(
        [shell, *command[1:]],
        input=END + sent_files([(str(path), sent_environment(variables))], END),
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    assert done.stdout == SAID + b"[it's\n $x `y`\n][][\\n]"
    assert done.returncode != 0
    assert not path.exists()


def test_an_entrypoint_leaves_the_rest_of_stdin_to_the_keeper(programs: Path) -> None:
    """The receiver in front of it reads its own variables, and not a byte more."""
    path = programs.parent / "environment"
    shell = str(programs / "sh")
    entrypoint = (shell, "-c", 'export MADE="<$A>"; exec "$@"', "entrypoint")
    command = [
        each.replace(ENVIRONMENT, str(path))
        for each in receiver("job-build", entrypoint, keeps_stdin=True)
    ]

    done = subprocess.run(
        [shell, *command[1:], shell, "-c", 'cat; printf "%s" "$MADE"'],
        input=b"noise\n"
        + END
        + sent_files([(str(path), sent_environment({"A": "secret"}))], END)
        + b"the rest\n",
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    said = asks("job-build", "variables") + hears("job-build", END)
    assert done.stdout == said + b"the rest\n<secret>"


def test_the_version_before_sends_all_at_once(programs: Path, tmp_path: Path) -> None:
    """Its `run` may start a container of ours again, after a rollback in the middle of a job."""
    first, wanted = tmp_path / "environment", tmp_path / "key"
    end, other = b"0123456789abcdef" * 2 + b"\n", b"f" * 32 + b"\n"
    shell = str(programs / "sh")
    inner = receiver("job-build", (shell, "-c", f'cat "{wanted}"; echo "$A"'))
    command = [
        each.replace(ENVIRONMENT, str(first))
        for each in receiver("job-build", (shell, *inner[1:]), keeps_stdin=True)
    ]

    done = subprocess.run(
        [shell, *command[1:]],
        input=end
        + sent_files([(str(first), sent_environment({"A": "secret"}))], end)
        + other
        + sent_files([(str(wanted), b"files-are-lines")], other),
        capture_output=True,
        check=True,
        env={"PATH": str(programs)},
        timeout=30,
    )

    assert done.stdout.endswith(b"files-are-lines\nsecret\n")
    assert b"hears" not in done.stdout


def test_nothing_is_asked_twice_of_a_stdin_that_is_closed(programs: Path) -> None:
    """A program that cannot be reached says so and ends; its command does not run."""
    shell = str(programs / "sh")

    done = subprocess.run(
        [shell, *receiver("job-dind", (shell, "-c", "echo ran"))[1:]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    assert (done.stdout, done.returncode) == (asks("job-dind", "files"), 1)
    assert b"nothing can be read from stdin" in done.stderr


def test_a_shell_that_prints_what_it_does_prints_no_file(programs: Path, tmp_path: Path) -> None:
    """It goes on with that in the program."""
    shell = str(programs / "sh")
    wanted = tmp_path / "key"
    _sh, _c, text, *rest = receiver("job-dind", (shell, "-c", "echo ran"))

    done = subprocess.run(
        [shell, "-xv", "-c", text, *rest],
        input=END + sent_files([(str(wanted), b"hunter2\n")], END),
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    assert done.stdout == SAID + b"ran\n"
    assert b"hunter2" not in done.stderr
    assert b"+ exec" in done.stderr
