"""GitLab, registries and mirrors: asked over the network, with `--online` alone."""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from executor.commands.doctor.facts import Answer, Asked, Facts, Runner
from executor.commands.doctor.findings import CannotTell, Finding, fail, ok, skip, warn
from executor.engine.wire import as_table
from executor.errors import EngineUnavailable

_SERVES = frozenset((200, 401, 403))
"""What a registry answers to somebody without a login."""
_REQUESTS = re.compile(
    r"^gitlab_runner_api_request_statuses_total\{(?P<labels>[^}]*)\}\s+(?P<count>[0-9.e+]+)",
    re.MULTILINE,
)
_GOOD = frozenset(("200", "201", "204"))
_REFUSED = frozenset(("401", "403"))


def gitlab(facts: Facts) -> Iterator[Finding]:
    """Say whether each runner's GitLab answers, and whether it accepts the runner's token."""
    asked = _asked(facts)
    for runner in facts.config.runners:
        url = str(runner.table.get("url") or "").rstrip("/")
        where = f'[[runners]] "{runner.name}"'
        answer = _answer(asked, f"{url}/api/v4/version", _authorities(facts, runner))
        if isinstance(answer, str):
            yield fail(
                f"{where}: GitLab at {url} cannot be asked: {answer}",
                "its API answers",
                "check `url`, the name server and the proxy; put GitLab's authority into"
                f" /etc/gitlab-runner/certs/{urlsplit(url).hostname}.crt",
            )
        elif "json" not in answer.headers.get("content-type", ""):
            yield fail(
                f"{where}: {url} answers {answer.status} with a page, and not as GitLab's API does",
                "GitLab's API, with JSON",
                "check `url`: a login page or a proxy may stand before it",
            )
    yield from _token_by_metrics(facts, asked)
    yield ok("GitLab answers")


def gitlab_clock(facts: Facts) -> float | None:
    """Return what time it is to GitLab, None if it does not say."""
    asked = _asked(facts)
    for runner in facts.config.runners:
        url = str(runner.table.get("url") or "").rstrip("/")
        answer = _answer(asked, f"{url}/api/v4/version", _authorities(facts, runner))
        if isinstance(answer, Answer) and "date" in answer.headers:
            try:
                return parsedate_to_datetime(answer.headers["date"]).timestamp()
            except ValueError:
                return None
    return None


def _token_by_metrics(facts: Facts, asked: Asked) -> Iterator[Finding]:
    """Say what gitlab-runner's own requests came to: to ask with its token has side effects in GitLab."""
    listen = str(facts.config.lowered().get("listen_address") or "")
    if not listen:
        yield skip(
            "whether GitLab accepts the token is not known: gitlab-runner counts that at"
            " `listen_address`, which is not set"
        )
        return
    answer = _answer(asked, f"http://{listen.replace('0.0.0.0', '127.0.0.1', 1)}/metrics", "")
    if isinstance(answer, str):
        yield skip(f"gitlab-runner does not answer at {listen}: {answer}")
        return
    counts: dict[str, float] = {}
    for found in _REQUESTS.finditer(answer.body.decode(errors="replace")):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', found["labels"]))
        if labels.get("endpoint") == "request_job":
            status = labels.get("status", "")
            counts[status] = counts.get(status, 0.0) + float(found["count"])
    refused = sum(count for status, count in counts.items() if status in _REFUSED)
    if refused and not any(status in _GOOD for status in counts):
        yield fail(
            f"GitLab has refused all requests for jobs ({refused:.0f}): the token is not valid",
            "a token that GitLab accepts",
            "reset the runner's token in GitLab, and write it into config.toml",
        )


def registry(facts: Facts) -> Iterator[Finding]:
    """Say whether the engine gets the images of the settings, with the logins of this host."""
    from executor.commands.doctor.gather import refusal_of  # noqa: PLC0415

    _asked(facts)
    settings = facts.settings
    images = (
        settings.dind.image,
        settings.docker.images.image,
        settings.docker.images.helper_image,
    )
    named = [each for each in dict.fromkeys(images) if each and "$" not in each]
    for image in named:
        try:
            refusal = refusal_of(facts, image)
        except EngineUnavailable as error:
            raise CannotTell(str(error)) from None
        if refusal:
            yield fail(
                f"the engine does not get {image}: {refusal}",
                "the registry has it, and gives it to this host",
                "check the name, `docker login` as gitlab-runner's user, and the engine's proxy and"
                " /etc/docker/certs.d",
            )
    yield ok(", ".join(named) or "the settings name no image")


def mirror(facts: Facts) -> Iterator[Finding]:
    """Say whether registry mirrors answer, those of the engine and those of dind."""
    asked = _asked(facts)
    config = as_table(facts.engine.info.get("RegistryConfig")).get("Mirrors")
    mirrors = {str(each): "daemon.json" for each in config} if isinstance(config, list) else {}
    mirrors |= dict.fromkeys(facts.settings.dind.registry_mirrors, "`[dind] registry_mirrors`")
    for url, where in mirrors.items():
        host = urlsplit(url).netloc
        answer = _answer(asked, f"{url.rstrip('/')}/v2/", _certificates(facts, host))
        if isinstance(answer, str) or answer.status not in _SERVES:
            said = answer if isinstance(answer, str) else f"it answers {answer.status}"
            yield warn(
                f"the mirror {url} ({where}) does not serve: {said}. Each pull waits for it, and then"
                " goes to Docker Hub",
                "a mirror that answers",
                f"start the mirror, or remove it from {where}",
            )
    yield ok(", ".join(mirrors) or "there is no mirror")


def _asked(facts: Facts) -> Asked:
    if facts.asked is None:
        raise CannotTell("--online asks others")
    return facts.asked


def _answer(asked: Asked, url: str, authorities: str) -> Answer | str:
    """Return what a server said, or why it said nothing."""
    try:
        return asked.get(url, authorities)
    except (OSError, ValueError) as error:
        return str(error)


def _authorities(facts: Facts, runner: Runner) -> str:
    path = str(runner.table.get("tls-ca-file") or "")
    return facts.files.text(path) if path else ""


def _certificates(facts: Facts, host: str) -> str:
    directory = f"/etc/docker/certs.d/{host}"
    names = [each for each in facts.files.names(directory) if each.endswith(".crt")]
    return "\n".join(facts.files.text(f"{directory}/{each}") for each in names)
