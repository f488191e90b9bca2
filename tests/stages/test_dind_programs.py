"""A dind service is what it is, however it is started: names, mirrors, addresses and transport."""

import ipaddress
import json
from collections.abc import Mapping

import pytest

from tests.generations import NEW, OLD
from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

MTU = 1380
CHANGES: Changes = {"docker": {"network_mtu": MTU}, "dind": {"command": ["--label=settings=yes"]}}
DOCKERS_OWN = [ipaddress.ip_network(each) for each in ("172.16.0.0/12", "192.168.0.0/16")]
PLAIN = {"DOCKER_TLS_CERTDIR": ""}
INSIDE = r"""
docker run --rm alpine sh -c 'cat /sys/class/net/eth0/mtu; wget -qO- http://web/' 2>/dev/null
printf 'FROM alpine\nRUN wget -qO- http://web/\n' | docker build --quiet - >/dev/null 2>&1
docker network inspect bridge -f '{{json .IPAM.Config}}'
docker info -f '{{json .RegistryConfig.Mirrors}}'
docker info -f '{{json .Labels}}'
"""


def started(start: Start, rig: Rig, service: Mapping[str, object], **variables: str) -> JobCalls:
    """Start a job with this dind service beside another service, and with these variables."""
    web = {"name": rig.special("tools/web:1"), "alias": "web"}
    own = [Variable(key, value) for key, value in variables.items()]
    request = JobRequest(rig.special("tools/docker-cli:1"), [service, web], own)
    mirrors = {"registry_mirrors": [rig.mirror]} if rig.mirror else {}
    job = start(request, {**CHANGES, "dind": {**CHANGES["dind"], **mirrors}})
    job.up()
    return job


def lines(job: JobCalls, *commands: str) -> list[str]:
    """Run commands as the author's and return what they print."""
    output = job.script(*commands).passed().stdout
    return [line for line in output.splitlines() if not line.startswith("$ ")]


def looked_inside(job: JobCalls, rig: Rig) -> None:
    """Check that the job's dockerd has been told what any dockerd is told."""
    mtu, web, bridge, mirrors, labels = lines(job, *INSIDE.strip().splitlines())
    assert (mtu, web) == (str(MTU), "a service that is not dind")
    subnet = ipaddress.ip_network(json.loads(bridge)[0]["Subnet"])
    assert not any(subnet.overlaps(each) for each in DOCKERS_OWN)
    assert json.loads(mirrors) == ([f"{rig.mirror}/"] if rig.mirror else [])
    assert "settings=yes" in json.loads(labels)


SHELL = "exec dockerd-entrypoint.sh"
SANE_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "env": (
        {"name": NEW, "entrypoint": ["env", "-u", "DOCKER_HOST"], "command": [SHELL[5:]]},
        {},
    ),
    "plain TCP, twice": (
        {"name": NEW, "entrypoint": ["dockerd-entrypoint.sh", "--tls=false"]},
        {"DOCKER_HOST": "tcp://docker:2375", **PLAIN},
    ),
    "a shell with more to do": (
        {"name": OLD, "command": ["/bin/sh", "-c", f"update-ca-certificates; {SHELL}"]},
        PLAIN,
    ),
    "dockerd alone": ({"name": OLD, "command": ["dockerd", "--host=tcp://0.0.0.0:2375"]}, {}),
    "dockerd by its path": (
        {"name": NEW, "command": ["sh", "-c", "$(command -v dockerd) -H tcp://0.0.0.0:2375"]},
        {},
    ),
    "a login shell": ({"name": NEW, "entrypoint": ["sh", "-lc", SHELL]}, {}),
    "no environment": (
        {"name": OLD, "entrypoint": ["env", "-i", SANE_PATH, "dockerd-entrypoint.sh"]},
        {},
    ),
    "no word on where": ({"name": NEW, "command": ["dockerd"]}, {}),
    "another port": (
        {"name": NEW, "command": ["dockerd", "-H", "tcp://0.0.0.0:4321"]},
        {"DOCKER_HOST": "tcp://docker:4321"},
    ),
    "an init": ({"name": OLD, "entrypoint": ["docker-init", "--", "dockerd-entrypoint.sh"]}, {}),
}


@pytest.mark.family(3)
@pytest.mark.parametrize(("service", "variables"), PROGRAMS.values(), ids=PROGRAMS)
def test_whatever_starts_dockerd(
    rig: Rig,
    start: Start,
    witness: Witness,
    service: dict[str, object],
    variables: dict[str, str],
) -> None:
    """It knows the network and the registries around it, and does not wait to warn of plain TCP."""
    job = started(start, rig, service, **variables)
    looked_inside(job, rig)
    assert "slowed down" not in witness.log(job.id, "dind")


def test_an_image_from_before_tls(rig: Rig, start: Start, witness: Witness) -> None:
    """It listens on 2375 where nobody says anything, and the job reaches it there."""
    job = started(start, rig, {"name": rig.special("before-tls/docker:18.06-dind")})
    looked_inside(job, rig)
    log = witness.log(job.id, "dind")
    assert "API listen on [::]:2375" in log
    assert "slowed down" not in log


def test_a_configuration_that_the_service_writes(rig: Rig, start: Start) -> None:
    """What its file says counts, and dockerd is told the rest."""
    told = {"bip": "10.99.0.1/24", "insecure-registries": ["registry.example:5000"], "tls": False}
    write = f"mkdir -p /etc/docker; echo '{json.dumps(told)}' >/etc/docker/daemon.json; {SHELL}"
    service = {"name": NEW, "command": ["sh", "-c", write]}
    job = started(start, rig, service, **PLAIN)
    bridge, registries, web = lines(
        job,
        "docker network inspect bridge -f '{{json .IPAM.Config}}'",
        "docker info -f '{{json .RegistryConfig.IndexConfigs}}'",
        "docker run --rm alpine wget -qO- http://web/ 2>/dev/null",
    )
    assert json.loads(bridge)[0]["Subnet"] == "10.99.0.0/24"
    assert "registry.example:5000" in json.loads(registries)
    assert web == "a service that is not dind"


def test_what_else_jobs_do_with_their_dind(rig: Rig, start: Start) -> None:
    """A tool mounts the socket and the project, and a container's port is reached at `docker`."""
    service = {"name": NEW, "entrypoint": ["sh", "-c", SHELL]}
    job = started(start, rig, service)
    found = lines(
        job,
        "echo from the project >told",
        "docker run --rm -v /var/run/docker.sock:/var/run/docker.sock -v $PWD:$PWD -w $PWD"
        " --entrypoint sh docker:26.1-cli -c 'cat told; docker version -f {{.Server.Os}}'"
        " 2>/dev/null",
        f"docker run -d -p 8080:80 {rig.special('tools/web:1')} >/dev/null 2>&1",
        # A container that runs is not yet a server that listens.
        "timeout 60 bash -c 'until (: >/dev/tcp/docker/8080) 2>/dev/null; do sleep 0.1; done'",
        "exec 3<>/dev/tcp/docker/8080; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; tail -n 1 <&3",
    )
    assert found == ["from the project", "linux", "a service that is not dind"]
