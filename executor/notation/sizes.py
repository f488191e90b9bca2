"""Amounts of bytes as people read them: pure."""

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_THOUSAND = 1024


def size_text(size: float) -> str:
    """Return an amount of bytes, such as `1.5 GiB`."""
    power = 0
    while size >= _THOUSAND and power < len(_UNITS) - 1:
        size, power = size / _THOUSAND, power + 1
    return f"{size:.1f} {_UNITS[power]}".replace(".0 ", " ")
