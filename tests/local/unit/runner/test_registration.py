"""The registration under trial."""

from pathlib import Path

import pytest

from executor.local.errors import LocalError
from executor.local.runner.registration import Hook, from_config, from_hooks

FULL = """
concurrent = 4
[[runners]]
name = "docker"
executor = "docker"
[[runners]]
name = "first"
executor = "custom"
builds_dir = "/builds"
cache_dir = "/cache"
environment = ["A=1", "B=x=y"]
safe_directory_checkout = true
pre_build_script = "echo pre"
[runners.feature_flags]
FF_NETWORK_PER_BUILD = true
[runners.custom]
config_exec = "/hooks/config"
config_args = ["settings.toml"]
config_exec_timeout = 20
prepare_exec = "/hooks/prepare"
prepare_exec_timeout = 0
run_exec = "/hooks/run"
run_args = ["settings.toml"]
graceful_kill_timeout = 30
[[runners]]
name = "second"
executor = "custom"
shell = "sh"
[runners.custom]
run_exec = "/other/run"
"""


def written(directory: Path, text: str) -> Path:
    path = directory / "config.toml"
    path.write_text(text)
    return path


def test_the_first_custom_runner_is_taken(tmp_path: Path) -> None:
    """Time-outs that are not positive mean the runner's defaults."""
    registration = from_config(written(tmp_path, FULL))
    assert registration.name == "first"
    assert registration.config == Hook("/hooks/config", ("settings.toml",), 20)
    assert registration.prepare == Hook("/hooks/prepare", (), 3600)
    assert registration.run == Hook("/hooks/run", ("settings.toml",), None)
    assert registration.cleanup is None
    assert (30, 10) == (registration.graceful_kill_seconds, registration.force_kill_seconds)
    assert registration.environment == (("A", "1"), ("B", "x=y"))
    assert registration.feature_flags == (("FF_NETWORK_PER_BUILD", True),)
    assert ("/builds", "/cache", "bash") == (
        registration.builds_dir,
        registration.cache_dir,
        registration.shell,
    )
    assert registration.safe_directory_checkout
    assert registration.pre_build_script == "echo pre"


def test_a_runner_can_be_named(tmp_path: Path) -> None:
    """Such a runner has gitlab-runner's defaults where it says nothing."""
    registration = from_config(written(tmp_path, FULL), "second")
    assert registration.run == Hook("/other/run", (), None)
    assert ("sh", "", 600) == (
        registration.shell,
        registration.builds_dir,
        registration.graceful_kill_seconds,
    )


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("", "", 'no runner with executor = "custom"'),
        (FULL, "docker", 'no runner named "docker" with executor = "custom"'),
        ("[", "", "cannot be read"),
        ('[[runners]]\nexecutor = "custom"', "", "runners[0].custom.run_exec: is missing"),
        (
            '[[runners]]\nexecutor = "custom"\nbuilds_dir = 1\n[runners.custom]\nrun_exec = "x"',
            "",
            "runners[0].builds_dir: expected a string, found a whole number",
        ),
        (
            '[[runners]]\nexecutor = "custom"\n[runners.custom]\nrun_exec = "x"\nrun_args = "y"',
            "",
            "runners[0].custom.run_args: expected a list, found a string",
        ),
        (
            '[[runners]]\nexecutor = "custom"\nenvironment = ["A"]\n[runners.custom]\nrun_exec = "x"',
            "",
            "runners[0].environment[0]: has no KEY= before its value; write KEY=value",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, name: str, words: str) -> None:
    """The error names the file and the key."""
    with pytest.raises(LocalError) as caught:
        from_config(written(tmp_path, text), name)
    assert words in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_hooks_can_stand_for_a_registration(tmp_path: Path) -> None:
    """All four get the settings file; a missing one is named."""
    for name in ("config", "prepare", "run"):
        (tmp_path / name).touch()
    with pytest.raises(LocalError, match="has no hook cleanup"):
        from_hooks(tmp_path, Path("x"))
    (tmp_path / "cleanup").touch()
    registration = from_hooks(tmp_path, Path("/etc/settings.toml"))
    arguments = ("--settings", "/etc/settings.toml")
    assert registration.run == Hook(str(tmp_path / "run"), arguments, None)
    assert registration.prepare == Hook(str(tmp_path / "prepare"), arguments, 3600)


def test_all_mistakes_of_the_runner_are_named_at_once(tmp_path: Path) -> None:
    """Another runner may hold mistakes, which are not this command's to tell."""
    text = """
[[runners]]
executor = "shell"
builds_dir = 1
[[runners]]
executor = "custom"
environment = ["hunter22"]
[runners.custom]
graceful_kill_timeout = "30"
"""
    with pytest.raises(LocalError) as caught:
        from_config(written(tmp_path, text))
    said = str(caught.value)
    assert "runners[1].environment[0]" in said
    assert "runners[1].custom.graceful_kill_timeout" in said
    assert "runners[1].custom.run_exec" in said
    assert "runners[0]" not in said
    assert "hunter22" not in said
