"""`save` and `load`: a trained network in a file that is whole or not there.

A file holds arrays under their names and nothing that could run, in the safetensors format. It is written beside the
old one, forced to the disk and then renamed, so that a crash leaves the old file or the new one. The model is changed
only after the header, the size and the fingerprint (SHA-256) of the file have been found to agree.

Source: the specification of the safetensors format; writing beside the old file and renaming is the method
of Pillai et al., "All file systems are not created equal" (OSDI 2014).
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from types import ModuleType
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from tinygrad_edu import __version__
from tinygrad_edu.errors import printable, refusal, words
from tinygrad_edu.kinds import PATH, expecting
from tinygrad_edu.names import spelled
from tinygrad_edu.state_dict import advice, differences
from tinygrad_edu.stateful import GENERATORS, Stateful, growing, stateful

Saved = Stateful | GENERATORS | Mapping[str, Any]

ANYBODY = 0o666  # what a new file may be at most; the umask of the process takes from it
METADATA = "__metadata__"
# How long a header may be, in bytes: it is read before anything in it can be believed.
SPARE = 1_000_000  # for the arrays of another model, so that the error can name what differs
ROOM = 4_000  # for each array of this one: a dtype, a shape of up to 64 axes, two offsets
LONGEST = 1_000_000  # numbers of a history: that of so many epochs
DTYPES = {f"{kind.upper()}{8 * size}": f"<{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)}
DTYPES |= {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BOOL": "<b1"}


class CheckpointError(ValueError):
    """A file that cannot be loaded into this model, or a model that cannot be saved; neither is changed."""


class Entry(NamedTuple):
    """What a header says of one array."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


@spelled
@expecting(path=PATH)
def save(model: Saved, path: str | os.PathLike[str]) -> None:
    """Write the parameters into a file, which replaces the one that was there as a whole or not at all.

    Parameters
    ----------
    model
        A `Module`, an `Optimizer`, a random generator, anything else with `state_dict()`; or a dict of these, such as
        `{"model": model, "optimizer": optimizer, "rng": rng}`.
    path
        The file, usually with the ending `.safetensors`; its folder has to exist.

    Raises
    ------
    CheckpointError
        If an array is not of real numbers of at most 64 bits, or a name cannot be written.
    TypeError, ImportError
        If `model` has no `state_dict()`, such as a state or a path; if the safetensors package is missing.
    OSError
        If the file cannot be written, for lack of space or permission; a file that was at `path` is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> from tinygrad_edu import nn
    >>> folder = tempfile.TemporaryDirectory()
    >>> model, other = nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=1)
    >>> save(model, f"{folder.name}/model.safetensors")
    >>> load(other, f"{folder.name}/model.safetensors")
    >>> bool(np.all(model.weight.data == other.weight.data))
    True
    >>> folder.cleanup()
    """
    package = safetensors()
    try:
        state = portable(state_of(stateful(model, "save")))
    except CheckpointError as fault:
        raise refusal(CheckpointError, printable(f"{path} is not written: {words(fault)}")) from None
    about = {"format": "tinygrad_edu", "version": __version__, "sha256": fingerprint(__version__, state)}
    write(Path(os.path.realpath(path)), package.numpy.save(state, about))


@spelled
@expecting(path=PATH)
def load(model: Saved, path: str | os.PathLike[str]) -> None:
    """Give a model the parameters that `save` wrote: all of them, or none.

    Floating-point arrays are cast to the dtype that the model has. Never more bytes are read than a file of this
    model can have.

    Parameters
    ----------
    model, path
        As for `save`: a model of the same shapes, with `load_state_dict()` too, or a dict of such things, of which
        either all are changed or none; and the file.

    Raises
    ------
    CheckpointError
        If the file is of another model, damaged, cut short, or not written by `save`, or the model refuses what
        it holds; the model is unchanged.
    TypeError, ImportError, OSError
        As for `save`; also if there is no such file.
    """
    package = safetensors()
    thing = stateful(model, "load")
    own = state_of(thing)
    with open(path, "rb") as file:
        try:
            thing.load_state_dict(read(file, thing, own, package))
        except (ValueError, TypeError) as fault:
            reason = f"{path} cannot be loaded into {type(model).__name__}, which is unchanged: {words(fault)}"
            raise refusal(CheckpointError, printable(reason)) from None


def state_of(thing: Stateful) -> Any:
    """The state of something, of which every name is a text."""
    state = thing.state_dict()
    if odd := next((name for name in state if not isinstance(name, str)), None):
        raise refusal(CheckpointError, f"names of arrays are texts; got {odd!r} ({type(odd).__name__})")
    return state


def write(path: Path, content: bytes) -> None:
    """Replace a file by a new one of the same mode that is on the disk already."""
    temporary = path.with_name(f".saving-{token_hex(8)}.tmp")
    written = False
    try:
        mode = mode_of(path)
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode or ANYBODY)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        written = True
        os.replace(temporary, path)
        settle(path.parent)
    except BaseException as error:
        renamed = written and not temporary.exists()
        with suppress(OSError):
            temporary.unlink()
        error.add_note(f"{path} was saved" if renamed else f"nothing was saved; {path} is as it was")
        raise


def mode_of(path: Path) -> int | None:
    """The permissions of a file, or None if there is none."""
    with suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode)
    return None


def settle(folder: Path) -> None:
    """Force a rename to the disk; where a folder cannot be opened, the system orders renames itself."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def read(file: BinaryIO, model: Stateful, own: Mapping[str, Any], package: ModuleType) -> dict[str, Any]:
    """The arrays of a file, if they are whole and fit a state; header and sizes are compared before more is read."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    longest = SPARE + sum(ROOM + 12 * len(name) for name in own)
    if not 2 <= length <= min(size - 8, longest):
        raise CheckpointError(f"cut short, or no safetensors file: {size} bytes, its header claims {length}")
    version, expected, entries = described(file.read(length))
    own = {**own, **grown(own, entries, growing(model))}
    if faults := misfits(own, entries, model):
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise CheckpointError("; ".join(short(fault) for fault in faults[:5]) + more)
    promised = sum(np.prod(own[name].shape, dtype=object) * entry.dtype.itemsize for name, entry in entries.items())
    if (there := size - 8 - length) != promised:
        raise CheckpointError(f"it has {there} bytes of numbers instead of {promised}: cut short, or damaged")
    file.seek(0)
    state = unpacked(file.read(size), package)
    if fingerprint(version, state) != expected:
        raise CheckpointError("it is damaged: its content does not have the fingerprint that was saved with it")
    return {name: fitted(name, array, own[name].dtype) for name, array in state.items()}


def grown(own: Mapping[str, Any], entries: Mapping[str, Entry], names: set[str]) -> dict[str, Any]:
    """For arrays that may have any length, such as a history, one of the length in the file, without its memory."""
    lengths = {name: entries[name].shape for name in names & own.keys() & entries.keys()}
    fine = {n: s for n, s in lengths.items() if len(s) == 1 and type(s[0]) is int and 0 <= s[0] <= LONGEST}
    return {name: np.broadcast_to(np.zeros((), own[name].dtype), shape) for name, shape in fine.items()}


def described(header: bytes) -> tuple[str, str, dict[str, Entry]]:
    """The version and fingerprint in a header, and what it says of each array."""
    try:
        found = json.loads(header.decode(), object_pairs_hook=distinct)
    except CheckpointError:
        raise
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"it is damaged, or no safetensors file: its header is not JSON ({error})") from None
    match found.pop(METADATA, None) if isinstance(found, dict) else None:
        case {"format": "tinygrad_edu", "version": str(version), "sha256": str(expected)}:
            return version, expected, {name: entry(name, about) for name, about in found.items()}
    raise CheckpointError(
        "tinygrad_edu did not write it, or it is damaged; to take arrays from elsewhere: "
        "model.load_state_dict(safetensors.numpy.load_file(path))"
    )


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which no key stands twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise CheckpointError(f"its header has '{short(key)}' twice")
        found[key] = value
    return found


def entry(name: str, about: Any) -> Entry:
    """What a header says of one array, if it makes sense."""
    match about:
        case {"dtype": str(dtype), "shape": list(shape)} if dtype in DTYPES:
            return Entry(np.dtype(DTYPES[dtype]), tuple(shape))
        case {"dtype": dtype, "shape": list()}:
            raise CheckpointError(f"'{short(name)}' has dtype {short(str(dtype))}; known are {', '.join(DTYPES)}")
    raise CheckpointError(f"its header does not say what '{short(name)}' is")


def misfits(own: Mapping[str, Any], entries: Mapping[str, Entry], model: Stateful) -> list[str]:
    """What keeps the arrays of a header from fitting: names, shapes, and dtypes of another kind."""
    both = [(name, own[name].dtype.newbyteorder("<"), entry.dtype) for name, entry in entries.items() if name in own]
    unlike = [(name, a, b) for name, a, b in both if a != b and {a.kind, b.kind} != {"f"}]
    faults = differences(own, entries, partial(advice, model))
    return faults + [f"'{name}' is {a} here and {b} in the file" for name, a, b in unlike]


def unpacked(content: bytes, package: ModuleType) -> dict[str, Any]:
    """The arrays of a whole file; the package checks offsets, overlaps, holes, and shapes against sizes."""
    try:
        return dict(package.numpy.load(content))
    except package.SafetensorError as error:
        raise CheckpointError(f"it is damaged: {error}") from None


def fitted(name: str, array: Any, dtype: np.dtype[Any]) -> Any:
    """A copy in a model's dtype, if that can hold the numbers."""
    with np.errstate(over="ignore"):
        cast = array.astype(dtype)
    if not np.array_equal(np.isfinite(array), np.isfinite(cast)):
        raise CheckpointError(f"'{name}' is {array.dtype} in the file, with numbers too large for {dtype}")
    return cast


def portable(state: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of a state as the format has them: little-endian, in C order."""
    arrays = {}
    for name, array in state.items():
        plain = np.asarray(array, order="C")
        little = plain.dtype.newbyteorder("<")
        if little.str.replace("|", "<") not in DTYPES.values():
            raise CheckpointError(f"'{name}' is {plain.dtype}; the format has {', '.join(DTYPES)}")
        if name == METADATA or any(0xD800 <= ord(c) < 0xE000 for c in name):
            raise CheckpointError(f"'{name}' cannot be a name in a file; rename the attribute or dict key")
        arrays[name] = plain.astype(little, copy=False)
    return arrays


def fingerprint(version: str, state: Mapping[str, Any]) -> str:
    """SHA-256 of everything that a file says: version, names, dtypes, shapes and numbers."""
    digest = sha256(ascii(version).encode())
    for name, array in sorted(state.items()):
        digest.update(ascii((name, array.dtype.name, array.shape)).encode())
        digest.update(array.reshape(-1).view(np.uint8))
    return digest.hexdigest()


def short(text: str) -> str:
    """A text of which the middle is left out if it is long."""
    return text if len(text) <= 300 else f"{text[:200]}...{text[-90:]}"


def safetensors() -> ModuleType:
    """The package, imported when it is first needed."""
    try:
        import safetensors.numpy
    except ImportError:
        raise refusal(ImportError, 'networks are saved with safetensors: pip install "tinygrad_edu[save]"') from None
    return safetensors
