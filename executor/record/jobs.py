"""The records of one job, out of a spool that has many."""

from executor.record.spool import records

Found = list[dict[str, object]]


class AmbiguousJob(Exception):
    """Two GitLabs have a job of that number on this host."""


def job_records(spool: str, job: int, url: str = "") -> Found:
    """Return the records of a job; empty where there are none.

    The number may belong to jobs of several GitLabs: `url` says which one is meant.  Raises AmbiguousJob
    where it does not, and OSError where there is no spool.
    """
    by_key: dict[str, Found] = {}
    for each in records(spool, job):
        if each.get("job") == job:
            by_key.setdefault(str(each.get("key")), []).append(each)
    owners = {key: _gitlab_of(found) for key, found in by_key.items()}
    wanted = url.rstrip("/")
    if wanted:
        by_key = {key: found for key, found in by_key.items() if owners[key] == wanted}
    elif len(set(owners.values())) > 1:
        named = ", ".join(sorted(each or "one that is not known" for each in set(owners.values())))
        raise AmbiguousJob(f"there are jobs {job} of several GitLabs: {named}. Name one by --url.")
    return max(by_key.values(), key=_last, default=[])


def records_of(spool: str, key: str) -> Found:
    """Return the records of a job by its key.  Raises OSError where there is no spool."""
    return [each for each in records(spool) if each.get("key") == key]


def _gitlab_of(found: Found) -> str:
    return next((str(each["gitlab"]) for each in found if each.get("gitlab")), "").rstrip("/")


def _last(found: Found) -> float:
    return max(float(str(each.get("at", 0))) for each in found)
