"""JSON as gitlab-runner writes it.

Pure.
"""

import json


def go_json(value: object) -> str:
    """Return JSON as Go writes it: compact, Unicode as it is, <, > and & escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
