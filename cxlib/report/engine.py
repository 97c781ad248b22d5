"""How papermill executes here: it writes the notebook down where a stopped run would need it."""

from __future__ import annotations

from papermill.engines import NBClientEngine, papermill_engines

__all__ = ["NAME"]

NAME = "cxlib"


class _Engine(NBClientEngine):
    """Saves as each code cell starts; papermill itself saves twice a cell, prose included."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **options):
        start, complete = nb_man.cell_start, nb_man.cell_complete

        def without_saving(step, *arguments, **more):
            nb_man.save = lambda **_: None
            try:
                step(*arguments, **more)
            finally:
                del nb_man.save

        def cell_start(cell, *arguments, **more):
            if cell.cell_type == "code" and cell.source.strip():
                start(cell, *arguments, **more)
            else:
                without_saving(start, cell, *arguments, **more)

        def cell_complete(*arguments, **more):
            without_saving(complete, *arguments, **more)

        nb_man.cell_start, nb_man.cell_complete = cell_start, cell_complete
        super().execute_managed_notebook(nb_man, kernel_name, **options)


papermill_engines.register(NAME, _Engine)
