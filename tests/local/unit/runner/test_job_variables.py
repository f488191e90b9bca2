"""What the runner adds to a job."""

import json
from dataclasses import replace

import pytest

from executor.local.pipeline.model import Image, YamlVariable
from executor.local.project.variables import Variable
from executor.local.runner.directories import Directories
from executor.local.runner.job_variables import (
    JobVariables,
    all_variables,
    custom_environment,
    with_expanded_names,
)
from tests.local.samples import REGISTRATION, SLOT, an_assignment

WHERE = Directories("/builds", "/cache/g/p", "/builds/g/p")


def test_the_runners_variables_stand_around_the_jobs() -> None:
    """A job may override CI_BUILDS_DIR and a runner's environment, never the last ones."""
    registration = replace(REGISTRATION, environment=(("MINE", "runner"), ("OTHER", "runner")))
    assignment = an_assignment(
        Variable("MINE", "job"),
        Variable("CI_BUILDS_DIR", "job"),
        Variable("RUNNER_TEMP_PROJECT_DIR", "job"),
    )
    variables = all_variables(assignment, registration, SLOT, where=WHERE)
    environment = custom_environment(variables, assignment.definition)
    expected = {
        "MINE": "job",
        "OTHER": "runner",
        "CI_BUILDS_DIR": "job",
        "RUNNER_TEMP_PROJECT_DIR": "/builds/g/p.tmp",
        "CI_PROJECT_DIR": "/builds/g/p",
        "CI_JOB_IMAGE": "docker:27",
        "CI_JOB_STATUS": "running",
        "CI_JOB_TIMEOUT": "3600",
        "CI_SERVER": "yes",
        "CI_SHARED_ENVIRONMENT": "true",
        "CI_RUNNER_SHORT_TOKEN": "local1234",
        "CI_RUNNER_VERSION": "17.9.0",
        "CI_JOB_SERVICES": "",
        "FF_NETWORK_PER_BUILD": "false",
        "CI_JOB_TOKEN": "glcbt-token",
    }
    actual = {key: environment[f"CUSTOM_ENV_{key}"] for key in expected}
    assert expected == actual
    assert "CUSTOM_ENV_CI_DISPOSABLE_ENVIRONMENT" not in environment
    assert "CUSTOM_ENV_CI_BUILD_NETWORK_NAME" not in environment


def test_before_the_config_stage_there_are_no_directories() -> None:
    """Their variables are there and empty, as gitlab-runner has it."""
    assignment = an_assignment()
    variables = all_variables(assignment, REGISTRATION, SLOT, where=Directories())
    environment = custom_environment(variables, assignment.definition)
    assert environment["CUSTOM_ENV_CI_PROJECT_DIR"] == ""
    assert environment["CUSTOM_ENV_RUNNER_TEMP_PROJECT_DIR"] == ".tmp"


def test_a_job_without_an_image_has_no_image_variable() -> None:
    """The variable is absent and not empty."""
    assignment = an_assignment(image=None)
    variables = all_variables(assignment, REGISTRATION, SLOT, where=WHERE)
    assert "CUSTOM_ENV_CI_JOB_IMAGE" not in custom_environment(variables, assignment.definition)


def test_a_file_variable_is_content_for_the_hooks_and_a_path_for_references() -> None:
    """The hooks get the content, and a reference to it becomes the file's path."""
    assignment = an_assignment(
        Variable("CONF", "line 1\nline $2\n", file=True, raw=True), Variable("OPTION", "--c=$CONF")
    )
    variables = all_variables(assignment, REGISTRATION, SLOT, where=WHERE)
    environment = custom_environment(variables, assignment.definition)
    assert environment["CUSTOM_ENV_CONF"] == "line 1\nline $2\n"
    assert environment["CUSTOM_ENV_OPTION"] == "--c=/builds/g/p.tmp/CONF"


@pytest.mark.parametrize(
    ("from_job", "from_config", "expected"),
    [("true", None, "true"), ("true", False, "false"), (None, True, "true"), (None, None, "false")],
)
def test_a_feature_flag_of_the_registration_beats_the_jobs(
    *, from_job: str | None, from_config: bool | None, expected: str
) -> None:
    """A flag of the job beats the default alone."""
    name = "FF_NETWORK_PER_BUILD"
    assignment = an_assignment(*([Variable(name, from_job)] if from_job else []))
    flags = ((name, from_config),) if from_config is not None else ()
    variables = all_variables(
        assignment, replace(REGISTRATION, feature_flags=flags), SLOT, where=WHERE
    )
    environment = custom_environment(variables, assignment.definition)
    assert expected == environment[f"CUSTOM_ENV_{name}"]
    assert (expected == "true") == ("CUSTOM_ENV_CI_BUILD_NETWORK_NAME" in environment)


def test_names_and_aliases_expand_at_the_start_of_the_job() -> None:
    """Entrypoints and commands keep their references."""
    service = Image("$R/docker:$T", alias="$ALIAS", command=("$R",), entrypoint=("$R",))
    assignment = an_assignment(
        Variable("R", "registry", raw=True),
        Variable("ALIAS", "docker other"),
        image=Image("${R}/app"),
        services=(service,),
    )
    variables = all_variables(assignment, REGISTRATION, SLOT, where=WHERE)
    job = with_expanded_names(assignment.definition, variables)
    assert job.image == Image("registry/app")
    expected = Image("registry/docker:", alias="docker other", command=("$R",), entrypoint=("$R",))
    assert job.services == (expected,)


def test_services_are_told_with_their_first_alias() -> None:
    """CI_JOB_SERVICES has what fits in it; the payload has the rest."""
    services = (
        Image("redis:7"),
        Image(
            "docker:dind",
            alias="docker, other",
            command=("--mtu=1400",),
            variables=(YamlVariable("A", "$B"), YamlVariable("C", "$B", raw=True)),
        ),
    )
    assignment = an_assignment(Variable("B", "b"), services=services)
    variables = all_variables(assignment, REGISTRATION, SLOT, where=WHERE)
    environment = custom_environment(variables, assignment.definition)
    assert json.loads(environment["CUSTOM_ENV_CI_JOB_SERVICES"]) == [
        {"name": "redis:7", "alias": "", "entrypoint": None, "command": None},
        {
            "name": "docker:dind",
            "alias": "docker",
            "entrypoint": None,
            "command": ["--mtu=1400"],
            "variables": {"A": "b", "C": "$B"},
        },
    ]


def test_a_job_sees_the_last_definition_and_a_files_path() -> None:
    """Raw variables are not expanded, yet can be referenced."""
    variables = JobVariables(
        (
            Variable("A", "first"),
            Variable("A", "last"),
            Variable("FILE", "content $A", file=True, raw=True),
            Variable("RAW", "$A", raw=True),
            Variable("ALL", "$A ${FILE}_X $RAW $NONE"),
        ),
        "/builds/p.tmp",
    )
    values = {variable.key: variable.value for variable in variables.expanded()}
    assert values == {
        "A": "last",
        "FILE": "content $A",
        "RAW": "$A",
        "ALL": "last /builds/p.tmp/FILE_X $A ",
    }
