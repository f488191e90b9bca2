"""Writes docs/benchmarks.md and its plots from what was measured.

    python -m benchmarks.page [FILE]

FILE is what `python -m benchmarks --save FILE` has written, benchmarks/results.json without one. The
words of the page are in benchmarks/page.md; the tables and plots are of the samples alone, so that the
same FILE gives the same page.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import plots, results, tables
from benchmarks.figures import Measured, versions
from benchmarks.jobs import LOG_MEGABYTES
from benchmarks.plots import Plot
from benchmarks.results import Results, failures

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results.json")
_WORDS = Path(__file__).with_name("page.md")
_QUIET = 1.0
"""The load of a machine that does nothing else."""
_PAGE, _IMAGES = "benchmarks.md", "images"


def files(found: Results) -> dict[str, str]:
    """Return the page and its plots, by their names below docs/."""
    pictures = {name: plots.bars(plot) for name, plot in _bars(found).items()}
    pictures |= {name: plots.lines(plot, "jobs") for name, plot in _lines(found).items()}
    text = _WORDS.read_text(encoding="utf-8")
    for word, lines in _told(found).items():
        text = text.replace(f"@{word}@", "\n".join(lines).strip())
    return {_PAGE: text, **{f"{_IMAGES}/{name}.svg": svg for name, svg in pictures.items()}}


def _bars(found: Results) -> dict[str, Plot]:
    pictures = {
        f"jobs-{dind}": tables.jobs_plot(Measured(found, "jobs", dind), version)
        for dind, version in versions(found, "jobs").items()
    }
    if first := _first(found, "jobs"):
        pictures["processor"] = tables.processor_plot(Measured(found, "jobs", first))
    return pictures


def _lines(found: Results) -> dict[str, Plot]:
    return {
        f"at-once-{dind}": tables.at_once_plot(Measured(found, "at-once", dind), version)
        for dind, version in versions(found, "at-once").items()
    }


def _told(found: Results) -> Mapping[str, list[str]]:
    """Return the lines for each word of the page; what was not measured is said to be so."""
    first = _first(found, "jobs")
    one = Measured(found, "jobs", first)
    log, program = (Measured(found, part, _first(found, part)) for part in ("log", "stages"))
    version = found.dinds.get(first, first)
    picture = ["", _image("processor", "Processor time of one job")] if one.cases else []
    return {
        "measured": [_measured(found, one)],
        "jobs": [*_jobs(found)] or _NOT_MEASURED,
        "at-once": [*_at_once(found)] or _NOT_MEASURED,
        "layers": [*_layers(found)] or _NOT_MEASURED,
        "stages": _of(version, one, stages) if (stages := tables.stages(one)) else _NOT_MEASURED,
        "processor": [*tables.processor(one, log), *picture] if one.cases else _NOT_MEASURED,
        "megabytes": [str(LOG_MEGABYTES)],
        "log": tables.log(log) if log.cases else _NOT_MEASURED,
        "program": tables.program(program) if program.cases else _NOT_MEASURED,
    }


_NOT_MEASURED = ["This part was not measured."]


def _first(found: Results, part: str) -> str:
    """Return the generation of dind that a part was measured with first; "" without one."""
    return next(iter(versions(found, part)), "")


def _jobs(found: Results) -> Iterator[str]:
    for dind, version in versions(found, "jobs").items():
        measured = Measured(found, "jobs", dind)
        yield from _of(version, measured, tables.jobs(measured))
        if own := tables.own_part(measured):
            yield from ("", f"gitlab-runner's own part is {own} of each.")
        yield from ("", _image(f"jobs-{dind}", f"The same as a picture, dind {version}"), "")


def _at_once(found: Results) -> Iterator[str]:
    for dind, version in versions(found, "at-once").items():
        measured = Measured(found, "at-once", dind)
        yield from _of(version, measured, tables.at_once(measured))
        yield from ("", _image(f"at-once-{dind}", f"The same as a picture, dind {version}"), "")


def _layers(found: Results) -> Iterator[str]:
    for dind, version in versions(found, "layers").items():
        measured = Measured(found, "layers", dind)
        yield from _of(version, measured, tables.layers(measured))
        yield ""


def _of(version: str, measured: Measured, table: Sequence[str]) -> list[str]:
    rounds = f"{measured.rounds} rounds" if measured.rounds > 1 else "one round"
    return [f"dind {version}, {rounds}:", "", *table]


def _measured(found: Results, one: Measured) -> str:
    """Return on what, and how often, everything was measured."""
    made = found.made
    version = made["gitlab-runner"]
    caller = f"gitlab-runner {version}" if version else "the embedded runner"
    said = (
        f"Measured with {caller} and Docker {made['engine']} as the"
        f" engine, on {made['cores']} cores ({made['processor']}), dind-executor at"
        f" `{made['dind-executor']}`: medians of interleaved rounds, {_runs(one.runs)}."
        f" The load average was {tables.loads(found.loads.values())} as it began."
    )
    if max(found.loads.values()) > _QUIET:
        said += (
            " Other work was under way or had just ended, so the seconds may be higher than those of a"
            " quiet machine."
        )
    failed = failures(found.samples)
    return f"{said} {failed} jobs failed and count nowhere." if failed else said


def _runs(count: int) -> str:
    return "one run" if count == 1 else f"in each of {count} runs, with the range over the runs"


def _image(name: str, text: str) -> str:
    return f"![{text}]({_IMAGES}/{name}.svg)"


def main(args: Sequence[str] | None = None) -> None:
    """Write the page, and remove plots that it no longer has."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", nargs="?", type=Path, default=RESULTS)
    parser.add_argument("--into", type=Path, default=REPOSITORY / "docs", help="(default: docs)")
    options = parser.parse_args(args)
    written = files(results.read(options.file))
    images = options.into / _IMAGES
    images.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (options.into / name).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        print(options.into / name)
    for path in images.glob("*.svg"):
        if f"{_IMAGES}/{path.name}" not in written:
            path.unlink()


if __name__ == "__main__":
    main()
