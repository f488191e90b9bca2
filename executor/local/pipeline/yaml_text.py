"""From a pipeline file's text to plain data: YAML, and GitLab's !reference in it.

Pure.
"""

import yaml

from executor.excerpts import excerpt
from executor.local.errors import PipelineError
from executor.local.pipeline.yaml_loader import Loader, Reference

_MOST_NESTED = 10
_DEEPEST = 100
_MOST_VALUES = 200_000


class Budget:
    """How many values a pipeline may still have, once all that stands for others is written out."""

    def __init__(self) -> None:
        """Begin with what GitLab would take, and more."""
        self._left = _MOST_VALUES

    def spend(self, values: int, source: str) -> None:
        """Take note of so many values; raises PipelineError where there are too many."""
        self._left -= values
        if self._left < 0:
            message = (
                f"{source}: it has more than {_MOST_VALUES} values once its aliases, references,"
                " `extends` and `parallel` are written out; make it smaller"
            )
            raise PipelineError(message)


def with_references(value: object, source: str, budget: Budget | None = None) -> object:
    """Return what `read_yaml` did, every !reference replaced by what it refers to."""
    return _Resolver(value, source, budget or Budget()).resolved(value, ())


def read_yaml(text: str, source: str, warnings: list[str] | None = None) -> object:
    """Return what a file says, with its !reference as they stand.

    Keys that stand in a mapping twice are added to the warnings.
    """
    try:
        loader = Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = (
            f"{source}: line {line}: this is not valid YAML: the character U+{error.character:04X} must"
            " not stand there"
        )
        raise PipelineError(message) from None
    try:
        # A SafeLoader with one tag more, whose values are plain data.
        documents = _documents(loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
        message = f"{source}: {where}: this is not valid YAML: {excerpt(str(error.problem))}"
        raise PipelineError(message) from None
    except yaml.YAMLError as error:
        message = f"{source}: this is not valid YAML: {excerpt(str(error))}"
        raise PipelineError(message) from None
    except RecursionError:
        raise _too_deep(source) from None
    finally:
        loader.dispose()
    if len(documents) > 1 and documents[1:] != [None]:
        message = (
            f"{source}: the file has a header or several YAML documents, and `spec:` is not supported by"
            f" the embedded runner; keep one document or run this pipeline in GitLab"
        )
        raise PipelineError(message)
    if warnings is not None:
        warnings += [
            f'{source}: line {line}: the key "{excerpt(key)}" stands in its mapping twice; the last'
            " one counts"
            for line, key in loader.twice
        ]
    document = documents[0] if documents else None
    _check_size(document, source)
    return document


def _documents(loader: Loader) -> list[object]:
    documents: list[object] = []
    while loader.check_data():  # type: ignore[no-untyped-call]
        documents.append(loader.get_data())
    return documents


def _check_size(document: object, source: str) -> None:
    """Refuse a document that has no end, or none that anybody waits for, with its aliases."""
    budget = Budget()
    left: list[tuple[object, int]] = [(document, 0)]
    while left:
        value, depth = left.pop()
        if not isinstance(value, dict | list):
            continue
        inner = value.values() if isinstance(value, dict) else value
        if depth > _DEEPEST:
            raise _too_deep(source)
        budget.spend(len(value), source)
        left += [(each, depth + 1) for each in inner]


def _too_deep(source: str) -> PipelineError:
    return PipelineError(
        f"{source}: it is nested more than {_DEEPEST} levels deep, or an alias in it stands for itself"
    )


class _Resolver:
    """Replaces references by what they name in the whole file, which may hold references again."""

    def __init__(self, whole: object, source: str, budget: Budget) -> None:
        self._whole = whole
        self._source = source
        self._budget = budget

    def resolved(self, value: object, above: tuple[Reference, ...]) -> object:
        if isinstance(value, Reference):
            return self._target(value, above)
        if isinstance(value, dict | list):
            self._budget.spend(len(value), self._source)
        if isinstance(value, dict):
            return {key: self.resolved(item, above) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolved(item, above) for item in value]
        return value

    def _target(self, reference: Reference, above: tuple[Reference, ...]) -> object:
        if reference in above or len(above) >= _MOST_NESTED:
            raise self._error(
                f"{reference} refers to itself, or is nested too deeply; write"
                " out what it stands for"
            )
        value = self._whole
        for key in reference.path:
            if isinstance(value, Reference):
                value = self._target(value, (*above, reference))
            if not isinstance(value, dict) or key not in value:
                raise self._error(
                    f'{reference} refers to something that does not exist: there is no "{key}"'
                )
            value = value[key]
        return self.resolved(value, (*above, reference))

    def _error(self, sentence: str) -> PipelineError:
        return PipelineError(f"{self._source}: {sentence}")
