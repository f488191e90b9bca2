"""`dind-executor migrate`: from the Docker executor's config.toml to dind-executor's."""

import argparse
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from itertools import count
from typing import NamedTuple

from executor.bounds import InvalidToml, toml_table, whole_number
from executor.commands.migrate.runner import MIGRATABLE, Migration, in_lower_case, migrate_runner
from executor.commands.migrate.text import section_text
from executor.commands.migrate.together import notes_of_all
from executor.excerpts import excerpt
from executor.files import read_regular
from executor.log import complain, say

_SETTINGS = "/etc/dind-executor/settings.toml"
_MOST_BYTES = 4 * 1024 * 1024
_SCALING = ("docker+machine", "docker-autoscaler", "docker-ssh+machine")


class _Unusable(Exception):
    """There is no result; the text says why."""


class _Runner(NamedTuple):
    """A runner of the file."""

    title: str
    """Its name, and its number where others share it."""
    table: Mapping[str, object]


def main(args: list[str]) -> int:
    """Migrate a runner or all of them; return an exit code.

    It is 2 if nothing could be migrated, and 1 if settings must be corrected before use.
    """
    parser = argparse.ArgumentParser(
        prog="dind-executor migrate",
        description="Print settings and registration for runners of the Docker executor.",
        epilog="Notes on stderr say what is not carried over or has another meaning.",
    )
    parser.add_argument("config", metavar="config.toml", help="gitlab-runner's configuration")
    parser.add_argument(
        "--runner", metavar="NAME", help="only this runner: its name, or its number in the file"
    )
    parser.add_argument("--output", metavar="FILE", help="write the settings to FILE, mode 0600")
    parser.add_argument("--force", action="store_true", help="overwrite FILE")
    given = parser.parse_args(args)
    try:
        document = _document(given.config)
        runners = _chosen(_runners(document, given.config), given.config, given.runner)
        migrations = [migrate_runner(each.table) for each in runners]
        if given.output:
            _write(given.output, runners, migrations, force=given.force)
    except _Unusable as error:
        complain(f"dind-executor migrate: {error}")
        return 2
    paths = _paths(migrations, given.output)
    for runner, migration, path in zip(runners, migrations, paths, strict=True):
        _print(runner.title, migration, path, written=given.output)
    for sentence in notes_of_all(document, [each.table for each in runners]):
        complain(sentence)
    return 1 if any(each.refused for each in migrations) else 0


def _document(path: str) -> dict[str, object]:
    """Return what is in the file, its own keys in lower case."""
    try:
        return in_lower_case(toml_table(read_regular(path, _MOST_BYTES).decode()))
    except OSError as error:
        raise _Unusable(
            f"{path} cannot be read: {error.strerror}. Check the path, or run this as root."
        ) from None
    except UnicodeDecodeError:
        raise _Unusable(f"{path} is not UTF-8 text. Save it as UTF-8.") from None
    except InvalidToml as error:
        raise _Unusable(f"{path} is not TOML: {error}. Correct the file.") from None


def _runners(document: Mapping[str, object], path: str) -> list[_Runner]:
    found = document.get("runners")
    tables = found if isinstance(found, list) else []
    if not tables or not all(isinstance(each, dict) for each in tables):
        raise _Unusable(f"{path} has no [[runners]]. Give the path of gitlab-runner's config.toml.")
    tables = [in_lower_case(each) for each in tables]
    names = [str(each.get("name", "")) for each in tables]
    return [
        _Runner(_title(name, number, alone=names.count(name) == 1), table)
        for number, (name, table) in enumerate(zip(names, tables, strict=True), start=1)
    ]


def _title(name: str, number: int, *, alone: bool) -> str:
    if name:
        return name if alone else f"{name} (runner {number})"
    return f"runner {number}"


def _chosen(runners: Sequence[_Runner], path: str, wanted: str | None) -> list[_Runner]:
    """Return the runners to migrate, and say of the others why they are not among them."""
    meant = _meant(runners, wanted)
    if not meant:
        titles = ", ".join(each.title for each in runners)
        raise _Unusable(
            f"{path} has no runner {excerpt(wanted or '')!r}: name one of {titles}, or its number."
        )
    for title, runner in meant:
        executor = runner.get("executor")
        if executor in _SCALING:
            complain(
                f"the runner {title!r} is not migrated: its executor {executor} scales machines,"
                " which a custom executor cannot do. Register one runner on each machine."
            )
        elif executor != MIGRATABLE:
            complain(f"the runner {title!r} is not changed: its executor is {executor}.")
    found = [each for each in meant if each.table.get("executor") == MIGRATABLE]
    if not found:
        raise _Unusable(f'{path} has no runner with executor = "{MIGRATABLE}" to migrate.')
    for title, runner in found:
        if not isinstance(runner.get("docker", {}), dict):
            raise _Unusable(
                f"[runners.docker] of the runner {title!r} in {path} is not a"
                " table. Correct the file."
            )
    return found


def _meant(runners: Sequence[_Runner], wanted: str | None) -> list[_Runner]:
    """Return the runners of a name, or else the one of a number, which counts from 1."""
    if wanted is None:
        return list(runners)
    named = [each for each in runners if each.table.get("name") == wanted]
    if named or not wanted.isdecimal():
        return named
    meant = whole_number(wanted)
    return [each for number, each in enumerate(runners, start=1) if number == meant]


def _write(
    path: str, runners: Sequence[_Runner], migrations: Sequence[Migration], *, force: bool
) -> None:
    if len(runners) > 1:
        titles = ", ".join(each.title for each in runners)
        raise _Unusable(
            f"--output takes one runner: name one of {titles}, or its number, with --runner."
        )
    try:
        if force:
            _replace(path, migrations[0].settings)
        else:
            _write_new(path, migrations[0].settings)
    except FileExistsError:
        raise _Unusable(f"{path} exists already. Add --force to overwrite it.") from None
    except OSError as error:
        raise _Unusable(
            f"{path} cannot be written: {error.strerror}. Run this as root, or"
            " choose another file with --output."
        ) from None


def _write_new(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor)
        file.write(text)


def _replace(path: str, text: str) -> None:
    """Put a new file in the place of an old one; whatever else stands there is left alone.

    Nothing is written through a symbolic link: whoever made it would choose the file.
    """
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise _Unusable(
            f"{path} is not a regular file. Remove it, or choose another file with --output."
        )
    beside = f"{path}.{secrets.token_hex(8)}"
    try:
        _write_new(beside, text)
        os.rename(beside, path)  # noqa: PTH104 (as above)
    except OSError:
        if os.path.lexists(beside):
            os.unlink(beside)  # noqa: PTH108
        raise


def _paths(migrations: Sequence[Migration], output: str | None) -> list[str]:
    """Return where the settings of each are, or are to be: no two at the same path."""
    if output:
        return [os.path.abspath(output)]  # noqa: PTH100 (as written, without following links)
    if len(migrations) == 1:
        return [_SETTINGS]
    paths: list[str] = []
    for each in migrations:
        letters = (c if c.isascii() and c.isalnum() else "-" for c in each.name.lower())
        word = "".join(letters).strip("-") or "runner"
        words = (word if number == 1 else f"{word}-{number}" for number in count(1))
        every = (_SETTINGS.replace("settings", f"settings-{each}") for each in words)
        paths.append(next(path for path in every if path not in paths))
    return paths


def _print(title: str, migration: Migration, path: str, *, written: str | None) -> None:
    for sentence in migration.notes:
        complain(f"{title}: {sentence}")
    if not written:
        say(f"# ===== {path}\n{migration.settings}")
    say("# ===== the runner's section in config.toml")
    say(section_text(migration.runner, path))
