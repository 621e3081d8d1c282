"""The texts that the program's code shows: found by how they are used, not by what they look like.

Shown is what gets into an argument, a field or a variable, or out of a function, with a telling name (`sentence`,
`advice`, `label`, `notes`, ...), into `iface` and its like, or into exceptions whose words are told. From there it is
followed back: through variables, parameters, returned values, lists and the places of templates, to constants and
f-strings.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import pytest

SHOWN_NAMES = {
    *("sentence", "advice", "said", "told", "reason", "problem", "note", "notes", "warning"),
    *("text", "label", "heading", "line", "lines", "meaning", "for"),
}
"""Last words of names whose values are shown."""

SHOWN_ARGUMENTS = {
    **dict.fromkeys(("iface", "tip", "rpt"), (0,)),
    **dict.fromkeys(("ValueError", "MemoryError", "JsonError", "HeaderError", "ColmapFileError", "CannotPlace"), (0,)),
    "NotNow": (0,),
    **dict.fromkeys(("PlanError", "TransformError"), (0, 1)),
    **dict.fromkeys(("report", "progress"), (1, 2)),
}
"""Function -> positions of the arguments that it shows, where their names do not tell."""

PROPERTY_WORDS = {"name", "description"}
SPANS = {"Span", "part"}
"""What makes a `Span` of progress, which is called with a share and a sentence."""

FILLS_LISTS = {"append", "extend", "insert"}
HANDS_ON = {"filter", "tuple", "list", "sorted", "next", "str"}
"""Functions whose value is made of their arguments'."""


class Finder:
    """found: text or template -> the module where it stands."""

    def __init__(self, modules: dict[str, ast.Module]) -> None:
        self.found: dict[str, str] = {}
        self._parents: dict[ast.AST, ast.AST] = {}
        self._where: dict[ast.AST, str] = {}
        self._functions = defaultdict[str, list[ast.FunctionDef]](list)
        self._signatures = defaultdict[str, list[list[str]]](list)
        self._calls = defaultdict[str, list[ast.Call]](list)
        self._bound = defaultdict[tuple[ast.AST, str], list[ast.AST]](list)
        self._followed: set[tuple[ast.AST, bool]] = set()
        self._inside = 0
        nodes = []
        for name, module in modules.items():
            for node in ast.walk(module):
                nodes.append(node)
                self._where[node] = name
                self._parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
        for step in (self._index, self._start):
            for node in nodes:
                step(node)

    # what the modules hold

    def _index(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef(name=name):
                self._functions[self._key(name, node)].append(node)
                self._signatures[self._key(self._called_as(node), node)].append(parameters(node))
            case ast.ClassDef(name=name):
                fields = (part.target for part in node.body if isinstance(part, ast.AnnAssign))
                names = [field.id for field in fields if isinstance(field, ast.Name)]
                self._signatures[self._key(name, node)].append(names)
            case ast.Call():
                self._calls[self._key(called(node), node)].append(node)
                if isinstance(node.func, ast.Attribute) and node.func.attr in FILLS_LISTS:
                    for argument in node.args:
                        self._bind(node.func.value, argument)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, value)
            case ast.AnnAssign(target=target, value=ast.AST() as value):
                self._bind(target, value)
            case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                self._bind(target, value)
            case ast.For(target=target, iter=many) | ast.comprehension(target=target, iter=many):
                for value in self._elements(many):
                    self._bind(target, value)

    def _key(self, name: str, node: ast.AST) -> str:
        """What a function or class is known by: one with an underscore only in its own module."""
        return f"{self._where[node]}:{name}" if name.startswith("_") else name

    def _called_as(self, function: ast.FunctionDef) -> str:
        owner = self._parents[function]
        return owner.name if function.name == "__init__" and isinstance(owner, ast.ClassDef) else function.name

    def _bind(self, target: ast.AST, value: ast.AST) -> None:
        for part, one in pairs(target, value):
            if isinstance(part, ast.Name):
                self._bound[self._scope(part), part.id].append(one)

    def _elements(self, many: ast.AST) -> list[ast.AST]:
        """What a loop goes through, one by one where it is written out."""
        if isinstance(many, ast.Name | ast.Attribute):
            values = [value for value in self._values_of(many) if isinstance(value, ast.Tuple | ast.List)]
            return [element for value in values for element in value.elts] or [many]
        return list(many.elts) if isinstance(many, ast.Tuple | ast.List) else [many]

    def _scope(self, node: ast.AST) -> ast.AST:
        """The function or module around it; that of what stands in a class's body is the module."""
        node = self._parents[node]
        while not isinstance(node, ast.FunctionDef | ast.Module):
            node = self._parents[node]
        return node

    # where values are shown

    def _start(self, node: ast.AST) -> None:
        for value in self._shown_by(node):
            self._follow(value)

    def _shown_by(self, node: ast.AST) -> Iterator[ast.AST]:
        match node:
            case ast.Call():
                yield from self._shown_arguments(node)
            case ast.Assign(targets=targets, value=value):
                yield from (one for target in targets for part, one in pairs(target, value) if is_shown(part))
            case ast.AnnAssign(target=target, value=ast.AST() as value) | ast.AugAssign(target=target, value=value):
                yield from [value] if is_shown(target) else []
            case ast.FunctionDef(name=name) if is_shown(node) or name == "__str__":
                yield from returned(node)

    def _shown_arguments(self, call: ast.Call) -> Iterator[ast.AST]:
        name = called(call)
        if self._is_span(call.func):
            yield from call.args[1:2]
        yield from (argument for i, argument in enumerate(call.args) if i in SHOWN_ARGUMENTS.get(name, ()))
        for names in self._signatures[self._key(name, call)]:
            yield from (argument for argument, word in zip(call.args, names, strict=False) if is_shown(word))
        words = PROPERTY_WORDS if name.endswith("Property") else set()
        yield from (word.value for word in call.keywords if word.arg and (is_shown(word.arg) or word.arg in words))
        if name in FILLS_LISTS and isinstance(call.func, ast.Attribute) and is_shown(call.func.value):
            yield from call.args

    def _is_span(self, function: ast.AST) -> bool:
        makers = self._bound[self._scope(function), function.id] if isinstance(function, ast.Name) else [function]
        return any(isinstance(maker, ast.Call) and called(maker) in SPANS for maker in makers)

    # and where they come from

    def _follow(self, node: ast.AST) -> None:
        if (node, bool(self._inside)) in self._followed:
            return
        self._followed.add((node, bool(self._inside)))
        match node:
            case ast.Constant(value=str(text)):
                self._take(text, node)
            case ast.JoinedStr(values=parts):
                self._take(template(node), node)
                self._inside += 1
                self._follow_all(part.value for part in parts if isinstance(part, ast.FormattedValue))
                self._inside -= 1
            case ast.Name() | ast.Attribute():
                self._follow_all(self._values_of(node))
            case ast.Call():
                self._follow_all(self._values_of_call(node))
            case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, op=ast.Add(), right=other):
                self._follow_all((one, other))
            case ast.List(elts=many) | ast.Tuple(elts=many) | ast.BoolOp(values=many) | ast.Dict(values=many):
                self._follow_all(many)
            case ast.ListComp(elt=one) | ast.GeneratorExp(elt=one) | ast.Lambda(body=one):
                self._follow(one)
            case ast.Subscript(value=one) | ast.Starred(value=one) | ast.NamedExpr(value=one):
                self._follow(one)

    def _follow_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in list(nodes):
            self._follow(node)

    def _take(self, text: str, node: ast.AST) -> None:
        """Any words; of what is put into a template only several, as single ones there are names of things."""
        if re.search("[A-Za-z]{2} | [A-Za-z]{2}" if self._inside else "[A-Za-z]{2}", bare(text)):
            self.found.setdefault(text.strip(), self._where[node])

    def _values_of(self, node: ast.Name | ast.Attribute) -> Iterator[ast.AST]:
        """What a name stands for: a variable, a parameter, or a constant of any module or class."""
        name = node.id if isinstance(node, ast.Name) else node.attr
        if isinstance(node, ast.Name):
            scope = self._scope(node)
            while isinstance(scope, ast.FunctionDef):
                yield from self._bound[scope, name]
                yield from self._arguments_for(scope, name)
                scope = self._scope(scope)
            yield from self._bound[scope, name]
        if name.isupper():
            yield from (
                value
                for (scope, other), values in list(self._bound.items())
                if other == name and isinstance(scope, ast.Module)
                for value in values
            )

    def _arguments_for(self, function: ast.FunctionDef, name: str) -> Iterator[ast.AST]:
        """What calls hand to a parameter."""
        names = parameters(function)
        calls = self._calls[self._key(self._called_as(function), function)]
        for call in calls if name in parameters(function, True) else []:
            if name in names:
                yield from call.args[names.index(name) : names.index(name) + 1]
            yield from (word.value for word in call.keywords if word.arg == name)

    def _values_of_call(self, call: ast.Call) -> Iterator[ast.AST]:
        name = called(call)
        for function in self._functions[self._key(name, call)]:
            yield from returned(function)
        if isinstance(call.func, ast.Name):
            yield from call.args if name in HANDS_ON else []
        elif isinstance(call.func, ast.Attribute) and name in {"format", "strip", "join", "get"}:
            yield call.func.value
            yield from {"join": call.args, "get": call.args[1:]}.get(name, [])


def called(call: ast.Call) -> str:
    """The name of the function or method; empty where it has none."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def pairs(target: ast.AST, value: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """What an assignment assigns to what; all of the value to each target where it is not written out."""
    if not isinstance(target, ast.Tuple | ast.List):
        yield target, value
        return
    same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
    for part, one in zip(target.elts, value.elts if same else [value] * len(target.elts), strict=True):
        yield from pairs(part, one)


def is_shown(name: ast.AST | str) -> bool:
    """Whether a name, or that of a variable, an attribute or a function, tells that its value is shown."""
    match name:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.FunctionDef(name=word):
            name = word
    return isinstance(name, str) and name.lower().rpartition("_")[2] in SHOWN_NAMES


def parameters(function: ast.FunctionDef, by_word: bool = False) -> list[str]:
    """Names of those that take positions, without `self`; by_word: of those as well that take none."""
    given = [*function.args.posonlyargs, *function.args.args, *(function.args.kwonlyargs if by_word else ())]
    return [each.arg for each in given if each.arg not in ("self", "cls")]


def returned(function: ast.FunctionDef) -> list[ast.AST]:
    parts = (part for part in ast.walk(function) if isinstance(part, ast.Return | ast.Yield))
    return [part.value for part in parts if part.value is not None]


def bare(text: str) -> str:
    """A template without its places for values."""
    return re.sub(r"\{\w*\}", "", text)


def template(node: ast.JoinedStr) -> str:
    """An f-string with its values counted: {0}, {1}, ..."""
    parts, count = [], 0
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value).replace("{", "{{").replace("}", "}}"))
        else:
            parts.append(f"{{{count}}}")
            count += 1
    return "".join(parts)


@pytest.fixture(scope="session")
def find_shown() -> Callable[[dict[str, ast.Module]], dict[str, str]]:
    """Name -> module to text or template -> name of the module that shows it."""
    return lambda modules: Finder(modules).found
