"""The same jobs through gitlab-runner's own Docker executor and through ours.

Their logs may differ where `differences.py`, and so `docs/parity.md`, says it, and nowhere else.
"""

import io
import zipfile
from collections.abc import Mapping

import pytest

from executor.local.project.checkout import Checkout
from tests.gitlab import differences, trace
from tests.gitlab.differences import DIFFERENCES, OUTCOMES, Difference
from tests.gitlab.jobs import Job
from tests.gitlab.parity_log import sections
from tests.gitlab.parity_runs import WAIT_SECONDS, Pair, job_names, pairs
from tests.rig.state import Rig

_WITHOUT_LINKS = 29
"""The first engine whose containers get no variables of links, by which gitlab-runner 17.9 waits."""
_NO_LINK = b"No HOST or PORT found"


@pytest.fixture(scope="module")
def run(
    rig: Rig, checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Pair]:
    """Every job of parity.yml, run by both."""
    return pairs(rig, checkout, tmp_path_factory.mktemp("parity"))


@pytest.fixture(scope="module")
def names(rig: Rig) -> Mapping[str, str]:
    """What is called by another name on every rig, and what only these runs set."""
    helper, _, tag = rig.helper_image.rpartition(":")
    return {
        f"{helper}:{tag}": "<helper image>",
        helper: "<helper image>",
        rig.hub: "<hub>",
        f"timeout {WAIT_SECONDS} seconds": "timeout 30 seconds",
    }


@pytest.mark.parametrize("name", job_names())
def test_a_log_differs_only_where_it_is_admitted(
    run: Mapping[str, Pair], names: Mapping[str, str], name: str, rig: Rig
) -> None:
    """Logs agree line by line; the preparation's lines may come in any order."""
    pair = run[name]
    newer = int(rig.engine_version.partition(".")[0]) >= _WITHOUT_LINKS
    if newer and _NO_LINK in pair.docker.trace:
        pytest.skip("gitlab-runner's Docker executor cannot wait for services on this engine")
    docker, ours = (sections(job.trace, names) for job in (pair.docker, pair.ours))
    logs = f"{trace.plain(pair.docker.trace)}\n\n{trace.plain(pair.ours.trace)}"
    assert differences.surprises(docker, ours, set()) == [], logs


def test_every_admitted_difference_is_there(
    run: Mapping[str, Pair], names: Mapping[str, str]
) -> None:
    """A difference that has gone must go from the list as well."""
    used: set[Difference] = set()
    for pair in run.values():
        differences.surprises(
            sections(pair.docker.trace, names), sections(pair.ours.trace, names), used
        )
    assert [each for each in DIFFERENCES if each not in used] == []


@pytest.mark.parametrize("name", job_names())
def test_gitlab_is_told_the_same_end(run: Mapping[str, Pair], name: str) -> None:
    """State, exit code and reason agree, but for reasons that a custom executor cannot tell."""
    pair = run[name]
    admitted = {each.job: (each.docker, each.ours) for each in OUTCOMES}
    docker, ours = pair.docker, pair.ours
    assert docker.state == ours.state
    if name in admitted:
        assert (docker.failure_reason, ours.failure_reason) == admitted[name]
    else:
        assert (docker.failure_reason, docker.exit_code) == (ours.failure_reason, ours.exit_code)


def test_the_jobs_end_as_they_are_meant_to(run: Mapping[str, Pair]) -> None:
    """Two logs that both say why something else failed would agree."""
    ends = {name: (pair.ours.failure_reason, pair.ours.exit_code) for name, pair in run.items()}
    assert ends == {
        "everything": ("", 0),
        "user": ("", 0),
        "served": ("", 0),
        "failing": ("script_failure", 42),
        "no-image": ("script_failure", 1),
        "not-allowed": ("script_failure", 1),
        "pull-policy": ("script_failure", 1),
        "canceled": ("job_canceled", 0),
        "script-timeout": ("job_execution_timeout", 0),
        "job-timeout": ("job_execution_timeout", 0),
    }


def test_artifacts_are_the_same(run: Mapping[str, Pair]) -> None:
    """Both executors upload the same files, also of a job that failed."""
    for name in ("everything", "failing"):
        assert _files(run[name].docker) == _files(run[name].ours)
    assert _files(run["failing"].ours) == {"kept": b"half\n"}


def _files(job: Job) -> dict[str, bytes]:
    assert job.artifacts is not None
    with zipfile.ZipFile(io.BytesIO(job.artifacts)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}
