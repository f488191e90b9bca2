"""Go's words for yes, which gitlab-runner reads in its feature flags.

Pure.
"""

_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))


def is_true(text: str) -> bool:
    """Tell whether Go's `strconv.ParseBool` reads a text as true."""
    return text in _TRUE
