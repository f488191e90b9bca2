"""What is tried before anything is written: what gitlab-runner reads, the host, a job's environment."""

from collections.abc import Iterator

from executor.commands.register.checking import Checked, check
from executor.commands.register.config_file import ConfigFile
from executor.commands.register.options import Options
from executor.commands.register.runner import GitLabRunner

_LOOK_SECONDS, _JOB_SECONDS = 300, 3600


class Unfit(Exception):
    """The host is not fit for jobs; the text is a sentence, behind lines of what is wrong."""


def try_host(gitlab_runner: GitLabRunner, file: ConfigFile, options: Options) -> Iterator[str]:
    """Yield sentences on what was found right; raises Unfit."""
    wrong = gitlab_runner.lint(file.tried) if gitlab_runner.lints else ""
    # What was wrong before is not this runner's fault, and doctor names it.
    if wrong and not (file.path.exists() and gitlab_runner.lint(file.path)):
        raise Unfit(wrong)
    looked = _looked(file, options, as_job=False, seconds=_LOOK_SECONDS)
    right = sum(each.level == "ok" for each in looked.findings)
    yield f"`dind-executor doctor` finds this host fit: {right} checks are right."
    for each in looked.warnings:
        yield f"  {each.line}"
    if not options.tries_job:
        yield "No job's environment was tried."
        return
    yield "Trying a job's environment, with a build and a container in it ..."
    tried = _looked(file, options, as_job=True, seconds=_JOB_SECONDS)
    yield f"It works, and was removed: {tried.job}."


def _looked(file: ConfigFile, options: Options, *, as_job: bool, seconds: int) -> Checked:
    """Return what doctor finds; raises Unfit."""
    checked = check(
        file.tried,
        options.name,
        options.paths.settings,
        ignored=options.ignored,
        as_job=as_job,
        seconds=seconds,
    )
    _stop_if_unfit(checked)
    return checked


def _stop_if_unfit(checked: Checked) -> None:
    if checked.reason:
        raise Unfit(f"`dind-executor doctor` failed: {checked.reason}.")
    if checked.ok:
        return
    lines = [f"  {each.line}" for each in checked.problems]
    ids = ",".join(dict.fromkeys(each.id for each in checked.problems))
    raise Unfit(
        "\n".join(["This host is not fit for jobs:", *lines])
        + f"\nCorrect this and try again (`--ignore {ids}` registers nevertheless)."
    )
