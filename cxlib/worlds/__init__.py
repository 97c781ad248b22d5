"""A simulated company that knows its own truth.

In: a seed and dials. Out: the six tables and their truth, equal for equal input.
May not: estimate anything; a mechanism reads the state before it and draws from its own stream."""
