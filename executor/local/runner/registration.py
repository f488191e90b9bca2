"""The registration under trial: a `[runners.custom]` section, or hooks and settings by hand."""

import sys
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from executor.local.errors import LocalError

DEFAULT_CONFIG = Path("/etc/gitlab-runner/config.toml")
DEFAULT_SETTINGS = Path("/etc/dind-executor/settings.toml")
_HOUR_SECONDS = 3600
_GRACEFUL_KILL_SECONDS = 600
_FORCE_KILL_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Hook:
    """One executable of the driver."""

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
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{path}: no such file; name gitlab-runner's config.toml with --config"
        raise LocalError(message) from None
    except (OSError, ValueError) as error:
        message = f"{path}: cannot be read ({error}); correct it or use --hooks"
        raise LocalError(message) from None
    runners = document.get("runners", [])
    for runner in runners if isinstance(runners, list) else []:
        fields = _Fields(str(path), runner)
        if runner_name and fields.text("name") != runner_name:
            continue
        if fields.text("executor") == "custom":
            return replace(_registration(fields), source=str(path.absolute()))
    wanted = f'runner named "{runner_name}"' if runner_name else "runner"
    message = (
        f'{path}: there is no {wanted} with executor = "custom"; '
        f"add one, or use --hooks and --settings"
    )
    raise LocalError(message)


def _registration(runner: "_Fields") -> Registration:
    custom = runner.table("custom")
    if not custom.text("run_exec"):
        raise custom.error("run_exec", "is missing; it is the one hook that every runner needs")

    def hook(stage: str) -> Hook | None:
        executable = custom.text(f"{stage}_exec")
        # A time-out that is not positive means the default, as the runner has it.
        timeout = custom.number(f"{stage}_exec_timeout")
        return (
            Hook(executable, custom.texts(f"{stage}_args"), timeout if timeout > 0 else 3600)
            if executable
            else None
        )

    graceful = custom.number("graceful_kill_timeout")
    force = custom.number("force_kill_timeout")
    flags = runner.table("feature_flags")
    return Registration(
        name=runner.text("name") or "unnamed",
        run=Hook(custom.text("run_exec"), custom.texts("run_args"), timeout_seconds=None),
        config=hook("config"),
        prepare=hook("prepare"),
        cleanup=hook("cleanup"),
        graceful_kill_seconds=graceful if graceful > 0 else _GRACEFUL_KILL_SECONDS,
        force_kill_seconds=force if force > 0 else _FORCE_KILL_SECONDS,
        builds_dir=runner.text("builds_dir"),
        cache_dir=runner.text("cache_dir"),
        shell=runner.text("shell") or "bash",
        environment=tuple(_assignment(runner, entry) for entry in runner.texts("environment")),
        feature_flags=tuple((name, flags.flag(name)) for name in flags.names()),
        safe_directory_checkout=runner.flag("safe_directory_checkout"),
        pre_get_sources_script=runner.text("pre_get_sources_script"),
        post_get_sources_script=runner.text("post_get_sources_script"),
        pre_build_script=runner.text("pre_build_script"),
        post_build_script=runner.text("post_build_script"),
    )


def _assignment(runner: "_Fields", entry: str) -> tuple[str, str]:
    key, equals, value = entry.partition("=")
    if not equals or not key:
        raise runner.error("environment", f'holds "{key}"; write every entry as KEY=VALUE')
    return key, value


class _Fields:
    """A table of config.toml, read by type; a key that is absent has the type's empty value."""

    def __init__(self, path: str, table: object) -> None:
        self._path = path
        self._table: dict[str, object] = table if isinstance(table, dict) else {}

    def error(self, key: str, sentence: str) -> LocalError:
        return LocalError(f"{self._path}: {key} {sentence}")

    def names(self) -> tuple[str, ...]:
        return tuple(self._table)

    def text(self, key: str) -> str:
        value = self._table.get(key, "")
        if not isinstance(value, str):
            raise self.error(key, "is not a string; put it in quotes")
        return value

    def number(self, key: str) -> int:
        value = self._table.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "is not a whole number; write seconds without quotes")
        return value

    def flag(self, key: str) -> bool:
        value = self._table.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, "is neither true nor false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, "is not a list of strings")
        return tuple(value)

    def table(self, key: str) -> "_Fields":
        return _Fields(f"{self._path}: {key}", self._table.get(key, {}))
