"""Hostile strings as names of values, modules, classes and files: shown as text, and never anything else.

A DOT text parses to exactly the nodes there are, with those labels; HTML and SVG have no element or attribute that
the same graph with harmless names has not; what is printed holds no character that could steer a terminal.
"""

import pickle
import sys
import unicodedata
import xml.etree.ElementTree as ET
from contextlib import suppress
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest

import tinygrad_edu as te
from tests.viz.labels import shown, unescaped
from tinygrad_edu import Value, nn, optim, viz
from tinygrad_edu.viz.model.names import clean

pytestmark = pytest.mark.no_cover

HOSTILE = [
    '"', "'", "\\", "\\N\\G", "a\nb\r\tc", "<lambda>", "{}|<>", "{0}%s%n", "</script><script>alert(1)</script>",
    "</svg></title><img src=x onerror=alert(1)>", "javascript:alert(1)", "\u202eevil\u2066", "a\x00b", "\ud800",
    "x" * 100_000, "<!--", "-->", "]]>", "&lt;b&gt;&amp;&#60;", "\x1b[2J\x1b]0;title\x07", "\x9b31m", "\x7f\x08",
    "__proto__",
    "\u2028\u2029\ufeff", "${alert(1)}", "' onload='alert(1)", '" href="javascript:1', "$\\frac{$", "v1 -> v2; }",
    "%%", "a.b",
    "digraph {", "\U000e0041", "e\u0301" * 60, "grad", "0",
]  # fmt: skip
HARMLESS = [f"n{i}" for i in range(len(HOSTILE))]
BREAKING = "\"'>--></title></script><u>"


def graph(names):
    """A result of as many variables as there are names, every second of which is used twice."""
    values = [Value(1.0 + i / 100, name=name) for i, name in enumerate(names)]
    total = values[0]
    for i, value in enumerate(values[1:]):
        total = total * value + (value if i % 2 else 1.0)
    total.name = names[-3]
    return total, values


def network(names):
    """A module of modules: its class and all its parts have such names."""

    class Net(nn.Module):
        def __init__(self):
            self.parts = {name: nn.Linear(1, 1, rng=0) for name in names}

        def forward(self, x):
            for part in self.parts.values():
                x = np.tanh(part(x))
            return x.sum()

    with suppress(ValueError):  # some strings cannot be the name of a class
        Net.__name__ = names[-1]
    model = Net()
    return model(np.ones((1, 1))), model


def unsafe(text):
    """The characters that could steer a screen, or could not be written to one."""
    return {c for c in set(text) if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


class Parts(HTMLParser):
    """The elements of a page, each with the names of its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, frozenset(name for name, _ in attributes)))


def elements(text):
    return Parts(text).found


# -- DOT ----------------------------------------------------------------------------------------------------


def test_dot_parses_to_exactly_the_nodes_there_are_with_those_labels():
    graphs = pytest.importorskip("pygraphviz")
    total, _ = graph(HOSTILE)
    drawing = viz.draw(total)
    parsed = graphs.AGraph(string=drawing.source)
    boxes, operations = drawing.diagram.boxes, drawing.diagram.operations
    assert len(parsed.nodes()) == len(boxes) + len(operations)
    assert len(parsed.edges()) == len(drawing.diagram.arrows) + len(operations)
    labels = {unescaped(text) for text in shown(drawing.source)}
    assert {clean(name) for name in HOSTILE} - {""} <= labels
    assert unsafe(drawing.source.replace("\t", "")) == set()


@pytest.mark.parametrize("level", ["module", "tensor", "scalar"])
def test_dot_of_a_network_has_the_nodes_of_the_same_network_with_harmless_names(level):
    graphs = pytest.importorskip("pygraphviz")
    hostile, harmless = (viz.draw(network(names)[0], level=level).source for names in (HOSTILE, HARMLESS))
    one, other = (graphs.AGraph(string=source) for source in (hostile, harmless))
    assert sorted(one.nodes()) == sorted(other.nodes())
    assert sorted(one.edges()) == sorted(other.edges())
    assert len(one.subgraphs()) == len(other.subgraphs())
    assert unsafe(hostile.replace("\t", "")) == set()


# -- HTML and SVG -------------------------------------------------------------------------------------------

MARKUP = {
    "drawing": lambda told, w: told.draw()._repr_mimebundle_()["image/svg+xml"],
    "paths": lambda told, w: told.draw(to=w).svg,
    "modules": lambda told, w: viz.draw(told.root, level="module").svg,
    "explorer": lambda told, w: told.explore().html,
    "notebook": lambda told, w: told._repr_mimebundle_()["text/html"],
    "animation": lambda told, w: told.rendered("svg", True).decode(),
    "comparison": lambda told, w: viz.diff(told, viz.trace(told.root * 2.0)).draw().svg,
    "card": lambda told, w: viz.bundle(w)["text/html"],
}


@cache
def seen(make, hostile):
    """A graph to look at, its backward pass told once for all views, and one of its variables."""
    loss, origin = make(HOSTILE if hostile else HARMLESS)
    return viz.trace(loss), origin[0] if isinstance(origin, list) else origin.parameters()[0]


@pytest.mark.parametrize("view", MARKUP)
@pytest.mark.parametrize("make", [graph, network])
def test_markup_has_no_element_or_attribute_beyond_those_of_harmless_names(view, make):
    pytest.importorskip("pygraphviz")
    hostile, harmless = (MARKUP[view](*seen(make, names)) for names in (True, False))
    found, expected = elements(hostile), elements(harmless)
    assert set(found) <= set(expected)
    if view != "animation":  # its lines are folded where names have spaces
        assert len(found) <= len(expected)
    assert unsafe(hostile.replace("\t", "")) == set()
    assert len(hostile) < 3 * len(harmless) + 10_000, "long names are cut"


@pytest.mark.parametrize("view", [*MARKUP, "explorer without Graphviz", "notebook without Graphviz"])
def test_the_name_of_a_result_breaks_out_of_no_title_no_attribute_and_no_text(view, monkeypatch):
    view, _, without = view.partition(" without ")
    if not without:
        pytest.importorskip("pygraphviz")
    else:
        monkeypatch.setitem(sys.modules, "pygraphviz", None)
        monkeypatch.setenv("PATH", "")

    def page(name):
        x = Value(2.0, name=name)
        y = x * x
        y.name = name
        return MARKUP[view](viz.trace(y), x)

    found, expected = elements(page(BREAKING)), elements(page("n" * len(BREAKING)))
    assert set(found) == set(expected)
    assert len(found) == len(expected) or view == "animation"  # whose lines are folded at different places


def test_a_card_of_a_module_has_the_elements_of_one_with_harmless_names():
    hostile, harmless = (viz.bundle(network(names)[1])["text/html"] for names in (HOSTILE, HARMLESS))
    assert elements(hostile) == elements(harmless)
    assert unsafe(hostile) == set()


@pytest.mark.parametrize("view", ["drawing", "paths", "modules", "animation"])
def test_pictures_are_well_formed_and_hold_the_names_as_text(view):
    pytest.importorskip("pygraphviz")
    root = ET.fromstring(MARKUP[view](*seen(graph, True)))
    assert root.tag.endswith("svg")
    assert "javascript:alert(1)" in "".join(root.itertext()) or view in ("paths", "modules")


# -- terminals ----------------------------------------------------------------------------------------------

PRINTED = {
    "repr": lambda loss, w: repr(w),
    "tree": lambda loss, w: str(viz.draw(loss)),
    "paths": lambda loss, w: str(viz.draw(loss, to=w)),
    "modules": lambda loss, w: str(viz.draw(loss, level="module")),
    "explain": lambda loss, w: str(viz.explain(w, loss)),
    "why": lambda loss, w: str(viz.why(w, loss)),
    "steps": lambda loss, w: str(viz.steps(loss)),
    "trace": lambda loss, w: repr(viz.trace(loss)),
    "text": lambda loss, w: viz.trace(loss).rendered("txt", False).decode(),
    "diff": lambda loss, w: str(viz.diff(viz.trace(loss), viz.trace(loss * 2.0))),
}


@pytest.mark.parametrize("view", PRINTED)
@pytest.mark.parametrize("make", [graph, network])
def test_what_is_printed_has_no_codes(view, make):
    loss, origin = make(HOSTILE)
    for w in origin if isinstance(origin, list) else origin.parameters()[::5]:
        text = PRINTED[view](loss, w)
        assert unsafe(text) == set()
        if view not in ("repr", "explain", "why", "paths"):  # the others are the same for every w
            break


def test_what_a_module_and_its_trainers_print_has_no_codes():
    loss, model = network(HOSTILE)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model) as watched:
        model(np.ones((1, 1))).backward()
        optimizer.step()
    for text in (repr(model), repr(optimizer), str(watched), repr(loss)):
        assert unsafe(text) == set()
    assert len(repr(model).splitlines()) == len(HOSTILE) + 1


def refused(work):
    with pytest.raises((ValueError, TypeError, AttributeError)) as caught:
        work()
    return str(caught.value)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_messages_of_modules_have_no_codes(name):
    model = network([name])[1]
    part = model.parts[name]
    messages = [
        refused(lambda: part(np.ones(3))),
        refused(lambda: model.load_state_dict({})),
        refused(lambda: nn.Linear(1, 1).load_state_dict({name: np.ones(1)})),
        refused(lambda: nn.Linear(1, 1).load_state_dict({name: None})),
        refused(lambda: getattr(model, name + "!")),
        refused(lambda: optim.SGD([Value(1.0)], lr=0.1).load_state_dict({name: 1.0})),
    ]
    assert [unsafe(text) for text in messages] == [set()] * len(messages)


# -- files and numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in HOSTILE if 0 < len(name) < 100], ids=ascii)
def test_files_of_any_name_are_saved_loaded_and_complained_about(name, tmp_path):
    pytest.importorskip("safetensors")
    path, model = tmp_path / name.replace("/", "_"), nn.Linear(1, 1, rng=0)
    try:
        path.write_bytes(b"")
        assert [p.name for p in tmp_path.iterdir()] == [path.name], "a colon may begin a stream"
    except (OSError, ValueError, AssertionError):  # NUL everywhere, more of them on some systems
        pytest.skip("no file can have this name here")
    assert unsafe(refused(lambda: te.load(model, path))) == set()
    te.save(model, path)
    other = nn.Linear(1, 1, rng=1)
    te.load(other, path)
    assert other.weight.data == model.weight.data


def test_names_are_kept_whole_and_change_no_number():
    one, other = (graph(names) for names in (HOSTILE, HARMLESS))
    for total, _ in (one, other):
        total.backward()
    assert [v.grad for v in one[1]] == [v.grad for v in other[1]]
    assert [v.name for v in pickle.loads(pickle.dumps(one[1]))] == HOSTILE
    state = network(HOSTILE)[1].state_dict()
    assert list(state) == [f"parts.{name}.{part}" for name in HOSTILE for part in ("weight", "bias")]


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.isprintable() or "\x1b" in name], ids=ascii)
def test_programs_in_files_of_any_name_are_shown_with_it(name):
    scope = {"Value": Value}
    with viz.recording():
        exec(compile("x = Value(2.0)\ny = x * x", f"{name}.py", "exec"), scope)
    x, y = scope["x"], scope["y"]
    for text in (str(viz.line_of(x)), str(viz.steps(y)), str(viz.explain(x, y)), viz.bundle(x)["text/html"]):
        assert unsafe(text) == set()
        assert ".py" in text or len(name) > 100
    assert set(elements(viz.bundle(x)["text/html"])) == set(elements(viz.bundle(Value(2.0))["text/html"]))


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_messages_of_operations_have_no_codes(name):
    x, scope = Value([1.0, 2.0], name=name), {"np": np}
    messages = [
        refused(lambda: x + np.ones(3)),
        refused(lambda: x @ np.ones(3)),
        refused(lambda: np.concatenate([x, np.ones((1, 1))])),
        refused(lambda: x == np.ones(3)),
        refused(x.backward),
        refused(lambda: nn.Linear(3, 1)(x)),
    ]
    with suppress(ValueError):  # NUL is in no file's name
        code = compile("x + np.ones(3)", f"{name}.py", "eval")
        messages.append(refused(lambda: eval(code, scope | {"x": x})))
    assert [unsafe(text) for text in messages] == [set()] * len(messages)
