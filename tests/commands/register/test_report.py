"""What `register` says at its end."""

from pathlib import Path

from pytest_mock import MockerFixture

from executor.commands.register import service
from executor.commands.register.config_file import Written
from executor.commands.register.creation import Created
from executor.commands.register.options import read_options
from executor.commands.register.report import last_words, made_units
from executor.commands.register.service import Units

OPTIONS = read_options(["--url", "https://gitlab.example.com", "--name", "builder"])
CONFIG = Path("/etc/gitlab-runner/config.toml")
SYSTEM = Path("/etc/systemd/system")


def test_everything_that_was_made_is_undone() -> None:
    """The file is put back, the units go, and the runner in GitLab has its number."""
    made = Units((SYSTEM / "dind-executor-reap.timer", SYSTEM / "x.conf"), ())
    written = Written(CONFIG, CONFIG.with_name("old"), b"")

    lines = last_words(OPTIONS, written, made, Created(42, "glrt-secret"), runs=True)

    assert lines == [
        "gitlab-runner takes jobs from https://gitlab.example.com from now on.",
        "To undo this:",
        f"  mv {CONFIG.with_name('old')} {CONFIG}   # unless it was changed since",
        "  systemctl disable --now dind-executor-reap.timer",
        f"  rm {SYSTEM}/dind-executor-reap.timer {SYSTEM}/x.conf",
        "  systemctl daemon-reload",
        "  and delete the runner 42 in GitLab",
    ]


def test_a_file_that_was_not_there_is_removed() -> None:
    """Nothing else was made, and nobody knows whether gitlab-runner runs."""
    lines = last_words(OPTIONS, Written(CONFIG, None, b""), Units((), ()), None, runs=False)

    assert lines == [
        "gitlab-runner takes jobs from https://gitlab.example.com once it runs.",
        "To undo this:",
        f"  rm {CONFIG}",
        "  and delete the runner 'builder' in GitLab",
    ]


def test_units_that_cannot_be_written_are_a_sentence(mocker: MockerFixture) -> None:
    """The runner is registered nevertheless."""
    error = OSError(30, "Read-only file system", "/etc/systemd/system/x")
    mocker.patch.object(service, "write_units", side_effect=error)

    assert made_units("/none").said == (
        "/etc/systemd/system/x cannot be written: Read-only file system.",
    )
