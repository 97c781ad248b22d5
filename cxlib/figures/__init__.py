"""How things look: one style and the chart parts that several rooms share.

In: numbers with their uncertainty. Out: matplotlib axes.
May not: compute an estimate or read data."""
