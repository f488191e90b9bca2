"""What every job gets, seen on one job that stands for all tests of this module.

Its image has a docker client and no docker entrypoint; its dind is of the oldest generation that
is supported.
"""

import json

import pytest

from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Start
from tests.stages.registry import tag_of
from tests.stages.request import JobRequest, Login, Variable
from tests.stages.witness import Witness

ENTRYPOINT = ["sh", "-c", 'export FROM_ENTRYPOINT=kept; echo "setting up"; exec "$@"', "sh"]


WHERE = "if command -v gitlab-runner git-lfs >/dev/null; then echo helper; else echo build; fi"


@pytest.fixture(scope="module")
def job(rig: Rig, start_standing: Start, login: Login) -> JobCalls:
    """Return a job with a service beside its dind, and a login to the GitLab registry."""
    request = JobRequest(
        image=rig.special("tools/docker-cli:1"),
        services=[
            {"name": rig.special("tools/web:1"), "alias": "web, site"},
            {"name": "docker:20.10.16-dind"},
        ],
        logins=[login],
        variables=[
            Variable("GREETING", "hello"),
            Variable("NOTES", "first line\nsecond 'line'", file=True),
        ],
        image_options={"entrypoint": ENTRYPOINT},
    )
    job = start_standing(request)
    job.up()
    return job


def shell(job: JobCalls, *commands: str) -> list[str]:
    """Run commands as the author's and return their own lines, without gitlab-runner's."""
    lines = job.script(*commands).passed().output.splitlines()
    return [line for line in lines if not line.startswith("$ ")]


def test_an_entrypoint_runs_and_is_remembered(job: JobCalls) -> None:
    """What the image's entrypoint prints is in the job log; what it exports is in the script."""
    prepare = next(call for call in job.calls if call.stage == "prepare")
    assert "setting up\n" in prepare.output
    assert shell(job, 'echo "$FROM_ENTRYPOINT"') == ["kept"]


@pytest.mark.parametrize(
    ("sub_stage", "kind"),
    [
        ("prepare_script", "helper"),
        ("get_sources", "helper"),
        ("clear_worktree", "helper"),
        ("restore_cache", "helper"),
        ("download_artifacts", "helper"),
        ("archive_cache", "helper"),
        ("archive_cache_on_failure", "helper"),
        ("upload_artifacts_on_success", "helper"),
        ("upload_artifacts_on_failure", "helper"),
        ("build_script", "build"),
        ("step_script", "build"),
        ("step_release", "build"),
        ("after_script", "build"),
    ],
)
def test_a_sub_stage_runs_where_it_belongs(job: JobCalls, sub_stage: str, kind: str) -> None:
    """gitlab-runner's own scripts find git and gitlab-runner; the author's find the job's image."""
    call = job.script(WHERE, sub_stage=sub_stage).passed()
    # What a job took comes after the last of them.
    assert kind in call.output.splitlines()


def test_any_image_finds_docker(job: JobCalls) -> None:
    """An image that has no docker entrypoint finds the daemon, and no variable says where."""
    lines = shell(job, "env", "docker version --format 'server {{.Server.Version}}'")
    assert not any(line.startswith(("DOCKER_HOST=", "DOCKER_TLS_VERIFY=")) for line in lines)
    assert lines[-1].startswith("server 20.10.")


def test_variables_reach_the_script(job: JobCalls) -> None:
    """Build and helper see a plain variable as its value and a file variable as a path."""
    commands = ('echo "$GREETING"', 'cat "$NOTES"')
    for sub_stage in ("build_script", "download_artifacts"):
        output = job.script(*commands, sub_stage=sub_stage).passed().output
        assert "hello\n" in output
        assert output.endswith("first line\nsecond 'line'")


def test_only_the_sidecar_is_privileged(job: JobCalls, rig: Rig, witness: Witness) -> None:
    """Build, helper and service have neither its privileges nor its runtime."""
    hosts = {
        container.labels["dind-executor.type"]: container.attrs["HostConfig"]
        for container in witness.containers(job.id)
    }
    assert sorted(hosts) == ["build", "dind", "helper", "service"]
    assert [kind for kind, host in hosts.items() if host["Privileged"]] == ["dind"]
    if rig.runtime:
        assert [kind for kind, host in hosts.items() if host["Runtime"] == rig.runtime] == ["dind"]


def test_there_is_one_network_and_all_are_on_it(job: JobCalls, witness: Witness) -> None:
    """Nothing of the job is on another network, and nothing of another job is on this one."""
    networks = {
        tuple(container.attrs["NetworkSettings"]["Networks"])
        for container in witness.containers(job.id)
    }
    ((name,),) = networks
    members = witness.client.networks.get(name).attrs["Containers"].values()
    assert {each["Name"] for each in members} == {
        container.name for container in witness.containers(job.id)
    }


def test_a_service_is_reached_by_all_its_names(job: JobCalls, rig: Rig) -> None:
    """Both of the author's aliases, and both that follow from the image's name."""
    host = rig.hub.partition(":")[0]
    names = ("web", "site", f"{host}__tools__web", f"{host}-tools-web")
    ask = "git ls-remote http://{}/ 2>&1 || true"
    # git is the image's only HTTP client: what it says of an answer that is no repository is enough.
    lines = shell(job, *(ask.format(name) for name in names))
    assert sum("not found" in line for line in lines) == len(names)
    assert not any("resolve host" in line for line in lines)


def test_builds_are_at_one_path_everywhere(job: JobCalls, witness: Witness) -> None:
    """Build, helper, dind and service mount one volume at the same path."""
    places = {
        (mount["Name"], mount["Destination"])
        for container in witness.containers(job.id)
        for mount in container.attrs["Mounts"]
        if mount["Destination"].startswith("/builds")
    }
    assert len(places) == 1
    mounted = [
        container
        for container in witness.containers(job.id)
        if any(mount["Destination"] == "/builds" for mount in container.attrs["Mounts"])
    ]
    assert len(mounted) == 4


def test_a_container_of_the_job_mounts_the_project(job: JobCalls) -> None:
    """`docker run -v $CI_PROJECT_DIR:/src` sees what the helper fetched, and writes where all see."""
    run = "docker run --rm -v $CI_PROJECT_DIR:/src alpine sh -c 'cat /src/source.txt >/src/copy'"
    assert shell(job, run + " 2>/dev/null", "cat copy") == ["from the helper"]


def test_docker_is_logged_in_where_the_runner_is(job: JobCalls, rig: Rig) -> None:
    """A job pulls from and pushes to the GitLab registry without logging in itself."""
    image = f"{rig.gitlab}/group/project/built:{job.id}"
    job.script(
        f"docker pull {rig.registry_image}/docker:20.10.16",
        f"printf 'FROM {rig.registry_image}/docker:20.10.16\\nLABEL job={job.id}\\n' >Dockerfile",
        f"docker build -t {image} .",
        f"docker push {image}",
    ).passed()
    assert tag_of(rig, rig.ci_user, "group/project/built", str(job.id))


def test_a_login_of_the_authors_wins_and_lasts(job: JobCalls, rig: Rig) -> None:
    """`docker login` replaces the job's own login, for this and later sub-stages."""
    user = rig.deploy_user
    job.script(
        f"echo '{user.password}' | docker login -u {user.name} --password-stdin {rig.gitlab}"
    ).passed()
    config = json.loads("".join(shell(job, "cat ~/.docker/config.json")))
    assert list(config["auths"]) == [rig.gitlab]
    decoded = shell(job, f"echo {config['auths'][rig.gitlab]['auth']} | base64 -d")
    assert decoded == [f"{user.name}:{user.password}"]


def test_logins_are_private_and_in_memory(job: JobCalls, rig: Rig, witness: Witness) -> None:
    """Its directory is a tmpfs that only the job's user reads; no inspection shows what it holds."""
    lines = shell(
        job,
        'stat -c "%a %U" ~/.docker/',
        "stat -f -c %T ~/.docker/",
        "touch ~/.docker/writable",
    )
    assert lines == ["700 root", "tmpfs"]
    assert rig.ci_user.password not in witness.inspected(job.id)


def test_keys_are_minted_for_the_job_and_kept_in_memory(job: JobCalls, witness: Witness) -> None:
    """The keys are elliptic and lie on tmpfs; the authority's key is kept nowhere."""
    dind, build = witness.container(job.id, "dind"), witness.container(job.id, "build")
    held = witness.inside(dind, "find", "/certs", "-type", "f").split()
    assert sorted(held) == [
        "/certs/ca/cert.pem",
        *(f"/certs/client/{name}.pem" for name in ("ca", "cert", "key")),
        "/certs/server/ca.pem",
        "/certs/server/cert.pem",
        "/certs/server/key.pem",
    ]
    assert sorted(witness.inside(build, "find", "/certs", "-type", "f").split()) == [
        f"/certs/client/{name}.pem" for name in ("ca", "cert", "key")
    ]
    described = witness.inside(
        dind, "openssl", "x509", "-in", "/certs/server/cert.pem", "-noout", "-text"
    )
    assert "id-ecPublicKey" in described
    for container, path in ((dind, "/certs/server"), (build, "/certs/client")):
        assert witness.inside(container, "stat", "-f", "-c", "%T", path).strip() == "tmpfs"


def test_the_operators_log_tells_each_thing_done(job: JobCalls) -> None:
    """Each JSON line has job, project and stage, and object and seconds where there are any."""
    job.script("exit 3")
    text = (job.settings.parent / "operator.log").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    assert all(
        (entry["job_id"], entry["project_id"]) == (job.id, job.request.project_id)
        and "timestamp" in entry
        for entry in entries
    )
    prepared = [entry for entry in entries if entry["stage"] == "prepare"]
    events = [entry["event"] for entry in prepared]
    assert events.count("image pulled") == 4
    assert events.count("container started") == 4
    assert {"network created", "volumes created", "certificates made"} <= set(events)
    # The rig has no place for records, and each job says so.
    assert all("seconds" in entry for entry in prepared if entry["event"] != "record not left")
    assert {entry["container"] for entry in prepared if entry["event"] == "container started"} == {
        f"dind-executor-{job_key(entries)}-{kind}"
        for kind in ("build", "helper", "dind", "service-0")
    }
    assert entries[-1]["outcome"] == "exit code 3"


def job_key(entries: list[dict[str, str]]) -> str:
    """Return what the names of the job's objects have in common."""
    name = next(entry["container"] for entry in entries if "container" in entry)
    return "-".join(name.split("-")[2:4])


def test_the_last_call_of_a_job_runs_in_the_helper(job: JobCalls) -> None:
    """It comes last here too: the containers leave the job's network in it."""
    call = job.script(WHERE, sub_stage="cleanup_file_variables").passed()
    assert "helper" in call.output.splitlines()
