"""What people and programs read of a fleet.  Pure."""

import json
from collections.abc import Iterator, Sequence

from executor.commands.fleet.ending import Ended
from executor.commands.fleet.ghosts import Ghost
from executor.commands.fleet.rows import Fleet, Runner
from executor.commands.fleet.rules import Finding
from executor.commands.fleet.stale import Deleted
from executor.excerpts import readable as shortened
from executor.redaction import redact

DONE, FOUND, USAGE, PARTIAL = 0, 1, 2, 3


def exit_code(findings: Sequence[Finding], fleet: Fleet) -> int:
    """Return 3 where not all could be read, else 1 where something was found."""
    if fleet.failures:
        return PARTIAL
    return FOUND if findings else DONE


def as_json(findings: Sequence[Finding], fleet: Fleet) -> Iterator[str]:
    """Yield an object for each finding, for each failure, and for the whole."""
    for each in findings:
        yield json.dumps(
            {
                "kind": "finding",
                "rule": each.rule,
                "runner": each.runner.id,
                "description": readable(each.runner.description),
                "system_id": readable(each.system_id),
                "found": readable(each.found),
                "remedy": each.remedy,
            }
        )
    for failure in fleet.failures:
        yield json.dumps({"kind": "failure", "failure": readable(failure)})
    yield json.dumps(
        {
            "kind": "summary",
            "runners": len(fleet.runners),
            "managers": sum(len(each.managers) for each in fleet.runners),
            "findings": len(findings),
            "failures": len(fleet.failures),
            "gitlab": readable(fleet.gitlab),
        }
    )


def as_table(findings: Sequence[Finding], fleet: Fleet) -> Iterator[str]:
    """Yield lines for people: each finding in columns, what to do under it, and the sum."""
    rows = [(each.rule, _where(each), readable(each.found)) for each in findings]
    first = max((len(rule) for rule, _, _ in rows), default=0)
    second = max((len(where) for _, where, _ in rows), default=0)
    for each, (rule, where, found) in zip(findings, rows, strict=True):
        yield f"{rule:{first}}  {where:{second}}  {found}"
        yield f"{'':{first}}  {'':{second}}  → {each.remedy}"
    for failure in fleet.failures:
        yield readable(failure)
    yield summary(findings, fleet)


def summary(findings: Sequence[Finding], fleet: Fleet) -> str:
    """Return the sum in a sentence."""
    hosts = sum(len(each.managers) for each in fleet.runners)
    text = (
        f"{_count(len(fleet.runners), 'runner')} with {_count(hosts, 'host')}:"
        f" {_count(len(findings), 'finding') if findings else 'nothing is wrong'}."
    )
    failed = len(fleet.failures)
    return f"{text} {_count(failed, 'runner')} could not be read." if failed else text


def readable(text: str) -> str:
    """Return words as people read them: runners and hosts may be called anything."""
    plain = shortened(redact(text, ()))
    return "".join(each if each.isprintable() else "?" for each in plain)


def event(
    state: str,
    target: str,
    sentence: str,
    jobs: Sequence[str] = (),
    *,
    hosts: Sequence[str] | None = None,
    json_lines: bool,
) -> str:
    """Return a line on what became of a runner or a host."""
    if not json_lines:
        return readable(sentence)
    told = {"kind": "event", "state": state, "target": target, "text": readable(sentence)}
    if hosts is not None:
        return json.dumps({**told, "hosts": [readable(each) for each in hosts]})
    return json.dumps({**told, "jobs": [readable(each) for each in jobs]})


def stale_lines(
    chosen: Sequence[Runner], done: Deleted | None, fleet: Fleet, *, json_lines: bool
) -> Iterator[str]:
    """Yield what became of the runners that nobody calls for; None where nothing was to be done."""
    for each in chosen:
        word = "would-delete" if done is None else "failed"
        if done and each in done.gone:
            word = "deleted"
        elif done and each in done.spared:
            word = "spared"
        if json_lines:
            told = {"kind": "stale", "runner": each.id, "state": word}
            yield json.dumps({**told, "description": readable(each.description)})
        else:
            yield f"{word:12}  runner {each.id} ({readable(each.description)})"
    for failure in (*fleet.failures, *(done.failures if done else ())):
        yield failure_line(failure, json_lines=json_lines)
    if not json_lines:
        last = "" if done else " --yes deletes them." if chosen else " Nothing to do."
        yield f"{len(chosen)} of {len(fleet.runners)} runners.{last}"


def ghost_line(ghost: Ghost, ended: Ended | None, *, json_lines: bool) -> str:
    """Return a line on a job that runs in GitLab alone; None where it was not to be ended."""
    url, host = readable(ghost.url), readable(ghost.system_id)
    state = ended.state if ended else "would-end"
    again = ended.again if ended else 0
    if json_lines:
        told = {"kind": "ghost", "job": ghost.job, "state": state, "url": url}
        told |= {"runner": ghost.runner.id, "system_id": host, "silent_seconds": int(ghost.silent)}
        return json.dumps({**told, **({"again": again} if again else {})})
    minutes = int(ghost.silent // 60)
    more = f", again as job {again}" if again else ""
    where = f"runner {ghost.runner.id}, host {host}, silent for {minutes} min"
    return f"{state:9}  job {ghost.job}  {where}{more}  {url}"


def retried_line(ended: Ended, *, json_lines: bool) -> str:
    """Return a line on a job that an earlier call has ended, and this one has retried."""
    if json_lines:
        told = {"kind": "retried", "job": ended.job, "state": ended.state, "again": ended.again}
        return json.dumps(told)
    more = f", which was ended before, again as job {ended.again}" if ended.again else ""
    return f"{ended.state:9}  job {ended.job}{more}"


def failure_line(failure: str, *, json_lines: bool) -> str:
    """Return a line on what GitLab did not do or tell."""
    text = readable(failure)
    return json.dumps({"kind": "failure", "failure": text}) if json_lines else text


def ghosts_sum(found: Sequence[Ghost], *, are_ended: bool) -> str:
    """Return the sum in a sentence."""
    text = f"{_count(len(found), 'job')} of hosts that do not call."
    if not found or are_ended:
        return text
    return (
        f"{text} `dind-executor reap --yes` on the host ends them as failures of the host. Where it is"
        " gone for good, --yes cancels them here."
    )


def _where(finding: Finding) -> str:
    runner = finding.runner
    name = f" ({readable(runner.description)})" if runner.description else ""
    host = f", host {readable(finding.system_id)}" if finding.system_id else ""
    return f"runner {runner.id}{name}{host}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
