"""JSON for the stages: `loads` and `dumps` with what they need of those of `json`.

`_json` is the part of `json` that does the work.  The rest is loaded where a text is wrong, and loads
`re` and `enum`: a third of what a `run` call has until its script leaves.
"""

from _json import encode_basestring_ascii, make_encoder, make_scanner

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


_scan = make_scanner(_Ways)  # type: ignore[arg-type]


def loads(text: str | bytes) -> "Any":  # noqa: ANN401 (as json has it)
    """Return what a JSON text says; raises ValueError or RecursionError."""
    try:
        whole = (text if isinstance(text, str) else text.decode()).strip(_SPACE)
        value, end = _scan(whole, 0)
    except (ValueError, StopIteration, SystemError):  # the last is an error that needs `json`
        return _slowly(text)
    return value if end == len(whole) else _slowly(text)


def _slowly(text: str | bytes) -> "Any":  # noqa: ANN401
    """Read what is not quite as expected: another encoding, or no JSON."""
    import json  # noqa: PLC0415 (see above)

    return json.loads(text)


def dumps(value: object, separators: tuple[str, str] = _SEPARATORS) -> str:
    """Return the JSON text of a value; raises TypeError where it has none."""
    between, behind_key = separators
    encode = make_encoder(
        {}, _refuse, encode_basestring_ascii, None, behind_key, between, *_NO_SORT_NO_SKIP_NAN
    )
    return "".join(encode(value, 0))


def _refuse(value: object) -> "NoReturn":
    raise TypeError(f"{type(value).__name__} has no JSON text")
