"""Names that people bring along from PyTorch, micrograd, MyGrad, autograd, JAX and Keras, and what they are here.

Where a name means the same here, it simply works (`WORKS`, `FACTS`). Every other name has its advice: what to write
here, and why (`VALUE` and the tables below it, one for each place where the name is typed). A key may hold several
names that have one advice. `names.py` reads the tables, and only when a name does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import plain
from tinygrad_edu.recording import no_grad


def table(texts: Mapping[str, str]) -> dict[str, str]:
    """One entry for each name, of texts under one or several names."""
    return {name: text for names, text in texts.items() for name in names.split()}


# -- what works ---------------------------------------------------------------------------------------------------
def detached(v: Any) -> Any:
    """A copy without a past."""
    with no_grad():
        return np.copy(v)


def forgotten(*values: Any) -> None:
    """Forget the gradients."""
    for value in values:
        value.grad = None


def moved(thing: Any, *where: Any, **options: Any) -> Any:
    """`to("cpu")` is the thing itself, `to(np.float32)` another dtype; anything else is refused."""
    for place in (*where, *options.values()):
        text = str(place)
        if text.startswith(("cuda", "gpu", "mps", "xpu", "tpu")):
            raise refusal(ValueError, f"there is no device {text!r}: everything is computed by NumPy, on the CPU")
        if text != "cpu" and not isinstance(place, bool):
            return thing.astype(np.dtype(place))
    return thing


def required(v: Any, requires_grad: bool = True) -> Any:
    """The Value itself; a constant is no Value."""
    v.requires_grad = requires_grad
    return v


WORKS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "block_until_ready": lambda v: v,
    "clone": np.copy,
    "contiguous": lambda v: v,
    "cpu": lambda v: v,
    "detach": detached,
    "dim": lambda v: v.ndim,
    "div": np.divide,
    "double": lambda v: v.astype(np.float64),
    "float": lambda v: v.astype(np.float32),
    "half": lambda v: v.astype(np.float16),
    "masked_fill": lambda v, mask, number: np.where(mask, number, v),
    "mm": np.matmul,
    "mul": np.multiply,
    "mv": np.matmul,
    "ndimension": lambda v: v.ndim,
    "neg": np.negative,
    "nelement": lambda v: v.size,
    "null_grad": forgotten,
    "numel": lambda v: v.size,
    "numpy": lambda v: np.array(plain(v)),
    "cleargrad": forgotten,
    "permute": lambda v, *axes: v.transpose(*axes),
    "pow": np.power,
    "realize": lambda v: v,
    "requires_grad_": required,
    "reshape_as": lambda v, other: v.reshape(np.shape(other)),
    "retain_grad": lambda v: None,
    "sub": np.subtract,
    "t": lambda v: v.T,
    "to": moved,
    "unsqueeze": np.expand_dims,
    "view": lambda v, *shape: v.reshape(*shape),
    "view_as": lambda v, other: v.reshape(np.shape(other)),
    "zero_grad": forgotten,
}
"""Methods of other frameworks' arrays that mean the same for a Value, which is the first argument. NumPy's elementwise
functions are methods too, `v.tan()`; `names.py` finds them by themselves."""

IN_PLACE = ("zero", "fill", "clamp", "relu", "sigmoid", "softmax", "normal", "uniform", "copy", "squeeze", "reshape")
"""Methods that another framework has with an underscore, to change an array in place, besides those of NumPy's names."""

FACTS: dict[str, Callable[[Any], Any]] = {
    "device": lambda v: "cpu",
    "is_cuda": lambda v: False,
    "is_leaf": lambda v: v.op is None,
}
"""Attributes of other frameworks' arrays that mean the same for a Value."""

MODULE_WORKS: dict[str, Callable[..., Any]] = {
    "cleargrads": lambda m: forgotten(*m.parameters()),
    "cpu": lambda m: m,
    "double": lambda m: m.astype(np.float64),
    "float": lambda m: m.astype(np.float32),
    "half": lambda m: m.astype(np.float16),
    "modules": lambda m: [module for _, module in m.named_modules()],
    "to": moved,
    "zero_grad": lambda m: forgotten(*m.parameters()),
    "zero_grads": lambda m: forgotten(*m.parameters()),
}
"""The same for a module."""

# -- what to write instead ----------------------------------------------------------------------------------------
VALUE = table(
    {
        "_prev _children parents inputs": "the operands of the operation that made v are v.args",
        "_op": "the operation that made v is v.op, and its name v.op.name; both are None for a variable",
        "grad_fn creator": "the operation that made v is v.op, its operands v.args; viz.draw(v) shows all of them",
        "_backward": "derivatives stand in the table: te.custom(...) makes an operation of your own and checks it",
        "_value value to_numpy": "the plain array is v.data, and te.stop_gradient(v) the numbers as a constant",
        "at": "write te.at(v, index).set(y) or te.at(v, index).add(y): a new Value, whose gradients are right",
        "assign assign_sub assign_add set_ copy_ set_value": "update a variable by its data: v.data = v.data - lr * v.grad",
        "cuda gpu mps": "there is no device but the CPU: everything is computed by NumPy",
        "int long bool short byte": "a Value is floating point; whole numbers are constants: np.rint(v).astype(int)",
        "type type_as": "write v.astype(np.float32)",
        "softmax log_softmax": "write te.{name}(v, axis=-1); nn.cross_entropy takes the logits",
        "clamp": "it is called clip: v.clip(0.0, 1.0)",
        "norm": "write np.linalg.norm(v), or np.linalg.norm(v, axis=-1); its square is (v * v).sum()",
        "erf erfc gammaln lgamma digamma": "write scipy.special.erf(v) and so on: SciPy's functions take Values",
        "rsqrt": "write 1.0 / np.sqrt(v)",
        "leaky_relu": "write np.where(v > 0, v, 0.01 * v)",
        "elu": "write np.where(v > 0, v, np.expm1(np.minimum(v, 0.0)))",
        "gelu": "write 0.5 * v * (1.0 + scipy.special.erf(v / 2**0.5))",
        "silu swish": "write v * v.sigmoid()",
        "logit": "write np.log(v) - np.log1p(-v)",
        "chunk": "write np.array_split(v, pieces, axis=...)",
        "unbind": "write list(v): a Value is iterated along its first axis",
        "narrow select": "write v[start:stop]: a Value is indexed as an array",
        "gather index_select": "write np.take_along_axis(v, index, axis=...) or v[index]",
        "scatter scatter_add index_add index_put": "write te.at(v, index).set(y) or te.at(v, index).add(y)",
        "expand expand_as broadcast_to": "write np.broadcast_to(v, shape); most often broadcasting needs no word",
        "bmm": "write v @ w: the matrix product takes stacks of matrices",
        "flatten_ squeeze_ unsqueeze_": "a Value is not changed in place: v = v.reshape(...)",
        "item_ data_ptr storage": "the plain array is v.data",
        "register_hook register_post_accumulate_grad_hook": "read v.grad after backward(), or viz.trace(loss) for all",
        "unchain unchain_backward": "te.stop_gradient(v) gives the numbers as a constant",
        "null_gradients clear_graph": "gradients are forgotten by v.grad = None; a graph goes with its result",
        "get_grad": "call loss.backward(), then read w.grad; or te.gradients(loss, [w]), which stores nothing",
        "jacobian hessian": "write te.jacobian(f)(x) and te.hessian(f)(x), of the function",
        "shape_ sizes": "the shape is v.shape",
        "is_contiguous stride storage_offset": "how the numbers lie in memory is said by v.data.flags and v.data.strides",
        "tolist_ to_list": "write v.tolist()",
        "to_tensor tensor as_tensor": "v is a Value already, which is what a tensor is here",
        "draw plot show render graph": "write viz.draw(v), of `from tinygrad_edu import viz`",
        "step": "an optimiser makes the step: o = optim.SGD([w], lr=0.1), loss.backward(), o.step()",
        "parameters": "a single variable is given in a list: optim.SGD([v], lr=0.1)",
        "append insert extend": "a Value has a fixed size: np.append(v, x), np.concatenate([v, w]) or np.stack([v, w])",
        "values": "the plain array is v.data",
        "imag": "a Value is real: its imaginary part is 0",
        "apply apply_ map map_ vmap": "NumPy's functions take whole arrays: write f(v)",
    }
)

MODULE = table(
    {
        "fit compile": "write train.fit(model, nn.mse_loss, optim.Adam(model.parameters(), lr=0.01), (x, y), epochs=10)",
        "predict call predict_on_batch": "call it: model(x)",
        "predict_classes predict_proba": "call it: model(x).data.argmax(axis=-1) are the classes",
        "evaluate score": "write train.evaluate(model, nn.mse_loss, (x, y)), or nn.accuracy(model(x), y)",
        "summary": "print(model) lists the layers and their shapes, viz.draw(model(x)) shows the computation",
        "cuda gpu mps": "there is no device but the CPU: everything is computed by NumPy",
        "bfloat16 type": "write model.astype(np.float32)",
        "register_buffer": "assign the array: self.name = array; only Values are trained",
        "register_parameter register_module add_module": "assign it: self.name = Value(...), or a module",
        "children named_children": "model.named_modules() gives every module inside, with its path",
        "apply": "loop over them: for path, module in model.named_modules()",
        "requires_grad_ freeze trainable": "give the optimiser the parameters to be trained, and leave out the others",
        "save save_weights": "te.save(model, path) writes the parameters, te.load(model, path) reads them",
        "load load_weights from_pretrained": "te.load(model, path) reads the parameters that te.save wrote",
        "get_weights state": "model.state_dict() gives copies of the arrays, by path",
        "set_weights": "model.load_state_dict(state) takes the arrays, by path",
        "trainable_variables trainable_weights variables weights params": "they are model.parameters()",
        "parameters_ named_params": "with paths they are model.named_parameters()",
        "num_parameters count_params": "write sum(p.size for p in model.parameters())",
        "add append": "name all layers at once: nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))",
        "backward": "the loss has it: loss = nn.mse_loss(model(x), y), then loss.backward()",
        "step": "an optimiser makes the step: o = optim.SGD(model.parameters(), lr=0.1), then o.step()",
        "build": "a layer has its parameters as soon as it is made: nn.Linear(3, 1)",
        "input_shape output_shape": "the shape of a layer's weight is (in, out): model.weight.shape",
        "register_forward_hook register_backward_hook register_full_backward_hook": (
            "viz.trace(loss) has every result and gradient of a pass, viz.watch(model) those of a training"
        ),
        "share_memory": "the parameters are arrays of this process",
        "grad gradients": "each parameter has its own: model.weight.grad, after loss.backward()",
        "init_weights reset_parameters": "give the initialiser where the layer is made: nn.Linear(3, 1, init=nn.init.he_normal)",
    }
)

OPTIMIZER = table(
    {
        "learning_rate alpha eta step_size": "it is called lr, and may be changed between steps: o.lr = 0.01",
        "param_groups add_param_group": "groups are given when it is made, [{{'params': a, 'lr': 0.1}}, ...]; "
        "o.params are all parameters, and setting o.lr changes the rates of all groups in the same ratio",
        "parameters": "they are o.params",
        "minimize": "write o.zero_grad(); loss.backward(); o.step()",
        "apply_gradients update apply": "the gradients are in the parameters after loss.backward(); call o.step()",
        "zero_grads cleargrads zero clear_grad": "write o.zero_grad()",
        "backward": "the loss has it: loss.backward(), then o.step()",
        "setup": "give the parameters where the optimiser is made: optim.SGD(model.parameters(), lr=0.1)",
        "state": "o.states holds one state for each parameter, and o.state_dict() copies of all, to be saved",
        "get_lr get_last_lr": "it is o.lr",
        "set_lr": "write o.lr = 0.01",
        "save": "te.save(o, path) writes what the optimiser remembers",
    }
)

VARIABLE = "te.Value([1.0, 2.0]) is a variable; a constant is a plain array, np.array([1.0, 2.0])"
NUMPY = "it is NumPy's: write np.{name}(...), which takes Values"
PLAIN = "constants are plain NumPy arrays: write np.{name}(...), or te.Value(np.{name}(...)) for a variable"

PACKAGE = table(
    {
        "Tensor tensor Variable Parameter Param DeviceArray Node Scalar Array": VARIABLE,
        "as_tensor from_numpy asarray array astensor": "te.Value(array) is a variable; a constant is the array itself",
        "zeros ones empty full eye arange linspace zeros_like ones_like": PLAIN,
        "rand randn randint uniform normal random randperm": "random numbers are NumPy's: rng = np.random.default_rng(0), "
        "then te.Value(rng.normal(size=(3, 2)))",
        "manual_seed seed PRNGKey key": "give a seed where numbers are drawn: np.random.default_rng(0), nn.Linear(3, 1, rng=0)",
        "numpy np jnp": "NumPy itself takes Values: import numpy as np, then np.exp(v)",
        "scipy": "SciPy itself takes Values: from scipy import special, then special.erf(v)",
        "cat concat": "write np.concatenate([v, w], axis=...)",
        "mm bmm matmul dot": "write v @ w, or np.matmul(v, w)",
        "mul": "write v * w",
        "sub": "write v - w",
        "div": "write v / w",
        "pow": "write v**w",
        "neg": "write -v",
        "unsqueeze": "write np.expand_dims(v, axis)",
        "permute": "write np.transpose(v, axes)",
        "norm": "write np.linalg.norm(v)",
        "erf": "write scipy.special.erf(v): SciPy's functions take Values",
        "argmax_": "write np.argmax(v, axis=...)",
        "autograd": "te.grad(f) is the gradient of a function, te.gradients(loss, [w]) that of a result, "
        "te.custom makes an operation of your own",
        "Function": "te.custom(...) makes an operation of your own, and checks its rule",
        "defvjp defjvp custom_vjp custom_jvp custom_gradient register_gradient": (
            "te.custom(...) makes an operation of your own, and checks its rule"
        ),
        "primitive_ def_vjp": "te.custom(...) makes an operation of your own, and checks its rule",
        "backward": "the loss has it: loss.backward()",
        "gradient grads": "te.grad(f) is the gradient of a function, te.gradients(loss, [w]) that of a result",
        "jacfwd jacrev": "te.jacobian(f) takes the cheaper of both directions by itself",
        "egrad": "it is called te.elementwise_grad",
        "hessian_vector_product": "it is called te.hvp(f, x, v)",
        "make_vjp make_jvp linearize": "they are te.vjp(f, x) and te.jvp(f, (x,), (v,))",
        "stop_gradients detach": "it is called te.stop_gradient(x)",
        "remat": "it is called te.checkpoint(f)",
        "jit compile function pmap": "nothing is compiled: call the function",
        "vmap vectorize": "NumPy's functions take whole arrays: give f a batch, or use np.stack([f(x) for x in xs])",
        "lax tree_util tree_map pytree": "nested lists, tuples and dicts are walked by the transforms; loops are Python's",
        "make_jaxpr": "viz.draw(f(x)) shows what was computed",
        "GradientTape tape": "everything is recorded: loss.backward(), or te.gradients(loss, [w])",
        "no_autodiff inference_mode": "write `with te.no_grad():`",
        "enable_grad set_grad_enabled is_grad_enabled": "everything is recorded, but inside `with te.no_grad():`",
        "device cuda mps backends set_default_device": "there is no device but the CPU: everything is computed by NumPy",
        "float32 float64 float16 double int64 long bool": "dtypes are NumPy's: np.float32 and so on",
        "set_default_dtype set_default_tensor_type": "a Value has the dtype of its array: te.Value(array.astype(np.float32))",
        "is_tensor": "write isinstance(v, te.Value)",
        "utils": "batches are in te.data: data.minibatches(x, y, batch_size=32)",
        "keras layers models Sequential Model": "networks are in te.nn: nn.Sequential(nn.Linear(2, 8), nn.Tanh(), ...)",
        "Module Linear mse_loss cross_entropy": "it is in te.nn: from tinygrad_edu import nn, then nn.{name}",
        "SGD Adam": "it is in te.optim: from tinygrad_edu import optim, then optim.{name}",
        "optimizers optimizer": "it is called te.optim",
        "losses functional": "losses are in te.nn: nn.mse_loss, nn.cross_entropy, nn.binary_cross_entropy",
        "datasets DataLoader": "it is te.data: data.minibatches(x, y, batch_size=32), data.moons()",
        "draw draw_dot draw_graph trace explain steps watch why": (
            "it is in te.viz: from tinygrad_edu import viz, then viz.draw(loss), viz.explain(loss, w)"
        ),
        "gradcheck check_grads check_gradients check_op compare": (
            "it is in te.testing: testing.check_gradients(f, x), testing.check_op(f)"
        ),
        "train fit": "a training is written out: loss.backward(), o.step(), o.zero_grad() for each batch",
        "engine": "from tinygrad_edu import Value",
        "MLP Neuron Layer": "networks are in te.nn: nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))",
    }
)

LOSS = "losses are functions here, and the mean over the batch: "
NN = table(
    {
        "MSELoss MeanSquaredError mse mean_squared_error MSE squared_error l2_loss": LOSS
        + "nn.mse_loss(prediction, target)",
        "CrossEntropyLoss SparseCategoricalCrossentropy sparse_categorical_crossentropy softmax_cross_entropy": (
            LOSS + "nn.cross_entropy(logits, classes)"
        ),
        "CategoricalCrossentropy categorical_crossentropy": LOSS
        + "nn.cross_entropy(logits, one_hot.argmax(axis=-1))",
        "BCELoss BCEWithLogitsLoss BinaryCrossentropy binary_crossentropy bce binary_cross_entropy_with_logits "
        "sigmoid_cross_entropy": LOSS + "nn.binary_cross_entropy(logits, target), which applies the sigmoid itself",
        "NLLLoss nll_loss": LOSS + "nn.cross_entropy(logits, classes), which applies the log-softmax itself",
        "L1Loss l1_loss mae MeanAbsoluteError mean_absolute_error": "write np.mean(np.abs(prediction - target))",
        "HuberLoss SmoothL1Loss smooth_l1_loss huber_loss": (
            "write e = np.abs(prediction - target), then np.mean(np.where(e < 1, 0.5 * e * e, e - 0.5))"
        ),
        "HingeEmbeddingLoss hinge_loss": "write np.mean(np.maximum(0.0, 1.0 - target * score))",
        "KLDivLoss kl_div": "write np.sum(p * (np.log(p) - log_q))",
        "CosineSimilarity cosine_similarity": "write x @ y / (np.linalg.norm(x) * np.linalg.norm(y))",
        "functional F losses": "functions are in nn itself, nn.relu, nn.mse_loss, nn.cross_entropy, or NumPy's, np.tanh",
        "Dense dense": "it is called nn.Linear(in_features, out_features); an activation is a layer of its own",
        "LazyLinear": "nn.Linear(in_features, out_features) needs both widths",
        "Parameter ParameterList ParameterDict Variable": "a parameter is a Value in an attribute: self.w = Value(array)",
        "ModuleList ModuleDict": "a plain list or dict of modules in an attribute is walked: self.layers = [...]",
        "Model Layer Cell": "subclass nn.Module and define forward(self, x)",
        "MLP Neuron": "write nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))",
        "Identity": "any function may stand in a Sequential: lambda x: x",
        "Flatten": "any function may stand in a Sequential: lambda x: x.reshape(len(x), -1)",
        "Softmax LogSoftmax softmax log_softmax": (
            "the losses apply it themselves: nn.cross_entropy takes the logits; "
            "for the probabilities te.softmax(z, axis=-1)"
        ),
        "GELU gelu": "any function may stand in a Sequential: lambda x: 0.5 * x * (1 + scipy.special.erf(x / 2**0.5))",
        "SiLU silu Swish": "any function may stand in a Sequential: lambda x: x * te.sigmoid(x)",
        "LeakyReLU leaky_relu PReLU": "any function may stand in a Sequential: lambda x: np.where(x > 0, x, 0.01 * x)",
        "ELU SELU elu selu": "any function may stand in a Sequential: lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))",
        "Softplus softplus": "te.softplus may stand in a Sequential",
        "Hardtanh ReLU6 Sin": "any function may stand in a Sequential: lambda x: np.clip(x, 0, 6)",
        "Activation": "activations are layers: nn.ReLU(), nn.Tanh(), nn.Sigmoid(), or any function",
        "Conv1d Conv2d Conv3d Conv1D Conv2D conv2d conv1d": "te.convolution(x, kernel) is the function; keep the kernel in a Module",
        "MaxPool1d MaxPool2d MaxPooling2D max_pool2d": "te.max_pool(x, ...) may stand in a Sequential, in a lambda",
        "AvgPool2d AveragePooling2D avg_pool2d AdaptiveAvgPool2d": "te.mean_pool(x, ...) may stand in a Sequential, in a lambda",
        "BatchNorm1d BatchNorm2d BatchNormalization LayerNorm GroupNorm RMSNorm layer_norm batch_norm": (
            "there is no such layer: a Module whose forward is "
            "(x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) * self.gain + self.bias"
        ),
        "Dropout dropout Dropout2d": (
            "there is no such layer: a Module whose forward is x * (rng.random(x.shape) < keep) / keep, "
            "and x itself when self.training is False"
        ),
        "Embedding embedding": "there is no such layer: self.table = Value(...), and self.table[tokens] in forward",
        "one_hot": "write np.eye(count)[classes]",
        "RNN LSTM GRU RNNCell LSTMCell GRUCell": "there is no such layer: a Module whose forward loops over time",
        "Transformer TransformerEncoderLayer MultiheadAttention scaled_dot_product_attention": (
            "there is no such layer: a Module with np.matmul and te.logsumexp"
        ),
        "Bilinear": "write np.einsum('bi,ijk,bj->bk', x, w, y)",
        "utils": "to clip gradients: optim.clip_grad_norm(model.parameters(), 1.0)",
        "DataParallel": "everything is computed in this process",
        "Upsample Unfold Fold ZeroPad2d": "NumPy has it for Values: np.repeat, np.lib.stride_tricks.sliding_window_view, np.pad",
        "xavier_uniform_ kaiming_normal_ xavier_uniform kaiming_uniform": "initialisers are in nn.init: nn.init.glorot_uniform",
        "no_grad": "it is te.no_grad()",
        "grad value_and_grad": "it is te.{name}",
        "initializers": "they are in nn.init: nn.init.glorot_uniform, nn.init.he_normal",
        "compile": "nothing is compiled",
        "Input InputLayer": "a network takes any array of the right width: model(x)",
    }
)

INIT = table(
    {
        "xavier_uniform xavier_uniform_ glorot": "it is called glorot_uniform, and is given to the layer: nn.Linear(3, 1, init=nn.init.glorot_uniform)",
        "xavier_normal xavier_normal_": "it is called glorot_normal, and is given to the layer: nn.Linear(3, 1, init=...)",
        "kaiming_uniform kaiming_uniform_ he": "it is called he_uniform, and is given to the layer: nn.Linear(3, 1, init=...)",
        "kaiming_normal kaiming_normal_": "it is called he_normal, and is given to the layer: nn.Linear(3, 1, init=...)",
        "zeros_ normal_ uniform_": "give it to the layer, without the underscore: nn.Linear(3, 1, init=nn.init.normal)",
        "ones_ constant_ constant ones": "any function (shape, rng) will do: init=lambda shape, rng: np.ones(shape)",
        "orthogonal_ orthogonal": "any function (shape, rng) will do: lambda shape, rng: np.linalg.qr(rng.normal(size=shape))[0]",
        "trunc_normal_": "any function (shape, rng) will do: lambda shape, rng: np.clip(rng.normal(size=shape), -2, 2)",
    }
)

OPTIM = table(
    {
        "Adadelta AdaDelta Adamax NAdam RAdam Rprop Adafactor LAMB": (
            "there are SGD, Adam, AdamW, RMSprop, Adagrad and Lion; another one is a pair of functions, "
            "optim.Optimizer(params, lr, optim.Algorithm(init, update))"
        ),
        "RMSProp rmsprop": "it is called optim.RMSprop",
        "AdaGrad adagrad": "it is called optim.Adagrad",
        "LBFGS lbfgs": "write optim.minimize(lambda model: nn.mse_loss(model(x), y), model)",
        "Momentum Nesterov MomentumSGD momentum": "write optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True)",
        "GradientDescent GradientDescentOptimizer gd SGDOptimizer": "it is called optim.SGD",
        "lr_scheduler schedulers LambdaLR schedules StepLR CosineAnnealingLR ExponentialLR OneCycleLR": (
            "a schedule is a function of the step: rate = optim.cosine(0.1, steps), and o.lr = rate(step) before each "
            "one; there are cosine, step_decay, exponential, one_cycle, warmup and reduce_on_plateau"
        ),
        "ReduceLROnPlateau": "it is called optim.reduce_on_plateau",
        "clip_grad_norm_": "it is called optim.clip_grad_norm",
        "zero_grad step": "the optimiser has it: o = optim.SGD(model.parameters(), lr=0.1), then o.{name}()",
    }
)

TRAIN = table(
    {
        "train Trainer trainer fit_model learn": "it is called train.fit",
        "test validate score predict": "write train.evaluate(model, loss, (x, y)), and model(x) for the outputs",
        "EarlyStopping ModelCheckpoint callbacks": "fit has it: patience=10, checkpoint='training.safetensors', after_step=[f]",
        "save load resume": "write train.fit(..., checkpoint='training.safetensors', resume=True)",
        "DataLoader": "fit makes the batches: train.fit(model, loss, optimizer, (x, y), epochs=10, batch_size=32)",
    }
)

DATA = table(
    {
        "DataLoader Dataset TensorDataset batches batch loader iterate dataloader": (
            "write `for x, y in data.minibatches(X, Y, batch_size=32, rng=0):`"
        ),
        "random_split split": "write x, x_test, y, y_test = data.train_test_split(X, Y, test=0.2, rng=0)",
        "make_moons two_moons moon": "it is called data.moons(count, noise, rng)",
        "load_iris load_digits MNIST mnist CIFAR10 load_data fetch_openml": (
            "there are small sets only: data.moons(), data.xor(), data.house_prices(), data.eight_rows()"
        ),
        "make_regression make_classification make_circles make_blobs": "there are data.moons() and data.house_prices()",
        "shuffle": "data.minibatches(x, y, batch_size=32) shuffles by itself; rng=0 gives the same order again",
        "one_hot": "write np.eye(count)[classes]",
        "normalize standardize StandardScaler": "write (x - x.mean(axis=0)) / x.std(axis=0)",
        "houses house": "it is called data.house_prices()",
        "XOR": "it is called data.xor()",
    }
)

VIZ = table(
    {
        "draw_dot draw_graph plot_dot_graph make_dot plot_graph graph visualize visualise show render plot dot": (
            "it is called viz.draw(loss)"
        ),
        "summary": "print(model) lists the layers; print(seen) of `with viz.watch(model) as seen:` sums up a training",
        "SummaryWriter TensorBoard tensorboard callback": "write `with viz.watch(model) as seen:` around the training loop",
        "animate animation gif": "write viz.trace(loss).save('backward.gif')",
        "explore explorer": "write viz.trace(loss).explore()",
        "save": "a picture has it: viz.draw(loss).save('graph.svg')",
        "tree print_graph print_tree": "print(viz.draw(loss)) prints the graph as a tree",
        "story": "print(viz.trace(loss)) tells the backward pass",
        "plot_loss loss_curve plot_training history": "with `with viz.watch(model) as seen:` around the loop, seen.loss()",
        "plot_decision_boundary decision_boundary contour": "it is called viz.boundary(model, x, y)",
        "paths chain_rule": "viz.explain(loss, w) lists every path with its numbers",
        "record": "it is called viz.recording()",
        "compare": "it is called viz.diff(before, after)",
        "debug nan find_nan detect_anomaly": "viz.why(w, loss) says where a gradient was cut or became nan",
        "monitor": "it is called viz.watch(model)",
    }
)

PICTURE = table(
    {
        "show view display plot": "a notebook shows it by itself, print(...) as a tree; .save('graph.svg') writes a file",
        "render write savefig to_file export": "write .save('graph.svg'), or another ending for another format",
        "svg png pdf gif html": "write .save('graph.{name}'), if that is one of its formats",
        "graph nodes edges": "the DOT text is .source",
        "paths_to": "write viz.trace(loss).paths(w)",
    }
)

TESTING = table(
    {
        "gradcheck grad_check check_grads check_grad check_gradient gradgradcheck gradient_check assert_gradients": (
            "it is called testing.check_gradients(f, x)"
        ),
        "numerical_gradient num_grad numerical_grad approx_fprime eval_numerical_gradient finite_differences": (
            "it is called testing.numeric_gradient(f, x)"
        ),
        "assert_allclose allclose isclose assert_equal": "it is called testing.assert_close(a, b)",
        "check_layer check_model check_network": "it is called testing.check_module(model, x)",
        "check_operation check_primitive": "it is called testing.check_op(f)",
    }
)

# -- options, wherever they are given -----------------------------------------------------------------------------
OPTIONS = table(
    {
        "dim dims axes": "it is called axis",
        "keepdim keep_dims": "it is called keepdims",
        "unbiased": "it is called ddof",
        "learning_rate alpha eta step_size": "it is called lr",
        "epsilon": "it is called eps",
        "beta_1 beta1 beta_2 beta2": "both are given as betas=(0.9, 0.999)",
        "params_ parameters model_parameters": "it is called params, and stands first",
        "requires_grad trainable": "a Value is a variable; a constant is a plain array",
        "label": "it is called name",
        "device": "everything is computed by NumPy, on the CPU: leave it out",
        "inplace": "nothing is changed in place: leave it out",
        "reduction": "a loss is the mean; the sum is the mean times the number of examples",
        "from_logits": "it takes logits always: leave it out",
        "ignore_index label_smoothing pos_weight": "select or weight the rows yourself, by NumPy, before the loss",
        "has_aux": "te.value_and_grad(f) gives the value too; f gives one number",
        "argnum wrt": "it is called argnums",
        "create_graph retain_graph": "a graph stays as long as its result: te.grad(te.grad(f)), or "
        "te.gradients(loss, [w], differentiable=True), for second derivatives",
        "allow_unused strict holomorphic allow_int vectorize": "leave it out: what does not matter has gradient 0",
        "seed random_state generator key random_seed": "it is called rng: a seed or np.random.default_rng(0)",
        "use_bias": "it is called bias",
        "kernel_initializer weight_init initializer": "it is called init: a function (shape, rng), such as nn.init.he_normal",
        "bias_initializer": "it is called bias_init",
        "activation": "an activation is a layer of its own: nn.Sequential(nn.Linear(2, 8), nn.Tanh())",
        "input_dim input_shape in_dim n_in in_channels units out_dim n_out out_channels nin nout": (
            "the widths are in_features and out_features, and stand first"
        ),
        "dampening maximize foreach fused amsgrad capturable": "there is no such option: leave it out",
        "weight_decay": "optim.AdamW has it, optim.SGD too; or add decay / 2 * sum((p * p).sum() for p in params) to the loss",
        "momentum": "optim.SGD and optim.RMSprop have it; Adam's is betas[0]",
        "batchsize batch bs": "it is called batch_size",
        "n_epochs num_epochs nb_epoch max_epochs": "it is called epochs",
        "validation_data val_data validation_split": "it is called validation: arrays (x, y) that are not trained on",
        "callbacks": "functions to call after each step are after_step; fit has patience, checkpoint and schedule",
        "verbose": "it is called progress: True or False",
        "early_stopping": "it is called patience: a number of epochs",
        "scheduler lr_scheduler": "it is called schedule: a function of the step, such as optim.cosine(0.1, steps)",
        "grad_clip clipnorm gradient_clip_val": "it is called clip: the largest norm of all gradients together",
        "test_size": "it is called test",
        "n_samples samples n": "it is called count",
        "filename file fname f": "it is called path",
        "inputs": "te.gradients(loss, [w]) gives the gradients of some variables only, and stores none",
        "_children _op children": "operands and operation are recorded by the operations themselves: leave them out",
    }
)

KINDS = {
    "Value": VALUE, "Module": MODULE, "Optimizer": OPTIMIZER, "tinygrad_edu": PACKAGE, "nn": NN, "nn.init": INIT,
    "optim": OPTIM, "train": TRAIN, "data": DATA, "viz": VIZ, "testing": TESTING, "Drawing": PICTURE, "BackwardPass": PICTURE,
}  # fmt: skip
