"""No refusal leads to a cut graph: where a text says `.data`, nothing differentiable would do, and this says why."""

import ast
import re
from itertools import chain
from pathlib import Path

import pytest

import tinygrad_edu
from tests.messages import test_calls, test_conversions, test_kinds, test_names, test_options
from tests.messages.snippets import run

# What stands around `.data` in a text, and why it leads to no cut graph that could be avoided.
UPDATED = "a variable is updated by its data; no step of the training is to be differentiated"
STARTED = "a parameter starts anew, which is what the text says"
ASKED = "the text asks whether this is what cut the graph"
LOOKED = "somebody wants to see numbers, or to ask for what has no derivative"
JUSTIFIED = {
    r"v\.data = v\.data - lr \* v\.grad|set its data, model\.weight\.data = \.\.\.": UPDATED,
    r"to update it, model\..*\.data = ": UPDATED,
    r"change its data, w\.data = w\.data - lr \* w\.grad|p\.data = p\.data \* \(1 - lr \* decay\)": UPDATED,
    r"Value\(v\.data\) would be a new variable without its past|start a parameter with Value\(v\.data\)": STARTED,
    r"was \S*\.data used\?|whose \.data was used|(\(|reasons: )\.data(,| or) \.?item\(\)": ASKED,
    r"only the numbers are wanted, as to print them, v\.data|matplotlib draws plain numbers: give it v\.data": LOOKED,
    r"the plain array is v\.data|it belongs to the array, v\.data\.|v\.data\.flags and v\.data\.strides": LOOKED,
    r"pass value\.data to use it as a constant|index with its answer for value\.data": LOOKED,
    r"\.data\.argmax\(axis=-1\)": LOOKED,
    r"compute it from arrays, x\.data instead of x": "a buffer holds no part of the graph, as the text says",
    r"was set to .*: it takes numbers, such as an array; v\.data of a Value": "data is no Value",
    r"te\.data: data\.": "the package of data",
    r"does not go on through g, as after g\.data": "what a wrong rule did",
}  # fmt: skip
EITHER = re.compile("|".join(f"(?:{words})" for words in JUSTIFIED))


def unjustified(text):
    """What is left of a text that speaks of `.data`, once all that is justified is taken out."""
    left = EITHER.sub("", text)
    return left if re.search(r"\.data\b(?!\.minibatches|\.moons)", left) else ""


def texts(source):
    """Every text in a file that is no docstring; what is filled in later as {}."""
    tree = ast.parse(source)
    plain = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in plain | parts:
            yield node.value


FOUND = [
    text
    for file in sorted(Path(tinygrad_edu.__file__).parent.rglob("*.py"))
    for text in texts(file.read_text())
    if ".data" in text and " " in text
]


def test_every_text_that_says_data_is_justified():
    assert len(FOUND) > 20
    assert not [text for text in FOUND if unjustified(text)]


@pytest.mark.parametrize("words", JUSTIFIED)
def test_no_justification_is_left_over(words):
    assert [text for text in FOUND if re.search(words, text.replace("{}", "it"))]


def test_what_is_provoked_leads_to_no_cut_graph():
    of_names = test_names.VALUES, test_names.MODULES, test_names.OPTIMIZERS, test_names.PACKAGES
    rows = test_calls.ROWS, test_conversions.ROWS, test_kinds.ROWS, test_options.ROWS, *of_names
    for code, _ in chain(*rows):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - what is said is looked at
            run(code)
        assert not unjustified(str(caught.value)), code
