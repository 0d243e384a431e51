"""The moving picture tells the story: every step with its words, its lights, its numbers; nothing in it can act."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viz.motion.stories import neuron, shared
from tinygrad_edu import Value, viz
from tinygrad_edu.viz.model import formatting, formula
from tinygrad_edu.viz.motion.svg import Keyframes, animated_svg
from tinygrad_edu.viz.motion.view import Mark

pytest.importorskip("pygraphviz")

NAMESPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text></svg><script>alert(1)</script>\" onload='x' \u202e\x00\ud800 &amp; <a href=javascript:1>"


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


@pytest.mark.parametrize("trace", [neuron(), shared()], ids=["neuron", "shared"])
def test_every_step_has_its_words_and_its_lights_in_order(trace):
    stage, diagram = trace.stage(), trace.diagram
    svg = animated_svg(stage)
    backward = [k for k, scene in enumerate(stage.scenes) if scene.phase == "backward"][1:]
    assert len(backward) == len(trace.story.backward)
    for k, step in zip(backward, trace.story.backward, strict=True):
        shown = list(at_scene(svg, k, stage.durations))
        words = " ".join(e.text for e in shown if e.tag == f"{NAMESPACE}text" and not e.get("data-part"))
        for told in (formula.derivative, formula.formula):
            assert told(step.derivative) in words
        for told in (formula.product, formula.accumulation):
            assert told(step) in words
        lit = {e.get("data-part") for e in shown if e.get("stroke") == "#C81E1E"}
        node, operand = step.edge.result, step.edge.operand
        ends = {diagram.box(node), diagram.box(operand)}
        assert {diagram.operation(node), diagram.arrow(step.edge), *ends} <= lit


@pytest.mark.parametrize("trace", [neuron(), shared()], ids=["neuron", "shared"])
def test_at_the_end_every_box_has_its_gradient_and_before_the_backward_pass_none(trace):
    stage = trace.stage()
    svg = animated_svg(stage)
    grads = {trace.diagram.box(s.edge.operand): formatting.array(s.after) for s in trace.story.backward}
    last = len(stage.scenes) - 1
    for k, expected in ((stage.turn - 1, dict.fromkeys(grads, "-")), (last, grads)):
        shown = at_scene(svg, k, stage.durations)
        found = {e.get("data-part"): e.text for e in shown if (e.text or "").startswith("grad ")}
        assert expected.items() <= {part: text.removeprefix("grad ") for part, text in found.items()}.items()


def test_the_tutorials_numbers():
    svg = animated_svg(neuron().stage())
    for number in ("grad 1.742", "grad 0.1957", "grad [0.3914, 0.2936]", "1.742 * 0.1123 = 0.1957", "data 0.7587"):
        assert f">{number}<" in svg


def test_without_motion_the_last_scene_stands_still():
    stage = neuron().stage()
    svg = animated_svg(stage)
    still = {e for e in ET.fromstring(svg).iter() if e.get("opacity") is None and e.tag == f"{NAMESPACE}text"}
    shown = at_scene(svg, len(stage.scenes) - 1, stage.durations)
    last = [e.text for e in shown if e.tag == f"{NAMESPACE}text"]
    assert sorted(e.text for e in still) == sorted(last)
    assert "prefers-reduced-motion:reduce" in svg


def test_hostile_names_are_inert():
    w = Value(2.0, name=HOSTILE)
    svg = animated_svg(viz.trace(w * w, names={HOSTILE: w}).stage())
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
    names = {re.search(r'class="(t[0-9a-f]{8})"', animated_svg(trace.stage()))[1] for trace in (neuron(), shared())}
    assert len(names) == 2
    assert animated_svg(neuron().stage()) == animated_svg(neuron().stage())


def test_screen_readers_hear_the_gradients():
    root = ET.fromstring(animated_svg(neuron().stage()))
    assert root.get("role") == "img"
    assert "derror_dweights = [0.3914, 0.2936]; derror_dbias = 0.1957" in root.get("aria-label")


def test_the_camera_follows_long_stories():
    x = Value(0.5, name="x")
    for _ in range(75):
        x = np.sin(x)
    svg = animated_svg(viz.trace(x).stage())
    assert "transform:translate(" in svg
    assert "76 values: formulas and gradients are left out" in svg


DURATIONS = [1.0, 2.0, 0.5, 4.0]
STOP = re.compile(r"([\d.]+)%\{opacity:([\d.]+)\}")


def opacity(frames, seconds, total):
    """What a browser shows at a time: the straight line between two stops."""
    stops = [(float(at) * total / 100, float(value)) for at, value in STOP.findall(frames)]
    assert stops[0][0] == 0.0
    assert stops[-1][0] == pytest.approx(total)
    before = max(stop for stop in stops if stop[0] <= seconds)
    after = min(stop for stop in stops if stop[0] >= seconds)
    share = (seconds - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0.0
    return before[1] + share * (after[1] - before[1])


@given(st.integers(0, 3), st.integers(1, 3), st.sampled_from([0.0, 0.4]))
def test_in_the_middle_of_each_scene(first, length, rest):
    end = first + length if first + length < len(DURATIONS) else None
    frames = Keyframes(DURATIONS)
    if not frames.seen(Mark("path", {}, first=first, end=end, rest=rest)):
        assert (first, end) == (0, None)
        return
    (rule,) = frames.rules
    for k, duration in enumerate(DURATIONS):
        seen = first <= k and (end is None or k < end)
        middle = sum(DURATIONS[:k]) + duration / 2
        assert opacity(rule, middle, sum(DURATIONS)) == pytest.approx(1.0 if seen else rest, abs=1e-3)


def test_stops_are_in_order():
    frames = Keyframes(DURATIONS)
    frames.seen(Mark("path", {}, first=1, end=3))
    frames.camera([(0.0, 0.0), (0.0, 0.0), (-5.0, 0.0), (1.0, 2.0)])
    for rule in frames.rules:
        times = [float(at) for at in re.findall(r"([\d.]+)%\{", rule)]
        assert times == sorted(times)


def test_marks_of_one_span_share_a_rule_and_what_does_not_change_has_none():
    frames = Keyframes(DURATIONS)
    assert frames.seen(Mark("path", {}, first=1)) == frames.seen(Mark("text", {}, first=1)) == "k0"
    assert frames.seen(Mark("path", {})) == ""
    assert frames.camera([(1.0, 2.0)] * 4) == ""
    assert len(frames.rules) == 1


def test_the_style_sheet_loops_pauses_and_respects_reduced_motion():
    frames = Keyframes(DURATIONS)
    frames.seen(Mark("path", {}, first=1))
    style = frames.style("t1")
    assert "animation:7.5s linear infinite" in style
    assert "@keyframes t1k0{" in style
    assert "animation-play-state:paused" in style
    assert "@media (prefers-reduced-motion:reduce){.t1 *{animation:none!important}}" in style
