"""Damaged, lying and hostile files, and programs that die while they save: the figures of each are asserted.

What is caught where (safetensors 0.4.5 to 0.8): the package refuses offsets that overlap, leave holes, run past the
end, or do not fit dtype and shape. It takes keys that stand twice, any change of the numbers or of the metadata, and
a header that another model wrote; those are ours, and so is every limit on what is read.
"""

import json
import os
import pickle
import random
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import nn

pytestmark = pytest.mark.no_cover

pytest.importorskip("safetensors")

ROOT = Path(__file__).parents[2]
ROUNDS = 200 if os.environ.get("HYPOTHESIS_PROFILE") in ("nightly", "thorough") else 40


def network(rng):
    return nn.Sequential(nn.Linear(2, 3, rng=rng), nn.Tanh(), nn.Linear(3, 1, rng=rng, dtype=np.float32))


class Case:
    """A saved network, its file in pieces, and a count of the damaged files that were refused as they should be."""

    def __init__(self, folder):
        self.path = folder / "model.safetensors"
        te.save(network(1), self.path)
        self.content = self.path.read_bytes()
        self.end = 8 + int.from_bytes(self.content[:8], "little")
        self.header = json.loads(self.content[8 : self.end])
        self.model = network(2)
        self.before = {name: a.tobytes() for name, a in self.model.state_dict().items()}
        self.refused = 0

    def refuses(self, content, words=None):
        """Check that a content is refused with the file's name, in one printable line, and changes nothing."""
        self.path.unlink()  # a new file is not waited for; one written over is, on some systems
        self.path.write_bytes(content)
        with pytest.raises(te.CheckpointError, match=words) as caught:
            te.load(self.model, self.path)
        assert str(self.path) in str(caught.value)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 2_000 + len(str(self.path))
        assert {name: a.tobytes() for name, a in self.model.state_dict().items()} == self.before
        self.refused += 1

    def refuses_header(self, header, words=None, numbers=None):
        """The same with another header, and the numbers as they were."""
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        numbers = self.content[self.end :] if numbers is None else numbers
        self.refuses(len(text).to_bytes(8, "little") + text + numbers, words)


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


def test_the_whole_file_loads_and_is_not_the_model_before(case):
    te.load(case.model, case.path)
    assert {name: a.tobytes() for name, a in case.model.state_dict().items()} != case.before


def test_cut_at_every_byte_of_the_header_and_at_200_places(case):
    places = list(range(case.end + 1)) + random.Random(0).choices(range(len(case.content)), k=200)
    for place in places:
        case.refuses(case.content[:place], "cut short")
    assert case.refused == case.end + 201 > 500


def test_every_flipped_bit_of_the_file(case):
    for bit in range(8 * len(case.content)):
        damaged = bytearray(case.content)
        damaged[bit // 8] ^= 1 << bit % 8
        case.refuses(damaged)
    assert case.refused == 8 * len(case.content) > 3_000


def test_bytes_appended_removed_repeated_or_replaced(case):
    rng = random.Random(0)
    for _ in range(300):
        i, j = sorted(rng.choices(range(len(case.content)), k=2))
        piece = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
        part = case.content[i : j + 1]
        for damaged in (
            case.content + piece,
            case.content[:i] + case.content[j + 1 :],
            case.content[:i] + part + case.content[i:],
            case.content[:i] + piece + case.content[i:],
        ):
            case.refuses(damaged)
    assert case.refused == 1_200


def test_lying_offsets(case):
    (first, a), (_, b) = [(n, e) for n, e in case.header.items() if n != "__metadata__"][:2]
    start, stop = a["data_offsets"]
    lies = [
        [stop, start], [start + 8, stop + 8], [start, stop - 1], [start, stop + 8], [start, 2**63], [-8, stop],
        [start], [2**64 - 8, 2**64 - 1], [start, stop, stop], [0.5, stop], [True, stop], ["0", stop], [10**400, 1],
        None, {}, b["data_offsets"], [[0], [8]],
    ]  # fmt: skip
    for lie in lies:
        case.refuses_header(case.header | {first: a | {"data_offsets": lie}}, "damaged")
    assert case.refused == len(lies)


def test_lying_shapes(case):
    name, entry = next((n, e) for n, e in case.header.items() if n.endswith("weight"))
    lies = [
        [], [0], [-2, -3], [6], [2, 3, 1], [3, 2, 2], [2**32, 2**32], [2**63], [2.5, 1], ["2", 3], [None], [10**400],
        [[2], 3],
    ]  # fmt: skip
    for lie in lies:
        case.refuses_header(case.header | {name: entry | {"shape": lie}}, rf"'{name}' is \(\d, \d\) here and \(")
    for lie in (None, "23", 6, {"0": 2}):
        case.refuses_header(case.header | {name: entry | {"shape": lie}}, f"does not say what '{name}' is")
    case.refuses_header(case.header | {name: entry | {"shape": [float(n) for n in entry["shape"]]}}, "damaged")
    assert case.refused == len(lies) + 5


def test_keys_that_stand_twice(case):
    text = json.dumps(case.header).encode()
    for name, entry in case.header.items():
        again = b", " + json.dumps({name: entry}).encode()[1:]
        case.refuses_header(text[:-1] + again, f"'{name}' twice")
    case.refuses_header(text.replace(b'"shape"', b'"shape": [1], "shape"', 1), "'shape' twice")
    assert case.refused == 6


def test_unknown_dtypes(case):
    name, entry = next((n, e) for n, e in case.header.items() if n.endswith("bias"))
    unknown = ["BF16", "F8_E5M2", "F4", "C64", "F128", "f64", "O", "object", "", "\x00", None, 64, ["F64"]]
    for dtype in unknown:
        case.refuses_header(case.header | {name: entry | {"dtype": dtype}}, f"'{name}' has dtype .*; known are U?")
    for dtype in ("I64", "U64"):
        case.refuses_header(case.header | {name: entry | {"dtype": dtype}}, f"'{name}' is float.. here and u?int64")
    for dtype in ("F16", "F32" if entry["dtype"] == "F64" else "F64"):
        case.refuses_header(case.header | {name: entry | {"dtype": dtype}}, "bytes of numbers instead of")
    assert case.refused == len(unknown) + 4


def test_hostile_names(case):
    name, entry = next((n, e) for n, e in case.header.items() if n.endswith("bias"))
    rest = {n: e for n, e in case.header.items() if n != name}
    names = [
        "", ".", "..", "../../etc/passwd", "/etc/passwd", "C:\\x", "\x00", "\x1b[2J", "\n\r\t", "\u202e", "\ud800",
        "__class__", "__reduce__", "__init__.__globals__", "parameters", "load_state_dict", "layers.0.__class__",
        "x" * 100_000, "'; drop", "%s{0}", "layers.0.weight ", "LAYERS.0.BIAS", "∞", f"{name}\x00", "\ufeff",
    ]  # fmt: skip
    for hostile in names:
        case.refuses_header(rest | {hostile: entry}, f"'{name}' is missing")
        case.refuses_header(case.header | {hostile: entry}, "is unknown here")
    case.refuses_header(case.header | {f"n{i}": entry for i in range(10_000)}, "and 9995 more")
    assert case.refused == 2 * len(names) + 1


def test_headers_that_are_no_objects_or_have_other_metadata(case):
    rest = {n: e for n, e in case.header.items() if n != "__metadata__"}
    for metadata in (None, [], "tinygrad_edu", {}, {"format": "pt"}, {"format": "tinygrad_edu"}, 1e999):
        case.refuses_header(rest | {"__metadata__": metadata}, "did not write it")
    for header in (b"", b"{", b"{}", b"[]", b"null", b"1", b'"x"', b"{}{}", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0"):
        case.refuses_header(header)
    for header in (b"[" * 10**6, b'{"a":' * 10**6, b"1" * 10**5, b"{" + b'"a":1,' * 10**5):
        case.refuses_header(header)
    assert case.refused == 21


class Trap:
    """A pickle that would run: the file is made if anything unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_nothing_is_unpickled(case, tmp_path):
    sprung = tmp_path / "sprung"
    bomb = pickle.dumps(Trap(os.fspath(sprung)))
    pickle.loads(bomb).close()
    assert sprung.exists(), "the trap works"
    sprung.unlink()
    np.savez(tmp_path / "bomb.npz", w=np.array([Trap(os.fspath(sprung))], object))
    for content in (bomb, bomb + bytes(64), (tmp_path / "bomb.npz").read_bytes()):
        case.refuses(content)
        case.refuses_header(case.header, numbers=content)
    assert not sprung.exists()


def test_no_huge_allocation(case):
    name, entry = next((n, e) for n, e in case.header.items() if n.endswith("weight"))
    huge = case.header | {name: entry | {"shape": [2**40], "data_offsets": [0, 2**43]}}
    tracemalloc.start()
    try:
        for length in (2**63, 2**64 - 1, 2**40, 100_000_001, len(case.content) - 7):
            case.refuses(struct.pack("<Q", length) + case.content[8:], "cut short")
        case.refuses_header(huge, "here and")
        with open(case.path, "r+b") as file:
            file.write(case.content)
            file.truncate(2**40)  # a terabyte of nothing, which takes no room
        with pytest.raises(te.CheckpointError, match="bytes of numbers instead of"):
            te.load(case.model, case.path)
        with open(case.path, "r+b") as file:
            file.write(struct.pack("<Q", 2**30))
        with pytest.raises(te.CheckpointError, match="its header claims 1073741824"):
            te.load(case.model, case.path)
        assert tracemalloc.get_traced_memory()[1] < 500_000
    except OSError:
        pytest.skip("no sparse files here")
    finally:
        tracemalloc.stop()


def program(*arguments):
    """What a program of this folder printed."""
    command = [sys.executable, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.fspath(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")


@forks
def test_kills_during_a_save_lose_nothing(tmp_path):
    start = time.perf_counter()
    found = program(Path(__file__).with_name("killed.py"), ROUNDS, tmp_path, "atomic")
    print(f"{ROUNDS} kills in {time.perf_counter() - start:.1f} s: {found}")
    assert found["broken"] == 0
    assert found["old"] + found["new"] == ROUNDS
    assert found["interrupted"] > 0, "all kills came between the saves"


@forks
def test_the_kills_would_see_a_file_that_is_written_in_place(tmp_path):
    assert program(Path(__file__).with_name("killed.py"), 15, tmp_path, "in place")["broken"] > 0


FULL = """
import json, resource, sys
import numpy as np
import tinygrad_edu as te
from tinygrad_edu import nn

path, size = sys.argv[1], int(sys.argv[2])
refused, rest = 0, 0
for limit in [*range(0, size, 7), size - 1]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        te.save(nn.Linear(10, 10, rng=2), path)
    except OSError as error:
        refused += "is as it was" in error.__notes__[-1]
    model = nn.Linear(10, 10, rng=3)
    te.load(model, path)
    rest += not np.array_equal(model.weight.data, nn.Linear(10, 10, rng=1).weight.data)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
te.save(nn.Linear(10, 10, rng=2), path)
print(json.dumps([refused, rest]))
"""


@forks
def test_a_full_disk_at_any_byte_leaves_the_old_state(tmp_path):
    path = tmp_path / "model"
    te.save(nn.Linear(10, 10, rng=1), path)
    size = path.stat().st_size
    refused, changed = program("-c", FULL, path, size)
    assert (refused, changed) == (len(range(0, size, 7)) + 1, 0)
    assert list(tmp_path.iterdir()) == [path]
    model = nn.Linear(10, 10)
    te.load(model, path)
    assert np.array_equal(model.weight.data, nn.Linear(10, 10, rng=2).weight.data)
