"""config: who we are and where builds live, as JSON on stdout."""

import json
import os
import stat

import executor
from executor.notation.owner import parse_note
from executor.runner import notes
from tests.builders import TOKEN
from tests.hooks import Runner


def test_config_prints_json_and_nothing_else(runner: Runner) -> None:
    """The whole stdout is one value; gitlab-runner takes no other."""
    done = runner.call("config")

    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == done.stdout.strip()
    assert answer == {
        "driver": {"name": "dind-executor", "version": f"v{executor.__version__}"},
        "builds_dir": "/builds",
        "cache_dir": "/cache",
        "builds_dir_is_shared": False,
        "hostname": os.uname().nodename,
        "job_env": answer["job_env"],
    }
    assert all(isinstance(each, str) for each in answer["job_env"].values())
    assert TOKEN not in done.stdout


def test_config_prints_the_settings_directories(runner: Runner) -> None:
    """The directories of the settings override those of config.toml."""
    runner.settings.write_text(
        'builds_dir = "/srv/builds"\ncache_dir = "/srv/cache"\n[log]\ndestination = "none"\n'
    )

    answer = json.loads(runner.call("config").stdout)

    assert (answer["builds_dir"], answer["cache_dir"]) == ("/srv/builds", "/srv/cache")


def test_config_is_the_same_a_second_time(runner: Runner) -> None:
    """gitlab-runner repeats config on each attempt of prepare."""
    assert runner.call("config").stdout == runner.call("config").stdout


def test_config_does_without_a_log(runner: Runner) -> None:
    """A log that cannot be written is prepare's to mention; here it would break the JSON."""
    runner.settings.write_text('[log]\npath = "/nowhere/at/all.log"\n')

    done = runner.call("config")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)


def test_config_with_large_variables(runner: Runner) -> None:
    """Variables of type file come with their whole content in the environment."""
    runner.values["CERTIFICATE"] = "-----BEGIN-----\n" + "x" * 100_000

    assert runner.call("config").returncode == 0


def test_config_needs_no_engine(runner: Runner) -> None:
    """config says who we are, and asks no engine."""
    assert runner.call("config").returncode == 0


def test_config_notes_who_the_job_belongs_to(runner: Runner) -> None:
    """A job that is killed before it has any object is known by that; the note is private, no secret."""
    answer = json.loads(runner.call("config").stdout)

    note = runner.temp / notes.OWNER
    noted = parse_note(note.read_bytes())
    assert noted
    assert json.loads(answer["job_env"]["DIND_EXECUTOR_RUN_CONTEXT"])["key"] == noted.key
    assert noted.temp_dir == str(runner.temp)
    assert noted.gitlab == "https://gitlab.example.com"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert TOKEN not in note.read_text()


def test_config_does_without_a_place_for_its_note(runner: Runner) -> None:
    """A person who tries the hook may give no directory, and the note is of no use to the job."""
    for done in (
        runner.call("config", without=("TMPDIR",)),
        runner.call("config", changes={"TMPDIR": "/nowhere/at/all"}),
    ):
        assert (done.returncode, done.stderr) == (0, "")
    assert not (runner.temp / notes.OWNER).exists()
