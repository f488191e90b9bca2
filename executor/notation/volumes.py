"""An entry of `volumes`, as gitlab-runner writes them: pure."""

from executor.dataclass import dataclass
from executor.notation.paths import (
    CERTS_DIRECTORY,
    DATA_ROOT,
    clean,
    is_within,
    overlap,
    wrong_path,
)
from executor.shell import DIRECTORY, SOCKETS

_NOT_IN_PATHS = frozenset('\\:*?"<>|\r\n')
_MODES = ("ro", "rw", "o")
_PROPAGATIONS = ("shared", "slave", "private", "rshared", "rslave", "rprivate")


class InvalidVolume(ValueError):
    """The text is not an entry of `volumes`."""


@dataclass(frozen=True, slots=True)
class VolumeEntry:
    """What is mounted where: `/destination`, or `source:/destination[:options]`."""

    source: str
    """A path on the engine's host or a volume's name; empty for a cache volume."""
    destination: str
    """An absolute path, in which the job's variables are not expanded yet."""
    options: str
    """As Docker writes them: `ro`, `ro,z`, `rslave`; may be empty."""

    @property
    def has_variables(self) -> bool:
        """Tell whether the job's variables have a say in the destination."""
        return "$" in self.destination


def parse_volume(text: str) -> VolumeEntry:
    """Return an entry; raises InvalidVolume in the Docker executor's words."""
    parts = text.split(":")
    source = parts.pop(0) if len(parts) > 1 and parts[1].startswith("/") else None
    destination, *words = parts
    options = _options(",".join(words).split(",") if words else [])
    if source is not None and not _is_path(source) and not _is_name(source):
        raise _invalid(text)
    if options is None or not _is_path(destination):
        raise _invalid(text)
    return VolumeEntry(source or "", destination, options)


def destinations(volumes: tuple[str, ...]) -> list[str]:
    """Return where the entries are mounted, of those that are right."""
    right = [each for each in volumes if not wrong_volume(each)]
    return [clean(parse_volume(each).destination) for each in right]


def wrong_volume(text: str) -> str:
    """Check an entry as far as it is known before there is a job; see `executor.settings.keys`."""
    try:
        entry = parse_volume(text)
    except InvalidVolume as error:
        return str(error)
    return "" if entry.has_variables else wrong_destination(entry.destination)


def wrong_destination(destination: str) -> str:
    """Check where something is to be mounted; nothing in it is left to expand."""
    if clean(destination) == "/":
        return "build directory needs to be a non-root path"
    if wrong := wrong_path(destination):
        return wrong
    if any(is_within(clean(destination), taken) for taken in (DIRECTORY, SOCKETS)):
        return f"{destination!r} belongs to dind-executor"
    return ""


def wrong_volumes(volumes: tuple[str, ...], builds_dir: str) -> list[tuple[int, str]]:
    """Return the places of entries that are wrong only in the company of others, and why."""
    seen: set[str] = set()
    found = []
    for place, text in enumerate(volumes):
        try:
            entry = parse_volume(text)
        except InvalidVolume:
            continue
        if entry.has_variables:
            continue
        destination = clean(entry.destination)
        if destination in seen:
            found.append((place, already_defined(destination)))
        elif entry.source and is_within(builds_dir, destination) and destination != builds_dir:
            # It is mounted in dind too, where the builds are.
            found += [
                (
                    place,
                    (f"{text!r} contains builds_dir and covers {taken}, which dind uses itself"),
                )
                for taken in (CERTS_DIRECTORY, DATA_ROOT)
                if overlap(destination, taken)
            ]
        seen.add(destination)
    return found


def holds_builds(volumes: tuple[str, ...], builds_dir: str) -> bool:
    """Tell whether a directory or volume of the administrator's holds the builds of all jobs."""
    entries = (parse_volume(text) for text in volumes)
    return any(
        each.source and not each.has_variables and is_within(builds_dir, clean(each.destination))
        for each in entries
    )


def already_defined(destination: str) -> str:
    """Return the Docker executor's sentence for a destination that two entries name."""
    return f'volume for container path "{destination}" is already defined'


def _is_path(text: str) -> bool:
    """Tell whether it is an absolute path; no component is empty, but the last may be."""
    if not text.startswith("/") or _NOT_IN_PATHS.intersection(text):
        return False
    return "" not in text[1:].split("/")[:-1]


def _is_name(text: str) -> bool:
    return bool(text) and not _NOT_IN_PATHS.union("/").intersection(text)


def _options(words: list[str]) -> str | None:
    """Return the options, in the order mode, label, propagation; None where they are none."""
    left = list(words)
    kinds = (_MODES, ("z",), _PROPAGATIONS)
    taken = [_spelled(left.pop(0)) for kind in kinds if left and left[0].lower() in kind]
    return None if left else ",".join(taken)


def _spelled(option: str) -> str:
    """Return an option as Docker wants it; of the labels, z and Z mean different things."""
    if len(option) == 1:
        return option.upper() if option in "oO" else option
    return option.lower()


def _invalid(text: str) -> InvalidVolume:
    return InvalidVolume(f'invalid volume specification: "{text}"')
