"""Durations: as GitLab reads them in a pipeline file, as gitlab-runner reads and writes them, as ages.

Pure.
"""

import re

_UNITS = {
    1: ("s", "sec", "secs", "second", "seconds"),
    60: ("m", "min", "mins", "minute", "minutes"),
    3600: ("h", "hr", "hrs", "hour", "hours"),
    86400: ("d", "day", "days"),
    604800: ("w", "week", "weeks"),
    2592000: ("mo", "mos", "month", "months"),
}
_SECONDS = {name: seconds for seconds, names in _UNITS.items() for name in names}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)(?:\s*(?:,|\band\b))?\s*", re.ASCII)
_GO_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_GO_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|ms|s|m|h)", re.ASCII)
_MOST_SECONDS = 100 * 365 * 86400
"""A century: what counts in nanoseconds of 64 bits has no place for three."""
_LONGEST = 200
"""More characters than any duration needs."""
_SOME = 2
"""From how many of a unit on an age is told in it."""


def gitlab_seconds(text: str) -> int:
    """Return the seconds of "1h 30m", "90 minutes" or "3600"; 0 if it is no duration."""
    if len(text) > _LONGEST:
        return 0
    rest, total = text.strip().lower(), 0.0
    while rest:
        match = _PART.match(rest)
        seconds = _SECONDS.get(match[2] or "s") if match else None
        if match is None or seconds is None:
            return 0
        total += float(match[1]) * seconds
        rest = rest[match.end() :]
    return int(total) if total <= _MOST_SECONDS else 0


def go_seconds(text: str) -> float | None:
    """Return the seconds of a Go duration such as "1h30m"; nothing if it is not one."""
    unsigned = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    if unsigned == "0":
        return 0.0
    if len(text) > _LONGEST:
        return None
    parts = _GO_PART.findall(unsigned)
    if not parts or "".join(number + unit for number, unit in parts) != unsigned:
        return None
    seconds = sum(float(number) * _GO_SECONDS[unit] for number, unit in parts)
    if seconds > _MOST_SECONDS:
        return None
    return -seconds if text.startswith("-") else seconds


def go_text(seconds: int) -> str:
    """Return whole seconds as Go prints them: 1h0m0s."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def age_text(seconds: float | None) -> str:
    """Return an age in its largest unit, such as `3 h`; a clock that has gone back makes it 0."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= _SOME * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"
