"""Gives a project's files to the user that runs the job's scripts.

Only where the job or the runner sets FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR: else everybody may write
to what the helper makes.
"""

from executor.engine.docker import Engine
from executor.errors import ContainerLost
from executor.log import complain, say
from executor.names import helper_beside
from executor.runner import notes
from executor.scripts.script import run_script
from executor.shell import given, program

_LONGEST = 1024
"""How much of what a container prints is kept, in bytes."""


def give_sources(engine: Engine, build: str, temp_dir: str, project_temp_dir: str) -> None:
    """Change the owner of the project's files, once in a job; of root's there is nothing to change.

    `build` is the container whose user that is, `project_temp_dir` RUNNER_TEMP_PROJECT_DIR.
    Raises ContainerLost where the container is gone.
    """
    if not project_temp_dir or notes.is_left(temp_dir, notes.OWNED):
        return
    _, said = _run(engine, build, program("print_user"))
    user, _, group = said.strip().rpartition("\n")[2].partition(" ")
    if not (user.isdecimal() and group.isdecimal()):
        complain(
            "WARNING: The user that runs the job's scripts is unknown, so the files keep"
            " their owner. If the scripts cannot change them, unset"
            " FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR in the job."
        )
        return
    if int(user):
        for directory in (project_temp_dir.removesuffix(".tmp"), project_temp_dir):
            _give(engine, helper_beside(build), directory, f"{user}:{group}")
    notes.leave(temp_dir, notes.OWNED)


def _give(engine: Engine, helper: str, directory: str, owner: str) -> None:
    """Change the owner; as with the Docker executor, the job goes on where that fails."""
    say(f'Changing ownership of files at "{directory}" to {owner}')
    script = given(_owner=owner, _directory=directory) + program("change_owner")
    try:
        code, said = _run(engine, helper, script)
    except ContainerLost as lost:
        code, said = 1, str(lost)
    if code:
        complain(
            f"WARNING: The owner of the files could not be changed: {said.strip().rstrip('.')}. If the"
            " job's scripts cannot change them, unset FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR in"
            " the job."
        )


def _run(engine: Engine, container: str, script: str) -> tuple[int, str]:
    """Return a script's status and the end of what it prints."""
    heard = bytearray()

    def hear(_descriptor: int, data: bytes) -> None:
        heard.extend(data)
        del heard[:-_LONGEST]

    code = run_script(engine, container, script.encode(), sink=hear)
    return code, heard.decode(errors="replace")
