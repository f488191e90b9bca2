"""Each hook as gitlab-runner calls it: environment, directory, arguments, stdin, exit codes."""

import json
import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from tests.builders import a_payload, a_service, a_variable
from tests.hooks import BUILD_FAILURE, HOOKS, STAGES, Runner

STARTS = "from executor.__main__ import main; main()"
"""`-m executor` would load `runpy`, and what that needs, for 3 ms of each call."""

# --- the files themselves ---------------------------------------------------------------------


def test_there_is_a_hook_for_each_stage_and_nothing_else() -> None:
    """The directory has one executable for each of the four stages."""
    assert sorted(each.name for each in HOOKS.iterdir()) == sorted(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_hook_is_thin(stage: str) -> None:
    """A hook is executable by all, runs under any POSIX shell, and only finds its job's version."""
    hook = HOOKS / stage
    text = hook.read_text()

    assert stat.S_IMODE(hook.stat().st_mode) & 0o555 == 0o555
    assert text.startswith("#!/bin/sh\n")
    assert len(text.splitlines()) <= 12
    assert f"-I -c '{STARTS}' {stage} \"$@\"" in text
    assert text.splitlines()[-1].startswith("exec ")


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_hook_runs_under_any_sh(tmp_path: Path, stage: str, shell: str) -> None:
    """It starts the interpreter beside it and hands over its arguments and its exit code."""
    found = shutil.which(shell)
    assert found, f"{shell} is not installed"
    hooks, python = tmp_path / "a dir" / "hooks", tmp_path / "a dir" / "venv/bin/python"
    hooks.mkdir(parents=True)
    python.parent.mkdir(parents=True)
    shutil.copy(HOOKS / stage, hooks / stage)
    python.write_text('#!/bin/sh\nprintf "<%s>" "$@"\nexit 7\n')
    python.chmod(0o755)
    program = [found, "sh"] if shell == "busybox" else [found]

    done = subprocess.run(
        [*program, str(hooks / stage), "--settings", "a b", "$x", ""],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stdout, done.stderr) == (
        7,
        f"<-I><-c><{STARTS}><{stage}><--settings><a b><$x><>",
        "",
    )


def test_a_hook_is_one_process(tmp_path: Path) -> None:
    """SIGTERM of the group must not meet a shell that waits."""
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    (tmp_path / "hooks").mkdir()
    shutil.copy(HOOKS / "run", tmp_path / "hooks/run")
    python.write_text("#!/bin/sh\necho $$\n")
    python.chmod(0o755)

    with subprocess.Popen([str(tmp_path / "hooks/run")], stdout=subprocess.PIPE) as process:
        out, _ = process.communicate(timeout=60)

    assert int(out) == process.pid


@pytest.mark.parametrize("stage", STAGES)
def test_a_hook_ignores_signals_from_its_first_line_on(stage: str) -> None:
    """Nothing stands before the `trap`, and cleanup ignores SIGTERM too."""
    lines = (HOOKS / stage).read_text().splitlines()
    signals = "QUIT TERM" if stage == "cleanup" else "QUIT"

    assert next(each for each in lines if not each.startswith("#")) == f"trap '' {signals}"


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
@pytest.mark.parametrize("stage", STAGES)
def test_what_a_hook_ignores_its_stage_ignores(tmp_path: Path, stage: str, shell: str) -> None:
    """SIGQUIT, and cleanup's SIGTERM, are ignored in the process that the hook becomes."""
    found = shutil.which(shell)
    assert found, f"{shell} is not installed"
    hooks, python = tmp_path / "hooks", tmp_path / "venv/bin/python"
    hooks.mkdir()
    python.parent.mkdir(parents=True)
    shutil.copy(HOOKS / stage, hooks / stage)
    # No shell of its own, which might change what is ignored.
    python.symlink_to(shutil.which("env") or "")
    program = [found, "sh"] if shell == "busybox" else [found]
    text = (hooks / stage).read_text().replace("-I -c", "cat /proc/self/status #")
    (hooks / stage).write_text(text)

    done = subprocess.run(
        [*program, str(hooks / stage)], capture_output=True, text=True, check=True, timeout=60
    )

    (ignored,) = (line.split()[1] for line in done.stdout.splitlines() if "SigIgn" in line)
    wanted = {signal.SIGQUIT, signal.SIGTERM} if stage == "cleanup" else {signal.SIGQUIT}
    asked = (signal.SIGQUIT, signal.SIGTERM)
    assert {each for each in asked if int(ignored, 16) >> (each - 1) & 1} == wanted


# --- which version ----------------------------------------------------------------------------

SAYS_WHERE = '#!/bin/sh\necho "${0%/bin/python}"\n'


class Installed:
    """An installation whose versions say where they are."""

    def __init__(self, directory: Path) -> None:
        """Have two versions; the first is the current one."""
        self.prefix = directory / "opt of"
        self.job = directory / "custom-executor1"
        self.job.mkdir()
        for each in ("1", "2"):
            python = self.prefix / each / "bin/python"
            python.parent.mkdir(parents=True)
            python.write_text(SAYS_WHERE)
            python.chmod(0o755)
        shutil.copytree(HOOKS, self.prefix / "hooks")
        self.switch("1")

    def switch(self, version: str) -> None:
        """Have another one be the current one."""
        (self.prefix / ".current").symlink_to(version)
        (self.prefix / ".current").replace(self.prefix / "current")

    def call(self, stage: str, shell: str = "dash", temp_dir: str | None = None) -> str:
        """Return the name of the version that a hook starts."""
        found = shutil.which(shell)
        assert found, f"{shell} is not installed"
        done = subprocess.run(
            [found, *["sh"] * (shell == "busybox"), str(self.prefix / "hooks" / stage)],
            cwd=self.job,
            env={"TMPDIR": str(self.job) if temp_dir is None else temp_dir},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert done.stderr == ""
        return str(Path(done.stdout.strip()).resolve().relative_to(self.prefix))


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_a_job_keeps_the_version_that_its_config_call_found(tmp_path: Path, shell: str) -> None:
    """Whatever becomes the current one meanwhile; the next config call, of another job, finds that."""
    installed = Installed(tmp_path)
    assert installed.call("config", shell) == "1"
    installed.switch("2")

    kept = [installed.call(stage, shell) for stage in ("prepare", "run", "cleanup")]

    assert kept == ["1", "1", "1"]
    assert installed.call("config", shell) == "2"
    assert installed.call("run", shell) == "2"


@pytest.mark.parametrize("stage", ["prepare", "run", "cleanup"])
def test_without_a_usable_note_the_current_version_counts(tmp_path: Path, stage: str) -> None:
    """No note, none of a version that is there, none of another user, a link, and no directory of a job."""
    installed = Installed(tmp_path)
    note = installed.job / "dind-executor-version"
    assert installed.call(stage) == "1"
    note.write_text(f"{installed.prefix}/3\n")
    assert installed.call(stage) == "1"
    note.write_text("")
    assert installed.call(stage) == "1"
    note.write_text(f"{installed.prefix}/2\n")
    assert installed.call(stage) == "2"
    os.chown(note, 12345, -1)
    assert installed.call(stage) == "1"
    os.chown(note, os.geteuid(), -1)
    note.symlink_to(note.rename(installed.job / "elsewhere"))
    assert installed.call(stage) == "1"
    assert installed.call(stage, temp_dir="") == "1"


def test_config_leaves_its_note_where_no_job_has_a_directory() -> None:
    """Nothing is written into the root of the file system."""
    assert not Path("/dind-executor-version").exists()


# --- bad input, at every stage ----------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_no_payload_file(runner: Runner, stage: str) -> None:
    """A stage that gitlab-runner has not called says so."""
    sentence = runner.sentence(stage, without=("JOB_RESPONSE_FILE",))

    assert sentence.startswith("JOB_RESPONSE_FILE is not set. ")


@pytest.mark.parametrize("stage", STAGES)
def test_a_payload_file_that_is_gone(runner: Runner, stage: str) -> None:
    """The sentence has its path and the reason."""
    runner.response.unlink()

    assert f"{runner.response} (JOB_RESPONSE_FILE) cannot be read: No such file" in (
        runner.sentence(stage)
    )


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("content", ["", '{"id": 1, "tok', "\x00", "null", "[]", '{"id": "x"}'])
def test_a_broken_payload(runner: Runner, stage: str, content: str) -> None:
    """The sentence has its path, and no word of the content."""
    runner.response.write_text(content)

    assert str(runner.response) in runner.sentence(stage)


@pytest.mark.parametrize(
    ("stage", "args"),
    # In a call of `run` a path would follow.
    [(stage, ("--settings",)) for stage in STAGES if stage != "run"]
    + [(stage, args) for stage in STAGES for args in ((), ("--other", "x"))],
)
def test_no_settings_file(runner: Runner, stage: str, args: tuple[str, ...]) -> None:
    """The sentence is what must be written into config.toml."""
    assert '["--settings", "/etc/dind-executor/settings.toml"]' in runner.sentence(stage, args=args)


@pytest.mark.parametrize("stage", STAGES)
def test_a_settings_file_that_is_missing(runner: Runner, stage: str) -> None:
    """The sentence has its path and the reason."""
    runner.settings.unlink()

    assert f"{runner.settings} cannot be read: No such file" in runner.sentence(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_a_settings_file_that_is_no_toml(runner: Runner, stage: str) -> None:
    """The sentence has the line."""
    runner.settings.write_text('[docker]\nimage = "a\n')

    sentence = runner.sentence(stage)
    assert f"{runner.settings} is not TOML" in sentence
    assert "line 2" in sentence


@pytest.mark.parametrize("stage", STAGES)
def test_a_settings_file_with_three_mistakes(runner: Runner, stage: str) -> None:
    """All are reported at once, each with its path."""
    runner.settings.write_text(
        'builds_dir = "builds"\n[docker]\nimagge = "a"\n[dind]\nready_timeout = "long"\n'
    )

    lines = runner.sentence(stage).splitlines()

    assert "3 mistakes" in lines[0]
    assert sorted(line.strip().partition(":")[0] for line in lines[1:]) == [
        "builds_dir",
        "dind.ready_timeout",
        "docker.imagge",
    ]


@pytest.mark.parametrize("stage", ["prepare", "run", "cleanup"])
def test_an_engine_that_is_not_running(runner: Runner, stage: str) -> None:
    """The stage ends as a system failure that names the address and what to look at."""
    sentence = runner.sentence(stage)

    assert "The Docker Engine at unix://" in sentence
    assert "Check that it is running and that gitlab-runner's user may use it." in sentence


@pytest.mark.parametrize("host", ["engine.example.com", "ssh://root@host", "tcp://host"])
@pytest.mark.parametrize("stage", ["prepare", "run", "cleanup"])
def test_a_docker_host_that_is_none(runner: Runner, stage: str, host: str) -> None:
    """The runner's own environment is not checked by anybody else."""
    runner.settings.write_text('[log]\ndestination = "none"\n')

    sentence = runner.sentence(stage, changes={"DOCKER_HOST": host})

    assert host in sentence


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"image": a_service("")}, "names no image"),
        ({"image": a_service("sha256:" + "a" * 64)}, "is an image id"),
        ({"image": a_service("Not An Image")}, "invalid image name"),
        ({"services": [a_service("::")]}, "services[0]: invalid service image name"),
    ],
)
def test_mistakes_of_the_author_end_the_job_at_once(
    runner: Runner, payload: dict[str, object], sentence: str
) -> None:
    """The job ends as a build failure before the engine is even asked."""
    runner.response.write_text(json.dumps(a_payload(**payload)))

    assert sentence in runner.sentence("prepare", BUILD_FAILURE)


def test_a_broken_auth_config_is_a_warning_without_its_content(runner: Runner) -> None:
    """The warning has gitlab-runner's words, and the job goes on without that login."""
    runner.values["DOCKER_AUTH_CONFIG"] = '{"auths": {"r": {"auth": "hunter2'

    done = runner.call("prepare")

    assert "WARNING: Failed to resolve credentials from $DOCKER_AUTH_CONFIG" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_leaves_an_exit_code(runner: Runner, stage: str) -> None:
    """Only a script that failed has one."""
    runner.settings.unlink()

    runner.call(stage)

    assert not runner.exit_code_file.exists()


# --- whoever calls ----------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_python_looks_at_nothing_of_the_callers(runner: Runner, stage: str) -> None:
    """A hook ignores the caller's directory, PYTHONPATH and start-up file."""
    (runner.temp / "json.py").write_text("raise SystemExit(0)")
    (runner.temp / "sitecustomize.py").write_text("raise SystemExit(0)")
    runner.settings.unlink()
    changes = {"PYTHONPATH": str(runner.temp), "PYTHONSTARTUP": "/x", "PYTHONHOME": "/nowhere"}

    assert "cannot be read" in runner.sentence(stage, changes=changes)


def test_a_jobs_variables_reach_nothing(runner: Runner) -> None:
    """They carry a prefix, whatever an author calls them."""
    for key in (
        "PATH",
        "DOCKER_HOST",
        "JOB_RESPONSE_FILE",
        "BUILD_FAILURE_EXIT_CODE",
        "PYTHONPATH",
    ):
        runner.values[key] = "/evil"
    payload = a_payload(variables=[a_variable("PATH", "/evil")])
    runner.response.write_text(json.dumps(payload))

    assert runner.call("config").returncode == 0
    assert "/engine.sock" in runner.sentence("cleanup")


def test_a_hook_through_a_link(runner: Runner, tmp_path: Path) -> None:
    """A directory of hooks may be a link to an installed version."""
    (tmp_path / "current").symlink_to(HOOKS.parent)

    done = runner.call("config", hook=tmp_path / "current/hooks/config")

    assert done.returncode == 0


def test_an_unwritable_log_is_said_by_prepare(runner: Runner) -> None:
    """prepare says it once a job, and nothing fails because of it."""
    text = runner.settings.read_text().replace('destination = "none"', 'path = "/nowhere/x.log"')
    runner.settings.write_text(text)

    done = runner.call("prepare")

    assert done.stderr.count("cannot be written") == 1
    assert "cannot be written" not in runner.call("cleanup").stderr
