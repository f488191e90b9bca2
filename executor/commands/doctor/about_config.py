"""gitlab-runner's config.toml and the settings that it names.  Pure, on what was seen.

Nothing found here names a value that may be a secret.
"""

from collections.abc import Collection, Iterator, Mapping

from executor.commands.doctor.facts import STAGES, Facts, Runner
from executor.commands.doctor.findings import Finding, fail, ok, skip, warn
from executor.commands.doctor.keys import CUSTOM, GLOBAL, NEVER, RUNNER
from executor.errors import SettingsError
from executor.notation.table import closest
from executor.settings.file import load_settings

_EXECUTE = 5
_KEYS = "correct the settings; docs/settings.md has each key"
_EXAMPLE = "config.toml.example of dind-executor has a whole registration"


def config(facts: Facts) -> Iterator[Finding]:
    """Say which keys are unknown, and which hooks or settings are missing or wrong."""
    path = facts.config.path
    if facts.config.problem:
        yield fail(
            f"{path} cannot be used: {facts.config.problem}",
            "TOML, as gitlab-runner reads it",
            _EXAMPLE,
        )
        return
    if facts.config.hidden:
        yield skip(f"{path} is hidden from this user: run doctor as root")
        return
    if facts.settings_hidden:
        yield skip(
            f"{facts.settings_path} is hidden from this user: its defaults are looked at instead"
        )
    if facts.settings_problem:
        yield fail(facts.settings_problem, "settings without a mistake", _KEYS)
    if not facts.config.runners:
        yield skip(
            f'{path} has no [[runners]] with `executor = "custom"`: `dind-executor register` adds one'
        )
        return
    yield from _unknown("config.toml", facts.config.document, GLOBAL)
    for runner in facts.config.runners:
        where = f'[[runners]] "{runner.name}"'
        yield from _unknown(where, runner.table, RUNNER)
        yield from _unknown(f"[runners.custom] of {where}", runner.custom, CUSTOM)
        yield from _hooks(facts, runner, where)
        yield from _settings(facts, runner, where)
    names = ", ".join(each.name for each in facts.config.runners)
    yield ok(f"{path}: {names}")


def _unknown(where: str, table: Mapping[str, object], known: Collection[str]) -> Iterator[Finding]:
    for name in table:
        if name.lower() in known:
            continue
        meant = NEVER.get(name.lower(), closest(name.lower(), known))
        is_hook = known is CUSTOM
        judge = fail if is_hook else warn
        hint = f"write `{meant}`" if meant else "remove it"
        yield judge(
            f"{where} has a key `{name}`, which gitlab-runner (17.9 to 19.4) does not know and passes over in silence",
            f"`{meant}`" if meant else "no such key",
            f"{hint} in config.toml" + (f"; {_EXAMPLE}" if is_hook else ""),
        )


def _hooks(facts: Facts, runner: Runner, where: str) -> Iterator[Finding]:
    for stage in STAGES:
        key = f"{stage}_exec"
        path = runner.custom.get(key)
        if not isinstance(path, str) or not path:
            judge = fail
            what = "no job starts" if stage == "run" else f"the stage {stage} is never called"
            yield judge(
                f"{where} has no `{key}`: {what}",
                f"`{key}` in [runners.custom]",
                f"add `{key}` and `{stage}_args`; {_EXAMPLE}",
            )
            continue
        hindrance = facts.user.hindrance(facts.files, path, _EXECUTE)
        found = facts.files.stat(path)
        if not hindrance and found and not found.st_mode & 0o111:
            hindrance = f"{path} is not executable"
        if hindrance:
            yield fail(
                f"`{key}` of {where} cannot be run by {facts.user.name}: {hindrance}",
                "an executable hook",
                f"correct `{key}`, or install dind-executor again",
            )
        elif path.rpartition("/")[2] in {*STAGES} - {stage}:
            yield fail(
                f"`{key}` of {where} is {path}, which is not the hook of that stage",
                f"a path that ends in /{stage}",
                f"correct `{key}`",
            )


def _settings(facts: Facts, runner: Runner, where: str) -> Iterator[Finding]:
    files = runner.settings_files()
    if len(files) > 1:
        yield fail(
            f"the stages of {where} name different settings: {', '.join(files)}",
            "one settings file for all four stages",
            "name the same file in the four `*_args`",
        )
    for stage in STAGES:
        arguments = runner.custom.get(f"{stage}_args")
        words = [str(each) for each in arguments] if isinstance(arguments, list) else []
        hook = str(runner.custom.get(f"{stage}_exec") or stage)
        is_wrapped = hook.rpartition("/")[2] not in STAGES  # it may name them itself
        if not is_wrapped and not any(each.partition("=")[0] == "--settings" for each in words):
            yield fail(
                f"`{stage}_args` of {where} names no settings",
                '["--settings", "/etc/dind-executor/settings.toml"]',
                f"add them to `{stage}_args`",
            )
    for path in files:
        hindrance = facts.user.hindrance(facts.files, path, 4)
        problem = f"{path} cannot be read by {facts.user.name}: {hindrance}" if hindrance else ""
        if not problem and path != facts.settings_path:
            try:
                load_settings(facts.files.path(path))
            except SettingsError as error:
                problem = str(error)
        if problem:
            yield fail(problem, "settings without a mistake", _KEYS)
