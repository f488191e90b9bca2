"""What doctor says of a host that takes jobs again."""

import pytest

from executor.commands.doctor import gather, table
from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import Check, Finding, Level
from executor.commands.fleet.fitness import problems


def test_what_makes_jobs_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no warning, and nothing that GitLab is asked for."""

    def check(name: str, level: Level, *, online: bool = False) -> Check:
        found = Finding(level, f"{name}!", "", "mend it")
        return Check(name, "host", lambda _: [found], online=online)

    checks = (
        check("bad", Level.FAIL), check("well", Level.OK), check("so-so", Level.WARN),
        check("far", Level.FAIL, online=True),
    )  # fmt: skip
    monkeypatch.setattr(table, "CHECKS", checks)
    monkeypatch.setattr(gather, "gather", lambda _: Facts)

    assert problems() == ["bad: bad! → mend it"]
