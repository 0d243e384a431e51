"""A file as users write it: mypy --strict and pyright find nothing wrong in it, and it runs."""

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

import tinygrad_edu as te
from tinygrad_edu import Value, data, grad, nn, no_grad, optim, value_and_grad, viz
from tinygrad_edu.testing import assert_close, check_gradients, check_op, gradient_test

Array = NDArray[np.float64]

# the first example of the README, and in one line
x = np.array([1.66, 1.56])
w = Value([1.45, -0.66], name="w")
b = Value(0.0, name="b")
layer_1 = x @ w + b
prediction = np.tanh(layer_1)
error = (prediction - 1.0) ** 2
error.backward()
np.tanh(x @ w + b).backward()
print(w.grad, b.grad, error.item() + 1.0, error.data.shape)

# single numbers
n = Value(2.0) * Value(-3.0) + 6.88
o = np.tanh(n)
o.backward()
if n > 0.5 and n.item() < 3:
    print(sum([n, o]), f"{n:.3f}", float(n.item()), max([n, n], key=lambda v: v.item()).grad)

# an array, a NumPy number or a Python number on the left of an operator
a: Array = np.array([1.5, 0.5])
for left in (a + w, a - w, a * w, a / w, a ** (w * w), np.eye(2) @ w, a.astype(np.float32) * w, np.arange(2) * w):
    left.sum().backward()
(np.float64(3.0) * w).sum().backward()
(2**w).sum().backward()
(1 - np.pi * w + math.pi).sum().backward()
w += 1.0
w -= 2 * a

# NumPy's functions
np.mean(w).backward()
np.sum(w * w).backward()
np.mean((w - 1.0) ** 2, axis=0).backward()
np.log(np.sum(np.exp(w))).backward()
np.maximum(w, 0.0).sum().backward()
np.sqrt(np.abs(w)).sum().backward()
np.where(w > 0, w, 0.1 * w).sum().backward()
np.concatenate([w, w]).sum().backward()
np.stack([w, w]).mean().backward()
np.clip(w, 0, 1).sum().backward()
np.dot(x, w).backward()
np.max(w).backward()
np.std(w).backward()
column = np.reshape(w, (2, 1))
(column.T @ column).sum().backward()

# methods, indices, conditions, data
first, second = w
for entry in w:
    entry.tanh().backward()
w[0].backward()
(w[:, None] * w[None, :])[::-1].mean(axis=0).sum().backward()
(w.reshape(2, 1).T + np.eye(2)).trace().backward()
if w.shape == (2,) and w.ndim == 1 and (w > 0).any() and len(w) == w.size:
    print(w.dtype, w.tolist(), -w, abs(w))
v = Value(w.data)
v.sum().backward()
v.data -= 0.1 * v.grad
v.grad = None
te.softmax(v, axis=-1).sum().backward()
te.logsumexp(te.relu(v)).backward()
te.at(v, 0).set(3.0).sum().backward()

# where NumPy's stubs leave no room for a Value, a cast says what comes
cast(Value, np.linalg.norm(v)).backward()
cast(Value, np.linalg.inv(cast(Any, Value(np.eye(2))))).sum().backward()


# functions that say what they give
def gelu(x: Value) -> Value:
    return 0.5 * x * (1 + (0.8 * (x + 0.045 * x**3)).tanh())


def linear(p: dict[str, Value], x: Array) -> Value:
    out: Value = x @ p["w"] + p["b"]
    return out


def leaky(x: Any) -> Any:
    return np.where(x > 0, x, 0.1 * x)


@te.custom((lambda g, out, x: g * 3 * x**2,), domain=te.REALS)
def cube(x: Any) -> Any:
    return x * x * x


@dataclass
class Pair:
    w: Value
    steps: int = 0


pair = Pair(w * 2)
pair.w = cube(leaky(pair.w))
parameters = {"w": Value(np.ones((3, 1))), "b": Value(0.0)}
inputs, targets = np.zeros((4, 3)), np.ones((4, 1))
loss, gradient = value_and_grad(lambda p: np.mean((linear(p, inputs) - targets) ** 2))(parameters)
parameters = {name: Value(p.data - 0.1 * gradient[name].data) for name, p in parameters.items()}
print(grad(gelu)(0.5), te.hessian(lambda x: np.sum(x**3))(np.ones(2)), te.jacobian(np.sin)(a))


# a network and its training
class Gate(nn.Module):
    def __init__(self, size: int) -> None:
        self.linear = nn.Linear(size, size, rng=0)
        self.scale = Value(1.0)

    def forward(self, x: Value | Array) -> Value:
        return self.scale * te.sigmoid(self.linear(x))


def mean_error(model: nn.Sequential, x: Array, y: Array) -> Value:
    return nn.mse_loss(model(x), y)


model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), np.tanh, nn.Linear(4, 1, rng=1))
optimizer = optim.Adam(model.parameters(), lr=0.05)
with viz.watch(model):
    for rows, expected in data.minibatches(inputs, targets, batch_size=2):
        mean = mean_error(model, rows, expected)
        optimizer.zero_grad()
        mean.backward()
        optimizer.step()
        print(f"{mean:.6f}", model.state_dict()["layers.0.weight"].shape)
nn.cross_entropy(Value(np.zeros((2, 3))), np.array([0, 2])).backward()
Gate(2)(w).sum().backward()
with no_grad():
    accuracy = float(np.mean(np.abs(model(inputs).data - targets) < 0.5))

# trust and pictures
check_gradients(gelu, np.array([0.3, -1.0]))
check_op(cube)
assert_close(gelu(w), np.stack([gelu(entry) for entry in w]))
test_gelu = gradient_test(gelu)
print(viz.explain(b, error), viz.draw(error, to=b, names={"b": b}))
