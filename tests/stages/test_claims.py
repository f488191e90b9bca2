"""Two jobs that claim one thing, and claimants that die, on a real engine."""

from concurrent.futures import ThreadPoolExecutor

from tests.load.claims import run
from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest, new_job_id
from tests.stages.witness import Witness

TIMES = 20
NO_DIND: Changes = {"dind": {"mode": "service"}}
TAKEN = "is still using this slot's builds directory"


def test_one_wins_each_time_and_the_dead_hold_nobody_up(rig: Rig) -> None:
    """Whoever loses hears who has it; a killed claimant's thing is the next one's at once."""
    tally = run(rig.engine_host, TIMES)

    assert tally.wrong == []
    assert (tally.claims, tally.killed) == (TIMES, TIMES // 4)


def test_of_jobs_that_begin_together_one_gets_the_sources(start: Start, witness: Witness) -> None:
    """The others clone into temporary ones; no claim is left when all have ended."""
    project = new_job_id()
    jobs = [
        start(JobRequest(project_id=project, may_fetch=True, token=f"glcbt-64_{each}"), NO_DIND)
        for each in range(3)
    ]
    for job in jobs:
        job.config().passed()

    with ThreadPoolExecutor(len(jobs)) as pool:
        calls = list(pool.map(JobCalls.prepare, jobs))

    outputs = [call.passed().output for call in calls]
    assert sum(TAKEN in each for each in outputs) == len(jobs) - 1
    (sources,) = witness.lasting_volumes(project)
    having = [job for job in jobs if sources in witness.volumes(job.id)]
    assert len(having) == 1
    for job in jobs:
        job.cleanup().passed()
        assert witness.objects(job.id) == []
