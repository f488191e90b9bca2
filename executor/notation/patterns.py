"""Patterns over image names, in the doublestar dialect of gitlab-runner's allow-lists: pure."""

from collections.abc import Iterator
from enum import Enum, auto
from itertools import islice, pairwise

SEPARATOR = "/"
_LONGEST = 10_000
_MOST_ALTERNATIVES = 10_000
_DEEPEST = 20


class MalformedPattern(ValueError):
    """A pattern that ends inside a class, a brace or an escape."""


class _Wild(Enum):
    CHARACTER = auto()
    """`?`: one character of a component."""
    STAR = auto()
    """`*`: any part of a component."""
    COMPONENTS = auto()
    """`**/`: any number of whole components, none included."""
    REST = auto()
    """`/**` at the end: nothing, or a separator and whatever follows."""
    EVERYTHING = auto()
    """`**` alone."""


class _Class:
    """`[a-z]` or `[^a-z]`: one character of a set of ranges, never the separator."""

    def __init__(self, ranges: list[tuple[str, str]], *, negated: bool) -> None:
        self.ranges = ranges
        self.negated = negated

    def admits(self, character: str) -> bool:
        inside = any(low <= character <= high for low, high in self.ranges)
        return character != SEPARATOR and inside != self.negated


_Token = str | _Wild | _Class


def match(pattern: str, name: str) -> bool:
    """Tell whether a pattern matches a whole name; a malformed one matches nothing."""
    try:
        return any(_matches(_tokens(plain), name) for plain in alternatives(pattern))
    except MalformedPattern:
        return False


def is_pattern(pattern: str) -> bool:
    """Tell whether a pattern is well formed."""
    try:
        for plain in alternatives(pattern):
            _tokens(plain)
    except MalformedPattern:
        return False
    return True


def _matches(tokens: list[_Token], name: str) -> bool:
    # The set of places in the name that the tokens so far can reach: no backtracking, so no
    # author's image name can make an administrator's pattern slow.
    places = {0}
    for token in tokens:
        if token is _Wild.STAR:
            places = _spread(name, places)
        elif token is _Wild.COMPONENTS:
            ends = range(min(places), len(name))
            places |= {place + 1 for place in ends if name[place] == SEPARATOR}
        else:
            places = {after for place in places for after in _step(token, name, place)}
        if not places:
            return False
    return len(name) in places


def _spread(name: str, places: set[int]) -> set[int]:
    """Return the places from any of these up to the end of its component, looking once at each."""
    found: set[int] = set()
    reaches = False
    for place in range(len(name) + 1):
        reaches = reaches or place in places
        if reaches:
            found.add(place)
        reaches = reaches and name[place : place + 1] != SEPARATOR
    return found


def _step(token: _Token, name: str, place: int) -> list[int]:
    end = len(name)
    if token is _Wild.EVERYTHING:
        return [end]
    if token is _Wild.REST:
        return [end] if place == end or name[place] == SEPARATOR else []
    if place == end:
        return []
    if token is _Wild.CHARACTER:
        fits = name[place] != SEPARATOR
    elif isinstance(token, _Class):
        fits = token.admits(name[place])
    else:
        fits = name[place] == token
    return [place + 1] if fits else []


def _tokens(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    place, end = 0, len(pattern)
    while place < end:
        character = pattern[place]
        place += 1
        if character == "\\":
            if place == end:
                raise MalformedPattern
            tokens.append(pattern[place])
            place += 1
        elif character == "*":
            starts_component = not tokens or tokens[-1] in (SEPARATOR, _Wild.COMPONENTS)
            stars = place
            while place < end and pattern[place] == "*":
                place += 1
            if starts_component and place - stars == 1:
                place = _append_doublestar(tokens, pattern, place)
            else:
                tokens.append(_Wild.STAR)
        elif character == "?":
            tokens.append(_Wild.CHARACTER)
        elif character == "[":
            token, place = _class(pattern, place)
            tokens.append(token)
        else:
            tokens.append(character)
    return tokens


def _append_doublestar(tokens: list[_Token], pattern: str, place: int) -> int:
    """Append what a `**` at the start of a component means; return the place after it."""
    if place == len(pattern):
        if tokens and tokens[-1] == SEPARATOR:
            # `a/**` matches `a` itself: the separator is part of the wildcard
            tokens[-1] = _Wild.REST
        else:
            tokens.append(_Wild.EVERYTHING)
        return place
    if pattern[place] == SEPARATOR:
        tokens.append(_Wild.COMPONENTS)
        return place + 1
    tokens.append(_Wild.STAR)
    return place


def _class(pattern: str, place: int) -> tuple[_Class, int]:
    """Read a class from after its `[`; return it and the place after its `]`."""
    negated = pattern[place : place + 1] in ("^", "!")
    place += negated
    ranges: list[tuple[str, str]] = []
    while pattern[place : place + 1] != "]":
        low, place = _class_character(pattern, place)
        high = low
        if pattern[place : place + 1] == "-" and pattern[place + 1 : place + 2] not in ("]", ""):
            high, place = _class_character(pattern, place + 1)
        ranges.append((low, high))
    if not ranges:
        raise MalformedPattern
    return _Class(ranges, negated=negated), place + 1


def _class_character(pattern: str, place: int) -> tuple[str, int]:
    place += pattern[place : place + 1] == "\\"
    if place >= len(pattern):
        raise MalformedPattern
    return pattern[place], place + 1


def alternatives(pattern: str) -> list[str]:
    """Return the patterns without braces that a pattern stands for; raises MalformedPattern.

    Also where they are more than anybody means: each pair of braces may double them.
    """
    if len(pattern) > _LONGEST:
        raise MalformedPattern
    found = list(islice(_alternatives(pattern, 0), _MOST_ALTERNATIVES + 1))
    if len(found) > _MOST_ALTERNATIVES:
        raise MalformedPattern
    return found


def _alternatives(pattern: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise MalformedPattern
    opened = _unquoted(pattern, 0, "{")
    if opened is None:
        yield pattern
        return
    starts = [opened + 1]
    level, place = 1, opened + 1
    while level:
        found = _unquoted(pattern, place, "{,}")
        if found is None:
            raise MalformedPattern
        place = found + 1
        character = pattern[found]
        level += {"{": 1, ",": 0, "}": -1}[character]
        if level == 0 or (level == 1 and character == ","):
            starts.append(place)
    head, tail = pattern[:opened], pattern[place:]
    choices = [pattern[a : b - 1] for a, b in pairwise(starts)]
    for choice in choices:
        yield from _alternatives(head + choice + tail, depth + 1)


def _unquoted(pattern: str, place: int, wanted: str) -> int | None:
    """Find the first of some characters that is neither escaped nor inside a class."""
    while place < len(pattern):
        character = pattern[place]
        if character in wanted:
            return place
        if character == "\\":
            place += 2
        elif character == "[":
            place = _class(pattern, place + 1)[1]
        else:
            place += 1
    return None
