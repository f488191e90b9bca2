"""From a pipeline file's text to plain data: YAML, and GitLab's !reference in it.

Pure.
"""

from dataclasses import dataclass

import yaml

from executor.local.errors import PipelineError

_MOST_NESTED = 10


def load_yaml(text: str, source: str) -> object:
    """Return what a file says, every !reference replaced by what it refers to."""
    return with_references(read_yaml(text, source), source)


def with_references(value: object, source: str) -> object:
    """Return what `read_yaml` did, every !reference replaced by what it refers to."""
    return _Resolver(value, source).resolved(value, ())


def read_yaml(text: str, source: str) -> object:
    """Return what a file says, with its !reference as they stand."""
    try:
        # A SafeLoader with one tag more, whose values are plain data.
        documents = list(yaml.load_all(text, _Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
        message = f"{source}: {where}: this is not valid YAML: {error.problem}"
        raise PipelineError(message) from None
    except yaml.YAMLError as error:
        message = f"{source}: this is not valid YAML: {error}"
        raise PipelineError(message) from None
    if len(documents) > 1 and documents[1:] != [None]:
        message = (
            f"{source}: the file has a header or several YAML documents, and `spec:` is not supported by"
            f" the embedded runner; keep one document or run this pipeline in GitLab"
        )
        raise PipelineError(message)
    return documents[0] if documents else None


@dataclass(frozen=True, slots=True)
class _Reference:
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"!reference [{', '.join(self.path)}]"


class _Loader(yaml.SafeLoader):
    """Plain YAML and !reference."""


def _reference(loader: _Loader, node: yaml.Node) -> _Reference:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        problem = "!reference takes a list: the name of a job, then the keyword in it"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
    return _Reference(tuple(str(loader.construct_object(item)) for item in node.value))


_Loader.add_constructor("!reference", _reference)


class _Resolver:
    """Replaces references by what they name in the whole file, which may hold references again."""

    def __init__(self, whole: object, source: str) -> None:
        self._whole = whole
        self._source = source

    def resolved(self, value: object, above: tuple[_Reference, ...]) -> object:
        if isinstance(value, _Reference):
            return self._target(value, above)
        if isinstance(value, dict):
            return {key: self.resolved(item, above) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolved(item, above) for item in value]
        return value

    def _target(self, reference: _Reference, above: tuple[_Reference, ...]) -> object:
        if reference in above or len(above) >= _MOST_NESTED:
            raise self._error(
                f"{reference} refers to itself, or is nested too deeply; write"
                " out what it stands for"
            )
        value = self._whole
        for key in reference.path:
            if isinstance(value, _Reference):
                value = self._target(value, (*above, reference))
            if not isinstance(value, dict) or key not in value:
                raise self._error(
                    f'{reference} refers to something that does not exist: there is no "{key}"'
                )
            value = value[key]
        return self.resolved(value, (*above, reference))

    def _error(self, sentence: str) -> PipelineError:
        return PipelineError(f"{self._source}: {sentence}")
