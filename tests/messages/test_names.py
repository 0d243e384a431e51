"""Names from other frameworks: what means the same works, and every other name says what to write here."""

import copy
import pickle
import sys

import numpy as np
import pytest

from tests.messages.snippets import names, refused, works
from tinygrad_edu import Value

VALUES = [
    ("v.softmax(dim=-1)", "te.softmax(v, axis=-1)"),
    ("v.log_softmax(-1)", "te.log_softmax(v, axis=-1)"),
    ("v.norm()", "np.linalg.norm(v)"),
    ("v._prev", "v.args"),
    ("v._children", "v.args"),
    ("v._op", "v.op.name"),
    ("out = v * w\nout._backward()", "te.custom(...)"),
    ("out = v * w\nout._backward = lambda: None", "te.custom(...)"),
    ("(v * w).grad_fn", "v.op, its operands v.args"),
    ("v.cuda()", "no device but the CPU"),
    ("v.to('cuda')", "there is no device 'cuda'"),
    ("v.to(device='cuda:0')", "there is no device 'cuda:0'"),
    ("v.long()", "np.rint(v).astype(int)"),
    ("v.type(np.float32)", "v.astype(np.float32)"),
    ("v.requires_grad = False", "te.stop_gradient(v) makes one of v"),
    ("for p in model.parameters():\n    p.requires_grad = False", "an optimiser leaves alone what it is not given"),
    ("v.requires_grad_(False)", "every Value has a gradient"),
    ("v.add_(1.0)", "a Value is not changed in place"),
    ("v.mul_(2.0)", "a Value is not changed in place"),
    ("v.clamp(0, 1)", "v.clip(0.0, 1.0)"),
    ("v._prev = ()", "v.args"),
    ("v.clamp_(0, 1)", "a Value is not changed in place"),
    ("v.zero_()", "a Value is not changed in place"),
    ("v.flip(0)", "np.flip(...)"),
    ("v.tril()", "np.tril(...)"),
    ("v.roll(1)", "np.roll(...)"),
    ("v.expand(2, 3)", "np.broadcast_to(v, shape)"),
    ("v.gather(0, np.array([0]))", "np.take_along_axis"),
    ("v.scatter(0, 1, 2)", "te.at(v, index).set(y)"),
    ("v.at[0].set(1.0)", "te.at(v, index).set(y)"),
    ("v.assign(np.zeros(3))", "v.data = v.data - lr * v.grad"),
    ("v.assign_sub(0.1 * np.ones(3))", "v.data = v.data - lr * v.grad"),
    ("v.register_hook(print)", "viz.trace(loss)"),
    ("v.gelu()", "scipy.special.erf"),
    ("v.silu()", "v * v.sigmoid()"),
    ("v.leaky_relu(0.01)", "np.where(v > 0, v, 0.01 * v)"),
    ("v.erf()", "SciPy's functions take Values"),
    ("v.append(1.0)", "np.concatenate([v, w])"),
    ("v.parameters()", "optim.SGD([v], lr=0.1)"),
    ("v.step()", "an optimiser makes the step"),
    ("v.draw()", "viz.draw(v)"),
    ("v.jacobian()", "te.jacobian(f)(x)"),
    ("v.chunk(2)", "np.array_split"),
    ("v.shape = (3, 1)", "v = v.reshape((3, 1))"),
    ("v.nbytes", "v.data.nbytes"),
    ("v.values", "v.data"),
    ("v._value", "te.stop_gradient(v)"),
    ("v.unchain()", "te.stop_gradient(v)"),
]

MODULES = [
    ("model.fit(x, y, epochs=3)", "optim.Adam(model.parameters(), lr=0.01), (x, y), epochs=10)"),
    (
        "model.compile(optimizer='adam', loss='mse')",
        "write train.fit(model, nn.mse_loss, optim.",
    ),
    ("model.predict(x)", "call it: model(x)"),
    ("model.evaluate(x, y)", "train.evaluate(model, nn.mse_loss, (x, y))"),
    ("model.summary()", "print(model)"),
    ("model.cuda()", "no device but the CPU"),
    ("model.to('cuda')", "there is no device 'cuda'"),
    ("model.bfloat16()", "model.astype(np.float32)"),
    ("model.register_buffer('mean', x)", "self.name = array"),
    ("model.add_module('extra', nn.Tanh())", "assign it"),
    ("model.children()", "model.named_modules()"),
    ("model.save('m.npz')", "te.save(model, path)"),
    ("model.load_weights('m.npz')", "te.load(model, path)"),
    ("model.get_weights()", "model.state_dict()"),
    ("model.set_weights([])", "model.load_state_dict(state)"),
    ("model.trainable_variables", "model.parameters()"),
    ("model.params", "model.parameters()"),
    ("model.count_params()", "sum(p.size for p in model.parameters())"),
    ("model.add(nn.Tanh())", "nn.Sequential("),
    ("model.backward()", "then loss.backward()"),
    ("model.step()", "o.step()"),
    ("model.apply(print)", "model.named_modules()"),
    ("model.freeze()", "leave out the others"),
    ("model.grad", "model.weight.grad"),
    ("model.requires_grad_(False)", "give the optimiser the parameters to be trained"),
    ("model.lyaers", "did you mean 'layers'?"),
    ("model.layers[0].wieght", "did you mean 'weight'?"),
    (
        "class Net(nn.Module):\n    def forward(self, x):\n        return self.fc1(x)  # here\nNet()(x)",
        "no attribute 'fc1'",
    ),
    ("class Net(nn.Module):\n    pass\nNet()(x)", "define `def forward(self, x)` in class Net"),
]

OPTIMIZERS = [
    ("optim.SGD([v], lr=0.1).learning_rate", "it is called lr"),
    ("optim.SGD([v], lr=0.1).param_groups", "o.params are all parameters"),
    ("optim.Adam([v]).minimize(s)", "o.zero_grad(); loss.backward(); o.step()"),
    ("optim.Adam([v]).apply_gradients([])", "call o.step()"),
    ("optim.Adam([v]).update()", "call o.step()"),
    ("optim.Adam([v]).zero_grads()", "o.zero_grad()"),
    ("optim.Adam([v]).backward()", "loss.backward(), then o.step()"),
    ("optim.Adam([v]).setp()", "did you mean 'step'?"),
    ("optim.Adadelta([v])", "optim.Algorithm(init, update)"),
    ("optim.LBFGS([v])", "optim.minimize(lambda model:"),
    ("optim.Momentum([v])", "momentum=0.9"),
    ("optim.lr_scheduler.StepLR", "o.lr = rate(step)"),
    ("optim.sgd_", "did you mean 'sgd'?"),
    ("optim.Adma([v])", "did you mean 'Adam'?"),
    ("optim.step()", "then o.step()"),
    ("from tinygrad_edu.optim import Adamax", "there are SGD, Adam, AdamW, RMSprop"),
]

PACKAGES = [
    ("te.Tensor([1.0])", "te.Value([1.0, 2.0]) is a variable"),
    ("te.tensor([1.0], requires_grad=True)", "te.Value([1.0, 2.0]) is a variable"),
    ("te.Variable(1.0)", "te.Value([1.0, 2.0]) is a variable"),
    ("te.from_numpy(a)", "te.Value(array)"),
    ("te.zeros(3)", "np.zeros(...)"),
    ("te.randn(3, 2)", "np.random.default_rng(0)"),
    ("te.manual_seed(0)", "np.random.default_rng(0)"),
    ("te.exp(v)", "np.exp(...), which takes Values"),
    ("te.sum(v)", "np.sum(...), which takes Values"),
    ("te.matmul(v, w)", "v @ w"),
    ("te.cat([v, w])", "np.concatenate([v, w], axis=...)"),
    ("te.stack([v, w])", "np.stack(...), which takes Values"),
    ("te.nn.Softmax()", "te.softmax(z, axis=-1)"),
    ("te.autograd.grad(s, [s])", "te.gradients(loss, [w])"),
    ("te.jit(math.sin)", "nothing is compiled"),
    ("te.vmap(math.sin)", "NumPy's functions take whole arrays"),
    ("te.jacfwd(np.sin)", "te.jacobian(f)"),
    ("te.GradientTape()", "everything is recorded"),
    ("te.numpy.sin(v)", "import numpy as np"),
    ("te.jnp.sin(v)", "import numpy as np"),
    ("te.device('cpu')", "no device but the CPU"),
    ("te.float32", "np.float32"),
    ("te.enable_grad()", "with te.no_grad():"),
    ("te.mse_loss(v, w)", "nn.mse_loss"),
    ("te.Linear(3, 1)", "nn.Linear"),
    ("te.Adam([v])", "optim.Adam"),
    ("te.draw(v)", "viz.draw(loss)"),
    ("te.gradcheck(np.sin, 1.0)", "testing.check_gradients(f, x)"),
    ("te.keras.layers.Dense(3)", "nn.Sequential("),
    ("te.gradient(np.sin)", "te.grad(f)"),
    ("te.gard(np.sin)", "did you mean 'grad'?"),
    ("te.DataLoader(x)", "data.minibatches(x, y, batch_size=32)"),
    ("from tinygrad_edu import Tensor", "te.Value([1.0, 2.0]) is a variable"),
    ("from tinygrad_edu import value_and_gard", "did you mean 'value_and_grad'?"),
    ("nn.MSELoss()", "nn.mse_loss(prediction, target)"),
    ("nn.CrossEntropyLoss()", "nn.cross_entropy(logits, classes)"),
    ("nn.BCEWithLogitsLoss()", "nn.binary_cross_entropy(logits, target)"),
    ("nn.NLLLoss()", "applies the log-softmax itself"),
    ("nn.L1Loss()", "np.mean(np.abs(prediction - target))"),
    ("nn.functional.relu(v)", "nn.relu"),
    ("nn.Parameter(v)", "self.w = Value(array)"),
    ("nn.ModuleList([])", "self.layers = [...]"),
    ("nn.Dense(3)", "nn.Linear(in_features, out_features)"),
    ("nn.Dropout(0.5)", "self.training is False"),
    ("nn.BatchNorm1d(3)", "there is no such layer"),
    ("nn.Conv2d(1, 2, 3)", "te.convolution(x, kernel)"),
    ("nn.MaxPool2d(2)", "te.max_pool(x, ...)"),
    ("nn.Embedding(10, 3)", "self.table[tokens]"),
    ("nn.Flatten()", "x.reshape(len(x), -1)"),
    ("nn.Softmax(dim=1)", "nn.cross_entropy takes the logits"),
    ("nn.GELU()", "any function may stand in a Sequential"),
    ("nn.LeakyReLU()", "np.where(x > 0, x, 0.01 * x)"),
    ("nn.LSTM(3, 3)", "forward loops over time"),
    ("nn.MLP(3, [4, 1])", "nn.Sequential(nn.Linear(2, 8)"),
    ("nn.utils.clip_grad_norm_", "optim.clip_grad_norm(model.parameters(), 1.0)"),
    ("nn.init.xavier_uniform_(v)", "glorot_uniform"),
    ("nn.init.kaiming_normal_(v)", "he_normal"),
    ("nn.init.ones(3)", "np.ones(shape)"),
    ("nn.Lineer(3, 1)", "did you mean 'Linear'?"),
    ("from tinygrad_edu.nn import MSELoss", "nn.mse_loss(prediction, target)"),
    ("data.DataLoader(x)", "data.minibatches(X, Y, batch_size=32, rng=0)"),
    ("data.random_split(x, [1, 4])", "data.train_test_split"),
    ("data.make_moons(100)", "data.moons(count, noise, rng)"),
    ("data.load_iris()", "there are small sets only"),
    ("data.minibatch(x, y, 2)", "did you mean 'minibatches'?"),
    ("viz.draw_dot(s)", "viz.draw(loss)"),
    ("viz.make_dot(s)", "viz.draw(loss)"),
    ("viz.plot(s)", "viz.draw(loss)"),
    ("viz.SummaryWriter()", "with viz.watch(model) as seen:"),
    ("viz.explore(s)", "viz.trace(loss).explore()"),
    ("viz.plot_decision_boundary(model)", "viz.boundary(model, x, y)"),
    ("viz.trcae(s)", "did you mean 'trace'?"),
    ("testing.gradcheck(np.sin, 1.0)", "testing.check_gradients(f, x)"),
    ("testing.numerical_gradient(np.sin, 1.0)", "testing.numeric_gradient(f, x)"),
    ("testing.check_model(model)", "testing.check_module(model, x)"),
]

SAME = [
    ("v.view(3, 1)", [[1.0], [2.0], [3.0]]),
    ("v.view(-1, 1)", [[1.0], [2.0], [3.0]]),
    ("v.unsqueeze(0)", [[1.0, 2.0, 3.0]]),
    ("v.unsqueeze(1).permute(1, 0)", [[1.0, 2.0, 3.0]]),
    ("v.unsqueeze(1).t()", [[1.0, 2.0, 3.0]]),
    ("v.pow(2)", [1.0, 4.0, 9.0]),
    ("v.mul(w).sub(1).div(2).neg()", [-1.5, -4.5, -8.5]),
    ("v.add(1.0)", [2.0, 3.0, 4.0]),
    ("v.matmul(w)", 32.0),
    ("v.tan()", np.tan([1.0, 2.0, 3.0])),
    ("v.log1p()", np.log1p([1.0, 2.0, 3.0])),
    ("v.maximum(2.0)", [2.0, 2.0, 3.0]),
    ("v.isnan().any()", False),
    ("v.numel()", 3),
    ("v.dim()", 1),
    ("v.numpy()", [1.0, 2.0, 3.0]),
    ("v.detach().numpy()", [1.0, 2.0, 3.0]),
    ("v.detach().cpu().numpy()", [1.0, 2.0, 3.0]),
    ("v.clone()", [1.0, 2.0, 3.0]),
    ("v.contiguous().view(3)", [1.0, 2.0, 3.0]),
    ("v.to('cpu')", [1.0, 2.0, 3.0]),
    ("str(v.to(np.float32).dtype)", "float32"),
    ("str(v.float().dtype)", "float32"),
    ("str(v.double().dtype)", "float64"),
    ("v.masked_fill(v > 1.0, 0.0)", [1.0, 0.0, 0.0]),
    ("v.requires_grad", True),
    ("v.requires_grad_().requires_grad", True),
    ("[p.requires_grad for p in model.parameters()] == [True] * 4", True),
    ("v.is_leaf", True),
    ("(v * w).is_leaf", False),
    ("v.label", "v"),
    ("v.label = 'weight'\nv.name", "weight"),
    ("Value(2.0, label='a').name", "a"),
    ("Value(2.0, requires_grad=True)", 2.0),
    ("v.sum().backward()\nv.zero_grad()\nv.grad", None),
    ("(v * v).sum().backward()\nv.cleargrad()\nv.grad", None),
    ("model(x).sum().backward()\nmodel.zero_grad()\nmodel.layers[0].weight.grad", None),
    ("len(model.modules())", 4),
    ("model.to('cpu') is model", True),
    ("v.device", "cpu"),
    ("(v * v).sum().backward(retain_graph=True)\nv.grad", [2.0, 4.0, 6.0]),
]


@pytest.mark.parametrize(("code", "words"), [*VALUES, *MODULES, *OPTIMIZERS, *PACKAGES])
def test_a_name_from_elsewhere_says_what_to_write(code, words):
    refused(code, words)


@pytest.mark.parametrize(("code", "expected"), SAME)
def test_a_name_that_means_the_same_works(code, expected):
    works(code, expected)


def test_what_works_is_differentiable():
    v = names()["v"]
    v.unsqueeze(0).view(3, 1).permute(1, 0).pow(2).sum().backward()
    np.testing.assert_allclose(v.grad, [2.0, 4.0, 6.0])


def test_a_detached_copy_has_no_past_and_shares_nothing():
    v = names()["v"]
    detached = (v * v).detach()
    assert detached.op is None
    copied = v.numpy()
    copied[0] = 9.0
    np.testing.assert_allclose(v.data, [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "name",
    ["foo", "fit", "gelu", "_prev", "__deepcopy__", "_repr_html_", "_ipython_display_", "__array_interface__"],
)
def test_hasattr_is_false_for_what_does_not_exist(name):
    found = names()
    for thing in (found["v"], found["model"], optim_of(found), found["te"], found["nn"], found["viz"]):
        assert not hasattr(thing, name)


def optim_of(found):
    return found["optim"].SGD([found["v"]], lr=0.1)


@pytest.mark.parametrize("name", ["_ipython_canary_method_should_not_exist_", "_repr_html_", "__deepcopy__"])
def test_names_of_protocols_get_pythons_own_words(name):
    with pytest.raises(AttributeError, match=rf"^'Value' object has no attribute '{name}'$"):
        getattr(names()["v"], name)


def test_a_misspelled_name_of_a_value_is_left_to_python_which_offers_the_nearest(capsys):
    with pytest.raises(AttributeError) as caught:
        _ = names()["v"].sigmiod
    sys.__excepthook__(caught.type, caught.value, caught.tb)
    assert "Did you mean: 'sigmoid'" in capsys.readouterr().err


def test_completion_offers_what_a_value_has_of_its_own():
    v = names()["v"]
    assert {"sigmoid", "reshape", "data", "grad", "name"} <= set(dir(v))
    assert not {"softmax", "view", "flip", "add_", "nbytes", "tan"} & set(dir(v))
    assert not hasattr(Value, "softmax")


def test_values_are_copied_and_pickled_as_before():
    v = Value([1.0, 2.0], name="v")
    for other in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert isinstance(other, Value)
        np.testing.assert_array_equal(other.data, v.data)


def test_a_half_made_value_says_what_python_says():
    with pytest.raises(AttributeError, match="kept"):
        Value.__new__(Value).shape  # noqa: B018 - reading it is the test
