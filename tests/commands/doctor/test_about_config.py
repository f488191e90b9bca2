"""config.toml: misspelt keys of every kind, and what a right one may say."""

from pathlib import Path

import pytest

from executor.commands.doctor.facts import Config
from executor.commands.doctor.keys import CUSTOM
from tests.commands.doctor.hosts import Host

LINES = {
    "run_args": '["--settings", "/etc/dind-executor/settings.toml"]',
    "config_exec": '"/opt/dind-executor/hooks/config"',
}


def misspelt(key: str) -> str:
    """Return a key with two letters swapped, as fingers do it."""
    return f"{key[0]}{key[2]}{key[1]}{key[3:]}"


@pytest.mark.parametrize("key", sorted(CUSTOM))
def test_a_misspelt_key_of_a_hook_is_found_with_the_right_one(tmp_path: Path, key: str) -> None:
    """Each key of [runners.custom] with swapped letters is named, with the one that is meant."""
    host = Host(tmp_path)
    host.config("    config_exec =", f'    {misspelt(key)} = "x"\n    config_exec =')

    (found,) = host.found("config")

    assert found.level == "fail"
    assert f"`{misspelt(key)}`" in found.found
    assert found.expected == f"`{key}`"


def test_the_case_of_keys_does_not_count(tmp_path: Path) -> None:
    """A key in capitals is the same key, as for gitlab-runner."""
    host = Host(tmp_path)
    host.config("concurrent = 2", "Concurrent = 2")
    host.config("shell", "Shell") if "shell" in host.registration().text else None

    assert [each.level for each in host.found("config")] == ["ok"]
    assert host.registration().concurrent == 2


def test_no_configuration_is_no_failure(tmp_path: Path) -> None:
    """A host without a runner, before it is registered, is told what adds one."""
    host = Host(tmp_path, more={"config": Config("/etc/gitlab-runner/config.toml")})

    (found,) = host.found("config")

    assert found.level == "skip"
    assert "dind-executor register" in found.found


def test_settings_with_mistakes_are_quoted(tmp_path: Path) -> None:
    """The finding has the sentence of the settings' own check, with the key's path."""
    host = Host(tmp_path, more={"settings_problem": "The settings file has a mistake: dind.imge"})

    assert "dind.imge" in host.found("config")[0].found


def test_no_value_of_a_runner_is_said(tmp_path: Path) -> None:
    """A secret under an unknown key stays out of the findings."""
    host = Host(tmp_path)
    host.config('  executor = "custom"', '  tokn = "glrt-secret"\n  executor = "custom"')

    assert "glrt-secret" not in str(host.found("config"))


@pytest.mark.parametrize("more", [{"config": Config("/x", hidden=True)}, {"settings_hidden": True}])
def test_what_is_hidden_is_skipped(tmp_path: Path, more: dict[str, object]) -> None:
    """Who may not read a file hears that, and not that the file is wrong."""
    host = Host(tmp_path, more=dict(more))

    assert "skip" in [each.level for each in host.found("config")]
    assert "fail" not in [each.level for each in host.found("config")]


def test_a_wrapper_of_the_administrators_is_right(tmp_path: Path) -> None:
    """A hook of another name may call ours, and name the settings itself."""
    host = Host(tmp_path)
    host.write({"/opt/hooks/wrap-run": "#!/bin/sh\n"})
    host.config('run_exec = "/opt/dind-executor/hooks/run"', 'run_exec = "/opt/hooks/wrap-run"')
    host.config('run_args = ["--settings", "/etc/dind-executor/settings.toml"]', "run_args = []")

    assert [each.level for each in host.found("config")] == ["ok"]
