"""Jobs behind a proxy: what goes through it, and what must not."""

from collections.abc import Iterator

import pytest

from tests.rig.state import Rig
from tests.stages.conftest import Start
from tests.stages.proxy import Proxy, proxy
from tests.stages.request import JobRequest, Variable

CLIENT = "tools/docker-cli:1"


@pytest.fixture
def way_out(rig: Rig) -> Iterator[Proxy]:
    """Return a proxy that containers reach."""
    with proxy(rig.address) as found:
        yield found


def test_dind_pulls_through_the_proxy_and_clients_go_past_it(
    rig: Rig, start: Start, way_out: Proxy
) -> None:
    """The job names a proxy and nothing else, as somebody does who knows nothing of aliases."""
    job = start(JobRequest(rig.special(CLIENT), variables=[Variable("HTTPS_PROXY", way_out.url)]))
    job.up()
    job.script("docker pull --quiet alpine").passed()
    assert set(way_out.asked) == {rig.hub}


@pytest.mark.family(2)
@pytest.mark.parametrize("key", ["NO_PROXY", "no_proxy"])
def test_names_are_added_to_what_the_job_says(
    rig: Rig, start: Start, way_out: Proxy, key: str
) -> None:
    """gitlab-runner's script sets the job's own NO_PROXY; the client goes past the proxy still."""
    variables = [Variable("https_proxy", way_out.url), Variable(key, f"{rig.address},a.example:1")]
    web = {"name": rig.special("tools/web:1"), "alias": "web"}
    job = start(JobRequest(rig.special(CLIENT), services=[web], variables=variables))
    job.up()
    call = job.script("docker pull --quiet alpine", f'echo "is ${key}"').passed()
    assert way_out.asked == []
    (found,) = [line for line in call.stdout.splitlines() if line.startswith("is ")]
    assert found.startswith("is docker,localhost,127.0.0.1,")
    assert "web," in found
    assert found.endswith(f",{rig.address},a.example:1")
