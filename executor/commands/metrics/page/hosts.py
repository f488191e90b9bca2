"""The parts of the page that tell of the host: disks, budgets, layers, sweeps, doctor.  Pure."""

from collections.abc import Iterator

from executor.budgets.things import LAYERS
from executor.commands.metrics.left import Doctor, Left
from executor.commands.metrics.page.facts import Facts
from executor.commands.metrics.page.markup import Html, joined, table, tag
from executor.notation.durations import age_text
from executor.notation.sizes import size_text

_NAMES = {"sources_and_caches": "sources and caches", "layers": "layers", "images": "images"}
_MOST_LAYERS = 15
_LOOKS = {"fail": "bad", "error": "bad", "warn": "warn", "skip": "quiet", "ok": "good"}


def host_parts(facts: Facts) -> Iterator[tuple[str, Html]]:
    """Yield each part with its title."""
    left = facts.seen.left or Left(None, None, None)
    yield "Disk", _disks(facts)
    yield "Kept between jobs", _kept(facts, left)
    yield "Sweeps", _sweep(facts, left)
    yield "Doctor", _doctor(facts, left.doctor)


def _disks(facts: Facts) -> Html:
    if not facts.seen.disks:
        why = "are not seen from here" if facts.seen.engine else "are seen when it answers"
        return tag("p", f"The Docker Engine's disks {why}.", class_="empty")
    return joined(
        *(
            _gauge(
                place.name,
                f"{size_text(free.bytes)} free of {size_text(free.size)}",
                1 - free.bytes / free.size if free.size else 0.0,
                "bad" if facts.limits and not facts.limits.admits(free) else "fine",
            )
            for place, free in facts.seen.disks
        ),
        tag(
            "p",
            f"A job begins with {size_text(facts.limits.wanted_bytes)} free or more.",
            class_="more",
        )
        if facts.limits
        else None,
    )


def _kept(facts: Facts, left: Left) -> Html:
    if left.measurement is None:
        return tag(
            "p",
            "Nobody has measured yet: ",
            tag("code", "dind-executor prune"),
            " does, and its timer calls it each day.",
            class_="empty",
        )
    rows = [
        _gauge(
            _NAMES[kind],
            f"{size_text(size)} of {size_text(most)}" if most else f"{size_text(size)}, no limit",
            size / most if most else 0.0,
            "bad" if most and size > most else "fine",
        )
        for kind, size in left.kept.items()
        for most in (facts.budgets.get(kind, 0),)
    ]
    return joined(*rows, tag("p", f"Measured {_ago(facts, left.measurement.at)}.", class_="more"))


def layers(facts: Facts) -> Html:
    """Return what is kept for the daemons of later jobs, the largest first."""
    measurement = facts.seen.left.measurement if facts.seen.left else None
    things = measurement.things if measurement else ()
    stores = [each for each in things if each.kind == LAYERS]
    if not stores:
        return tag("p", "No layers of Docker-in-Docker are kept.", class_="empty")
    rows: list[tuple[Html | str, ...]] = [
        (each.name, size_text(each.size)) for each in stores[:_MOST_LAYERS]
    ]
    more = len(stores) - len(rows)
    found = table(("Volume", "Size"), rows, "things")
    return joined(found, tag("p", f"… and {more} more.", class_="more") if more > 0 else None)


def _sweep(facts: Facts, left: Left) -> Html:
    sweep = left.sweep
    if sweep is None:
        return tag("p", "Nobody has looked yet for what dead jobs left.", class_="empty")
    verdicts = sweep.verdicts
    said = (
        ("Last", f"{_ago(facts, sweep.at)}, by {sweep.by}"),
        ("In use", str(verdicts["keep"])),
        ("Undecided", str(verdicts["undecided"])),
        ("Removed", str(sweep.removed)),
        ("Cannot be removed", ", ".join(sweep.left) or "0"),
        *((("Failed", sweep.error),) if sweep.error else ()),
    )
    return _pairs(said)


def _doctor(facts: Facts, doctor: Doctor | None) -> Html:
    if doctor is None:
        command = f"dind-executor doctor --record {facts.doctor_file}"
        return tag(
            "p", "No findings are here. To record them: ", tag("code", command), class_="empty"
        )
    counts = ", ".join(f"{number} {level}" for level, number in doctor.counts.items() if number)
    rows: list[tuple[Html | str, ...]] = [
        (
            tag("span", each.level, class_=f"mark {_LOOKS.get(each.level, 'quiet')}"),
            each.id,
            joined(each.found, tag("small", each.remedy) if each.remedy else None),
        )
        for each in doctor.checks
        if each.level not in ("ok", "skip")
    ]
    return joined(
        tag("p", f"Asked {_ago(facts, doctor.at)}: {counts or 'nothing'}.", class_="more"),
        table(("Level", "Check", "Found"), rows, "things") if rows else None,
    )


def _gauge(name: str, said: str, share: float, look: str) -> Html:
    """Return a bar with its words; without styles it is words."""
    width = f"{min(max(share, 0.0), 1.0) * 100:.1f}"
    bar = tag(
        "svg",
        tag("rect", class_="all", x="0", y="0", width="100", height="4"),
        tag("rect", class_=look, x="0", y="0", width=width, height="4"),
        class_="gauge",
        viewBox="0 0 100 4",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{width} %",
    )
    return tag("div", tag("span", name), tag("span", said), bar, class_="measure")


def _pairs(said: tuple[tuple[str, str], ...]) -> Html:
    return tag("dl", *(joined(tag("dt", name), tag("dd", value)) for name, value in said))


def _ago(facts: Facts, at: float) -> str:
    return f"{age_text(facts.at - at)} ago"
