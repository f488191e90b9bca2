"""A second attempt of prepare: a sweep judges a job by all attempts, never by the first one's labels."""

import os
import shutil
from contextlib import suppress

from docker.errors import APIError

from executor.engine.docker import Engine
from executor.log import AdministratorLog
from executor.sweep.look import look
from executor.sweep.options import Options
from executor.sweep.state import recall
from executor.sweep.verdict import GONE_SECONDS, Judgement, Verdict
from tests.rig.state import Rig
from tests.stages import scripts
from tests.stages.calls import JobCalls, as_gitlab_runner
from tests.stages.conftest import Start
from tests.stages.request import JobRequest, new_job_id
from tests.stages.test_owner import noted
from tests.stages.witness import Witness


def judged(rig: Rig, job: JobCalls, key: str, gone_seconds: float) -> Judgement:
    """Return what a sweep says of a job whose known directories have been gone for so long."""
    engine = Engine.at(rig.engine_host, "", tls_verify=False)
    engine.connect()
    options = Options(
        AdministratorLog("prepare"),
        rig.engine_host,
        "prepare",
        parents=(str(job.temp.parent),),
        uids=frozenset((os.geteuid(),)),
    )
    memory = recall(options)
    memory.gone[key] = memory.now - gone_seconds
    (found,) = (each for each in look(engine, options, memory).jobs if each.found.key == key)
    return found.judgement


def test_a_second_attempt_is_the_same_job(rig: Rig, start: Start) -> None:
    """It lives while any of its directories is there; all being gone counts once it lasts."""
    long = GONE_SECONDS + 60
    with as_gitlab_runner():
        job = start(JobRequest(project_id=new_job_id()), {"dind": {"mode": "service"}})
        job.config().passed()
        job.prepare().passed()
        key = noted(job)["dind-executor.job"]
        first = job.temp
        assert judged(rig, job, key, long).verdict is Verdict.KEEP

        # gitlab-runner removes the directory of an attempt that failed, whatever its cleanup did.
        shutil.rmtree(first)
        job.begin()
        job.config().passed()
        # All that is there is the first attempt's, and the second has not come to prepare.
        assert judged(rig, job, key, long).verdict is Verdict.KEEP
        job.prepare().passed()
        assert judged(rig, job, key, long).verdict is Verdict.KEEP

        shutil.rmtree(job.temp)
        assert judged(rig, job, key, 0).verdict is not Verdict.REMOVE
        assert judged(rig, job, key, long) == Judgement(Verdict.REMOVE, "cleanup-failed")
        job.begin()  # for the cleanup of the tests


def test_networks_that_an_attempt_has_left(start: Start, witness: Witness) -> None:
    """Of several of the job's name one stays; an engine starts nothing while there are more."""
    job = start(JobRequest(project_id=new_job_id()), {"dind": {"mode": "service"}})
    job.config().passed()
    job.prepare().passed()
    (network,) = witness.client.networks.list(filters={"label": f"dind-executor.job-id={job.id}"})
    name, labels = str(network.name), network.attrs["Labels"]
    job.cleanup().passed()
    made = []
    for _ in range(2):
        # As 20.10 does by itself where two requests come at the same moment.
        with suppress(APIError):
            made.append(
                witness.client.api.create_network(
                    name, "bridge", check_duplicate=False, labels=labels
                )["Id"]
            )
    job.begin()
    job.config().passed()
    job.prepare().passed()

    (kept,) = witness.client.networks.list(filters={"label": f"dind-executor.job-id={job.id}"})
    assert kept.id in made
    job.run("prepare_script", scripts.whole(["echo on it"])).passed()
