"""Image references, allow-lists, pull policies and service names."""

import pytest

from executor.notation.patterns import is_pattern, match
from executor.notation.service_names import (
    ImageReference,
    InvalidImage,
    ServiceName,
    is_allowed,
    is_bare_id,
    split_aliases,
    with_default_tag,
)

HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"
GROUP = "registry.example.com/group/project/ruby:3.3"


@pytest.mark.parametrize(
    ("pattern", "image", "expected"),
    [
        # a lone star stays within a component
        ("*", "ruby", True),
        ("*", "ruby:3.3", True),
        ("*", "library/ruby", False),
        ("*/*", "library/ruby:3.3", True),
        ("*/*:*", "library/ruby:3.3", True),
        ("*/*:*", "library/ruby", False),
        ("ruby:*", "ruby:3.3", True),
        ("ruby:*", "ruby", False),
        ("ruby:*", f"ruby@{DIGEST}", False),
        ("ruby*", f"ruby@{DIGEST}", True),
        ("*by", "ruby", True),
        ("r*y*3", "ruby:3.3", True),
        ("", "ruby", False),
        ("rub", "ruby", False),
        # two stars cross components where they are one
        ("**", GROUP, True),
        ("**/*", "ruby", True),
        ("**/*", "library/ruby", True),
        ("**/*:*", "library/ruby", False),
        ("**/ruby:*", "ruby:3.3", True),
        ("**/ruby:*", GROUP, True),
        ("registry.example.com/*/*:*", GROUP, False),
        ("registry.example.com/**/*:*", GROUP, True),
        ("registry.example.com/**", GROUP, True),
        ("registry.example.com/**", "registry.example.com", True),
        ("registry.example.com/**", "registry.example.com.evil.net/a", False),
        ("registry.example.com/**/project/**", GROUP, True),
        ("registry.example.com/**/group/project/ruby:3.3", GROUP, True),
        ("**/**/ruby:3.3", "ruby:3.3", True),
        ("registry.example.com/*/*/*:*", GROUP, True),
        ("registry**", GROUP, False),
        ("registry**", "registry", True),
        ("**ruby", "a/ruby", False),
        ("a/b**/c", "a/bx/y/c", False),
        # one character, and sets of them
        ("rub?", "ruby", True),
        ("rub?", "rub", False),
        ("a?b", "a/b", False),
        ("ruby:[0-3].3", "ruby:3.3", True),
        ("ruby:[0-2].3", "ruby:3.3", False),
        ("ruby:[^0-2].3", "ruby:3.3", True),
        ("ruby:[!3].3", "ruby:3.3", False),
        ("a[^x]b", "a/b", False),
        ("ruby:[.\\-3]*", "ruby:3.3", True),
        ("ruby:[3-]", "ruby:-", True),
        # alternatives
        ("{ruby,node}:*", "node:20", True),
        ("{ruby,node}:*", "go:1", False),
        ("{library/,}ruby", "ruby", True),
        ("{a/**,b}/c", "a/x/y/c", True),
        ("{a,b{c,d}}", "bd", True),
        # escapes make a special character an ordinary one
        ("ruby\\*", "ruby*", True),
        ("ruby\\*", "ruby3", False),
        ("{a\\,b,c}", "a,b", True),
        ("a}b,c", "a}b,c", True),
        # a malformed pattern matches nothing, itself not even
        ("ruby[", "ruby[", False),
        ("ruby[]", "ruby[]", False),
        ("ruby\\", "ruby\\", False),
        ("{ruby", "ruby", False),
        ("{ruby,[}", "ruby", False),
        ("ruby[^", "ruby", False),
    ],
)
def test_match(pattern: str, image: str, expected: bool) -> None:  # noqa: FBT001
    """A pattern matches a whole name in the doublestar dialect."""
    assert match(pattern, image) is expected


def test_match_does_not_backtrack() -> None:
    """A name that an author made to be slow is not: twenty stars cost twenty passes, not 2**20."""
    assert not match("*a" * 20 + "b", "a" * 255)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("**/docker:*dind*", True), ("{a,b}[c-d]", True), ("a[", False), ("{a", False), ("\\", False)],
)
def test_is_pattern_tells_malformed_patterns(pattern: str, expected: bool) -> None:  # noqa: FBT001
    """What can never match can be refused when the settings are read."""
    assert is_pattern(pattern) is expected


@pytest.mark.parametrize(
    ("image", "patterns", "internal", "expected"),
    [
        ("ruby:3.3", [], [], True),
        ("ruby:3.3", ["ruby:*"], [], True),
        ("ruby:3.3", ["node:*", "ruby:*"], [], True),
        ("ruby:3.3", ["node:*"], [], False),
        ("ruby:3.3", ["node:*"], ["ruby:3.3"], True),
        ("ruby:3.3", ["node:*"], ["ruby"], False),
        ("docker.io/library/ruby", ["ruby"], [], False),
        ("ruby:3.3", ["["], [], False),
        # exclusions
        ("kalilinux/kali-rolling", ["**", "!*/kali*"], [], False),
        ("kalilinux/kali-rolling", ["!*/kali*", "**"], [], False),
        ("ruby", ["**", "!*/kali*"], [], True),
        ("kali", ["!kali"], ["kali"], False),
        ("ruby", ["!kali"], [], True),
        ("ruby", ["node", "!kali"], [], False),
        ("ruby", ["!["], [], True),
        # an id says nothing of what it is
        (f"sha256:{'a' * 64}", ["**"], [], True),
        (f"sha256:{'a' * 64}", ["**", "!kali"], [], False),
        ("a" * 64, ["!kali"], [], False),
        (f"sha256:{'a' * 64}", ["!kali"], [f"sha256:{'a' * 64}"], True),
    ],
)
def test_is_allowed(
    image: str,
    patterns: list[str],
    internal: list[str],
    expected: bool,  # noqa: FBT001
) -> None:
    """Exclusions beat everything; then any pattern, an internal image or an empty list admits."""
    assert is_allowed(image, patterns, internal) is expected


@pytest.mark.parametrize(
    "image",
    [
        "kali",
        "kali:latest",
        "library/kali",
        "docker.io/kali",
        "docker.io/library/kali:latest",
        "index.docker.io/library/kali",
        "registry-1.docker.io/library/kali",
        "DOCKER.IO/library/kali",
        "docker.io:443/library/kali",
        f"kali@{DIGEST}",
        f"docker.io/library/kali:latest@{DIGEST}",
    ],
)
@pytest.mark.parametrize(
    "pattern", ["kali*", "kali", "kali:latest", "library/kali", "docker.io/**/kali", "**/kali"]
)
def test_an_exclusion_is_not_dodged_by_another_spelling(image: str, pattern: str) -> None:
    """However an author writes an image of Docker Hub, what excludes one spelling excludes all."""
    assert not is_allowed(image, ["**", f"!{pattern}"])


@pytest.mark.parametrize(
    ("image", "pattern", "expected"),
    [
        ("registry.example.com:443/kali", "registry.example.com/**", False),
        ("REGISTRY.example.com/kali", "registry.example.com/**", False),
        ("registry.example.com:0443/kali", "registry.example.com/**", False),
        ("registry.example.com:5000/kali", "registry.example.com/**", True),
        ("registry.example.com/kali", "registry.example.com:443/**", False),
        ("registry.example.com/kali", "Registry.Example.com/**", False),
        ("registry.example.com/kali", "{quay.io,*.Example.com:0443}/**", False),
        ("registry.example.com:5000/kali", "registry.example.com:05000/**", False),
        ("registry.example.com:5000/kali", "registry.example.com:443/**", True),
        ("kali", "Docker.io:443/**", False),
        ("registry.example.com/kali", "{registry.example.com", True),
        ("registry.example.com:05000/kali", "registry.example.com:5000/**", False),
        ("kali:2", "kali:1", True),
        ("kali:2", "kali", True),
        (f"kali@{DIGEST}", f"*@{DIGEST}", False),
        (f"kali:2@{DIGEST}", f"kali@{DIGEST}", False),
        ("ruby", "*/*", True),
        ("docker.io/library/ruby", "*/*", True),
        ("someone/ruby", "*/*", False),
        ("docker.io/someone/ruby", "*/*", False),
        ("someone/ruby", "docker.io/library/*", True),
    ],
)
def test_an_exclusion_keeps_to_what_it_says(image: str, pattern: str, expected: bool) -> None:  # noqa: FBT001
    """Another port or tag is another image, and official images have no namespace to exclude."""
    assert is_allowed(image, [f"!{pattern}"]) is expected


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
        ("alpine:", 'there is no tag after the ":"'),
        ("alpine:-1", 'the tag "-1" may hold'),
        ("alpine:a b", 'the tag "a b" may hold'),
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
        ("alpine@sha256:abc", "a sha256 digest has 64 lower-case hexadecimal digits"),
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


@pytest.mark.parametrize(
    ("text", "service", "version", "image", "aliases"),
    [
        ("mysql", "mysql", "latest", "mysql:latest", ["mysql"]),
        ("mysql:8", "mysql", "8", "mysql:8", ["mysql"]),
        ("docker:27-dind", "docker", "27-dind", "docker:27-dind", ["docker"]),
        ("docker:dind", "docker", "dind", "docker:dind", ["docker"]),
        (f"mysql@{DIGEST}", "mysql", f"@{DIGEST}", f"mysql@{DIGEST}", ["mysql"]),
        (f"mysql:8@{DIGEST}", "mysql", "8", f"mysql:8@{DIGEST}", ["mysql"]),
        ("a/b", "a/b", "latest", "a/b:latest", ["a__b", "a-b"]),
        ("a/b:1", "a/b", "1", "a/b:1", ["a__b", "a-b"]),
        ("a/b/c", "a/b/c", "latest", "a/b/c:latest", ["a__b__c", "a-b-c"]),
        (f"a/b@{DIGEST}", "a/b", f"@{DIGEST}", f"a/b@{DIGEST}", ["a__b", "a-b"]),
        ("a-b/c_d", "a-b/c_d", "latest", "a-b/c_d:latest", ["a-b__c_d", "a-b-c_d"]),
        ("a.b/c", "a.b/c", "latest", "a.b/c:latest", ["a.b__c", "a.b-c"]),
        ("localhost/a", "localhost/a", "latest", "localhost/a:latest", ["localhost__a", "localhost-a"]),
        ("localhost:5000/a", "localhost/a", "latest", "localhost:5000/a:latest", ["localhost__a", "localhost-a"]),
        ("r.tld/a", "r.tld/a", "latest", "r.tld/a:latest", ["r.tld__a", "r.tld-a"]),
        ("r.tld/a:1", "r.tld/a", "1", "r.tld/a:1", ["r.tld__a", "r.tld-a"]),
        ("r.tld:8080/a", "r.tld/a", "latest", "r.tld:8080/a:latest", ["r.tld__a", "r.tld-a"]),
        ("r.tld:8080/a:1", "r.tld/a", "1", "r.tld:8080/a:1", ["r.tld__a", "r.tld-a"]),
        ("r.tld:8080/n/a", "r.tld/n/a", "latest", "r.tld:8080/n/a:latest", ["r.tld__n__a", "r.tld-n-a"]),
        ("r.tld:8080/n/a:1", "r.tld/n/a", "1", "r.tld:8080/n/a:1", ["r.tld__n__a", "r.tld-n-a"]),
        (f"r.tld:8080/n/a@{DIGEST}", "r.tld/n/a", f"@{DIGEST}", f"r.tld:8080/n/a@{DIGEST}", ["r.tld__n__a", "r.tld-n-a"]),
        (f"r.tld:8080/n/a:1@{DIGEST}", "r.tld/n/a", "1", f"r.tld:8080/n/a:1@{DIGEST}", ["r.tld__n__a", "r.tld-n-a"]),
        ("r.tld/docker:dind", "r.tld/docker", "dind", "r.tld/docker:dind", ["r.tld__docker", "r.tld-docker"]),
        ("10.0.0.1:80/a", "10.0.0.1/a", "latest", "10.0.0.1:80/a:latest", ["10.0.0.1__a", "10.0.0.1-a"]),
        ("[::1]:80/a", "[::1]/a", "latest", "[::1]:80/a:latest", ["[::1]__a", "[::1]-a"]),
        ("registry:5000", "registry", "5000", "registry:5000", ["registry"]),
        ("a_b", "a_b", "latest", "a_b:latest", ["a_b"]),
    ],
)  # fmt: skip
def test_a_service_name_gives_version_image_and_aliases(
    text: str, service: str, version: str, image: str, aliases: list[str]
) -> None:
    """The aliases come from the name without the registry's port, once with __ and once with -."""
    name = ServiceName.parse(text)

    assert (name.service, name.version, name.image, list(name.aliases)) == (
        service,
        version,
        image,
        aliases,
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("r.tld:8080/n/a", "r.tld/n/a:latest"),
        ("docker:27-dind", "docker:27-dind"),
        (DIGEST, DIGEST),
        (f"mysql@{DIGEST}", f"mysql@{DIGEST}"),
    ],
)
def test_a_service_is_shown_as_gitlab_runner_shows_it(text: str, shown: str) -> None:
    """The job log says which service starts, in the words that authors know."""
    assert str(ServiceName.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "MySQL", "my sql"])
def test_a_service_without_a_usable_name_is_refused(text: str) -> None:
    """The sentence says that it is a service's name that is wrong."""
    with pytest.raises(InvalidImage, match=r"^invalid service image name "):
        ServiceName.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("docker", ("docker",)),
        ("alpine alpine svc-1,svc-2", ("alpine", "svc-1", "svc-2")),
        (" ,b,\ta ,\n c,, ", ("b", "a", "c")),
    ],
)
def test_split_aliases(text: str, expected: tuple[str, ...]) -> None:
    """Aliases are separated by commas and any white space; each counts once, in order."""
    assert split_aliases(text) == expected


def test_an_exclusion_looks_at_a_name_outside_the_grammar_as_it_is() -> None:
    """What is no image name is still excluded by a pattern that matches it."""
    assert not is_allowed("Kali", ["**", "!Kali*"])
    assert is_allowed("Kali", ["**", "!kali*"])
