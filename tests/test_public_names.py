"""Names that a room gives lazily: none is hidden by a module of the same name."""

from importlib import import_module
from pathlib import Path

import pytest


@pytest.mark.parametrize("room", ["clv", "stats"])
def test_no_module_hides_a_public_name(room):
    """Importing cxlib.ROOM.NAME would put the module in the place of the function NAME."""
    package = import_module(f"cxlib.{room}")
    modules = {path.stem for path in Path(package.__file__).parent.glob("*.py")}
    assert not modules & set(package.__all__)
    assert all(callable(getattr(package, name)) for name in package.__all__)
