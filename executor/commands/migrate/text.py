"""What `migrate` writes: a settings file, and a runner's section of config.toml; pure."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

from executor.commands.migrate.rules import KEPT_BY_RUNNER, PRINTED
from executor.notation.toml import entry_lines, is_list_of_tables, value_text
from executor.settings.file import DockerSettings, Settings
from executor.settings.keys import keys_of, same_keys

_WIDTH = 98
_HOOKS = "/opt/dind-executor/hooks"
_TIMEOUTS = {"config": 60, "prepare": 1800, "cleanup": 900}
_WRITTEN = ("docker", "executor", "shell", "builds_dir", "cache_dir", "safe_directory_checkout")
"""Keys that are written anew, whatever they were."""


def settings_text(name: str, tables: Mapping[str, Mapping[str, object]]) -> str:
    """Return a settings file with these keys, each below the first sentence of its meaning."""
    lines = [f"# Settings of dind-executor for the runner {value_text(name)}."]
    lines.append(
        "# Keys that are not here have their defaults, which `dind-executor settings` prints."
    )
    defaults = Settings()
    for section, keys in tables.items():
        kind = type(getattr(defaults, section)) if section else Settings
        meant = dict(keys_of(kind))
        lines += ["", f"[{section}]"] if section and keys else []
        # A table of its own ends the keys of its section, so these come last.
        for key in sorted(keys, key=lambda each: is_list_of_tables(keys[each])):
            lines += ["", *_comment(_first_sentence(meant[key].doc))]
            lines += entry_lines(f"{section}.{key}", keys[key])
    return "\n".join(lines) + "\n"


def refused_text(mistakes: Sequence[str]) -> str:
    """Return comments that say why the settings below them are refused."""
    lines = [line for each in mistakes for line in _comment(f"Correct this: {each}.")]
    return "\n".join(lines) + "\n"


def section_text(runner: Mapping[str, object], settings_path: str) -> str:
    """Return the runner's section as it must become; nothing that may be secret is in it."""
    lines = ["[[runners]]"]
    lines += [f"  {key} = {value_text(runner[key])}" for key in PRINTED if key in runner]
    lines += [f"  {line}" for line in _kept(runner)]
    lines += ['  executor = "custom"', f"  shell = {value_text(_shell(runner))}"]
    builds, cache = (str(runner.get(key) or default) for key, default in _directories())
    lines += [f"  builds_dir = {value_text(builds)}", f"  cache_dir = {value_text(cache)}"]
    safe = runner.get("safe_directory_checkout", True) is not False
    lines += [f"  safe_directory_checkout = {value_text(safe)}", "  [runners.custom_build_dir]"]
    lines += [f"    enabled = {value_text(_own_directories(runner))}", "  [runners.custom]"]
    for stage in ("config", "prepare", "run", "cleanup"):
        lines.append(f'    {stage}_exec = "{_HOOKS}/{stage}"')
        lines.append(f"    {stage}_args = {value_text(['--settings', settings_path])}")
        if stage in _TIMEOUTS:
            lines.append(f"    {stage}_exec_timeout = {_TIMEOUTS[stage]}")
    lines += ["    graceful_kill_timeout = 120", "    force_kill_timeout = 10"]
    return "\n".join(lines) + "\n"


def _kept(runner: Mapping[str, object]) -> list[str]:
    """Return a comment for what stays in config.toml and is not printed, as it may hold secrets."""
    gone = (*PRINTED, *_WRITTEN, "custom_build_dir", "custom", *elsewhere())
    left = [key for key in runner if key not in gone]
    keys = [key for key in left if not isinstance(runner[key], dict) and key != "token"]
    tables = [f"[runners.{key}]" for key in left if isinstance(runner[key], dict)]
    names = ", ".join(["token", *keys, *tables])
    return _comment(f"Keep as they are in config.toml: {names}.")


def elsewhere() -> tuple[str, ...]:
    """Return the keys that gitlab-runner reads in `[runners.docker]` and nowhere else."""
    keys = (*same_keys(DockerSettings), *DockerSettings.REFUSED)
    return tuple(key for key in keys if key not in KEPT_BY_RUNNER)


def _directories() -> tuple[tuple[str, str], tuple[str, str]]:
    defaults = Settings()
    return ("builds_dir", defaults.builds_dir), ("cache_dir", defaults.cache_dir)


def _shell(runner: Mapping[str, object]) -> str:
    return "sh" if runner.get("shell") == "sh" else "bash"


def _own_directories(runner: Mapping[str, object]) -> bool:
    """Tell whether jobs may choose GIT_CLONE_PATH, as they may with the Docker executor."""
    table = runner.get("custom_build_dir", {})
    return isinstance(table, dict) and table.get("enabled", True) is True


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, _WIDTH, break_on_hyphens=False)]
