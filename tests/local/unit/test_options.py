"""The options of `dind-executor local`, and what their values say."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.local import options
from executor.local.errors import LocalError
from executor.local.project.variables import Variable


def test_variables_are_public_and_secrets_are_not(tmp_path: Path) -> None:
    """What GitLab makes from the job token is a secret even as a plain variable."""
    path = tmp_path / "value"
    path.write_text("from$file\n")
    assert options.plain_variable("A=x=$B") == Variable("A", "x=$B")
    assert options.plain_variable("A=") == Variable("A", "")
    secret = Variable("S", "p$x", public=False, masked=True, raw=True)
    assert options.secret_variable("S=p$x") == secret
    from_file = Variable("S", "from$file", public=False, masked=True, raw=True)
    assert options.secret_variable(f"S=@{path}") == from_file
    password = Variable("CI_REGISTRY_PASSWORD", "p", public=False, masked=True, raw=True)
    assert options.plain_variable("CI_REGISTRY_PASSWORD=p") == password


@pytest.mark.parametrize(
    ("content", "masked"), [("one-line-of-it", True), ("short", False), ("two\nlines\n", False)]
)
def test_a_file_variable_is_masked_if_it_can_be(
    tmp_path: Path, content: str, *, masked: bool
) -> None:
    """GitLab masks single lines of at least eight characters."""
    path = tmp_path / "value"
    path.write_text(content)
    expected = Variable("F", content, public=False, file=True, masked=masked, raw=True)
    assert expected == options.file_variable(f"F={path}")


@pytest.mark.parametrize(
    ("call", "text", "words"),
    [
        (options.plain_variable, "hunter22", "--variable: a value has no KEY="),
        (options.secret_variable, "1A=hunter22", "--secret-variable: a value has no KEY="),
        (
            options.secret_variable,
            "A=hunter22\nx",
            "--secret-variable A: the value has several lines",
        ),
        (options.secret_variable, "A=@/none/there", "--secret-variable A: /none/there cannot be"),
        (options.file_variable, "A=/none/there", "--file-variable A: /none/there cannot be"),
    ],
)
def test_a_mistake_is_told_without_the_value(
    call: Callable[[str], Variable], text: str, words: str
) -> None:
    """The error does not repeat a value, which may be a secret."""
    with pytest.raises(LocalError) as caught:
        call(text)
    assert words in str(caught.value)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("1h1m1s", 3661), ("1d", 86400)],
)
def test_a_time_is_read(text: str, expected: int) -> None:
    """A duration is written as for a job's `timeout`."""
    assert expected == options.duration_seconds(text)


@pytest.mark.parametrize("text", ["", "0", "soon", "-1"])
def test_what_is_no_time_is_named(text: str) -> None:
    """The error says how a duration is written."""
    with pytest.raises(LocalError, match="--timeout"):
        options.duration_seconds(text)


@pytest.mark.parametrize("text", ["project", "/project", "group/", "a b/c"])
def test_a_project_has_a_group(text: str) -> None:
    """The error asks for a group and a name."""
    with pytest.raises(LocalError, match="GROUP/PROJECT"):
        options.project_path(text)


@pytest.mark.parametrize("content", [b"x" * 200_000, b"a\0b", b"\xff"])
def test_a_file_that_no_hook_could_get(tmp_path: Path, content: bytes) -> None:
    """It is named before any job runs."""
    path = tmp_path / "file"
    path.write_bytes(content)

    with pytest.raises(LocalError, match=f"--file-variable A: {path} "):
        options.file_variable(f"A={path}")


def test_a_secret_may_come_by_a_pipe(tmp_path: Path) -> None:
    """A shell gives one for `@<(pass show token)`."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_text, args=("hunter2-hunter2\n",), daemon=True).start()

    assert options.secret_variable(f"A=@{path}").value == "hunter2-hunter2"


def test_a_variable_that_is_no_text() -> None:
    """What a terminal in another encoding hands over."""
    with pytest.raises(LocalError, match="--variable A: its value is not UTF-8"):
        options.plain_variable("A=\udcff")
