"""What lasts beyond a job, what goes with it, and what of the host a job sees."""

from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Variable, new_job_id
from tests.stages.witness import GITLAB, Witness

NO_DIND: Changes = {"dind": {"mode": "service"}}
ANYBODY = {"executor_opts": {"docker": {"user": "1000:1000", "platform": ""}}}


def changes(*volumes: str, **keys: object) -> Changes:
    """Return settings with these volumes, and no dind unless a job lists it."""
    return {**NO_DIND, "docker": {"volumes": list(volumes), **keys}}


def lines(job: JobCalls, *commands: str, sub_stage: str = "build_script") -> list[str]:
    """Run an author's commands and return what they print."""
    output = job.script(*commands, sub_stage=sub_stage).passed().stdout
    return [line for line in output.splitlines() if not line.startswith("$ ")]


def test_caches_and_sources_are_found_by_the_projects_next_job(
    start: Start, witness: Witness
) -> None:
    """The next job finds them in any user's image, and another project's job sees nothing.

    A file variable of a job that was ended before it could remove them is not among them.
    """
    project, places = new_job_id(), ["/cache", "/shared/$FLAVOUR"]
    flavour = [Variable("FLAVOUR", "debian")]
    first = start(
        JobRequest(
            project_id=project,
            may_fetch=True,
            variables=[*flavour, Variable("NOTES", "private", file=True)],
            image_options=ANYBODY,
        ),
        changes(*places),
    )
    first.up()
    # As root-owned as what a container of dind would leave.
    first.script("touch left-over", sub_stage="get_sources").passed()
    assert lines(first, "cat /builds/group/project.tmp/NOTES; echo") == ["private"]
    written = "echo one >/cache/mine; echo two >/shared/debian/mine; echo three >context/mine"
    modes = "stat -c %a /cache /shared/debian /builds"
    assert lines(first, written, modes) == ["777", "777", "777"]
    lasting = witness.lasting_volumes(project)
    assert len(lasting) == 3

    # As another runner with the same token would start it, or after a cleanup that never came.
    beside = start(
        JobRequest(project_id=project, may_fetch=True, variables=flavour), changes(*places)
    )
    said = beside.up().output
    assert f"WARNING: Job {first.id} is still using this slot" in said
    assert lines(beside, "ls context /cache") == ["/cache:", "mine", "", "context:"]
    beside.cleanup().passed()
    first.cleanup().passed()
    assert witness.objects(first.id) == []

    second = start(
        JobRequest(project_id=project, may_fetch=True, variables=flavour), changes(*places)
    )
    second.up()
    found = "cat /cache/mine /shared/debian/mine context/mine; ls left-over"
    assert lines(second, found) == ["one", "two", "three", "left-over"]
    assert lines(second, "ls /builds/group/project.tmp 2>/dev/null || true") == []
    assert lines(second, "git clean -ffdxq; ls | wc -l", sub_stage="get_sources") == ["0"]
    assert witness.lasting_volumes(project) == lasting

    stranger = start(JobRequest(project_id=new_job_id(), variables=flavour), changes(*places))
    stranger.up()
    assert lines(stranger, "ls /cache /shared/debian context") == [
        "/cache:",
        "",
        "/shared/debian:",
        "",
        "context:",
    ]


def test_sources_that_are_cloned_go_with_the_job(start: Start, witness: Witness) -> None:
    """Cleanup removes them, and caches as well where the administrator disables these."""
    for request, settings in (
        (JobRequest(project_id=new_job_id()), changes()),
        (
            JobRequest(project_id=new_job_id(), may_fetch=True),
            changes("/cache", disable_cache=True),
        ),
    ):
        job = start(request, settings)
        job.up()
        assert lines(job, "touch /builds/mine") == []
        mounted = witness.volumes(job.id)
        assert mounted
        job.cleanup().passed()
        assert not any(witness.has_volume(name) for name in mounted)
        assert witness.lasting_volumes(request.project_id) == []


def test_protected_refs_have_caches_of_their_own(start: Start, witness: Witness) -> None:
    """The volumes differ by name, by label and by what is in them."""
    project = new_job_id()
    for protected, seen in ((False, []), (True, []), (False, ["False"])):
        job = start(JobRequest(project_id=project, protected=protected), changes("/cache"))
        job.up()
        assert lines(job, "cat /cache/mine 2>/dev/null || true") == seen
        lines(job, f"echo {protected} >/cache/mine")
        job.cleanup().passed()
    plain, kept_apart = witness.lasting_volumes(project)
    assert kept_apart == f"{plain}-protected"
    labels = witness.client.volumes.get(kept_apart).attrs["Labels"]
    assert labels[f"{GITLAB}.protected"] == "true"


def test_dind_sees_what_the_job_sees(start: Start, tmp_path: Path) -> None:
    """The paths are the same, so `docker run -v` means the same as in the job."""
    host = tmp_path / "host"
    host.mkdir()
    (host / "from-the-host").touch()
    job = start(
        JobRequest("docker:26.1-cli", project_id=new_job_id()),
        {"docker": {"volumes": ["/cache", f"{host}:/srv/host:ro", "/certs/client"]}},
    )
    job.up()
    run = "docker run --rm -v /cache:/c -v /srv/host:/h alpine sh -c 'ls /h; touch /c/from-dind'"
    assert lines(job, f"{run} 2>/dev/null", "ls /cache") == ["from-the-host", "from-dind"]
    refused = job.script("touch /srv/host/mine")
    assert refused.code
    assert "Read-only file system" in refused.output


def test_what_an_image_has_at_a_cache_is_in_the_cache(
    start: Start, images: Images, rig: Rig, witness: Witness
) -> None:
    """Any user may write to it from the first script on, whatever mode it has in the image.

    Containers of the image have volumes of their own: the administrator may keep those.
    """
    script = "mkdir -p /seed /own; touch /seed/from-the-image; chmod 0755 /seed"
    image = images.changed("alpine", script, "VOLUME /own")
    name = f"{rig.hub}/volumes/seed:{new_job_id()}"
    images.publish(image, name)
    job = start(
        JobRequest(name, project_id=new_job_id(), image_options=ANYBODY),
        changes("/seed", volume_keep=True),
    )
    said = job.up().output
    assert "WARNING: volume_keep is enabled: Docker volumes will not be removed after" in said
    assert lines(job, "touch /seed/mine; ls /seed; stat -c %a /seed") == [
        "from-the-image",
        "mine",
        "777",
    ]
    (unnamed,) = [
        mount["Name"]
        for mount in witness.container(job.id, "build").attrs["Mounts"]
        if mount["Destination"] == "/own"
    ]
    job.cleanup().passed()
    assert witness.has_volume(unnamed)
    witness.remove_volume(unnamed)


def test_a_directory_of_the_host_holds_caches(start: Start, tmp_path: Path) -> None:
    """The directory replaces volumes; the next job and the host see what is in it."""
    project = new_job_id()
    for found in ([], ["1"]):
        job = start(
            JobRequest(project_id=project), changes("/cache", cache_dir=str(tmp_path / "caches"))
        )
        job.up()
        assert lines(job, "cat /cache/mine 2>/dev/null || true") == found
        lines(job, "echo 1 >/cache/mine")
        job.cleanup().passed()
    (kept,) = tmp_path.glob(f"caches/runner-t3stt0ken-project-{project}-concurrent-0-*/*/mine")
    assert kept.read_text(encoding="utf-8") == "1\n"


def test_sources_on_the_host_belong_to_one_job_at_a_time(start: Start, tmp_path: Path) -> None:
    """A second job does not use a directory of sources that is taken."""
    project, settings = new_job_id(), changes(cache_dir=str(tmp_path / "caches"))
    first, beside = (
        start(JobRequest(project_id=project, may_fetch=True), settings) for _ in range(2)
    )
    first.up()
    lines(first, "echo three >context/mine")
    said = beside.up().output
    assert f"WARNING: Job {first.id} is still using this slot" in said
    assert lines(beside, "ls context") == []


def test_builds_may_lie_on_the_host(start: Start, tmp_path: Path, witness: Witness) -> None:
    """gitlab-runner is told that all jobs share them; no volume is made, and no mode changed."""
    host = tmp_path / "host"
    host.mkdir(mode=0o755)
    job = start(JobRequest(project_id=new_job_id()), changes(f"{host}:/builds"))
    config = job.config().passed()
    assert '"builds_dir_is_shared": true' in config.stdout
    job.up()
    assert lines(job, "cat source.txt") == ["from the helper"]
    assert (host / "group/project/source.txt").exists()
    assert host.stat().st_mode & 0o777 == 0o755
    assert not any(name.endswith("-builds") for name in witness.volumes(job.id))


def test_the_volume_driver_and_its_options(start: Start, witness: Witness) -> None:
    """The engine makes the volumes with this driver and these options."""
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=9m"}
    project = new_job_id()
    job = start(
        JobRequest(project_id=project),
        changes("/cache", volume_driver="local", volume_driver_ops=options),
    )
    job.up()
    assert lines(job, "df -k /cache | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2") == ["9216"]
    (name,) = witness.lasting_volumes(project)
    assert witness.client.volumes.get(name).attrs["Options"] == options
    # As for a named volume that the engine makes when it is first mounted.
    for kind in ("build", "helper"):
        assert witness.container(job.id, kind).attrs["HostConfig"]["VolumeDriver"] == "local"


@pytest.mark.parametrize("value", ["../run", "x:ro"])
def test_a_variable_cannot_lead_out_of_a_volumes_place(start: Start, value: str) -> None:
    """The job fails as its author's mistake before anything is made."""
    request = JobRequest(variables=[Variable("FLAVOUR", value)])
    job = start(request, changes("/cache/$FLAVOUR"))
    job.config().passed()
    call = job.prepare()
    assert call.code == 1
    assert 'ERROR: The volume "/cache/$FLAVOUR" of the runner\'s settings' in call.stderr
