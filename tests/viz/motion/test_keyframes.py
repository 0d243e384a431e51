"""Keyframes say the same as the marks: seen from the first scene to the end, and of some opacity otherwise."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.viz.motion.keyframes import Keyframes
from tinygrad_edu.viz.motion.marks import Mark

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
