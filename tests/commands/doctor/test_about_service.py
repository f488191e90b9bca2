"""Tokens, the unit and records, in cases beside those of the table."""

from pathlib import Path

import pytest

from tests.commands.doctor.faults import record
from tests.commands.doctor.hosts import NOW, UNIT, Host


@pytest.mark.parametrize(
    ("text", "level"),
    [("90", "warn"), ("1min 30s", "warn"), ("infinity", "ok"), ("2h 20min", "ok"), ("0", "ok")],
)
def test_the_time_of_a_stop_is_read_as_systemd_writes_it(
    tmp_path: Path, text: str, level: str
) -> None:
    """Each way to write a time is understood, also that there is no end."""
    host = Host(tmp_path)
    host.write({f"{UNIT}.d/20.conf": f"[Service]\nTimeoutStopSec={text}\n"})

    assert [each.level for each in host.found("runner-service")] == [level]


def test_no_unit_is_not_judged(tmp_path: Path) -> None:
    """A gitlab-runner that something else than systemd starts has no unit to look at."""
    host = Host(tmp_path)
    host.write({UNIT: None})

    assert [each.level for each in host.found("runner-service")] == ["skip"]


def test_one_token_in_two_sections_is_found(tmp_path: Path) -> None:
    """Two sections with one token are one runner to GitLab."""
    host = Host(tmp_path)
    text = host.registration().text
    section = text[text.index("[[runners]]") :].replace('"here"', '"there"')
    host.write({"/etc/gitlab-runner/config.toml": text + section})

    assert "the same token" in host.found("token")[0].found


def test_a_token_that_never_expires_is_right(tmp_path: Path) -> None:
    """gitlab-runner writes the year 1 where a token has no end."""
    host = Host(tmp_path)
    host.config('  token = "', '  token_expires_at = 0001-01-01T00:00:00Z\n  token = "')

    assert [each.level for each in host.found("token")] == ["ok"]


def test_failures_of_scripts_and_old_ones_do_not_count(tmp_path: Path) -> None:
    """Only system failures of the last day are the administrator's."""
    lines = (
        record(outcome="script_failure", reason="script"),
        record(outcome="build_failure", reason="image"),
        record(at=NOW - 2 * 86400, reason="resources"),
    )
    host = Host(tmp_path)
    host.write({"/var/lib/dind-executor/spool/events.jsonl": "".join(lines)})

    assert [each.level for each in host.found("gone-wrong")] == ["ok"]


def test_cron_stands_in_for_the_timer(tmp_path: Path) -> None:
    """A line of cron sweeps as well."""
    host = Host(tmp_path)
    host.write(
        {
            "/etc/systemd/system/timers.target.wants/dind-executor-reap.timer": None,
            "/etc/cron.d/dind-executor": "*/5 * * * * root dind-executor reap --yes\n",
        }
    )

    assert [each.level for each in host.found("reaper")] == ["ok"]
