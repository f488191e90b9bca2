"""What a container prints: frames, and in them a script's output."""

import itertools

from executor.scripts.output import Output


def test_a_line_that_only_begins_as_the_keepers() -> None:
    """A script may find out the nonce; what never becomes the keeper's line is passed on."""
    heard: list[bytes] = []
    output = Output("nonce", lambda _descriptor, data: heard.append(data))
    output(1, b"\0nonce 1 begins\n")

    for each in itertools.chain([b"\0nonce"], itertools.repeat(b"x" * 50, 1000)):
        output(1, each)

    assert b"".join(heard) == b"\0nonce" + b"x" * 50000
