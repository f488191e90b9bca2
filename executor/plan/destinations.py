"""Where the volumes of the settings are mounted for a job, whose variables may be in their paths.

Pure: no I/O.
"""

from typing import TYPE_CHECKING

from executor.errors import UnsupportedJobOption
from executor.notation.expansion import expand
from executor.notation.paths import CERTS_DIRECTORY, clean, is_within
from executor.notation.volumes import (
    InvalidVolume,
    VolumeEntry,
    parse_volume,
    wrong_destination,
)

if TYPE_CHECKING:
    from executor.plan.inputs import Inputs

_SHORTEST_SECRET = 4


def destination_of(inputs: "Inputs", entry: VolumeEntry) -> str:
    """Return where an entry is mounted, with the job's variables put in.

    A sentence about a wrong one does not repeat it: a variable may be secret.
    """
    if not entry.has_variables:
        return clean(entry.destination)
    expanded = expand(entry.destination, inputs.variables.value)
    if wrong := _wrong(inputs, expanded):
        raise UnsupportedJobOption(
            f'The volume "{entry.destination}" of the runner\'s settings cannot be mounted with'
            f" this job's variables: {wrong}. Change the variables, or the entry in `[docker]"
            " volumes`."
        )
    return clean(expanded)


def _wrong(inputs: "Inputs", destination: str) -> str:
    path = clean(destination)
    builds_dir = inputs.settings.builds_dir
    reasons = (
        (".." in destination.split("/"), "its destination must not contain .."),
        (not _is_plain(path), "its destination is not an absolute path"),
        (path == "/", "build directory needs to be a non-root path"),
        (
            bool(wrong_destination(path)) or is_within(path, CERTS_DIRECTORY),
            "its destination belongs to dind-executor",
        ),
        (is_within(builds_dir, path), "its destination covers the builds directory"),
        (_shows_secret(inputs, path), "its destination contains a masked variable"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _is_plain(path: str) -> bool:
    """Tell whether a path can be told from the source and the options that it stands between."""
    try:
        return parse_volume(path).destination == path
    except InvalidVolume:
        return False


def _shows_secret(inputs: "Inputs", path: str) -> bool:
    values = {inputs.job.token, *(inputs.values.get(key, "") for key in inputs.job.secret_keys)}
    for each in inputs.job.variables:
        if each.masked:
            values |= {each.value, inputs.values.get(each.key, "")}
    return any(len(value) >= _SHORTEST_SECRET and value in path for value in values)
