"""Write notebooks/*.ipynb from notebooks/source/*.py; --check only says whether they are equal.

Cell ids derive from the position and outputs are never written, so equal sources give equal files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).parent
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook_text(source: Path) -> str:
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for position, cell in enumerate(notebook.cells, start=1):
        cell["id"] = f"cell-{position:03d}"
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    nbformat.validate(notebook)
    return nbformat.writes(notebook, indent=1) + "\n"


def stale_notebooks() -> list[Path]:
    """The notebooks that differ from their source, lack it, or are not written yet."""
    wanted = {HERE / f"{s.stem}.ipynb": s for s in sorted((HERE / "source").glob("*.py"))}
    differing = [
        n for n, s in wanted.items() if not n.exists() or n.read_text("utf-8") != notebook_text(s)
    ]
    return differing + sorted(set(HERE.glob("*.ipynb")) - set(wanted))


def main() -> int:
    if "--check" in sys.argv[1:]:
        stale = stale_notebooks()
        for notebook in stale:
            print(f"{notebook.name} differs from its source: edit the source, run `make notebooks`")
        return bool(stale)
    for source in sorted((HERE / "source").glob("*.py")):
        target = HERE / f"{source.stem}.ipynb"
        target.write_text(notebook_text(source), "utf-8")
        print(f"wrote {target.relative_to(HERE.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
