"""`python -m tests.rig up | down [--purge] | status`."""

import argparse
import sys

from tests.rig import state
from tests.rig.down import down, running
from tests.rig.paths import LOGS
from tests.rig.say import RigError, say
from tests.rig.up import up


def main() -> int:
    """Return 0, or 2 with one sentence about what is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.rig", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start everything that the tests and the demo need")
    remover = commands.add_parser("down", help="stop it, and remove all but the images' cache")
    remover.add_argument("--purge", action="store_true", help="remove the cache too")
    commands.add_parser("status", help="say what runs")
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "up":
                up()
            case "down":
                down(purge=arguments.purge)
            case _:
                status()
    except RigError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 2
    return 0


def status() -> None:
    """Say what runs."""
    rig = state.load()
    say(f"Engine:            Docker {rig.engine_version} at {rig.engine_host}")
    say(f"Runtime for dind:  {rig.runtime or 'the default one'}")
    say(f"Images:            {rig.images}")
    say(f"GitLab registry:   {rig.gitlab} (users {rig.ci_user.name}, {rig.deploy_user.name})")
    say(f"Dependency proxy:  {rig.proxy_prefix}")
    say(f"Hub mirror:        {rig.hub}")
    say(f"Git:               {rig.git_url}/group/project.git")
    say(f"Settings:          {rig.settings}")
    say(f"Logs:              {LOGS}")
    say(f"Processes:         {', '.join(running()) or 'none'}")


if __name__ == "__main__":
    sys.exit(main())
