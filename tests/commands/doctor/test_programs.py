"""What programs of the host print."""

import os
import shutil
from pathlib import Path

import pytest

from executor.commands.doctor.facts import Process
from executor.commands.doctor.programs import printed, rules, version_of


def test_a_program_that_fails_has_printed_nothing() -> None:
    """Neither a missing program nor one that fails is an error."""
    assert printed(("true-is-not-here",)) == ""
    assert printed(("sh", "-c", "echo no; exit 3")) == ""
    assert printed(("echo", "yes")) == "yes\n"


def test_a_host_without_a_program_that_shows_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was shown, which is not the same as no rules."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert rules() == ""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Version:      17.9.0\nGit revision: 1\n", (17, 9, 0)),
        ("Version: 18.2.0~pre.1\n", (18, 2, 0)),
        ("?", ()),
    ],
)
def test_the_version_is_what_gitlab_runner_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, version: tuple[int, ...]
) -> None:
    """That of the one on the PATH, if none runs."""
    program = tmp_path / "gitlab-runner"
    (tmp_path / "said").write_text(text)
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/said\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert version_of(None) == version


@pytest.mark.parametrize(
    ("uid", "mode", "version"),
    [(0, 0o755, (17, 9, 0)), (0, 0o775, (1, 1)), (0, 0o757, (1, 1)), (65534, 0o755, (1, 1))],
)
def test_only_programs_that_nobody_else_writes_are_called(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    uid: int,
    mode: int,
    version: tuple[int, ...],
) -> None:
    """Anybody may have a process of gitlab-runner's name: root must not start their program."""
    if os.geteuid():
        pytest.skip("needs root")
    (tmp_path / "path").mkdir()
    (tmp_path / "path/gitlab-runner").write_text("#!/bin/sh\necho Version: 1.1\n")
    (tmp_path / "path/gitlab-runner").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/path:/usr/bin:/bin")
    (tmp_path / "proc/7").mkdir(parents=True)
    program = tmp_path / "proc/7/exe"
    shutil.copy("/usr/local/bin/gitlab-runner", program)
    os.chown(program, uid, uid)
    program.chmod(mode)

    assert version_of(Process(7, ("run",), {}, in_container=False), f"{tmp_path}/proc") == version


def test_rules_of_all_kinds_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each program that is there is asked, and one that is not there is passed over."""
    for name in ("iptables-save", "nft"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {name} $*\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert rules().split("\n") == ["iptables-save", "", "nft list ruleset", ""]
