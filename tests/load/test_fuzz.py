"""A minute of the fuzzer, at the same cases each time; `tests/load/fuzz` says what it is."""

import json
import re

import pytest

from tests.load.fuzz import __main__ as fuzz
from tests.load.fuzz import engine, files, jobs, sweep
from tests.load.fuzz.bounds import Fault, check_output, run_bounded

EXAMPLES = 100
GROUPS = {
    "jobs": jobs.TARGETS,
    "engine": engine.TARGETS,
    "files": files.TARGETS,
    "sweep": sweep.TARGETS,
}


@pytest.mark.parametrize("group", GROUPS)
def test_whatever_others_write_ends_in_a_sentence(group: str) -> None:
    """No reader raises what it does not promise, takes long, grows, prints much, or tells secrets."""
    names = [each.name for each in GROUPS[group]]

    found, tried = fuzz.run(names, "--same", f"--examples={EXAMPLES}")

    assert [json.dumps(each)[:4000] for each in found] == []
    assert min(tried.values()) >= EXAMPLES / 2


def test_a_fault_is_found() -> None:
    """An exception, too much memory, an endless loop of Python's or of its libraries, and output."""

    def spin() -> None:
        while True:
            pass

    def match() -> None:
        re.fullmatch("(a+)+b", "a" * 60)

    for call, seconds, signature in (
        (lambda: int("x"), 5, "ValueError"),
        (lambda: bytearray(400 * 1024 * 1024), 5, "MemoryError"),
        (spin, 0.1, "TooLong"),
        (match, 0.1, "TooLong"),
        (lambda: check_output("a" * 10_000), 5, "line"),
        (lambda: check_output("a\n" * 200_000), 5, "output"),
        (lambda: check_output("a secret", secrets=("secret",)), 5, "secret"),
    ):
        with pytest.raises(Fault) as found:
            run_bounded(call, seconds)
        assert found.value.signature.startswith(signature)
