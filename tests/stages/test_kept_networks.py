"""A network that a slot keeps for its next job, on a real engine."""

from collections.abc import Iterator

import pytest
from docker.models.networks import Network

from executor.notation.claims import KEPT_NETWORK_LABEL
from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest, new_job_id
from tests.stages.witness import Witness

IMAGE = "alpine"


class Slot:
    """A slot of a runner that keeps its network."""

    def __init__(self, start: Start, witness: Witness) -> None:
        self.number = new_job_id()
        self._start = start
        self._witness = witness

    def job(self, *, mode: str = "service", **docker: object) -> JobCalls:
        """Return a prepared job in the slot, of a project that no other has."""
        request = JobRequest(IMAGE, project_id=new_job_id(), slot=self.number)
        changes: Changes = {"docker": {"keep_network": True, **docker}, "dind": {"mode": mode}}
        job = self._start(request, changes)
        job.config().passed()
        job.prepare().passed()
        return job

    def end(self, job: JobCalls) -> None:
        """End a job as gitlab-runner does; nothing is left of it."""
        job.run("cleanup_file_variables", "true").passed()
        job.cleanup().passed()
        assert self._witness.objects(job.id) == []

    def kept(self) -> list[Network]:
        """Return the networks of the slot, with what is on them."""
        filters = {"label": KEPT_NETWORK_LABEL, "name": f"concurrent-{self.number}-"}
        return list(self._witness.client.networks.list(filters=filters, greedy=True))

    def network(self) -> Network:
        """Return the only network of the slot."""
        (found,) = self.kept()
        return found

    def networks_of(self, job: JobCalls) -> set[str]:
        """Return the ids of the networks that a job's containers are on."""
        return self._witness.networks(job.id)


@pytest.fixture(name="slot")
def _slot(start: Start, witness: Witness) -> Iterator[Slot]:
    slot = Slot(start, witness)
    yield slot
    for each in slot.kept():
        each.remove()


def test_the_next_job_of_the_slot_has_the_network(slot: Slot) -> None:
    """A job of any project finds it with nothing on it, and its Docker daemon answers by name."""
    first = slot.job()
    kept = slot.network().id
    assert slot.networks_of(first) == {kept}
    slot.end(first)
    assert slot.network().containers == []

    second = slot.job(mode="always")
    assert slot.networks_of(second) == {kept}
    second.run("build_script", "ping -c 1 docker").passed()
    slot.end(second)
    assert [each.id for each in slot.kept()] == [kept]


def test_two_jobs_are_never_on_it(slot: Slot, witness: Witness) -> None:
    """The one that comes second has its own; so has one that comes after a killed job."""
    first = slot.job()
    second = slot.job()
    assert slot.networks_of(first) == {slot.network().id}
    (own,) = slot.networks_of(second)
    assert own != slot.network().id
    assert witness.client.networks.get(own).name == f"dind-executor-{_key(witness, second)}"
    slot.end(second)
    for each in witness.containers(first.id):
        each.remove(force=True, v=True)  # as if it had been killed before it made any

    third = slot.job()
    assert slot.network().id not in slot.networks_of(third)
    slot.end(third)
    slot.end(first)

    last = slot.job()
    assert slot.networks_of(last) == {slot.network().id}
    slot.end(last)


def test_somebody_elses_container_is_on_it(slot: Slot, witness: Witness, rig: Rig) -> None:
    """Jobs have networks of their own until it has gone; it is left alone."""
    slot.end(slot.job())
    image = rig.helper_image
    stranger = witness.client.containers.run(
        image, ["sleep", "1000"], entrypoint="", detach=True, network=slot.network().name
    )
    try:
        job = slot.job()
        assert slot.network().id not in slot.networks_of(job)
        slot.end(job)
        assert [each.id for each in slot.network().containers] == [stranger.id]
    finally:
        stranger.remove(force=True)
    job = slot.job()
    assert slot.networks_of(job) == {slot.network().id}
    slot.end(job)


def test_what_makes_it_another_one(slot: Slot) -> None:
    """A prune and another setting have it made again; without the setting, a job has its own."""
    slot.end(slot.job())
    before = slot.network()
    before.remove()
    slot.end(slot.job())
    pruned = slot.network()
    assert pruned.id != before.id

    slot.end(slot.job(network_mtu=1380))
    changed = slot.network()
    assert changed.id != pruned.id
    assert changed.attrs["Options"]["com.docker.network.driver.mtu"] == "1380"

    job = slot.job(keep_network=False)
    assert changed.id not in slot.networks_of(job)
    slot.end(job)


def _key(witness: Witness, job: JobCalls) -> str:
    return str(witness.container(job.id, "build").labels["dind-executor.job"])
