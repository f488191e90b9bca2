"""JSON for the stages: `loads` and `dumps` with what they need of those of `json`.

`_json` is the part of `json` that does the work.  The rest is loaded where a text is wrong, and loads
`re` and `enum`: a third of what a `run` call has until its script leaves.  A Python whose `_json` is not
as those that are known has `json` do all.
"""

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from typing import Any, NoReturn

_SPACE = " \t\n\r"
_SEPARATORS = (", ", ": ")
COMPACT = (",", ":")
_NO_SORT_NO_SKIP_NAN = (False, False, True)


class _Ways:
    """How the scanner reads, as `json.loads` has it do."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(name: str) -> "NoReturn":
        """Leave NaN and the like to `json`."""
        raise ValueError(name)


try:
    from _json import encode_basestring_ascii, make_encoder, make_scanner

    scan = make_scanner(_Ways)  # type: ignore[arg-type]
except (ImportError, AttributeError, TypeError):
    scan = make_encoder = None  # type: ignore[assignment, misc]


def loads(text: str | bytes) -> "Any":  # noqa: ANN401 (as json has it)
    """Return what a JSON text says; raises ValueError or RecursionError."""
    try:
        whole = (text if isinstance(text, str) else text.decode()).strip(_SPACE)
        value, end = scan(whole, 0)
    # The last two: an error that needs `json`, and no scanner.
    except (ValueError, StopIteration, SystemError, TypeError):
        return _slowly("loads", text)
    return value if end == len(whole) else _slowly("loads", text)


def _slowly(function: str, what: object, **ways: object) -> "Any":  # noqa: ANN401
    """Have `json` do it: for another encoding, what is no JSON, and an unknown Python."""
    import json  # noqa: PLC0415 (see above)

    return getattr(json, function)(what, **ways)


def dumps(value: object, separators: tuple[str, str] = _SEPARATORS) -> str:
    """Return the JSON text of a value; raises TypeError where it has none."""
    ways = (*reversed(separators), *_NO_SORT_NO_SKIP_NAN)
    try:
        encode = make_encoder({}, _refuse, encode_basestring_ascii, None, *ways)  # type: ignore[arg-type]
    except (NameError, TypeError):
        return str(_slowly("dumps", value, separators=separators))
    return "".join(encode(value, 0))


def _refuse(value: object) -> "NoReturn":
    raise TypeError(f"{type(value).__name__} has no JSON text")
