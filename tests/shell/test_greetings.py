"""What leads a shell to a program, and what proves that a program is there."""

import subprocess

import pytest

from executor.shell import greetings
from executor.shell.keeper import keeper
from executor.shell.receiver import receiver


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_a_line_leads_a_shell_to_any_program(shell: str) -> None:
    """Whatever the program holds, it is that program."""
    text = "a='it'\\''s'\nprintf '%s|' \"$a\" \"$1\" '\\n\\\\' \"\\$x\"\n"
    line = greetings.leading(("sh", "-c", text, "sh", "an argument\\"))
    command = [shell, "sh"] if shell == "busybox" else [shell]

    done = subprocess.run(command, input=line, capture_output=True, check=True, timeout=30)
    plain = subprocess.run(
        ["sh", "-c", text, "sh", "an argument\\"], capture_output=True, check=True, timeout=30
    )

    assert line.count(b"\n") == 1
    assert done.stdout == plain.stdout != b""


@pytest.mark.parametrize(
    "command",
    [
        keeper("job-build"),
        receiver("job-build", ("x",)),
        receiver("job-build", ("x",), keeps_stdin=True),
    ],
)
def test_no_text_that_a_container_is_given_is_an_answer(command: tuple[str, ...]) -> None:
    """An entrypoint that prints its arguments or its stdin says none of the lines."""
    end = greetings.challenge()
    given = "\n".join(command).encode() + b"\n" + greetings.question("job-build") + end
    given += greetings.leading(command)
    said = [greetings.asks("job-build", each) for each in (greetings.FILES, greetings.VARIABLES)]
    said += [greetings.hears("job-build", end), greetings.has_all("job-build")]
    said += [greetings.reads_commands("job-build")]

    assert [each for each in said if each in given] == []
    assert all(greetings.is_ours("job-build", each) for each in said)
    assert not greetings.is_ours("job", said[0])


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_a_shell_answers_the_question(shell: str) -> None:
    """Any shell can, and nothing else is printed."""
    command = [shell, "sh"] if shell == "busybox" else [shell]
    line = greetings.question("job-build")

    done = subprocess.run(command, input=line, capture_output=True, check=True, timeout=30)

    assert (done.stdout, done.stderr) == (greetings.reads_commands("job-build"), b"")
