"""The page of one job: its timeline, and what each call of gitlab-runner has left.  Pure."""

from executor.commands.metrics.page.history import Told
from executor.commands.metrics.page.markup import Html, joined, table, tag
from executor.commands.metrics.page.overview import document, result_mark
from executor.notation.durations import age_text
from executor.record.endings import ADMINISTRATOR, NOBODY
from executor.record.svg import as_svg
from executor.record.timeline import seconds_text, timeline
from executor.record.values import number


def details(told: Told, now: float) -> Html:
    """Return the page of a job of which there is at least one record."""
    first = told.records[0]
    job, project = str(first.get("job")), str(first.get("project"))
    gitlab = next((str(each["gitlab"]) for each in told.records if each.get("gitlab")), "")
    return document(
        f"Job {job}",
        tag(
            "header",
            tag("p", tag("a", "All jobs", href="/"), class_="back"),
            tag("h1", f"Job {job}"),
            tag("p", f"project {project}" + (f" · {gitlab}" if gitlab else ""), class_="about"),
        ),
        tag("p", _ending(told, now), class_="ending"),
        tag("div", Html(as_svg([timeline(told.records)], style="")), class_="timeline"),
        tag("section", tag("h2", "Calls of gitlab-runner"), _calls(told)),
        tag(
            "p",
            "On the host: ",
            tag("code", f"dind-executor timeline {job}"),
            class_="more",
        ),
    )


def _ending(told: Told, now: float) -> Html:
    ended = told.ended
    if ended is None:
        return joined("Runs. Last heard of ", f"{age_text(now - told.state.at)} ago.")
    if ended.fault == NOBODY:
        return result_mark(ended.result)
    whose = "host" if ended.fault == ADMINISTRATOR else ended.fault
    reason = ended.reason.replace("_", " ")
    return joined(result_mark(ended.result), f", because of the {whose}: {reason}")


def _calls(told: Told) -> Html:
    rows: list[tuple[Html | str, ...]] = [
        (
            str(each.get("step") or each.get("stage")),
            seconds_text(number(each, "seconds") + number(each, "start")),
            str(each.get("outcome", "")).replace("_", " "),
            str(each.get("reason", "")).replace("_", " "),
        )
        for each in told.records
    ]
    return table(("Call", "Took", "Outcome", "Reason"), rows, "things")
