"""What `migrate` says of a host that pulls no images: pure."""

from collections.abc import Mapping

from executor.settings.dind import DindSettings


def notes_on_pulls(policy: object, dind: Mapping[str, object]) -> list[str]:
    """Return what is missing on a host that pulls nothing: it has no sidecar's image by itself."""
    if policy not in ("never", ["never"]):
        return []
    image = dind.get("image", DindSettings().image)
    note = (
        f"[runners.docker] pull_policy: with `never`, the sidecar's image {image} must be on the host."
        ' Load it there (`docker load`), or set `[dind] mode = "service"`. Without it, jobs that do not'
        " ask for Docker run without a sidecar, and all others fail."
    )
    return [note]
