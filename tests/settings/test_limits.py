"""What a container may use of memory and processors."""

from executor.settings.limits import Limits


def test_limits_are_completed_by_others() -> None:
    """What these say goes before what the others say; neither of them changes."""
    sidecar, services = Limits(memory="4g", cpu_shares=10), Limits(memory="1g", cpus="0.5")

    assert sidecar.completed(services) == Limits(memory="4g", cpu_shares=10, cpus="0.5")
    assert sidecar == Limits(memory="4g", cpu_shares=10)


def test_nothing_is_completed_by_nothing() -> None:
    """Without any key the engine decides."""
    assert Limits().completed(Limits()) == Limits()
