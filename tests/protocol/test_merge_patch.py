import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.merge_patch import NotPatchable, apply, diff

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("old", "patch", "new"),
    [  # of RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [1]}, {"a": "c"}, {"a": "c"}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({"a": "b"}, ["c"], ["c"]),
    ],
)
def test_a_patch_is_applied_as_the_rfc_says(old, patch, new):
    before = json.dumps(old)

    assert apply(old, patch) == new
    assert json.dumps(old) == before


@given(JSON, JSON)
def test_what_is_different_makes_the_new_of_the_old_or_cannot_be_said(old, new):
    try:
        patch = diff(old, new)
    except NotPatchable:
        return
    assert json.dumps(apply(old, patch), sort_keys=True) == json.dumps(new, sort_keys=True)


@pytest.mark.parametrize(
    ("old", "new"), [({}, {"a": None}), ({"a": 1}, {"a": {"b": None}}), ([], {}), ({}, 1)]
)
def test_what_a_patch_cannot_say_is_named(old, new):
    with pytest.raises(NotPatchable):
        diff(old, new)
