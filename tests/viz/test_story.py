"""A story is plain data: dictionaries, lists and texts, module calls by their path."""

import json

import numpy as np

from tinygrad_edu import nn
from tinygrad_edu.viz.teller import Teller
from tinygrad_edu.viz.tracer import Tracer


def test_a_story_becomes_json_with_module_calls_as_text():
    model = nn.Sequential(nn.Linear(2, 1, rng=0), nn.Sigmoid())
    story = Teller(Tracer(model(np.ones((1, 2))).sum(), None, None), 0.1).story()
    plain = json.loads(json.dumps(story.as_dict()))
    assert set(plain) == {"trace", "forward", "backward", "update", "leaves", "total", "images"}
    assert [step["scope"] for step in plain["trace"]["steps"]] == [
        "layers.0 Linear",
        "layers.0 Linear",
        "layers.1 Sigmoid",
        "",
    ]
    assert plain["backward"][0]["done"] == 1
