"""Which posts X should send us: rules from the settings, and the rules that X has.

Rules stay at X until they are deleted, and belong to the account, not to this wall: those that
carry another tag are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from tweepy import StreamingClient, StreamRule

from realtime_wall.wall.sources.source import SourceGaveUp

RULE_SIZE = 1024  # X's limit, in characters
_OR = " OR "
# These mean themselves to X; everything else is quoted, so that no word is taken for an operator.
_PLAIN = re.compile(r"[#@$]\w+")


def rules_for(keywords: Iterable[str], users: Iterable[str | int], size: int = RULE_SIZE) -> list[str]:
    """As few rules as will hold all of it."""
    rules: list[str] = []
    for term in dict.fromkeys([*map(_keyword, keywords), *map(_user, users)]):
        if len(term) > size:
            raise ValueError(f"{term[:60]!r}... is too long for X: it takes {size} characters")
        if rules and len(rules[-1]) + len(_OR) + len(term) <= size:
            rules[-1] += _OR + term
        else:
            rules.append(term)
    return rules


def set_rules(
    client: StreamingClient, wanted: Mapping[str, Sequence[str]], is_ours: Callable[[str], bool]
) -> None:
    """Make X's rules with tags of ours the wanted ones: tag -> values."""
    ours = [rule for rule in client.get_rules().data or () if is_ours(rule.tag or "")]
    stale = [rule.id for rule in ours if rule.value not in wanted.get(rule.tag, ())]
    known = {(rule.tag, rule.value) for rule in ours}
    missing = [
        StreamRule(value, tag)
        for tag, values in wanted.items()
        for value in values
        if (tag, value) not in known
    ]
    if stale:
        client.delete_rules(stale)
    if missing:
        _refuse_errors(client.add_rules(missing).errors)


def _refuse_errors(errors: object) -> None:
    for error in errors if isinstance(errors, list) else ():
        # Somebody else's rule asks for the same: its posts reach us too.
        if not isinstance(error, dict) or error.get("title") != "DuplicateRule":
            raise SourceGaveUp(
                f"X refused a rule made from TRACK_KEYWORDS and TRACK_USERS: {str(error)[:500]}"
            )


def _keyword(word: str) -> str:
    word = " ".join(word.replace('"', " ").split())
    return word if _PLAIN.fullmatch(word) else f'"{word}"'


def _user(user: str | int) -> str:
    return f"from:{str(user).strip().lstrip('@')}"
