"""The lines of a job's summary: what is known, and nothing else."""

import pytest

from executor.record.summary import BuildCache, DindUsage, Pulled, section, summary

PULLS = (Pulled("docker:28", 2.94, 127_300_000), Pulled("alpine", 0.31, 0), Pulled("x", 1.0, None))
ALL = DindUsage(0.318, 412 << 20, BuildCache(12, 1, 30_000_000))


def test_everything_that_is_known() -> None:
    """A line for each pull, and one for each thing that the sidecar did."""
    assert summary(PULLS, 0.46, ALL) == [
        "Pulled docker:28 in 2.9 s (121.4 MiB).",
        "Pulled alpine in 0.3 s (nothing new).",
        "Pulled x in 1.0 s.",
        "The dind sidecar started in 0.5 s.",
        "Its Docker daemon answered 0.3 s after its start.",
        "It used up to 412 MiB of memory, cached files included.",
        "Build cache: 12 records of earlier jobs used, 1 record made (28.6 MiB).",
    ]


@pytest.mark.parametrize(
    ("usage", "lines"),
    [
        (None, []),
        (DindUsage(), ["The dind sidecar started in 0.5 s."]),
        (
            DindUsage(build_cache=BuildCache(0, 2, 1024)),
            ["The dind sidecar started in 0.5 s.", "Build cache: 2 records made (1 KiB)."],
        ),
        (
            DindUsage(build_cache=BuildCache(0, 0, 0)),
            ["The dind sidecar started in 0.5 s."],
        ),
        (
            DindUsage(peak_memory=1024),
            [
                "The dind sidecar started in 0.5 s.",
                "It used up to 1 KiB of memory, cached files included.",
            ],
        ),
    ],
)
def test_what_is_not_known_is_left_out(usage: DindUsage | None, lines: list[str]) -> None:
    """Nothing stands for it, and nothing is guessed."""
    assert summary((), 0.46, usage) == lines


def test_a_section_is_closed_until_it_is_opened() -> None:
    """Its marks are gitlab-runner's, and its heading has the colour of gitlab-runner's own."""
    assert section(["One.", "Two."], 1795936247.9) == (
        "section_start:1795936247:dind_executor_summary[collapsed=true]\r\x1b[0K"
        "\x1b[36;1mWhat the job took\x1b[0;m\n"
        "One.\n"
        "Two.\n"
        "section_end:1795936247:dind_executor_summary\r\x1b[0K"
    )
