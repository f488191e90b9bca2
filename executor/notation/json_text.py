"""JSON that somebody else has written: pure."""

from executor.quick_json import loads


def decoded(text: str) -> object:
    """Return what a JSON text says, in characters alone; raises ValueError or RecursionError.

    JSON can spell half a pair of surrogates.  That is no character: no file, container or registry
    could be given it.  A question mark comes in its place.
    """
    found: object = loads(text)
    if "\\ud" in text.lower():
        import json  # noqa: PLC0415 (rarely needed)

        found = json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"))
    return found
