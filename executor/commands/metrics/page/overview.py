"""The page of the host: what is wrong, what runs, what was, and what the host has left.  Pure."""

from collections.abc import Sequence
from urllib.parse import quote

from executor.commands.metrics.page.facts import CRITICAL, Facts, problems
from executor.commands.metrics.page.hosts import host_parts, layers
from executor.commands.metrics.page.markup import Html, joined, table, tag
from executor.commands.metrics.page.rows import Now, Past
from executor.notation.durations import age_text
from executor.record.endings import ADMINISTRATOR, JOB_AUTHOR, NOBODY
from executor.record.timeline import seconds_text
from executor.record.words import CANCELLED

REFRESH_SECONDS = 30
_MOST_NOW = 100
_NONE = "\N{EN DASH}"
_STRIP, _HEIGHT = 1000, 12
_RESULTS = {
    "success": ("passed", "good"),
    "script_failure": ("failed", "author"),
    "system_failure": ("system failure", "bad"),
    "timeout": ("timed out", "author"),
    "canceled": ("canceled", "quiet"),
}
"""What a result is called, and how it looks."""
_FAULTS = {JOB_AUTHOR: "job author", ADMINISTRATOR: "host", NOBODY: _NONE}


def overview(facts: Facts) -> Html:
    """Return the page."""
    return document(
        facts.host,
        tag(
            "header",
            tag("h1", facts.host),
            tag("p", _about(facts), class_="about"),
        ),
        _verdict(facts),
        _cards(facts),
        tag("div", *(_section(title, part) for title, part in host_parts(facts)), class_="panels"),
        _section("Jobs now", _now(facts)),
        _section(_past_title(facts.past), _past(facts)),
        _section("Kept layers", layers(facts)),
        refresh=True,
    )


def document(title: str, *parts: Html, refresh: bool = False) -> Html:
    """Return a whole page."""
    again = tag("meta", http_equiv="refresh", content=str(REFRESH_SECONDS)) if refresh else None
    return joined(
        Html("<!doctype html>\n"),
        tag(
            "html",
            tag(
                "head",
                tag("meta", charset="utf-8"),
                tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
                again,
                tag("title", f"{title} · dind-executor"),
                tag("link", rel="stylesheet", href="/style.css"),
                tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
            ),
            tag("body", tag("main", *parts)),
            lang="en",
        ),
        Html("\n"),
    )


def result_mark(result: str) -> Html:
    """Return how a job has ended, with its colour."""
    name, look = _RESULTS.get(result, (result or "unknown", "quiet"))
    return tag("span", name, class_=f"mark {look}")


def strip(job: Past) -> Html:
    """Return a job's calls as bars on one line."""
    bars = [
        tag(
            "rect",
            tag("title", f"{name}: {seconds_text((end - begin) * job.seconds)}"),
            class_=kind,
            x=f"{max(begin, 0.0) * _STRIP:.1f}",
            y="0",
            width=f"{max(end - begin, 0.003) * _STRIP:.1f}",
            height=str(_HEIGHT),
        )
        for kind, name, begin, end in job.bars
    ]
    return tag(
        "svg",
        *bars,
        class_="strip",
        viewBox=f"0 0 {_STRIP} {_HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"timeline of job {job.job}",
    )


def _about(facts: Facts) -> str:
    engine = facts.seen.engine
    said = f"Docker Engine {engine.version}" if engine else "Docker Engine away"
    return f"dind-executor {facts.version} · {said}"


def _verdict(facts: Facts) -> Html:
    found = problems(facts)
    if not found:
        return tag("p", "Nothing needs attention.", class_="verdict good")
    worst = "bad" if found[0].level == CRITICAL else "warn"
    return tag("ul", *(tag("li", each.sentence) for each in found), class_=f"verdict {worst}")


def _cards(facts: Facts) -> Html:
    by_fault = [each.fault for each in facts.past if each.result != "success"]
    passed = sum(each.result == "success" for each in facts.past)
    cards = (
        (len(facts.now), "now", ""),
        (passed, "passed", "good"),
        (by_fault.count(JOB_AUTHOR), "failed, job author", "author"),
        (by_fault.count(ADMINISTRATOR), "failed, host", "bad"),
        (by_fault.count(NOBODY), "canceled", "quiet"),
    )
    return tag(
        "div",
        *(
            tag(
                "div",
                tag("b", str(number), class_=look if number else "none"),
                tag("span", name),
                class_="card",
            )
            for number, name, look in cards
        ),
        class_="cards",
    )


def _section(title: str, *parts: Html) -> Html:
    return tag("section", tag("h2", title), *parts)


def _now(facts: Facts) -> Html:
    if not facts.now:
        return tag("p", "No job runs.", class_="empty")
    rows: list[tuple[Html | str, ...]] = [_now_cells(each, facts.at) for each in facts.now]
    more = len(rows) - _MOST_NOW
    found = table(("Job", "Project", "Phase", "For", "Began", "Sidecar"), rows[:_MOST_NOW], "jobs")
    return joined(found, tag("p", f"… and {more} more.", class_="more") if more > 0 else None)


def _now_cells(job: Now, now: float) -> tuple[Html | str, ...]:
    began = f"{age_text(now - job.began)} ago" if job.began else _NONE
    return (
        joined(_link(job.key, job.job) if job.is_told else job.job or job.key, _outside(job)),
        job.project,
        job.phase,
        age_text(now - job.since) if job.since else _NONE,
        began,
        job.sidecar or _NONE,
    )


def _link(key: str, job: str) -> Html:
    return tag("a", job or key, href=f"/jobs/{quote(key, safe='')}")


def _outside(job: Now) -> Html | None:
    if not job.url:
        return None
    link = tag("a", "GitLab", href=job.url, rel="noreferrer noopener", class_="outside")
    return joined(Html(" "), link)


def _past_title(past: Sequence[Past]) -> str:
    return f"The last {len(past)} jobs" if len(past) > 1 else "The last jobs"


def _past(facts: Facts) -> Html:
    if not facts.past:
        return tag("p", "No job has ended yet.", class_="empty")
    rows: list[tuple[Html | str, ...]] = [
        (
            _link(each.key, each.job),
            each.project,
            result_mark(each.result),
            _why(each),
            strip(each),
            _took(each.seconds),
            f"{age_text(facts.at - each.ended)} ago",
        )
        for each in facts.past
    ]
    head = ("Job", "Project", "Result", "Fault", "Timeline", "Took", "Ended")
    return joined(table(head, rows, "jobs"), _legend())


def _why(job: Past) -> Html | str:
    """Return whose fault it is, and the word for it."""
    if job.fault == NOBODY:
        return _NONE
    reason = "" if job.reason == CANCELLED else job.reason.replace("_", " ")
    return joined(_FAULTS.get(job.fault, job.fault), tag("small", reason) if reason else None)


def _took(seconds: float) -> str:
    return seconds_text(seconds) if seconds < 10 else age_text(seconds)  # noqa: PLR2004


def _legend() -> Html:
    names = (
        ("prepare", "prepare"),
        ("step", "gitlab-runner's steps"),
        ("script", "scripts"),
        ("cleanup", "cleanup"),
    )
    return tag("p", *(tag("span", tag("i", class_=kind), name) for kind, name in names), class_="legend")  # fmt: skip
