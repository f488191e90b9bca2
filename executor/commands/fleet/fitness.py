"""What `dind-executor doctor` says of a host that takes jobs again."""

from executor.commands.fleet.report import readable


def problems() -> list[str]:
    """Return what makes jobs fail on this host, as sentences."""
    from executor.commands.doctor.findings import BAD  # noqa: PLC0415 (loads for 0.2 s)
    from executor.commands.doctor.gather import Given, gather  # noqa: PLC0415
    from executor.commands.doctor.table import CHECKS  # noqa: PLC0415
    from executor.commands.doctor.work import check_all  # noqa: PLC0415

    chosen = [each for each in CHECKS if not each.online]
    results = check_all(chosen, gather(Given()), ())
    return [
        readable(f"{each.check.id}: {each.finding.found} → {each.finding.remedy}")
        for each in results
        if each.finding.level in BAD
    ]
