"""Who a job belongs to, on everything that there is of it, and on nothing that lasts."""

import json
import os

from executor.host.owner import find_owner, lives, pid_namespace
from executor.names import OWNER_CONTAINER_LABEL, OWNER_LABEL
from executor.notation.owner import Owner, owner_text, parse_owner
from executor.runner import notes
from tests.rig.state import Rig
from tests.stages.calls import JobCalls, as_gitlab_runner
from tests.stages.conftest import Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, new_job_id
from tests.stages.witness import Witness


def noted(job: JobCalls) -> dict[str, str]:
    """Return the note of the job's last attempt."""
    found = json.loads((job.temp / notes.OWNER).read_bytes())
    assert isinstance(found, dict)
    return found


def labels(witness: Witness, thing: str) -> dict[str, str]:
    """Return the labels of an object of the engine, such as `volume NAME`."""
    kind, name = thing.split(" ")
    api = witness.client.api
    if kind == "container":
        return dict(api.inspect_container(name)["Config"]["Labels"])
    found = api.inspect_network(name) if kind == "network" else api.inspect_volume(name)
    return dict(found["Labels"] or {})


def test_everything_of_a_job_says_who_it_belongs_to(
    rig: Rig, start: Start, witness: Witness, images: Images
) -> None:
    """Network, containers and volumes have all labels, whatever an image has; a cache has none."""
    forged = {OWNER_LABEL: "1:m:b:1:1:1:local", OWNER_CONTAINER_LABEL: f"{'0' * 64}@1"}
    changes = [f"LABEL {key}={value}" for key, value in forged.items()]
    image = f"{rig.hub}/owner/forged:{new_job_id()}"
    images.publish(images.changed("alpine", "true", *changes), image)
    project = new_job_id()
    request = JobRequest(
        image, services=[{"name": rig.special("tools/web:1")}, {"name": image}], project_id=project
    )
    job = start(request, {"docker": {"volumes": ["/cache"], "wait_for_services_timeout": -1}})
    with as_gitlab_runner():
        job.prepare().passed()

    found = {each: labels(witness, each) for each in witness.objects(job.id)}
    kinds = [each.partition(" ")[0] for each in found]
    assert (kinds.count("container"), kinds.count("network")) == (5, 1)
    assert kinds.count("volume") >= 2
    wanted = noted(job)
    for name, each in found.items():
        assert each.items() >= wanted.items(), name
    owner = parse_owner(wanted[OWNER_LABEL])
    assert owner
    assert (owner.pid, owner.namespace, owner.local) == (os.getpid(), pid_namespace(), True)
    assert lives(owner.pid, owner.started)
    assert wanted[OWNER_CONTAINER_LABEL] == ""
    assert wanted["dind-executor.temp-dir"] == str(job.temp)
    (lasting,) = witness.lasting_volumes(project)
    assert not labels(witness, f"volume {lasting}").keys() & wanted.keys()


def test_a_second_attempt_has_another_directory(start: Start, witness: Witness) -> None:
    """What the first one made keeps the first one's labels; what is made then has the new ones."""
    job = start(JobRequest(project_id=new_job_id()), {"dind": {"mode": "service"}})
    job.config().passed()
    job.prepare().passed()
    first = noted(job)
    job.begin()
    job.config().passed()
    job.prepare().passed()

    directory = "dind-executor.temp-dir"
    seen = {labels(witness, each)[directory] for each in witness.objects(job.id)}
    assert noted(job)[directory] != first[directory]
    assert seen == {first[directory], noted(job)[directory]}


def test_a_hook_that_a_person_calls(start: Start, witness: Witness) -> None:
    """Without a gitlab-runner above it, the job belongs to nobody who could be looked for."""
    job = start(JobRequest(project_id=new_job_id()), {"dind": {"mode": "service"}})
    job.config().passed()
    job.prepare().passed()
    # Of the tests themselves, which a gitlab-runner may have started.
    expected = owner_text(find_owner(local=True))

    seen = {labels(witness, each)[OWNER_LABEL] for each in witness.objects(job.id)}
    assert seen == {expected}


def test_an_orphan_belongs_to_whom_config_saw(start: Start, witness: Witness) -> None:
    """gitlab-runner may be gone before prepare has begun."""
    job = start(JobRequest(project_id=new_job_id()), {"dind": {"mode": "service"}})
    job.config().passed()
    gone = Owner("m", "b", "1", 2, 3, local=True)
    note = job.temp / notes.OWNER
    note.write_text(json.dumps({**noted(job), OWNER_LABEL: str(gone)}))
    job.prepare().passed()

    seen = {labels(witness, each)[OWNER_LABEL] for each in witness.objects(job.id)}
    assert seen == {str(gone)}
