"""Paths in a job's containers: what is wrong with one, and which lies in which."""

import posixpath

CERTS_DIRECTORY = "/certs"
DATA_ROOT = "/var/lib/docker"


def wrong_directory(path: str) -> str:
    """Check an absolute directory in the job's containers."""
    wrong = wrong_path(path)
    if wrong:
        return wrong
    plain = "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
    if plain == "/":
        return "it must not be the root directory"
    if plain != path:
        return f"{path!r} must be written {plain!r}"
    for taken in (CERTS_DIRECTORY, DATA_ROOT):
        if overlap(path, taken):
            return f"{path!r} covers {taken}, which dind uses itself"
    return ""


def wrong_path(path: str) -> str:
    """Check an absolute path."""
    if not path.startswith("/"):
        return f"{path!r} must be an absolute path, starting with /"
    if ".." in path.split("/"):
        return f"{path!r} must not contain .."
    if not path.isprintable():
        return f"{path!r} must not contain control characters"
    return ""


def overlap(one: str, other: str) -> bool:
    """Tell whether one directory lies in the other or is the same."""
    first = [part for part in one.split("/") if part]
    second = [part for part in other.split("/") if part]
    shared = min(len(first), len(second))
    return first[:shared] == second[:shared]


def clean(path: str) -> str:
    """Return an absolute path without what does not matter in it."""
    return "/" + posixpath.normpath(path).lstrip("/")


def is_within(path: str, directory: str) -> bool:
    """Tell whether a clean path is a clean directory or lies in it."""
    return path == directory or path.startswith(f"{directory}/")
