"""What was saved comes back bit for bit; what cannot be, is refused by name, and nothing has changed."""

import errno
import json
import os
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_edu as te
from tinygrad_edu import Value, nn, optim, saving

pytest.importorskip("safetensors")


class State:
    """A model of another library: two methods, and no idea of ours."""

    def __init__(self, arrays=(), **named):
        self.arrays = dict(arrays) | named

    def state_dict(self):
        return dict(self.arrays)

    def load_state_dict(self, state):
        self.arrays = dict(state)


def network(rng=0, dtype=np.float64):
    return nn.Sequential(nn.Linear(3, 4, rng=rng, dtype=dtype), nn.Tanh(), nn.Linear(4, 1, rng=rng, dtype=dtype))


def same(one, other):
    """Whether two states are equal bit for bit, and of the same dtypes and shapes."""
    return one.keys() == other.keys() and all(
        (a.dtype, a.shape, a.tobytes()) == (other[name].dtype, other[name].shape, other[name].tobytes())
        for name, a in one.items()
    )


def write(path, header, numbers):
    """A file in the format, with whatever header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)


floats = st.sampled_from([np.float16, np.float32, np.float64])
arrays = hnp.arrays(floats, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda name: name != "__metadata__")


@given(st.dictionaries(names, arrays, max_size=5))
def test_what_is_saved_comes_back_bit_for_bit(tmp_path_factory, state):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    model = nn.Module()
    model.parts = {name: Value(array) for name, array in state.items()}
    before = model.state_dict()
    with patch.object(os, "fsync"):  # nothing here asks whether a disk keeps it
        te.save(model, path)
    for value in model.parts.values():
        value.data = np.zeros_like(value.data)
    te.load(model, path)
    assert same(model.state_dict(), before)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_trained_network_predicts_the_same_in_another_program(tmp_path, dtype):
    path, x = tmp_path / "model.safetensors", np.ones((2, 3), dtype)
    te.save(network(rng=7, dtype=dtype), path)
    other = network(rng=8, dtype=dtype)
    te.load(other, path)
    assert np.array_equal(other(x).data, network(rng=7, dtype=dtype)(x).data)
    assert [p.dtype for p in other.parameters()] == [dtype] * 4


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u4", "i8", "u8", "f2", "f4", "f8"])
def test_any_object_with_a_state_is_saved_whatever_its_layout(tmp_path, kind, order):
    a = np.arange(24).astype(order + kind).reshape(2, 3, 4)
    te.save(State(t=a.T, step=a[:, ::2, 1], none=a[:0]), tmp_path / "s")
    found = State(t=np.zeros_like(a.T), step=np.zeros_like(a[:, ::2, 1]), none=a[:0])
    te.load(found, tmp_path / "s")
    assert np.array_equal(found.arrays["t"], a.T)
    assert np.array_equal(found.arrays["step"], a[:, ::2, 1])
    assert {array.dtype for array in found.arrays.values()} == {a.dtype}
    assert all(array.flags.writeable for array in found.arrays.values())


def test_precision_is_the_models_and_too_large_numbers_are_refused(tmp_path):
    path = tmp_path / "double.safetensors"
    te.save(State(w=np.array([0.1, np.inf, np.nan])), path)
    single = State(w=np.zeros(3, np.float32))
    te.load(single, path)
    assert same(single.arrays, {"w": np.array([0.1, np.inf, np.nan], np.float32)})
    te.save(State(w=np.array([0.0, 1e39, 0.0])), path)
    with pytest.raises(te.CheckpointError, match="'w' is float64 in the file, with numbers too large for float32"):
        te.load(single, path)
    assert single.arrays["w"][0] == np.float32(0.1)


def test_the_package_itself_reads_our_files(tmp_path):
    from safetensors import safe_open

    model = network()
    te.save(model, tmp_path / "m")
    with safe_open(tmp_path / "m", "np") as file:
        assert same({name: file.get_tensor(name) for name in file.keys()}, model.state_dict())  # noqa: SIM118
        about = file.metadata()
    assert (about["format"], about["version"], len(about["sha256"])) == ("tinygrad_edu", te.__version__, 64)


W = {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}
OURS = {"__metadata__": {"format": "tinygrad_edu", "version": "1", "sha256": "0"}}
files = {
    "another model": (lambda p: te.save(network(), p), r"'w' is missing; 'layers\.0\.bias' is unknown here"),
    "missing": (lambda p: te.save(State(), p), "'w' is missing"),
    "extra": (lambda p: te.save(State(w=np.ones(2), b=np.ones(1)), p), "'b' is unknown here"),
    "shape": (lambda p: te.save(State(w=np.ones((2, 1))), p), r"'w' is \(2,\) here and \(2, 1\) in the state"),
    "kind": (lambda p: te.save(State(w=np.ones(2, int)), p), "'w' is float64 here and int64 in the file"),
    "many": (lambda p: te.save(State(**{f"p{i}": np.ones(1) for i in range(99)}), p), r"and 95 more \(test_s"),
    "empty": (lambda p: p.write_bytes(b""), "cut short, or no safetensors file: 0 bytes, its header claims 0"),
    "text": (lambda p: p.write_text("weights = 1, 2, 3"), "no safetensors file"),
    "not JSON": (lambda p: write(p, b"{,}", b""), "its header is not JSON"),
    "not UTF-8": (lambda p: write(p, b'{"\xff": 1}', b""), "its header is not JSON"),
    "nested": (lambda p: write(p, b"[" * 100_000, b""), "its header is not JSON"),
    "a list": (lambda p: write(p, [1], b""), "tinygrad_edu did not write it"),
    "not ours": (lambda p: write(p, {"w": W}, bytes(16)), r"did not write it.*load_state_dict\(safetensors\.numpy"),
    "other format": (lambda p: write(p, {"__metadata__": {"format": "pt"}, "w": W}, bytes(16)), "did not write it"),
    "no entry": (lambda p: write(p, OURS | {"w": 3}, bytes(16)), "does not say what 'w' is"),
    "dtype": (lambda p: write(p, OURS | {"w": W | {"dtype": "F8_E4M3"}}, bytes(2)), "'w' has dtype F8_E4M3; known"),
    "twice": (lambda p: write(p, b'{"w": 1, "w": 2}', bytes(16)), "its header has 'w' twice"),
    "short": (lambda p: write(p, OURS | {"w": W}, bytes(15)), "15 bytes of numbers instead of 16: cut short"),
    "long": (lambda p: write(p, OURS | {"w": W}, bytes(17)), "17 bytes of numbers instead of 16"),
    "offsets": (
        lambda p: write(p, OURS | {"w": W | {"data_offsets": [8, 24]}}, bytes(16)),
        "it is damaged: .*[Oo]ffset",
    ),
    "fingerprint": (lambda p: write(p, OURS | {"w": W}, bytes(16)), "does not have the fingerprint"),
}


@pytest.mark.parametrize("fault", files)
def test_a_file_that_cannot_be_loaded_is_refused_and_the_model_is_untouched(tmp_path, fault):
    spoil, message = files[fault]
    path, model = tmp_path / "kept.safetensors", State(w=np.array([1.0, 2.0]))
    spoil(path)
    with pytest.raises(te.CheckpointError, match=message) as caught:
        te.load(model, path)
    assert str(caught.value).startswith(f"{path} cannot be loaded into State, which is unchanged: ")
    assert same(model.arrays, {"w": np.array([1.0, 2.0])})
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"w": np.ones(2, complex)}, "'w' is complex128; the format has"),
        ({"w": np.array([None])}, "'w' is object"),
        ({"w": np.array(["a"])}, "'w' is <U1"),
        ({"__metadata__": np.ones(2)}, "'__metadata__' cannot be a name"),
        ({"\ud800": np.ones(2)}, r"'\\ud800' cannot be a name"),
        ({1: np.ones(2)}, r"names of arrays are texts; got 1 \(int\)"),
    ],
)
def test_what_the_format_cannot_hold_is_refused_before_anything_is_written(tmp_path, state, words):
    path = tmp_path / "old"
    path.write_text("old")
    with pytest.raises(te.CheckpointError, match=words) as caught:
        te.save(State(state), path)
    assert str(path) in str(caught.value)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"old": "old"}


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("problem", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_whatever_stops_a_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step, problem):
    path = tmp_path / "model"
    te.save(network(rng=1), path)

    def stop(*args, **options):
        raise problem

    with monkeypatch.context() as patched:
        patched.setattr(saving if step == "open" else os, step, stop, raising=False)
        with pytest.raises(type(problem)) as caught:
            te.save(network(rng=2), path)
    assert caught.value.__notes__[-1] == f"nothing was saved; {path.resolve()} is as it was"
    found = network(rng=3)
    te.load(found, path)
    assert same(found.state_dict(), network(rng=1).state_dict())
    assert list(tmp_path.iterdir()) == [path]


def test_the_numbers_are_on_the_disk_before_the_file_has_its_name(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (done.append(os.fstat(fd).st_size), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("replace"), replace(a, b)))
    te.save(network(), tmp_path / "model")
    assert done[:2] == [(tmp_path / "model").stat().st_size, "replace"]
    assert len(done) == 2 + (os.name == "posix")


def test_a_file_has_the_usual_rights_and_a_link_stays_a_link(tmp_path):
    (tmp_path / "plain").write_text("")
    (tmp_path / "real").mkdir()
    try:
        (tmp_path / "link").symlink_to(tmp_path / "real" / "model")
    except OSError:
        pytest.skip("no symbolic links here")
    te.save(network(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "model").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_names_in_a_message_are_printable(tmp_path):
    te.save(State(**{"\x1b[2J\n" + "x" * 1000: np.ones(1)}), tmp_path / "hostile")
    with pytest.raises(te.CheckpointError) as caught:
        te.load(State(), tmp_path / "hostile")
    assert str(caught.value).isprintable()
    assert r"'\x1b[2J\nxxx" in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


@pytest.mark.parametrize("verb", ["save", "load"])
@pytest.mark.parametrize("thing", [None, {"w": np.ones(2)}, "model.safetensors", nn.Linear])
def test_a_thing_without_a_state_is_refused_with_the_way_to_write_it(tmp_path, verb, thing):
    path = tmp_path / "old"
    path.write_text("old")
    with pytest.raises(TypeError, match=rf"nothing to {verb}: write {verb}\(model, path\).*test_saving.py:\d"):
        getattr(te, verb)(thing, path)
    assert path.read_text() == "old"


def test_what_a_model_refuses_is_a_checkpoint_error_that_names_the_file(tmp_path):
    path, optimizer = tmp_path / "sgd", optim.SGD([Value([1.0])], lr=0.5)
    te.save(State(lr=np.array(np.nan)), path)
    with pytest.raises(te.CheckpointError, match="sgd cannot be loaded into SGD, which is unchanged: lr is nan"):
        te.load(optimizer, path)
    assert optimizer.lr == 0.5


def test_a_header_is_not_read_if_no_such_model_could_have_it(tmp_path):
    path = tmp_path / "hollow"
    with open(path, "wb") as file:
        file.write((50_000_000).to_bytes(8, "little"))
        file.truncate(100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(te.CheckpointError, match="its header claims 50000000"):
            te.load(network(), path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_is_not_there_is_no_checkpoint_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        te.load(network(), tmp_path / "nothing")
    with pytest.raises(FileNotFoundError) as caught:
        te.save(network(), tmp_path / "no folder" / "model")
    assert "nothing was saved" in caught.value.__notes__[-1]


def test_without_the_package_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for use in (te.save, te.load):
        with pytest.raises(ImportError, match=r'pip install "tinygrad_edu\[save\]"'):
            use(network(), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_the_package_is_imported_when_it_is_used():
    code = "import sys, tinygrad_edu as te; te.save, te.load; assert 'safetensors' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o444])
def test_a_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "file"
    te.save(nn.Linear(1, 1), path)
    path.chmod(mode)
    te.save(nn.Linear(1, 1), path)
    assert path.stat().st_mode & 0o7777 == mode


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_a_new_file_has_the_mode_that_the_process_gives(tmp_path):
    (tmp_path / "other").write_bytes(b"")
    te.save(nn.Linear(1, 1), tmp_path / "file")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interruption_says_whether_the_file_was_saved(tmp_path, monkeypatch, moment):
    path, old, new = tmp_path / "file", nn.Linear(1, 1, rng=0), nn.Linear(1, 1, rng=1)
    te.save(old, path)
    before, replace = path.read_bytes(), os.replace

    def interrupted(source, target):
        if moment == "after":
            replace(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        te.save(new, path)
    note = f"{path} was saved" if moment == "after" else f"nothing was saved; {path} is as it was"
    assert caught.value.__notes__ == [note]
    assert (path.read_bytes() == before) == (moment == "before")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


# -- several things in one file ------------------------------------------------------------------------------


def generators():
    """One of each kind, with a number left over from a pair or a word, where the kind keeps one."""
    bits = (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)
    found = {kind.__name__: np.random.Generator(kind(1)) for kind in bits}
    found |= {"legacy": np.random.RandomState(1), "legacy pcg": np.random.RandomState(np.random.PCG64(1))}
    for generator in found.values():
        generator.bytes(3)
        getattr(generator, "randn", generator.normal)()
    pythons = random.Random(1)
    pythons.gauss(0.0, 1.0)
    return found | {"python": pythons}


def drawn(generator):
    if isinstance(generator, random.Random):
        return [generator.random(), generator.gauss(0.0, 1.0)]
    return [*generator.normal(size=3), *generator.bytes(5)]


@pytest.mark.parametrize("name", list(generators()))
def test_a_generator_goes_on_where_it_was(tmp_path, name):
    generator, other = generators()[name], generators()[name]
    drawn(generator)
    te.save(generator, tmp_path / "rng")
    expected = drawn(generator)
    te.load(other, tmp_path / "rng")
    assert drawn(other) == expected != drawn(other)


def test_a_dict_of_things_is_one_file(tmp_path):
    def made(seed):
        model = nn.Sequential(nn.Linear(2, 3, rng=seed), nn.Linear(3, 1, rng=seed))
        optimizer = optim.Adam(model.parameters(), lr=0.1 + seed)
        nn.mse_loss(model(np.full((4, 2), 1.0 + seed)), np.ones((4, 1))).backward()
        optimizer.step()
        schedule = optim.reduce_on_plateau(1.0 + seed)
        return {
            "model": model,
            "optimizer": optimizer,
            "more": {"rng": np.random.default_rng(seed), "rate": schedule},
        }

    def numbers(things):
        more = things["more"]
        parts = [things["model"].state_dict(), things["optimizer"].state_dict(), more["rate"].state_dict()]
        return [a.tobytes() for part in parts for a in part.values()], more["rng"].bit_generator.state

    first, second = made(0), made(1)
    te.save(first, tmp_path / "training")
    assert numbers(first) != numbers(second)
    te.load(second, tmp_path / "training")
    assert numbers(first) == numbers(second)
    assert [path.name for path in tmp_path.iterdir()] == ["training"]


class Stubborn:
    """Has a state, and takes none but its own first one."""

    def state_dict(self):
        return {"a": np.zeros(2)}

    def load_state_dict(self, state):
        if state["a"].any():
            raise ValueError("not this one")


def test_of_several_things_all_are_loaded_or_none(tmp_path):
    class Other(Stubborn):
        def state_dict(self):
            return {"a": np.ones(2)}

    te.save({"model": nn.Linear(2, 1, rng=0), "rng": np.random.default_rng(0), "last": Other()}, tmp_path / "all")
    model, rng = nn.Linear(2, 1, rng=1), np.random.default_rng(1)
    before, state = model.state_dict()["weight"].tobytes(), rng.bit_generator.state
    with pytest.raises(te.CheckpointError, match=r"cannot be loaded into dict, which is unchanged: not this one"):
        te.load({"model": model, "rng": rng, "last": Stubborn()}, tmp_path / "all")
    assert model.state_dict()["weight"].tobytes() == before
    assert rng.bit_generator.state == state


@pytest.mark.parametrize(
    ("things", "error", "message"),
    [
        ({"weights": np.ones(2)}, TypeError, "a ndarray has nothing to save: write .* or save"),
        ({1: nn.Linear(1, 1)}, TypeError, "save: the names of a dict are texts; got 1"),
        (
            {"a": nn.Linear(1, 1), "a.weight": {"": Stubborn()}, "b": optim.cosine(0.1, 3)},
            TypeError,
            "a function has",
        ),
        ({"a": {"b": Stubborn()}, "a.b": Stubborn()}, ValueError, "under one name: leave dots out of the keys"),
    ],
)
def test_what_is_no_thing_to_save_is_refused(tmp_path, things, error, message):
    with pytest.raises(error, match=message) as caught:
        te.save(things, tmp_path / "all")
    assert "(test_saving.py:" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_generator_of_another_kind_is_refused(tmp_path):
    te.save(np.random.default_rng(0), tmp_path / "rng")
    with pytest.raises(te.CheckpointError, match=r"'MT19937\.state\.key' is missing"):
        te.load(np.random.RandomState(0), tmp_path / "rng")


class Log:
    """Has any number of numbers."""

    growing = ("a",)

    def __init__(self, numbers):
        self.numbers = numbers

    def state_dict(self):
        return {"a": np.array(self.numbers, float)}

    def load_state_dict(self, state):
        self.numbers = state["a"].tolist()


def test_what_grows_has_any_length_but_one_axis_and_its_kind_of_numbers(tmp_path):
    path = tmp_path / "log"
    for numbers in ([], [1.0], [1.0, 2.0, 3.0]):
        te.save({"log": Log(numbers)}, path)
        log = Log([9.0, 9.0])
        te.load({"log": log}, path)
        assert log.numbers == numbers
    for wrong, message in (([[1.0], [2.0]], r"\(2,\) here and \(2, 1\)"), (3.0, r"\(2,\) here and \(\)")):
        te.save(Log(wrong), path)
        with pytest.raises(te.CheckpointError, match=message):
            te.load(log := Log([9.0, 9.0]), path)
        assert log.numbers == [9.0, 9.0]
