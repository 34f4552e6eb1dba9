"""The words that services have for how far a task is, and what they mean here."""

from __future__ import annotations

import enum


class State(enum.Enum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_WORDS = {
    State.DONE: ("succeeded", "succeed", "success", "successful", "completed", "complete", "done", "finished", "ready"),
    State.FAILED: ("failed", "failure", "fail", "error", "errored"),
    State.CANCELLED: ("cancelled", "canceled", "cancel", "aborted", "expired", "revoked", "terminated"),
}
_MEANING = {word: state for state, words in _WORDS.items() for word in words}


def meaning(word: object) -> State:
    """A word that nobody knows means that it goes on: a service learns new ones, and what is paid for is waited for."""
    return _MEANING.get(word.strip().lower(), State.WAITING) if isinstance(word, str) else State.WAITING
