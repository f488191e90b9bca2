"""The record of one stage: what it did from when to when, as a line of JSON.

Made of the events that the administrator's log has, of their closed words and numbers alone.
"""

import os
import time

from executor.names import JobNames
from executor.quick_json import COMPACT, dumps
from executor.record import spool, words
from executor.redaction import redact

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Protocol

    Event = tuple[float, Mapping[str, object]]
    """A moment of `time.monotonic`, and what was noted then: `event`, mostly `seconds`, and facts."""

    class Noted(Protocol):
        """What the administrator's log knows of a stage at its end."""

        @property
        def spool(self) -> str: ...
        @property
        def stage(self) -> str: ...
        @property
        def started(self) -> float: ...
        @property
        def job(self) -> Mapping[str, object]: ...
        @property
        def noted(self) -> Sequence[Event]: ...
        @property
        def secrets(self) -> Iterable[str]: ...
        def event(self, event: str, **facts: object) -> None: ...


MOST_BYTES = 4096
"""Of a line."""

_LONGEST_IMAGE = 48
_LONGEST_URL = 200
_ID_LENGTH = 12
_DIGEST_LENGTHS = frozenset((64, 96, 128))
_HEX = frozenset("0123456789abcdef")


def leave(noted: "Noted", error: BaseException | None) -> None:
    """Append the record of a stage that ends now.

    Whatever hinders that, the job does not hear of it: prepare tells the administrator's log.
    """
    try:
        spool.append(noted.spool, line(record(noted, error, time.monotonic(), time.time())))
    except Exception as hindrance:  # noqa: BLE001 (no record is worth a job)
        if noted.stage == "prepare":  # once in a job
            noted.event("record not left", error=str(hindrance))


def line(found: dict[str, object]) -> bytes:
    """Return the line of a record: where it is too long, without the last things done, and how many."""
    text = _text(found)
    did = found.get("did")
    while len(text) > MOST_BYTES and isinstance(did, list) and did:
        kept = did[: len(did) * (MOST_BYTES - 64) // len(text)]
        cut = len(did) - len(kept) + int(str(found.get("cut", 0)))
        found, did = {**found, "cut": cut, "did": kept}, kept
        text = _text(found)
    return text


def record(
    noted: "Noted", error: BaseException | None, now: float, wall: float
) -> dict[str, object]:
    """Return the record of a stage that ends `now`, by `time.monotonic`, and at `wall` by the clock."""
    seconds = now - noted.started
    job = noted.job
    key = str(job.get("key", ""))
    step, result = job.get("step"), job.get("result")
    gitlab = str(job.get("gitlab") or "")[:_LONGEST_URL]
    known: dict[str, object] = {
        "v": words.VERSION,
        "at": round(wall - seconds, 3),
        "clock": round(noted.started, 3),
        "job": job.get("job_id"),
        "project": job.get("project_id"),
        "key": key,
        "stage": noted.stage,
        "outcome": _outcome(error),
        "seconds": round(seconds, 3),
    }
    if step is not None:
        known["step"] = step if step in words.STEPS else words.OTHER
    if error is not None:
        known["reason"] = words.reason_of(error)
    if result in words.RESULTS:
        known["result"] = result
    if gitlab:
        known["gitlab"] = redact(gitlab, noted.secrets)
    if _BORN is not None:
        known["start"] = round(max(noted.started - _BORN, 0.0), 3)
    known["did"] = list(_did(noted, key))
    return known


def short_image(image: str) -> str:
    """Return an image's last name and its tag, or the beginning of its digest: enough to tell it by."""
    name, _, digest = image.partition("@")
    last = name.rpartition("/")[2]
    if digest:
        last = f"{last.partition(':')[0]}@{digest.partition(':')[2][:_ID_LENGTH]}"
    elif len(last.partition(":")[2] or last) in _DIGEST_LENGTHS and _HEX.issuperset(
        last.removeprefix("sha256:")
    ):
        last = last.removeprefix("sha256:")[:_ID_LENGTH]
    # A terminal would obey what an author has put into a name that no registry knows.
    return "".join(each for each in last[:_LONGEST_IMAGE] if each.isprintable())


def _text(found: dict[str, object]) -> bytes:
    return dumps(found, COMPACT).encode() + b"\n"


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return words.SUCCESS
    name = type(error).__name__
    if name == "ScriptFailed":
        return words.SCRIPT_FAILURE
    if name == "Cancelled":
        return words.CANCELLED
    # "build failure" and "system failure" stand in `executor.errors`
    return str(getattr(error, "outcome", words.ERROR)).replace(" ", "_")


def _did(noted: "Noted", key: str) -> "Iterable[dict[str, object]]":
    """Yield what was done, in the order in which it began."""
    named = f"{JobNames(key).network}-"
    found = [_thing(noted, named, moment, event) for moment, event in tuple(noted.noted)]
    return sorted(filter(None, found), key=_beginning)


def _beginning(thing: "Mapping[str, object]") -> float:
    begun = thing["from"]
    return begun if isinstance(begun, float) else 0.0


def _thing(
    noted: "Noted", named: str, moment: float, event: "Mapping[str, object]"
) -> dict[str, object]:
    """Return one thing with its beginning and end in seconds since the stage's own; {} for no such.

    `named` is how the names of the job's containers begin.
    """
    name, seconds = str(event.get("event")), event.get("seconds")
    if name in words.SPANS and isinstance(seconds, float):
        end = moment - noted.started
        thing: dict[str, object] = {
            "what": words.SPANS[name],
            "from": round(end - seconds, 3),
            "to": round(end, 3),
        }
    elif name in words.MARKS:
        thing = {"what": words.MARKS[name], "from": round(moment - noted.started, 3)}
    else:
        return {}
    role = str(event.get("container", "")).removeprefix(named)
    if role in words.ROLES or role.removeprefix("service-").isdecimal():
        thing["container"] = role
    if thing["what"] in ("pull", "load", "image_of_host"):
        thing["image"] = short_image(redact(str(event.get("image", "")), noted.secrets))
    for fact, value in event.items():
        is_number = type(value) is int and fact in words.NUMBERS
        if is_number or (fact in words.WORDS and str(value) in words.WORDS[fact]):
            thing[fact] = value if is_number else str(value)
    return thing


def _born() -> float | None:
    """Return when this process was made, by `time.monotonic`; None where the kernel does not say.

    To a hundredth of a second, and from where gitlab-runner made it: a shell may have come first.
    """
    try:
        descriptor = os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
        ticks = int(text.rpartition(b")")[2].split()[19])
        slept = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
        return ticks / os.sysconf("SC_CLK_TCK") - slept
    except (OSError, ValueError, IndexError):
        return None


_BORN = _born()
"""Found out while this module is loaded, for which no stage has to wait."""
