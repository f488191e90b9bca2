"""The least that the containers of a job take at the engine: nothing of any executor's is in it.

    python -m benchmarks.floor [--rounds N] [--at-once N]

The images of an ordinary job are pulled and its network is made at the same time, then its containers
are created and started, leave the network, and go together with it: always all at the same time.  No
script runs, and gitlab-runner has no part.  Prints the median of each step, for the two containers of a
job without a daemon, for three with the sidecar, and for three where dockerd must have begun to answer
before they leave.  With `--at-once`, that many such jobs begin together, and what is printed is the time
until the last one's end.
"""

import argparse
import statistics
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import monotonic, sleep
from typing import TypeVar

import docker
from docker.models.containers import Container

from benchmarks.jobs import GENERATIONS, Generation
from tests.rig import state
from tests.rig.state import Rig

T = TypeVar("T")

_STEPS = ("pulls and network", "create", "start", "dockerd answers", "leave the network", "remove")
_DOCKERD = ["dockerd", "--host=unix:///var/run/docker.sock"]  # without TLS: no keys are made
_ANSWERS = b"API listen on /var/run/docker.sock"
_LOOK_SECONDS = 0.02
_LONGEST_SECONDS = 60.0


class Bare:
    """Makes the calls, each in a thread of its own with a client of its own."""

    def __init__(
        self, rig: Rig, generation: Generation, *, has_sidecar: bool, answers: bool = False
    ) -> None:
        """Choose the images: one that waits in the place of each script's container, and dind.

        `answers` tells whether to wait until dockerd answers.
        """
        self._rig = rig
        self._answers = answers
        self._idle = [rig.helper_image, generation.client]
        self._dind = [generation.dind] if has_sidecar else []
        self._pool = ThreadPoolExecutor(8)
        self._clients = [docker.DockerClient(base_url=rig.engine_host) for _ in range(4)]
        self.steps: dict[str, list[float]] = {each: [] for each in _STEPS}

    def close(self) -> None:
        """End the threads and the connections."""
        self._pool.shutdown()
        for client in self._clients:
            client.close()

    def run(self, *, counts: bool) -> float:
        """Make the calls once; return the seconds that they took.  Leaves nothing where one fails."""
        name = f"floor-{uuid.uuid4().hex[:8]}"
        try:
            return self._run(name, counts=counts)
        except BaseException:
            self._clear(name)
            raise

    def _run(self, name: str, *, counts: bool) -> float:
        network, *clients = self._clients
        images = [*self._dind, *self._idle]
        begun = monotonic()
        with self._step("pulls and network", counts=counts):
            making = self._pool.submit(network.networks.create, name)
            self._together(
                partial(client.images.pull, image)
                for client, image in zip(clients, images, strict=False)
            )
            made = making.result()
        with self._step("create", counts=counts):
            containers = self._together(
                partial(self._create, client, image, name)
                for client, image in zip(clients, images, strict=False)
            )
        with self._step("start", counts=counts):
            self._together(each.start for each in containers)
        if self._answers:
            with self._step("dockerd answers", counts=counts):
                _wait_for_dockerd(containers[0])
        with self._step("leave the network", counts=counts):
            self._together(partial(made.disconnect, each, force=True) for each in containers)
        with self._step("remove", counts=counts):
            going = self._pool.submit(made.remove)
            self._together(partial(each.remove, force=True, v=True) for each in containers)
            going.result()
        return monotonic() - begun

    def _clear(self, name: str) -> None:
        client = self._clients[0]
        for network in client.networks.list(names=[name]):
            for container in client.containers.list(all=True, filters={"network": name}):
                container.remove(force=True, v=True)
            network.remove()

    def _create(self, client: docker.DockerClient, image: str, network: str) -> Container:
        if image in self._dind:
            return client.containers.create(
                image, _DOCKERD, network=network, privileged=True, runtime=self._rig.runtime
            )
        return client.containers.create(image, ["sleep", "60"], entrypoint="", network=network)

    def _together(self, calls: Iterable[Callable[[], T]]) -> list[T]:
        return [each.result() for each in [self._pool.submit(call) for call in calls]]

    @contextmanager
    def _step(self, name: str, *, counts: bool) -> Iterator[None]:
        begun = monotonic()
        yield
        if counts:
            self.steps[name].append(monotonic() - begun)


def _wait_for_dockerd(sidecar: Container) -> None:
    deadline = monotonic() + _LONGEST_SECONDS
    while _ANSWERS not in sidecar.logs():
        if monotonic() > deadline:
            raise TimeoutError(sidecar.logs().decode(errors="replace"))
        sleep(_LOOK_SECONDS)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--at-once", type=int, default=1)
    given = parser.parse_args()
    make = partial(Bare, state.load(), GENERATIONS["26.1"])
    kinds = {
        "two containers": partial(make, has_sidecar=False),
        "three, with the sidecar": partial(make, has_sidecar=True),
        "three, and dockerd answers": partial(make, has_sidecar=True, answers=True),
    }
    jobs = {name: [kind() for _ in range(given.at_once)] for name, kind in kinds.items()}
    whole: dict[str, list[float]] = {each: [] for each in jobs}
    with ThreadPoolExecutor(given.at_once) as together:
        for number in range(given.rounds + 1):  # the first one warms up
            for name, bares in jobs.items():
                begun = monotonic()
                list(together.map(partial(Bare.run, counts=number > 0), bares))
                if number:
                    whole[name].append(monotonic() - begun)
    for name, bares in jobs.items():
        steps = {each: [took for bare in bares for took in bare.steps[each]] for each in _STEPS}
        told = (
            f"{each} {statistics.median(taken):.2f} s" for each, taken in steps.items() if taken
        )
        print(f"{name}: {statistics.median(whole[name]):.2f} s ({', '.join(told)})")
        for bare in bares:
            bare.close()


if __name__ == "__main__":
    main()
