"""What a captured payload is: a failed job, with a placeholder in place of each of its secrets.

Pure: no I/O.
"""

MARK = "dind_executor_capture"
"""The key by which a captured payload is told from a plain one; its value is `VERSION`."""
VERSION = 1
PLACEHOLDER = "placeholder-of-"
"""How what stands in place of a secret begins: a name of the secret follows."""
DIRECTORY = "captures"
"""Where they are, below `[sweep] state_dir`."""

UNNAMED = "something-secret"


def placeholder(name: str) -> str:
    """Return what stands in place of a secret of this name: in a shell, a URL or JSON, it needs no quotes."""
    kept = "".join(
        each if each.isascii() and (each.isalnum() or each in "_-") else "-" for each in name
    )
    return f"{PLACEHOLDER}{kept or UNNAMED}"


def placeholders_in(text: str) -> frozenset[str]:
    """Return the names of the secrets that a text has placeholders of."""
    found = set()
    for part in text.split(PLACEHOLDER)[1:]:
        end = next(
            (at for at, each in enumerate(part) if not (each.isascii() and (each.isalnum() or each in "_-"))),
            len(part),
        )  # fmt: skip
        found.add(part[:end])
    return frozenset(found)


def without_login(address: str) -> str:
    """Return the address of a repository without the login in it."""
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}" if separator else ""
