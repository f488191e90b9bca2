"""Time limits and registrations, in cases beside those of the table."""

from pathlib import Path

from tests.commands.doctor.hosts import CONFIG, Host


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


def test_a_job_at_each_start_needs_an_image(tmp_path: Path) -> None:
    """boot_verify is right where the settings have an image for jobs without one."""
    host = Host(tmp_path, settings='[docker]\nimage = "docker:29"\n')
    host.config(
        "  [runners.custom]",
        "  [runners.experimental.boot_verify]\n    enabled = true\n  [runners.custom]",
    )

    assert [each.level for each in host.found("runner-config")] == ["ok"]


def test_the_example_is_right(tmp_path: Path) -> None:
    """config.toml.example passes each check of a registration."""
    host = Host(tmp_path)
    example = Path(__file__).parents[3] / "config.toml.example"
    host.write({CONFIG: example.read_text()})

    for check in ("config", "timeouts", "runner-config", "token"):
        assert [each.level for each in host.found(check)] == ["ok"], check
