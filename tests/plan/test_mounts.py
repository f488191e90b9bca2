"""Which of a job's volumes its containers mount."""

import pytest

from executor.plan.mounts import build_volumes, dind_volumes
from executor.plan.transport import transport
from tests.builders import some_inputs

TLS = transport({}, {})


@pytest.mark.parametrize(
    ("destination", "seen"),
    [
        ("/cache", True),
        ("/var/lib/docker", False),
        ("/var/lib", False),
        ("/var/run/docker.sock", False),
        ("/run", False),
        ("/run/secrets", True),
        ("/certs", False),
        ("/certs/client", False),
        ("/etc/docker", False),
        ("/sys/fs/cgroup", False),
        ("/proc/sys", False),
    ],
)
def test_dind_sees_what_does_not_cover_its_own(destination: str, *, seen: bool) -> None:
    """Its data, sockets, certificates and the administrator's binds for it stay uncovered."""
    settings = f'docker.volumes = ["/srv:{destination}"]\ndind.volumes = ["/x:/etc/docker"]'
    inputs = some_inputs(settings=settings)
    volumes = dind_volumes(inputs, inputs.volumes, TLS)
    assert volumes.binds == ((f"/srv:{destination}",) if seen else ())
    assert [destination for _, destination in volumes.mounts] == ["/builds"]


@pytest.mark.parametrize(
    "source", ["/var/run/docker.sock", "/run/docker.sock/", "/var/run", "/run", "/", "/own/d.sock"]
)
def test_the_hosts_engine_is_not_in_dind(source: str) -> None:
    """Its socket may be the administrator's choice for jobs, wherever it is mounted."""
    settings = f'docker.host = "unix:///own/d.sock"\ndocker.volumes = ["{source}:/host/x", "/srv:/srv", "run:/r"]'
    inputs = some_inputs(settings=settings)

    assert dind_volumes(inputs, inputs.volumes, TLS).binds == ("/srv:/srv", "run:/r")
    assert len(build_volumes(inputs.volumes, TLS).binds) == 3


def test_the_certificates_of_the_docker_executor_idiom_give_way() -> None:
    """`volumes = ["/certs/client"]`: the job's own are there, and the next job has others."""
    inputs = some_inputs(settings='docker.volumes = ["/certs/client", "/cache"]')
    places = [each.destination for each in build_volumes(inputs.volumes, TLS).all]
    assert places == ["/cache", "/builds"]
    assert build_volumes(inputs.volumes, None).all == inputs.volumes.all
