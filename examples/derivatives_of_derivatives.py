"""
Derivatives of derivatives
==========================

A minimum found by Newton's method, and a double pendulum that swings by nothing but its energies: both need second
derivatives, of a few numbers and exact.
"""

import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import grad, hessian, hvp, jvp


# %%
# Rosenbrock's valley is curved and narrow. Going downhill takes thousands of steps; Newton's method asks the
# curvature as well, and is there after six.
def valley(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


x = np.array([-1.2, 1.0])
for step in range(1, 7):
    x = x - np.linalg.solve(hessian(valley)(x), grad(valley)(x))
    print(f"step {step}: {x}, {valley(x):.3g} above the minimum")
assert np.allclose(x, 1.0, atol=1e-8)

# %%
# A Hessian of a thousand variables has a million entries. Its product with a vector costs as much as a few gradients:
# the gradient is pushed forward along the vector.
many = np.linspace(-1, 1, 1000)
chain = lambda x: np.sum((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2)
direction = np.cos(np.arange(1000.0))
difference = (grad(chain)(many + 1e-5 * direction) - grad(chain)(many - 1e-5 * direction)) / 2e-5
assert np.allclose(hvp(chain, many, direction), difference, rtol=1e-6, atol=1e-4)

# %%
# Two rods of one metre, a kilogram at each end, hanging on each other. Lagrange: with the kinetic energy minus the
# potential one as a function L(q, v) of the angles and their speeds, the motion obeys d/dt (dL/dv) = dL/dq. Written
# out, the Hessian in v times the acceleration is dL/dq minus what dL/dv changes as q moves along v.
GRAVITY = 9.81


def energies(q, v):
    kinetic = v[0] ** 2 + v[1] ** 2 / 2 + v[0] * v[1] * np.cos(q[0] - q[1])
    return kinetic, -GRAVITY * (2 * np.cos(q[0]) + np.cos(q[1]))


def lagrangian(q, v):
    kinetic, potential = energies(q, v)
    return kinetic - potential


def motion(state):
    q, v = state
    momentum = lambda q: grad(lagrangian, 1)(q, v)
    force = grad(lagrangian, 0)(q, v) - jvp(momentum, (q,), (v,))[1]
    return np.array([v, np.linalg.solve(hessian(lagrangian, 1)(q, v), force)])


# %%
# Runge and Kutta's steps of five milliseconds, for two seconds from a high start. The energy stays what it was.
state, h, path = np.array([[2.0, 2.5], [0.0, 0.0]]), 0.005, []
for _ in range(400):
    path.append(state)
    a = motion(state)
    b = motion(state + h / 2 * a)
    c = motion(state + h / 2 * b)
    state = state + h / 6 * (a + 2 * b + 2 * c + motion(state + h * c))
energy = [sum(energies(*state)) for state in path]
print(f"energy {energy[0]:.6f} at first, {energy[-1]:.6f} at last")
assert np.ptp(energy) < 1e-5

# %%
# The path of the lower end.
angles = np.array(path)[:, 0]
figure, axes = plt.subplots()
axes.plot(np.sin(angles).sum(axis=1), -np.cos(angles).sum(axis=1), color="#0072B2")
axes.set(xlabel="metres to the right", ylabel="metres above the pivot", aspect="equal")
figure.savefig("double_pendulum.png")
