"""What a container's image adds to its plan: what is decided once the image is known.

Pure: no I/O.
"""

from executor.engine.container_request import without_needless_secrets
from executor.plan.containerd import with_containerd
from executor.plan.dind import require_root
from executor.plan.reach import heeding_image
from executor.spec import ContainerSpec, ImageFacts


def fitted(spec: ContainerSpec, image: ImageFacts, *, keeps_layers: bool = False) -> ContainerSpec:
    """Return a container as it is created from an image; `keeps_layers` tells whether a sidecar does.

    Raises UnusableImage where the image of a sidecar does not run as root.
    """
    if spec.prelude:  # dockerd's
        require_root(spec, image)
        spec = with_containerd(spec, image, keeps_layers=keeps_layers)
    return heeding_image(without_needless_secrets(spec, image), image)
