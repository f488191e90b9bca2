"""Networks that stay, where several gitlab-runners of one host have jobs at once."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from executor.names import LABEL
from executor.notation.claims import KEPT_NETWORK_LABEL
from tests.gitlab import leftovers, runner
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.gitlab.server import GitLab
from tests.rig.engine import connect
from tests.rig.state import Rig
from tests.stages.conftest import Changes, settings_text
from tests.stages.witness import Witness

SLOTS = 2
"""Of each gitlab-runner."""
JOB = """
job:
  image: alpine
  services: [{name: busybox, alias: other, command: [sleep, '1000']}]
  script:
    - ping -c 1 other
    - echo beg""un; while [ ! -e /tmp/let-go ]; do sleep 0.1; done
"""


class Networks:
    """Who was on which network, by the engine's events."""

    def __init__(self) -> None:
        self.shared: list[set[str]] = []
        """Jobs that were on one network at once."""
        self.joined: dict[str, set[str]] = {}
        """All jobs that were on each network."""
        self._jobs: dict[str, str] = {}
        self._on: dict[str, set[str]] = {}

    def take(self, text: str) -> None:
        """Take an event."""
        event = json.loads(text)
        identity, about = event["Actor"]["ID"], event["Actor"]["Attributes"]
        if event["Type"] == "container" and event["Action"] == "create" and LABEL in about:
            self._jobs[identity] = about[LABEL]
        elif event["Type"] == "network" and about.get("container") in self._jobs:
            self._moved(event["Action"], identity, about["container"])

    def _moved(self, action: str, network: str, container: str) -> None:
        on = self._on.setdefault(network, set())
        if action == "disconnect":
            on.discard(container)
        elif action == "connect":
            on.add(container)
            self.joined.setdefault(network, set()).add(self._jobs[container])
            jobs = {self._jobs[each] for each in on}
            self.shared += [jobs] if len(jobs) > 1 else []


class Host:
    """A host with three gitlab-runners: two of one registration, and one of another."""

    def __init__(self, rig: Rig, gitlab: GitLab, checkout: Checkout, directory: Path) -> None:
        """Start them; `close` ends them."""
        settings = directory / "settings.toml"
        changes: Changes = {"docker": {"keep_network": True}, "dind": {"mode": "service"}}
        settings.write_text(settings_text(rig, changes), encoding="utf-8")
        table = runner.custom(settings)
        self._host = rig.engine_host
        self._gitlab, self._pushed = gitlab, Pushed(gitlab, checkout)
        self._tokens = [gitlab.runner_token, gitlab.registry.add({}).token]
        self._stack = ExitStack()
        self._runners: dict[str, runner.Runner] = {}
        """By what tells GitLab which host each is on."""
        for number, token in enumerate((*self._tokens, gitlab.runner_token)):
            where, system = directory / f"runner-{number}", f"r_{number:012}"
            where.mkdir()
            # Else it is made of the machine's own id.
            (where / ".runner_system_id").write_text(system)
            started = runner.working(gitlab, {**table, "token": token}, where, concurrent=SLOTS)
            self._runners[system] = self._stack.enter_context(started)

    def close(self) -> None:
        """End the runners, and remove the networks of their slots."""
        self._stack.close()
        with connect(self._host) as client:
            for each in self.kept(client):
                client.remove_network(each)

    def kept(self, client: docker.APIClient) -> dict[str, str]:
        """Return the names of the networks that the runners' slots keep, by their ids."""
        found = client.networks(filters={"label": KEPT_NETWORK_LABEL})
        starts = tuple(f"runner-{each.removeprefix('glrt-')[:9]}-" for each in self._tokens)
        return {each["Id"]: each["Name"] for each in found if each["Name"].startswith(starts)}

    def run_together(self) -> dict[str, str]:
        """Have a job in each slot of each runner until all are there; return what networks stay."""
        pipeline = parse_pipeline(JOB, "test")
        facts = self._pushed.facts(pipeline)
        (definition,) = self._pushed.jobs_of(pipeline, facts).values()
        jobs = [self._pushed.start(definition, facts) for _ in range(SLOTS * len(self._runners))]
        for job in jobs:
            job.wait_for("\nbegun")
        with connect(self._host) as client:
            for job in jobs:
                wanted = {"label": [f"{LABEL}={leftovers.key_of(job)}", "dind-executor.type=build"]}
                (build,) = client.containers(filters=wanted)
                client.exec_start(client.exec_create(build["Id"], ["touch", "/tmp/let-go"])["Id"])
            self._wait(jobs)
            kept = self.kept(client)
            assert [client.inspect_network(each)["Containers"] for each in kept] == [{}] * len(kept)
            return kept

    def _wait(self, jobs: list[Job]) -> None:
        for job in jobs:
            assert job.wait().state == "success", job.trace.decode(errors="replace")
            self._runners[job.runner_manager].wait_until_left(job.id)
        assert leftovers.of_jobs(self._host, jobs) == []


@pytest.fixture(name="host")
def _host(rig: Rig, another_gitlab: GitLab, checkout: Checkout, tmp_path: Path) -> Iterator[Host]:
    host = Host(rig, another_gitlab, checkout, tmp_path)
    yield host
    host.close()


def test_runners_of_one_host(host: Host, another_gitlab: GitLab, rig: Rig) -> None:
    """Two jobs are never on one network: one that finds that of its slot taken has its own.

    Slots of one number of two registrations have a network each, those of one have it together.
    """
    networks = Networks()
    witness = Witness(rig.engine_host)
    with witness.events(networks.take):
        first, second = host.run_together(), host.run_together()
    witness.close()
    ours = {leftovers.key_of(each) for each in another_gitlab.jobs()}
    assert [jobs for jobs in networks.shared if jobs & ours] == []
    assert len(set(first.values())) == 2 * SLOTS
    assert second == first
    counts = {each: len(jobs) for each, jobs in networks.joined.items() if jobs & ours}
    assert {each: counts.pop(each) for each in first} == dict.fromkeys(first, 2)
    assert list(counts.values()) == [1] * 2 * SLOTS
