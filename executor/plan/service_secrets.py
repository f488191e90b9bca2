"""Secrets of a service that cannot be handed over unseen: which are left out, and what is said.

A secret reaches a service through its stdin and a shell (see `shell.receiver`).  Not every image has
one, and no shell sets every name.  Pure: no I/O.
"""

from collections.abc import Sequence

from executor.dataclass import replace
from executor.errors import UnusableImage
from executor.shell.variables import carries
from executor.spec import ContainerSpec

_MOST_NAMED = 5
_LONGEST_NAME = 60


def without_odd_names(spec: ContainerSpec) -> tuple[ContainerSpec, list[str]]:
    """Return a service without the secrets whose names no shell sets, and what the author reads."""
    odd = [key for key in spec.secret_environment if not carries(key)]
    if not odd:
        return spec, []
    notice = (
        f'WARNING: The service "{spec.image}" does not get {_listed(odd)}: the value holds a secret,'
        " so a shell has to hand it over, and no shell can set a variable of this name. Use a name"
        f" of letters, digits and underscores, such as {_plain(odd[0])}."
    )
    return _without(spec, odd), [notice]


def without_secrets(spec: ContainerSpec) -> tuple[ContainerSpec, str]:
    """Return a service whose image has no shell, and what the author reads.

    Raises UnusableImage where the service itself asks for a secret.
    """
    needed = [key for key in spec.secret_environment if key not in spec.dispensable]
    if needed:
        raise UnusableImage(
            f'The service "{spec.image}" cannot get {_listed(needed)}: the value holds a secret, which'
            " only a shell takes without showing it to everyone who may ask the Docker Engine, and"
            " the image has no `sh`. Use an image with a shell, or a value that is not secret."
        )
    left_out = list(spec.secret_environment)
    notice = (
        f'WARNING: The service "{spec.image}" does not get {_listed(left_out)} of the job: the value'
        " holds a secret, and the image has no `sh` to take it unseen. If the service needs it, use"
        " an image with a shell."
    )
    return _without(spec, left_out), notice


def _without(spec: ContainerSpec, left_out: Sequence[str]) -> ContainerSpec:
    kept = {key: each for key, each in spec.secret_environment.items() if key not in left_out}
    dispensable = tuple(key for key in spec.dispensable if key in kept)
    return replace(spec, secret_environment=kept, dispensable=dispensable)


def _listed(keys: Sequence[str]) -> str:
    """Return the names of variables; a job may have thousands."""
    more = f" and {len(keys) - _MOST_NAMED} more" if len(keys) > _MOST_NAMED else ""
    noun = "the variable" if len(keys) == 1 else "the variables"
    return f"{noun} {', '.join(map(_shown, keys[:_MOST_NAMED]))}{more}"


def _shown(key: str) -> str:
    """Return a name as it may stand in the job log: whoever writes a pipeline writes it."""
    return "".join(each if each.isprintable() else "?" for each in key[:_LONGEST_NAME])


def _plain(key: str) -> str:
    """Return a name like this one that every shell sets."""
    name = "".join(
        each if each.isascii() and each.isalnum() else "_" for each in key[:_LONGEST_NAME]
    ).upper()
    return name if carries(name) else f"MY_{name}"
