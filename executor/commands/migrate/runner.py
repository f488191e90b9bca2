"""A runner of gitlab-runner's Docker executor, as a runner of dind-executor: pure.

Which key is which goes by the settings' own definition: a key of theirs that config.toml has too
takes its value.  What is left is named, with a sentence for each.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from executor.commands.migrate.dind import sidecar_of
from executor.commands.migrate.parts import Place, may_be_cut, read_alone, right_parts
from executor.commands.migrate.rules import (
    CHANGED,
    EXCLUSIONS,
    IN_DOCKER,
    IN_RUNNER,
    KEPT_BY_RUNNER,
    LEFT_OUT,
    NEVER,
    RUNNER_CHANGED,
)
from executor.commands.migrate.text import elsewhere, refused_text, settings_text
from executor.errors import SettingsError
from executor.notation.table import closest
from executor.settings.checks import wrong_pattern
from executor.settings.file import DockerSettings, Settings, read_settings
from executor.settings.keys import same_keys

MIGRATABLE = "docker"

_TABLES = ("docker", "services", "custom_build_dir")

Table = Mapping[str, object]
Tables = dict[str, dict[str, object]]
"""Keys of the settings by their section; the top level has no name."""


@dataclass(slots=True)
class Migration:
    """What becomes of one runner."""

    name: str
    settings: str = ""
    """The settings file, as TOML."""
    runner: Table = field(default_factory=dict)
    """The runner's section, as it was."""
    notes: list[str] = field(default_factory=list)
    """A sentence for each key that could not be carried over or means something else now."""
    refused: bool = False
    """Whether the settings must be corrected by hand before they can be used."""


def in_lower_case(table: Table) -> dict[str, object]:
    """Return a runner's section with its keys as they are written: gitlab-runner knows no case."""
    lowered = {name.lower(): value for name, value in table.items()}
    return {
        name: _each_in_lower_case(value) if name in _TABLES else value
        for name, value in lowered.items()
    }


def _each_in_lower_case(value: object) -> object:
    if isinstance(value, list):
        return [_each_in_lower_case(each) for each in value]
    return in_lower_case(value) if isinstance(value, dict) else value


def migrate_runner(runner: Table) -> Migration:
    """Return what becomes of a `[[runners]]` section with `executor = "docker"`.

    Its keys are in lower case: see `in_lower_case`.
    """
    result = Migration(str(runner.get("name", "")), runner=runner)
    docker = runner.get("docker")
    tables: Tables = {"": {}, "docker": {}, "dind": {}}
    given = docker if isinstance(docker, dict) else {}
    rest = sidecar_of(runner, given, tables, result.notes)
    _carry("[[runners]]", runner, "", tables, result.notes)
    _carry("[runners.docker]", rest, "docker", tables, result.notes)
    _name_others(runner, result.notes)
    result.settings = settings_text(result.name, tables)
    try:
        read_settings(result.settings, "settings.toml")
    except SettingsError as error:
        mistakes = [line.strip() for line in str(error).splitlines()[1:]] or [str(error)]
        result.refused = True
        result.settings = refused_text(mistakes) + result.settings
        result.notes += [
            f"correct this, because dind-executor refuses the settings until then: {each}."
            for each in mistakes
        ]
    return result


def _carry(where: str, given: Table, section: str, tables: Tables, notes: list[str]) -> None:
    """Carry over the keys that the settings have too, and name those that they do not have."""
    known = same_keys(DockerSettings if section else Settings)
    for name, value in given.items():
        if name in known:
            key = known[name]
            if not section and value == "":
                continue  # as if it were not there, for gitlab-runner
            _set(f"{where} {name}", value, (section, name), tables, notes)
            if wrong_pattern in (key.check, key.check_name) and _excludes(value):
                notes.append(f"{where} {name}: {EXCLUSIONS}.")
        elif where == "[runners.docker]":
            why = {**LEFT_OUT, **DockerSettings.REFUSED}.get(name)
            if not why and name in (*KEPT_BY_RUNNER, *same_keys(Settings)):
                notes.append(f"{where} {name}: {IN_RUNNER}.")
            elif not why:
                close = closest(name, known)
                hint = f" (did you mean {close}?)" if close else ""
                notes.append(
                    f"{where} {name}: dind-executor has no such key{hint}; it is not carried over."
                )
            elif value:
                notes.append(f"{where} {name}: {why}.")


def _set(what: str, value: object, place: Place, tables: Tables, notes: list[str]) -> None:
    """Carry one key over, without what is wrong with it if jobs may do no more without that.

    What says what holds anyway is left out.
    """
    section, key = place
    right, wrong = right_parts(value, lambda part: read_alone(place, part)[1])
    if wrong and not may_be_cut(key, right):
        # The settings are refused with it, and whoever reads why finds it there.
        tables[section][key] = value
        return
    notes += [f"{what}{inner}: not carried over, {mistake}." for inner, mistake in wrong]
    if right is None or read_alone(place, right)[0] == Settings():
        return
    tables[section][key] = right
    if key == "pull_policy" and set(right if isinstance(right, list) else [right]) == {"never"}:
        notes.append(f"{what}: {NEVER}.")
    if key in CHANGED and section:
        notes.append(f"{what}: {CHANGED[key]}.")


def _excludes(patterns: object) -> bool:
    return isinstance(patterns, Iterable) and any(str(each)[:1] == "!" for each in patterns)


def _name_others(runner: Table, notes: list[str]) -> None:
    """Name what gitlab-runner itself reads, where it does not for a custom executor, or otherwise."""
    own = same_keys(Settings)
    for name, value in _flat(runner):
        table = name.partition(".")[0]
        if table in RUNNER_CHANGED or name in RUNNER_CHANGED:
            changed = RUNNER_CHANGED.get(table) or RUNNER_CHANGED[name]
            sentence = f"[[runners]] {name if name in RUNNER_CHANGED else table}: {changed}."
            notes += [sentence] if sentence not in notes else []
        elif table in elsewhere():
            notes.append(f"[[runners]] {name}: {IN_DOCKER}.")
        elif table not in (*KEPT_BY_RUNNER, *own, "docker", "executor"):
            known = "it stays as it is for gitlab-runner"
            notes.append(f"[[runners]] {name}: `migrate` does not know the key; {known}.")
        elif name in ("custom_build_dir", "custom_build_dir.enabled") and not _is_read(value):
            notes.append(f"[[runners]] {name}: it is neither true nor false, and becomes false.")
        elif name == "shell" and value not in ("bash", "sh", ""):
            notes.append(
                "[[runners]] shell: dind-executor runs scripts in a POSIX shell; it becomes bash."
            )


def _is_read(enabled: object) -> bool:
    return isinstance(enabled, bool) or enabled == {}


def _flat(runner: Table) -> Iterator[tuple[str, object]]:
    """Yield the runner's keys, those of a table as `table.key`."""
    for name, value in runner.items():
        if isinstance(value, dict) and name != "docker" and value:
            yield from ((f"{name}.{key}", each) for key, each in value.items())
        else:
            yield name, value
