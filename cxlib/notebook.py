"""What a notebook calls to speak to its report: prose, figures, tables, key figures, exports.

Works in JupyterLab, `jupyter execute` and papermill alike: everything is an ordinary cell output;
what only the report reads travels in the output's metadata or in a MIME type of its own.
"""

from __future__ import annotations

import hashlib
import html
import io
import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.errors import CxError, CxWarning
from cxlib.report.outputs import display as _display
from cxlib.report.outputs import display_caption as _display_caption
from cxlib.report.outputs import kernel_shell as _shell
from cxlib.report.outputs import paragraphs as _paragraphs
from cxlib.report.record import RECORD_TYPE, TABLES_VARIABLE, make_record, record_line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["data_path", "export", "record", "say", "show", "table", "use_style"]

_ROOT = Path(__file__).resolve().parents[1]
_DOTS_PER_INCH = 180
_recorded: dict[str, tuple[Any, Any]] = {}


class _Exported(type(Path())):
    """A path that a cell may end with: the line with its link is shown already."""

    def _ipython_display_(self) -> None:
        pass


def use_style() -> None:
    """Set the house style of figures and let warnings and errors of cxlib read as plain notes.

    A `CxWarning` becomes a visible note in the notebook and a `CxError` shows its message alone;
    every other warning and error stays as it is.

    Examples
    --------
    >>> use_style()
    """
    from cxlib.figures.style import apply_style

    apply_style()
    shell = _shell()
    if shell is None:
        return
    shell.run_line_magic("config", "InlineBackend.figure_formats = ['png']")
    shell.set_custom_exc((CxError,), _show_error)
    warnings.simplefilter("always", CxWarning)
    usual = getattr(warnings.showwarning, "usual", warnings.showwarning)

    def show_warning(message, category, filename, lineno, file=None, line=None):
        if issubclass(category, CxWarning) and file is None:
            text = f"Note: {message}"
            _display(text, _paragraphs(text).replace("\n", "<br>"), role="note")
        else:
            usual(message, category, filename, lineno, file, line)

    show_warning.usual = usual
    warnings.showwarning = show_warning


def say(text: str, **values: Any) -> None:
    """Show computed prose: plain text, escaped, as a paragraph; an empty line starts a new one.

    Parameters
    ----------
    text : str
        The sentence; with values, a template of `str.format`.
    **values
        What the braces name.

    Raises
    ------
    CxError
        Where the text is empty, or a brace names no value or cannot be formatted.

    Examples
    --------
    >>> say("The score is {score:.1f} points.", score=31.26)
    The score is 31.3 points.
    """
    if not isinstance(text, str) or not text.strip():
        raise CxError("say needs a text that is not empty.")
    if values:
        try:
            text = text.format(**values)
        except (KeyError, IndexError) as error:
            raise CxError(
                f"say: the text names {{{error.args[0]}}}, which has no value. "
                f"Given: {', '.join(values)}."
            ) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise CxError(f"say: the text cannot be formatted: {error}.") from error
    _display(text, _paragraphs(text), role="say")


def show(fig: Figure, *, alt: str, caption: str) -> None:
    """Show a figure with the text that replaces it and the text that explains it, and close it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        The figure, or axes drawn in it.
    alt : str
        What a reader who does not see the figure needs to know.
    caption : str
        How to read it, with its uncertainty.

    Raises
    ------
    CxError
        Where a text is empty or there is no figure.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> fig = Figure()
    >>> bars = fig.subplots().bar([0, 1], [3, 5])
    >>> show(fig, alt="Two bars, 3 and 5", caption="Counts.")
    Figure: Counts. (Two bars, 3 and 5)
    """
    import matplotlib.pyplot as plt

    fig = getattr(fig, "figure", fig)
    if not hasattr(fig, "savefig"):
        raise CxError(f"show needs a matplotlib figure, not {type(fig).__name__}.")
    _need_texts("show", alt=alt, caption=caption)
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, bbox_inches="tight")
    plt.close(fig)
    png = buffer.getvalue()
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    shrink = 100 / _DOTS_PER_INCH
    _display(
        f"Figure: {caption} ({alt})",
        role="figure",
        data={"image/png": png},
        metadata={"image/png": {"width": round(width * shrink), "height": round(height * shrink)}},
        alt=alt,
        caption=caption,
    )
    _display_caption(caption)


def record(
    name: str,
    value: Any,
    low: float | None = None,
    high: float | None = None,
    *,
    unit: str = "",
    n: int | None = None,
    level: float = 0.95,
    period: Any = None,
    target: float | None = None,
    better: str | None = "up",
    segments: Any = None,
    events: Iterable[tuple[Any, str]] = (),
) -> None:
    """Record a key figure: it heads the report and stands on the shelf.

    Parameters
    ----------
    name : str
        An identifier, once in a notebook: ``"nps_change"``.
    value : float, Interval or None
        The estimate; None or NaN where it cannot be computed. A result with estimate, low, high,
        level and n (such as `cxlib.stats.interval.Interval`) brings its own.
    low, high : float, optional
        Limits of its interval at `level`.
    unit : str, optional
        ``"points"``, ``"EUR"``; ``"share"`` reads as %, ``"share difference"`` as % points.
    n : int, optional
        Answers or customers behind it.
    level : float
        Confidence level of the interval, between 0 and 1.
    period : str or dates, optional
        ``"2025Q4"``, ``"2025-11"``, ``"2025W07"``, ``"2025-01-01/2025-03-31"``, or the days of what
        the figure rests on: it is compared with the latest earlier run of a period before its own.
    target : float, optional
        What was aimed at.
    better : {"up", "down", None}
        Which direction is good news.
    segments : mapping or pandas.DataFrame, optional
        Segment -> (n, value) or (n, value, low, high), of which the value is the mean: the shelf
        then says in which segment a change arose. Groups below five are pooled.
    events : iterable of (date, str), optional
        What happened in the company: ``[("2025-05-12", "new carrier")]``, marked on the shelf's
        history of the figure.

    Raises
    ------
    CxError
        For a name used twice, a value that is not finite, limits that do not hold it, segments
        that do not make it up, or an event without a day.

    Examples
    --------
    >>> record("nps", 39.84, 37.19, 42.42, unit="points", n=2746)
    nps = 39.84 points, 95 % interval [37.19, 42.42], n = 2,746
    """
    if hasattr(value, "estimate"):
        n, level = value.n if n is None else n, value.level
        value, low, high = value.estimate, value.low, value.high
    entry = make_record(
        name, value, low, high, unit, n, level, period, target, better, segments, events
    )
    origin = _cell_origin()
    if name in _recorded and not _is_same_cell_again(_recorded[name], origin):
        raise CxError(f"record: {name!r} is recorded twice in this notebook; give each a name.")
    _recorded[name] = origin
    _display(record_line(entry), role="record", data={RECORD_TYPE: entry})


def export(name: str, frame: pd.DataFrame, *, index: bool = False, real_ids: bool = False) -> Path:
    """Write a frame as CSV beside the report, safe to open in a spreadsheet.

    Text cells, headings and index labels that begin with ``=``, ``+``, ``-``, ``@`` (full-width
    ones, too), a tab or a line end get an apostrophe in front, so that none is taken for a formula;
    numbers stay as they are.

    Parameters
    ----------
    name : str
        File name without ending: ``"watch_list"``.
    frame : pandas.DataFrame
    index : bool
        Whether the index is written, too.
    real_ids : bool
        Whether pseudonyms that a reader made in this kernel are written as the real customer ids:
        for the list that goes to those who call the customers. Who gets the file gets their data.

    Returns
    -------
    Path
        ``tables/NAME.csv`` in the report's folder; ``reports/out/interactive`` outside a run.

    Raises
    ------
    CxError
        Where the name is no plain file name, there is no frame, or a real id is not known here.

    Examples
    --------
    >>> import os, tempfile, pandas as pd
    >>> os.environ["CXLIB_TABLES"] = tempfile.mkdtemp()
    >>> print(export("notes", pd.DataFrame({"text": ["=1+1"], "x": [-1]})).read_text())
    Table: tables/notes.csv (1 row)
    text,x
    '=1+1,-1
    >>> del os.environ["CXLIB_TABLES"]
    """
    import pandas as pd

    from cxlib.report.frames import formula_safe

    if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
        raise CxError(f"export: {name!r} is no file name. Allowed: letters, digits, _ and -.")
    if not isinstance(frame, pd.DataFrame):
        raise CxError(f"export needs a data frame, not {type(frame).__name__}.")
    if real_ids:
        from cxlib.tables import private

        frame = private.real_ids(frame)
    folder = _tables_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    safe = formula_safe(frame.reset_index() if index else frame)
    safe.to_csv(path, index=False, lineterminator="\r\n")
    rows = f"{len(frame):,} row{'s' if len(frame) != 1 else ''}"
    text = f"Table: tables/{name}.csv ({rows})"
    address = f"tables/{name}.csv" if TABLES_VARIABLE in os.environ else path.as_uri()
    link = f'<p>Table: <a href="{html.escape(address)}">tables/{name}.csv</a> ({rows})</p>'
    _display(text, link, role="export")
    return _Exported(path)


def table(
    content: Any, *, caption: str, index: bool = False, turned: bool = False,
    decimals: int | None = None, n_col: str | Sequence[str] | None = None, min_cell: int = 5,
) -> None:  # fmt: skip
    """Show a table made for readers.

    Parameters
    ----------
    content : pandas.DataFrame or great_tables.GT
        A frame gets right-aligned numbers with thousands separators and as many decimals as its
        size calls for; a finished Great Tables object is shown as it is.
    caption : str
        What the table holds and how to read it.
    index : bool
        Whether a frame's index becomes the first column.
    turned : bool
        Whether a frame's rows stand side by side, each under its word in the first column, which
        suits few rows of many columns; what is too small is left out before.
    decimals : int, optional
        For all numbers of a frame but counts, where the sizes of its columns should not decide.
    n_col : str or list of str, optional
        The columns of a frame that say how many answers or customers stand behind a row; by
        default those named ``n``, ``n_...``, ``answers`` or ``customers``.
    min_cell : int
        Rows with fewer than this in any of them are left out and counted in a note; 1 shows all.
        A finished Great Tables object is shown whole: leave out what is small before.

    Raises
    ------
    CxError
        Where the caption is empty, there is no table, or it has no such column of numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> table(pd.DataFrame({"segment": ["A"], "score": [31.26]}), caption="Score by segment.")
    Table: Score by segment.
    segment  score
          A  31.26
    """
    import pandas as pd
    from great_tables import GT

    from cxlib.figures.small_groups import count_columns, leave_out_small
    from cxlib.report.frames import reader_table, side_by_side, turned_table

    _need_texts("table", caption=caption)
    if isinstance(content, pd.DataFrame):
        frame = content.reset_index() if index else content
        counts = [frame[c].where(frame[c] > 0) for c in count_columns(frame, n_col)]
        if counts:
            fewest = pd.concat(counts, axis=1).min(axis=1).fillna(0)
            noun = "columns" if turned else "rows"
            frame = leave_out_small(frame, fewest, min_cell, noun=noun)
        plain = (side_by_side(frame) if turned else frame).to_string(index=False)
        finished = (turned_table if turned else reader_table)(frame, decimals)
    elif isinstance(content, GT):
        plain, finished = content._tbl_data.to_string(), content
    else:
        raise CxError(f"table needs a data frame or a GT, not {type(content).__name__}.")
    # A name of its own content: Great Tables would draw a random one for each run.
    name = "table-" + hashlib.sha256(f"{caption}\n{plain}".encode()).hexdigest()[:10]
    body = finished.with_id(name).as_raw_html()
    _display_caption(caption)
    _display(f"Table: {caption}\n{plain}", body, role="table", caption=caption)


def data_path(name: str) -> Path:
    """Find a file that ships in the repository, wherever the notebook runs.

    Parameters
    ----------
    name : str
        Path below ``data/``, or below ``benchmarks/out/``, where measured results are.

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    CxError
        Where there is no such file, with the files that are there.

    Examples
    --------
    >>> data_path("no_such_file.csv")
    Traceback (most recent call last):
    cxlib.errors.CxError: data/ and benchmarks/out/ hold no file 'no_such_file.csv'...
    """
    held = []
    for folder in (_ROOT / "data", _ROOT / "benchmarks" / "out"):
        path = (folder / name).resolve()
        if path.is_relative_to(folder) and path.is_file():
            return path
        held += sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())
    there = f"There are: {', '.join(held) or 'none'}."
    raise CxError(f"data/ and benchmarks/out/ hold no file {str(name)!r}. {there}")


def _show_error(shell, kind, error, trace, tb_offset=None):
    shell._showtraceback(kind, error, [f"{kind.__name__}: {error}"])


def _need_texts(who: str, **texts: Any) -> None:
    empty = [name for name, text in texts.items() if not isinstance(text, str) or not text.strip()]
    if empty:
        raise CxError(f"{who} needs a text that is not empty for {' and '.join(empty)}.")


def _cell_origin() -> tuple[Any, Any]:
    """The cell that speaks, as its identity and how often something was executed."""
    shell = _shell()
    if shell is None:
        return (None, None)
    cell = shell.kernel.get_parent().get("metadata", {}).get("cellId")
    return (cell, shell.execution_count)


def _is_same_cell_again(before: tuple[Any, Any], now: tuple[Any, Any]) -> bool:
    """Whether JupyterLab runs a cell once more, which may record its figures anew."""
    return now[0] is not None and before[0] == now[0] and before[1] != now[1]


def _tables_folder() -> Path:
    if TABLES_VARIABLE in os.environ:
        return Path(os.environ[TABLES_VARIABLE])
    home = _ROOT if (_ROOT / "reports").is_dir() else Path.cwd()
    return home / "reports" / "out" / "interactive" / "tables"
