"""Image references by the distribution grammar: pure."""

from executor.dataclass import dataclass
from executor.excerpts import excerpt

HUB = "docker.io"
HUB_HOSTS = frozenset({HUB, "index.docker.io", "registry-1.docker.io"})
DEFAULT_TAG = "latest"

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_UPPER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdef")
_PATH_CHARACTERS = _LOWER | _DIGITS
_HOST_CHARACTERS = _LOWER | _UPPER | _DIGITS
_WORD_CHARACTERS = _HOST_CHARACTERS | {"_"}
_ID_LENGTH = 64
_LONGEST_TAG = 128
_LONGEST_NAME = 255
_HEX_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
LONGEST_REFERENCE = _LONGEST_NAME + len(":") + _LONGEST_TAG + len("@sha512:") + 128
"""How many characters a reference may have."""


class InvalidImage(ValueError):
    """An image name outside the reference grammar; its text is one sentence for the author."""


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One image reference, taken apart.

    `name` is the reference as written without tag and digest; `domain` is the registry that
    serves it (Docker Hub when the name has none), `path` the repository there as written.
    """

    name: str
    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> "ImageReference":
        """Take a reference apart by the distribution grammar; InvalidImage says what is wrong."""
        try:
            return _parse(text)
        except ValueError as error:
            shown = text if len(text) <= LONGEST_REFERENCE else excerpt(text)
            raise InvalidImage(f'invalid image name "{shown}": {error}') from None

    def __str__(self) -> str:
        """Return the reference as it was written."""
        return self.name + (self.tag and f":{self.tag}") + (self.digest and f"@{self.digest}")


def is_bare_id(image: str) -> bool:
    """Tell whether this is the id of a local image, which no registry can be asked for.

    After `sha256:`, the engine takes the beginning of an id for the id.
    """
    digits = image.removeprefix("sha256:") if len(image) <= LONGEST_REFERENCE else ""
    if not digits or not _HEX.issuperset(digits):
        return False
    return len(digits) == _ID_LENGTH or (digits != image and len(digits) < _ID_LENGTH)


def with_default_tag(image: str) -> str:
    """Add `:latest` to a reference that has neither tag nor digest; spell an id in full."""
    if is_bare_id(image):
        return f"sha256:{image.removeprefix('sha256:')}"
    reference = ImageReference.parse(image)
    return image if reference.tag or reference.digest else f"{image}:{DEFAULT_TAG}"


def one_spelling(image: str) -> str:
    """Return a name as all spellings of it become: with registry and tag, without what Docker Hub adds.

    What is no name of an image stays as it is.
    """
    try:
        found = ImageReference.parse(with_default_tag(image))
    except InvalidImage:
        return image
    is_hub = found.domain in HUB_HOSTS
    path = found.path.removeprefix("library/") if is_hub else found.path
    tag = f"@{found.digest}" if found.digest else f":{found.tag}"
    return f"{HUB if is_hub else found.domain}/{path}{tag}"


def _parse(text: str) -> ImageReference:
    if not text:
        raise ValueError("it is empty; name an image such as alpine:3.20")
    if len(text) > LONGEST_REFERENCE:
        raise ValueError(f"it has more than {LONGEST_REFERENCE} characters")
    if is_bare_id(text):
        raise ValueError("this is the id of a local image; name its repository and tag instead")
    rest, has_digest, digest = text.partition("@")
    slash = rest.rfind("/")
    colon = rest.find(":", slash + 1)
    name, tag = (rest, "") if colon < 0 else (rest[:colon], rest[colon + 1 :])
    if colon >= 0:
        _check_tag(tag)
    if has_digest:
        _check_digest(digest)
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"the name has more than {_LONGEST_NAME} characters")
    first, has_slash, others = name.partition("/")
    if has_slash and names_a_host(first):
        _check_host(first)
        domain, path = first, others
    else:
        domain, path = HUB, name
    for component in path.split("/"):
        _check_component(component)
    return ImageReference(name, domain, path, tag, digest)


def names_a_host(first: str) -> bool:
    """Tell whether an image's first component is a registry, as Docker decides it."""
    return "." in first or ":" in first or first == "localhost" or first != first.lower()


def _check_tag(tag: str) -> None:
    if not tag:
        raise ValueError('the tag after the ":" is missing')
    if len(tag) > _LONGEST_TAG:
        raise ValueError(f"the tag has more than {_LONGEST_TAG} characters")
    if tag[0] not in _WORD_CHARACTERS or not (_WORD_CHARACTERS | {".", "-"}).issuperset(tag):
        raise ValueError(
            f'the tag "{tag}" may contain only letters, digits, "_", "." and "-", and must not'
            ' start with "." or "-"'
        )


def _check_digest(digest: str) -> None:
    algorithm, _, digits = digest.partition(":")
    wanted = _HEX_LENGTHS.get(algorithm)
    if wanted is None:
        raise ValueError(f'the digest "{digest}" does not start with sha256:')
    if len(digits) != wanted or not _HEX.issuperset(digits):
        raise ValueError(f"a {algorithm} digest must have {wanted} lower-case hexadecimal digits")


def _check_host(host: str) -> None:
    if host.startswith("["):
        address, _, port = host[1:].partition("]")
        good = ":" in address and (_HEX | set("ABCDEF:.")).issuperset(address)
        good = good and (not port or (port[0] == ":" and port[1:].isdecimal()))
    else:
        labels, colon, port = host.partition(":")
        good = all(_is_label(label) for label in labels.split("."))
        good = good and (not colon or (bool(port) and _DIGITS.issuperset(port)))
    if not good:
        raise ValueError(f'"{host}" is not a registry host with an optional port')


def _is_label(label: str) -> bool:
    inner = _HOST_CHARACTERS | {"-"}
    return bool(label) and "-" not in (label[0], label[-1]) and inner.issuperset(label)


def _check_component(component: str) -> None:
    if component != component.lower():
        raise ValueError(f'write the repository in lower case: "{component.lower()}"')
    # one "." or "_", two "_" and any number of "-" may join; what else meets leaves an empty piece
    pieces = component.replace("__", "_").replace(".", "_").split("_")
    if not all(_is_piece(piece) for piece in pieces):
        raise ValueError(
            f'"{component}" is not part of a repository name: lower-case letters and digits, '
            'joined by ".", "_", "__" or "-"'
        )


def _is_piece(piece: str) -> bool:
    edges_good = bool(piece) and "-" not in (piece[0], piece[-1])
    return edges_good and (_PATH_CHARACTERS | {"-"}).issuperset(piece)
