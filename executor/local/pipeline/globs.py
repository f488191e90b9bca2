"""Patterns of files, as `rules: changes` and `rules: exists` have them.

Pure. `*` stops at a slash, `**/` is any number of directories, `{a,b}` is either.
"""

import re
from collections.abc import Iterable

from executor.excerpts import excerpt
from executor.local.errors import PipelineError
from executor.local.pipeline.regular import BadExpression, Expression

_PART = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|\{[^{}]*\}|[^*?\[{]+|.", re.DOTALL)


def any_matches(patterns: Iterable[str], paths: Iterable[str]) -> bool:
    """Tell whether one of the paths fits one of the patterns."""
    compiled = [(pattern, _compiled(pattern)) for pattern in patterns]
    return any(_fits(pattern, each, path) for path in paths for pattern, each in compiled)


def _compiled(pattern: str) -> Expression:
    try:
        return Expression(_regex(pattern), "s")
    except BadExpression as error:
        raise _no_pattern(pattern, error) from None


def _fits(pattern: str, compiled: Expression, path: str) -> bool:
    try:
        return compiled.fits(path)
    except BadExpression as error:
        raise _no_pattern(pattern, error) from None


def _no_pattern(pattern: str, error: BadExpression) -> PipelineError:
    return PipelineError(f'"{excerpt(pattern)}" is not a pattern of files: {error}')


def _regex(pattern: str) -> str:
    return "".join(_translated(part) for part in _PART.findall(pattern))


def _translated(part: str) -> str:
    fixed = {"**/": "(?:[^/]+/)*", "**": "[^/]*", "*": "[^/]*", "?": "[^/]"}
    if part in fixed:
        return fixed[part]
    if len(part) > 1 and part.startswith("["):
        inner = part[1:-1].replace("\\", r"\\")
        return f"[^{inner[1:]}]" if inner[0] in "!^" else f"[{inner}]"
    if len(part) > 1 and part.startswith("{"):
        return f"(?:{'|'.join(map(_regex, part[1:-1].split(',')))})"
    return re.escape(part)
