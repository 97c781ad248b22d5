"""The house: imports run one way, rooms say their purpose, project files agree with each other."""

import ast
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import cxlib

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cxlib"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(p.parent.name for p in PACKAGE.glob("*/__init__.py"))
MAY_IMPORT = {
    "errors": set(),
    "tables": {"errors"},
    "worlds": {"errors", "tables"},
    "stats": {"errors", "figures"},
    "figures": {"errors"},
    "metrics": {"errors", "stats", "figures"},
    "clv": {"errors", "stats", "figures"},
    "loyalty": {"errors", "stats", "figures"},
    "report": {"errors"},
    "notebook": {"errors", "figures", "report", "tables"},
    "cli": {"errors", "report", "tables", "worlds"},
    "__init__": set(ROOMS) | {"errors", "notebook"},
}
LAZY_ROOMS = {"clv", "stats"}


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = (
                [f"cxlib.{a.name}" for a in node.names] if node.module == "cxlib" else [node.module]
            )
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        rooms |= {n.split(".")[1] for n in names if n.startswith("cxlib.")}
    return rooms - {room_of(path), "__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    assert imported_rooms(path) <= MAY_IMPORT[room_of(path)]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_stay_small_and_are_named_for_a_purpose(path):
    assert len(path.read_text("utf-8").splitlines()) <= 420
    assert path.stem not in {"utils", "helpers", "common", "misc"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_its_purpose_and_re_exports_nothing(room):
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8"))
    doc = ast.get_docstring(tree)
    assert "In:" in doc
    assert "May not:" in doc
    assert len(tree.body) == 1 or room in LAZY_ROOMS


def test_the_face_and_the_command_line_import_nothing_heavy():
    code = (
        "import sys, cxlib, cxlib.cli\n"
        "heavy = {'pandas', 'scipy', 'matplotlib', 'papermill', 'duckdb'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", cxlib.__all__)
def test_every_public_name_exists_and_is_documented(name):
    thing = getattr(cxlib, name)
    assert name == "__version__" or thing.__doc__


def test_environment_yml_mirrors_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    lines = (ROOT / "environment.yml").read_text("utf-8").splitlines()
    start = lines.index("  - pip:") + 1
    listed = [line.strip().removeprefix("- ").strip('"') for line in lines[start:] if line.strip()]
    assert sorted(listed) == sorted([*wanted, "-e ."])
    assert f"  - python{project['requires-python']}" in lines
    assert "  - pip" in lines


def test_the_lock_covers_every_dependency_with_hashes_and_names_no_host():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    for need in project["dependencies"] + project["optional-dependencies"]["dev"]:
        name = need.split(">")[0].split("[")[0]
        assert f"\n{name}==" in lock, name
    assert "://" not in lock
    pins = [line for line in lock.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    assert all(line.endswith("\\") for line in pins), "a pin without hashes"


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert cxlib.__version__ == project["version"]
    assert f"version: {cxlib.__version__}" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"## {cxlib.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_notebooks_equal_their_sources():
    spec = importlib.util.spec_from_file_location("build", ROOT / "notebooks" / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert build.stale_notebooks() == []
