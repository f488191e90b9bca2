"""Whether a sidecar finds the layers that an earlier job of its slot has left, and where: pure.

They are in a volume that lasts, one for each project, slot, and protected refs or others.
Where the image says dockerd's major version, each has its own: no dockerd opens what a newer one has
written.  Elsewhere `layers.sh` keeps them apart within the volume.
"""

from executor.dataclass import dataclass, replace
from executor.notation.amounts import byte_size
from executor.notation.claims import LAYERS_LABEL
from executor.notation.paths import DATA_ROOT
from executor.plan.inputs import Inputs
from executor.plan.labels import kind_labels, slot_labels, volume_labels
from executor.plan.slots import is_of_protected_ref, slot_name
from executor.shell import given, program
from executor.spec import ContainerSpec, ImageFacts, VolumeSpec

VERSION = "DOCKER_VERSION"
"""The variable of an official dind image, and of what is made of one."""

_DIGITS = 3

_PARTS = 2
"""BuildKit's cache may take one of so many parts of a store: images without names have the rest."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Where the layers of a job's slot are; the volume's name follows from the sidecar's image too."""

    name: str
    """How the names of the slot's volumes begin."""
    end: str
    """How they end."""
    labels: dict[str, str]
    cache_bytes: int
    """What BuildKit's cache may take."""

    @property
    def claimed(self) -> str:
        """Return what a job claims that uses any of them."""
        return f"{self.name}{self.end}"


def plan_layers(inputs: Inputs) -> Layers | None:
    """Return where the layers of the job's slot are; None where none are kept.

    None too where the job hides which slot it is in.
    """
    dind, slot = inputs.settings.dind, slot_name(inputs)
    if not dind.keep_layers or not slot:
        return None
    protected = is_of_protected_ref(inputs.job)
    name, end = f"{slot}-layers", "-protected" if protected else ""
    labels = {
        **kind_labels("cache"),
        **slot_labels(inputs.job, inputs.values),
        **volume_labels(DATA_ROOT, protected=protected, reusable=True),
        "dind-executor.type": "layers",
        LAYERS_LABEL: f"{name}{end}",
    }
    return Layers(name, end, labels, byte_size(dind.keep_layers_size) // _PARTS)


def major_version(image: ImageFacts) -> str:
    """Return dockerd's major version by an image's word; empty where it says none."""
    said = dict(each.partition("=")[::2] for each in image.environment)
    version = said.get(VERSION, "").removeprefix("v").partition(".")[0]
    # The image's author writes it, and it becomes a part of a volume's name.
    is_one = version.isascii() and version.isdecimal() and len(version) <= _DIGITS
    return version if is_one else ""


def store_of(layers: Layers, image: ImageFacts) -> VolumeSpec:
    """Return the volume with the layers that a sidecar of this image can use."""
    major = major_version(image)
    name = f"{layers.name}{f'-{major}' if major else ''}{layers.end}"
    return VolumeSpec(name, layers.labels, early=False)


def with_store(
    spec: ContainerSpec, layers: Layers, store: VolumeSpec, image: ImageFacts
) -> ContainerSpec:
    """Return a sidecar that finds the layers of a store, and adds its own."""
    major = major_version(image)
    text = given(_major=major, _cache=str(layers.cache_bytes)) + program("layers")
    mounts = tuple(
        (store.name if place == DATA_ROOT else name, place) for name, place in spec.mounts
    )
    start = given(_layers=text, _asked="" if major else "yes")
    return replace(spec, mounts=mounts, prelude=start + spec.prelude)
