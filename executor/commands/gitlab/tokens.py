"""Files that hold a token, and what a token looks like.

A token comes from a file or from the environment, and never from the command line, which every user
of the host reads in the list of processes.
"""

import os
import re
import stat
from collections.abc import MutableMapping

_LONGEST = 4096
_VISIBLE = frozenset(range(0x21, 0x7F))
_RUNNER = re.compile(r"(?a:[\w-]*glrt-|glrtr-)(?a:[\w.-]{20,})")


class UnusableToken(Exception):
    """A token cannot be used; the text says why, without it."""


def read_token(path: str) -> str:
    """Return the one token in a file that only its owner, or a group, reads; raises UnusableToken."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (as in the settings)
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise UnusableToken(
            f"the token file {path} cannot be read: {error.strerror}. Check its path, and run this"
            " as root."
        ) from None
    # A pipe has nobody but its two ends.
    is_file = stat.S_ISREG(mode)
    if is_file and stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
        raise UnusableToken(f"other users may read or change {path}: `chmod 600 {path}`")
    token = content.strip()
    if not token or len(content) > _LONGEST or not _VISIBLE.issuperset(token):
        raise UnusableToken(f"{path} must have one token in it, and nothing else")
    return token.decode("ascii")


def take_token(file: str, variable: str, environ: MutableMapping[str, str]) -> str:
    """Return the token of a file, else of the environment; "" without either.

    The variable leaves the environment, which programs that are started get.  Raises UnusableToken.
    """
    given = environ.pop(variable, "").strip()
    if file:
        return read_token(file)
    return checked_token(given, variable)


def checked_token(given: str, where: str) -> str:
    """Return what is one token, or nothing; raises UnusableToken for anything else."""
    if len(given) > _LONGEST or not given.isascii() or not given.isprintable() or " " in given:
        raise UnusableToken(f"{where} must have one token in it, and nothing else")
    return given


def runners_mistake(token: str) -> str:
    """Return what is wrong with the form of a runner's token; "" where nothing is.

    gitlab-runner 17.9 ends with a Go traceback for a token that is too short.
    """
    if _RUNNER.fullmatch(token):
        return ""
    if token.startswith("GR1348941"):
        return (
            "it is a registration token. Create a runner in GitLab (Settings > CI/CD > Runners), or"
            " with --create, and use the token that begins with glrt-"
        )
    if token.startswith("glpat-"):
        return (
            "it is a personal access token. Give that with --gitlab-token-file and --create, or use"
            " the token of a runner, which begins with glrt-"
        )
    return "a runner's token begins with glrt-, and has at least 20 characters after it"
