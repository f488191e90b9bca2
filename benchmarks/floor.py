"""The least that the containers of a job take at the engine: nothing of any executor's is in it.

    python -m benchmarks.floor [--rounds N]

The images of an ordinary job are pulled and its network is made at the same time, then its containers
are created and started, leave the network, and go together with it: always all at the same time.  No
script runs, nothing waits for a daemon, and gitlab-runner has no part.  Prints the median of each step, for
the two containers of a job without a daemon and for three with the sidecar.
"""

import argparse
import statistics
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TypeVar

import docker
from docker.models.containers import Container

from benchmarks.jobs import GENERATIONS, Generation
from tests.rig import state
from tests.rig.state import Rig

T = TypeVar("T")

_STEPS = ("pulls and network", "create", "start", "leave the network", "remove")


class Bare:
    """Makes the calls, each in a thread of its own with a client of its own."""

    def __init__(self, rig: Rig, generation: Generation, *, has_sidecar: bool) -> None:
        """Choose the images: one that waits in the place of each script's container, and dind."""
        self._rig = rig
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
        """Make the calls once; return the seconds that they took."""
        name = f"floor-{uuid.uuid4().hex[:8]}"
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
        with self._step("leave the network", counts=counts):
            self._together(partial(made.disconnect, each, force=True) for each in containers)
        with self._step("remove", counts=counts):
            going = self._pool.submit(made.remove)
            self._together(partial(each.remove, force=True, v=True) for each in containers)
            going.result()
        return monotonic() - begun

    def _create(self, client: docker.DockerClient, image: str, network: str) -> Container:
        if image in self._dind:
            return client.containers.create(
                image, network=network, privileged=True, runtime=self._rig.runtime
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    rig = state.load()
    kinds = {False: "two containers", True: "three, with the sidecar"}
    measured = {each: Bare(rig, GENERATIONS["26.1"], has_sidecar=each) for each in kinds}
    whole: dict[bool, list[float]] = {each: [] for each in kinds}
    for number in range(rounds + 1):  # the first one warms up
        for each, bare in measured.items():
            took = bare.run(counts=number > 0)
            if number:
                whole[each].append(took)
    for each, bare in measured.items():
        bare.close()
        steps = (f"{name} {statistics.median(taken):.2f} s" for name, taken in bare.steps.items())
        print(f"{kinds[each]}: {statistics.median(whole[each]):.2f} s ({', '.join(steps)})")


if __name__ == "__main__":
    main()
