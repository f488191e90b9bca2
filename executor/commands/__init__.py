"""What a person types, one file a command."""

from executor import __version__
from executor.log import complain, say

HELP = """\
dind-executor: a custom executor for GitLab Runner, for jobs that build container images.

  dind-executor local [--file FILE] [JOB ...]  run jobs of a pipeline file through the hooks
  dind-executor settings                       print the default settings with their documentation
  dind-executor install [--prefix DIR]         install or upgrade on a runner host (as root)
  dind-executor rollback [VERSION]             go back to the version before (as root)
  dind-executor uninstall                      remove everything but the settings (as root)
  dind-executor register --url URL             have gitlab-runner take jobs on this host (as root)
  dind-executor fleet audit --url URL          show what is wrong with all runners of a GitLab
  dind-executor fleet drain [--wait] [--yes]   let jobs of this host, or of a runner, end and take none
  dind-executor migrate config.toml            move runners here from the Docker executor
  dind-executor doctor [--online] [--as-job]   look at this host: what will make jobs fail, what to do
  dind-executor reap [--yes]                   show, or remove, what jobs of dead gitlab-runners left
  dind-executor prune [--yes]                  measure, or bring within bounds, what jobs keep
  dind-executor timeline JOB-ID [--svg FILE]   show what a job took, call by call
  dind-executor replay FILE                    run a captured job again, and compare how it fails
  dind-executor metrics [--listen HOST:PORT]   serve numbers for Prometheus, and a page of this host
  dind-executor plan PAYLOAD                   show what a job would get, and what decides it
  dind-executor --version | --help

gitlab-runner calls the stages through the executables in hooks/:
  config, prepare, run, cleanup, each with --settings FILE
"""

COMMANDS = {
    "local": "executor.local.command",
    "install": "executor.commands.install.command",
    "rollback": "executor.commands.install.rollback",
    "uninstall": "executor.commands.install.uninstall",
    "register": "executor.commands.register.command",
    "fleet": "executor.commands.fleet.command",
    "migrate": "executor.commands.migrate.command",
    "doctor": "executor.commands.doctor.command",
    "reap": "executor.commands.reap.command",
    "prune": "executor.commands.prune.command",
    "plan": "executor.commands.plan.command",
    "replay": "executor.commands.replay.command",
    "timeline": "executor.commands.timeline",
    "metrics": "executor.commands.metrics.command",
}
"""The module of each command; its `main` takes the arguments and returns an exit code."""


def run_typed(name: str, args: list[str]) -> int:
    """Run a command that a person types, and return its exit code."""
    if name == "--version":
        say(f"dind-executor {__version__}")
    elif name in {"--help", "-h", "help"}:
        say(HELP.rstrip())
    elif name == "settings":
        from executor.settings.manual import documented_defaults  # noqa: PLC0415

        say(documented_defaults().rstrip())
    elif name in COMMANDS:
        from importlib import import_module  # noqa: PLC0415

        # Each is imported alone, and decides its exit code itself.
        return int(import_module(COMMANDS[name]).main(args))
    else:
        complain(f"dind-executor: there is no command `{name}`. `dind-executor --help` lists all.")
        return 2
    return 0
