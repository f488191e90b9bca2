"""`python -m tests.load.fuzz --minutes 60`: all targets in turn, each in processes of its own.

It ends with 1 and each fault's smallest case where there is any.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.load.fuzz.hunt import CORPUS, TARGETS, hunt

_ROUND_SECONDS = 20.0
_LONGEST_SHOWN = 2000
_KILLED_SECONDS = 600


def main() -> int:
    """Hunt, and return an exit code."""
    parser = argparse.ArgumentParser(prog="tests.load.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument("--only", action="append", choices=sorted(TARGETS), help="a target")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the first seed")
    parser.add_argument("--keep", action="store_true", help=f"keep what is found in {CORPUS}")
    parser.add_argument("--hunt", metavar="TARGET", help=argparse.SUPPRESS)
    parser.add_argument("--current", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--examples", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--same", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--known", default="[]", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.hunt:
        number = None if given.same else given.seed
        known = set(json.loads(given.known))
        limits = {"examples": given.examples, "seconds": given.seconds, "number": number}
        return 1 if hunt(given.hunt.split(","), given.current, known, **limits) else 0
    return _for_minutes(given.minutes, given.only or list(TARGETS), given.seed, keep=given.keep)


def run(
    names: Sequence[str], *arguments: str, known: Sequence[str] = ()
) -> tuple[list[dict[str, object]], dict[str, int]]:
    """Hunt in a process of its own; return what it found, and how many cases of each target it tried."""
    with tempfile.NamedTemporaryFile(suffix=".json") as current:
        command = [sys.executable, "-m", "tests.load.fuzz", "--hunt", ",".join(names), *arguments]
        command += ["--current", current.name, "--known", json.dumps(known)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        tried = {each["target"]: each["tried"] for each in lines if "tried" in each}
        found = [each for each in lines if "signature" in each]
        if done.returncode not in (0, 1) or set(tried) != set(names):
            text = Path(current.name).read_text(encoding="utf-8") or "null"
            told = f"the process ended with {done.returncode}: {done.stderr[-2000:]}"
            name = next(each for each in names if each not in tried)
            died = {"target": name, "signature": "died", "text": told, "case": json.loads(text)}
            found.append(died)
        return found, tried


def _for_minutes(minutes: float, names: list[str], seed: int, *, keep: bool) -> int:
    until = time.monotonic() + minutes * 60
    known: dict[str, list[str]] = {name: [] for name in names}
    tried = dict.fromkeys(names, 0)
    print(f"seed {seed}")
    while time.monotonic() < until:
        for name in names:
            left = until - time.monotonic()
            if left <= 0:
                break
            seconds = min(_ROUND_SECONDS, left, minutes * 60 / len(names) / 2)
            arguments = (f"--seconds={seconds}", f"--seed={seed}")
            found, numbers = run([name], *arguments, known=known[name])
            tried[name] += numbers.get(name, 0)
            for each in found:
                known[name].append(str(each["signature"]))
                _show(name, each, keep=keep)
        seed += 1000
    for name, number in tried.items():
        print(f"{number:8} cases, {len(known[name])} faults: {name}")
    return 1 if any(known.values()) else 0


def _show(name: str, found: dict[str, object], *, keep: bool) -> None:
    text = json.dumps(found["case"])
    shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} ... ({len(text)})"
    print(f"=== {name}: {found['signature']}\n{found['text']}\ncase: {shown}", flush=True)
    if keep:
        directory = CORPUS / name
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{len(list(directory.iterdir())) + 1}.json"
        path.write_text(text + "\n", encoding="utf-8")
        print(f"kept as {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
