"""What only the engine and its host tell of a job, asked without changing anything, or given."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, TypeVar

from executor.errors import EngineRefused, EngineUnavailable, JobPayloadError
from executor.host.network import resolves, with_host
from executor.host.sources import recall, record_name
from executor.names import LABEL
from executor.plan.addresses import choose_subnet
from executor.plan.certificates import with_gitlabs
from executor.plan.docker_host import asked_name
from executor.plan.inputs import Inputs
from executor.plan.kept_networks import found_for
from executor.spec import ImageFacts, ImagePlan, Pull, Surroundings

if TYPE_CHECKING:
    from executor.engine.docker import Engine

Kind = TypeVar("Kind", Surroundings, ImageFacts)

DIND = ImageFacts(
    "", ("dockerd-entrypoint.sh",), (), ("2375/tcp", "2376/tcp"), ("/var/lib/docker",)
)
"""What is assumed of an image that is called dind, as Docker's own are."""


@dataclass(frozen=True)
class EngineFacts:
    """What a plan takes from the engine and its host."""

    surroundings: Surroundings = Surroundings(separates_ipv6=True)  # noqa: RUF009 (frozen)
    images: Mapping[str, ImageFacts] = field(default_factory=dict)
    """By name, and by name and platform."""
    api: str = "1.41"
    architecture: str = "amd64"
    builds_are_taken: bool = False
    layers_are_taken: bool = False
    network_is_taken: bool = False
    docker_host_is_elsewhere: bool = False
    generation: int = 0

    def image(self, pull: Pull) -> ImageFacts | None:
        """Return what is known of an image; None where nothing is."""
        return self.images.get(image_key(pull)) or self.images.get(pull.image)

    def as_json(self) -> dict[str, object]:
        """Return the facts as `--facts` takes them."""
        around = asdict(self.surroundings)
        around["authorities"] = {
            name: chain.decode(errors="replace") for name, chain in self.surroundings.authorities
        }
        images = {name: _shown_image(each) for name, each in self.images.items()}
        return {**{each.name: getattr(self, each.name) for each in fields(self)},
                "surroundings": around, "images": images}  # fmt: skip


def guess(pull: Pull) -> ImageFacts:
    """Return what is assumed of an image that nobody has seen."""
    return DIND if "dind" in pull.image.rpartition("/")[2] else ImageFacts("")


def image_key(pull: Pull) -> str:
    """Return the name of an image among the facts."""
    return f"{pull.image} {pull.platform}".rstrip()


def ask(engine: "Engine", inputs: Inputs, address: str, images: ImagePlan) -> EngineFacts:
    """Ask the engine; nothing is made or pulled.  Raises EngineUnavailable or EngineRefused."""
    settings, local = inputs.settings, engine.local
    around = with_host(engine.survey(), settings.docker.certs_d, local=local)
    around = replace(around, authorities=with_gitlabs(around.authorities, inputs.values))
    kept = found_for(inputs, around)
    subnet = "" if kept else choose_subnet(inputs, around)
    own = kept.subnets if kept else (subnet,) if subnet else ()
    around = replace(around, subnets=(*around.subnets, *own), own_subnets=own)
    helper = Pull(images.helper)
    default = (images.default_dind,) if images.default_dind else ()
    found = {
        image_key(pull): facts
        for pull in (images.build, *images.services, *default, helper)
        if (facts := _image(engine, pull))
    }
    name = asked_name(inputs) if images.services else ""
    builds = inputs.volumes.builds
    record = recall(settings.sweep.state_dir, record_name(address, builds.first))
    return EngineFacts(
        around,
        found,
        ".".join(map(str, engine.api_version)),
        engine.architecture,
        builds_are_taken=builds.lasts and _is_taken(engine, builds.source, inputs.names.key),
        docker_host_is_elsewhere=bool(name) and resolves(name),
        generation=record.generation if builds.first else 0,
    )


def assumed(facts: EngineFacts, pulls: Iterable[Pull]) -> list[str]:
    """Return sentences about the images that nothing is known of."""
    unknown = [pull for pull in pulls if not facts.image(pull)]
    dinds = [pull.image for pull in unknown if guess(pull) is DIND]
    others = [pull.image for pull in unknown if guess(pull) is not DIND]
    said = []
    if dinds:
        said.append(f"Nothing is known of {', '.join(dinds)}: this assumes one of Docker's own.")
    if others:
        said.append(
            f"Nothing is known of {', '.join(others)}: this assumes no entrypoint, the user root and"
            " no variables."
        )
    return said


def read_facts(document: object) -> EngineFacts:
    """Return facts as `--facts` has them, or as `--json` printed them; raises JobPayloadError."""
    table = document.get("facts", document) if isinstance(document, dict) else None
    if not isinstance(table, dict):
        raise JobPayloadError("It is not a JSON object.")
    around, images = table.get("surroundings", {}), table.get("images", {})
    if not isinstance(around, dict) or not isinstance(images, dict):
        raise JobPayloadError("`surroundings` and `images` must be objects.")
    known = dict(around)
    authorities = known.pop("authorities", {})
    if not isinstance(authorities, dict):
        raise JobPayloadError("`authorities` must be an object.")
    base = _filled(Surroundings(separates_ipv6=True), known)
    chains = tuple((str(name), str(chain).encode()) for name, chain in authorities.items())
    simple = {key: each for key, each in table.items() if key not in {"surroundings", "images"}}
    return replace(
        _filled_simple(simple),
        surroundings=replace(base, authorities=chains),
        images={str(name): _filled(ImageFacts(""), each) for name, each in images.items()},
    )


def _filled(empty: Kind, given: object) -> Kind:
    """Return a record with what is given of it, each of the type that it has there."""
    if not isinstance(given, dict):
        raise JobPayloadError("An object is expected where one fact has several parts.")
    known = {each.name: getattr(empty, each.name) for each in fields(empty)}
    changes: dict[str, object] = {}
    for name, value in given.items():
        tidy = _tuples(value)
        if name not in known or (known[name] is not None and type(tidy) is not type(known[name])):
            raise JobPayloadError(f"`{name}` is no fact, or of another type.")
        changes[name] = tidy
    return replace(empty, **changes)  # type: ignore[arg-type]


def _filled_simple(given: Mapping[str, object]) -> EngineFacts:
    empty = EngineFacts()
    for name, value in given.items():
        if type(value) is not type(getattr(empty, name, None)):
            raise JobPayloadError(f"`{name}` is no fact, or of another type.")
    return replace(empty, **given)  # type: ignore[arg-type]


def _tuples(value: object) -> object:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _image(engine: "Engine", pull: Pull) -> ImageFacts | None:
    try:
        return engine.image(pull.image)
    except EngineRefused:
        return None


def _is_taken(engine: "Engine", source: str, key: str) -> bool:
    try:
        listed = engine.running_with(source)
    except (EngineRefused, EngineUnavailable):
        return False
    labels = (each.get("Labels") for each in listed)
    return any(isinstance(each, dict) and each.get(LABEL, key) != key for each in labels)


def _shown_image(facts: ImageFacts) -> dict[str, object]:
    """Return an image's facts without what a plan does not look at."""
    known = asdict(facts)
    # The plan looks at names, and at what Docker's own images say of themselves.
    known["environment"] = [
        each if each.startswith("DOCKER_") else f"{each.partition('=')[0]}="
        for each in facts.environment
    ]
    return {key: each for key, each in known.items() if key not in {"instead_of", "moved"} and each}
