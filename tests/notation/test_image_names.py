"""Image names taken apart, and what is wrong with them."""

import pytest

from executor.notation.image_names import (
    LONGEST_REFERENCE,
    ImageReference,
    InvalidImage,
    is_bare_id,
    one_spelling,
    with_default_tag,
)

HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("text", "domain", "path", "tag", "digest"),
    [
        ("alpine", "docker.io", "alpine", "", ""),
        ("alpine:3.20", "docker.io", "alpine", "3.20", ""),
        (f"alpine@{DIGEST}", "docker.io", "alpine", "", DIGEST),
        (f"alpine:3.20@{DIGEST}", "docker.io", "alpine", "3.20", DIGEST),
        ("group/alpine:a_B-c.1", "docker.io", "group/alpine", "a_B-c.1", ""),
        ("localhost/alpine", "localhost", "alpine", "", ""),
        ("localhost:5000/alpine:1", "localhost:5000", "alpine", "1", ""),
        ("registry:5000/a/b", "registry:5000", "a/b", "", ""),
        ("registry:5000", "docker.io", "registry", "5000", ""),
        ("Registry/a", "Registry", "a", "", ""),
        ("10.0.0.1:80/a", "10.0.0.1:80", "a", "", ""),
        ("[2001:db8::1]:5000/a/b:1", "[2001:db8::1]:5000", "a/b", "1", ""),
        ("r.example.com/a.b/c_d/e__f/g---h:1", "r.example.com", "a.b/c_d/e__f/g---h", "1", ""),
        (
            "gitlab.example.com:443/group/dependency_proxy/containers/docker:27-dind",
            "gitlab.example.com:443",
            "group/dependency_proxy/containers/docker",
            "27-dind",
            "",
        ),
    ],
)
def test_parse_takes_a_reference_apart(
    text: str, domain: str, path: str, tag: str, digest: str
) -> None:
    """Registry, repository, tag and digest are told apart, and put together again."""
    reference = ImageReference.parse(text)

    assert (reference.domain, reference.path, reference.tag, reference.digest) == (
        domain,
        path,
        tag,
        digest,
    )
    assert str(reference) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        (" ", "not part of a repository name"),
        ("Alpine", 'write the repository in lower case: "alpine"'),
        ("group/Alpine", 'write the repository in lower case: "alpine"'),
        ("alpine:", 'the tag after the ":" is missing'),
        ("alpine:-1", 'the tag "-1" may contain'),
        ("alpine:a b", 'the tag "a b" may contain'),
        ("alpine:" + "a" * 129, "the tag has more than 128 characters"),
        ("alpine:1\n", "the tag"),
        ("al pine", '"al pine" is not part of a repository name'),
        ("-alpine", "not part of a repository name"),
        ("alpine_", "not part of a repository name"),
        ("a___b", "not part of a repository name"),
        ("a..b", "not part of a repository name"),
        ("a._b", "not part of a repository name"),
        ("a//b", '"" is not part of a repository name'),
        ("/alpine", '"" is not part of a repository name'),
        ("alpine/", '"" is not part of a repository name'),
        ("https://registry.example.com/a", "is not a registry host"),
        ("registry.example.com:port/a", "is not a registry host"),
        ("registry.example.com:/a", "is not a registry host"),
        ("-registry.example.com/a", "is not a registry host"),
        ("my_registry.example.com/a", "is not a registry host"),
        ("[zz]:5000/a", "is not a registry host"),
        ("alpine@", 'the digest "" does not start with sha256:'),
        ("alpine@sha256:abc", "a sha256 digest must have 64 lower-case hexadecimal digits"),
        (f"alpine@{DIGEST.upper()}", "does not start with sha256:"),
        (f"alpine@md5:{HEX}", "does not start with sha256:"),
        ("a" * 256, "the name has more than 255 characters"),
        (DIGEST, "this is the id of a local image"),
        (HEX, "this is the id of a local image"),
        ("ruby$", "not part of a repository name"),
        ("rubý", "not part of a repository name"),
    ],
)
def test_parse_says_what_is_wrong(text: str, why: str) -> None:
    """A name outside the grammar gets a sentence with the name and the reason."""
    with pytest.raises(InvalidImage) as caught:
        ImageReference.parse(text)

    assert str(caught.value).startswith(f'invalid image name "{text}": ')
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (DIGEST, True),
        (HEX, True),
        (f"alpine@{DIGEST}", False),
        ("alpine", False),
        ("sha256:abc", True),
        ("sha256:3.2", False),
        ("abc", False),
        (DIGEST.upper(), False),
    ],
)
def test_is_bare_id(image: str, expected: bool) -> None:  # noqa: FBT001
    """An image id names something that is on this host already, past every registry."""
    assert is_bare_id(image) is expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("alpine", "alpine:latest"),
        ("registry:5000/alpine", "registry:5000/alpine:latest"),
        ("alpine:3", "alpine:3"),
        (f"alpine@{DIGEST}", f"alpine@{DIGEST}"),
    ],
)
def test_with_default_tag(image: str, expected: str) -> None:
    """A tag is added where there is neither tag nor digest; a port is no tag."""
    assert with_default_tag(image) == expected


def test_a_name_longer_than_any_is_shown_in_part() -> None:
    """Nobody reads a megabyte of it, and no pattern is matched against it."""
    with pytest.raises(InvalidImage, match="it has more than 520 characters") as raised:
        ImageReference.parse("a/" * 500_000)
    assert len(str(raised.value)) < 400


def test_the_longest_name() -> None:
    """255 characters, a tag of 128, and a digest."""
    name = f"{'a' * 255}:{'t' * 128}@sha512:{'0' * 128}"

    assert len(name) == LONGEST_REFERENCE
    assert str(ImageReference.parse(name)) == name


@pytest.mark.parametrize(
    ("image", "spelling"),
    [
        ("alpine", "docker.io/alpine:latest"),
        ("docker.io/library/alpine:latest", "docker.io/alpine:latest"),
        ("index.docker.io/a/b:1", "docker.io/a/b:1"),
        ("registry:5000/library/a:1", "registry:5000/library/a:1"),
        ("a:1@sha256:" + "1" * 64, "docker.io/a@sha256:" + "1" * 64),
        ("sha256:" + "1" * 64, "sha256:" + "1" * 64),
        ("Not A Name", "Not A Name"),
    ],
)
def test_one_spelling_of_all(image: str, spelling: str) -> None:
    """Two names that Docker takes for the same image become one; what is no name stays."""
    assert one_spelling(image) == spelling
