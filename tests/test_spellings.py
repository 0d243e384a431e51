"""The tables of names from other frameworks: none is ours, none is hidden, each has a short advice."""

import numpy as np
import pytest

from tests.messages.snippets import names
from tinygrad_edu import spellings


@pytest.mark.parametrize("kind", spellings.KINDS)
def test_no_entry_stands_for_a_name_that_exists(kind):
    found = names()
    packages = {"tinygrad_edu": found["te"], "nn.init": found["nn"].init}
    own = {
        "Value": found["v"],
        "Module": found["model"],
        "Optimizer": found["optim"].SGD([found["v"]], lr=0.1),
    } | packages
    thing = own.get(kind, found.get(kind))
    there = [name for name in spellings.KINDS[kind] if not isinstance(getattr(thing, name, np), type(np))]
    assert there == []


def test_there_are_hundreds_of_names():
    tables = [*spellings.KINDS.values(), spellings.OPTIONS, spellings.WORKS, spellings.MODULE_WORKS, spellings.FACTS]
    assert len(set().union(*tables)) > 500


def test_every_advice_is_short_and_begins_as_a_sentence_goes_on():
    texts = [text for table in (*spellings.KINDS.values(), spellings.OPTIONS) for text in table.values()]
    assert max(map(len, texts)) < 200
    assert [text for text in texts if text.endswith(".") or text.startswith(" ")] == []
