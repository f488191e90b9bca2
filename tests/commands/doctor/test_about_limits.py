"""Time limits and registrations, in cases beside those of the table."""

from pathlib import Path

from tests.commands.doctor.hosts import Host


def test_a_limit_that_is_not_positive_is_the_default(tmp_path: Path) -> None:
    """gitlab-runner takes 0 for its own default, which is an hour for cleanup."""
    host = Host(tmp_path)
    host.config("cleanup_exec_timeout = 900", "cleanup_exec_timeout = 0")

    assert [each.level for each in host.found("timeouts")] == ["ok"]


def test_a_limit_of_another_kind_is_no_crash(tmp_path: Path) -> None:
    """A text where a number belongs counts as the default."""
    host = Host(tmp_path)
    host.config("cleanup_exec_timeout = 900", 'cleanup_exec_timeout = "900"')

    assert [each.level for each in host.found("timeouts")] == ["ok"]


def test_flags_without_effect_and_limits_beyond_concurrent_are_named(tmp_path: Path) -> None:
    """Each has a finding of its own."""
    host = Host(tmp_path)
    host.config(
        "  [runners.custom]",
        "  limit = 9\n  output_limit = 1\n  [runners.feature_flags]\n    FF_CONCRETE = true\n  [runners.custom]",
    )

    found = " ".join(each.found for each in host.found("runner-config"))

    assert all(each in found for each in ("FF_CONCRETE", "`limit` is 9", "1 KiB")), found
