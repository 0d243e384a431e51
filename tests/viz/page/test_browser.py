"""The explorer in a real browser, from a file and offline: what it shows, step by step, is what the trace says."""

import pytest

from tests.viz.graphs import as_text
from tests.viz.pages import (
    CHECKS,
    check_backward,
    check_forward,
    check_gradients,
    network,
    neuron,
    settled,
    shown,
    until,
    walked,
    with_results,
)  # fmt: skip
from tinygrad_edu import Value, viz
from tinygrad_edu.viz.page.narration import OPENING

pytest.importorskip("pygraphviz")
pytestmark = pytest.mark.no_cover


@pytest.mark.parametrize("made", [neuron, network])
def test_every_step_of_every_phase_shows_what_the_trace_says(visit, made):
    told = made()
    story, page = as_text(told), visit(told)
    check_gradients(shown(page), story, 0)
    for name, check in CHECKS.items():
        page.get_by_role("button", name=name, exact=True).click()
        seen = shown(page)
        assert seen.say == OPENING[name].format(root=told.story.diagram.root.name)
        assert seen.ledger == []
        page.get_by_role("button", name="One step on").click()
        steps = len(getattr(story, name))
        for k, seen in enumerate([shown(page), *walked(page, steps - 1)], 1):
            assert seen.count == f"{k}/{steps}"
            check(seen, story, k)


def test_by_keyboard_alone(visit):
    told = neuron()
    story, page = as_text(told), visit(told)
    press = lambda key: page.keyboard.press(key) or shown(page)
    for key, name in (("f", "forward"), ("u", "update"), ("b", "backward")):
        press(key)
        assert page.locator("#phases [aria-pressed=true]").all_text_contents() == [name]
        for k in range(1, len(getattr(story, name)) + 1):
            CHECKS[name](press("ArrowRight"), story, k)
    assert press("Home").count.startswith("0/")
    press("End")
    check_backward(press("ArrowLeft"), story, len(story.backward) - 1)
    assert press("n").focus == story.leaves[0].box
    assert press("2").marked["lit"] == with_results(story.leaves[0].routes[1].parts)
    every = with_results(part for route in story.leaves[0].routes for part in route.parts)
    assert press("Escape").marked["lit"] == every
    assert press("p").title.startswith(story.leaves[-1].derivative)
    press("Escape")
    assert page.locator("#sum").is_hidden()
    press("?")
    assert page.locator("#help").is_visible()
    press("Escape")
    assert page.locator("#help").is_hidden()


def test_finding_a_value_by_name(visit):
    told = neuron()
    page = visit(told)
    page.keyboard.press("/")
    page.keyboard.type("Pred")
    (wanted,) = [box.id for box in as_text(told).diagram.boxes if box.name == "prediction"]
    seen = shown(page)
    assert seen.marked["found"] == {wanted}
    assert seen.say == "1 found: prediction"
    page.keyboard.press("Enter")
    assert shown(page).focus == wanted
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    assert shown(page).marked["found"] == set()


def test_enter_on_a_variable_in_the_picture_and_a_click_on_it(visit):
    told = neuron()
    leaf, page = as_text(told).leaves[1], visit(told)
    page.locator(f"#{leaf.box}").focus()
    page.keyboard.press("Enter")
    assert shown(page).title.startswith(leaf.derivative)
    page.keyboard.press("Enter")
    assert page.locator("#sum").is_hidden()
    page.keyboard.press("0")
    settled(page)
    page.locator(f"#{leaf.box} polygon").first.click()
    assert page.locator("#sum").is_visible()
    assert shown(page).title.startswith(leaf.derivative)


def test_the_products_along_all_paths_of_every_variable_sum_to_its_gradient(visit):
    told = neuron()
    page = visit(told)
    for leaf in as_text(told).leaves:
        page.locator("#leaves").get_by_role("button", name=leaf.name, exact=True).click()
        seen = shown(page)
        assert seen.routes == [[route.words, route.product] for route in leaf.routes]
        assert seen.title.endswith(f"= {leaf.gradient}")
        assert seen.marked["lit"] == with_results(part for route in leaf.routes for part in route.parts)
        for k, route in enumerate(leaf.routes):
            page.locator("#routes tbody tr").nth(k).locator("td").first.click()
            assert shown(page).marked["lit"] == with_results(route.parts)
        assert page.locator("#leaves tr.now td").last.text_content() == leaf.earlier
        assert f"{leaf.earlier} left over from an earlier backward: zero_grad?" == page.text_content("#earlier")


def test_more_paths_than_are_listed(visit):
    y = Value(1.0, name="x")
    for _ in range(5):
        y = y + y
    page = visit(viz.trace(y))
    page.keyboard.press("n")
    assert page.text_content("#rest") == "+26 more paths = 26"
    assert page.text_content("#sum-title").endswith("+ 26 (+26 more paths) = 32")


def test_an_address_leads_to_a_step_a_variable_and_a_path(visit):
    told = neuron()
    story, leaf = as_text(told), as_text(told).leaves[0]
    page = visit(told, f"#s=7&leaf={leaf.box}")
    seen = shown(page)
    check_backward(seen, story, 7)
    assert seen.title.startswith(leaf.derivative)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("2")
    assert page.evaluate("location.hash") == f"#s=8&leaf={leaf.box}&path=2"
    page.evaluate("location.hash = '#t=forward&s=3'")
    until(page, lambda: shown(page).count.startswith("3/"))
    check_forward(shown(page), story, 3)
    assert page.locator("#sum").is_hidden()
    assert page.evaluate("history.length") == 3  # the blank page, the page, and the one address typed by hand


def test_play_and_pause(visit):
    page = visit(neuron(), alone=True)
    page.clock.install()
    page.keyboard.press(" ")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.clock.run_for(1_400)
    assert shown(page).count.startswith("2/")
    page.keyboard.press(" ")
    page.clock.run_for(14_000)
    assert shown(page).count.startswith("2/")
    page.locator("#slider").focus()
    page.keyboard.press("End")
    at, steps = shown(page).count.split("/")
    assert at == steps
