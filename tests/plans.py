"""Jobs and the plans that follow from them, kept as golden files in tests/data/plans.

One plan is kept whole; the files of the others say how they differ from it.

`venv/bin/python -m tests.plans` writes the files anew; read the difference before committing it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from executor.plan.credentials import Catalogue, Entry
from executor.plan.environment import plan_environment
from executor.plan.images import plan_images
from executor.plan.inputs import Facts, Inputs
from executor.plan.sidecar import Sidecar, choose_sidecar
from executor.shell.serving import READY
from executor.spec import Certificates, ContainerSpec, ImageFacts, Plan, Pull, Surroundings
from tests import container_keys
from tests.builders import a_login, a_service, a_variable, some_inputs

WHOLE = "no-services"
"""The case whose plan is kept whole."""

DIRECTORY = Path(__file__).parent / "data" / "plans"
CERTIFICATES = Certificates(b"the CA\n", b"server\n", b"server's key\n", b"client\n", b"its key\n")
DIND = ImageFacts(
    "sha256:d",
    ("dockerd-entrypoint.sh",),
    (),
    ("2375/tcp", "2376/tcp"),
    ("/var/lib/docker",),
    ("DOCKER_TLS_CERTDIR=/certs",),
)
OTHER = ImageFacts("sha256:0", ("docker-entrypoint.sh",), ("server",), ("5432/tcp",))
PAGE_VARIABLES = (
    a_variable("CI_REGISTRY", "registry.example.com"),
    a_variable("CI_REGISTRY_PASSWORD", "a-registry-password", public=False, masked=True),
    a_variable("DOCKER_HOST", "tcp://docker:2376"),
    a_variable("DOCKER_TLS_CERTDIR", "/certs"),
    a_variable("CONTAINER_TEST_IMAGE", "registry.example.com/group/project:main"),
)


def a_page_job() -> Inputs:
    """Return a job of the four-stage pipeline: client, dind, TLS variables and a login."""
    login = Entry("registry.example.com", a_login(), "job payload (GitLab Registry)")
    return some_inputs(
        services=[a_service("docker:20.10.16-dind")],
        variables=PAGE_VARIABLES,
        catalogue=Catalogue((login,)),
        settings=EVERYTHING,
    )


EVERYTHING = """
[docker]
extra_hosts = ["git:10.0.0.1"]
dns = ["10.0.0.2"]
dns_search = ["example.com"]
network_mtu = 1400
enable_ipv6 = true
helper_image = "registry.example.com/helper:$CI_RUNNER_VERSION"

[dind]
volumes = ["/srv/cache:/cache-of-all:ro"]
command = ["--max-concurrent-downloads=6"]
registry_mirrors = ["https://mirror.example.com"]
insecure_registries = ["registry.local:5000"]
"""

CACHE = """
[[docker.services]]
name = "$CACHE_IMAGE"
alias = "cache, fast-$WHERE"
command = ["serve"]
entrypoint = ["sh", "-c"]
environment = ["SIZE=$HOW_MUCH", "PLAIN=a=b"]
"""
CACHE_VARIABLES = [
    a_variable("CACHE_IMAGE", "tools/cache:3"),
    a_variable("WHERE", "here"),
    a_variable("HOW_MUCH", "12 GB"),
]
DIND_SERVICE = """
[[docker.services]]
name = "registry.corp.example/docker:27-dind"
command = ["--debug"]
"""


CASES: Mapping[str, Callable[[], Inputs]] = {
    WHOLE: some_inputs,
    "page-pipeline": a_page_job,
    "registry-path-without-alias": lambda: some_inputs(
        image=a_service("registry.example.com:5000/group/project/docker:20.10.16"),
        services=[a_service("registry.example.com:5000/group/project/docker:20.10.16-dind")],
    ),
    "registry-path-with-alias": lambda: some_inputs(
        services=[
            a_service(
                "registry.example.com:5000/group/project/docker:20.10.16-dind", alias="docker"
            )
        ],
    ),
    "other-alias": lambda: some_inputs(
        services=[a_service("docker:dind", alias="engine, builder")]
    ),
    "dind-not-admitted": lambda: some_inputs(
        services=[
            a_service(
                "registry.example.com/anyone/my-dind:1",
                alias="engine",
                command=["--debug"],
                entrypoint=["/evil.sh"],
                variables=[a_variable("HTTPS_PROXY", "http://proxy:3128")],
            )
        ],
    ),
    "plain-tcp": lambda: some_inputs(
        services=[a_service("docker:dind")],
        variables=[
            a_variable("DOCKER_HOST", "tcp://docker:2375"),
            a_variable("DOCKER_TLS_CERTDIR", ""),
        ],
    ),
    "own-docker-variables": lambda: some_inputs(
        variables=[
            a_variable("DOCKER_HOST", "tcp://elsewhere:2376"),
            a_variable("DOCKER_CERT_PATH", "/my/certs"),
            a_variable("DOCKER_TLS_CERTDIR", "/other"),
            a_variable("DOCKER_CONFIG", "/my/config"),
            a_variable("DOCKER_DRIVER", "overlay2"),
        ],
    ),
    "mode-service-without-dind": lambda: some_inputs(settings='[dind]\nmode = "service"'),
    "mode-service-with-dind": lambda: some_inputs(
        settings='[dind]\nmode = "service"\nruntime = "sysbox-runc"',
        services=[a_service("docker:dind")],
    ),
    "extra-service": lambda: some_inputs(
        image=a_service(
            "ruby:3",
            entrypoint=[""],
            executor_opts={"docker": {"platform": "linux/arm64", "user": "$WHO"}},
        ),
        services=[
            a_service(
                "postgres:16",
                alias="db",
                command=["-c", "fsync=off"],
                variables=[a_variable("POSTGRES_DB", "$NAME-test")],
            ),
            a_service("docker:dind", command=["--debug"]),
            a_service("registry.example.com/team/postgres:15", alias="db other"),
        ],
        variables=[a_variable("WHO", "1000:1000"), a_variable("NAME", "shop")],
    ),
}


def everything(**changes: object) -> Plan:
    """Return the plan of a job with two services, with every key set."""
    settings = (
        f"[docker]\n{container_keys.DOCKER}{container_keys.OURS}\n[dind]\n{container_keys.DIND}"
    )
    inputs = some_inputs(
        settings=settings,
        services=[a_service("postgres:16"), a_service("tools/web")],
        variables=[a_variable("TEAM", "blue")],
        **changes,  # type: ignore[arg-type]
    )
    return a_plan(inputs)


def dind_of(plan: Plan) -> ContainerSpec:
    """Return the sidecar, which is there."""
    assert plan.dind
    return plan.dind


def service(plan: Plan, number: int) -> ContainerSpec:
    """Return the service at a place in the whole list."""
    return next(each for each in plan.services if each.name.endswith(f"-service-{number}"))


def facts_of(inputs: Inputs) -> dict[Pull, ImageFacts]:
    """Return what an engine would say of the images of a job's services."""
    images = plan_images(inputs)
    return {
        each: DIND if each.image.rpartition("/")[2].find("dind") >= 0 else OTHER
        for each in images.services
    }


def sidecar_of(inputs: Inputs) -> Sidecar:
    """Return the job's sidecar, which it has."""
    found = choose_sidecar(inputs, plan_images(inputs), facts_of(inputs))
    assert found
    return found


def a_plan(inputs: Inputs, image_facts: Mapping[Pull, ImageFacts] | None = None) -> Plan:
    """Return what is decided for a job; images with `dind` in their names are that."""
    images = plan_images(inputs)
    known = facts_of(inputs) if image_facts is None else image_facts
    sidecar = choose_sidecar(inputs, images, known)
    tls = sidecar is not None and sidecar.transport.tls
    facts = Facts(Surroundings(separates_ipv6=True), CERTIFICATES if tls else None)
    return plan_environment(inputs, images, sidecar, facts)


def planned(inputs: Inputs) -> dict[str, object]:
    """Return everything that is decided for a job, as JSON has it."""
    found = {"images": asdict(plan_images(inputs)), "plan": asdict(a_plan(inputs))}
    return {key: _readable(value) for key, value in found.items()}


def _readable(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: _added(str(each)) if key == "prelude" else _readable(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        if value and all(isinstance(each, dict) and "name" in each for each in value):
            return {each["name"]: _readable(each) for each in value}
        return [_readable(each) for each in value]
    if isinstance(value, bytes):
        return value.decode()
    return "(the keeper)" if isinstance(value, str) and READY in value else value


def _added(prelude: str) -> list[str]:
    """Return the lines that may add an argument, of a program within a program."""
    quote = "'\\''"
    return prelude.partition(f"_options={quote}")[2].partition(quote)[0].splitlines()


def difference(whole: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    """Return what a tree has in place of another's, and under "without" what it does not have.

    Lists are taken whole; those of volumes and services are tables by name.
    """
    found: dict[str, object] = {}
    for key, value in other.items():
        known = whole.get(key)
        if isinstance(value, dict) and isinstance(known, dict):
            inner = difference(known, value)
            if inner:
                found[key] = inner
        elif key not in whole or known != value:
            found[key] = value
    gone = [key for key in whole if key not in other]
    return {**found, **({"without": gone} if gone else {})}


def rendered(name: str) -> str:
    """Return what the golden file of a case holds: a plan, or what differs from that of WHOLE."""
    found = planned(CASES[name]())
    if name != WHOLE:
        found = difference(planned(CASES[WHOLE]()), found)
    return json.dumps(found, indent=1) + "\n"


if __name__ == "__main__":
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for old in DIRECTORY.glob("*.json"):
        old.unlink()
    for each in CASES:
        (DIRECTORY / f"{each}.json").write_text(rendered(each), encoding="utf-8")
        print(f"Wrote {each}.json")
