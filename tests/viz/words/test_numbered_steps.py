"""The steps of a pass as numbered lines, and as data for other programs."""

import json

import numpy as np
import pytest

from tinygrad_edu import Value, nn, viz
from tinygrad_edu.viz import line_of, recording, steps


def test_steps_are_one_line_each():
    w = Value(0.5, name="w")
    text = steps(w * w)
    assert text.splitlines() == [
        "backward from mul_1: 2 steps, each after all steps that reach its result",
        "   1 dmul_1_dw = w = 0.5 | 1 * 0.5 = 0.5 | w.grad: 0 += 0.5 -> 0.5 (1 of 2)",
        "   2 dmul_1_dw = w = 0.5 | 1 * 0.5 = 0.5 | w.grad: 0.5 += 0.5 -> 1 (2 of 2)",
    ]


def test_steps_name_the_line_of_the_program_inside_recording():
    with recording():
        x = Value(2.0, name="x")
        y = x * x
    told = steps(y + 1.0).splitlines()
    assert "test_numbered_steps.py" not in told[1]  # y + 1.0 was computed outside
    assert all(line.endswith(f"| {line_of(y)}") for line in told[2:])
    assert len(told) == 4


def test_many_steps_are_cut_short_and_counted():
    v = Value(1.0)
    for _ in range(5_000):
        v = v * 1.0
    lines = steps(v).splitlines()
    assert len(lines) == 202
    assert lines[-1] == " ... 4,800 more steps"


def test_steps_refuse_what_has_no_gradient():
    with pytest.raises(TypeError, match="computed from constants only"):
        steps(1.0)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        steps(Value(np.ones(3)))


def test_module_calls_are_text_in_the_data():
    model = nn.Sequential(nn.Linear(2, 1, rng=0), nn.Sigmoid())
    plain = json.loads(viz.trace(model(np.ones((1, 2))).sum()).json())
    assert set(plain) == {"diagram", "forward", "backward", "update", "leaves", "total"}
    assert [operation["scope"] for operation in plain["diagram"]["operations"]] == [
        "layers.0 Linear",
        "layers.0 Linear",
        "layers.1 Sigmoid",
        "",
    ]
