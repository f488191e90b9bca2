"""How much is shown of a text that may be anybody's: pure."""

from executor.redaction import CUT

_MOST_SHOWN = 200
_LONGEST_LINE = 1000
_MOST_LINES = 200


def excerpt(text: str, most: int = _MOST_SHOWN) -> str:
    """Return a text as a sentence may quote it: whole, or its beginning and its end."""
    if len(text) <= most:
        return text
    end = most // 4
    return f"{text[: most - end]}{CUT}{text[-end:]}"


def readable(text: str) -> str:
    """Return sentences that may quote somebody else's, each no longer than people read.

    Secrets must have gone before.
    """
    if len(text) <= _LONGEST_LINE:
        return text
    lines = text.split("\n")
    shown = [excerpt(line, _LONGEST_LINE) for line in lines[:_MOST_LINES]]
    return "\n".join([*shown, CUT.strip()] if len(lines) > _MOST_LINES else shown)
