"""The Docker executor's labels, by which tools on the host find what is a runner's."""

import pytest

from executor.plan.labels import job_labels, job_url
from tests.builders import TOKEN, a_job, a_service, a_variable, some_inputs
from tests.plans import a_plan

JOB: dict[str, object] = {
    "job_info": {"project_id": 42, "pipeline_id": 99},
    "git_info": {
        "repo_url": f"https://gitlab-ci-token:{TOKEN}@gitlab.example.com/g/p.git",
        "ref": "main",
        "sha": "a" * 40,
        "before_sha": "b" * 40,
    },
    "runner_info": {"timeout": 7200},
}
VALUES = {
    "CI_RUNNER_SHORT_TOKEN": "t3stt0ken",
    "CI_CONCURRENT_ID": "3",
    "CI_CONCURRENT_PROJECT_ID": "1",
}
WANTED = {
    "job.id": "4711",
    "job.url": "https://gitlab.example.com/g/p/-/jobs/4711",
    "job.sha": "a" * 40,
    "job.before_sha": "b" * 40,
    "job.ref": "main",
    "job.timeout": "2h0m0s",
    "project.id": "42",
    "project.runner_id": "1",
    "pipeline.id": "99",
    "runner.id": "t3stt0ken",
    "runner.local_id": "3",
}


def test_what_a_jobs_objects_carry() -> None:
    """They carry the Docker executor's whole set except for the one that we are not told."""
    prefix = "com.gitlab.gitlab-runner."

    assert job_labels(a_job(**JOB), VALUES) == {
        prefix + key: value for key, value in WANTED.items()
    }


def test_a_job_cannot_pass_for_another_runners() -> None:
    """Where its variables hide the runner's own words, these labels are empty."""
    own = [a_variable(key, "9") for key in VALUES]
    labels = job_labels(a_job(variables=own), dict.fromkeys(VALUES, "9"))

    keys = ("runner.id", "runner.local_id", "project.runner_id")
    assert [labels[f"com.gitlab.gitlab-runner.{key}"] for key in keys] == ["", "", ""]


def test_a_pipeline_that_the_payload_does_not_name() -> None:
    """GitLab before 17 tells it by a variable alone."""
    labels = job_labels(a_job(), {"CI_PIPELINE_ID": "12"})

    assert labels["com.gitlab.gitlab-runner.pipeline.id"] == "12"


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://gitlab-ci-token:secret@host.example/a/b.git", "https://host.example/a/b"),
        ("https://host.example:8443/gitlab/a/b.git/", "https://host.example:8443/gitlab/a/b"),
        ("http://user:p@ss@host.example/a@b", "http://host.example/a@b"),
    ],
)
def test_the_jobs_page(url: str, page: str) -> None:
    """The address has no credentials in it."""
    job = a_job(git_info={"repo_url": url})

    assert job_url(job) == f"{page}/-/jobs/4711"


def test_a_job_without_a_repository_has_no_page() -> None:
    """Without a repository no address is made up."""
    assert job_url(a_job(git_info={})) == ""


def test_each_kind_of_object() -> None:
    """Containers say their type, services their image; everything says that a runner manages it."""
    inputs = some_inputs(services=[a_service("r.example:5000/team/postgres:15")])
    plan = a_plan(inputs)
    assert plan.dind
    labelled = [plan.build, plan.helper, plan.dind, *plan.services]
    kinds = [each.labels.get("com.gitlab.gitlab-runner.type") for each in labelled]
    service = plan.services[0].labels

    assert kinds == ["build", "predefined", "service", "service"]
    assert service["com.gitlab.gitlab-runner.service"] == "r.example/team/postgres"
    assert service["com.gitlab.gitlab-runner.service.version"] == "15"
    assert plan.dind.labels["com.gitlab.gitlab-runner.service"] == "docker"
    every = [each.labels for each in labelled]
    every += [plan.network.labels, *(each.labels for each in plan.volumes)]
    assert all(each["com.gitlab.gitlab-runner.managed"] == "true" for each in every)


def test_no_label_holds_a_secret() -> None:
    """A variable may carry one where gitlab-runner has its own; such a label is left out."""
    inputs = some_inputs(
        variables=[a_variable("KEY", "sesame-open", public=False, masked=True)],
        values={"CI_CONCURRENT_ID": "x-sesame-open"},
    )

    labels = inputs.labels("build")

    assert "sesame-open" not in repr(labels)
    assert TOKEN not in repr(labels)
    assert labels["dind-executor.job"] == inputs.names.key


def test_no_secret_stands_in_the_labels_of_a_service() -> None:
    """An image's name is left out where a variable with a secret is in it."""
    inputs = some_inputs(
        variables=[a_variable("TAG", "hunter2-tag", masked=True)],
        services=[a_service("tools/web:hunter2-tag")],
        settings="[dind]\nmode = 'service'",
    )
    plan = a_plan(inputs)

    assert "hunter2-tag" not in str(plan.services[0].labels)
