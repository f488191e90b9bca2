"""`dind-executor register`: has gitlab-runner take jobs for dind-executor on this host.

Everything is tried before anything is written.  config.toml changes in one step, and what fails
later is undone, or said.
"""

import os
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from executor.commands.gitlab.client import Client, GitLabFailed
from executor.commands.gitlab.line import Line
from executor.commands.register import creation, service
from executor.commands.register.config_file import ConfigFile, Written
from executor.commands.register.creation import Created, Creation
from executor.commands.register.document import AlreadyThere, Document
from executor.commands.register.options import (
    Options,
    WrongUse,
    read_options,
    runners_token,
    users_token,
    without_tokens,
)
from executor.commands.register.report import last_words, made_units
from executor.commands.register.runner import GitLabRunner, RunnerFailed, find_runner
from executor.commands.register.section import UNKNOWN_TOKEN, Registration, template_text
from executor.commands.register.service import Units
from executor.commands.register.stops import USAGE, Stopped, sentences
from executor.commands.register.trials import try_host
from executor.log import complain, say
from executor.settings.file import load_settings

_RELOADED_SECONDS = 5.0
"""After how many seconds, and an interval of its own, gitlab-runner has asked with a new token."""

_NO_SYSTEMD = (
    "No service of systemd was started: start gitlab-runner in the way of this host. Stop it with"
    " SIGQUIT, which lets its jobs end."
)
_NOT_VERIFIED = (
    "GitLab was not asked about the token. When gitlab-runner has run for a minute, `gitlab-runner"
    " verify` asks."
)


def main(args: list[str]) -> int:
    """Register; return an exit code.

    0: done, or done before. 1: nothing is registered, or the last lines say what stands. 2: called
    in a wrong way.
    """
    try:
        options = read_options(args)
        if options.prints_template:
            say(template_text(options.paths, options.url).rstrip())
            return 0
        with sentences(options.config):
            return _register(options)
    except WrongUse as error:
        complain(f"dind-executor register: {error}")
        return USAGE
    except Stopped as error:
        complain(f"dind-executor register: {error}")
        return error.code


def _register(options: Options) -> int:
    """Try everything, then write; return an exit code."""
    hook = Path(options.paths.hooks) / "run"
    if not os.access(hook, os.X_OK):
        raise WrongUse(f"{hook} is not there: install dind-executor first, or name its --hooks.")
    token = "" if options.wanted else runners_token(options, os.environ)
    user = users_token(options, os.environ) if options.wanted else ""
    without_tokens(os.environ)
    load_settings(options.paths.settings)
    gitlab_runner = find_runner()
    file = ConfigFile(options.config)
    by_systemd = options.makes_units and service.is_systemd_running()
    read = service.config() if by_systemd else ""
    if read and ConfigFile(Path(read)).path != file.path:
        raise WrongUse(
            f"gitlab-runner's service reads {read}, and not {options.config}: name that with --config."
        )
    if options.url.startswith("http://"):
        complain("WARNING: Without https://, tokens and jobs travel to GitLab unencrypted.")
    with file.held():
        document = Document.read(file, options)
        try:
            document.check(Registration(options.name, options.url, token))
        except AlreadyThere as error:
            return _there(options, str(error))
        if options.wanted:
            token = document.left_token(file.left(), Registration(options.name, options.url, ""))
        try:
            return _Steps(options, file, document, gitlab_runner).take(token, user)
        finally:
            file.forget()


class _Steps:
    """What happens in which order, while nobody else registers here."""

    def __init__(
        self, options: Options, file: ConfigFile, document: Document, gitlab_runner: GitLabRunner
    ) -> None:
        self._options, self._file, self._document = options, file, document
        self._runner = gitlab_runner
        self._created: Created | None = None

    def take(self, token: str, user: str) -> int:
        """Take all steps; `token` is "" for a runner that is yet to be created."""
        options = self._options
        _reach(options.url)
        made = None
        if options.wanted and not token:
            client = Client(options.url, user, "the token for GitLab")
            made = Creation(client, options.wanted, creation.this_machine())
            made.check()
        self._try_out(token or UNKNOWN_TOKEN)
        for sentence in try_host(self._runner, self._file, options):
            say(sentence)
        if made is not None:
            self._created = made.create()
            say(f"GitLab has created the runner {self._created.id}.")
            token = self._created.token
        try:
            if made is not None:
                self._try_out(token)
            elif self._runner.lints:
                self._runner.verify(self._file.tried, options.name)
            written = self._file.commit()
        except BaseException:
            self._delete_created()
            raise
        return self._finish(written)

    def _try_out(self, token: str) -> None:
        text = self._document.with_runner(
            Registration(self._options.name, self._options.url, token)
        )
        self._file.try_out(text)
        self._runner.reads(self._file.tried, self._options.name)

    def _delete_created(self) -> None:
        """Leave no runner in GitLab that nobody has the token of."""
        if self._created is None:
            return
        wrong = creation.delete(self._options.url, self._created.token)
        if wrong:
            complain(f"{wrong} The runner {self._created.id} stands in GitLab: delete it there.")
        else:
            complain(f"The runner {self._created.id} was deleted in GitLab again.")

    def _finish(self, written: Written) -> int:
        """Have gitlab-runner work with what was written."""
        options = self._options
        at = monotonic()
        say(f"{self._file.path} has the runner {options.name!r}.")
        by_systemd = options.makes_units and service.is_systemd_running()
        sentences = _started() if by_systemd else [_NO_SYSTEMD]
        runs = not sentences
        if self._created is None and not self._runner.lints:
            if sentences:
                sentences.append(_NOT_VERIFIED)
            else:
                self._verify_later(written, at)
        units = made_units(options.paths.settings) if by_systemd else Units((), ())
        for sentence in (*sentences, *units.said):
            complain(f"WARNING: {sentence}")
        for line in last_words(options, written, units, self._created, runs=runs):
            say(line)
        return 0

    def _verify_later(self, written: Written, at: float) -> None:
        """Have GitLab verify the token once this host has asked it for a job."""
        seconds = _RELOADED_SECONDS + self._document.check_interval
        sleep(max(0.0, at + seconds - monotonic()))
        try:
            self._runner.verify(self._file.path, self._options.name)
        except RunnerFailed as error:
            with suppress(OSError):
                if self._file.restore(written):
                    raise
            raise Stopped(
                f"{error} {self._file.path} was changed meanwhile, or cannot be changed: remove the"
                f" runner {self._options.name!r} from it by hand."
            ) from None


def _started() -> list[str]:
    """Have gitlab-runner's service run; return what is left to do by hand."""
    runs = service.is_running()
    sentences = service.started()
    if not runs and not sentences:
        say("gitlab-runner's service was started.")
    return sentences


def _there(options: Options, there: str) -> int:
    """Do what is missing of a runner that is registered: a call may have been killed before that."""
    if not (options.makes_units and service.is_systemd_running()):
        say(f"{there}: there is nothing to do.")
        return 0
    runs = service.is_running()
    sentences = _started()
    units = made_units(options.paths.settings)
    for sentence in (*sentences, *units.said):
        complain(f"WARNING: {sentence}")
    for path in units.written:
        say(f"{path} was written.")
    is_done = runs and not units.written
    say(f"{there}{': there is nothing to do' if is_done else ''}.")
    return 0


def _reach(url: str) -> None:
    """See that GitLab's API is there; raises GitLabFailed."""
    reply = Line(url).exchange("get", "/version")
    if not reply.status:
        raise GitLabFailed(f"{reply.reason}: check the address, the network and the proxy.")
    if reply.content_type != "application/json":
        raise GitLabFailed(
            f"{url} answers with HTTP {reply.status} and something that is not GitLab's API: check the"
            " address."
        )
