"""Every word that the script of the moderators' page may have to say, in the moderator's language."""

from __future__ import annotations

from django.utils.translation import gettext


def desk_words() -> dict[str, str]:
    return {
        "approved": gettext("Shown: {}"),
        "hidden": gettext("Hidden: {}"),
        "banned": gettext("Banned: {}"),
        "lifted": gettext("The ban of {} is lifted."),
        "dumped": gettext("Dumped: {} posts"),
        "undone": gettext("Undone."),
        "posts": gettext("{} posts"),
        "late": gettext("Somebody else was faster: {}"),
        "screens": gettext("{} of {} screens, {} s"),
        "missing": gettext("not yet: {}"),
        "no_screens": gettext("no screen has a name; {} open pages"),
        "live": gettext("live"),
        "hidden_page": gettext("nobody sees it"),
        "away": gettext("away since {}"),
        "ahead": gettext("{} s ahead"),
        "failed": gettext("That did not work: {}"),
        "signed_out": gettext("You are signed out, or no moderator any more."),
        "empty_waiting": gettext("Nothing is waiting."),
        "empty_shown": gettext("Nothing is on the screen."),
        "empty_hidden": gettext("Nothing is hidden."),
        "empty_banned": gettext("Nobody is banned."),
        "more": gettext("{} more"),
        "in_seconds": gettext("in {} s"),
        "film": gettext("film"),
        "by": gettext("by {}"),
        "for_good": gettext("for good"),
        "until": gettext("until {}"),
        "everywhere": gettext("on every wall"),
        "lift": gettext("Lift"),
        "select": gettext("Select"),
        "nothing_to_undo": gettext("There is nothing to undo."),
        "mode": gettext("Posts are shown: {}"),
        "reason_words": gettext("has “{}” in it"),
        "reason_quota": gettext("more than {} in ten minutes"),
        "reason_ban": gettext("its author is banned"),
        "reason_original": gettext("its original is not shown"),
        "reason_folded": gettext("a copy"),
        "reason_phone": gettext("from a phone"),
    }
