"""Counts what a job and a host ask for, with real gitlab-runners on the rig.

    python -m benchmarks.scale.measuring [--only PART ...]

It needs the rig of the tests and a gitlab-runner on the PATH, and writes benchmarks/scale/measured.json,
part by part.  Counts and bytes do not depend on how busy the machine is; seconds do.

Parts: jobs (requests of a job to GitLab and to registries), pulls (requests of one pull, by generation),
idle (requests of a host without jobs), memory, queue (a run that the simulation must come to), mirror
(what one registry process serves), scrape (metrics of a host), fleet (what `fleet audit` asks for).
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.__main__ import described
from benchmarks.scale import parts, serving
from tests.rig import state
from tests.rig.state import Rig

MEASURED = Path(__file__).with_name("measured.json")

Part = Callable[[Rig, Path], Mapping[str, object]]
PARTS: Mapping[str, Part] = {
    "jobs": parts.jobs,
    "pulls": parts.pulls,
    "idle": parts.idle,
    "memory": parts.memory,
    "queue": parts.queue,
    "mirror": serving.mirror,
    "scrape": serving.scrape,
    "fleet": serving.fleet,
}


def main(args: Sequence[str] | None = None) -> None:
    """Measure each part and write it down at once."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale.measuring", description=__doc__
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=[*PARTS], default=[*PARTS])
    options = parser.parse_args(args)
    rig = state.load()
    found = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    for name in options.only:
        with tempfile.TemporaryDirectory() as directory:
            found[name] = PARTS[name](rig, Path(directory))
        found["made"] = described(rig)
        MEASURED.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(json.dumps({name: found[name]}, indent=1), flush=True)


if __name__ == "__main__":
    main()
