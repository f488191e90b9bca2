"""Which variables a shell hands on to the program that it becomes."""

_SHELLS_OWN = frozenset(
    ("BASHOPTS", "BASH_VERSINFO", "EUID", "OPTIND", "PPID", "SHELLOPTS", "UID", "_")
)
"""Variables that some shell does not let anybody set."""


def carries(key: str) -> bool:
    """Tell whether every shell can set a variable of this name, and hands on one that it has got.

    The others, such as `1ST` or `discovery.type`, most shells drop from what they were given too.
    """
    return key.isascii() and key.isidentifier() and key not in _SHELLS_OWN
