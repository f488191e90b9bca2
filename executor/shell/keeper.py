"""The program that a job's build and helper container run: the *keeper*.

Both containers stand for the whole job.  The keeper runs through the image's entrypoint and takes
one script after the other from its stdin, as a container of the Docker executor takes its one.  So
a script is a child of the entrypoint, with all that it exported, and starting one costs the engine
nothing: an exec takes 50 ms, and an image's restart 300.

Everything that the keeper calls, the scripts of gitlab-runner call too.
"""

from collections.abc import Iterable

from executor.shell import DIRECTORY, given, program
from executor.shell.client import Client
from executor.shell.serving import READY

_PROGRAM = program(
    "receive_files", "our_processes", "own_places", "docker_config", "docker_socket", "keeper"
)
_NO_DOCKER = Client()


def keeper(
    name: str,
    *,
    umask: str = "",
    forgotten: str = "",
    opened: Iterable[str] = (),
    shares_pids: bool = False,
    client: Client = _NO_DOCKER,
) -> tuple[str, ...]:
    """Return the command of the keeper of the container `name`.

    Before the container counts as ready, the keeper sets the `umask` of its scripts (empty: that of
    the image and its entrypoint), removes the directory `forgotten`, and lets every user write to
    the directories `opened`; to these once more before the first script, when all of the job's
    containers exist.  `shares_pids` tells whether the container sees processes that are not its
    own.  `client` is what is done for the Docker client of its scripts.
    """
    variables = given(
        _me=name,
        _d=DIRECTORY,
        _ready=READY,
        _umask=umask,
        _forget=forgotten,
        _shared="yes" if shares_pids else "",
        **client.variables(),
    )
    return ("sh", "-c", variables + _PROGRAM, "sh", *opened)
