"""What a person types, one file a command."""

from executor import __version__
from executor.log import complain, say

HELP = """\
dind-executor: a custom executor for GitLab Runner, for jobs that build container images.

  dind-executor local [--file FILE] [JOB ...]  run jobs of a pipeline file through the hooks
  dind-executor settings                       print the default settings with their documentation
  dind-executor install [--prefix DIR]         install or upgrade on a runner host (as root)
  dind-executor migrate config.toml            move runners here from the Docker executor
  dind-executor reap [--yes]                   show, or remove, what jobs of dead gitlab-runners left
  dind-executor prune [--yes]                  measure, or bring within bounds, what jobs keep
  dind-executor timeline JOB-ID [--svg FILE]   show what a job took, call by call
  dind-executor --version | --help

gitlab-runner calls the stages through the executables in hooks/:
  config, prepare, run, cleanup, each with --settings FILE
"""


def run_typed(name: str, args: list[str]) -> int:
    """Run a command that a person types, and return its exit code."""
    if name == "--version":
        say(f"dind-executor {__version__}")
    elif name in {"--help", "-h", "help"}:
        say(HELP.rstrip())
    elif name == "settings":
        from executor.settings.manual import documented_defaults  # noqa: PLC0415

        say(documented_defaults().rstrip())
    elif name == "timeline":
        from executor.commands.timeline import main as timeline  # noqa: PLC0415

        return timeline(args)
    else:
        return _run(name, args)
    return 0


def _run(name: str, args: list[str]) -> int:
    """Run a command that decides its exit code itself; each is imported alone."""
    if name == "local":
        from executor.local.command import main as local  # noqa: PLC0415

        return local(args)
    if name == "install":
        from executor.commands.install import main as install  # noqa: PLC0415

        return install(args)
    if name == "migrate":
        from executor.commands.migrate.command import main as migrate  # noqa: PLC0415

        return migrate(args)
    if name == "reap":
        from executor.commands.reap.command import main as reap  # noqa: PLC0415

        return reap(args)
    if name == "prune":
        from executor.commands.prune.command import main as prune  # noqa: PLC0415

        return prune(args)
    complain(f"dind-executor: there is no command `{name}`. `dind-executor --help` lists all.")
    return 2
