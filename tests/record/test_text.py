"""A job's bars in a terminal."""

import pytest

from executor.record.text import as_text
from executor.record.timeline import Timeline, timeline
from tests.record.samples import a_job

GOLDEN = """\
Job 4711 of project 42: failed (script), 6.0 s
                                   0 s               2 s               4 s
config                             #                                                         100 ms
prepare                             ###################                                      2.04 s
  settings and job                  ##                                                       100 ms
  pull docker:28 (121.4 MiB)         ##############                                          1.38 s
  pull helper:1                      ###                                                     180 ms
  network                             ##                                                     150 ms
  container build                                 ###                                        290 ms
  container dind                                  ####                                       390 ms
  dind-executor                                       #                                      100 ms
get_sources                                            ##                                    120 ms
build_script (script)                                   #############################        3.03 s
  wait for dind                                          ####                                390 ms
  script                                                    #########################        2.60 s
cleanup                                                                              #####   540 ms
  removal                                                                            #####   480 ms
  dind-executor                                                                      #        60 ms
gitlab-runner                      #                   ##                           #        170 ms
"""


def test_a_job_as_text() -> None:
    """Each call, pull, container and script on the axis, and how long it took."""
    assert "\n".join(as_text(timeline(a_job()), 100, "#")) + "\n" == GOLDEN


@pytest.mark.parametrize("width", [1, 60, 100, 250])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    """Unless that is too narrow for any bar."""
    lines = as_text(timeline(a_job()), width)

    assert max(map(len, lines[1:])) <= max(width, 65)


def test_a_job_that_took_no_time() -> None:
    """Nothing is divided by it."""
    assert as_text(Timeline("x", 0.0, ()), 80) == ["x", f"{'':35}0 s"]
