"""gitlab-runner in a container, as docs/container.md says."""

from collections.abc import Callable, Iterator

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from executor.runner import notes
from tests import pipelines
from tests.gitlab import box, leftovers, server, trace
from tests.gitlab.box import Box
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.server import GitLab
from tests.rig.state import Rig
from tests.stages.witness import eventually

JOBS = """
echoes:
  image: alpine
  script: [echo "hello from $CI_JOB_NAME"]
builds:
  image: docker:26.1-cli
  script:
    - printf 'FROM busybox\\nRUN echo built >/made\\n' >Dockerfile.own
    - docker build -q -t own -f Dockerfile.own .
    - docker run --rm -v "$PWD:/src" own sh -c '{{ cat /made; ls /src/Dockerfile.own; }} >/src/said'
    - cat said
asks:
  image: alpine
  services: [{{name: "{web}", alias: page}}]
  script: [wget -qO- http://page/]
cancelled:
  image: docker:26.1-cli
  script:
    - docker run -d alpine sleep 54321
    - while true; do echo tick; sleep 1s; done
  after_script: [echo "the status is $CI_JOB_STATUS"]
"""
WAITING = """
waits:
  image: alpine
  script:
    - echo it runs
    - until test -e /tmp/go; do sleep 0.1s; done
    - echo it ends
"""


OTHER = "another-runner"
MOST_JOBS = 5


@pytest.fixture(scope="module")
def gitlab(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitLab]:
    """A GitLab for runners in containers."""
    with server.serving(tmp_path_factory.mktemp("repositories"), rig.address) as served:
        yield served


@pytest.fixture(scope="module")
def host(rig: Rig, gitlab: GitLab) -> Iterator[Box]:
    """A host on which somebody has done what the page says."""
    with box.box(rig) as made:
        made.start(gitlab)
        yield made


@pytest.fixture
def pushed(gitlab: GitLab, checkout: Checkout, rig: Rig) -> Pushed:
    """The sample project."""
    return Pushed(gitlab, checkout, project_variables(pipelines.variables(rig)))


def started(pushed: Pushed, text: str) -> dict[str, Job]:
    """Start all jobs of a pipeline at once; return them by name."""
    pipeline = parse_pipeline(text, "test")
    facts = pushed.facts(pipeline)
    return {
        name: pushed.start(definition, facts)
        for name, definition in pushed.jobs_of(pipeline, facts).items()
    }


def waiting(pushed: Pushed) -> Job:
    """Return a job that runs, and goes on until it is let go."""
    job = started(pushed, WAITING)["waits"]
    job.wait_for("\nit runs")
    return job


def let_go(host: Box, job: Job) -> None:
    """Have a job that waits come to its end."""
    labels = ["dind-executor.type=build", f"dind-executor.job-id={job.id}"]
    (build,) = host.client.containers.list(filters={"label": labels})
    assert build.exec_run(["touch", "/tmp/go"]).exit_code == 0


def echo(pushed: Pushed) -> None:
    """Run a small job."""
    job = started(pushed, JOBS.partition("builds:")[0])["echoes"].wait()
    assert job.state == "success", trace.plain(job.trace)


def sweep(pushed: Pushed, is_done: Callable[[], bool]) -> None:
    """Run small jobs, whose prepares sweep, until it is done; two do, on a machine with time for it."""
    for _ in range(MOST_JOBS):
        echo(pushed)
        if is_done():
            return
    assert is_done()


def test_the_page_leads_to_a_first_build(host: Box, pushed: Pushed, rig: Rig) -> None:
    """Jobs echo, build an image, ask a service and are cancelled, and nothing of them is left."""
    jobs = started(pushed, JOBS.format(web=rig.special("tools/web:1")))
    jobs["cancelled"].wait_for("\ntick")
    jobs["cancelled"].cancel()
    ended = {name: (job.wait().state, job.failure_reason) for name, job in jobs.items()}

    logs = {name: trace.plain(job.trace) for name, job in jobs.items()}
    assert ended == {
        "echoes": ("success", ""),
        "builds": ("success", ""),
        "asks": ("success", ""),
        "cancelled": ("failed", "job_canceled"),
    }, "\n".join(logs.values())
    assert "hello from echoes" in logs["echoes"]
    assert "built\n/src/Dockerfile.own\n" in logs["builds"], logs["builds"]
    assert "a service that is not dind" in logs["asks"]
    assert "the status is canceled" in logs["cancelled"]
    eventually(lambda: host.objects() == [], "cleanup has removed everything")
    eventually(
        lambda: host.runner().exec_run(["ls", "-A", "/tmp"]).output == b"",
        "gitlab-runner has removed its directories",
    )
    written = host.run("cat /srv/gitlab-runner/log/dind-executor.log")
    assert '"event": "stage ended"' in written
    reap = f"docker exec {box.NAME} dind-executor reap"
    assert f"`{reap}`" in box.PAGE.read_text(encoding="utf-8")
    host.run(reap)


def test_a_stop_is_graceful_and_an_upgrade_keeps_everything(host: Box, pushed: Pushed) -> None:
    """The container stops when its job has ended; a new one takes the next job."""
    job = waiting(pushed)
    assert host.runner().exec_run(["sh", "-c", f"ls /tmp/*/{notes.OUT_OF_REACH}"]).exit_code == 0
    stop, remove = box.commands("Stop, restart and upgrade it")[0].splitlines()
    host.run(f"{stop} >/tmp/stopped 2>&1 &")
    eventually(lambda: "Starting graceful shutdown" in host.log(), "gitlab-runner has been told")
    let_go(host, job)
    assert job.wait().state == "success", trace.plain(job.trace)
    eventually(lambda: host.runner().status == "exited", "the container stops by itself")
    # The answer to its last request would take the next job with it.
    eventually(lambda: not pushed.gitlab.is_asked, "its last request is answered")
    host.compare()
    host.run(remove, *box.commands("Start it"))
    host.record()

    echo(pushed)

    eventually(lambda: host.objects() == [], "cleanup has removed everything")


def test_a_runner_that_dies_beside_another(
    host: Box, pushed: Pushed, another_gitlab: GitLab, checkout: Checkout
) -> None:
    """The other one's next jobs remove what the dead one left, and touch nothing that lives.

    The dead one's ghost ends when its container is started again: its payload is in there.
    """
    other = Pushed(another_gitlab, checkout, pushed.variables)
    host.start(another_gitlab, OTHER)
    living, dying = waiting(other), waiting(pushed)
    before = sorted(leftovers.of_jobs(host.address, [living]))
    assert leftovers.of_jobs(host.address, [dying])
    host.run(f"docker kill -s KILL {box.NAME}")

    sweep(other, lambda: leftovers.of_jobs(host.address, [dying]) == [])

    assert sorted(leftovers.of_jobs(host.address, [living])) == before
    let_go(host, living)
    assert living.wait().state == "success", trace.plain(living.trace)
    host.run(f"docker start {box.NAME}")
    sweep(pushed, lambda: dying.state != "running")
    assert_ended(dying)
    host.compare()
    host.run(f"docker rm -f -v {OTHER}")
    assert host.objects() == []


def test_a_runner_that_is_restarted_without_patience(host: Box, pushed: Pushed) -> None:
    """Its jobs are over, and what they left goes with the next ones of the same container."""
    job = waiting(pushed)
    host.run(f"docker restart -t 1 {box.NAME}")

    sweep(pushed, lambda: job.state != "running" and host.objects() == [])

    assert_ended(job)


def assert_ended(job: Job) -> None:
    """Assert that GitLab has heard of the end of a job whose gitlab-runner is dead."""
    assert (job.state, job.failure_reason) == ("failed", "runner_system_failure")
    assert "ended before the job did" in trace.plain(job.trace)
