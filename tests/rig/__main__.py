"""`python -m tests.rig up | down [--purge] | status | leftovers | demo`."""

import argparse
import sys

from tests.rig import state
from tests.rig.demo import demo
from tests.rig.down import down
from tests.rig.leftovers import engines_words, leftovers
from tests.rig.paths import LOGS
from tests.rig.remains import running
from tests.rig.say import RigError, say
from tests.rig.up import up


def main() -> int:
    """Return 0, or 2 with one sentence about what is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.rig", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start everything that the tests and the demo need")
    remover = commands.add_parser(
        "down", help="stop it and remove everything except the cache of images"
    )
    remover.add_argument("--purge", action="store_true", help="remove the cache too")
    commands.add_parser("status", help="show what runs")
    commands.add_parser("leftovers", help="fail if dind-executor has left anything on the engine")
    demonstration = commands.add_parser("demo", help="run the sample pipeline")
    demonstration.add_argument("jobs", nargs="*", metavar="JOB")
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "up":
                up()
            case "down":
                down(purge=arguments.purge)
            case "leftovers":
                return report_leftovers()
            case "demo":
                return demo(state.load(), arguments.jobs)
            case _:
                status()
    except RigError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def report_leftovers() -> int:
    """Return 1, and name them, if the engine holds anything of dind-executor's."""
    found = leftovers(state.load())
    for name in found:
        say(f"Left on the engine: {name}")
        for line in engines_words(state.load(), name):
            say(f"  {line}")
    if not found:
        say("dind-executor has left nothing on the engine.")
    return 1 if found else 0


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
