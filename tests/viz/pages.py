"""Passes to look at in a browser, and how to read off a page what it shows."""

import numpy as np

from tinygrad_edu import Value, nn, sigmoid, viz


def neuron():
    """A neuron whose first weight is used twice, after two backward passes without clearing."""
    w1, w2, bias = Value(0.5, name="w1"), Value(-0.25, name="w2"), Value(0.1, name="bias")
    for _ in range(2):
        layer_1 = w1 * 1.66 + w2 * 1.56 + bias
        prediction = sigmoid(layer_1)
        error = np.square(prediction - 0.0) + w1 * w1
        error.backward()
    return viz.trace(error, names={"layer_1": layer_1, "prediction": prediction, "error": error})


def network():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=0))
    return viz.trace(np.square(model(np.ones((5, 3))) - 1.0).mean())


def count(page):
    return page.text_content("#count").replace(" ", "")


def until(page, happened):
    """Wait for something, ten seconds at most; the page's policy forbids waiting inside of it."""
    for _ in range(100):
        if happened():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not happen")


def facts(page):
    labels, texts = (page.locator(f"#facts {tag}").all_text_contents() for tag in ("dt", "dd"))
    return dict(zip(labels, texts, strict=True))


def marked(page, state):
    """The ids of the parts of the picture in a state."""
    return set(page.eval_on_selector_all(f"#picture g.{state}", "gs => gs.map(g => g.id)"))


def lines(page, box):
    return page.locator(f"#picture #{box} text").all_text_contents()


def last_row(page):
    return page.locator("#ledger tbody tr:visible").last.locator("td").all_text_contents()


def cells(row):
    return row.locator("td").all_text_contents()


def with_results(parts):
    """The parts of a path in the picture: also the edges from operations to their results."""
    parts = list(parts)
    return {*parts, *(f"r{part[1:]}" for part in parts if part[0] == "o")}


def check_backward(page, story, k):
    """Card, ledger, sentence and picture of a step of the backward pass."""
    step, shown = story.backward[k - 1], facts(page)
    accumulation = f"{step.operand_name}.grad: {step.before} += {step.share} -> {step.after}"
    assert shown["Gradient from above"] == f"{step.result_name}.grad = {step.upstream}"
    assert shown["Local derivative"].startswith(step.derivative)
    assert shown["Local derivative"].endswith(step.local)
    assert step.formula in shown["Local derivative"]
    assert (shown["Contribution"], shown["Added up"]) == (step.contribution, accumulation)
    assert f"{step.done} of {step.total} done" in shown["Consumers"]
    assert last_row(page) == [step.result_name, step.operand_name, step.contribution, accumulation]
    assert page.locator("#ledger tbody tr:visible").count() == k
    assert page.text_content("#say").startswith(f"{step.result_name} passes {step.share} to {step.operand_name}")
    assert marked(page, "now") == {step.step, step.edge}
    assert (marked(page, "from"), marked(page, "to")) == ({step.result}, {step.operand})


def check_forward(page, story, k):
    step, shown = story.forward[k - 1], facts(page)
    assert (shown["Operation"], shown["In numbers"], shown["Result"]) == (step.words, step.numbers, step.data)
    assert last_row(page) == [step.name, step.words, step.numbers, step.data]
    assert page.text_content("#say").endswith(f"{step.data}.")
    assert marked(page, "now") == {step.step, *step.edges, f"r{step.step[1:]}"}
    later = {other.result for other in story.forward[k:]}
    assert {box for box in later if "data -" not in lines(page, box)} == set()
    assert f"data {step.data}" in lines(page, step.result)


def check_update(page, story, k):
    step, shown = story.update[k - 1], facts(page)
    assert (shown["Variable"], shown["w - lr * grad"], shown["New value"]) == (step.name, step.numbers, step.data)
    assert last_row(page) == [step.name, step.numbers, step.data]
    assert f"data {step.data}" in lines(page, step.box)


CHECKS = {"forward": check_forward, "backward": check_backward, "update": check_update}
