"""Why a script can't be read."""

from __future__ import annotations

from jobs.errors import BadInput


class ScriptUnreadable(BadInput):
    """`details["reason"]` says why in a word."""

    code = "script_unreadable"
    message = "This is not a script that can be read. Send text (.txt), Fountain, Final Draft (.fdx) or Word (.docx)."

    @classmethod
    def of(cls, reason: str, sentence: str) -> ScriptUnreadable:
        """With its reason in a word, for programs, and in a sentence."""
        return cls(sentence, details={"reason": reason})


class ScriptTooLong(BadInput):
    """`details["max_characters"]` or `details["max_bytes"]`: what there may be."""

    code = "script_too_long"
    status = 413
    message = "The script is longer than what is read at once. Send its episodes one by one."
