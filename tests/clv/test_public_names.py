from pathlib import Path

import cxlib.clv


def test_no_module_hides_a_public_name():
    """Importing cxlib.clv.NAME would put the module in the place of the function NAME."""
    modules = {path.stem for path in Path(cxlib.clv.__file__).parent.glob("*.py")}
    assert not modules & set(cxlib.clv.__all__)
    assert all(callable(getattr(cxlib.clv, name)) for name in cxlib.clv.__all__)
