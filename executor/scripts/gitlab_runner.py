"""Scripts that call gitlab-runner in the helper container: for caches and artifacts.

gitlab-runner's scripts only say "Missing gitlab-runner" where there is none, and pass: caches and
artifacts would be lost in silence.  Its own helper image has the program, under another name.
"""

from executor.engine.docker import Engine
from executor.errors import SettingsError
from executor.scripts.script import run_script
from executor.shell import DIRECTORY, ELSEWHERE, given, program

_MISSING = 203
"""A status that neither gitlab-runner nor a shell ends with."""


def run_with_gitlab_runner(engine: Engine, container: str, script: bytes, version: str) -> int:
    """Run a script that calls gitlab-runner, as `run_script` does, and return its exit status.

    Raises SettingsError where the helper image has no gitlab-runner that starts.
    """
    code = run_script(engine, container, checked(script, version))
    if code == _MISSING:
        raise SettingsError(
            "The helper image has no `gitlab-runner` that starts, and no"
            " `gitlab-runner-helper`: caches and artifacts would be lost. Set `[docker]"
            " helper_image` to an image with gitlab-runner in the runner's own"
            f" version{version and f' ({version})'}."
        )
    return code


def checked(script: bytes, version: str) -> bytes:
    """Return the script behind a look at the gitlab-runner that it will call.

    The image stays as it is, and any user of it may do this: the name is made in our tmpfs.
    """
    variables = given(_d=DIRECTORY, _elsewhere=ELSEWHERE, _missing=str(_MISSING), _wanted=version)
    return (variables + program("find_gitlab_runner")).encode() + script
