"""What is wrong with a fleet; docs/fleet.md has each id.  Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from executor.commands.fleet.rows import LEGACY, Fleet, Manager, Runner, version_of

_HOUR, _DAY = 3600.0, 86400.0
SILENT_SECONDS = 2 * _HOUR
"""After so long GitLab calls a host offline."""
_NEW_SECONDS = _DAY
_EXPIRES_SECONDS = 7 * _DAY
_MINORS = 12
"""How many minor versions of GitLab a major one has."""


class Finding(NamedTuple):
    """Something that is wrong, where, and what to do."""

    rule: str
    runner: Runner
    found: str
    remedy: str
    system_id: str = ""


def audit(fleet: Fleet, now: float) -> tuple[Finding, ...]:
    """Return all that is wrong, by runners in the order of their numbers."""
    found = [
        *_old_versions(fleet, now),
        *_duplicates(fleet.runners, now),
        # A runner that could not be read may be the one that takes the jobs.
        *(() if fleet.failures else _alone(fleet.runners)),
        *(each for runner in fleet.runners for each in _of_runner(runner, fleet.gitlab, now)),
    ]
    return tuple(sorted(found, key=lambda each: (each.runner.id, each.rule, each.system_id)))


def _of_runner(runner: Runner, gitlab: str, now: float) -> Iterator[Finding]:
    if runner.untagged and not runner.protected:
        yield Finding(
            "open",
            runner,
            "takes jobs without tags, on branches that are not protected: whoever may push a branch"
            " gets a privileged container here without asking for one",
            "give it a tag and turn off `Run untagged jobs`",
        )
    if runner.expires is not None and runner.expires - now < _EXPIRES_SECONDS:
        when = f"expires in {_ago(runner.expires - now)}" if runner.expires > now else "has expired"
        yield Finding(
            "token-expires", runner, f"its token {when}", "give it another with `fleet rotate`"
        )
    yield from _silence(runner, now)
    for each in _present(runner, now):
        yield from _of_manager(runner, each, gitlab)


def _present(runner: Runner, now: float) -> list[Manager]:
    """Return the hosts that call: GitLab keeps the others for a week, and they may be gone for good."""
    return [
        each
        for each in runner.managers
        if each.contacted is not None and now - each.contacted <= SILENT_SECONDS
    ]


def _silence(runner: Runner, now: float) -> Iterator[Finding]:
    last = runner.last_contact
    if last is None:
        if runner.created is None or now - runner.created > _NEW_SECONDS:
            since = "" if runner.created is None else f" in {_ago(now - runner.created)}"
            yield Finding(
                "never-contacted",
                runner,
                f"no host has ever called for it{since}",
                "register a host with its token, or delete it",
            )
        return
    if now - last > SILENT_SECONDS and not runner.paused:
        yield Finding(
            "silent-runner",
            runner,
            f"none of its hosts has called for {_ago(now - last)}: nobody takes its jobs",
            "look at gitlab-runner on its hosts, or delete it",
        )
    for each in runner.managers:
        if each.is_busy and each.contacted is not None and now - each.contacted > SILENT_SECONDS:
            yield Finding(
                "silent-with-jobs",
                runner,
                f"has not called for {_ago(now - each.contacted)}, and GitLab believes that jobs run"
                " there",
                "on that host, run `dind-executor reap --yes`; if it is gone for good, end its jobs with"
                " `fleet reconcile`",
                each.system_id,
            )


def _of_manager(runner: Runner, manager: Manager, gitlab: str) -> Iterator[Finding]:
    if manager.system_id == LEGACY:
        yield Finding(
            "no-system-id",
            runner,
            "something calls with its token and does not say from which host",
            "look for scripts that verify its token without a `system_id`",
            manager.system_id,
        )
    ours, theirs = version_of(manager.version), version_of(gitlab)
    if ours and theirs and ours > theirs:
        yield Finding(
            "newer-than-gitlab",
            runner,
            f"gitlab-runner {manager.version} is newer than GitLab {gitlab}",
            "install the gitlab-runner of GitLab's version",
            manager.system_id,
        )


def _old_versions(fleet: Fleet, now: float) -> Iterator[Finding]:
    """Yield the hosts that are more than a minor version behind the newest one."""
    hosts = [
        (runner, each, version)
        for runner in fleet.runners
        for each in _present(runner, now)
        if (version := version_of(each.version))
    ]
    theirs = version_of(fleet.gitlab)
    # What is newer than GitLab is a finding of its own, and not what others are measured by.
    good = [version for _, _, version in hosts if not theirs or version <= theirs]
    newest = max(good, default=(0, 0))
    for runner, each, version in hosts:
        if _count(newest) - _count(version) > 1:
            yield Finding(
                "old-version",
                runner,
                f"gitlab-runner {each.version}; the newest of the fleet is {newest[0]}.{newest[1]}",
                "upgrade gitlab-runner there",
                each.system_id,
            )


def _count(version: tuple[int, int]) -> int:
    return version[0] * _MINORS + version[1]


def _duplicates(runners: Sequence[Runner], now: float) -> Iterator[Finding]:
    """Yield what calls from several addresses under one name: hosts made of one image."""
    hosts = [
        (runner, each)
        for runner in runners
        for each in _present(runner, now)
        if each.system_id != LEGACY and each.address
    ]
    # One host may call by both families.
    addresses: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for _, each in hosts:
        addresses[each.system_id, ":" in each.address].add(each.address)
    for runner, each in hosts:
        known = addresses[each.system_id, ":" in each.address]
        if len(known) > 1:
            yield Finding(
                "duplicate-system-id",
                runner,
                f"calls from {', '.join(sorted(known))}: hosts that were made of one image have one"
                " name, and GitLab takes them for one",
                "delete .runner_system_id beside config.toml on all but one, and restart"
                " gitlab-runner there",
                each.system_id,
            )


def _alone(runners: Sequence[Runner]) -> Iterator[Finding]:
    """Yield the paused runners whose jobs nobody else can take."""
    for runner in runners:
        others = [each for each in runners if not each.paused and _takes_its_jobs(each, runner)]
        if runner.paused and not others:
            tags = ", ".join(runner.tags) or "none"
            yield Finding(
                "paused-alone",
                runner,
                f"is paused, and no other of these runners takes its jobs (tags: {tags})",
                "resume it, or delete it",
            )


def _takes_its_jobs(other: Runner, runner: Runner) -> bool:
    return (
        set(runner.tags) <= set(other.tags)
        and (other.untagged or not runner.untagged)
        and (runner.protected or not other.protected)
    )


def _ago(seconds: float) -> str:
    """Return a length of time in words."""
    for unit, size in (("day", _DAY), ("hour", _HOUR), ("minute", 60.0)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"
