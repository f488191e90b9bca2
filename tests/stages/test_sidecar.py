"""The dind sidecar: who it is, which names lead to it, and how a job talks to it."""

from collections.abc import Mapping, Sequence

import pytest

from tests.generations import EXTRA, GENERATIONS
from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Login, Variable
from tests.stages.witness import Witness

CLIENT = "tools/docker-cli:1"
SERVER = "docker {} version --format '{{{{.Server.Version}}}}'"
"""A question to the daemon; a client with DOCKER_TLS_VERIFY accepts no wrong name."""


def ask(job: JobCalls, *names: str) -> list[str]:
    """Return the version that the daemon tells by itself, and by each of these names with TLS."""
    tls = "DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs/client"
    named = (f"{tls} {SERVER.format(f'-H tcp://{name}:2376')}" for name in names)
    output = job.script(SERVER.format(""), *named).passed().output
    return [line for line in output.splitlines() if not line.startswith("$ ")]


ALIASES = {
    "no service at all": (None, "", "26.1"),
    "docker:dind": ("docker:26.1-dind", "", "26.1"),
    "the old generation": ("docker:20.10.16-dind", "", "20.10"),
    **({"the rig's own generation": (EXTRA, "", "")} if EXTRA in GENERATIONS else {}),
    "another alias": ("docker:26.1-dind", "builder", "26.1"),
    "two other aliases": ("docker:26.1-dind", "builder, daemon.local", "26.1"),
    "a registry path, alias forgotten": ("{registry}/docker:20.10.16-dind", "", "20.10"),
    "the dependency proxy, other alias": ("{proxy}/docker:18.09.7-dind", "builder", "18.09"),
}


@pytest.mark.family(2)
@pytest.mark.parametrize(("image", "alias", "version"), ALIASES.values(), ids=ALIASES)
def test_every_name_leads_to_the_sidecar(
    rig: Rig, start: Start, login: Login, image: str | None, alias: str, version: str
) -> None:
    """`docker`, the author's aliases and those of the image's name resolve, and TLS verifies them."""
    name = (image or "").format(registry=rig.registry_image, proxy=rig.proxy_prefix)
    path = name.rpartition(":")[0].replace(":5000", "").replace(":5002", "")
    derived = [path.replace("/", "__"), path.replace("/", "-")] if path else []
    request = JobRequest(
        image=rig.special(CLIENT),
        services=[{"name": name, "alias": alias}] if image else [],
        logins=[login, Login(rig.proxy, login.username, login.password)],
    )
    job = start(request)
    job.up()
    names = ["docker", *alias.replace(",", " ").split(), *derived]
    versions = ask(job, *names)
    if rig.images != "official":
        # The rig's own image of that name holds the oldest engine that Debian still has.
        version = version.replace("18.09", "20.10")
    assert len(versions) == 1 + len(names)
    if image == EXTRA:
        version = rig.engine_version
    assert all(f"{each}.".startswith(f"{version}.") for each in versions)


def test_dind_is_known_by_what_it_is(
    rig: Rig, start: Start, witness: Witness, images: Images
) -> None:
    """An image whose name says nothing takes the sidecar's place once the administrator admits it."""
    name = rig.special("tests/builder:1")
    images.publish(images.known("docker:20.10.16-dind"), name)
    request = JobRequest(image=rig.special(CLIENT), services=[{"name": name, "alias": "daemon"}])
    job = start(request, {"dind": {"allowed_images": ["**/tests/builder:*"]}})
    prepare = job.up()
    assert "WARNING" not in prepare.output
    assert [each.startswith("20.10.") for each in ask(job, "docker", "daemon")] == [True] * 3
    assert len(witness.containers(job.id)) == 3


def test_a_dind_that_is_not_admitted_is_replaced(rig: Rig, start: Start, witness: Witness) -> None:
    """The administrator's image runs in its place, under the author's names, and the log says so."""
    request = JobRequest(
        image=rig.special(CLIENT),
        services=[{"name": "docker:20.10.16-dind", "alias": "builder", "command": ["--debug"]}],
    )
    job = start(request, {"dind": {"allowed_images": ["docker:26*-dind"]}})
    prepare = job.up()
    sentence = '`[dind] allowed_images` does not allow the dind image "docker:20.10.16-dind":'
    assert sentence in prepare.output
    assert [each.startswith("26.1.") for each in ask(job, "docker", "builder")] == [True] * 3
    assert "--debug" not in witness.container(job.id, "dind").attrs["Args"]


def test_a_replacement_that_cannot_be_had(rig: Rig, start: Start) -> None:
    """The author is told which two keys are in the way, before and in the error, once."""
    name = f"{rig.hub}/corp/my-dind:1"
    changes: Changes = {"dind": {"image": "127.0.0.1:1/docker:28-dind", "allowed_images": ["x"]}}
    job = start(JobRequest(services=[{"name": name}]), changes)
    job.config().passed()
    call = job.prepare()
    assert call.code == BUILD_FAILURE
    warning = f'`[dind] allowed_images` does not allow the dind image "{name}"'
    assert call.stdout.index(warning) < call.stdout.index("Pulling docker image")
    assert call.output.count(warning) == 1
    error = call.stderr[call.stderr.index("ERROR: ") :]
    assert f'"{name}" is not on the list of `[dind] allowed_images`, and `[dind] image`' in error


def test_a_replacement_keeps_the_authors_mirrors(rig: Rig, start: Start) -> None:
    """The operator's image has the mirrors and insecure registries of the service's command."""
    command = ["dockerd", "--debug", "--registry-mirror", "http://mirror.example:5000"]
    command.append("--insecure-registry=insecure.example:5000")
    services = [{"name": f"{rig.hub}/corp/my-dind:1", "command": command}]
    job = start(JobRequest(rig.special(CLIENT), services=services))
    job.up()
    asked = "docker info -f '{{.RegistryConfig.Mirrors}} {{.RegistryConfig.InsecureRegistryCIDRs}}'"
    output = job.script(asked, "docker info").passed().output
    assert "http://mirror.example:5000" in output
    assert "insecure.example:5000" in output


def test_command_and_variables_of_a_service_reach_dockerd(rig: Rig, start: Start) -> None:
    """dockerd gets the service's arguments after ours, and variables are expanded in both.

    The administrator's lists admit both images by what they are when expanded.
    """
    service = {
        "name": "docker:26.1-dind",
        "command": ["--label=rank=$RANK", "--mtu=1400"],
        "variables": [
            {"key": "HTTPS_PROXY", "value": "http://proxy.example:$PORT"},
            {"key": "NO_PROXY", "value": rig.address},
        ],
    }
    variables = [Variable("PORT", "3128"), Variable("CLIENT", rig.special(CLIENT))]
    lists = {"allowed_images": [f"{rig.hub}/tools/*:*"], "allowed_services": ["docker:*-dind"]}
    request = JobRequest("$CLIENT", services=[service], variables=variables)
    job = start(request, {"docker": lists})
    job.up()
    output = job.script("docker info -f '{{.Labels}} {{.HTTPSProxy}}'").passed().output
    assert output.endswith("[rank=$RANK] http://proxy.example:3128\n")


def test_a_program_in_front_of_dockerd_sees_the_jobs_variables(start: Start) -> None:
    """It sees public variables as any service does; those for Docker's client stay away."""
    service = {
        "name": "docker:26.1-dind",
        "command": [
            "sh",
            "-c",
            'exec dockerd-entrypoint.sh --label="seen=$SEEN$DOCKER_CONFIG$KEPT"',
        ],
    }
    variables = [
        Variable("SEEN", "public"),
        Variable("KEPT", "private", public=False),
        Variable("DOCKER_CONFIG", "/tmp/client"),
    ]
    job = start(JobRequest("docker:26.1-cli", services=[service], variables=variables))
    job.up()
    output = job.script("docker info -f '{{.Labels}}'").passed().output
    assert output.endswith("[seen=public]\n")


def test_mode_service_leaves_other_jobs_without_a_sidecar(start: Start, witness: Witness) -> None:
    """Neither the sidecar nor its volume nor its variables are there where no service asks for it."""
    job = start(JobRequest("alpine"), {"dind": {"mode": "service"}})
    job.up()
    output = job.script("env").passed().output
    assert "DOCKER_HOST=" not in output
    kinds = sorted(each.labels["dind-executor.type"] for each in witness.containers(job.id))
    assert kinds == ["build", "helper"]
    volumes = {each for each in witness.objects(job.id) if each.startswith("volume")}
    assert {each.rpartition("-")[2] for each in volumes} == {"builds", "uses"}


def test_an_empty_certdir_means_plain_tcp_without_the_delay(
    rig: Rig, start: Start, witness: Witness
) -> None:
    """The job is served on 2375, and dockerd does not say that it slows itself down."""
    job = start(JobRequest(rig.special(CLIENT), variables=[Variable("DOCKER_TLS_CERTDIR", "")]))
    job.up()
    output = job.script("env", SERVER.format("")).passed().output
    assert "DOCKER_HOST=tcp://docker:2375\n" in output
    assert "DOCKER_TLS_VERIFY=" not in output
    log = witness.log(job.id, "dind")
    assert "API listen on [::]:2375" in log
    assert "slowed down" not in log


DIND_SERVICE: Sequence[Mapping[str, object]] = ({"name": "docker:26.1-dind"},)
REFUSED: dict[str, tuple[dict[str, str], Changes, str]] = {
    "empty DOCKER_TLS_CERTDIR": (
        {"DOCKER_TLS_CERTDIR": ""},
        {"dind": {"allow_plain_tcp": False}},
        'The job sets DOCKER_TLS_CERTDIR to "", which asks for Docker without TLS',
    ),
    "port 2375": (
        {"DOCKER_HOST": "tcp://docker:2375"},
        {"dind": {"allow_plain_tcp": False}},
        "The job sets DOCKER_HOST to tcp://docker:2375, which asks for Docker without TLS",
    ),
    "relative DOCKER_TLS_CERTDIR": (
        {"DOCKER_TLS_CERTDIR": "certs"},
        {},
        'DOCKER_TLS_CERTDIR is "certs". Set it to an absolute path',
    ),
}


@pytest.mark.parametrize(("variables", "changes", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_transport_that_cannot_be(
    start: Start, variables: dict[str, str], changes: Changes, sentence: str
) -> None:
    """The author is told what the administrator does not admit, and which variable asks for it."""
    own = [Variable(key, value) for key, value in variables.items()]
    job = start(JobRequest(variables=own, services=DIND_SERVICE), changes)
    job.config().passed()
    call = job.prepare()
    assert (call.code, sentence in call.output) == (BUILD_FAILURE, True), call.output


def test_a_job_that_says_where_docker_is_is_obeyed(rig: Rig, start: Start) -> None:
    """The page's own variables work, and so does another directory for the certificates."""
    variables = [
        Variable("DOCKER_HOST", "tcp://builder:2376"),
        Variable("DOCKER_TLS_CERTDIR", "/own/certs"),
        Variable("DOCKER_CERT_PATH", "/own/certs/client"),
        Variable("DOCKER_BUILDKIT", "0"),
    ]
    services = [{"name": "docker:26.1-dind", "alias": "builder"}]
    job = start(JobRequest(rig.special(CLIENT), services=services, variables=variables))
    job.up()
    output = job.script("env", "ls /own/certs/client", SERVER.format("")).passed().output
    for variable in variables:
        assert f"{variable.key}={variable.value}\n" in output
    assert "ca.pem\ncert.pem\nkey.pem\n" in output


def test_a_job_may_use_another_daemon(rig: Rig, start: Start) -> None:
    """DOCKER_HOST of the job leads where it says, not to the sidecar."""
    variables = [Variable("DOCKER_HOST", "tcp://elsewhere.example:2376")]
    job = start(JobRequest(rig.special(CLIENT), variables=variables))
    job.up()
    call = job.script(SERVER.format(""))
    assert call.code == BUILD_FAILURE
    assert "elsewhere.example" in call.output


CONFLICTS = {
    "two dind services": (
        [{"name": "docker:26.1-dind"}, {"name": "docker:20.10.16-dind", "alias": "other"}],
        (
            'The services "docker:26.1-dind" and "docker:20.10.16-dind" are both'
            ' Docker-in-Docker, and only one of them can have the name "docker": keep one of'
            " them in `services`."
        ),
    ),
    "a service that is not dind": (
        [{"name": "{hub}/tools/web:1", "alias": "docker"}, {"name": "docker:26.1-dind"}],
        'The service "{hub}/tools/web:1" uses the name "docker" and is not Docker-in-Docker, while',
    ),
    "an image that is not dind": (
        [{"name": "docker:26.1-cli"}, {"name": "docker:26.1-dind"}],
        'The service "docker:26.1-cli" uses the name "docker" and is not Docker-in-Docker, while',
    ),
}


@pytest.mark.parametrize(("services", "sentence"), CONFLICTS.values(), ids=CONFLICTS)
def test_the_name_docker_has_one_owner(
    rig: Rig, start: Start, services: list[dict[str, object]], sentence: str
) -> None:
    """One clear message, and never the last one wins."""
    named = [{**each, "name": str(each["name"]).format(hub=rig.hub)} for each in services]
    job = start(JobRequest(services=named))
    job.config().passed()
    call = job.prepare()
    assert call.code == BUILD_FAILURE
    assert f"ERROR: {sentence.format(hub=rig.hub)}" in call.stderr


def test_a_service_that_is_not_dind_keeps_the_name_docker(rig: Rig, start: Start) -> None:
    """A job that lists no dind has no sidecar beside it, and reads why."""
    services = [{"name": rig.special("tools/web:1"), "alias": "docker"}]
    job = start(JobRequest(services=services))
    assert "so this job gets no Docker-in-Docker sidecar" in job.up().output
    output = job.script("wget -qO- http://docker/; echo host=$DOCKER_HOST").passed().output
    assert "a service that is not dind\nhost=\n" in output


def test_a_name_that_is_taken_is_skipped_with_a_warning(rig: Rig, start: Start) -> None:
    """The first service that claims a name keeps it."""
    web = rig.special("tools/web:1")
    services = [{"name": web, "alias": "one"}, {"name": web, "alias": "one two"}]
    job = start(JobRequest(services=services), {"dind": {"mode": "service"}})
    prepare = job.up()
    assert f'Skipping alias "one" for service "{web}" (services[1])' in prepare.output
    output = job.script("wget -qO- http://one/", "wget -qO- http://two/").passed().output
    assert output.count("a service that is not dind\n") == 2
