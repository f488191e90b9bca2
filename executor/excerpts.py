"""How much is shown of a text that may be anybody's: pure."""

from _collections_abc import Iterable

from executor.redaction import MASK

CUT = " [...] "
"""What stands for the middle of a text that was shortened."""

_MOST_SHOWN = 200
_LONGEST_LINE = 1000
_MOST_LINES = 200
_SHORTEST_HALF = 4
"""How many characters of a secret's beginning or end may stand where a text is cut."""


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


def without_halves(text: str, secrets: Iterable[str]) -> str:
    """Return a text without what is left of a secret where the text was cut."""
    if CUT not in text:
        return text
    secrets = tuple(secrets)
    pieces = text.split(CUT)
    for at in range(1, min(len(pieces), _MOST_LINES)):
        pieces[at - 1] = _without_half(pieces[at - 1], secrets, at_end=True)
        pieces[at] = _without_half(pieces[at], secrets, at_end=False)
    return CUT.join(pieces)


def _without_half(text: str, secrets: tuple[str, ...], *, at_end: bool) -> str:
    """Return a text without the half of a secret that stands where it was cut."""
    for secret in secrets:
        for length in range(min(len(secret) - 1, len(text), _LONGEST_LINE), _SHORTEST_HALF - 1, -1):
            if at_end and text.endswith(secret[:length]):
                return text[:-length] + MASK
            if not at_end and text.startswith(secret[-length:]):
                return MASK + text[length:]
    return text
