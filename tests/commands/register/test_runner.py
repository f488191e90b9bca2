"""gitlab-runner, called: its version, what it reads, and whether GitLab takes its token."""

from pathlib import Path

import pytest

from executor.commands.register.runner import GitLabRunner, RunnerFailed, find_runner
from executor.commands.register.section import Paths, Registration, section_text
from tests.commands.register.stubs import UNKNOWN, Host

RUNNER = Registration("a builder", "https://gitlab.example.com", "glrt-0123456789abcdefghij")


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{host.directory}:/usr/bin:/bin")
    return host


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(section_text(RUNNER, Paths()), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("version", "lints"), [("17.9.0", False), ("19.2.1", False), ("19.3.0", True), ("20.0.1", True)]
)
def test_what_a_version_has(host: Host, version: str, lints: bool) -> None:  # noqa: FBT001
    """`lint` is there since 19.3."""
    host.runner(version)

    assert find_runner().lints is lints


@pytest.mark.parametrize(
    ("version", "words"), [("17.8.3", "needs 17.9 or later"), ("dev", "does not say which version")]
)
def test_a_version_that_is_of_no_use(host: Host, version: str, words: str) -> None:
    """The sentence has what is needed."""
    host.runner(version)

    with pytest.raises(RunnerFailed, match=words):
        find_runner()


def test_a_runner_that_is_read(host: Host, config: Path) -> None:
    """gitlab-runner lists it by its name; one that it does not list is a failure."""
    host.runner()
    runner = find_runner()

    runner.reads(config, RUNNER.name)
    with pytest.raises(RunnerFailed, match="does not find the new runner"):
        runner.reads(config, "a")


def test_no_token_of_another_runner_is_shown(host: Host, config: Path) -> None:
    """Older ones look like any word."""
    host.runner()
    text = config.read_text().replace('"a builder"', '"b"')
    config.write_text(text)

    with pytest.raises(RunnerFailed) as raised:
        find_runner().reads(config, RUNNER.name)

    assert "b Executor=custom Token=[MASKED]" in str(raised.value)


def test_a_token_that_gitlab_knows(host: Host, config: Path) -> None:
    """Only what says so counts: 17.9 ends well also where GitLab is away."""
    host.runner()
    find_runner().verify(config, RUNNER.name)
    assert host.calls("verify") == [f"verify --config {config} --name {RUNNER.name}"]

    host.runner(verify=UNKNOWN)
    with pytest.raises(RunnerFailed, match="GitLab does not know this token"):
        find_runner().verify(config, RUNNER.name)
    host.runner(verify="echo 'ERROR: Verifying runner... failed status=glrt-abcdef refused' >&2")
    with pytest.raises(RunnerFailed, match=r"cannot verify the token: .*MASKED.* refused"):
        find_runner().verify(config, RUNNER.name)


def test_what_lint_finds(host: Host, config: Path) -> None:
    """Its words are a sentence, and nothing is none."""
    host.runner("19.3.0")
    assert find_runner().lint(config) == ""

    host.runner("19.3.0", lint="echo '  unknown key: runners.custom.run_exek' >&2; exit 1")
    assert "run_exek" in find_runner().lint(config)


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    """It is one sentence, not a traceback."""
    runner = GitLabRunner(str(tmp_path / "none"), (17, 9))

    with pytest.raises(RunnerFailed, match="does not start: No such file"):
        runner.reads(tmp_path, "a")
