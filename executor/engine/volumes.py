"""The volumes of a job."""

from executor.engine import failures
from executor.engine.api import VOLUME_SECONDS, Api
from executor.spec import VolumeSpec


def ensure_volume(api: Api, spec: VolumeSpec) -> None:
    """Create a volume, or keep the one of its name.

    Raises SettingsError, or what else the engine's refusal means; see `failures.volume_failure`.
    """
    answer = api.post("/volumes/create", volume_request(spec), timeout=VOLUME_SECONDS)
    if not answer.ok:
        raise failures.volume_failure(spec.name, answer.status, answer.message)


def volume_request(spec: VolumeSpec) -> dict[str, object]:
    """Return what the engine is asked to create."""
    request: dict[str, object] = {"Name": spec.name, "Labels": spec.labels}
    if spec.driver:
        request["Driver"] = spec.driver
    if spec.options:
        request["DriverOpts"] = spec.options
    return request
