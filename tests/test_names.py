"""Names and labels of a job's objects."""

import re

import pytest

from executor.names import LABEL, JobNames, job_key

URL = "https://gitlab-ci-token:token@gitlab.example.com/group/project.git"


def test_all_names_are_the_jobs_and_differ() -> None:
    """Each object has a name of its own, with the job's key in it."""
    names = JobNames("1-ab")

    everything = {
        "network": names.network,
        "build": names.build,
        "helper": names.helper,
        "dind": names.dind,
        "service 0": names.service(0),
        "service 1": names.service(1),
        "builds": names.builds_volume,
        "docker": names.docker_volume,
    }

    assert everything == {
        "network": "dind-executor-1-ab",
        "build": "dind-executor-1-ab-build",
        "helper": "dind-executor-1-ab-helper",
        "dind": "dind-executor-1-ab-dind",
        "service 0": "dind-executor-1-ab-service-0",
        "service 1": "dind-executor-1-ab-service-1",
        "builds": "dind-executor-1-ab-builds",
        "docker": "dind-executor-1-ab-docker",
    }


def test_the_owner_label_holds_the_key() -> None:
    """Cleanup finds a job's objects by one label."""
    assert JobNames("1-ab").owner == f"{LABEL}=1-ab"


def test_a_key_is_the_same_for_every_stage_of_a_job() -> None:
    """What one stage made, the next one finds."""
    assert job_key(7, "token", URL) == job_key(7, "token", URL)


@pytest.mark.parametrize(
    "other", [(8, "token", URL), (7, "other", URL), (7, "token", URL.replace("gitlab.", "git."))]
)
def test_a_key_differs_for_another_job(other: tuple[int, str, str]) -> None:
    """A job of another GitLab, with the same id, has another key."""
    assert job_key(7, "token", URL) != job_key(*other)


def test_a_key_tells_the_id_and_no_secret() -> None:
    """It begins with the job's id, fits names of Docker objects, and gives no token away."""
    key = job_key(7, "token", URL)

    assert re.fullmatch(r"7-[0-9a-f]{10}", key)
    assert "token" not in key


def test_the_longest_name_fits_a_hostname_label_of_docker() -> None:
    """A job id of GitLab has at most 19 digits; container names are also DNS names."""
    names = JobNames(job_key(2**63 - 1, "token", URL))

    assert max(len(each) for each in (names.service(99), names.builds_volume)) <= 63
