"""Options under the names that other frameworks give them."""

import numpy as np
import pytest

from tests.messages.snippets import refused, works

ROWS = [
    ("v.sum(dim=0)", "it is called axis"),
    ("v.mean(dim=0)", "it is called axis"),
    ("v.max(dim=0)", "it is called axis"),
    ("v.argmax(dim=0)", "it is called axis"),
    ("v.sum(axis=0, keepdim=True)", "it is called keepdims"),
    ("v.var(unbiased=False)", "it is called ddof"),
    ("v.logsumexp(dim=0)", "it is called axis"),
    ("v.cumsum(dim=0)", "it is called axis"),
    ("v.squeeze(dim=0)", "it is called axis"),
    ("Value(2.0, requires_grad=False)", "a constant is a plain array"),
    ("Value(2.0, trainable=True)", "a Value is a variable"),
    ("Value(2.0, dtype=np.float32)", "Value(array.astype(np.float32))"),
    ("Value(2.0, device='cpu')", "leave it out"),
    ("Value(2.0, _children=(v, w), _op='+')", "leave them out"),
    ("Value(2.0, nmae='x')", "did you mean 'name'?"),
    ("s.backward(create_graph=True)", "differentiable=True"),
    ("s.backward(inputs=[v])", "te.gradients(loss, [w])"),
    ("s.backward(gradients=1.0)", "did you mean 'gradient'?"),
    ("optim.SGD([v], learning_rate=0.1)", "it is called lr"),
    ("optim.SGD([v], alpha=0.1)", "it is called lr"),
    ("optim.SGD([v], lr=0.1, dampening=0.0)", "there is no such option"),
    ("optim.SGD([v], lr=0.1, weight_dacay=0.0)", "did you mean 'weight_decay'?"),
    ("optim.Adam([v], learning_rate=0.1)", "it is called lr"),
    ("optim.Adam([v], weight_decay=0.1)", "optim.AdamW has it"),
    ("optim.Adam([v], beta1=0.9)", "betas=(0.9, 0.999)"),
    ("optim.Adam([v], epsilon=1e-8)", "it is called eps"),
    ("optim.Adam([v], momentum=0.9)", "optim.SGD and optim.RMSprop have it"),
    ("optim.Adam([v], amsgrad=True)", "there is no such option"),
    ("optim.SGD(parameters=[v], lr=0.1)", "it is called params"),
    ("nn.Linear(3, 1, use_bias=False)", "it is called bias"),
    ("nn.Linear(3, 1, activation='relu')", "an activation is a layer of its own"),
    ("nn.Linear(3, 1, device='cpu')", "leave it out"),
    ("nn.Linear(3, 1, seed=0)", "it is called rng"),
    ("nn.Linear(3, 1, kernel_initializer='glorot')", "it is called init"),
    ("nn.Linear(in_dim=3, out_dim=1)", "in_features and out_features"),
    ("nn.mse_loss(v, w, reduction='sum')", "a loss is the mean"),
    ("nn.cross_entropy(x, np.zeros(5, int), label_smoothing=0.1)", "by NumPy, before the loss"),
    ("nn.cross_entropy(x, np.zeros(5, int), ignore_index=0)", "by NumPy, before the loss"),
    ("nn.binary_cross_entropy(v, w, from_logits=True)", "it takes logits always"),
    ("te.grad(np.sin, argnum=0)", "it is called argnums"),
    ("te.value_and_grad(np.sin, has_aux=True)", "te.value_and_grad(f) gives the value too"),
    ("te.grad(np.sin, create_graph=True)", "te.grad(te.grad(f))"),
    ("te.jacobian(np.sin, vectorize=True)", "leave it out"),
    ("te.hessian(np.sin, argnmus=0)", "did you mean 'argnums'?"),
    ("data.minibatches(x, y, batchsize=2)", "it is called batch_size"),
    ("data.minibatches(x, y, 2)", "write minibatches(..., batch_size=...)"),
    ("data.minibatches(x, y, batch_size=2, drop_lst=True)", "did you mean 'drop_last'?"),
    ("data.minibatches(x, y, batch_size=2, seed=0)", "it is called rng"),
    ("data.train_test_split(x, y, test_size=0.2)", "it is called test"),
    ("data.train_test_split(x, y, test=0.2, random_state=0)", "it is called rng"),
    ("data.moons(n_samples=10)", "it is called count"),
    ("data.moons(10, seed=0)", "it is called rng"),
    ("data.house_prices(n=10)", "it is called count"),
    ("te.save(model, filename='m')", "it is called path"),
    ("te.load(model, filename='m')", "it is called path"),
]


@pytest.mark.parametrize(("code", "words"), ROWS)
def test_an_option_from_elsewhere_says_what_it_is_called(code, words):
    refused(code, words)


def test_options_that_mean_the_same_work():
    works("te.grad(lambda x: x * x, argnums=0)(3.0)", 6.0)
    works("Value([1.0], name='b', requires_grad=True).name", "b")
    works("(v * w).sum().backward(retain_graph=True, create_graph=False)\nv.grad", np.array([4.0, 5.0, 6.0]))
