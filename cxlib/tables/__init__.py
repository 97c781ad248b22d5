"""What comes in: the six tables, declared once, read from any source, checked, made private.

In: files and frames as people have them. Out: frames with the declared columns, or a CxError.
May not: compute a measure, draw, or know of notebooks and reports."""
