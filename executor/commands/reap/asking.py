"""Who is asked about which job: its own token where its payload is still there, else the administrator's.

A GitLab that does not answer is asked once, and for no further job.
"""

from collections.abc import Callable
from typing import NamedTuple

from executor.bounds import whole_number
from executor.commands.gitlab import tokens
from executor.commands.gitlab.tokens import UnusableToken
from executor.commands.reap.words import Answer, Asker, Said, administrators_word, own_word
from executor.sweep.files import read_payload
from executor.sweep.jobs import Found
from executor.sweep.payload import LeftPayload, UnusablePayload
from executor.sweep.verdict import Word


class TokenFile(NamedTuple):
    """A token of the administrator's, and the one GitLab that it is for."""

    path: str
    url: str
    token: str

    def __repr__(self) -> str:
        """Name the file, and not what is in it."""
        return f"TokenFile({self.path!r}, {self.url!r})"


def read_token(path: str, url: str) -> TokenFile:
    """Return the token in a file, for the GitLab at an address; raises UnusableToken."""
    if not url:
        raise UnusableToken(
            f"the token in {path} is for one GitLab: name its address with --gitlab-url, such as"
            " https://gitlab.example.com"
        )
    if not url.startswith(("https://", "http://")):
        raise UnusableToken(f"{url!r} is no address of a GitLab: it begins with https://")
    return TokenFile(path, url.rstrip("/"), tokens.read_token(path))


class Asking:
    """Asks about jobs, as often as it is told to."""

    def __init__(self, token: TokenFile | None) -> None:
        """Take the administrator's token, if there is one; nothing is sent yet."""
        self._token = token
        self._silent: dict[str, Answer] = {}

    def ask(self, found: Found) -> Said:
        """Return what GitLab says of a job."""
        job_id = whole_number(found.job_id)
        if not job_id:
            return Said(Word.NOT_ASKED, "its labels name no job of GitLab's")
        said = Said(Word.NOT_ASKED, self._who(found))
        for payload in _payloads(found):
            if payload.job_id == job_id:
                asker = Asker(
                    payload.gitlab, job_token=payload.token, authorities=payload.authorities
                )
                said = own_word(self._answer(payload.gitlab, asker.own_job), job_id)
                if said.word is not Word.UNANSWERED:
                    return said
        token = self._token
        project_id = whole_number(found.project_id)
        if token is None or not project_id or found.gitlab.rstrip("/") != token.url:
            return said
        asker = Asker(token.url, token=token.token)
        answer = self._answer(token.url, lambda: asker.job(project_id, job_id))
        return administrators_word(answer, job_id, project_id, token.path)

    def _who(self, found: Found) -> str:
        """Return why nobody is asked where there is no payload."""
        if self._token is None:
            return "to ask GitLab, give a token with --gitlab-token-file"
        if found.gitlab.rstrip("/") != self._token.url:
            return (
                f"the token is for {self._token.url}, and the job of {found.gitlab or 'no GitLab'}"
            )
        return "its labels name no project of GitLab's"

    def _answer(self, url: str, ask: Callable[[], Answer]) -> Answer:
        """Ask a GitLab that has not been silent yet."""
        if url in self._silent:
            return self._silent[url]
        answer = ask()
        if not answer.status:
            self._silent[url] = answer
        return answer


def _payloads(found: Found) -> list[LeftPayload]:
    payloads: list[LeftPayload] = []
    for directory in found.directories:
        try:
            payloads.append(read_payload(directory))
        except UnusablePayload:
            continue
    return payloads
