"""The registration under trial: a `[runners.custom]` section, or hooks and settings by hand."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from executor.bounds import toml_table
from executor.files import read_regular
from executor.local.errors import LocalError
from executor.notation.table import Problems, Table

DEFAULT_CONFIG = Path("/etc/gitlab-runner/config.toml")
DEFAULT_SETTINGS = Path("/etc/dind-executor/settings.toml")
_MOST_BYTES = 4 * 1024 * 1024
_HOUR_SECONDS = 3600
_GRACEFUL_KILL_SECONDS = 600
_FORCE_KILL_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Hook:
    """One executable of the custom executor."""

    executable: str
    arguments: tuple[str, ...] = ()
    timeout_seconds: int | None = _HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class Registration:
    """What gitlab-runner would read from its config.toml for one custom runner."""

    name: str
    run: Hook
    config: Hook | None = None
    prepare: Hook | None = None
    cleanup: Hook | None = None
    graceful_kill_seconds: int = _GRACEFUL_KILL_SECONDS
    force_kill_seconds: int = _FORCE_KILL_SECONDS
    builds_dir: str = ""
    cache_dir: str = ""
    shell: str = "bash"
    environment: tuple[tuple[str, str], ...] = ()
    feature_flags: tuple[tuple[str, bool], ...] = ()
    safe_directory_checkout: bool = False
    pre_get_sources_script: str = ""
    post_get_sources_script: str = ""
    pre_build_script: str = ""
    post_build_script: str = ""
    source: str = ""
    """Where it stands: the file, or the hooks' directory and settings."""


def from_hooks(directory: Path, settings: Path) -> Registration:
    """Return a registration of the hooks in a directory, as config.toml.example has it."""
    arguments = ("--settings", str(settings))
    for name in ("config", "prepare", "run", "cleanup"):
        if not (directory / name).is_file():
            message = (
                f"{directory} has no hook {name}; name the directory of the four hooks with "
                f"--hooks or a registration with --config"
            )
            raise LocalError(message)

    def hook(name: str) -> Hook:
        return Hook(str(directory / name), arguments)

    return Registration(
        name="local",
        config=hook("config"),
        prepare=hook("prepare"),
        run=Hook(str(directory / "run"), arguments, timeout_seconds=None),
        cleanup=hook("cleanup"),
        graceful_kill_seconds=120,
        builds_dir="/builds",
        cache_dir="/cache",
        safe_directory_checkout=True,
        source=f"{directory} {settings}",
    )


def default_hooks() -> Path:
    """Return the directory of the hooks that were installed with this package."""
    prefix = Path(sys.prefix)
    beside = (prefix.parent / "hooks", prefix / "hooks")
    return next((path for path in beside if path.is_dir()), beside[0])


def from_config(path: Path, runner_name: str = "") -> Registration:
    """Return the first custom runner of a config.toml, or the one of that name."""
    try:
        document = toml_table(read_regular(str(path), _MOST_BYTES).decode())
    except FileNotFoundError:
        message = f"{path}: no such file; name gitlab-runner's config.toml with --config"
        raise LocalError(message) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        message = f"{path}: cannot be read ({why}); correct it or use --hooks"
        raise LocalError(message) from None
    runner = _chosen(document, runner_name)
    if runner is None:
        wanted = f'runner named "{runner_name}"' if runner_name else "runner"
        message = (
            f'{path}: there is no {wanted} with executor = "custom"; '
            f"add one, or use --hooks and --settings"
        )
        raise LocalError(message)
    registration = _registration(runner)
    if runner.problems:
        raise LocalError(f"{path}: {'; '.join(runner.problems.texts)}")
    return replace(registration, source=str(path.absolute()))


def _chosen(document: dict[str, object], name: str) -> Table | None:
    """Return the first custom runner, or the one of that name; others may hold mistakes."""
    runners = document.get("runners", [])
    for place, values in enumerate(runners if isinstance(runners, list) else []):
        runner = Table(values, Problems(), f"runners[{place}]")
        is_wanted = not name or runner.string("name", "") == name
        if is_wanted and runner.string("executor", "") == "custom":
            return runner
    return None


def _registration(runner: Table) -> Registration:
    custom = runner.table("custom")
    run_executable = custom.string("run_exec", "")
    if not run_executable:
        custom.note("run_exec", "is missing; it is the one hook that every runner needs")

    def hook(stage: str) -> Hook | None:
        executable = custom.string(f"{stage}_exec", "")
        # A time-out that is not positive means the default, as the runner has it.
        timeout = custom.integer(f"{stage}_exec_timeout", 0)
        return (
            Hook(
                executable,
                custom.strings(f"{stage}_args"),
                timeout if timeout > 0 else _HOUR_SECONDS,
            )
            if executable
            else None
        )

    graceful = custom.integer("graceful_kill_timeout", 0)
    force = custom.integer("force_kill_timeout", 0)
    flags = runner.table("feature_flags")
    return Registration(
        name=runner.string("name", "") or "unnamed",
        run=Hook(run_executable, custom.strings("run_args"), timeout_seconds=None),
        config=hook("config"),
        prepare=hook("prepare"),
        cleanup=hook("cleanup"),
        graceful_kill_seconds=graceful if graceful > 0 else _GRACEFUL_KILL_SECONDS,
        force_kill_seconds=force if force > 0 else _FORCE_KILL_SECONDS,
        builds_dir=runner.string("builds_dir", ""),
        cache_dir=runner.string("cache_dir", ""),
        shell=runner.string("shell", "") or "bash",
        environment=tuple(
            _key_and_value(runner, place, entry)
            for place, entry in enumerate(runner.strings("environment"))
        ),
        feature_flags=tuple((name, flags.boolean(name, default=False)) for name in flags.names()),
        safe_directory_checkout=runner.boolean("safe_directory_checkout", default=False),
        pre_get_sources_script=runner.string("pre_get_sources_script", ""),
        post_get_sources_script=runner.string("post_get_sources_script", ""),
        pre_build_script=runner.string("pre_build_script", ""),
        post_build_script=runner.string("post_build_script", ""),
    )


def _key_and_value(runner: Table, place: int, entry: str) -> tuple[str, str]:
    key, equals, value = entry.partition("=")
    if not equals or not key:
        # What stands there may be a secret whose key was forgotten.
        runner.note_element("environment", place, ("has no KEY= before its value; write KEY=value"))
    return key, value
