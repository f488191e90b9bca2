"""The tables of docs/scale.md that were counted on the rig. Pure."""

from collections.abc import Mapping

from benchmarks.scale.lines import MB, number, table
from benchmarks.scale.measured import Measured


def jobs(found: Measured) -> list[str]:
    """Return what jobs asked for."""
    rows = []
    for name, words in (
        ("echo", "`echo`"),
        ("build", "builds an image on a base image, and runs it"),
        ("minute, silent", "prints nothing for 65 s"),
        ("minute, a line a second", "prints a line each second for 65 s"),
    ):
        asked = found.of_job(name)
        looked = found.of_job(name, "looked at")["gitlab"]
        engine = asked["registry"]["docker 20.10"]
        builder = next((v for k, v in asked["registry"].items() if k.startswith("buildkit")), None)
        inside = (
            f"{number(builder['GET manifest'])}, and {number(builder['GET blob'])} blobs"
            if builder
            else "0"
        )
        gitlab = asked["gitlab"]
        rows.append(
            (
                words,
                number(gitlab["git"]),
                number(gitlab["job"] + gitlab["update"]),
                number(gitlab["trace"]),
                number(looked["trace"] + looked["update"] - 1),
                number(engine["HEAD manifest"]),
                inside,
            )
        )
    head = ("a job that", "git", "job and its end", "log, nobody looks", "log, somebody looks")
    return table((*head, "engine: `HEAD` manifest", "in dind: `GET` manifest"), rows)


def pulls(found: Measured) -> list[str]:
    """Return what one pull asked for, by generation of the engine."""
    rows = []
    for name, asked in found.parts["pulls"].items():
        cold, same = asked["cold"], asked["unchanged"]
        first = f"{_asked(cold)}, {number(cold['bytes'] / MB)} MB"
        rows.append((name, first, _asked(same)))
    return table(("Docker", "the first pull of `docker:26.1-cli`", "the same once more"), rows)


def _asked(counts: Mapping[str, int]) -> str:
    head, got, blobs = (
        counts.get(kind, 0) for kind in ("HEAD manifest", "GET manifest", "GET blob")
    )
    return f"{head} `HEAD`, {got} `GET`, {blobs} blobs"


def memory(found: Measured) -> list[str]:
    """Return what the containers of a job take."""
    rows = []
    for name, taken in found.parts["memory"].items():
        rest, built = taken["at rest"], taken["after a small build"]
        own = [sum(each[kind] for kind in ("build", "helper", "shims")) for each in (rest, built)]
        rows.append(
            (
                name,
                f"{number(rest['dind'] / MB)} MB",
                f"{number(built['dind'] / MB)} MB",
                f"{number(max(own) / MB)} MB",
            )
        )
    head = (
        "Docker in dind",
        "sidecar at rest",
        "after a small build",
        "the two other containers of a job",
    )
    return table(head, rows)


def commands(found: Measured) -> list[str]:
    """Return what `fleet audit` asks GitLab for."""
    rows = [
        (name, f"{asked['requests']:,}", f"{asked['seconds']} s")
        for name, asked in sorted(
            found.parts["fleet"].items(), key=lambda each: int(each[1]["requests"]), reverse=True
        )
    ]
    return table(("GitLab has", "requests", "took here"), rows)
