"""Whether GitLab has what a job fetches, asked from the container that fetches it.

Loaded only where fetching into kept sources has failed: they are not at fault where GitLab is away.
"""

import re

from executor.errors import Cancelled, SystemFailure
from executor.runner.payload import Job
from executor.scripts.attempts import Place
from executor.scripts.script import run_script
from executor.shell import DIRECTORY, ELSEWHERE, given, program

_SECONDS = 10
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_VARIABLES = (*_PROXIES, *(each.upper() for each in _PROXIES), "GIT_SSL_NO_VERIFY")
"""What of the job's variables git heeds on its way to GitLab."""


def gitlab_answers(place: Place, job: Job, script: bytes) -> bool:
    """Tell whether git, in the container that failed to fetch, finds the refs that the job wants.

    Takes 10 seconds at most.  `script` is that of get_sources.
    """
    env = place.env
    url, user, password = remote_of(job, script)
    values = {each: env.job_value(each) or "" for each in _VARIABLES}
    lines = (f"{key}={value}" for key, value in values.items() if value and "\n" not in value)
    variables = given(
        _d=DIRECTORY,
        _elsewhere=ELSEWHERE,
        _url=url,
        _user=user,
        _password=password,
        _refs="\n".join(wanted_refs(job.refspecs)),
        _environment="\n".join(lines),
        _ca=env.job_value("CI_SERVER_TLS_CA_FILE") or "",
        _cert=env.job_value("CI_SERVER_TLS_CERT_FILE") or "",
        _key=env.job_value("CI_SERVER_TLS_KEY_FILE") or "",
        _seconds=str(_SECONDS),
    )
    asking = (variables + program("ask_gitlab")).encode()
    try:
        return run_script(place.engine, place.container, asking, sink=_unheard) == 0
    except Cancelled:
        raise
    except SystemFailure:
        return False


def wanted_refs(refspecs: tuple[str, ...]) -> list[str]:
    """Return the refs that a job fetches by their full names."""
    sources = (each.removeprefix("+").partition(":")[0] for each in refspecs)
    return [each for each in sources if each.startswith("refs/") and "*" not in each]


def remote_of(job: Job, script: bytes) -> tuple[str, str, str]:
    """Return the address that the job fetches from, without credentials, its user and its password.

    gitlab-runner's `clone_url`, which only its script tells, stands in place of GitLab's own address.
    """
    scheme, _, rest = job.repo_url.partition("://")
    server, slash, path = rest.partition("/")
    login, _, host = server.rpartition("@")
    user, _, password = login.partition(":")
    user, password = user or "gitlab-ci-token", password or job.token
    pattern = rb"(https?)://" + re.escape(f"{user}:{password}@".encode()) + rb"([\w.:\[\]-]+)"
    if found := re.search(pattern, script):
        scheme, host = (each.decode(errors="replace") for each in found.groups())
    return f"{scheme}://{host}{slash}{path}", user, password


def _unheard(_descriptor: int, _data: bytes) -> None:
    """Drop what git says: the job log has the script's own words."""
