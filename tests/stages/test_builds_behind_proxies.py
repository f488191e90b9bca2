"""Builds whose way out is a proxy, and whose servers a private authority signs."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.stages.prepare.certificates import mint
from tests.generations import NEW, OLD
from tests.rig.authority import Certificates
from tests.rig.state import Rig
from tests.stages.conftest import Changes, Start
from tests.stages.proxy import Proxy, proxy
from tests.stages.request import JobRequest, Variable
from tests.web import Answer, Request, Server

NAME = "inside.test"
"""A server that no resolver knows: only the proxy gets there."""

CURL = f"curl --silent --show-error --max-time 20 https://{NAME}/"


@dataclass(frozen=True, slots=True)
class Site:
    """A company's network: one server, its authority, and the way to it."""

    proxy: Proxy
    authority: Path

    @property
    def settings(self) -> Changes:
        """Return the settings of an administrator who hands both on."""
        return {"dind": {"proxies_in_builds": True, "authorities_in_builds": str(self.authority)}}


def fails(command: str) -> str:
    """Return what a script has to say for a command that must not succeed."""
    return f"if {command}; then echo unexpected; exit 1; fi"


def answer(_request: Request) -> Answer:
    """Say something that is said nowhere else."""
    return Answer(HTTPStatus.OK, b"private words\n")


@pytest.fixture
def site(rig: Rig, tmp_path: Path) -> Iterator[Site]:
    """Return a site whose server listens where no container gets by itself."""
    made = mint((NAME,), 3600)
    certificates = Certificates(*(tmp_path / each for each in ("ca.pem", "cert.pem", "key.pem")))
    certificates.ca.write_bytes(made.ca)
    certificates.certificate.write_bytes(made.server)
    certificates.key.write_bytes(made.server_key)
    server = Server(("127.0.0.1", 0), answer, certificates)
    with ExitStack() as stack:
        stack.enter_context(server.serving())
        routes = {f"{NAME}:443": ("127.0.0.1", server.server_address[1])}
        way_out = stack.enter_context(proxy(rig.address, routes))
        yield Site(way_out, certificates.ca)


def request(rig: Rig, site: Site, image: str) -> JobRequest:
    """Return a job behind the proxy with a dind of this generation."""
    client = "docker:20.10.16" if image == OLD else "docker:26.1-cli"
    variables = [
        Variable("HTTPS_PROXY", site.proxy.url.replace("://", "://user:s3cr3t-word@")),
        Variable("NO_PROXY", rig.address),
        Variable("DOCKER_HOST", "tcp://docker:2375"),
        Variable("DOCKER_TLS_CERTDIR", ""),
    ]
    return JobRequest(client, services=[{"name": image}], variables=variables)


SYSTEM = "/etc/ssl/certs/ca-certificates.crt"
"""Where every image has what it trusts."""


def building(buildkit: str) -> tuple[str, ...]:
    """Return what builds an image from Dockerfile, and shows that nothing of it is in the image."""
    return (
        f"export DOCKER_BUILDKIT={buildkit}; docker build --no-cache --tag built .",
        "echo found $(docker run --rm built cat /found)",
        "docker history --no-trunc built >history; docker image inspect built >>history",
        fails("grep -E 's3cr3t-word|dind-executor' history"),
        "docker create --name kept built true; docker export kept | tar -tv >files; docker rm kept",
        fails("grep dind-executor files"),
    )


@pytest.mark.family(2)
@pytest.mark.parametrize(
    ("image", "builders"), [(NEW, ("1",)), (OLD, ("1", "0"))], ids=["26.1", "20.10"]
)
def test_builds_get_out_and_trust(
    rig: Rig, start: Start, site: Site, image: str, builders: tuple[str, ...]
) -> None:
    """RUN and `docker run` reach the server through the proxy alone, and trust it by its authority.

    That is so with BuildKit (1) and with the classic builder (0).
    """
    helper = rig.special("rig/helper:1")
    job = start(request(rig, site, image), site.settings)
    job.up()
    dockerfile = (
        f"FROM {helper}",
        # to be seen in the job log, whichever builder prints it
        f"RUN {CURL} && {CURL} | tr a-z A-Z >/found",
        f"RUN ! {CURL} --noproxy '*' && ! {CURL} --cacert {SYSTEM}",
        f"RUN git ls-remote https://{NAME}/x 2>&1 | tee /git; ! grep -iE 'certificate|resolve' /git",
        f"ENV SSL_CERT_FILE={SYSTEM}",
        f"RUN ! {CURL}",
        # an image may still change what it trusts, in the file that every image has for it
        f"RUN cp {SYSTEM} /new && cat \\$REQUESTS_CA_BUNDLE >>/new && mv /new {SYSTEM}",
        f"USER 1000\\nRUN {CURL}",
    )
    output = (
        job.script(
            *(f'printf "{line}\\n" >>Dockerfile' for line in dockerfile),
            *(line for each in builders for line in building(each)),
            f"echo run $(docker run --rm --read-only --user 1000 {helper} {CURL})",
            f"docker run --detach --name standing {helper} sleep 600; docker restart -t 0 standing",
            f"echo exec $(docker exec standing {CURL})",
            fails(f"docker run --rm {helper} {CURL} --noproxy '*'"),
            # the server is no registry, and dockerd trusts it nevertheless
            f"docker pull {NAME}/thing:1 >pulled 2>&1 || cat pulled",
            fails("grep -E 'x509|no such host' pulled"),
        )
        .passed()
        .output
    )
    for word in ("found PRIVATE WORDS", "run private words", "exec private words"):
        assert f"\n{word}\n" in output, output
    assert f"{NAME}:443" in site.proxy.asked


def test_without_the_settings_a_build_has_neither(rig: Rig, start: Start, site: Site) -> None:
    """The job's own proxy stays in its scripts, and an image trusts what it brings along."""
    helper = rig.special("rig/helper:1")
    job = start(request(rig, site, OLD))
    job.up()
    handed = "--build-arg HTTPS_PROXY"
    job.script(
        "export DOCKER_BUILDKIT=0",
        f'echo "FROM {helper}" >Dockerfile',
        f'echo "RUN env >/env; {CURL}; echo code \\$? >/code" >>Dockerfile',
        "docker build --tag built .",
        # the server's name is nobody's, and then its authority
        "docker run --rm built cat /code | grep 'code 6$'",
        fails("docker run --rm built grep -E '_PROXY|_proxy|SSL_CERT_FILE' /env"),
        f"docker build --no-cache --tag handed {handed} .",
        "docker run --rm handed cat /code | grep 'code 60$'",
        fails(f"docker run --rm {helper} {CURL}"),
        fails(f"docker run --rm --env HTTPS_PROXY {helper} {CURL}"),
    ).passed()


def test_each_setting_for_itself(rig: Rig, start: Start, site: Site) -> None:
    """A proxy without an authority gets a build to the server, which it then does not trust."""
    helper = rig.special("rig/helper:1")
    job = start(request(rig, site, NEW), {"dind": {"proxies_in_builds": True}})
    job.up()
    job.script(f"docker run --rm {helper} {CURL} && exit 1 || test $? = 60").passed()
    other = start(request(rig, site, NEW), {"dind": {"authorities_in_builds": str(site.authority)}})
    other.up()
    other.script(
        f"docker run --rm {helper} {CURL} && exit 1 || test $? = 6",
        f"docker run --rm --env HTTPS_PROXY {helper} {CURL}",
    ).passed()


def test_a_file_of_the_administrators_that_is_not_there(start: Start) -> None:
    """Nothing is made for the job, and the sentence names the file and the key."""
    changes = {"dind": {"authorities_in_builds": "/nowhere/authorities.pem"}}
    job = start(JobRequest(), changes)
    job.config().passed()
    call = job.prepare()
    assert call.code != 0
    assert "/nowhere/authorities.pem cannot be read: No such file or directory." in call.output
    assert "`[dind] authorities_in_builds`" in call.output
