"""What is tried before anything is written."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.commands.register import trials
from executor.commands.register.checking import Checked, Finding
from executor.commands.register.config_file import ConfigFile
from executor.commands.register.options import Options, read_options
from executor.commands.register.runner import GitLabRunner
from executor.commands.register.trials import Unfit, try_host

RUNNER = GitLabRunner("/none", (17, 9))
GOOD = Finding("storage", "ok", "overlay2", "", ignored=False)
WARNS = Finding("disk", "warn", "9 % free", "prune", ignored=False)
BAD = Finding("runtime", "fail", "no sysbox", "install it", ignored=False)


def options(*args: str) -> Options:
    return read_options(["--url", "https://gitlab.example.com", "--name", "builder", *args])


def test_a_fit_host(tmp_path: Path, mocker: MockerFixture) -> None:
    """Warnings are shown, and the job's parts with their seconds."""
    file = ConfigFile(tmp_path / "config.toml")
    answers = [
        Checked(ok=True, findings=(GOOD, WARNS)),
        Checked(ok=True, job="7.5 s (prepare 6 s)"),
    ]
    check = mocker.patch.object(trials, "check", side_effect=answers)

    assert list(try_host(RUNNER, file, options("--ignore", "dns"))) == [
        "`dind-executor doctor` finds this host fit: 1 checks are right.",
        "  warn disk: 9 % free -> prune",
        "Trying a job's environment, with a build and a container in it ...",
        "It works, and was removed: 7.5 s (prepare 6 s).",
    ]
    assert [(*each.args, each.kwargs["ignored"]) for each in check.call_args_list] == [
        (file.tried, "builder", "/etc/dind-executor/settings.toml", ("dns",))
    ] * 2


def test_an_unfit_host_has_each_fault_with_its_remedy(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    """What registers nevertheless is there too."""
    mocker.patch.object(trials, "check", return_value=Checked(ok=False, findings=(GOOD, BAD, BAD)))

    with pytest.raises(Unfit) as raised:
        list(try_host(RUNNER, ConfigFile(tmp_path / "config.toml"), options()))

    assert str(raised.value).splitlines() == [
        "This host is not fit for jobs:",
        "  fail runtime: no sysbox -> install it",
        "  fail runtime: no sysbox -> install it",
        "Correct this and try again (`--ignore runtime` registers nevertheless).",
    ]


def test_without_a_job(tmp_path: Path, mocker: MockerFixture) -> None:
    """It is said, and doctor is called once."""
    check = mocker.patch.object(trials, "check", return_value=Checked(ok=True))

    lines = list(try_host(RUNNER, ConfigFile(tmp_path / "config.toml"), options("--no-job")))

    assert lines[-1] == "No job's environment was tried."
    assert check.call_count == 1
