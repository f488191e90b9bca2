"""How far somebody else's text goes: which numbers it may be, and how deep it is nested.

A job, an image, a registry or a file may hold a text of any size.  What becomes a number here is
looked at before it is converted: Python refuses to convert thousands of digits, and whatever counts
up to a number takes as long, or as much memory, as its author likes.  Pure, and cheap to import.
"""

LARGEST = 2**63 - 1
"""The largest amount that the engine takes, in whatever unit; TOML has no larger number either."""
_SMALLEST = -LARGEST - 1
_LAST_PORT = 65535
_DEEPEST = 50
_MOST_PARTS = 1000
_MOST_DIGITS = 20
"""No number of 64 bits has more, in base 10."""
_LONGEST_LINE = 1000
_LONGEST_KEY = 60


class InvalidToml(ValueError):
    """A text that is not TOML, or nothing that anybody reads; the text says where and why."""


def whole_number(text: str, largest: int = LARGEST, smallest: int = 0) -> int | None:
    """Return the whole number that a text is, None where it is none or out of bounds.

    Only plain digits count, behind a `-` where a number below 0 may be.
    """
    sign = -1 if smallest < 0 and text.startswith("-") else 1
    digits = text[1:] if sign < 0 else text
    if not (digits.isascii() and digits.isdecimal()):
        return None
    digits = digits.lstrip("0") or "0"
    if len(digits) > _MOST_DIGITS:
        return None
    number = sign * int(digits)
    return number if smallest <= number <= largest else None


def port_number(text: str) -> int | None:
    """Return the port that a text is, None where it is none."""
    return whole_number(text, _LAST_PORT, 1)


def toml_table(text: str) -> dict[str, object]:
    """Return what a TOML file says; raises InvalidToml, also for what no key can have as its value."""
    import tomllib  # noqa: PLC0415 (`run` reads none)

    for number, line in enumerate(text.split("\n"), 1):
        if line.partition("=")[0].count(".") > _MOST_PARTS:
            # Each part of a key costs the parser as much as all before it.
            raise InvalidToml(f"line {number}: its key has more than {_MOST_PARTS} parts")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidToml(_located(str(error), text)) from None
    except RecursionError:
        raise InvalidToml(_TOO_DEEP) from None
    except ValueError:
        raise InvalidToml(_number_too_long(text)) from None
    _check_values(table)
    return table


_TOO_DEEP = f"its lists or tables are nested more than {_DEEPEST} levels deep"


def _located(sentence: str, text: str) -> str:
    """Return the parser's sentence with line and column also if it says only "the end"."""
    if "end of document" not in sentence:
        return sentence
    lines = text.split("\n")
    place = f"line {len(lines)}, column {len(lines[-1]) + 1}"
    return sentence.replace("end of document", f"{place}, the end")


def _number_too_long(text: str) -> str:
    """Return which number Python does not convert; its parser does not say."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LONGEST_LINE and any(map(str.isdecimal, line)):
            key = line.partition("=")[0].strip()
            return f"line {number}: `{key[:_LONGEST_KEY]}` has a number that is too long"
    return "it has a number that is too long"


def _check_values(table: dict[str, object]) -> None:
    """Refuse what is nested too deeply for whoever reads it, and numbers of more than 64 bits."""
    level: list[tuple[str, object]] = [("", table)]
    for _ in range(_DEEPEST + 1):
        below: list[tuple[str, object]] = []
        for key, value in level:
            if isinstance(value, dict):
                below += [(name, each) for name, each in value.items()]
            elif isinstance(value, list):
                below += [(key, each) for each in value]
            elif isinstance(value, int) and not _SMALLEST <= value <= LARGEST:
                raise InvalidToml(f"the number of `{key[:_LONGEST_KEY]}` is too large")
        if not below:
            return
        level = below
    raise InvalidToml(_TOO_DEEP)
