"""A pipeline's facts and a job's assignment, valid unless a test changes something."""

from dataclasses import replace
from pathlib import Path

from executor.local.pipeline.model import Image, JobDefinition
from executor.local.project.assignment import Assignment, Dependency, PipelineFacts, assign
from executor.local.project.checkout import Checkout
from executor.local.project.predefined import Project, Site, pipeline_variables
from executor.local.project.variables import Variable
from executor.local.runner.directories import Slot
from executor.local.runner.registration import Hook, Registration

SHA = "0123456789abcdef0123456789abcdef01234567"
SLOT = Slot("local1234", 0, "17.9.0")
REGISTRATION = Registration(
    name="trial", run=Hook("/bin/true"), builds_dir="/builds", cache_dir="/cache"
)


def a_checkout(**changes: object) -> Checkout:
    checkout = Checkout(
        directory=Path("/home/ada/project"),
        branch="feature/One",
        sha=SHA,
        before_sha="0" * 40,
        timestamp="2026-01-02T03:04:05+00:00",
        author="Ada Author <ada@example.com>",
        author_name="Ada Author",
        author_email="ada@example.com",
        message="Title of $1\n\nBody",
        is_modified=False,
    )
    return replace(checkout, **changes)  # type: ignore[arg-type]


def some_facts(*given: Variable) -> PipelineFacts:
    checkout = a_checkout()
    project = Project("Group/Sub/project", 77)
    site = Site("172.17.0.1", 8080)
    return PipelineFacts(
        project=project,
        site=site,
        checkout=checkout,
        pipeline_id=5000,
        predefined=pipeline_variables(
            checkout=checkout,
            project=project,
            site=site,
            pipeline_id=5000,
            config_path=".gitlab-ci.yml",
        ),
        yaml=(),
        given=given,
        timeout_seconds=3600,
    )


def a_definition(**changes: object) -> JobDefinition:
    definition = JobDefinition(
        name="build", ci_stage="build", script=("make",), image=Image("docker:27")
    )
    return replace(definition, **changes)  # type: ignore[arg-type]


def an_assignment(
    *given: Variable, dependencies: tuple[Dependency, ...] = (), **changes: object
) -> Assignment:
    return assign(
        a_definition(**changes),
        some_facts(*given),
        job_id=5001,
        token="glcbt-token",
        dependencies=dependencies,
    )
