"""What a keeper does for the Docker client of its scripts."""

from typing import NamedTuple


class Client(NamedTuple):
    """The Docker client in a build container."""

    socket: str = ""
    """Where the sidecar's socket is; empty where it has none for the job."""
    otherwise: tuple[str, ...] = ()
    """Variables, as `KEY=value`, for scripts whose sidecar turns out to have no socket."""
    forgets_host: bool = False
    """Whether scripts have no DOCKER_HOST that leads to the socket, wherever else it leads."""
    images_config: bool = False
    """Whether DOCKER_CONFIG, where it is set, is the image's word."""
    own: tuple[str, ...] = ()
    """Where the container's tmpfs are mounted, and volumes that go with the job."""
    joins_volumes: bool = False
    """Whether the container has volumes of other containers."""

    def variables(self) -> dict[str, str]:
        """Return the variables of the programs `own_places`, `docker_config` and `docker_socket`."""
        return {
            "_socket": self.socket,
            "_otherwise": "\n".join(self.otherwise),
            "_forgets": "yes" if self.forgets_host else "",
            "_images": "yes" if self.images_config else "",
            "_own": "\n".join(self.own),
            "_joined": "yes" if self.joins_volumes else "",
        }
