"""`dind-executor register`, whole: in which order what happens, and what stands where it fails."""

import tomllib
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.commands.register import command, service, trials
from executor.commands.register.checking import Checked, Finding
from executor.commands.register.command import main
from executor.commands.register.section import Paths, Registration, section_text
from tests.commands.register.stubs import UNKNOWN, Host
from tests.gitlab import moods, server
from tests.gitlab.server import GitLab

FIT = Checked(ok=True, job="7.5 s (prepare 6.2 s)")
UNFIT = Checked(
    ok=False, findings=(Finding("storage", "fail", "vfs", "use overlay2", ignored=False),)
)
OTHER = """\
concurrent = 1   # ours
# The old one.
[[runners]]
  name = "old"
  url = "https://gitlab.example.com"
  token = "glrt-abcdefghijklmnopqrst"
  executor = "shell"
"""


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with server.serving(tmp_path / "repositories") as gitlab:
        yield gitlab


class Bench:
    """A host on which runners are registered."""

    def __init__(self, root: Path, gitlab: GitLab, mocker: MockerFixture) -> None:
        self.gitlab = gitlab
        self.config = root / "gitlab-runner" / "config.toml"
        self.config.parent.mkdir()
        self.settings, self.hooks = root / "settings.toml", root / "hooks"
        self.settings.write_text("")
        self.hooks.mkdir()
        (self.hooks / "run").write_text("#!/bin/sh\n")
        (self.hooks / "run").chmod(0o755)
        self.paths = Paths(str(self.hooks), str(self.settings))
        self.token_file = root / "token"
        self.token_file.write_text(gitlab.runner_token)
        self.token_file.chmod(0o600)
        self.host = Host(root / "bin")
        self.host.runner()
        self.check = mocker.patch.object(trials, "check", return_value=FIT)
        self.sleep = mocker.patch.object(command, "sleep")
        mocker.patch.object(command, "monotonic", return_value=100)
        self.runs = mocker.patch.object(service, "is_systemd_running", return_value=False)
        self.units = mocker.patch.object(service, "write_units", return_value=service.Units((), ()))

    def register(self, *args: str) -> int:
        """Call the command with the paths of this host."""
        paths = ["--config", self.config, "--settings", self.settings, "--hooks", self.hooks]
        return main(["--url", self.gitlab.url, "--name", "builder", *map(str, paths), *args])

    def with_token(self, *args: str) -> int:
        """Register the runner that is in GitLab."""
        return self.register("--token-file", str(self.token_file), *args)

    def runners(self) -> list[dict[str, object]]:
        """Return what config.toml has."""
        found = tomllib.loads(self.config.read_text()).get("runners", [])
        return list(found)

    def left(self) -> list[str]:
        """Return what lies beside config.toml."""
        names = sorted(each.name for each in self.config.parent.iterdir())
        return [each for each in names if each not in ("config.toml", ".runner_system_id")]


@pytest.fixture(name="bench")
def _bench(
    tmp_path: Path, gitlab: GitLab, mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    bench = Bench(tmp_path, gitlab, mocker)
    monkeypatch.setenv("PATH", f"{bench.host.directory}:/usr/bin:/bin")
    return bench


def test_a_runner_joins_the_others(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """The file has both, the old text lies beside it, and the last lines say how to undo it."""
    bench.config.write_text(OTHER)

    assert bench.with_token("--concurrent", "6") == 0

    said = capfd.readouterr()
    assert [each["name"] for each in bench.runners()] == ["old", "builder"]
    text = bench.config.read_text()
    assert text.startswith("concurrent = 6   # ours\nshutdown_timeout = 120\n# The old one.\n")
    (backup,) = bench.left()
    assert (bench.config.parent / backup).read_text() == OTHER
    assert f"  mv {bench.config.parent / backup} {bench.config}" in said.out
    assert bench.gitlab.runner_token not in said.out + said.err


def test_a_first_runner(bench: Bench) -> None:
    """The file is made, for its owner alone; what a configuration needs is in it."""
    assert bench.with_token() == 0

    document = tomllib.loads(bench.config.read_text())
    registration = Registration("builder", bench.gitlab.url, bench.gitlab.runner_token)
    (section,) = tomllib.loads(section_text(registration, bench.paths))["runners"]
    assert document == {"shutdown_timeout": 120, "runners": [section]}
    assert bench.config.stat().st_mode & 0o777 == 0o600
    assert bench.left() == []


def test_a_chosen_shutdown_timeout_stays(bench: Bench) -> None:
    """Only gitlab-runner's default is too short; what somebody chose is not changed."""
    bench.config.write_text("shutdown_timeout = 45\n")

    assert bench.with_token("--listen-address", "127.0.0.1:9252") == 0

    document = tomllib.loads(bench.config.read_text())
    assert document["shutdown_timeout"] == 45
    assert document["listen_address"] == "127.0.0.1:9252"


def test_a_second_call_changes_nothing(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """It is done: exit code 0, and no second section, copy, check or question."""
    assert bench.with_token() == 0
    before, calls = bench.config.read_bytes(), bench.check.call_count

    assert bench.with_token("--name", "another") == 0

    assert bench.config.read_bytes() == before
    assert bench.left() == []
    assert bench.check.call_count == calls
    assert "there is nothing to do" in capfd.readouterr().out


# --- a token that is there -----------------------------------------------------------------------


def test_a_token_through_the_environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program that is started gets it, in its environment or its arguments."""
    monkeypatch.setenv("CI_SERVER_TOKEN", bench.gitlab.runner_token)
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-0123456789abcdefghij")

    assert bench.register() == 0

    assert len(bench.runners()) == 1
    calls = "\n".join(bench.host.calls())
    assert "LEAK" not in calls
    assert bench.gitlab.runner_token not in calls


def test_a_token_of_another_runner(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """A runner of another executor is not made a second one: its sentence names `migrate`."""
    text = OTHER.replace("glrt-abcdefghijklmnopqrst", bench.gitlab.runner_token)
    bench.config.write_text(text)

    assert bench.with_token() == 2

    assert bench.config.read_text() == text
    said = capfd.readouterr().err
    assert "has the token already, for the runner 'old' with the executor shell" in said
    assert "migrate" in said


def test_a_name_that_is_taken(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """gitlab-runner tells runners apart by their names."""
    bench.config.write_text(OTHER)

    assert bench.with_token("--name", "old") == 2

    assert bench.config.read_text() == OTHER
    assert "choose another one with --name" in capfd.readouterr().err


def test_an_older_runner_verifies_once_it_has_asked_for_jobs(bench: Bench) -> None:
    """Its `verify` before that would have GitLab take this host for one without features."""
    bench.runs.return_value = True
    bench.host.systemctl(config=bench.config)
    bench.config.write_text("check_interval = 9\n")

    assert bench.with_token() == 0

    # gitlab-runner reads its file again every three seconds, and asks every nine.
    bench.sleep.assert_called_once_with(14)
    assert bench.host.calls("verify") == [f"verify --config {bench.config} --name builder"]


def test_a_token_that_gitlab_does_not_know_is_undone(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """An older runner says so after the file was written: it is as it was, byte by byte."""
    bench.runs.return_value = True
    bench.host.systemctl(config=bench.config)
    bench.host.runner(verify=UNKNOWN)
    bench.config.write_text(OTHER)

    assert bench.with_token() == 1

    assert bench.config.read_text() == OTHER
    assert bench.left() == []
    said = capfd.readouterr().err
    assert "GitLab does not know this token" in said
    assert said.rstrip().endswith("Nothing was registered.")
    assert not bench.units.called


def test_a_newer_runner_verifies_before_anything_is_written(bench: Bench) -> None:
    """19.3 says what kind of host asks: an unknown token never reaches config.toml."""
    bench.host.runner("19.3.0", verify=UNKNOWN)
    bench.config.write_text(OTHER)

    assert bench.with_token() == 1

    assert (bench.config.read_text(), bench.left()) == (OTHER, [])
    (call,) = bench.host.calls("verify")
    assert str(bench.config) not in call.split()


def test_what_somebody_else_writes_while_the_token_is_verified_stays(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """The last lines then say what stands."""
    bench.runs.return_value = True
    bench.host.systemctl(config=bench.config)
    change = f"echo '# changed' >>{bench.config}; {UNKNOWN}"
    bench.host.runner(verify=change)

    assert bench.with_token() == 1

    assert [each["name"] for each in bench.runners()] == ["builder"]
    said = capfd.readouterr().err
    assert "remove the runner 'builder' from it by hand" in said
    assert "Nothing was registered" not in said


def test_without_a_service_the_token_is_verified_by_hand(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody asks GitLab before gitlab-runner has: the last lines say what to call later."""
    assert bench.with_token() == 0

    assert bench.host.calls("verify") == []
    assert "`gitlab-runner verify` asks" in capfd.readouterr().err


# --- the host ------------------------------------------------------------------------------------


def test_a_host_that_is_not_fit_stays_as_it_is(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its faults are lines with remedies; no file, no runner in GitLab, no unit is made."""
    bench.config.write_text(OTHER)
    bench.check.return_value = UNFIT
    token = user_token(bench, {"create_runner"})

    assert bench.register("--create", "--group", "7", "--gitlab-token-file", token) == 1

    said = capfd.readouterr().err
    assert "  fail storage: vfs -> use overlay2" in said
    assert "--ignore storage" in said
    assert (bench.config.read_text(), bench.left()) == (OTHER, [])
    assert len(bench.gitlab.registry.rows) == 1
    assert not bench.units.called


def test_a_job_that_fails_stays_without_consequence(bench: Bench) -> None:
    """The environment of a job is tried before anything is written."""
    bench.check.side_effect = [FIT, UNFIT]

    assert bench.with_token() == 1

    assert not bench.config.exists()
    assert [each.kwargs["as_job"] for each in bench.check.call_args_list] == [False, True]


def test_doctor_looks_at_what_would_be_written(bench: Bench) -> None:
    """It sees the whole file with the new runner, which gitlab-runner has read before."""
    seen: list[str] = []

    def look(config: Path, *_: object, **__: object) -> Checked:
        seen.append(config.read_text())
        return FIT

    bench.config.write_text(OTHER)
    bench.check.side_effect = look

    assert bench.with_token("--no-job", "--ignore", "dns,mtu", "--ignore", "clock") == 0

    assert seen == [bench.config.read_text()]
    assert bench.check.call_args.kwargs["ignored"] == ("dns", "mtu", "clock")
    assert bench.host.calls()[:2] == [
        "--version",
        f"list --config {bench.config.parent}/.config.toml.dind-executor",
    ]


def test_a_doctor_that_fails_is_a_sentence(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """It is not taken for a fit host."""
    bench.check.return_value = Checked(ok=False, reason="it takes longer than 300 seconds")

    assert bench.with_token() == 1

    assert "`dind-executor doctor` failed: it takes longer" in capfd.readouterr().err


def test_mistakes_that_lint_finds_in_what_is_new(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """They stop it; what was wrong in the file before does not."""
    bench.config.write_text(OTHER)
    bench.host.runner("19.3.0", lint='case $3 in */.*) echo "unknown key: x" >&2; exit 1;; esac')
    assert bench.with_token() == 1
    assert "unknown key: x" in capfd.readouterr().err

    bench.host.runner("19.3.0", lint='echo "unknown key: x" >&2; exit 1')
    assert bench.with_token() == 0


# --- a runner that is created --------------------------------------------------------------------


def user_token(bench: Bench, scopes: set[str]) -> str:
    path = bench.token_file.with_name("user-token")
    path.write_text(bench.gitlab.registry.add_user(scopes, groups={7}))
    path.chmod(0o600)
    return str(path)


def test_a_runner_is_created_and_registered(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its token goes from GitLab's answer into config.toml, and nowhere else."""
    token = user_token(bench, {"create_runner"})

    assert (
        bench.register("--create", "--group", "7", "--gitlab-token-file", token, "--tag=a,b") == 0
    )

    said = capfd.readouterr()
    row = max(bench.gitlab.registry.rows.values(), key=lambda each: each.id)
    (section,) = bench.runners()
    assert (section["token"], section["name"]) == (row.token, "builder")
    assert row.tag_list == ("a", "b")
    assert f"delete the runner {row.id} in GitLab" in said.out
    assert row.token not in said.out + said.err + "".join(bench.host.calls())
    assert bench.host.calls("verify") == []


def test_a_second_call_creates_nothing(bench: Bench) -> None:
    """The runner in config.toml tells that it was done."""
    token = user_token(bench, {"create_runner"})
    for _ in range(2):
        assert bench.register("--create", "--group", "7", "--gitlab-token-file", token) == 0

    assert len(bench.gitlab.registry.rows) == 2
    assert len(bench.runners()) == 1


def test_a_runner_whose_registration_fails_is_deleted_again(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody has its token, so nobody could use it."""
    token = user_token(bench, {"create_runner"})
    bench.config.write_text(OTHER)

    def change(*_: object, **__: object) -> Checked:
        bench.config.write_text(OTHER + "# changed\n")
        return FIT

    bench.check.side_effect = change

    assert bench.register("--create", "--group", "7", "--gitlab-token-file", token) == 1

    assert len(bench.gitlab.registry.rows) == 1
    assert bench.config.read_text() == OTHER + "# changed\n"
    assert bench.left() == []
    said = capfd.readouterr().err
    assert "was deleted in GitLab again" in said
    assert "was changed meanwhile" in said


def test_a_runner_that_cannot_be_deleted_again_is_named(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """The last lines say what stands."""
    token = user_token(bench, {"create_runner"})
    bench.config.write_text(OTHER)
    broken = moods.broken(HTTPStatus.BAD_GATEWAY)
    bench.gitlab.mood = moods.only_for("DELETE", "/runners", broken)

    def change(*_: object, **__: object) -> Checked:
        bench.config.write_text(OTHER + "# changed\n")
        return FIT

    bench.check.side_effect = change

    assert bench.register("--create", "--group", "7", "--gitlab-token-file", token) == 1

    number = max(bench.gitlab.registry.rows)
    assert f"The runner {number} stands in GitLab" in capfd.readouterr().err


def test_what_a_killed_call_has_left_is_used(bench: Bench) -> None:
    """GitLab shows the token of a runner once: the file in which it was is read again."""
    row = bench.gitlab.registry.add({"description": "builder"})
    left = section_text(Registration("builder", bench.gitlab.url, row.token), bench.paths)
    path = bench.config.with_name(".config.toml.dind-executor")
    path.write_text(left)
    path.chmod(0o600)
    token = user_token(bench, {"create_runner"})

    assert bench.register("--create", "--group", "7", "--gitlab-token-file", token) == 0

    assert len(bench.gitlab.registry.rows) == 2
    assert [each["token"] for each in bench.runners()] == [row.token]
    assert bench.left() == []


def test_a_user_token_without_the_scope_stops_it_first(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing was tried or written by then."""
    token = user_token(bench, {"read_api"})

    assert bench.register("--create", "--group", "7", "--gitlab-token-file", token) == 1

    assert "needs `create_runner`" in capfd.readouterr().err
    assert not bench.check.called
    assert (bench.config.exists(), bench.left()) == (False, [])


# --- what cannot be used -------------------------------------------------------------------------


def test_a_gitlab_that_is_not_there(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """An address without GitLab's API stops it, before the host is looked at."""
    bench.gitlab.mood = moods.login_page
    assert bench.with_token() == 1
    assert "not GitLab's API" in capfd.readouterr().err

    bench.gitlab.mood = moods.refusing
    assert bench.with_token() == 1
    assert "does not answer: check the address" in capfd.readouterr().err
    assert not bench.check.called
    assert bench.left() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("concurrent = \n", "is not TOML: "),
        ("runners = [{name = 'a'}]\n", "stays as it is: its `runners`"),
        ("[[Runners]]\n", "stays as it is: it spells"),
    ],
)
def test_a_file_that_cannot_be_changed(
    bench: Bench, capfd: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    """It stays as it is, and the sentence says what to do."""
    bench.config.write_text(text)

    assert bench.with_token() == 2

    assert bench.config.read_text() == text
    assert words in capfd.readouterr().err


def test_a_service_that_reads_another_file(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """A runner in a file that nobody reads would get no job."""
    bench.runs.return_value = True
    bench.host.systemctl(config="/srv/other.toml")

    assert bench.with_token() == 2

    assert "service reads /srv/other.toml" in capfd.readouterr().err
    assert not bench.config.exists()


def test_a_service_that_did_not_run_is_started(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """The service is enabled and started, and the output names it."""
    bench.runs.return_value = True
    bench.host.systemctl(runs=False, config=bench.config)

    assert bench.with_token() == 0

    assert "gitlab-runner's service was started." in capfd.readouterr().out
    assert bench.host.calls("enable") == ["enable --quiet --now gitlab-runner.service"]


def test_a_call_that_was_killed_after_the_file_changed_is_completed(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same command starts the service and writes the units that are missing, and says so."""
    assert bench.with_token() == 0
    before = bench.config.read_bytes()
    bench.runs.return_value = True
    bench.host.systemctl(runs=False, config=bench.config)
    unit = Path("/etc/systemd/system/dind-executor-reap.timer")
    bench.units.return_value = service.Units((unit,), ("It is odd.",))
    capfd.readouterr()

    assert bench.with_token() == 0

    said = capfd.readouterr()
    assert bench.host.calls("enable") == ["enable --quiet --now gitlab-runner.service"]
    assert "gitlab-runner's service was started." in said.out
    assert f"{unit} was written.\n" in said.out
    assert said.out.endswith("has the runner 'builder' already.\n")
    assert "WARNING: It is odd." in said.err
    assert bench.config.read_bytes() == before
    bench.host.systemctl(config=bench.config)
    bench.units.return_value = service.Units((), ())
    assert bench.with_token() == 0
    assert "there is nothing to do" in capfd.readouterr().out


def test_a_host_that_is_drained_stays_so(
    bench: Bench, mocker: MockerFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever has drained it, to change it, starts gitlab-runner when that is over."""
    bench.runs.return_value = True
    bench.host.systemctl(runs=False, config=bench.config)
    mocker.patch.object(service, "is_drained", return_value=True)

    for _ in range(2):
        assert bench.with_token() == 0
        assert "`dind-executor fleet undrain --yes` starts it" in capfd.readouterr().err
    assert bench.host.calls("enable") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"\xef\xbb\xbfconcurrent = 1\n", "is not TOML: it begins with a byte order mark. Correct"),
    ],
)
def test_a_file_that_is_no_text(
    bench: Bench, capfd: pytest.CaptureFixture[str], content: bytes, words: str
) -> None:
    """It stays as it is."""
    bench.config.write_bytes(content)

    assert bench.with_token() == 2

    assert bench.config.read_bytes() == content
    assert words in capfd.readouterr().err


def test_hooks_and_settings_must_be_there(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """A runner that could run no job is not registered."""
    bench.settings.write_text("[docker]\nimagee = 'x'\n")
    assert bench.with_token() == 2
    assert "imagee" in capfd.readouterr().err
    bench.settings.write_text("")

    (bench.hooks / "run").unlink()
    assert bench.with_token() == 2
    assert "install dind-executor first" in capfd.readouterr().err


def test_another_call_at_the_same_time(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """Only one at a time changes the file."""
    codes: list[int] = []

    def again(*_: object, **__: object) -> Checked:
        if not codes:
            codes.append(0)
            codes.append(bench.with_token("--name", "second"))
        return FIT

    bench.check.side_effect = again

    assert bench.with_token() == 0

    assert codes[1] == 1
    assert [each["name"] for each in bench.runners()] == ["builder"]
    assert "Another `dind-executor register` is at work" in capfd.readouterr().err


def test_no_token_is_taken_from_the_command_line(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither is it repeated where it is refused."""
    for args in (["--token", "glrt-0123456789abcdefghij"], ["glrt-0123456789abcdefghij"],
                 ["--token=glrt-0123456789abcdefghij"], ["--name=x", "--bad=glrt-0123456789abcdefghij"]):  # fmt: skip
        assert bench.register(*args) == 2
        assert "0123456789" not in capfd.readouterr().err
