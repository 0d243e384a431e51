"""The animation tells the story: every step with its words, its lights, its numbers, and nothing in it can act."""

import io
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest

from tests.viz.graphs import as_text
from tinygrad_edu import Value, sigmoid, viz
from tinygrad_edu.viz.motion import raster
from tinygrad_edu.viz.motion.animation import LAST, SECONDS, animated_svg, gif
from tinygrad_edu.viz.motion.scenes import scenes
from tinygrad_edu.viz.picture.style import DARK

pytest.importorskip("pygraphviz")

NAMESPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text></svg><script>alert(1)</script>\" onload='x' \u202e\x00\ud800 &amp; <a href=javascript:1>"


def neuron():
    """The tutorial's second prediction: its error is 0.7587, for a target of 0."""
    w, b = Value([1.45, -0.66], name="weights"), Value(0.0, name="bias")
    layer_1 = np.array([2.0, 1.5]) @ w
    prediction = sigmoid(layer_1 + b)
    error = np.square(prediction - 0.0)
    return viz.trace(error, names={"layer_1": layer_1, "prediction": prediction, "error": error})


def shared():
    w = Value(3.0, name="w")
    return viz.trace((w * 2.0) * w)


def spans(svg):
    """When each class of the picture begins and ends to be seen, in seconds."""
    total = float(re.search(r"animation:([\d.]+)s", svg)[1])
    found = {}
    for rule, frames in re.findall(r"@keyframes t[0-9a-f]{8}(k\d+)\{(.*?\})\}", svg):
        stops = [
            (float(at) * total / 100, o == "1") for at, o in re.findall(r"([\d.]+)%\{opacity:([\d.]+)\}", frames)
        ]
        shown = [at for at, full in stops if full]
        found[rule] = min(shown), max(shown)
    return found, total


def at_scene(svg, k, durations):
    """The elements that a browser shows in the middle of a scene."""
    rules, total = spans(svg)
    assert total == pytest.approx(sum(durations), abs=1e-3)
    now = sum(durations[:k]) + durations[k] / 2
    root = ET.fromstring(svg)
    for element in root.iter():
        first, end = rules.get(element.get("class"), (0.0, total))
        if first <= now <= end and element is not root:
            yield element


def durations(told):
    lasting = [SECONDS * scene.seconds for scene in scenes(told.story)]
    return [*lasting[:-1], lasting[-1] + LAST * SECONDS]


@pytest.mark.parametrize("told", [neuron(), shared()], ids=["neuron", "shared"])
def test_every_step_has_its_words_and_its_lights_in_order(told):
    svg, story = animated_svg(told.story), as_text(told)
    pulls = [k for k, scene in enumerate(scenes(told.story)) if scene.phase == "backward"][1:]
    assert len(pulls) == len(story.backward)
    for k, step in zip(pulls, story.backward, strict=True):
        shown = list(at_scene(svg, k, durations(told)))
        words = " ".join(e.text for e in shown if e.tag == f"{NAMESPACE}text" and not e.get("data-part"))
        accumulation = f"{step.operand_name}.grad: {step.before} += {step.contribution} -> {step.after}"
        for sentence in (step.derivative, step.formula, step.product, accumulation):
            assert sentence in words
        lit = {e.get("data-part") for e in shown if e.get("stroke") == "#C81E1E"}
        assert {step.operation, step.arrow, step.operand, step.result} <= lit


@pytest.mark.parametrize("told", [neuron(), shared()], ids=["neuron", "shared"])
def test_at_the_end_every_box_has_its_gradient_and_before_the_backward_pass_none(told):
    svg, cut = animated_svg(told.story), scenes(told.story)
    grads = {step.operand: step.after for step in as_text(told).backward}
    turn = next(k for k, scene in enumerate(cut) if scene.phase == "backward")
    for k, expected in ((turn - 1, dict.fromkeys(grads, "-")), (len(cut) - 1, grads)):
        shown = at_scene(svg, k, durations(told))
        found = {e.get("data-part"): e.text for e in shown if (e.text or "").startswith("grad ")}
        assert expected.items() <= {part: text.removeprefix("grad ") for part, text in found.items()}.items()


def test_the_tutorials_numbers():
    svg = animated_svg(neuron().story)
    for number in ("grad 1.742", "grad 0.1957", "grad [0.3914, 0.2936]", "1.742 * 0.1123 = 0.1957", "data 0.7587"):
        assert f">{number}<" in svg


def test_without_motion_the_last_scene_stands_still():
    told = neuron()
    svg = animated_svg(told.story)
    still = {e for e in ET.fromstring(svg).iter() if e.get("opacity") is None and e.tag == f"{NAMESPACE}text"}
    last = [
        e.text for e in at_scene(svg, len(scenes(told.story)) - 1, durations(told)) if e.tag == f"{NAMESPACE}text"
    ]
    assert sorted(e.text for e in still) == sorted(last)
    assert "prefers-reduced-motion:reduce" in svg


def test_hostile_names_are_inert():
    w = Value(2.0, name=HOSTILE)
    svg = animated_svg(viz.trace(w * w, names={HOSTILE: w}).story)
    root = ET.fromstring(svg)
    tags = {element.tag.removeprefix(NAMESPACE) for element in root.iter()}
    attributes = {key for element in root.iter() for key in element.attrib}
    assert tags <= {"svg", "style", "g", "polygon", "polyline", "path", "text"}
    assert not [key for key in attributes if key.startswith("on") or "href" in key or key == "id"]
    assert root.find(f"{NAMESPACE}style").text.count("<") == 0
    assert not re.search(r"url\(|@import|@font-face|http(?!://www\.w3\.org/2000/svg)", svg)
    assert "script" in "".join(root.itertext())
    assert "\u202e" not in svg


def test_two_pictures_in_one_page_do_not_share_rules():
    names = {re.search(r'class="(t[0-9a-f]{8})"', animated_svg(told.story))[1] for told in (neuron(), shared())}
    assert len(names) == 2
    assert animated_svg(neuron().story) == animated_svg(neuron().story)


def test_screen_readers_hear_the_gradients():
    root = ET.fromstring(animated_svg(neuron().story))
    assert root.get("role") == "img"
    assert "derror_dweights = [0.3914, 0.2936]; derror_dbias = 0.1957" in root.get("aria-label")


def test_the_gif_has_a_picture_per_scene_that_lasts_as_long_and_starts_again():
    image = pytest.importorskip("PIL.Image")
    told = neuron()
    data = gif(told.story)
    assert data.startswith(b"GIF89a")
    assert len(data) < 1_000_000
    moving, frames, lasting = image.open(io.BytesIO(data)), [], []
    for k in range(moving.n_frames):
        moving.seek(k)
        lasting.append(moving.info["duration"] / 1000)
        frames.append(np.asarray(moving.convert("RGB")))
    assert lasting == pytest.approx(durations(told), abs=0.01)
    assert moving.info["loop"] == 0
    assert 600 <= frames[0].shape[1] <= 1_200
    assert all(np.any(a != b) for a, b in pairwise(frames))


def test_the_camera_follows_long_stories(monkeypatch):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.setattr(raster, "FINER", 1)  # coarse borders are drawn in a third of the time
    x = Value(0.5, name="x")
    for _ in range(75):
        x = np.sin(x)
    story = viz.trace(x).story
    moving = image.open(io.BytesIO(gif(story)))
    assert 40 <= moving.n_frames <= 60
    assert max(moving.size) < 1_700
    svg = animated_svg(story)
    assert "transform:translate(" in svg
    assert "76 values: formulas and gradients are left out" in svg


@pytest.mark.parametrize("length", [2_000, 100_000])
def test_large_graphs_are_refused_with_what_to_do_instead(length):
    x = Value(0.5, name="x")
    for _ in range(length):
        x = np.sin(x)
    story = viz.trace(x).story
    for animate in (animated_svg, gif):
        with pytest.raises(viz.DrawingError, match=f"{length + 1:,} values are too many to animate"):
            animate(story)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(seconds):
    for animate in (animated_svg, gif):
        with pytest.raises(ValueError, match="how long each pull backward is shown, such as 3"):
            animate(shared(), seconds=seconds)


def test_faster_and_dark():
    svg = animated_svg(shared().story, seconds=1.0, palette=DARK)
    assert DARK.paper in svg
    assert spans(svg)[1] == pytest.approx(sum(durations(shared())) / SECONDS, abs=1e-3)
    assert gif(shared(), seconds=0.1, palette=DARK).startswith(b"GIF89a")
