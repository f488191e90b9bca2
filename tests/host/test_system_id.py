"""The system id of a gitlab-runner process, beside its configuration."""

from pathlib import Path

import pytest

from executor.host.system_id import runner_system_id

ID = "s_1746f8786189"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with one gitlab-runner, whose configuration lies in `etc`."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/.runner_system_id").write_text(ID)
    (tmp_path / "proc/17").mkdir(parents=True)
    (tmp_path / "proc/17/cwd").symlink_to(tmp_path)
    return tmp_path / "proc"


def found(proc: Path, *words: str, default: str = "/nowhere/config.toml") -> str:
    (proc / "17/cmdline").write_text("".join(f"{word}\0" for word in words))
    return runner_system_id(17, default, str(proc))


@pytest.mark.parametrize(
    "words",
    [
        ("gitlab-runner", "run", "--config", "{etc}/config.toml"),
        ("gitlab-runner", "run", "-c", "{etc}/config.toml", "--user", "x"),
        ("gitlab-runner", "run", "--config={etc}/config.toml"),
        ("gitlab-runner", "run", "--config", "etc/config.toml"),
    ],
)
def test_the_configuration_of_the_command_line_counts(proc: Path, words: tuple[str, ...]) -> None:
    """The id lies beside the file that gitlab-runner was started with."""
    assert found(proc, *(word.replace("{etc}", f"{proc.parent}/etc") for word in words)) == ID


def test_without_an_option_the_usual_place_counts(proc: Path) -> None:
    """gitlab-runner tells its stages where it looks by itself."""
    assert found(proc, "gitlab-runner", "run", default=f"{proc.parent}/etc/config.toml") == ID


def test_what_cannot_be_read_is_not_known(proc: Path) -> None:
    """No process, no file, an option without a value: nothing is known."""
    assert found(proc, "gitlab-runner", "run") == ""
    assert found(proc, "gitlab-runner", "run", "--config") == ""
    assert runner_system_id(18, "", str(proc)) == ""
    assert runner_system_id(18, "relative/config.toml", str(proc)) == ""


@pytest.mark.parametrize("content", ["", "two\nlines", "s_" + "x" * 5000, "\0", "ü"])
def test_a_strange_id_is_none(proc: Path, content: str) -> None:
    """What is no such id is compared with nothing."""
    (proc.parent / "etc/.runner_system_id").write_text(content)

    assert found(proc, "gitlab-runner", "run", "--config", f"{proc.parent}/etc/config.toml") == ""
