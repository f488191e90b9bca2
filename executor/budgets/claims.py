"""What jobs have claimed: kept things that they are about to use, before any container has them.

A claim is a volume of the engine, so that everybody who shares the engine sees it.  It has the labels of
its job, so that cleanup and the sweep remove it.  There are two kinds:

- *alone*: a builds directory is one job's at a time, and so is a network that stays.  The volume is
  named after what is claimed.  The engine makes a name once, whoever asks for it at the same time, and
  its answer says who has it.
- *beside others*: images and caches.  The digests of what a job uses are a label of the first volume
  that it makes anyway.  Nothing that is claimed so is removed.
"""

from collections.abc import Callable, Iterable, Mapping

from executor.digests import sha256
from executor.engine.kept import Kept
from executor.engine.wire import as_table
from executor.names import LABEL
from executor.notation.claims import CLAIM_LABEL, CLAIM_PREFIX, USES_LABEL
from executor.notation.image_names import one_spelling

Labels = Mapping[str, object]

_PLACES = 2
"""Where the first claimant is dead, the next one claims the second place; the sweep clears both."""
_LENGTH = 16


def of_volume(name: str) -> str:
    """Return what stands for a volume, or for a directory of the engine's host."""
    return _digest("volume", name)


def of_network(name: str) -> str:
    """Return what stands for a network that a slot keeps."""
    return _digest("network", name)


def of_image(name: str) -> str:
    """Return what stands for an image by one of its names, or by its id."""
    return _digest("image", one_spelling(name))


def uses(things: Iterable[str]) -> dict[str, str]:
    """Return the label that claims things beside others."""
    return {USES_LABEL: ",".join(sorted(set(things)))}


def claimed(volumes: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """Return all that is claimed, in either way, by what the engine lists as its volumes."""
    found: set[str] = set()
    for each in volumes:
        labels = as_table(each.get("Labels"))
        found.add(str(labels.get(CLAIM_LABEL, "")))
        found.update(str(labels.get(USES_LABEL, "")).split(","))
    return frozenset(found - {""})


def claim(
    kept: Kept, thing: str, labels: Mapping[str, str], is_over: Callable[[Labels], bool]
) -> str:
    """Claim a thing for the job with these labels alone; return the key of the job that has it, or "".

    "": the claim is this job's.  `is_over` tells whether whoever has these labels is proved dead.  Of any
    number who claim at once one wins, and a dead one holds nobody up.  Only where the sweep clears a dead
    one's claim at that very moment, it may be that nobody wins.
    """
    own = {**labels, CLAIM_LABEL: thing}
    holder = ""
    for place in range(_PLACES):
        had = _claimed(kept, _name(thing, place), own)
        if _is_own(had, labels):
            # The first place may be free again, and its dead claimant's successor in the second.
            other = _elsewhere(kept, thing, place, labels, is_over)
            if other:
                kept.remove_volume(_name(thing, place))
            return other
        holder = str(had.get(LABEL))
        if not is_over(had):
            break
    return holder


def _claimed(kept: Kept, name: str, own: Mapping[str, str]) -> Labels:
    """Make a volume, or find the one of its name; return the labels that it has.

    An engine that has been restarted since says nothing of them before it is asked for the volume.  One
    that has gone meanwhile is made.
    """
    return kept.claim(name, own) or kept.labels_of(name) or kept.claim(name, own)


def _elsewhere(
    kept: Kept, thing: str, own: int, labels: Mapping[str, str], is_over: Callable[[Labels], bool]
) -> str:
    """Return the key of a living job in another place than one's own, "" where there is none."""
    for place in range(_PLACES):
        if place != own:
            had = kept.labels_of(_name(thing, place))
            if had and not _is_own(had, labels) and not is_over(had):
                return str(had.get(LABEL))
    return ""


def _is_own(had: Labels, labels: Mapping[str, str]) -> bool:
    """Tell whether a volume is this job's; a second attempt of prepare finds the first one's."""
    return had.get(LABEL, labels[LABEL]) == labels[LABEL]


def _name(thing: str, place: int) -> str:
    return f"{CLAIM_PREFIX}{thing}-{place}"


def _digest(kind: str, name: str) -> str:
    return sha256(f"{kind} {name}".encode()).hexdigest()[:_LENGTH]
