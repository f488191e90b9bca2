"""`rules: if:` expressions: variables, strings, null, ==, !=, =~, !~, &&, || and parentheses.

Pure. The grammar is GitLab's: && binds stronger than ||, a bare variable is true when it is
set and not empty, and null equals only null.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from executor.excerpts import excerpt
from executor.local.pipeline.regular import BadExpression, Expression

Lookup = Mapping[str, str]
Value = str | Expression | None

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<operator>==|!=|=~|!~|&&|\|\||\(|\))
    | \$(?:\{(?P<braced>\w+)\}|(?P<variable>\w+))
    | "(?P<double>[^"]*)"
    | '(?P<single>[^']*)'
    | /(?P<regex>(?:[^/\\]|\\.)+)/(?P<flags>[ims]*)
    | (?P<null>null\b)
    )""",
    re.VERBOSE,
)
_MOST_TOKENS = 100
"""As in GitLab."""
_COMPARISONS = ("==", "!=", "=~", "!~")


class RuleSyntaxError(ValueError):
    """The expression is not one that GitLab, or we, understand."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `rules:`; without any condition it always matches.

    `changes` and `exists` are patterns of files, None where the rule has no such condition; no
    `when` and no `allow_failure` mean the job's own.
    """

    expression: str = ""
    when: str = ""
    changes: tuple[str, ...] | None = None
    compare_to: str = ""
    exists: tuple[str, ...] | None = None
    variables: tuple[tuple[str, str], ...] = ()
    allow_failure: bool | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    flags: str = ""


def evaluate(expression: str, variables: Lookup) -> bool:
    """Return the truth of an expression; raise RuleSyntaxError if it is not one."""
    parser = _Parser(_tokens(expression), variables)
    result = parser.any_of()
    if parser.rest:
        message = f'unexpected "{parser.rest[0].text}"'
        raise RuleSyntaxError(message)
    return result


def _tokens(expression: str) -> list[_Token]:
    tokens = []
    position = 0
    text = expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            message = f'"{excerpt(text[position:].strip())}" is not understood'
            raise RuleSyntaxError(message)
        kind = match.lastgroup or ""
        if kind == "flags":
            tokens.append(_Token("regex", match["regex"], match["flags"]))
        else:
            tokens.append(_Token(kind, match[kind]))
        position = match.end()
        if len(tokens) > _MOST_TOKENS:
            message = f"it has more than {_MOST_TOKENS} variables, strings and signs"
            raise RuleSyntaxError(message)
    if not tokens:
        message = "it is empty"
        raise RuleSyntaxError(message)
    return tokens


class _Parser:
    """Evaluates while it parses; both sides of && and || are always parsed."""

    def __init__(self, tokens: list[_Token], variables: Lookup) -> None:
        self.rest = tokens
        self._variables = variables

    def any_of(self) -> bool:
        return self._joined("||", self._all_of, any)

    def _all_of(self) -> bool:
        return self._joined("&&", self._term, all)

    def _joined(
        self, operator: str, part: Callable[[], bool], join: Callable[[list[bool]], bool]
    ) -> bool:
        results = [part()]
        while self._take(operator):
            results.append(part())
        return join(results)

    def _term(self) -> bool:
        if self._take("("):
            result = self.any_of()
            if not self._take(")"):
                message = 'a ")" is missing'
                raise RuleSyntaxError(message)
            return result
        left = self._value()
        for operator in _COMPARISONS:
            if self._take(operator):
                return self._compare(operator, left)
        return bool(left)

    def _compare(self, operator: str, left: Value) -> bool:
        right = self._value()
        if operator == "==":
            return left == right
        if operator == "!=":
            return left != right
        pattern = right if isinstance(right, Expression) else _pattern_in(right)
        try:
            found = isinstance(left, str) and pattern is not None and pattern.is_in(left)
        except BadExpression as error:
            message = f"its regular expression cannot be used: {error}"
            raise RuleSyntaxError(message) from None
        return found if operator == "=~" else not found

    def _value(self) -> Value:
        if not self.rest:
            message = "it ends where a value is missing"
            raise RuleSyntaxError(message)
        token = self.rest.pop(0)
        if token.kind in ("variable", "braced"):
            return self._variables.get(token.text)
        if token.kind in ("double", "single"):
            return token.text
        if token.kind == "regex":
            return _compiled(token.text, token.flags)
        if token.kind == "null":
            return None
        message = f'a value is expected instead of "{token.text}"'
        raise RuleSyntaxError(message)

    def _take(self, operator: str) -> bool:
        if self.rest and self.rest[0] == _Token("operator", operator):
            self.rest.pop(0)
            return True
        return False


def _pattern_in(value: str | None) -> Expression | None:
    """Return the pattern of a variable that holds one, written as /pattern/; else nothing."""
    match = re.fullmatch(r"/(.+)/([ims]*)", value or "")
    return None if match is None else _compiled(match[1], match[2])


def _compiled(pattern: str, flags: str) -> Expression:
    try:
        return Expression(pattern, "".join(sorted(set(flags))))
    except BadExpression as error:
        message = f"/{excerpt(pattern)}/ is not a regular expression ({error})"
        raise RuleSyntaxError(message) from None
