"""`dind-executor migrate`: from a config.toml of the Docker executor to this one."""

import argparse
import os
import tomllib
from collections.abc import Mapping, Sequence

from executor.log import complain, say
from executor.migration import MIGRATABLE, Migration, migrate_runner
from executor.migration_text import section_text

_SETTINGS = "/etc/dind-executor/settings.toml"
_SCALING = ("docker+machine", "docker-autoscaler", "docker-ssh+machine")


class _Unusable(Exception):
    """The command ends without a result; the text says why."""


def main(args: list[str]) -> int:
    """Migrate a runner or all of them; return an exit code: 2 where nothing could be migrated."""
    parser = argparse.ArgumentParser(
        prog="dind-executor migrate",
        description="Print settings and registration for runners of the Docker executor.",
        epilog="What cannot be carried over, or means something else, is named on stderr.",
    )
    parser.add_argument("config", metavar="config.toml", help="gitlab-runner's configuration")
    parser.add_argument("--runner", metavar="NAME", help="the one runner that is meant")
    parser.add_argument("--output", metavar="FILE", help="write the settings to FILE, mode 0600")
    parser.add_argument("--force", action="store_true", help="overwrite FILE")
    given = parser.parse_args(args)
    try:
        runners = _chosen(_runners(given.config), given.config, given.runner)
        migrations = [migrate_runner(each) for each in runners]
        if given.output:
            _write(given.output, migrations, force=given.force)
    except _Unusable as error:
        complain(f"dind-executor migrate: {error}")
        return 2
    for each in migrations:
        _print(each, _path(each, given.output, alone=len(migrations) == 1), written=given.output)
    return 0


def _runners(path: str) -> list[Mapping[str, object]]:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 (as in the settings)
            document = tomllib.loads(file.read())
    except OSError as error:
        raise _Unusable(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise _Unusable(f"{path} is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise _Unusable(f"{path} is not TOML: {error}.") from None
    runners = document.get("runners")
    if not isinstance(runners, list) or not all(isinstance(each, dict) for each in runners):
        raise _Unusable(f"{path} has no [[runners]].")
    return runners


def _chosen(
    runners: Sequence[Mapping[str, object]], path: str, name: str | None
) -> list[Mapping[str, object]]:
    """Return the runners to migrate, and say of the others why they are not among them."""
    meant = [each for each in runners if name is None or each.get("name") == name]
    if not meant:
        raise _Unusable(f"{path} has no runner named {name!r}.")
    for each in meant:
        executor = each.get("executor")
        if executor in _SCALING:
            complain(
                f"the runner {each.get('name')!r} is not migrated: it has the executor {executor}"
                " and scales machines, which a custom executor cannot; register one runner on each"
                " machine."
            )
        elif executor != MIGRATABLE:
            complain(
                f"the runner {each.get('name')!r} is left as it is: its executor is {executor}."
            )
    found = [each for each in meant if each.get("executor") == MIGRATABLE]
    if not found:
        raise _Unusable(f'{path} has no runner with executor = "{MIGRATABLE}" to migrate.')
    return found


def _write(path: str, migrations: Sequence[Migration], *, force: bool) -> None:
    if len(migrations) > 1:
        names = ", ".join(each.name for each in migrations)
        raise _Unusable(f"--output takes one runner: name one of {names} with --runner.")
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    try:
        descriptor = os.open(path, flags, 0o600)
        os.fchmod(descriptor, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor)
            file.write(migrations[0].settings)
    except FileExistsError:
        raise _Unusable(f"{path} exists already: --force overwrites it.") from None
    except OSError as error:
        raise _Unusable(f"{path} cannot be written: {error.strerror}.") from None


def _path(migration: Migration, output: str | None, *, alone: bool) -> str:
    if output:
        return os.path.abspath(output)  # noqa: PTH100 (as written, without following links)
    if alone:
        return _SETTINGS
    word = "".join(c if c.isascii() and c.isalnum() else "-" for c in migration.name.lower())
    return _SETTINGS.replace("settings", f"settings-{word.strip('-') or 'runner'}")


def _print(migration: Migration, path: str, *, written: str | None) -> None:
    for sentence in migration.notes:
        complain(f"{migration.name}: {sentence}")
    if not written:
        say(f"# ===== {path}\n{migration.settings}")
    say("# ===== the runner's section in config.toml")
    say(section_text(migration.runner, path))
