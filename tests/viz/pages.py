"""Passes to look at in a browser, and how to read off a page what it shows."""

from types import SimpleNamespace

import numpy as np

from tinygrad_edu import Value, nn, sigmoid, viz

SHOWN = """() => {
  const texts = (at, within = document) => [...within.querySelectorAll(at)].map((one) => one.textContent);
  const by_id = (at, read) => Object.fromEntries([...document.querySelectorAll(at)].map((g) => [g.id, read(g)]));
  const states = ["now", "from", "to", "lit", "found"];
  const visible = [...document.querySelectorAll("#ledger tbody tr")].filter((row) => row.getClientRects().length);
  return {
    say: texts("#say")[0],
    count: texts("#count")[0].replaceAll(" ", ""),
    labels: texts("#facts dt"),
    facts: texts("#facts dd"),
    ledger: visible.map((row) => texts("td", row)),
    title: texts("#sum-title")[0],
    routes: [...document.querySelectorAll("#routes tbody tr")].map((row) => texts("td", row)),
    lines: by_id("#picture g.node", (box) => texts("text", box)),
    marked: Object.fromEntries(states.map((state) => [state, Object.keys(by_id(`#picture g.${state}`, () => 0))])),
    focus: document.activeElement.id,
  };
}"""
WALKED = f"""(steps) => Array.from({{length: steps}}, () => {{
  document.querySelector("#next").click();
  return ({SHOWN})();
}})"""
# in the first frame of a movement the picture may not have moved yet, so one frame without a change says nothing
SETTLED = """() => new Promise((settled) => {
  const where = () => document.querySelector("#picture svg").getAttribute("viewBox");
  let last = where(), same = 0;
  const look = () => {
    same = where() === last ? same + 1 : 0;
    last = where();
    if (same < 4) requestAnimationFrame(look);
    else settled(last.split(/[ ,]+/).map(Number));
  };
  requestAnimationFrame(look);
})"""


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


def shown(page):
    """What a page shows, read all at once: a round trip for every text takes longer than the page itself."""
    return sorted_out(page.evaluate(SHOWN))


def walked(page, steps):
    """What a page shows after each of some steps on, walked inside of the page: a click from outside takes longer."""
    return list(map(sorted_out, page.evaluate(WALKED, steps)))


def sorted_out(seen):
    """What was read off a page, by the names of its parts."""
    facts = dict(zip(seen.pop("labels"), seen.pop("facts"), strict=True))
    marked = {state: set(parts) for state, parts in seen.pop("marked").items()}
    return SimpleNamespace(facts=facts, marked=marked, **seen)


def settled(page):
    """The part of the picture that is looked at, as x, y, width and height, once it moves no more."""
    return page.evaluate(SETTLED)


def until(page, happened):
    """Wait for something, ten seconds at most; the page's policy forbids waiting inside of it."""
    for _ in range(400):
        if happened():
            return
        page.wait_for_timeout(25)
    raise AssertionError("it did not happen")


def with_results(parts):
    """The parts of a path in the picture: also the edges from operations to their results."""
    parts = list(parts)
    return {*parts, *(f"r{part[1:]}" for part in parts if part[0] == "o")}


def check_backward(seen, story, k):
    """Card, ledger, sentence and picture of a step of the backward pass."""
    step, facts = story.backward[k - 1], seen.facts
    accumulation = f"{step.operand_name}.grad: {step.before} += {step.contribution} -> {step.after}"
    assert facts["Gradient from above"] == f"{step.result_name}.grad = {step.upstream}"
    assert facts["Local derivative"].startswith(step.derivative)
    assert facts["Local derivative"].endswith(step.local)
    assert step.formula in facts["Local derivative"]
    assert (facts["Contribution"], facts["Added up"]) == (step.product, accumulation)
    assert f"{step.done} of {step.total} done" in facts["Consumers"]
    assert seen.ledger[-1] == [step.result_name, step.operand_name, step.product, accumulation]
    assert len(seen.ledger) == k
    assert seen.say.startswith(f"{step.result_name} passes {step.contribution} to {step.operand_name}")
    assert seen.marked["now"] == {step.operation, step.arrow}
    assert (seen.marked["from"], seen.marked["to"]) == ({step.result}, {step.operand})
    check_gradients(seen, story, k)


def check_gradients(seen, story, k):
    """In the picture, k steps have been added up, and the others not yet."""
    held = {step.operand: step.after for step in story.backward[:k]}
    assert "grad 1" in seen.lines[story.diagram.boxes[-1].id]
    for box in {step.operand for step in story.backward}:
        assert f"grad {held.get(box, '-')}" in seen.lines[box]


def check_forward(seen, story, k):
    step, facts = story.forward[k - 1], seen.facts
    assert (facts["Operation"], facts["In numbers"], facts["Result"]) == (step.words, step.numbers, step.data)
    assert seen.ledger[-1] == [step.name, step.words, step.numbers, step.data]
    assert seen.say.endswith(f"{step.data}.")
    assert seen.marked["now"] == {step.operation, *step.arrows, f"r{step.operation[1:]}"}
    later = {other.result for other in story.forward[k:]}
    assert {box for box in later if "data -" not in seen.lines[box]} == set()
    assert f"data {step.data}" in seen.lines[step.result]


def check_update(seen, story, k):
    step, facts = story.update[k - 1], seen.facts
    assert (facts["Variable"], facts["w - lr * grad"], facts["New value"]) == (step.name, step.numbers, step.data)
    assert seen.ledger[-1] == [step.name, step.numbers, step.data]
    assert f"data {step.data}" in seen.lines[step.box]


CHECKS = {"forward": check_forward, "backward": check_backward, "update": check_update}
