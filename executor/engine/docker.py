"""The only door to a Docker Engine, 20.10 to 29: its verbs, and what each promises.

Order in prepare: `connect`, images, network and volumes, containers.  Everything that a verb makes
carries the job's label from the moment it exists, so that `remove_all` finds it.  A verb loads what
it needs when it is first used: `run` pays for `attach` and `inspect` and little else.

Every verb raises EngineUnavailable where nothing answers, or not in time, unless it says otherwise.
Verbs may be called from several threads.  What a verb made before it failed, `remove_all` finds.
"""

from _collections_abc import Iterator

from executor.engine.api import TIMEOUT_SECONDS, Api
from executor.engine.wire import Reader, as_table
from executor.errors import EngineRefused

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from executor.engine import images, networks, removal
    from executor.engine.handover import Started
    from executor.engine.kept import Kept
    from executor.engine.logs import Take
    from executor.spec import ContainerSpec, ImageFacts, NetworkSpec, Pull, Surroundings, VolumeSpec

_NOT_FOUND = 404


class Engine:
    """A Docker Engine."""

    __slots__ = ("_api", "_networks", "_volumes", "api_version", "architecture", "version")

    def __init__(self, api: Api) -> None:
        """Use `api`; nothing is asked yet."""
        self._api = api
        self.api_version: tuple[int, ...] = (1, 41)
        self._networks: dict[str, str] = {}
        self._volumes: dict[str, VolumeSpec] = {}
        self.architecture = self.version = ""

    @classmethod
    def at(cls, host: str, tls_dir: str, *, tls_verify: bool) -> "Engine":
        """Return the engine at an address such as `unix:///var/run/docker.sock`."""
        return cls(Api(host, tls_dir, tls_verify=tls_verify))

    @property
    def local(self) -> bool:
        """Tell whether the engine's socket is on this host; its containers may be out of reach still."""
        return self._api.local

    @property
    def kept(self) -> "Kept":
        """Return the verbs about what lasts beyond jobs."""
        from executor.engine.kept import Kept

        return Kept(self._api, self._networks)

    def connect(self) -> None:
        """Agree on a version of the API; may be repeated.

        Raises EngineUnavailable also where the engine is too old or too new.
        """
        from executor.engine.versions import agree

        self.api_version, self.version, self.architecture = agree(self._api)

    # --- images, the network and volumes ------------------------------------------------------

    def pull(self, pull: "Pull", registry_auth: str, say: "images.Say") -> "ImageFacts":
        """Pull an image and return what came; see `images.pull_image`.  May be repeated.

        Raises ImageUnavailable where the registry does not give it, PullInterrupted where another
        try may help.
        """
        from executor.engine.images import pull_image

        return pull_image(self._api, pull, registry_auth, say, self.architecture)

    def image(self, name: str) -> "ImageFacts | None":
        """Return what is known of an image, None if it is not there; raises EngineRefused if unsure."""
        from executor.engine.images import find_image

        return find_image(self._api, name)

    def load_image(self, path: str, image: str) -> "ImageFacts":
        """Make an image of an archive of the runner's host; see `archives.load_image`.

        May be repeated.  Raises `archives.LoadFailed`, and never EngineUnavailable.
        """
        from executor.engine.archives import load_image

        return load_image(self._api, path, image)

    def survey(self) -> "Surroundings":
        """Return what is known of networks and registries around a job; the rest counts as absent."""
        from executor.engine.networks import survey

        return survey(self._api)

    def ensure_network(self, spec: "NetworkSpec", instead_of: str = "") -> "networks.Made":
        """Create the job's network, or keep the one of its name; see `networks.ensure_network`.

        May be repeated.  Raises SubnetTaken, ResourceExhausted where no subnet is left, or EngineRefused.
        """
        from executor.engine.networks import ensure_network

        return ensure_network(self._api, spec, self._networks, instead_of)

    def ensure_volume(self, spec: "VolumeSpec") -> None:
        """Create a volume, or keep the one of its name; a container makes it again.  May be repeated."""
        from executor.engine.volumes import ensure_volume

        self._volumes[spec.name] = spec
        if spec.early:
            ensure_volume(self._api, spec)

    # --- containers: made and started, ended and removed --------------------------------------

    def create(self, spec: "ContainerSpec", image: "ImageFacts") -> object:
        """Create a container from what was pulled; return what the engine was asked for.

        One of the same name, which an earlier attempt left, is replaced.  Raises what the refusal
        means: see `start_failures.create_failure`.
        """
        from executor.engine.container_request import container_request

        request = container_request(spec, image, self.api_version, self._volumes, self._networks)
        self.create_as(spec, request)
        return request

    def create_as(self, spec: "ContainerSpec", request: object) -> None:
        """Create a container as `create` was asked to once; one of the same name is replaced."""
        from executor.engine.containers import create

        create(self._api, spec, request)

    def start(self, spec: "ContainerSpec", *, asks: bool = True) -> "Started | None":
        """Start a container; return what sends it its files, if it gets any.

        `asks` tells whether its program asks for them: those of older versions do not.  Not to be
        repeated for one that receives: it takes its files once.  Raises what the refusal means; the
        container is there still.
        """
        from executor.engine.containers import start

        return start(self._api, spec, asks=asks)

    def stop(self, container: str, seconds: int) -> bool:
        """End all that runs in a container, by force after `seconds`; tell whether it is there."""
        return self._api.post(f"/containers/{container}/stop?t={seconds}").ok

    def kill(self, container: str) -> None:
        """End a container at once; one that is gone or has ended stays so."""
        self._api.post(f"/containers/{container}/kill")

    def begin_to_disconnect(self, container: str, network: str) -> None:
        """Have the engine take a container off a network, and wait for nothing; raises nothing."""
        from executor.engine.telling import tell

        tell(self._api, f"/networks/{network}/disconnect", {"Container": container, "Force": True})

    def remove(self, container: str, labels: "dict[str, str]") -> bool:
        """Remove a container with these labels and its volumes; tell whether there was none."""
        from executor.engine.containers import remove

        return remove(self._api, container, labels)

    def remove_all(self, removal: "removal.Removal") -> list[str]:
        """Remove all of a job; return what is left and why.  May be repeated; raises nothing."""
        from executor.engine.removal import remove_all

        return remove_all(self._api, removal)

    # --- containers: asked and looked at ------------------------------------------------------

    def inspect(
        self, container: str, *, strict: bool = False, seconds: float = TIMEOUT_SECONDS
    ) -> dict[str, object]:
        """Return what the engine says of a container; empty where it has none of that name.

        Raises EngineRefused where it may not be shown for another reason, if `strict`.
        """
        answer = self._api.get(f"/containers/{container}/json", seconds)
        if strict and not answer.ok and answer.status != _NOT_FOUND:
            raise EngineRefused(f"The Docker Engine cannot inspect {container}: {answer.message}.")
        return as_table(answer.json()) if answer.ok else {}

    def running_with(self, source: str = "") -> list[dict[str, object]]:
        """Return what runs, or runs with a volume or directory of the host: the listed containers."""
        from executor.engine.listing import running_with

        return running_with(self._api, source)

    def belongings(self) -> list[tuple[str, dict[str, object]]]:
        """Return all that is there of any job, each with its kind; raises EngineRefused."""
        from executor.engine.listing import belongings

        return belongings(self._api)

    def attach(self, container: str, *, output: bool = True) -> Reader | None:
        """Return a connection to a container's input and, if wanted, to what it prints.

        None where there is no such container, or it does not run.  The caller closes it.
        """
        streams = "stdin=1&stdout=1&stderr=1" if output else "stdin=1"
        answer, reader = self._api.hijack(f"/containers/{container}/attach?stream=1&{streams}")
        return reader if answer.status in {101, 200} else None

    def succeeds(self, container: str, command: tuple[str, ...], seconds: float) -> bool:
        """Tell whether a command ends with 0 beside a container's program; see `exec`.

        False also where it cannot run, or takes longer than `seconds`; it may go on then.
        """
        from executor.engine.exec import succeeds

        return succeeds(self._api, container, command, seconds)

    def output(self, container: str, command: tuple[str, ...], seconds: float) -> Iterator[bytes]:
        """Yield what a command prints for so long beside a container's program; see `exec`."""
        from executor.engine.exec import output

        return output(self._api, container, command, seconds)

    def last_output(self, container: str, lines: int, *, timestamps: bool = False) -> str:
        """Return a container's last lines, at most 64 KiB of them.

        Raises EngineRefused where the engine has no log of it.
        """
        from executor.engine.logs import last_output

        return last_output(self._api, container, lines, timestamps=timestamps)

    def copy_output(self, container: str, take: "Take", idle_seconds: float, **when: str) -> None:
        """Pass on what a container printed, and prints; see `logs`.  Raises nothing."""
        from executor.engine.logs import copy_output

        copy_output(self._api, container, take, idle_seconds, **when)

    def wait_for_exit(self, container: str, seconds: float) -> dict[str, object]:
        """Return a container's state once it has ended, or after `seconds`; empty if it is gone."""
        from executor.engine.exits import wait_for_exit

        return wait_for_exit(self._api, container, seconds)

    def exited_by_itself(self, container: str, state: dict[str, object]) -> bool:
        """Tell whether a container ended without the engine's or the kernel's doing."""
        from executor.engine.exits import exited_by_itself

        return exited_by_itself(self._api, container, state)
