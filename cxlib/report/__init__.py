"""Notebook and parameters in, report on the shelf out.

In: notebooks, jobs.toml. Out: report.html, report.ipynb, tables, manifest.json, index.html.
May not: import any other room; a notebook speaks to it through cxlib.notebook alone."""
