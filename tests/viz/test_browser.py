"""The explorer in a real browser, from a file and offline: what it shows, step by step, is what the trace says."""

import pytest

from tests.viz.pages import (
    CHECKS,
    cells,
    check_backward,
    check_forward,
    count,
    lines,
    marked,
    network,
    neuron,
    until,
    with_results,
)  # fmt: skip
from tinygrad_edu import Value, viz
from tinygrad_edu.viz.narration import OPENING, title

pytest.importorskip("pygraphviz")


@pytest.mark.parametrize("made", [neuron, network])
def test_every_step_of_every_phase_shows_what_the_trace_says(visit, made):
    story = made().story
    page = visit(made())
    for name, check in CHECKS.items():
        page.get_by_role("button", name=name, exact=True).click()
        assert page.text_content("#say") == OPENING[name].format(root=title(story))
        assert page.locator("#ledger tbody tr:visible").count() == 0
        steps = len(getattr(story, name))
        for k in range(1, steps + 1):
            page.get_by_role("button", name="One step on").click()
            assert count(page) == f"{k}/{steps}"
            check(page, story, k)


def test_gradients_in_the_picture_grow_with_the_steps(visit):
    told = neuron()
    story, held = told.story, {}
    page = visit(told)
    variables = {step.operand for step in story.backward}
    assert all("grad -" in lines(page, box) for box in variables)
    assert "grad 1" in lines(page, story.trace.boxes[-1].id)
    for step in story.backward:
        page.keyboard.press("ArrowRight")
        held[step.operand] = step.after
        assert all(f"grad {held.get(box, '-')}" in lines(page, box) for box in variables)


def test_by_keyboard_alone(visit):
    told = neuron()
    story, page = told.story, visit(told)
    press = page.keyboard.press
    for key, name in (("f", "forward"), ("u", "update"), ("b", "backward")):
        press(key)
        assert page.locator("#phases [aria-pressed=true]").all_text_contents() == [name]
        for k in range(1, len(getattr(story, name)) + 1):
            press("ArrowRight")
            CHECKS[name](page, story, k)
    press("Home")
    assert count(page).startswith("0/")
    press("End")
    press("ArrowLeft")
    check_backward(page, story, len(story.backward) - 1)
    press("n")
    assert page.evaluate("document.activeElement.id") == story.leaves[0].box
    press("2")
    assert marked(page, "lit") == with_results(story.leaves[0].routes[1].parts)
    press("Escape")
    assert marked(page, "lit") == with_results(p for route in story.leaves[0].routes for p in route.parts)
    press("p")
    assert page.text_content("#sum-title").startswith(story.leaves[-1].derivative)
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
    (wanted,) = [box.id for box in told.story.trace.boxes if box.name == "prediction"]
    assert marked(page, "found") == {wanted}
    assert page.text_content("#say") == "1 found: prediction"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == wanted
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    assert marked(page, "found") == set()


def test_enter_on_a_variable_in_the_picture_and_a_click_on_it(visit):
    told = neuron()
    leaf, page = told.story.leaves[1], visit(told)
    page.locator(f"#{leaf.box}").focus()
    page.keyboard.press("Enter")
    assert page.text_content("#sum-title").startswith(leaf.derivative)
    page.keyboard.press("Enter")
    assert page.locator("#sum").is_hidden()
    page.keyboard.press("0")
    page.wait_for_timeout(400)
    page.locator(f"#{leaf.box} polygon").first.click()
    assert page.text_content("#sum-title").startswith(leaf.derivative)


def test_the_products_along_all_paths_of_every_variable_sum_to_its_gradient(visit):
    told = neuron()
    page = visit(told)
    for leaf in told.story.leaves:
        page.locator("#leaves").get_by_role("button", name=leaf.name, exact=True).click()
        rows = page.locator("#routes tbody tr")
        assert [row[-1] for row in map(cells, rows.all())] == [route.product for route in leaf.routes]
        assert [row[0] for row in map(cells, rows.all())] == [route.words for route in leaf.routes]
        assert page.text_content("#sum-title").endswith(f"= {leaf.gradient}")
        assert marked(page, "lit") == with_results(p for route in leaf.routes for p in route.parts)
        for k, route in enumerate(leaf.routes):
            rows.nth(k).locator("td").first.click()
            assert marked(page, "lit") == with_results(route.parts)
        assert cells(page.locator("#leaves tr.now"))[-1] == leaf.earlier
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
    story, leaf = told.story, told.story.leaves[0]
    page = visit(told, f"#s=7&leaf={leaf.box}")
    check_backward(page, story, 7)
    assert page.text_content("#sum-title").startswith(leaf.derivative)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("2")
    assert page.evaluate("location.hash") == f"#s=8&leaf={leaf.box}&path=2"
    page.evaluate("location.hash = '#t=forward&s=3'")
    until(page, lambda: count(page).startswith("3/"))
    check_forward(page, story, 3)
    assert page.locator("#sum").is_hidden()
    assert page.evaluate("history.length") == 3  # the blank page, the page, and the one address typed by hand


def test_play_and_pause(visit):
    page = visit(neuron())
    page.keyboard.press(" ")
    assert page.get_by_role("button", name="Pause").is_visible()
    until(page, lambda: int(count(page).split("/")[0]) >= 2)
    page.keyboard.press(" ")
    stopped = count(page)
    page.wait_for_timeout(1_600)
    assert count(page) == stopped
    page.locator("#slider").focus()
    page.keyboard.press("End")
    total = count(page).split("/")
    assert total[0] == total[1]
