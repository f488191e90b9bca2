"""Bodies of requests."""

import io

import pytest

from executor.local.server.bodies import body_of

CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize(
    ("headers", "sent", "body"),
    [
        ({}, b"x", b""),
        ({"Content-Length": "2"}, b"xyz", b"xy"),
        ({"Content-Length": "9"}, b"xyz", b"xyz"),
        ({"Content-Length": "-1"}, b"xyz", b""),
        ({"Content-Length": "9" * 5000}, b"xyz", b""),
        (CHUNKED, b"2;a=b\r\nxy\r\n1\r\nz\r\n0\r\nTrailer: 1\r\n\r\n", b"xyz"),
        (CHUNKED, b"1\r\nx\r\n-5\r\nyyyyy", b"x"),
        (CHUNKED, b"z\r\n", b""),
        (CHUNKED, b"1" * 1_000_000, b""),
        (CHUNKED, b"", b""),
    ],
    ids=range(10),
)
def test_a_body(headers: dict[str, str], sent: bytes, body: bytes) -> None:
    """A length or a size that is none ends it."""
    assert b"".join(body_of(headers, io.BytesIO(sent))) == body
