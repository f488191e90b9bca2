"""A machine of the test's own: without the gitlab-runners of other tests, which come and go."""

import os

from pytest_mock import MockerFixture

from executor.host.owner import pid_namespace, read_process
from executor.sweep import makers


def have_own_machine(mocker: MockerFixture) -> None:
    """Have the sweep see all processes, also in a container: this one, and all that it has started."""
    everybody = makers._processes

    def own(proc: str) -> list[int]:
        return [each for each in everybody(proc) if _is_own(each)]

    mocker.patch.object(makers, "_FIRST_NAMESPACE", pid_namespace())
    mocker.patch.object(makers, "_processes", side_effect=own)


def _is_own(pid: int) -> bool:
    while pid != os.getpid():
        process = read_process(pid)
        if process is None or process.parent == 0:
            return False
        pid = process.parent
    return True
