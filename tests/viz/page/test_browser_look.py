"""The explorer for every eye and every window: contrast, motion, forced colours, widths, names for each focus."""

import numpy as np
import pytest

from tests.viz.pages import network, neuron, settled, until
from tinygrad_edu import Value, viz
from tinygrad_edu.viz.page.narration import narrated

pytest.importorskip("pygraphviz")
pytestmark = pytest.mark.no_cover

CONTRAST = """() => {
  const light = (colour) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.match(/[\\d.]+/g).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const nodes = [...document.querySelectorAll("#picture g.node")].map((g) =>
    ratio(getComputedStyle(g.querySelector("text")).fill, getComputedStyle(g.querySelector("polygon")).fill));
  const edges = [...document.querySelectorAll("#picture g.edge text")].map((text) =>
    ratio(getComputedStyle(text).fill, getComputedStyle(document.documentElement).backgroundColor));
  const body = getComputedStyle(document.documentElement);
  return [...nodes, ...edges, ratio(body.color, body.backgroundColor)];
}"""


WIDEST = """(keys) => Math.max(...keys.map((key) => {
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  return document.documentElement.scrollWidth;
}))"""


def test_the_picture_and_the_page_can_be_read_in_both_schemes(visit):
    page = visit(neuron(), "#s=15&leaf=v1")
    for scheme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 28)")):
        page.emulate_media(color_scheme=scheme)
        assert min(page.evaluate(CONTRAST)) >= 4.5
        background = page.evaluate("getComputedStyle(document.querySelector('#picture .graph > polygon')).fill")
        assert background == paper


def test_nothing_moves_for_who_asked_for_that(visit):
    page = visit(neuron(), "#s=3", reduced_motion="no-preference")
    motion = "getComputedStyle(document.querySelector('#picture g.node.now polygon')).animationName"
    assert page.evaluate(motion) != "none"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(motion) == "none"


def test_forced_colours_still_show_where_the_step_is(visit):
    page = visit(neuron(), "#s=3", forced_colors="active")
    stroke = "g => getComputedStyle(g.querySelector('polygon')).stroke"
    now = page.eval_on_selector("#picture g.node.now", stroke)
    others = page.eval_on_selector_all("#picture g.node:not(.now):not(.to):not(.from)", f"gs => gs.map({stroke})")
    assert now not in others


@pytest.mark.parametrize("made", [neuron, network])
def test_no_width_makes_the_page_scroll_sideways(visit, made):
    page = visit(made(), "#s=5&leaf=v1")
    for width in (320, 768, 1600):
        page.set_viewport_size({"width": width, "height": 700})
        for phase in ("f", "b", "u"):
            assert page.evaluate(WIDEST, [phase, "End", "n"]) <= width
        assert page.locator("#picture").bounding_box()["width"] >= min(width, 480) - 2


def test_everything_that_takes_the_focus_has_a_name_and_a_role(visit):
    page = visit(neuron(), "#s=3&leaf=v1")
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    focusable = [node for node in tree if flag(node, "focusable") and node["role"]["value"] != "RootWebArea"]
    assert len(focusable) > 20
    assert [node for node in focusable if not node.get("name", {}).get("value")] == []
    assert {node["role"]["value"] for node in focusable} <= {
        "button", "searchbox", "slider", "image", "img", "DisclosureTriangle",
    }  # fmt: skip
    assert page.eval_on_selector_all(
        "table", "ts => ts.every(t => t.tHead && t.querySelector('tbody th[scope=row]'))"
    )
    assert page.locator("#say").get_attribute("role") == "status"
    assert page.eval_on_selector_all("[id]", "all => all.length === new Set(all.map(one => one.id)).size")


def flag(node, name):
    return any(entry["name"] == name and entry["value"].get("value") for entry in node.get("properties", ()))


def test_the_table_says_what_the_picture_shows(visit):
    told = network()
    page = visit(told)
    page.locator("summary").click()
    fields = narrated(told.story)["boxes"]
    wanted = [dict(zip(fields["fields"], row, strict=True)) for row in fields["rows"]]
    columns = ("name", "kind", "words", "data", "grad", "remarks")
    rows = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    assert page.locator("#boxes").is_visible()
    assert page.eval_on_selector_all("#boxes tbody tr", rows) == [[box[name] for name in columns] for box in wanted]


def test_thumbnails_are_shown_enlarged_not_smoothed(visit):
    pytest.importorskip("PIL")
    told = network()
    page = visit(told, "#s=5")
    image = page.locator("#images img").first
    assert image.bounding_box()["height"] >= 40
    assert image.evaluate("i => [i.naturalWidth > 0, getComputedStyle(i).imageRendering]") == [True, "pixelated"]


def test_zoom_and_pan(visit):
    page = visit(network(), reduced_motion="no-preference")
    page.get_by_role("button", name="Show the whole graph").click()
    whole = settled(page)
    page.get_by_role("button", name="Zoom in").click()
    near = settled(page)
    assert near[2] < whole[2]
    frame = page.locator("#picture svg").bounding_box()
    page.mouse.move(frame["x"] + 200, frame["y"] + 300)
    page.mouse.down()
    page.mouse.move(frame["x"] + 260, frame["y"] + 340, steps=4)
    page.mouse.up()
    moved = settled(page)
    assert moved[0] < near[0]
    assert moved[1] < near[1]
    assert moved[2:] == near[2:]
    page.mouse.wheel(0, -100)
    until(page, lambda: settled(page)[2] < near[2])
    page.keyboard.press("0")
    assert settled(page) == whole


def test_a_zoomed_picture_follows_the_step(visit):
    y = Value(0.5, name="x")
    for _ in range(25):
        y = np.tanh(y)
    page = visit(viz.trace(y))
    for key in ("ArrowRight", "End"):  # the first step is at the bottom of the picture, the last one at its top
        page.keyboard.press(key)
        settled(page)
        seen, node = (page.locator(at).bounding_box() for at in ("#picture svg", "#picture g.node.now"))
        assert seen["y"] <= node["y"] <= node["y"] + node["height"] <= seen["y"] + seen["height"]


def test_a_frame_that_has_no_size_at_first_shows_the_picture_later(visit):
    framed = network().explore()._repr_html_()
    page = visit(f"<!DOCTYPE html><title>host</title><div id='host' style='display:none'>{framed}</div>")
    inside = page.query_selector("iframe").content_frame()
    inside.wait_for_selector("#picture svg", state="attached")
    page.evaluate("document.querySelector('#host').style.display = 'block'")
    node = inside.locator("#picture g.node").first
    until(page, lambda: (node.bounding_box() or {"width": 0})["width"] > 20)
    assert min(settled(inside)[2:]) > 0
    assert node.bounding_box()["width"] > 20
