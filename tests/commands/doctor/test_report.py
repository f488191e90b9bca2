"""What people and programs read."""

import pytest

from executor.commands.doctor.findings import Check, Finding, Result, fail, ok, skip, warn
from executor.commands.doctor.report import as_json, as_text, counts, is_fit


def result(finding: Finding, *, ignored: bool = False, name: str = "storage") -> Result:
    """Return a finding of a check."""
    return Result(Check(name, "engine", lambda _: ()), finding, 0.01234, ignored)


BAD = fail("vfs\x1b[31m", "overlay2", "set it")
WORSE = warn("old", "new", "upgrade")


@pytest.mark.parametrize(
    ("found", "strict", "fit"),
    [
        ([ok("a"), skip("b")], True, True),
        ([WORSE], False, True),
        ([WORSE], True, False),
        ([BAD], False, False),
    ],
)
def test_failures_count_and_warnings_if_strict(
    found: list[Finding], *, strict: bool, fit: bool
) -> None:
    """What is skipped never counts."""
    assert is_fit([result(each) for each in found], strict=strict) is fit


def test_what_is_ignored_does_not_count() -> None:
    """A failure that is ignored keeps its level, and the host is fit."""
    results = [result(BAD, ignored=True)]

    assert is_fit(results, strict=True)
    assert counts(results)["fail"] == 1
    assert "1 ignored" in as_text(results, only_problems=False)[-1]


def test_a_finding_is_a_flat_object() -> None:
    """Each has the keys that docs/doctor.md names, and no control character gets out."""
    assert as_json([result(BAD)]) == [
        {
            "id": "storage",
            "group": "engine",
            "level": "fail",
            "ignored": False,
            "found": "vfs?[31m",
            "expected": "overlay2",
            "remedy": "set it",
            "url": "docs/doctor.md#storage",
            "seconds": 0.012,
        }
    ]


def test_lines_have_marks_groups_and_remedies() -> None:
    """A problem has a second line with what to do."""
    lines = as_text([result(ok("fine")), result(BAD, name="cgroup")], only_problems=False)

    assert lines[0] == "engine"
    assert lines[1].split() == ["ok", "storage", "fine"]
    assert lines[2].split()[:2] == ["FAIL", "cgroup"]
    assert lines[3].strip() == "→ set it"
    assert lines[-1] == "1 failure, 0 warnings, 1 ok, 0 skipped."


def test_no_password_of_an_address_is_said() -> None:
    """What a mirror's or a GitLab's address has before its host is masked, and so are tokens."""
    (said,) = as_json([result(warn("https://me:secret@mirror.example/ glrt-abc", "", ""))])

    assert said["found"] == "https://[MASKED]@mirror.example/ [MASKED]"


def test_only_problems_leaves_out_the_rest() -> None:
    """What is right or skipped has no line, nor has a group without problems."""
    lines = as_text([result(ok("fine")), result(skip("?"))], only_problems=True)

    assert lines == ["0 failures, 0 warnings, 1 ok, 1 skipped."]


def test_what_many_checks_cannot_look_at_is_said_once() -> None:
    """One reason and the names of the checks; the object has an entry for each nevertheless."""
    names = ("storage", "cgroup", "runtime", "privileged")
    results = [result(skip("no engine"), name=each) for each in names]
    results += [result(skip("no root"), name="clock"), result(ok("fine"), name="disk")]

    lines = as_text(results, only_problems=False)

    assert [each for each in lines if "no engine" in each] == ["not looked at: no engine"]
    assert lines[lines.index("not looked at: no engine") + 1].strip() == ", ".join(names)
    assert "  skip  clock      no root" in lines
    assert lines[-1] == "0 failures, 0 warnings, 1 ok, 5 skipped."
    assert [each["found"] for each in as_json(results)].count("no engine") == len(names)
    assert not any("no engine" in each for each in as_text(results, only_problems=True))
