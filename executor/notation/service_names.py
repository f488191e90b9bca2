"""What a service's name says of it: the image, and the names under which a job reaches it."""

from executor.dataclass import dataclass
from executor.notation.image_names import (
    DEFAULT_TAG,
    ImageReference,
    InvalidImage,
    is_bare_id,
    with_default_tag,
)


@dataclass(frozen=True, slots=True)
class ServiceName:
    """What the name of a service says: the image to pull and the aliases that follow from it."""

    service: str
    version: str
    image: str
    aliases: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "ServiceName":
        """Read a service's image; raises InvalidImage where it cannot be one.

        An image's id is its own version, and says as little as that.
        """
        if is_bare_id(text):
            version = text.removeprefix("sha256:")
            return cls("sha256", version, f"sha256:{version}", ("sha256",))
        try:
            reference = ImageReference.parse(text)
        except InvalidImage as error:
            raise InvalidImage(str(error).replace("image", "service image", 1)) from None
        service = _without_port(reference.name)
        version = reference.tag or (reference.digest and f"@{reference.digest}") or DEFAULT_TAG
        # dict keeps the order and drops the second alias where the name has no slash
        aliases = dict.fromkeys((service.replace("/", "__"), service.replace("/", "-")))
        return cls(service, version, with_default_tag(text), tuple(aliases))

    def __str__(self) -> str:
        """Return the name as the job log shows it."""
        joint = "" if self.version.startswith("@") else ":"
        return f"{self.service}{joint}{self.version}"


def split_aliases(text: str) -> tuple[str, ...]:
    """Split an author's alias list at commas and white space, each alias once, in order."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _without_port(name: str) -> str:
    first, has_slash, others = name.partition("/")
    if not has_slash:
        return name
    host = first[: first.rindex("]") + 1] if first.startswith("[") else first.partition(":")[0]
    return f"{host}/{others}"
