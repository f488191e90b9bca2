"""The `.sh` files, and the line that gives a program its variables."""

import subprocess
from pathlib import Path

import pytest

import executor.shell
from executor.shell import given, program, quoted
from tests.keeping import Start

FILES = sorted(each.stem for each in Path(executor.shell.__file__).parent.glob("*.sh"))


@pytest.mark.parametrize(
    "text", ["plain", "", "it's", "''", '$x `y` \\ "z"', "a\nb", "-n", "\N{GREEK SMALL LETTER MU}"]
)
def test_quoted_text_is_one_word(start: Start, text: str) -> None:
    """Any text survives a shell."""
    assert start().run(f"printf %s {quoted(text)}").stdout == text.encode()


def test_a_program_is_given_its_variables(programs: Path) -> None:
    """Any value arrives as it is, and none is taken for a part of the program."""
    values = {"_a": "it's $(exit 3)", "_b": "", "_c": 'two\nlines\n; "x"'}
    text = given(**values) + 'printf "<%s>" "$_a" "$_b" "$_c"'

    done = subprocess.run(
        [str(programs / "sh"), "-c", text], capture_output=True, text=True, check=True
    )

    assert done.stdout == "".join(f"<{each}>" for each in values.values())


@pytest.mark.parametrize("name", FILES)
def test_every_shell_can_read_every_program(programs: Path, name: str) -> None:
    """The text that a container gets has no mistake for bash, dash or busybox."""
    done = subprocess.run(
        [str(programs / "sh"), "-n", "-c", program(name)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_container_gets_no_comments() -> None:
    """The comments are for those who read the files."""
    assert FILES
    assert [each for each in FILES if "shellcheck" in program(each)] == []
