"""`dind-executor rollback`: has jobs use the version before, or another one that is there."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from executor.commands.install.command import PREFIX
from executor.commands.install.versions import Versions, own_prefix, version_said


def main(args: list[str]) -> int:
    """Go back; return an exit code."""
    given = _parser().parse_args(args)
    versions = Versions(given.prefix.absolute())
    if given.list:
        for each in versions.names():
            remark = {versions.current(): " (current)", versions.previous(): " (previous)"}
            print(f"{each}{remark.get(each, '')}")
        return 0
    name = given.version or versions.previous()
    if why := _why_not(versions, name):
        return _refuse(why)
    try:
        said = version_said(versions.path(name))
        versions.switch(name)
    except subprocess.CalledProcessError as error:
        words = error.stderr.strip().rpartition("\n")[2]
        return _refuse(f"{versions.path(name)} does not start: {words}")
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}.")
    print(f"Jobs that begin now use {said}, from {versions.path(name)}.")
    print("Jobs that run keep their version.")
    return 0


def _why_not(versions: Versions, name: str) -> str:
    """Return why a version cannot become the current one, else ""."""
    if not name:
        return f"There is no version before {versions.current() or 'the first'}."
    if name not in versions.names():
        there = ", ".join(versions.names()) or "none"
        return f"There is no version {name} below {versions.prefix}. There are: {there}."
    if not os.access(versions.prefix, os.W_OK):
        return f"{versions.prefix} is not writable. Run this as root."
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor rollback",
        description="Have the jobs that begin from now on use the version before, or another one.",
    )
    parser.add_argument("version", nargs="?", metavar="VERSION", help="which one")
    parser.add_argument("--list", action="store_true", help="show the versions that are there")
    parser.add_argument(
        "--prefix",
        type=Path,
        default=own_prefix(PREFIX),
        help="where they are (default: %(default)s)",
    )
    return parser


def _refuse(sentence: str) -> int:
    print(f"dind-executor rollback: {sentence}", file=sys.stderr)
    return 2
