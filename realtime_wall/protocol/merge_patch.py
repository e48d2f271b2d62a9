"""What is different between two JSON objects, as RFC 7396 (JSON Merge Patch) says it."""

from __future__ import annotations

from typing import Any

MISSING = object()


class NotPatchable(ValueError):
    """A merge patch cannot say it: null stands for what is taken out."""


def diff(old: Any, new: Any) -> dict[str, Any]:
    """What makes the new one of the old one; NotPatchable when it has to be told whole."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        raise NotPatchable
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name, MISSING)
        if before == value and type(before) is type(value):
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            patch[name] = diff(before, value)
        elif has_null(value):
            raise NotPatchable
        else:
            patch[name] = value
    return patch


def has_null(value: Any) -> bool:
    """Whether null stands where a patch takes out: in an object, and not in an array."""
    if isinstance(value, dict):
        return any(map(has_null, value.values()))
    return value is None


def apply(old: Any, patch: Any) -> Any:
    """As RFC 7396 2 has it; the old one is left as it is."""
    if not isinstance(patch, dict):
        return patch
    new = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        else:
            new[name] = apply(new.get(name), value)
    return new
