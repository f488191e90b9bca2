"""What `migrate` writes: a settings file, and a runner's section of config.toml."""

import tomllib

import pytest

from executor.commands.migrate.text import refused_text, section_text, settings_text


def test_settings_are_explained() -> None:
    """Each key stands below a comment, and tables of a section come last in it."""
    service = {"name": "redis:7", "environment": ["A=b"]}
    text = settings_text(
        'the "one"', {"": {"builds_dir": "/b"}, "docker": {"services": [service], "image": "a"}}
    )

    assert tomllib.loads(text) == {
        "builds_dir": "/b",
        "docker": {"services": [service], "image": "a"},
    }
    lines = text.splitlines()
    assert lines[0] == '# Settings of dind-executor for the runner "the \\"one\\"".'
    assert all(len(line) <= 100 for line in lines)
    for key in ("builds_dir = ", "image = ", "[[docker.services]]"):
        (place,) = (at for at, line in enumerate(lines) if line.startswith(key))
        assert lines[place - 1].startswith("# ")


def test_mistakes_are_comments() -> None:
    """Long sentences are wrapped, and every line is a comment."""
    lines = refused_text(["docker.memory: " + "word " * 40, "docker.cpus: b"]).splitlines()

    assert len(lines) > 2
    assert all(line.startswith("# ") and len(line) <= 100 for line in lines)
    assert lines[-1].endswith("docker.cpus: b.")


def test_the_section_names_hooks_and_settings() -> None:
    """Each stage has its hook with the path of the settings, and all but `run` a time limit."""
    text = section_text({"name": "one", "shell": "sh"}, "/etc/one.toml")

    (runner,) = tomllib.loads(text)["runners"]
    custom = runner["custom"]
    assert (runner["executor"], runner["shell"], runner["name"]) == ("custom", "sh", "one")
    for stage in ("config", "prepare", "run", "cleanup"):
        assert custom[f"{stage}_exec"].endswith(f"/hooks/{stage}")
        assert custom[f"{stage}_args"] == ["--settings", "/etc/one.toml"]
    assert "run_exec_timeout" not in custom
    assert custom["prepare_exec_timeout"] > custom["config_exec_timeout"]


@pytest.mark.parametrize(
    ("given", "enabled"),
    [
        ({}, True),
        ({"custom_build_dir": {"enabled": False}}, False),
        ({"custom_build_dir": {}}, True),
    ],
)
def test_jobs_choose_their_directory_as_before(given: dict[str, object], *, enabled: bool) -> None:
    """The Docker executor lets jobs choose it unless config.toml forbids it."""
    (runner,) = tomllib.loads(section_text(given, "s"))["runners"]

    assert runner["custom_build_dir"] == {"enabled": enabled}


def test_what_may_be_secret_is_named_and_not_printed() -> None:
    """Token, variables and tables stay in config.toml; a comment says which they are."""
    given = {"token": "hunter2", "environment": ["A=hunter2"], "cache": {"s3": {"k": "hunter2"}}}

    text = section_text(given, "s")

    assert "hunter2" not in text
    assert "# Keep as they are in config.toml: token, environment, [runners.cache]." in text
