"""config: who we are and where builds live, as JSON on stdout."""

import json
import os

import executor
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
