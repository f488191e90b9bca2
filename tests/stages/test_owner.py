"""Who a job belongs to, on everything that there is of it, and on nothing that lasts."""

import json
import os
import sys
from pathlib import Path

from executor.host.owner import find_owner, lives, pid_namespace, read_process
from executor.names import OWNER_CONTAINER_LABEL, OWNER_LABEL
from executor.notation.owner import Owner, owner_text, parse_owner
from executor.runner import notes
from tests.rig.state import Rig
from tests.stages.calls import HOOKS, JobCalls
from tests.stages.conftest import Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, new_job_id
from tests.stages.witness import Witness

# Starts a hook as gitlab-runner does, in a process group of its own.
RELAY = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:], process_group=0))"


def a_runner(directory: Path) -> tuple[str, ...]:
    """Return a program that the kernel calls gitlab-runner, and which starts what it is given."""
    program = directory / "gitlab-runner"
    program.symlink_to(os.path.realpath(sys.executable))
    return (str(program), "-I", "-S", "-c", RELAY)


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
    rig: Rig, start: Start, witness: Witness, images: Images, tmp_path: Path
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
    running = job.start("prepare", program=(*a_runner(tmp_path), str(HOOKS / "prepare")))
    begun = read_process(running.process.pid)
    running.finish().passed()

    found = {each: labels(witness, each) for each in witness.objects(job.id)}
    kinds = [each.partition(" ")[0] for each in found]
    assert (kinds.count("container"), kinds.count("network")) == (5, 1)
    assert kinds.count("volume") >= 2
    wanted = noted(job)
    for name, each in found.items():
        assert each.items() >= wanted.items(), name
    assert begun
    owner = parse_owner(wanted[OWNER_LABEL])
    assert owner
    assert (owner.pid, owner.started, owner.local) == (running.process.pid, begun.started, True)
    assert owner.namespace == pid_namespace()
    assert (wanted[OWNER_CONTAINER_LABEL], lives(owner.pid, owner.started)) == ("", False)
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
