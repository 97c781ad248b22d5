"""Why customers stay or leave: recovery and drivers.

In: the six tables. Out: effects with intervals and verdicts.
May not: read files or render reports."""
