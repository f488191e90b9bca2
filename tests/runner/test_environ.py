"""What gitlab-runner tells a stage through its environment."""

import pytest

from executor.runner.environ import RUN_CONTEXT, RunnerEnv


def test_the_runners_own_variables() -> None:
    """Paths and numbers come from variables that have no prefix."""
    env = RunnerEnv(
        {
            "BUILD_FAILURE_EXIT_CODE": "41",
            "SYSTEM_FAILURE_EXIT_CODE": "42",
            "BUILD_EXIT_CODE_FILE": "/tmp/code",
            "JOB_RESPONSE_FILE": "/tmp/response.json",
            "TMPDIR": "/tmp/job",
            RUN_CONTEXT: "{}",
            "DOCKER_HOST": "tcp://engine:2376",
        }
    )

    assert (env.build_failure, env.system_failure) == (41, 42)
    assert (env.exit_code_file, env.job_response_file) == ("/tmp/code", "/tmp/response.json")
    assert (env.temp_dir, env.run_context) == ("/tmp/job", "{}")
    assert env.host("DOCKER_HOST") == "tcp://engine:2376"


@pytest.mark.parametrize("value", [None, "", "many", "-1", "2.0"])
def test_exit_codes_that_are_none(value: str | None) -> None:
    """gitlab-runner's defaults, 1 and 2, hold where it names no number."""
    names = ("BUILD_FAILURE_EXIT_CODE", "SYSTEM_FAILURE_EXIT_CODE")
    env = RunnerEnv({} if value is None else dict.fromkeys(names, value))

    assert (env.build_failure, env.system_failure) == (1, 2)


def test_what_is_unset_is_empty() -> None:
    """A call by hand has none of the variables."""
    env = RunnerEnv({})

    assert (env.exit_code_file, env.job_response_file, env.run_context, env.temp_dir) == ("",) * 4
    assert env.host("DOCKER_HOST") == ""


def test_the_jobs_variables_carry_a_prefix() -> None:
    """No variable of the job is taken for one of the runner, and the other way round."""
    env = RunnerEnv(
        {
            "CUSTOM_ENV_TMPDIR": "/evil",
            "CUSTOM_ENV_CUSTOM_ENV_A": "twice",
            "CUSTOM_ENV_EMPTY": "",
            "TMPDIR": "/tmp/job",
        }
    )

    assert env.temp_dir == "/tmp/job"
    assert env.job_values() == {"TMPDIR": "/evil", "CUSTOM_ENV_A": "twice", "EMPTY": ""}
    assert [env.job_value(key) for key in ("TMPDIR", "EMPTY", "PATH")] == ["/evil", "", None]


def test_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage reads the environment that gitlab-runner started it with."""
    monkeypatch.setenv("CUSTOM_ENV_SOME_KEY", "value")

    assert RunnerEnv.current().job_value("SOME_KEY") == "value"


def test_bytes_that_are_no_text_are_marked() -> None:
    """An environment may hold any bytes; no container or file of dind-executor's is given them."""
    env = RunnerEnv({"CUSTOM_ENV_A": "caf\udce9", "CUSTOM_ENV_B": "caf\xe9"})

    assert env.job_values() == {"A": "caf\N{REPLACEMENT CHARACTER}", "B": "caf\xe9"}
    assert env.job_value("A") == "caf\N{REPLACEMENT CHARACTER}"
