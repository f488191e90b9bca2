"""A captured payload as a job for the embedded runner."""

from executor.commands.replay.job import (
    assignment_of,
    checkout_of,
    definition_of,
    lost_variables,
    other_placeholders,
    script_flags,
    variables_of,
)
from executor.local.project.assignment import PipelineFacts
from executor.local.project.payload import payload_of
from executor.local.project.predefined import Project, Site
from tests.builders import a_payload, a_service, a_variable

PAYLOAD = a_payload(
    steps=[
        {"name": "script", "script": ["echo one", "curl placeholder-of-TOKEN"]},
        {"name": "after_script", "script": ["echo after"]},
    ],
    image=a_service("ruby:3", entrypoint=["sh"], executor_opts={"docker": {"user": "1", "platform": ""}}),
    services=[a_service("postgres:16", alias="db", variables=[{"key": "A", "value": "1"}])],
    variables=[
        a_variable("CI_JOB_ID", "1"),
        a_variable("CI_REGISTRY", "r.example.com"),
        a_variable("CI_REGISTRY_PASSWORD", "placeholder-of-CI_REGISTRY_PASSWORD", masked=True),
        a_variable("DOCKER_AUTH_CONFIG", "placeholder-of-DOCKER_AUTH_CONFIG"),
        a_variable("FILE", "x", file=True, raw=True),
    ],
    git_info={"sha": "a" * 40, "ref": "feature"},
)  # fmt: skip


def test_the_definition() -> None:
    """Scripts, image and services are those of the payload."""
    job = definition_of(PAYLOAD)

    assert job.script == ("echo one", "curl placeholder-of-TOKEN")
    assert job.after_script == ("echo after",)
    assert job.image
    assert (job.image.name, job.image.entrypoint, job.image.user) == ("ruby:3", ("sh",), "1")
    (service,) = job.services
    assert (service.alias, service.variables[0].key) == ("db", "A")


def test_an_empty_payload() -> None:
    """A job that never had anything is one still."""
    assert definition_of({}).script == ()
    assert variables_of({}, {}, "", has_sources=True) == ()
    assert checkout_of({}).branch == "main"


def test_variables() -> None:
    """What is another job's is new; a placeholder is no docker configuration."""
    found = {
        each.key: each for each in variables_of(PAYLOAD, {"CI_JOB_ID": "2"}, "", has_sources=False)
    }

    assert found["CI_JOB_ID"].value == "2"
    assert found["GIT_STRATEGY"].value == "none"
    assert "DOCKER_AUTH_CONFIG" not in found
    assert (found["FILE"].file, found["FILE"].raw) == (True, True)
    assert found["CI_REGISTRY_PASSWORD"].masked


def test_logins_of_a_file() -> None:
    """They take the place of the job's own, and are masked."""
    variables = variables_of(PAYLOAD, {}, '{"auths": {}}', has_sources=True)

    (auth,) = (each for each in variables if each.key == "DOCKER_AUTH_CONFIG")
    assert (auth.value, auth.masked, auth.public) == ('{"auths": {}}', True, False)
    assert "GIT_STRATEGY" not in {each.key for each in variables}


def test_no_placeholder_is_a_login() -> None:
    """GitLab's registry would refuse it, and images that are public there as well."""
    commit = checkout_of(PAYLOAD)
    facts = PipelineFacts(Project("g/p", 1), Site("127.0.0.1", 9), commit, 1, (), (), (), 60)
    variables = variables_of(PAYLOAD, {}, "", has_sources=False)

    payload = payload_of(assignment_of(PAYLOAD, facts, variables, job_id=2, token="t"))

    assert payload["credentials"] == []
    assert (commit.sha, commit.branch) == ("a" * 40, "feature")


def test_what_is_lost() -> None:
    """Variables are named, and placeholders elsewhere."""
    assert lost_variables(PAYLOAD) == ["CI_REGISTRY_PASSWORD", "DOCKER_AUTH_CONFIG"]
    assert other_placeholders(PAYLOAD) == ["TOKEN"]


def test_flags_that_decide_an_exit_code() -> None:
    """They are those of the gitlab-runner that had the job, and no others."""
    values = {"FF_USE_NEW_BASH_EVAL_STRATEGY": "true", "FF_TIMESTAMPS": "true", "CI": "true"}

    assert script_flags(values) == {"FF_USE_NEW_BASH_EVAL_STRATEGY": "true"}
