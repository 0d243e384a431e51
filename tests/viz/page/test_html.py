"""The file: nothing in the data ends its element, the policy knows what runs, and the assets keep their promises."""

import json
import re
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.viz.model.palette import DARK, LIGHT
from tinygrad_edu.viz.page.explorer import asset, colours, inert, page

JSON = st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(JSON)
def test_data_is_json_and_cannot_end_its_element(data):
    text = inert(data)
    assert json.loads(text) == data
    assert text.isascii()
    assert not re.search("[<>&\n]", text)


def test_the_policy_names_the_one_script_and_the_one_style():
    html = page("x", "", {})
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert f"{rule} 'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert html.index("Content-Security-Policy") < html.index("<style>")


@given(st.text())
def test_the_title_is_text(title):
    html = page(f"<script>{title}</script>", "", {})
    assert html.count("<script>") == 1


def test_the_script_is_small_and_does_nothing_that_was_forbidden():
    script = asset("explorer.js")
    assert len(script.encode()) <= 25_000
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|DOMParser|fetch\(|XMLHttp|import\("
    )
    assert not re.search(forbidden, script + asset("explorer.html"))
    assert not re.search("parseFloat|parseInt|toFixed|toPrecision", script)
    named = set(re.findall(r"setAttribute\(([^,]*),", script))
    assert all(re.fullmatch('"[a-zA-Z-]+"', name) for name in named)
    assert not {'"style"', '"href"', '"onclick"', '"srcdoc"'} & named
    assert re.search(r"https?://", script + asset("explorer.css") + asset("explorer.html")) is None


@pytest.mark.parametrize("name", ["explorer.js", "explorer.css"])
def test_comments_and_indentation_stay_at_home(name):
    assert not [line for line in asset(name).splitlines() if line != line.strip() or line.startswith(("//", "/*"))]


def test_every_colour_of_a_picture_follows_the_palette():
    rules = colours()
    for role in ("paper", "value", "wanted", "idle", "alarm"):
        assert f'svg [fill="{getattr(LIGHT, role).lower()}"]{{fill:var(--{role})}}' in rules
        assert f"--{role}:{getattr(LIGHT, role)}" in rules
        assert f"--{role}:{getattr(DARK, role)}" in rules
