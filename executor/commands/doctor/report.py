"""What doctor says: lines for people, one object for programs.  Pure."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from executor.commands.doctor.findings import BAD, Finding, Level, Result, counted
from executor.excerpts import readable as shortened
from executor.redaction import redact

_MARKS = {
    Level.OK: "ok   ",
    Level.WARN: "warn ",
    Level.FAIL: "FAIL ",
    Level.ERROR: "ERROR",
    Level.SKIP: "skip ",
}
_PAGE = "docs/doctor.md"
_MANY = 3
"""Of so many checks that are skipped for one reason, the text says it once."""
_WIDTH = 100


def readable(text: str) -> str:
    """Return words as people read them: of engines, servers and files, which may say anything."""
    plain = shortened(redact(text, ()))
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in plain)


def is_fit(results: Iterable[Result], *, strict: bool) -> bool:
    """Tell whether nothing is found that the exit code tells of."""
    bad = {*BAD, Level.WARN} if strict else BAD
    return not any(each.finding.level in bad for each in results if each.counts)


def counts(results: Sequence[Result]) -> dict[str, int]:
    """Return how many findings there are of each level."""
    levels = [each.finding.level for each in results]
    return {each.value: levels.count(each) for each in Level}


def as_json(results: Sequence[Result]) -> list[dict[str, object]]:
    """Return the findings as docs/doctor.md describes them."""
    return [
        {
            "id": each.check.id,
            "group": each.check.group,
            "level": each.finding.level.value,
            "ignored": each.ignored,
            "found": readable(each.finding.found),
            "expected": readable(each.finding.expected),
            "remedy": readable(each.finding.remedy),
            "url": f"{_PAGE}#{each.check.id}",
            "seconds": round(each.seconds, 3),
        }
        for each in results
    ]


def as_text(results: Sequence[Result], *, only_problems: bool) -> list[str]:
    """Return a line for each finding by groups, and a second one for what to do.

    What many checks could not look at for the same reason stands at the end, once.
    """
    lines: list[str] = []
    group = ""
    width = max((len(each.check.id) for each in results), default=0)
    together = {} if only_problems else _skipped_together(results)
    for each in results:
        if only_problems and each.finding.level in {Level.OK, Level.SKIP}:
            continue
        if each.finding.level is Level.SKIP and each.finding.found in together:
            continue
        if each.check.group != group:
            group = each.check.group
            lines += ["", group] if lines else [group]
        lines += _lines(each, width)
    for reason, ids in together.items():
        lines += [*([""] if lines else []), f"not looked at: {readable(reason)}", *_wrapped(ids)]
    return [*lines, "", summary(results)] if lines else [summary(results)]


def summary(results: Sequence[Result]) -> str:
    """Return how many findings there are, in words."""
    found = counts(results)
    bad = found["fail"] + found["error"]
    parts = [
        counted(bad, "failure"),
        counted(found["warn"], "warning"),
        f"{found['ok']} ok",
        f"{found['skip']} skipped",
    ]
    ignored = sum(each.ignored and each.finding.level in {*BAD, Level.WARN} for each in results)
    return ", ".join([*parts, *([f"{ignored} ignored"] if ignored else [])]) + "."


def _skipped_together(results: Iterable[Result]) -> Mapping[str, list[str]]:
    """Return the checks by the reason that many of them are skipped for."""
    by_reason: dict[str, list[str]] = {}
    for each in results:
        if each.finding.level is Level.SKIP:
            by_reason.setdefault(each.finding.found, []).append(each.check.id)
    return {reason: ids for reason, ids in by_reason.items() if len(ids) >= _MANY}


def _wrapped(ids: Iterable[str]) -> list[str]:
    text = ", ".join(ids)
    return textwrap.wrap(
        text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )


def _lines(result: Result, width: int) -> list[str]:
    finding: Finding = result.finding
    indent = " " * (len(_MARKS[Level.OK]) + width + 4)
    note = " (ignored)" if result.ignored and finding.level in {*BAD, Level.WARN} else ""
    first, *more = readable(finding.found).splitlines() or [""]
    lines = [f"  {_MARKS[finding.level]} {result.check.id:{width}} {first}{note}"]
    lines += [f"{indent}{each}" for each in more]
    if finding.remedy:
        lines.append(f"{indent}→ {readable(finding.remedy)}")
    return lines
