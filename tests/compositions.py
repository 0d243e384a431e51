"""Smooth functions of one number, for the tests of derivatives of derivatives."""

import numpy as np
from hypothesis import strategies as st

UNARY = [np.tanh, np.sin, np.exp, lambda x: x * x, lambda x: 1.0 / (1.0 + x * x), lambda x: 0.5 * x]


def compose(program):
    """A smooth function of one number from a list of choices."""

    def f(x):
        results = [x, x * 0.3]
        for unary, i, j in program:
            a, b = results[-1 - i % len(results)], results[-1 - j % len(results)]
            results.append(np.tanh(UNARY[unary](np.tanh(a)) + 0.5 * b))
        return results[-1]

    return f


programs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=6)
