"""What a function can reach besides its arguments."""

import random

import numpy as np

from tinygrad_edu import Value, nn
from tinygrad_edu.surroundings import LONG, State, as_in, random_states, restore, used_by

RNG = np.random.default_rng(0)


def test_generators_and_modules_are_found_everywhere():
    own, model, other = np.random.default_rng(1), nn.Linear(1, 1), random.Random(0)

    def f(x):
        return model(x) * RNG.random() * own.random()

    things = used_by(f, ((other, [{"x": Value(1.0)}]), {}))
    assert all(any(thing is wanted for thing in things) for wanted in (own, model, other, RNG))


def test_generators_in_object_arrays_are_found():
    rng, things = np.random.default_rng(0), np.empty(2, object)
    things[1] = [rng]
    assert any(thing is rng for thing in used_by(len, things))


def test_long_data_is_not_walked():
    rng = np.random.default_rng(0)
    assert any(thing is rng for thing in used_by(len, [rng]))
    assert not any(thing is rng for thing in used_by(len, [rng] * (LONG + 1)))


def test_an_empty_cell_and_what_holds_itself_do_no_harm():
    def f(x):
        return later(x)

    loop = []
    loop.append(loop)
    assert used_by(f, loop)
    later = f


def test_states_differ_after_a_draw_only():
    rng = np.random.RandomState(3)
    before = random_states([rng])
    assert random_states([rng]) == before
    rng.rand()
    assert random_states([rng]) != before


def test_modules_are_as_they_were_after_an_error_too():
    model = nn.Module()
    model.a, model.fixed = np.zeros(2), np.zeros(2)
    model.fixed.flags.writeable = False
    kept = model.a
    try:
        with as_in(State([model]), [model]):
            model.a += 1.0
            model.b = 3
            raise KeyError
    except KeyError:
        pass
    assert model.a is kept
    assert model.a.tolist() == [0.0, 0.0]
    assert not hasattr(model, "b")


def test_a_dict_gets_its_content_back():
    thing = {"a": 1}
    restore(thing, {"b": 2})
    assert thing == {"b": 2}
