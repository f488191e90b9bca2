"""The forms in which a secret may stand in a text: encoded, quoted, or inside something encoded.

Pure: no I/O.
"""

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""A shorter secret is not looked for in texts: it would be found in every second word."""
_SHORTEST_ENCODED = 8


def forms(secret: str) -> frozenset[str]:
    """Return each spelling of a secret that a text may have; none where it is too short."""
    if len(secret) < SHORTEST:
        return frozenset()
    found = {secret, secret.strip()}
    found |= {form for form in _encoded(secret) if len(form) >= _SHORTEST_ENCODED}
    found |= set(_quoted(secret))
    return frozenset(each for each in found if len(each) >= SHORTEST)


def _quoted(secret: str) -> Iterator[str]:
    """Yield it as it stands within JSON, a URL, HTML, or a word of a shell."""
    once = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    go = [
        each.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        for each in once
    ]
    for each in (*once, *go):
        yield each
        yield json.dumps(each)[1:-1]  # JSON in JSON
        yield each.replace("/", "\\/")
    for safe in ("", "/", "~", "!*'()"):
        for made in (quote(secret, safe=safe), quote_plus(secret, safe=safe)):
            yield made
            yield _lower_escapes(made)
            yield quote(made, safe="")  # a URL in a URL
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    yield secret.replace("'", "'\"'\"'")
    yield secret.replace("'", "'\\''")
    yield secret.replace("$", "$$")
    yield secret.replace("\n", "\\n")
    yield secret.replace("\n", "\r\n")
    yield "".join(f"\\{each}" if each in '"\\$`' else each for each in secret)
    yield "".join(each if each.isalnum() or each in "_-./" else f"\\{each}" for each in secret)


def _lower_escapes(text: str) -> str:
    first, *rest = text.split("%")
    return "%".join((first, *(each[:2].lower() + each[2:] for each in rest)))


def _encoded(secret: str) -> Iterator[str]:
    """Yield it in base64, base32 and hexadecimal, also as a part of something in base64."""
    data = secret.encode()
    for each in (data, f"{secret}\n".encode()):
        plain = base64.b64encode(each).decode()
        yield from (plain, plain.rstrip("="), base64.urlsafe_b64encode(each).decode())
        yield base64.b64encode(plain.encode()).decode()  # twice
        yield base64.b32encode(each).decode()
    for before, lost in ((0, 0), (1, 2), (2, 3)):
        inner = base64.b64encode(b"\0" * before + data).decode()
        core = inner[lost : (before + len(data)) * 8 // 6]
        yield core
        yield core.replace("+", "-").replace("/", "_")
    yield data.hex()
    yield data.hex().upper()
