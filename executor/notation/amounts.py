"""Amounts and devices as administrators write them, as Docker and gitlab-runner read them: pure.

Each function raises ValueError with what the text must look like.
"""

import re

from executor.bounds import LARGEST, whole_number
from executor.excerpts import excerpt

ULIMITS = (
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_LONGEST = 100
"""More characters than any amount needs."""


def byte_size(text: str) -> int:
    """Return the bytes of a size such as `128m`, `1.5 GiB` or `1024`; k is 1024."""
    found = re.fullmatch(
        r"(\d+(?:\.\d*)?|\.\d+) ?([kmgtp]?)(?:i?b)?", text[:_LONGEST].lower(), re.ASCII
    )
    if not found or len(text) > _LONGEST:
        raise ValueError(f"{excerpt(text)!r} must look like 512m or 1.5g")
    return _amount(text, float(found[1]) * 1024 ** _POWERS[found[2]])


def swap_size(text: str) -> int:
    """Return the bytes of memory and swap together; -1 stands for no limit."""
    return -1 if text == "-1" else byte_size(text)


def nano_cpus(text: str) -> int:
    """Return billionths of a CPU for a number such as `0.5`, `.5`, `5e-1` or `1/3`, rounded down.

    As gitlab-runner reads it, but for numbers that are negative or not decimal.
    """
    found = re.fullmatch(
        r"\+?(?:(\d+)/(\d+)|(?=\.?\d)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,2}))?)",
        text[:_LONGEST].lower(),
        re.ASCII,
    )
    if not found or len(text) > _LONGEST or (found[2] is not None and int(found[2]) == 0):
        raise ValueError(f"{excerpt(text)!r} must be a number of CPUs such as 0.5 or 1/3")
    if found[2]:
        return _amount(text, int(found[1]) * 10**9 // int(found[2]))
    fraction = found[4] or ""
    digits, power = int(found[3] + fraction), 9 - len(fraction) + int(found[5] or 0)
    return _amount(text, digits * 10**power if power >= 0 else digits // 10**-power)


def ulimit(text: str) -> tuple[int, int]:
    """Return the soft and hard limit of `soft` or `soft:hard`; -1 stands for no limit."""
    first, colon, second = text.partition(":")
    soft = whole_number(first, smallest=-1)
    hard = whole_number(second, smallest=-1) if colon else soft
    if soft is None or hard is None:
        raise ValueError(f"{excerpt(text)!r} must look like 1024 or 1024:4096 (soft:hard)")
    if hard != -1 and not 0 <= soft <= hard:
        raise ValueError(f"{text!r} has a soft limit above its hard limit: write soft:hard")
    return soft, hard


def device(text: str) -> dict[str, object]:
    """Return a `host[:container[:permissions]]` device in the engine's words."""
    host, _, rest = text.partition(":")
    inside, _, permissions = rest.partition(":")
    good = re.fullmatch(r"/[^:]*(?::/[^:]*(?::[rwm]{1,3})?)?", text)
    if not good or len(set(permissions)) != len(permissions):
        raise ValueError(f"{excerpt(text)!r} must look like /dev/kvm or /dev/sda:/dev/xvda:rwm")
    return {
        "PathOnHost": host,
        "PathInContainer": inside or host,
        "CgroupPermissions": permissions or "rwm",
    }


def gpu_request(text: str) -> dict[str, object]:
    """Return GPUs, written as for `docker run --gpus`, as a device request of the engine."""
    fields = _comma_separated(text)
    given: dict[str, str] = {}
    for each in fields:
        key, equals, value = each.partition("=")
        name, value = (key, value) if equals else ("count", key)
        if name in given or name not in ("driver", "count", "device", "capabilities", "options"):
            raise ValueError(f"{text!r} has the key {name!r} twice, or --gpus does not know it")
        given[name] = value
    count = given.get("count", "0" if "device" in given else "1")
    number = -1 if count == "all" else whole_number(count, smallest=-LARGEST)
    if number is None:
        raise ValueError(f"{excerpt(text)!r} must look like all, 2 or device=0")
    request: dict[str, object] = {
        "Driver": given.get("driver", ""),
        "Count": number,
        "Capabilities": [[*filter(None, given.get("capabilities", "").split(",")), "gpu"]],
        "Options": {
            key: value
            for key, _, value in (
                each.partition("=") for each in _comma_separated(given.get("options", ""))
            )
        },
    }
    if "device" in given:
        request["DeviceIDs"] = given["device"].split(",")
    return request


def _amount(text: str, number: float) -> int:
    """Return an amount as the engine takes it."""
    if number > LARGEST:
        raise ValueError(f"{text!r} is more than the engine can count: 2^63 - 1")
    return int(number)


def _comma_separated(text: str) -> list[str]:
    """Split a line of comma-separated values, in which a value with a comma stands in quotes."""
    import csv  # noqa: PLC0415 (only for settings that name GPUs)

    try:
        return [field for row in csv.reader([text], strict=True) for field in row]
    except csv.Error:
        raise ValueError(f"{text!r} has a quote that is not closed") from None
