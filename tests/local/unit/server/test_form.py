"""The one file in an upload's multipart form."""

import io

import pytest

from executor.local.server.form import find_file

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'


@pytest.mark.parametrize("end", [b"\r\n--b--", b"\r\n--b--\r\n"])
@pytest.mark.parametrize("content", [b"", b"PK", b"x\r\n--b--\r\ny", b"x" * 20_000])
def test_a_file_is_found_with_its_size(content: bytes, end: bytes) -> None:
    """The content that the form names is what is read next."""
    body = io.BytesIO(HEAD + content + end)
    size = find_file(body, b"b")
    assert body.read(size) == content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        HEAD,
        HEAD + b"half of it",
        HEAD.replace(b"--b", b"--c") + b"x\r\n--b--",
        HEAD.replace(b'"file"', b'"other"') + b"x\r\n--b--",
    ],
)
def test_a_form_without_the_whole_file_has_no_size(body: bytes) -> None:
    """A form of another boundary, without a file or without an end gives -1."""
    assert find_file(io.BytesIO(body), b"b") == -1
