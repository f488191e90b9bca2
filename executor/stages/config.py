"""config: tells gitlab-runner who we are and where builds live, as JSON on stdout."""

import os

from executor import __version__
from executor.log import AdministratorLog
from executor.notation.volumes import holds_builds
from executor.quick_json import dumps
from executor.reading import read_basics
from executor.runner.environ import RunnerEnv
from executor.stages.aftermath import leave_aftermath
from executor.stages.owner import leave_owner


def main(env: RunnerEnv, args: list[str], log: AdministratorLog) -> None:
    """Print the answer to config_exec.

    Settings and payload are read here first, so that a mistake in either ends the job before
    anything exists.  A job that is killed before it has any object is known by the note that is left.
    """
    basics = read_basics(env, args)
    basics.context.open(log, gitlab=basics.belonging.gitlab)
    leave_owner(basics.belonging)
    leave_aftermath(env, basics.belonging.owner)
    settings = basics.settings
    answer = {
        "driver": {"name": "dind-executor", "version": f"v{__version__}"},
        "builds_dir": settings.builds_dir,
        "cache_dir": settings.cache_dir,
        "builds_dir_is_shared": holds_builds(settings.docker.volumes.volumes, settings.builds_dir),
        "hostname": os.uname().nodename,
        "job_env": basics.context.to_job_env(),
    }
    os.write(1, dumps(answer).encode())
