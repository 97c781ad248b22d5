"""The parameters of a notebook: read from its tagged cell without running it, resolved strictly."""

from __future__ import annotations

import ast
import difflib
import io
import json
import keyword
import re
import tokenize
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cxlib.errors import Problem, RefusedError
from cxlib.report.kinds import CONTAINERS, SCALARS, Kind, mismatch

__all__ = [
    "Kind",
    "Parameter",
    "parse_cell",
    "parse_text",
    "read_cells",
    "read_parameters",
    "resolve",
    "unknown_names",
]

_TEXTS = ("InputFile", "Date")
_ALLOWED = (
    "name: type = literal  # meaning [unit], where type is str, int, float, bool, list, dict, "
    '"InputFile", "Date" or "Choice[a, b]", each also with | None'
)


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell.

    Attributes
    ----------
    name : str
        A Python identifier.
    kind : Kind
        The declared type.
    default : object
        The literal behind the equals sign.
    meaning : str
        The comment without its unit.
    unit : str
        What stands in brackets at the end of the comment, or nothing.
    """

    name: str
    kind: Kind
    default: Any
    meaning: str = ""
    unit: str = ""


def read_cells(path: str | Path) -> list[dict[str, Any]]:
    """Read the cells of a notebook file of format 4, as JSON has them; sources as one text.

    Raises
    ------
    RefusedError
        Where the file is missing or is not such a notebook.
    """
    path = Path(path)
    if not path.is_file():
        raise RefusedError(f"The notebook {path} does not exist.")
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [
            {
                "cell_type": cell["cell_type"],
                "source": "".join(cell["source"]),
                "tags": list(cell["metadata"].get("tags", ())),
            }
            for cell in cells
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(
            f"{path} is not a notebook. Allowed: a Jupyter notebook of format 4 (.ipynb)."
        ) from error


def read_parameters(notebook: str | Path) -> dict[str, Parameter]:
    """Read what a notebook's ``parameters`` cell declares; the cell is parsed, never executed.

    Parameters
    ----------
    notebook : str or Path

    Returns
    -------
    dict of str to Parameter
        In the order of the cell; empty where the notebook has no such cell.

    Raises
    ------
    RefusedError
        Naming the line of the cell, for anything but ``name: type = literal  # meaning [unit]``.
    """
    label = Path(notebook).name
    cells = [
        (number, cell["source"])
        for number, cell in enumerate(read_cells(notebook), start=1)
        if cell["cell_type"] == "code" and "parameters" in cell["tags"]
    ]
    if len(cells) > 1:
        numbers = ", ".join(str(number) for number, _ in cells)
        raise RefusedError(
            f"{label} has {len(cells)} cells tagged parameters ({numbers}): keep one."
        )
    if not cells:
        return {}
    number, source = cells[0]
    declared, problems = parse_cell(source)
    if problems:
        raise RefusedError(f"The parameters of {label} (cell {number}) cannot be read.", problems)
    return declared


def parse_cell(source: str) -> tuple[dict[str, Parameter], list[Problem]]:
    """Parse the source of a parameters cell into its parameters and all that is wrong with it.

    Examples
    --------
    >>> declared, problems = parse_cell("level: float = 0.95  # of every interval [share]")
    >>> declared["level"].default, declared["level"].meaning, declared["level"].unit
    (0.95, 'of every interval', 'share')
    >>> print(*parse_cell("n = 3")[1])
    n = 3 is not a declared parameter (line 1). Allowed: name: type = literal ...
    """
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        return {}, [Problem(f"not Python: {error.msg}", f"line {error.lineno}", _ALLOWED)]
    comments = {
        token.start[0]: token.string.lstrip("# ").rstrip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    declared: dict[str, Parameter] = {}
    problems = []
    for statement in body:
        where = f"line {statement.lineno}"
        try:
            parameter = _parse_statement(statement, comments)
        except _Unusable as error:
            problems.append(Problem(str(error), where, error.allowed))
            continue
        if parameter.name in declared:
            problems.append(Problem(f"{parameter.name} is declared twice", where))
        declared[parameter.name] = parameter
    return declared, problems


class _Unusable(Exception):
    def __init__(self, what: str, allowed: str = _ALLOWED):
        super().__init__(what)
        self.allowed = allowed


def _parse_statement(statement: ast.stmt, comments: Mapping[int, str]) -> Parameter:
    if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
        raise _Unusable(f"{_excerpt(statement)} is not a declared parameter")
    name = statement.target.id
    if statement.value is None:
        raise _Unusable(f"{name} has no default")
    kind = _parse_kind(statement.annotation, name)
    try:
        default = ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _Unusable(
            f"the default of {name}, {_excerpt(statement.value)}, is not a literal",
            "numbers, texts, True, False, None, lists and dicts written out",
        ) from None
    reason = mismatch(kind, default)
    if reason:
        raise _Unusable(f"the default of {name}, {default!r}, {reason}", str(kind))
    # inside a list or dict, a comment speaks of an entry
    inner = (
        () if isinstance(default, (list, dict)) else range(statement.lineno, statement.end_lineno)
    )
    lines = (statement.end_lineno, statement.lineno, *inner)
    comment = next((comments[line] for line in lines if comments.get(line)), "")
    meaning, unit = re.fullmatch(r"(.*?)\s*(?:\[([^\[\]]*)\])?", comment).groups()
    return Parameter(name, kind, default, meaning, unit or "")


def _parse_kind(node: ast.expr, name: str, quoted: bool = False) -> Kind:
    unusable = _Unusable(f"the type of {name}, {_excerpt(node)}, is not known")
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and not quoted:
        try:
            return _parse_kind(ast.parse(node.value.strip(), mode="eval").body, name, quoted=True)
        except SyntaxError:
            raise unusable from None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        if not (isinstance(node.right, ast.Constant) and node.right.value is None):
            raise unusable
        kind = _parse_kind(node.left, name, quoted)
        return Kind(kind.name, kind.inner, kind.choices, optional=True)
    if isinstance(node, ast.Name) and node.id in {*SCALARS, *CONTAINERS}:
        return Kind(node.id)
    if isinstance(node, ast.Name) and node.id in _TEXTS:
        if not quoted:
            raise _Unusable(f'the type of {name} must stand in quotes: "{node.id}"')
        return Kind(node.id)
    if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)):
        raise unusable
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if node.value.id == "Choice" and quoted:
        choices = [_choice(item) for item in items]
        if None in choices or len(set(choices)) < len(choices):
            raise _Unusable(f"the choices of {name} must be different words or quoted texts")
        return Kind("Choice", choices=tuple(choices))
    if len(items) == {"list": 1, "dict": 2}.get(node.value.id):
        return Kind(node.value.id, tuple(_parse_kind(item, name, quoted) for item in items))
    raise unusable


def _choice(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _excerpt(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def parse_text(parameter: Parameter, text: str) -> Any:
    """Turn the text of ``-p name=value`` into a value of the declared type.

    Parameters
    ----------
    parameter : Parameter
    text : str
        Lists and dicts as JSON, TOML or Python literals; ``true`` and ``false``; ``None`` where
        the type allows it.

    Returns
    -------
    object
        A text that is no such value comes back as it is, for `resolve` to refuse.

    Examples
    --------
    >>> parse_text(Parameter("columns", Kind("dict"), {}), '{score = "NETPRO"}')
    {'score': 'NETPRO'}
    """
    kind = parameter.kind
    if kind.optional and text in ("None", "none", "null"):
        return None
    if kind.name == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind.name in ("int", "float"):
        try:
            return SCALARS[kind.name](text)
        except ValueError:
            return text
    if kind.name in CONTAINERS:
        for parse in (json.loads, lambda t: tomllib.loads(f"x = {t}")["x"], ast.literal_eval):
            try:
                return parse(text)
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                continue
    return text


def resolve(
    declared: Mapping[str, Parameter], given: Mapping[str, tuple[Any, Path]], notebook_folder: Path
) -> tuple[dict[str, Any], list[Problem]]:
    """Put given values over defaults and check every value.

    Parameters
    ----------
    declared : mapping of str to Parameter
    given : mapping of str to (object, Path)
        Values as TOML gives them or `parse_text` made them, each with the folder in which a
        relative input file starts.
    notebook_folder : Path
        The folder in which relative input files of the defaults start.

    Returns
    -------
    values : dict
        Every declared parameter, input files as absolute paths, dates as text.
    problems : list of Problem
        All of them: unknown names with near ones, wrong types, bad choices and dates, files that
        are not there.
    """
    problems = unknown_names(declared, given)
    values = {}
    for name, parameter in declared.items():
        value, folder = given.get(name, (parameter.default, notebook_folder))
        if parameter.kind.name == "Date" and type(value) is date:
            value = value.isoformat()
        reason = mismatch(parameter.kind, value)
        if reason:
            shown = "" if value is None else f", {value!r},"
            allowed = ", ".join(parameter.kind.choices) or str(parameter.kind)
            problems.append(Problem(f"{name}{shown} {reason}", allowed=allowed))
        elif parameter.kind.name == "InputFile" and value is not None:
            path = (folder / Path(value).expanduser()).resolve()
            if not path.is_file():
                near = difflib.get_close_matches(path.name, _files_beside(path), n=3)
                cause = f"Near: {', '.join(near)}" if near else ""
                problems.append(Problem(f"{name}: there is no file {path}", cause=cause))
            value = str(path)
        values[name] = value
    return values, problems


def _files_beside(path: Path) -> list[str]:
    folder = path.parent
    return [file.name for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []


def unknown_names(declared: Mapping[str, Parameter], names: Iterable[str]) -> list[Problem]:
    """Name what the notebook does not declare, with near names.

    Examples
    --------
    >>> known = {"level": Parameter("level", Kind("float"), 0.95)}
    >>> print(*unknown_names(known, ["levl"]))
    levl is not a parameter of this notebook. Allowed: level. Did you mean level?
    """
    return [_unknown(name, declared) for name in names if name not in declared]


def _unknown(name: str, declared: Mapping[str, Parameter]) -> Problem:
    near = difflib.get_close_matches(name, declared, n=2, cutoff=0.6)
    cause = f"Did you mean {' or '.join(near)}?" if near else ""
    known = ", ".join(declared) or "none: the notebook has no parameters"
    odd = not name.isidentifier() or keyword.iskeyword(name)
    what = f"{name!r} is not a name" if odd else f"{name} is not a parameter of this notebook"
    return Problem(what, allowed=known, cause=cause)
