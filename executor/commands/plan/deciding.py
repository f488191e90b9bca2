"""Which line of the settings, word of the job or fact decides what: planned again without each.

A plan is a pure function, so what depends on a line is what differs in the plan without it.  Where the
settings say nothing, the other choices of a switch stand for its default.  Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace

from executor.commands.plan.facts import EngineFacts
from executor.errors import ExecutorError
from executor.plan.inputs import Inputs
from executor.settings.file import Settings, settings_of
from executor.settings.keys import Key, Part, Section, keys_of
from executor.spec import Surroundings

Flat = Mapping[str, str]
Plan = Callable[[Inputs, EngineFacts], object]
"""Returns a plan as a tree of tables and lists; raises ExecutorError where the job would fail."""

_NOT_SET = ", which is not set"
_VARIABLE = "the variable "
REFUSED = "(whether the job runs at all)"


class Deciding:
    """What decides the parts of one job's plan."""

    def __init__(self, plan: Plan, inputs: Inputs, facts: EngineFacts) -> None:
        """Plan the job as it is; raises what planning raises."""
        self._plan = plan
        self._inputs = inputs
        self._facts = facts
        self._base = flat(plan(inputs, facts))
        self._found: dict[str, dict[str, None]] = {}

    def all(self, settings: Mapping[str, object]) -> dict[str, list[str]]:
        """Return for each part of the plan what decides it; `settings` is the file's document."""
        for label, other in other_settings(settings):
            self._try(label, replace(self._inputs, settings=other))
        for label, job in self._other_jobs():
            self._try(label, job)
        for name in self._variables(sorted(self._inputs.variables.by_key)):
            self._try(f"{_VARIABLE}{name}", self._without([name]))
        for label, around in _other_surroundings(self._facts.surroundings):
            self._note(label, self._flat(self._inputs, replace(self._facts, surroundings=around)))
        return {path: _told(labels) for path, labels in self._found.items()}

    def _try(self, label: str, inputs: Inputs) -> None:
        self._note(label, self._flat(inputs, self._facts))

    def _note(self, label: str, other: Flat | None) -> None:
        paths = [REFUSED] if other is None else differing(self._base, other)
        for path in paths:
            if not _is_variable(path, label):
                self._found.setdefault(path, {})[label] = None

    def _flat(self, inputs: Inputs, facts: EngineFacts) -> Flat | None:
        try:
            return flat(self._plan(inputs, facts))
        except ExecutorError:
            return None

    def _other_jobs(self) -> Iterator[tuple[str, Inputs]]:
        inputs, job = self._inputs, self._inputs.job
        if job.services:
            yield "the job's `services`", replace(inputs, job=replace(job, services=()))
        for what, empty in (
            ("entrypoint", None), ("user", ""), ("platform", ""), ("pull_policies", ()),
        ):  # fmt: skip
            if getattr(job.image, what):
                image = replace(job.image, **{what: empty})  # type: ignore[arg-type]
                yield f"the job's `image:{what}`", replace(inputs, job=replace(job, image=image))

    def _variables(self, names: Sequence[str]) -> list[str]:
        """Return the variables that change more than which variables there are.

        Most change nothing, and a job may have thousands: they are left out in halves.
        """
        if not names:
            return []
        other = self._flat(self._without(names), self._facts)
        if other is not None and all(
            _is_variable(path, _VARIABLE) for path in differing(self._base, other)
        ):
            return []
        if len(names) == 1:
            return list(names)
        half = len(names) // 2
        return [*self._variables(names[:half]), *self._variables(names[half:])]

    def _without(self, names: Sequence[str]) -> Inputs:
        gone, job = set(names), self._inputs.job
        kept = tuple(each for each in job.variables if each.key not in gone)
        values = {key: each for key, each in self._inputs.values.items() if key not in gone}
        return replace(self._inputs, job=replace(job, variables=kept), values=values)


def other_settings(document: Mapping[str, object]) -> Iterator[tuple[str, Settings]]:
    """Yield the settings without each of their lines, and with each switch that they do not set."""
    for label, changed in _changed(Settings, document):
        try:
            yield label, settings_of(changed, "")
        except ExecutorError:
            continue


def _changed(
    kind: type[Section], table: Mapping[str, object], name: str = ""
) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield a table with one line changed, and what the line is called."""
    before = f"[{name}] " if name else ""
    for key, declared in keys_of(kind):
        if key in table:
            rest = {other: each for other, each in table.items() if other != key}
            yield f"`{before}{key}`", rest
            continue
        for other in _others(declared):
            yield f"`{before}{key}`{_NOT_SET}", {**table, key: other}
    for key, part in kind.DECLARED.items():
        if isinstance(part, Part) and not part.grouped:
            given = table.get(key, {})
            for label, below in _changed(
                part.factory, given if isinstance(given, dict) else {}, key
            ):
                yield label, {**table, key: below}


def _others(declared: Key) -> list[object]:
    """Return what a switch or a number may be set to beside its default."""
    if isinstance(declared.default, bool):
        return [not declared.default]
    if isinstance(declared.default, int):
        return [declared.default + 1, declared.default - 1]
    return [each for each in declared.choices if each != declared.default]


def _other_surroundings(around: Surroundings) -> Iterator[tuple[str, Surroundings]]:
    empty = Surroundings()
    for each in fields(Surroundings):
        if getattr(around, each.name) != getattr(empty, each.name):
            changed = replace(around, **{each.name: getattr(empty, each.name)})
            yield f"the Docker Engine and its host ({each.name.replace('_', ' ')})", changed


def flat(tree: object, path: str = "") -> dict[str, str]:
    """Return every leaf of a tree by its path; of a list, each element is a part of the path."""
    if isinstance(tree, dict):
        found: dict[str, str] = {path: ""} if path else {}
        for key, each in tree.items():
            found |= flat(each, f"{path}/{key}" if path else str(key))
        return found
    if isinstance(tree, list) and all(isinstance(each, str) for each in tree):
        return {path: "", **{f"{path}/{each}": "" for each in tree}}
    return {path: repr(tree)}


def differing(base: Flat, other: Flat) -> list[str]:
    """Return which paths of a plan are otherwise in another one, or missing there.

    What is missing as a whole counts once.
    """
    gone = {path for path in base if path not in other}
    changed = {path for path in base if path in other and base[path] != other[path]}
    other_as_a_whole = gone | changed
    return [
        path for path in base if path in other_as_a_whole and _parent(path) not in other_as_a_whole
    ]


def _told(labels: Iterable[str]) -> list[str]:
    """Return what decides, without what only might: it counts where nothing is said."""
    said = [each for each in labels if not each.endswith(_NOT_SET)]
    return said or list(labels)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _is_variable(path: str, label: str) -> bool:
    """Tell whether a path only says that a container has a variable, without which it has it not."""
    return label.startswith(_VARIABLE) and "/variables/" in path
