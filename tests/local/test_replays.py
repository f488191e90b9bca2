"""Jobs that failed on the rig, captured, fail in the same way when they are replayed."""

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import git
from tests.hooks import HOOKS
from tests.rig.state import Rig
from tests.stages.conftest import settings_text

COMMAND = (sys.executable, "-m", "executor")
SECRET = "hunter2-hunter2"


@dataclass(frozen=True)
class Case:
    """A job that fails, and what its replay is given."""

    job: str
    """The lines of the job; `{gitlab}` and `{hub}` are registries of the rig."""
    sources: bool = False
    logins: bool = False
    """Whether GitLab logs the job in, and the replay gets these logins with --auth-file."""
    settings: str = ""


IMAGE = "image: busybox"
SCRIPTS = {
    "exit code": Case(f"{IMAGE}\n  script: [exit 7]"),
    "command not found": Case(f"{IMAGE}\n  script: [no-such-command]"),
    "in before_script": Case(f"{IMAGE}\n  before_script: ['false']\n  script: [echo never]"),
    "the second line": Case(f"{IMAGE}\n  script: [echo one, '(exit 3)', echo never]"),
    "a test of a file": Case(f"{IMAGE}\n  script: [cat here.txt, grep -q hello here.txt, exit 21]", sources=True),
    "a missing file": Case(f"{IMAGE}\n  script: [cat not-there.txt]", sources=True),
    "a script of the project": Case(f"{IMAGE}\n  script: [sh fails.sh]", sources=True),
    "a variable": Case(f"{IMAGE}\n  variables: {{CODE: '33'}}\n  script: ['exit $CODE']"),
    "a secret's presence": Case(f"{IMAGE}\n  script: ['test -z \"$KEY\"']"),
    "with after_script": Case(f"{IMAGE}\n  script: [exit 5]\n  after_script: [exit 6]"),
    "killed": Case(f"{IMAGE}\n  script: ['sh -c \"kill -9 $$$$\"']"),
    "a service": Case(f"{IMAGE}\n  services: [{{name: busybox, alias: beside, command: [sleep, '60']}}]\n  script: [ping -c 1 -w 2 nobody-has-this-name]"),
    "docker build": Case("image: docker:26.1-cli\n  script: [docker build -q .]", sources=True),
    "docker run": Case("image: docker:26.1-cli\n  script: ['docker run --rm no/such/image:1']"),
}  # fmt: skip
PULLS = {
    "private without a login": Case("image: {gitlab}/group/project/nothing:1\n  script: ['true']"),
    "private, not there": Case("image: {gitlab}/group/project/nothing:1\n  script: ['true']", logins=True),
    "a private service": Case(f"{IMAGE}\n  services: ['{{gitlab}}/group/project/nothing:2']\n  script: ['true']"),
    "a private service, not there": Case(f"{IMAGE}\n  services: ['{{gitlab}}/group/project/nothing:2']\n  script: ['true']", logins=True),
    "not there": Case("image: {hub}/nobody/has-this:1\n  script: ['true']"),
    "not allowed": Case(f"{IMAGE}\n  script: ['true']", settings="ruby:*"),
}  # fmt: skip
CASES = {**SCRIPTS, **PULLS}


def test_enough_fail() -> None:
    """There are twenty, ten of them in scripts and four in private pulls."""
    assert len(CASES) >= 20
    assert len(SCRIPTS) >= 10
    assert len([each for each in PULLS if "private" in each]) >= 4


@pytest.mark.family(8)
@pytest.mark.parametrize("name", CASES)
def test_a_captured_job_fails_again_in_the_same_way(rig: Rig, tmp_path: Path, name: str) -> None:
    """With the same exit code and sentence, and without its secrets."""
    case = CASES[name]
    settings = write(rig, case, tmp_path)
    project = tmp_path / "project"
    registration = ("--hooks", str(HOOKS), "--settings", str(settings))
    logins: tuple[str, ...] = ()
    if case.logins:
        user = rig.ci_user
        pair = {"CI_REGISTRY": rig.gitlab, "CI_REGISTRY_USER": user.name}
        logins = tuple(
            each for key, value in pair.items() for each in ("--variable", f"{key}={value}")
        )
        logins += ("--secret-variable", f"CI_REGISTRY_PASSWORD={user.password}")
    failed = run(project, "local", *registration, "--secret-variable", f"KEY={SECRET}", *logins)
    assert failed.returncode in {1, 2}, failed.stdout

    captures = tmp_path / "state" / "captures"
    (capture,) = captures.iterdir()
    text = capture.read_text()
    assert SECRET not in text
    assert rig.ci_user.password not in text
    more: tuple[str, ...] = ("--sources", str(project)) if case.sources else ()
    if case.logins:
        auth = base64.b64encode(f"{rig.ci_user.name}:{rig.ci_user.password}".encode()).decode()
        (tmp_path / "auth.json").write_text(json.dumps({"auths": {rig.gitlab: {"auth": auth}}}))
        more += ("--auth-file", str(tmp_path / "auth.json"))
    again = run(tmp_path, "replay", str(capture), *registration, *more)

    assert again.returncode == 0, again.stdout + again.stderr
    assert "The job fails as it did then" in again.stdout
    assert "KEY" in next(each for each in again.stdout.splitlines() if "placeholders" in each)
    assert rig.ci_user.password not in again.stdout


@pytest.mark.parametrize(("version", "code"), [("17.9.0", 1), ("19.3.0", 9)])
def test_a_replay_has_the_scripts_of_the_runner_then(
    rig: Rig, tmp_path: Path, version: str, code: int
) -> None:
    """What bash ends with depends on gitlab-runner's version, which the capture says."""
    settings = write(rig, Case("image: debian:bookworm\n  script: ['(exit 9)']"), tmp_path)
    registration = ("--hooks", str(HOOKS), "--settings", str(settings))
    run(tmp_path / "project", "local", *registration, "--runner-version", version)
    (capture,) = (tmp_path / "state" / "captures").iterdir()

    again = run(tmp_path, "replay", str(capture), *registration)

    assert f"The job fails as it did then: build_script ended with exit code {code}" in again.stdout


def write(rig: Rig, case: Case, directory: Path) -> Path:
    """Write a project whose job fails, and settings of its own."""
    project = directory / "project"
    project.mkdir()
    git.git(project, "init", "--quiet", "--initial-branch=main")
    job = case.job.replace("{gitlab}", rig.gitlab).replace("{hub}", rig.hub)
    (project / ".gitlab-ci.yml").write_text(f"job:\n  {job}\n")
    (project / "here.txt").write_text("hello\n")
    (project / "fails.sh").write_text("echo failing\nexit 44\n")
    (project / "Dockerfile").write_text("FROM scratch\nCOPY not-there /\n")
    git.commit(project, "Fail")
    changes: dict[str, dict[str, object]] = {
        "log": {"capture": "failed", "path": str(directory / "log")},
        "sweep": {"state_dir": str(directory / "state")},
    }
    if case.settings:
        changes["docker"] = {"allowed_images": [case.settings]}
    (directory / "state").mkdir()
    settings = directory / "settings.toml"
    settings.write_text(settings_text(rig, changes))
    return settings


def run(directory: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """Call a command."""
    return subprocess.run(
        [*COMMAND, *args],
        cwd=directory,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=300,
    )
