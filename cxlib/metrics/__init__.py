"""What customers say: recommendation, effort, satisfaction, intention.

In: answers. Out: frozen results and tidy frames, each number with its interval.
May not: read files or judge behaviour."""
