"""A fuzzer over all that others write: payloads, variables, images, settings, pipelines, answers.

`python -m tests.load.fuzz --minutes 60` looks for an hour; `tests/load/test_fuzz.py` for a minute, at
the same cases each time.  A case is data that JSON can hold: a valid one with something changed in it.
Each ends as its reader promises, with a sentence of dind-executor's at worst: no other exception, at
most 5 seconds of CPU, 300 MB of memory, little output, and no secret of the payload in it.

A case that was found once lies in `tests/data/fuzz`, by the name of its target, and is tried first.
"""
