"""What is fuzzed: a name, the cases, and what reads one."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from executor import cli
from executor.log import AdministratorLog
from executor.runner.environ import RunnerEnv
from tests.load.fuzz.bounds import Fault, Terminal, check_output

Json = object
Stage = Callable[[RunnerEnv, list[str], AdministratorLog], None]
_CODES = {"BUILD_FAILURE_EXIT_CODE": "41", "SYSTEM_FAILURE_EXIT_CODE": "42"}


@dataclass(frozen=True, slots=True)
class World:
    """Where a case is tried: a directory of its own, and what is printed."""

    directory: Path
    stdout: Terminal
    stderr: Terminal

    def write(self, name: str, text: str) -> str:
        """Write a file, and return its path; what is no Unicode comes as bytes that are no UTF-8."""
        path = self.directory / name
        path.write_bytes(text.encode(errors="surrogatepass"))
        return str(path)

    def empty(self) -> None:
        """Forget what an earlier case has printed."""
        self.stdout.empty()
        self.stderr.empty()
        (self.directory / "log").unlink(missing_ok=True)

    def log(self) -> str:
        """Return the administrator's log."""
        path = self.directory / "log"
        return path.read_text(encoding="utf-8") if path.exists() else ""


Call = Callable[[Json, World], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A reader of what others write."""

    name: str
    cases: st.SearchStrategy[Json]
    call: Call
    """Tries a case; whatever it raises is a fault."""


def run_stage(
    world: World,
    main: Stage,
    *,
    values: Mapping[str, str],
    secrets: tuple[str, ...],
    settings: str,
) -> None:
    """Run a stage as gitlab-runner does, with `main` in place of config's; check what it prints.

    The job log may have what GitLab masks there; stderr and the administrator's log may not.
    """
    environ = {
        **_CODES,
        **{f"CUSTOM_ENV_{key}": value for key, value in values.items() if _is_possible(key, value)},
        "JOB_RESPONSE_FILE": str(world.directory / "payload"),
        "TMPDIR": str(world.directory),
        "HOME": str(world.directory),
        "PATH": "/nonexistent",
    }
    from executor.stages import config  # noqa: PLC0415 (a stage loads it when it runs)

    own = config.main
    setattr(config, "main", main)  # noqa: B010 (mypy takes no other function for it)
    try:
        code = cli.run_stage("config", ["--settings", settings], RunnerEnv(environ))
    finally:
        setattr(config, "main", own)  # noqa: B010
    if code not in (0, 41, 42):
        raise Fault("code", f"the exit code is {code}")
    if code and not world.stderr.text().startswith("ERROR: "):
        raise Fault("no sentence", f"exit code {code}, and stderr is {world.stderr.text()!r}")
    check_output(world.stderr.text(), world.log(), secrets=secrets)
    check_output(world.stdout.text())


def run_reader(world: World, read: Callable[[], object]) -> None:
    """Have a stage read something, in place of all that it does."""

    def main(_env: RunnerEnv, _args: list[str], log: AdministratorLog) -> None:
        log.open(f"file:{world.directory}/log", 1, 2)
        read()

    world.write("payload", "{}")
    run_stage(world, main, values={}, secrets=(), settings="")


def _is_possible(key: str, value: str) -> bool:
    """Tell whether a process can have such a variable."""
    try:
        os.fsencode(key + value)
    except UnicodeEncodeError:
        return False
    return bool(key) and "=" not in key and "\0" not in key + value
