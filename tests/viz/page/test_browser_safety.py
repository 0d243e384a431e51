"""Whatever a page is made of, it opens and nothing in it runs: hostile names, wrong addresses, large graphs.

Which faults are watched for stands in `conftest.py`.
"""

import numpy as np
import pytest

from tests.viz.graphs import as_text
from tests.viz.pages import neuron, shown
from tinygrad_edu import Value, viz

pytest.importorskip("pygraphviz")
pytestmark = pytest.mark.no_cover

HOSTILE = [
    '"', "'", "\\", "a\nb", "<lambda>", "{}|<>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "javascript:alert(1)", "\u202eevil", "\u202e", "\ud800", "x" * 100_000, "<!--", "]]>", "&lt;b&gt;", "__proto__",
    "constructor", "${alert(1)}", "data 1", "grad -", "\u2028", "%22%3E", "-->", "<svg onload=alert(1)>", "v1",
]  # fmt: skip


def test_hostile_names_are_only_names(visit):
    values = [Value(float(i), name=name) for i, name in enumerate(HOSTILE)]
    total = values[0]
    for value in values[1:]:
        total = total * value + value
    total.name = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>"
    told = viz.trace(total)
    story, page = as_text(told), visit(told, "#s=3&leaf=v1")
    assert page.locator("script").count() == 2
    assert page.locator("img:not(#images img), [onerror], [onload], a, iframe").count() == 0
    assert page.locator("#leaves tbody button").all_text_contents() == [leaf.name for leaf in story.leaves]
    assert len(story.leaves) == len(HOSTILE)
    for name in ("f", "u", "b"):
        page.keyboard.press(name)
        page.keyboard.press("End")
    for _ in story.leaves[:6]:
        page.keyboard.press("n")
    page.locator("summary").click()
    assert page.locator("#boxes tbody tr").count() == len(story.diagram.boxes)
    shown = set(page.locator("#picture g.node text").all_text_contents())
    assert {leaf.name for leaf in story.leaves if leaf.name} <= shown
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_wrong_address_is_no_fault(visit):
    page = visit(neuron())
    right = page.url
    for address in ("#s=-5", "#s=1e999", "#s=x&leaf=<b>&t=__proto__&path=1", "#%ff", "#leaf=constructor"):
        page.goto("about:blank")
        page.goto(right + address)
        assert page.locator("#say").is_visible(), address
        assert page.locator("#sum").is_hidden(), address


def test_without_graphviz_the_page_works_without_a_picture(visit, monkeypatch):
    told = neuron()
    with monkeypatch.context() as patched:
        patched.setattr("tinygrad_edu.viz.picture.graphviz.has_library", lambda: False)
        patched.setattr("shutil.which", lambda name: None)
        html = told.explore().html
    page = visit(html, "#s=2&leaf=v1")
    assert "no Graphviz found" in page.text_content("#picture")
    assert shown(page).facts["Contribution"] == as_text(told).backward[1].product
    for key in ("n", "ArrowRight", "+", "0", "/", "Escape", "f", "End"):
        page.keyboard.press(key)
    assert page.text_content("#sum-title").startswith(as_text(told).leaves[1].derivative)


@pytest.mark.parametrize("length", [90, 300, 2_500])
def test_large_graphs_open(visit, length):
    ws = [Value(0.5, name=f"w{i}") for i in range(3)]
    y = ws[0]
    for i in range(length):
        y = np.tanh(y + ws[i % 3])
    told = viz.trace(y)
    page = visit(told, "#s=5")
    step = as_text(told).backward[4]
    assert shown(page).facts["Contribution"] == step.product
    page.keyboard.press("n")
    assert shown(page).marked["lit"]
    page.keyboard.press("End")
    assert shown(page).count.startswith(str(len(as_text(told).backward)))
    assert page.text_content("#left") == ("" if length < 2_000 else "... and 5,500 more steps, which are left out")


def test_notebooks_that_trust_show_the_explorer_and_the_others_an_image(visit):
    told = neuron()
    bundle = told.explore()._repr_mimebundle_()["text/html"]
    page = visit(f"<!DOCTYPE html><body>{bundle}</body>")
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="One step on").click()
    assert frame.locator("#say").text_content().startswith(as_text(told).backward[0].result_name)
    image = page.locator("body > div > img").bounding_box()
    covered = page.locator("iframe").bounding_box()
    assert covered["height"] >= 600
    assert covered["y"] <= image["y"]
    assert image["y"] + image["height"] <= covered["y"] + covered["height"]
    page.evaluate("document.querySelector('iframe').remove()")
    assert page.locator("img").evaluate("i => i.complete && i.naturalWidth > 100")
    assert page.locator("img").is_visible()
