"""Whether a dind sidecar has a containerd that starts before its dockerd: pure.

A dockerd of version 25, 26 or 27 asks the containerd that it starts itself before that one listens, and
then not again for a second.
"""

from executor.dataclass import replace
from executor.plan.layers import major_version
from executor.shell import given, program
from executor.spec import ContainerSpec, ImageFacts

_SLOW = ("25", "26", "27")
"""The major versions, as their sources have it: 24 and 28 ask again after 10 ms."""


def with_containerd(
    spec: ContainerSpec, image: ImageFacts, *, keeps_layers: bool = False
) -> ContainerSpec:
    """Return a sidecar's spec, with a program that starts its containerd where that helps.

    An image that does not say its version is asked by the program.  Where an image says a wrong one,
    dockerd works all the same: any version takes a containerd that is there.  A sidecar that keeps layers
    has the program in any case: the layers may be in containerd.
    """
    version = major_version(image)
    is_quick = bool(version) and version not in _SLOW
    if is_quick and not keeps_layers:
        return spec
    ask = "" if version else "yes"
    only = "yes" if is_quick else ""
    start = given(_containerd=given(_ask=ask, _only=only) + program("containerd"), _ask=ask)
    return replace(spec, prelude=start + spec.prelude)
