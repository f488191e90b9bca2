"""The tables of docs/scale.md that are computed. Pure: the same figures give the same lines."""

from dataclasses import replace
from ipaddress import ip_network

from benchmarks.scale import host, notice, warmth
from benchmarks.scale.fleet import Fleet, Seen, steady
from benchmarks.scale.lines import MB, Assumed, number, percent, seconds, table
from benchmarks.scale.measured import Measured
from executor.plan.addresses import prefix_for, usage
from executor.spec import Surroundings

PER_TOKEN = 2000
"""Requests a minute for jobs with one token: GitLab's default limit (docs/scale.md has the source)."""
HUB_FREE, HUB_PERSONAL, HUB_HOURS = 100, 200, 6
"""Pulls in six hours from an address without a login, and by a free account."""
_SEED = 15
_LATE = 0.003
"""Seconds by which a gitlab-runner asked too late, on the average (`idle` in measured.json)."""


def _seen(fleet: Fleet, assumed: Assumed) -> Seen:
    return steady(
        replace(fleet, late=_LATE),
        job_seconds=assumed.job_seconds,
        load=assumed.load,
        seed=_SEED,
        jobs=2000,
        requests=20000,
    )


def polls(assumed: Assumed) -> list[str]:
    """Return what hosts ask for with one token, and how long a job waits for being taken."""
    rows = []
    for hosts in assumed.sizes:
        for interval in (3, 10, 30):
            seen = _seen(Fleet(hosts, assumed.slots, interval), assumed)
            held = _seen(Fleet(hosts, assumed.slots, interval, 50), assumed)
            a_minute = seen.requests_a_second * 60
            rows.append(
                (
                    f"{hosts:,}",
                    f"{interval} s",
                    number(a_minute) + (" **over**" if a_minute > PER_TOKEN else ""),
                    seconds(seen.mean_wait),
                    seconds(seen.wait_of(0.99)),
                    number(held.requests_a_second * 60),
                    seconds(held.mean_wait),
                )
            )
    head = ("hosts of one token", "`check_interval`", "requests a minute", "a job waits, mean")
    return table(
        (*head, "99 of 100 at most", "requests with long polling", "mean wait with it"), rows
    )


def per_token(hosts: int) -> tuple[int, int]:
    """Return a check_interval and into how many tokens to divide so many hosts."""
    interval = 3 if hosts <= 50 else 10 if hosts <= 250 else 30
    most = PER_TOKEN * interval // 60 * 3 // 4
    return interval, -(-hosts // most)


def gitlab(assumed: Assumed, found: Measured) -> list[str]:
    """Return all that GitLab is asked for."""
    rows = []
    for hosts in assumed.sizes:
        interval, tokens = per_token(hosts)
        one = _seen(Fleet(-(-hosts // tokens), assumed.slots, interval), assumed)
        polling = one.requests_a_second * tokens
        jobs_a_second = assumed.jobs_an_hour(hosts) / 3600
        api = jobs_a_second * found.api_requests(assumed.job_seconds)
        rows.append(
            (
                f"{hosts:,}",
                number(assumed.jobs_an_hour(hosts)),
                f"{tokens}, {interval} s",
                seconds(one.mean_wait),
                number(polling),
                number(api),
                number(polling + api),
                number(jobs_a_second * found.git_requests),
            )
        )
    head = (
        "hosts",
        "jobs an hour",
        "tokens, `check_interval`",
        "mean wait",
        "requests for jobs, a second",
    )
    return table((*head, "of running jobs", "API in all", "git"), rows)


def registry(assumed: Assumed, found: Measured) -> list[str]:
    """Return what registries are asked for."""
    rows = []
    for hosts in assumed.sizes:
        an_hour = assumed.jobs_an_hour(hosts)
        counted = an_hour * assumed.builds
        bits = an_hour / 3600 * assumed.builds * assumed.image_mb * 8
        rows.append(
            (
                f"{hosts:,}",
                number(an_hour / 60 * (found.heads + assumed.builds)),
                number(counted * HUB_HOURS),
                number(counted * HUB_HOURS / HUB_FREE),
                f"{number(bits)} Mbit/s" if bits < 1000 else f"{number(bits / 1000)} Gbit/s",
            )
        )
    head = (
        "hosts",
        "`HEAD` a minute",
        "counted pulls in six hours",
        "times Hub's limit of an address",
    )
    return table((*head, "bytes of base images"), rows)


def cores(assumed: Assumed, own: float) -> list[str]:
    """Return how many jobs at a time a host is worth."""
    rows = []
    needs = own + assumed.processor_seconds
    other = max(assumed.job_seconds - needs, 0)
    for count in (2, 4, 8, 16, 32):
        few = host.enough(count, needs, other, 1.1)
        many = host.enough(count, needs, other, 1.5)
        rows.append(
            (
                str(count),
                str(few),
                number(host.jobs_an_hour(count, few, needs, other)),
                str(many),
                number(host.jobs_an_hour(count, many, needs, other)),
                number(count / needs * 3600),
            )
        )
    head = ("cores", "`concurrent`, a job takes at most 10 % longer", "jobs an hour")
    return table(
        (*head, "`concurrent`, at most 50 % longer", "jobs an hour", "most that cores can do"), rows
    )


def addresses() -> list[str]:
    """Return how many jobs find a network in a pool, as prepare chooses it."""
    rows = []
    for services in (20, 40, 80):
        prefix = prefix_for(services)
        pools = ("10.240.0.0/24", "10.240.0.0/20", "10.240.0.0/16")
        fits = [f"{ip_network(pool).num_addresses >> (32 - prefix):,}" for pool in pools]
        rows.append((f"at most {services}", f"/{prefix}", *fits))
    head = ("services of a job", "its network", "jobs in a /24", "in a /20", "in a /16")
    return table(head, rows)


def places() -> int:
    """Return how many jobs' networks fit into what Docker has where nobody says anything."""
    return usage((), Surroundings())[1]


def warm(assumed: Assumed) -> list[str]:
    """Return how many jobs find what an earlier one of their project left."""
    an_hour = assumed.jobs_an_hour(1)
    rows = []
    for projects in (20, 200, 2000, 20000):
        parts = warmth.shares(projects)
        found = [percent(warmth.found(an_hour * hours, parts)) for hours in (1, 8, 24, 7 * 24)]
        half = warmth.until_half(parts)
        rows.append((f"{projects:,}", *found, f"{half:,}", _duration(half / an_hour)))
    head = ("projects of a token", "hosts that live an hour", "8 hours", "a day", "a week")
    return table((*head, "jobs until half is found", "which takes"), rows)


def _duration(hours: float) -> str:
    return f"{hours * 60:.0f} minutes" if hours < 1.5 else f"{hours:.0f} hours"


def notices(assumed: Assumed) -> list[str]:
    """Return which part of the jobs a host that goes takes with it."""
    rows = []
    for minutes in (1, 4, 10, 30):
        lost = [percent(notice.lost(each, minutes * 60)) for each in (0, 30, 120, 600)]
        rows.append((f"{minutes} min", *lost))
    del assumed
    return table(("jobs take, mean", "no notice", "30 s", "2 min", "10 min"), rows)


def scrapes(assumed: Assumed, found: Measured) -> list[str]:
    """Return what Prometheus has of all hosts."""
    one = found.parts["scrape"]
    rows = [
        (
            f"{hosts:,}",
            number(hosts * one["series"]),
            number(hosts * one["series"] / 15),
            f"{number(hosts * one['bytes'] / 15 * 8 / MB)} Mbit/s",
        )
        for hosts in assumed.sizes
    ]
    return table(
        ("hosts", "series", "samples a second, each 15 s", "traffic without compression"), rows
    )
