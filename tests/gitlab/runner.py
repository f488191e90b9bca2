"""gitlab-runner as a process, with a config.toml and a home of its own."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import toml
from tests.gitlab.server import GitLab
from tests.hooks import HOOKS
from tests.patience import LONGEST_SECONDS

COMMAND = "gitlab-runner"
_REPOSITORY = Path(__file__).parents[2]
_EXAMPLE = _REPOSITORY / "config.toml.example"
_STOP_SECONDS = 90

Table = dict[str, object]


@dataclass(frozen=True, slots=True)
class Runner:
    """A gitlab-runner that runs."""

    process: subprocess.Popen[bytes]
    log_path: Path
    pid: int
    """The number of gitlab-runner itself, which may be below what starts it."""

    def wait_until_left(self, job_id: int) -> None:
        """Return when the runner has left a job's slot, as GitLab hears of its end before."""
        left = re.compile(rf"Removed job from processing list.*\bjob\S*={job_id}\b")
        deadline = time.monotonic() + LONGEST_SECONDS
        while not left.search(self.log()):
            assert time.monotonic() < deadline, self.log()[-4000:]
            time.sleep(0.05)

    def log(self) -> str:
        """Return what the runner has said about itself, which is not the job log."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")


def is_there() -> bool:
    """Tell whether there is a gitlab-runner on PATH."""
    return shutil.which(COMMAND) is not None


def path() -> str:
    """Return where the gitlab-runner on PATH lies."""
    found = shutil.which(COMMAND)
    assert found is not None
    return found


def version() -> str:
    """Return the version of the gitlab-runner on PATH."""
    said = subprocess.run([COMMAND, "--version"], check=True, capture_output=True, text=True)
    return said.stdout.partition("Version:")[2].split()[0]


def custom(settings: Path, hooks: Path = HOOKS) -> Table:
    """Return the registration of config.toml.example with these hooks and settings, without a token."""
    runner = {key: value for key, value in _example().items() if key != "token"}
    registration: Table = {"graceful_kill_timeout": 120, "force_kill_timeout": 10}
    given = runner.get("custom")
    registration |= given if isinstance(given, dict) else {}
    for stage in ("config", "prepare", "run", "cleanup"):
        registration[f"{stage}_exec"] = str(hooks / stage)
        registration[f"{stage}_args"] = ["--settings", str(settings)]
    return {**runner, "custom": registration}


def _example() -> Table:
    """Return the runner of config.toml.example, or what it must say where there is none."""
    if _EXAMPLE.exists():
        (runner,) = tomllib.loads(_EXAMPLE.read_text(encoding="utf-8"))["runners"]
        return dict(runner)
    return {
        "executor": "custom",
        "shell": "bash",
        "builds_dir": "/builds",
        "cache_dir": "/cache",
        "safe_directory_checkout": True,
        "custom_build_dir": {"enabled": True},
    }


def docker(
    host: str, *, image: str, helper_image: str, privileged: bool, runtime: str | None = None
) -> Table:
    """Return a runner with the built-in Docker executor, as GitLab documents it for dind."""
    options: Table = {
        "host": host,
        "image": image,
        "helper_image": helper_image,
        "privileged": privileged,
        # dind trusts the rig's registries as the host does.
        "volumes": ["/certs/client", "/cache", "/etc/docker/certs.d:/etc/docker/certs.d:ro"],
        "pull_policy": ["always"],
    }
    if runtime is not None:
        options["runtime"] = runtime
    return {"executor": "docker", "shell": "bash", "docker": options}


def shell(directory: Path) -> Table:
    """Return a runner with the built-in shell executor, which needs no engine."""
    return {
        "executor": "shell",
        "shell": "bash",
        "builds_dir": str(directory / "builds"),
        "cache_dir": str(directory / "cache"),
    }


@contextlib.contextmanager
def working(
    gitlab: GitLab,
    table: Mapping[str, object],
    directory: Path,
    *,
    concurrent: int = 4,
    environment: Mapping[str, str] | None = None,
    within: Sequence[str] = (),
    shutdown_timeout: int = _STOP_SECONDS,
) -> Iterator[Runner]:
    """Have a runner work for a GitLab until the end of the block, whatever happens in it.

    `within` is a command that starts it, in namespaces of its own for example.
    """
    started = command_of(gitlab, table, directory, concurrent, shutdown_timeout)
    with running(started, directory, environment=environment, within=within) as runner:
        yield runner


@contextlib.contextmanager
def running(
    started: tuple[list[str], dict[str, str]],
    directory: Path,
    *,
    environment: Mapping[str, str] | None = None,
    within: Sequence[str] = (),
) -> Iterator[Runner]:
    """Have a runner run until the end of the block, by its command and its environment."""
    command, own = started
    log_path = directory / "gitlab-runner.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*_ends_with_us(), *within, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**own, **(environment or {})},
            start_new_session=True,
        )
    pid = process.pid
    try:
        pid = _below(process) if within else pid
        yield Runner(process, log_path, pid)
    finally:
        _end(process, pid)


def command_of(
    gitlab: GitLab,
    table: Mapping[str, object],
    directory: Path,
    concurrent: int = 4,
    shutdown_timeout: int = _STOP_SECONDS,
) -> tuple[list[str], dict[str, str]]:
    """Write a runner's config.toml; return the command that starts it, and its environment.

    It is of the registration that GitLab has by itself where the table has no token.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "config.toml"
    entry = {
        "token": gitlab.runner_token,
        **table,
        "name": "tests",
        "url": gitlab.url,
        "request_concurrency": concurrent,
    }
    document = {
        "concurrent": concurrent,
        "check_interval": 1,
        "shutdown_timeout": shutdown_timeout,
        "runners": [entry],
    }
    config.write_text(toml.dumps(document), encoding="utf-8")
    config.chmod(0o600)
    return command_with(config, directory)


def command_with(config: Path, directory: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts a runner with a config.toml, and its environment."""
    home = directory / "home"
    home.mkdir(parents=True)
    given = ["--config", str(config), "--working-directory", str(directory)]
    return [COMMAND, "run", *given], {"PATH": os.environ["PATH"], "HOME": str(home)}


def _ends_with_us() -> list[str]:
    """Return what has the kernel end the runner too when the tests are killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def _below(process: subprocess.Popen[bytes]) -> int:
    """Return the number of the gitlab-runner that a command starts, once it is there."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        pid: int | None = process.pid
        while pid is not None:
            if _stat(pid)[:1] == [COMMAND]:
                return pid
            pid = _child_of(pid)
        time.sleep(0.02)
    raise AssertionError(f"{process.args!r} starts no {COMMAND}")


def _child_of(pid: int) -> int | None:
    numbers = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
    return next((each for each in numbers if _stat(each)[2:3] == [str(pid)]), None)


def _stat(pid: int) -> list[str]:
    """Return a process's name, state, parent and what else the kernel says; [] where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    name, _, rest = text.partition(" (")[2].rpartition(") ")
    return [name, *rest.split()]


def _end(process: subprocess.Popen[bytes], pid: int) -> None:
    """End the runner: it aborts what it is doing and cleans up; if it will not, it is killed."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS + LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
