"""The examples run as scripts, write the files that they promise, and stay short enough to read.

Those that take long run here in the longer profiles; `.ci/run` runs all of them as scripts, and so does the gallery.
"""

import runpy
from pathlib import Path

import pytest

from tests.robustness.running import LONG

pytestmark = pytest.mark.no_cover

EXAMPLES = Path(__file__).parents[1] / "examples"
WRITES = {
    "bare_values_network": ["bare_values_network.svg"],
    "bare_values_neuron": ["bare_values_neuron.svg"],
    "choose_a_step": ["step_float32.png", "step_size.png"],
    "compare_passes": ["compare_passes.svg"],
    "derivatives_of_derivatives": ["double_pendulum.png"],
    "digits": ["digits.png"],
    "explain_a_gradient": ["explain_a_gradient.svg"],
    "explore_backward": ["explore_backward.html"],
    "first_prediction": ["first_prediction.svg"],
    "gradient_at_a_kink": ["kink.png"],
    "house_price": ["house_price.png"],
    "network_3_4_1": ["network_3_4_1.svg"],
    "online_neuron": ["cumulative_error.png"],
    "planted_faults": [],
    "see_backward": ["see_backward.gif", "see_backward.svg"],
    "taylor_test": ["taylor.png"],
    "zoom_a_drawing": [
        f"zoom_{name}.svg" for name in ("1_module", "2_tensor", "3_scalar", "4_folded", "5_loop", "6_flags")
    ],
    "watch_training": ["watch_training.gif"],
}
NEEDS = {
    "choose_a_step": ["matplotlib"],
    "derivatives_of_derivatives": ["matplotlib"],
    "digits": ["sklearn", "matplotlib"],
    "gradient_at_a_kink": ["matplotlib"],
    "house_price": ["matplotlib"],
    "online_neuron": ["matplotlib"],
    "planted_faults": [],
    "see_backward": ["pygraphviz", "PIL", "matplotlib"],
    "taylor_test": ["matplotlib"],
    "watch_training": ["matplotlib"],
}
SLOW = (  # a second or longer
    "bare_values_network", "choose_a_step", "derivatives_of_derivatives", "digits", "network_3_4_1", "online_neuron",
    "planted_faults", "see_backward", "watch_training",
)  # fmt: skip
STARTS = {".png": b"\x89PNG", ".svg": b"<", ".gif": b"GIF89a", ".html": b"<!DOCTYPE html>"}


def expect_files(folder, names):
    """Exactly these files are in a folder, and each is what its ending says."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    for path in folder.iterdir():
        assert path.read_bytes().startswith(STARTS[path.suffix]), path.name


def test_every_script_is_tested_and_short():
    lines = {path.stem: len(path.read_text(encoding="utf-8").splitlines()) for path in EXAMPLES.glob("*.py")}
    assert lines.keys() == WRITES.keys()
    assert max(lines.values()) <= 80


@pytest.mark.parametrize("name", WRITES)
def test_scripts_run_and_write_their_files(name, tmp_path, monkeypatch):
    for module in NEEDS.get(name, ["pygraphviz"]):
        pytest.importorskip(module)
    if name in SLOW and not LONG:
        pytest.skip(f"runs in .ci/run, and in the profile nightly: python examples/{name}.py")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    if "matplotlib" in NEEDS.get(name, []):
        from matplotlib import pyplot

        pyplot.close("all")
    expect_files(tmp_path, WRITES[name])
