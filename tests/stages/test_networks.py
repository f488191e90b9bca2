"""The networks around and inside a sidecar, seen by containers that a job starts in it.

One job for each generation of dockerd: a small MTU, and nothing said of mirrors and authorities,
so that they come from the engine's host.
"""

import ipaddress
import json
import re
from pathlib import Path

import pytest

from executor.host.network import host_mtu
from tests.generations import GENERATIONS, OLD
from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images, tag_of
from tests.stages.request import JobRequest, Login, new_job_id
from tests.stages.witness import Witness

MTU = 1380
MTU_OPTION = "com.docker.network.driver.mtu"
HAS_IPV6 = Path("/proc/net/if_inet6").exists()
CHANGES: Changes = {
    "docker": {"network_mtu": MTU},
    "dind": {"registry_mirrors": [], "volumes": []},
}
IPV6_RULES = 27
"""The first major version of the engine that keeps networks apart over IPv6 by itself."""
LOOK = "cat /sys/class/net/eth0/mtu; wget -qO- http://web/"


@pytest.fixture(scope="module")
def has_ipv6(witness: Witness) -> bool:
    """Tell whether a job here may have IPv6."""
    told = witness.client.info()
    major = int(told["ServerVersion"].partition(".")[0])
    return HAS_IPV6 and (major >= IPV6_RULES or told["ExperimentalBuild"])


@pytest.fixture(scope="module", params=GENERATIONS)
def job(
    request: pytest.FixtureRequest,
    rig: Rig,
    start_standing: Start,
    login: Login,
    has_ipv6: bool,  # noqa: FBT001 (a fixture)
) -> JobCalls:
    """Return a job with dind of one generation, and a service that answers to `web`."""
    web = {"name": rig.special("tools/web:1"), "alias": "web"}
    services = [{"name": request.param}, web]
    changes: Changes = {**CHANGES, "docker": {**CHANGES["docker"], "enable_ipv6": has_ipv6}}
    job = start_standing(
        JobRequest(rig.special("tools/docker-cli:1"), services, (), [login]), changes
    )
    job.up()
    return job


def is_old(job: JobCalls) -> bool:
    """Tell whether the job's dockerd is of the older generation."""
    return job.request.services[0]["name"] == OLD


def lines(job: JobCalls, *commands: str) -> list[str]:
    """Run commands as the author's and return what they print."""
    output = job.script(*commands).passed().stdout
    return [line for line in output.splitlines() if not line.startswith("$ ")]


def test_a_container_reaches_services_by_name(job: JobCalls) -> None:
    """dind's default network has the MTU of the way out and the job's name servers."""
    found = lines(job, f"docker run --rm alpine sh -c '{LOOK}' 2>/dev/null")
    assert found == [str(MTU), "a service that is not dind"]


def test_a_container_on_the_sidecars_network(job: JobCalls) -> None:
    """`--network host` is the sidecar's own, on the job's network."""
    found = lines(job, f"docker run --rm --network host alpine sh -c '{LOOK}' 2>/dev/null")
    assert found == [str(MTU), "a service that is not dind"]


def test_a_network_of_the_jobs_own(job: JobCalls) -> None:
    """A network as compose makes one works; an older dockerd holds TCP to the MTU outside."""
    found = lines(
        job,
        "docker network create own >/dev/null",
        f"docker run --rm --network own alpine sh -c '{LOOK}' 2>/dev/null",
    )
    assert found == ["1500" if is_old(job) else str(MTU), "a service that is not dind"]


def test_an_older_dockerd_clamps_what_leaves(job: JobCalls, witness: Witness) -> None:
    """TCP is clamped where networks have an MTU that the way out lacks, and nowhere else."""
    rules = witness.inside(witness.container(job.id, "dind"), "iptables", "-t", "mangle", "-S")
    assert ("TCPMSS --clamp-mss-to-pmtu" in rules) == is_old(job)


def test_a_build_reaches_services_by_name(job: JobCalls) -> None:
    """A RUN step is no worse off than a container."""
    dockerfile = r"FROM alpine\nRUN wget -qO- http://web/ >/told\n"
    build = f"printf '{dockerfile}' | docker build --quiet --no-cache --tag told"
    look = "docker run --rm told cat /told"
    commands = (f"{build} - 2>/dev/null", look, f"{build} --network host - 2>/dev/null", look)
    assert lines(job, *commands)[1::2] == ["a service that is not dind"] * 2


def test_addresses_inside_are_nowhere_outside(job: JobCalls, witness: Witness) -> None:
    """Neither dind's default network nor those that a job makes hide what a job may reach."""
    (name,) = witness.container(job.id, "dind").attrs["NetworkSettings"]["Networks"]
    outside = [
        ipaddress.ip_network(each["Subnet"])
        for network in (name, "bridge")
        for each in witness.client.networks.get(network).attrs["IPAM"]["Config"]
    ]
    format_ = "'{{json .IPAM.Config}}'"
    found = lines(
        job,
        "docker network create pool >/dev/null",
        f"docker network inspect bridge pool -f {format_}",
    )
    inside = [ipaddress.ip_network(each["Subnet"]) for line in found for each in json.loads(line)]
    pairs = [
        (one, other) for one in inside for other in outside if one.version == other.version == 4
    ]
    assert len(pairs) == 4
    assert not any(one.overlaps(other) for one, other in pairs)


def test_networks_that_a_job_gives_addresses(job: JobCalls, witness: Witness) -> None:
    """Those of a lone dind are free, all of them; a container there reaches the job's services."""
    (own,) = witness.container(job.id, "dind").attrs["NetworkSettings"]["Networks"]
    config = witness.client.networks.get(own).attrs["IPAM"]["Config"]
    subnet = next(each["Subnet"] for each in config if ":" not in each["Subnet"])
    asked = [*(f"172.{each}.0.0/16" for each in (17, 18, 19, 20)), "192.168.0.0/20"]
    around = [
        each for each in asked if ipaddress.ip_network(each).overlaps(ipaddress.ip_network(subnet))
    ]
    assert around == []
    found = lines(
        job,
        *(
            f"docker network create --subnet {each} n{number} >/dev/null;"
            f" docker run --rm --network n{number} alpine wget -qO- http://web/ 2>/dev/null"
            for number, each in enumerate(asked)
        ),
    )
    assert found == ["a service that is not dind"] * len(asked)


@pytest.fixture
def _ipv6(has_ipv6: bool) -> None:  # noqa: FBT001 (a fixture)
    if not has_ipv6:
        pytest.skip("the kernel has no IPv6, or the engine does not keep networks apart over it")


@pytest.mark.usefixtures("_ipv6")
def test_a_container_reaches_services_over_ipv6(job: JobCalls, witness: Witness) -> None:
    """The job's network and dind's default one have addresses, also on engines without a pool."""
    (service,) = witness.containers(job.id, "service")
    (network,) = service.attrs["NetworkSettings"]["Networks"].values()
    url = f"http://[{network['GlobalIPv6Address']}]/"
    found = lines(
        job,
        "getent ahostsv6 web | cut -d ' ' -f 1 | uniq",
        f"docker run --rm alpine wget -qO- {url} 2>/dev/null",
    )
    assert found == [network["GlobalIPv6Address"], "a service that is not dind"]


@pytest.mark.usefixtures("_ipv6")
def test_no_other_job_is_reached_over_ipv6(
    job: JobCalls, rig: Rig, start: Start, witness: Witness
) -> None:
    """Its network has addresses of its own, and the engine lets nobody across."""
    web = {"name": rig.special("tools/web:1"), "alias": "web"}
    other = start(JobRequest(services=[web]), {"docker": {"enable_ipv6": True}})
    other.up()
    (service,) = witness.containers(other.id, "service")
    (network,) = service.attrs["NetworkSettings"]["Networks"].values()
    ask = f"timeout 5 wget -qO- http://[{network['GlobalIPv6Address']}]/ || echo nothing"
    assert lines(other, ask) == ["a service that is not dind"]

    found = lines(job, f'docker run --rm --network host alpine sh -c "{ask}" 2>/dev/null')

    assert found == ["nothing"]


def test_the_engines_mirrors_are_dinds(job: JobCalls, rig: Rig) -> None:
    """dind uses the mirrors of the engine's own configuration."""
    (found,) = lines(job, "docker info -f '{{json .RegistryConfig.Mirrors}}'")
    assert rig.mirror in [each.rstrip("/") for each in json.loads(found)]


def test_a_push_to_a_registry_with_a_private_authority(job: JobCalls, rig: Rig) -> None:
    """dind trusts what the host trusts, and so may the job's own tools."""
    repository = f"group/project/networks-{job.id}"
    lines(
        job,
        "docker pull --quiet alpine",
        f"docker tag alpine {rig.gitlab}/{repository}:1",
        f"docker push --quiet {rig.gitlab}/{repository}:1",
        f"docker manifest inspect {rig.gitlab}/{repository}:1 >/dev/null",
    )
    assert tag_of(rig, rig.ci_user, repository, "1")


def test_a_dind_images_own_authority_stands(
    rig: Rig, start: Start, images: Images, witness: Witness
) -> None:
    """The image's authority works beside the host's of the same registry."""
    directory = f"/etc/docker/certs.d/{rig.gitlab}"
    image = images.changed("docker:26.1-dind", f"mkdir -p {directory}; echo >{directory}/own.crt")
    name = f"{rig.hub}/networks/docker:{new_job_id()}-dind"
    images.publish(image, name)
    job = start(JobRequest("docker:26.1-cli", services=[{"name": name}]), CHANGES)
    job.up()
    dind = witness.container(job.id, "dind")
    assert witness.inside(dind, "ls", directory).split() == ["dind-executor.crt", "own.crt"]


def test_an_images_own_configuration_stands(rig: Rig, start: Start, tmp_path: Path) -> None:
    """dockerd starts where its daemon.json says what dind-executor would say, and the file counts."""
    file = tmp_path / "daemon.json"
    told = {
        "mtu": 1300,
        "bip": "10.99.0.1/24",
        "default-address-pools": [{"base": "10.98.0.0/16", "size": 26}],
        "dns": ["10.97.0.1"],
        "registry-mirrors": ["https://mirror.example"],
        "insecure-registries": ["registry.example:5000"],
    }
    file.write_text(json.dumps(told), encoding="utf-8")
    dind = {
        "volumes": [f"{file}:/etc/docker/daemon.json:ro"],
        "registry_mirrors": [rig.mirror],
        "insecure_registries": ["10.96.0.0/16"],
    }
    job = start(
        JobRequest(rig.special("tools/docker-cli:1")),
        {"dind": dind, "docker": {"network_mtu": MTU}},
    )
    job.up()
    (bridge, mirrors) = lines(
        job,
        "docker network inspect bridge -f '{{json .}}'",
        "docker info -f '{{json .RegistryConfig.Mirrors}}'",
    )
    found = json.loads(bridge)
    assert found["Options"][MTU_OPTION] == "1300"
    assert found["IPAM"]["Config"][0]["Subnet"] == "10.99.0.0/24"
    assert json.loads(mirrors) == ["https://mirror.example/"]


def test_cleanup_takes_other_containers_off(start: Start, witness: Witness) -> None:
    """Somebody's container that was put on the job's network does not keep it, and lives on."""
    job = start(JobRequest(), {"dind": {"mode": "service"}})
    job.config().passed()
    job.prepare().passed()
    (name,) = witness.container(job.id, "build").attrs["NetworkSettings"]["Networks"]
    assert re.fullmatch(rf"dind-executor-{job.id}-[0-9a-f]{{10}}", name)
    network = witness.client.networks.get(name)
    labels = network.attrs["Labels"]
    assert (
        labels["dind-executor.job-id"] == labels["com.gitlab.gitlab-runner.job.id"] == str(job.id)
    )
    engines = witness.client.networks.get("bridge").attrs["Options"][MTU_OPTION]
    expected = host_mtu() if engines == "1500" else int(engines)
    assert int(network.attrs["Options"].get(MTU_OPTION, "0")) == expected
    other = witness.client.containers.run("busybox", ["sleep", "3600"], detach=True, network=name)
    try:
        job.cleanup().passed()
        assert witness.objects(job.id) == []
        other.reload()
        assert other.status == "running"
    finally:
        other.remove(force=True)
