"""YAML as plain data, with GitLab's !reference in it: every mistake with its line, nothing without end.

Pure.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import yaml

from executor.excerpts import excerpt

_LONGEST_NUMBER = 100
_LARGEST = 2**63
_MOST_MERGED = 10_000
_MERGE = "tag:yaml.org,2002:merge"
_CONVERTED = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "timestamp"))


@dataclass(frozen=True, slots=True)
class Reference:
    """A !reference as it stands."""

    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"!reference [{excerpt(', '.join(self.path))}]"


class Loader(yaml.SafeLoader):
    """Plain YAML and !reference."""

    def __init__(self, text: str) -> None:
        """Read a text; `twice` then has the keys that stand in a mapping twice, with their lines."""
        super().__init__(text)
        self.twice: list[tuple[int, str]] = []
        self._merged = 0

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:  # noqa: FBT001, FBT002
        """Return what a node says; one that is not of its type is named with its line."""
        if node.tag in _CONVERTED and len(node.value) > _LONGEST_NUMBER:
            raise _wrong(node, "this number is too long")
        try:
            value: object = super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
            kind = node.tag.rpartition(":")[2]
            shown = excerpt(node.value) if isinstance(node.value, str) else kind
            raise _wrong(node, f'"{shown}" is not a value of the type {kind}') from None
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise _wrong(node, "this number is too large")
        return value

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> str:
        """Return a text, unless nothing that a job gets may hold it."""
        value = super().construct_scalar(node)
        if not is_possible(value):
            raise _wrong(node, "it holds a NUL or a lone surrogate, which no job can get")
        return value

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002
    ) -> dict[Hashable, object]:
        """Return a mapping, and note the keys that stand in it twice."""
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value if node.id == "mapping" else ():
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if (key.tag, key.value) in seen:
                self.twice.append((key.start_mark.line + 1, key.value))
            seen.add((key.tag, key.value))
        found: dict[Hashable, object] = super().construct_mapping(node, deep)
        return found

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put in the place of each `<<` what it stands for, and no more than a file can mean."""
        own, merged = [], []
        for key, value in node.value:
            if key.tag != _MERGE:
                own.append((key, value))
                continue
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for each in reversed(sources):
                if not isinstance(each, yaml.MappingNode):
                    raise _wrong(value, "a mapping or a list of mappings is expected behind <<")
                self.flatten_mapping(each)
                merged += each.value
                self._merged += len(each.value)
                if self._merged > _MOST_MERGED:
                    raise _wrong(value, f"more than {_MOST_MERGED} keys come by <<")
        node.value = merged + own


def is_possible(text: str) -> bool:
    """Tell whether a text can be a part of a job: what goes into an environment, or a file."""
    return "\0" not in text and (text.isascii() or text.encode(errors="ignore").decode() == text)


def _reference(loader: Loader, node: yaml.Node) -> Reference:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise _wrong(node, "!reference takes a list: the name of a job, then the keyword in it")
    return Reference(tuple(str(loader.construct_object(item)) for item in node.value))


def _wrong(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


Loader.add_constructor("!reference", _reference)
