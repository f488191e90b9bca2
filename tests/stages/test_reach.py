"""How a job reaches its daemon: one that says nothing of transport, and one that does."""

import signal

import pytest

from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

BARE = "tools/docker-cli:1"
"""A client of 20.10 in an image without an entrypoint."""
OFFICIAL = "docker:26.1-cli"
"""A newer client behind the entrypoint of the official images."""
NEW, OLD = "docker:26.1-dind", "docker:20.10.16-dind"

LOCAL = {"docker": {"pull_policy": "if-not-present"}}
USER = (
    "mkdir /home/ci && chown 1000 /home/ci && echo ci:x:1000:1000::/home/ci:/bin/sh >>/etc/passwd"
)
SERVER = "docker version -f '{{.Server.Version}}'"
UNVEILED = "env | grep -E '^(DOCKER_(HOST|TLS_V|CERT|CON)|TESTC)' || true"
ELSEWHERE = "{ docker ps 2>&1 || true; } | grep -o 127.0.0.1:1"
NESTED = (
    "docker run --rm -v /certs/client:/certs/client:ro -e DOCKER_HOST -e DOCKER_TLS_VERIFY"
    " -e DOCKER_CERT_PATH {} docker version -f '{{{{.Server.Version}}}}' 2>/dev/null"
)


def lines(job: JobCalls, *commands: str) -> list[str]:
    """Return what an author's commands print to stdout."""
    output = job.script(*commands).passed().stdout
    return [line for line in output.splitlines() if not line.startswith("$ ")]


@pytest.mark.family(2)
@pytest.mark.parametrize(
    ("client", "dind"), [(OFFICIAL, NEW), (OFFICIAL, OLD), (BARE, NEW), ("a user", OLD)]
)
def test_a_silent_job_reaches_its_daemon_where_clients_look(
    rig: Rig, start: Start, images: Images, client: str, dind: str
) -> None:
    """No variable says where; without an environment, and with a context in between, it is there.

    The contexts that the job makes itself count, and no command goes to the sidecar unasked.
    """
    image = {OFFICIAL: OFFICIAL, BARE: rig.special(BARE)}.get(client, "")
    made = image or str(images.changed(rig.special(BARE), USER, "USER ci").id)
    job = start(JobRequest(made, services=[{"name": dind}]), {} if image else LOCAL)
    job.up()

    said = lines(
        job,
        UNVEILED,
        SERVER,
        f"env -i $(command -v docker){SERVER.removeprefix('docker')}",
        "docker context create prod --docker host=tcp://127.0.0.1:1 >/dev/null 2>&1",
        "docker context use prod >/dev/null 2>&1",
        ELSEWHERE,
        "docker context use default >/dev/null 2>&1",
        SERVER,
    )

    version = dind.partition(":")[2][:4]
    assert said[0] == "TESTCONTAINERS_HOST_OVERRIDE=docker"
    assert [each[:4] for each in said[1:]] == [version, version, "127.", version]


def test_a_context_by_variable_counts(start: Start) -> None:
    """DOCKER_CONTEXT of a job is obeyed also behind an entrypoint that sets DOCKER_HOST itself."""
    job = start(JobRequest(OFFICIAL, variables=[Variable("DOCKER_CONTEXT", "prod")]))
    job.up()

    said = lines(
        job,
        "docker context create prod --docker host=tcp://127.0.0.1:1 >/dev/null 2>&1",
        ELSEWHERE,
        f"DOCKER_CONTEXT= {SERVER}",
    )

    assert [each[:5] for each in said] == ["127.0", "26.1."]


def test_a_silent_job_makes_builders_and_runs_as_others(start: Start) -> None:
    """`docker buildx create` finds no TLS in the way; another user of the image has the daemon too."""
    job = start(JobRequest(OFFICIAL))
    job.up()

    said = lines(
        job,
        "docker buildx create --use --name mine --driver docker-container >/dev/null",
        "docker buildx inspect mine | grep -o 'Driver: .*\\|Endpoint: .*' | tr -s ' '",
        f"chroot --userspec=65534:65534 / {SERVER}",
        "stat -L -c %a /var/run/docker.sock",
    )

    endpoint = "Endpoint: unix:///var/run/docker.sock"
    assert said == ["Driver: docker-container", endpoint, "26.1.5+dfsg1", "666"]


def test_a_user_has_the_daemon_again_in_a_new_container(
    rig: Rig, start: Start, images: Images
) -> None:
    """After a cancel, after_script begins in a container that is made anew, with its link."""
    image = str(images.changed(rig.special(BARE), USER, "USER ci").id)
    job = start(JobRequest(image), LOCAL)
    job.up()
    going = job.start_run("build_script", job.authors("echo begun", "sleep 60"))
    going.wait_for("begun\n")
    going.signal(signal.SIGTERM)
    going.finish()

    call = job.script(UNVEILED, SERVER, sub_stage="after_script").passed()

    assert "DOCKER_HOST" not in call.stdout
    assert "\n26.1." in call.stdout


@pytest.mark.family(3)
@pytest.mark.parametrize(
    "variables",
    [
        {"DOCKER_HOST": "tcp://docker:2376"},
        {"DOCKER_TLS_VERIFY": "1"},
        {"DOCKER_TLS_CERTDIR": "/certs"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_a_job_that_names_the_transport_gets_all_of_it(
    rig: Rig, start: Start, variables: dict[str, str]
) -> None:
    """A client in a container inside gets by these variables to the same daemon."""
    job = start(
        JobRequest(
            rig.special(BARE),
            services=[{"name": NEW, "alias": "docker"}],
            variables=[Variable(*each) for each in variables.items()],
        )
    )
    job.up()

    said = lines(job, UNVEILED, SERVER, NESTED.format(rig.special(BARE)))

    assert sorted(said[:3]) == [
        "DOCKER_CERT_PATH=/certs/client",
        "DOCKER_HOST=tcp://docker:2376",
        "DOCKER_TLS_VERIFY=1",
    ]
    assert said[3:] == ["26.1.5+dfsg1"] * 2


@pytest.mark.family(2)
@pytest.mark.parametrize(
    "variables", [{"DOCKER_HOST": "tcp://127.0.0.1:1"}, {"DOCKER_HOST": ""}], ids=str
)
def test_a_job_that_names_another_daemon_gets_nothing_besides(
    rig: Rig, start: Start, variables: dict[str, str]
) -> None:
    """TLS variables of ours would break a plain one; an empty name leads to the sidecar."""
    given = [Variable(*each) for each in variables.items()]
    job = start(JobRequest(rig.special(BARE), variables=given))
    job.up()

    said = lines(job, UNVEILED, f"{{ {SERVER} 2>&1 || true; }} | grep -o '^26.1\\|127.0.0.1:1'")

    host = variables["DOCKER_HOST"]
    assert said == [f"DOCKER_HOST={host}", host[6:] or "26.1"]


HOSTS = '{"hosts": ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2376"]}'


def test_a_dind_that_shares_no_socket_is_reached_by_tls(
    rig: Rig, start: Start, images: Images
) -> None:
    """One whose daemon.json names the hosts can be told of no other; scripts find that out."""
    write = f"mkdir -p /etc/docker; echo '{HOSTS}' >/etc/docker/daemon.json"
    image = images.changed(NEW, write, 'ENTRYPOINT ["dockerd"]', "CMD []")
    name = rig.special("tests/hosts-dind:1")
    images.publish(image, name)
    own = {"dind": {"allowed_images": ["**/tests/hosts-dind:*"]}}
    job = start(JobRequest(OFFICIAL, services=[{"name": name}]), own)
    job.up()

    said = lines(job, UNVEILED, SERVER, "ls /var/run/docker.sock 2>/dev/null || echo none")

    assert "DOCKER_HOST=tcp://docker:2376" in said
    assert said[-2:] == ["26.1.5+dfsg1", "none"]


def test_an_administrator_may_keep_the_socket_away(
    rig: Rig, start: Start, witness: Witness
) -> None:
    """Containers with kernels of their own share none: all jobs get the variables then."""
    job = start(JobRequest(rig.special(BARE)), {"dind": {"socket": False}})
    job.up()

    said = lines(job, UNVEILED, SERVER)

    assert "DOCKER_HOST=tcp://docker:2376" in said
    assert said[-1] == "26.1.5+dfsg1"
    assert not any("-socket" in name for name in witness.volumes(job.id))


def test_a_service_does_not_reach_the_daemon(rig: Rig, start: Start, witness: Witness) -> None:
    """It has no socket, and the ports want a certificate."""
    service = {"name": rig.special(BARE), "alias": "beside", "command": ["sleep", "60"]}
    job = start(JobRequest(OFFICIAL, services=[service]))
    job.up()
    assert lines(job, SERVER) == ["26.1.5+dfsg1"]
    beside = witness.container(job.id, "service")

    for host, error in (
        ("unix:///var/run/docker.sock", "Cannot connect"),
        ("unix:///run/dind-executor-socket/dind/docker.sock", "Cannot connect"),
        ("tcp://docker:2375", "Cannot connect"),
        ("tcp://docker:2376", "Client sent an HTTP request to an HTTPS server"),
    ):
        done = beside.exec_run(["docker", "-H", host, "version"])
        assert done.exit_code
        assert error in str(done.output)


def test_an_entrypoint_may_wait_for_docker(rig: Rig, start: Start, images: Images) -> None:
    """The daemon is where such an entrypoint looks before any script runs."""
    wait = "printf '#!/bin/sh\\nuntil docker version; do sleep 0.1; done >/dev/null 2>&1\\nexec \"$@\"\\n' >/wait\nchmod 755 /wait"
    image = images.changed(rig.special(BARE), wait, 'ENTRYPOINT ["/wait"]')
    job = start(JobRequest(str(image.id)), LOCAL)
    job.up()

    assert lines(job, UNVEILED, SERVER) == ["TESTCONTAINERS_HOST_OVERRIDE=docker", "26.1.5+dfsg1"]


def test_an_images_own_variables_stand(rig: Rig, start: Start, images: Images) -> None:
    """What an image says of the daemon is not said otherwise; of TLS it gets the rest."""
    own = "DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs/client"
    tls = images.variant(rig.special(BARE), "tls", f"ENV {own}")
    host = images.variant(rig.special(BARE), "host", "ENV DOCKER_HOST=tcp://127.0.0.1:1")
    jobs = [start(JobRequest(str(each.id)), LOCAL) for each in (tls, host)]
    for each in jobs:
        each.up()

    assert lines(jobs[0], SERVER) == ["26.1.5+dfsg1"]
    said = lines(jobs[1], UNVEILED, ELSEWHERE)
    assert said == [
        "DOCKER_HOST=tcp://127.0.0.1:1",
        "TESTCONTAINERS_HOST_OVERRIDE=docker",
        "127.0.0.1:1",
    ]
