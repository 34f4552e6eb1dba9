"""The state machine, as the contract has it."""

from __future__ import annotations

import pytest

from jobs.status import ACTIVE, FINISHED, RETRYABLE, TRANSITIONS, WAITING, JobStatus, celery_state, may_move

CONTRACT = {
    "pending": {"processing", "cancelled", "failed"},
    "processing": {"completed", "retrying", "failed", "cancelled", "pending"},
    "retrying": {"processing", "cancelled", "failed"},
    "completed": set(),
    "failed": {"pending"},
    "cancelled": {"pending"},
}


def test_the_moves_are_those_of_the_contract_and_no_others() -> None:
    assert {str(before): {str(after) for after in afters} for before, afters in TRANSITIONS.items()} == CONTRACT
    for before in JobStatus:
        for after in JobStatus:
            assert may_move(before, after) == (after in CONTRACT[before])


def test_every_status_is_either_active_or_finished() -> None:
    assert set(JobStatus) == ACTIVE | FINISHED
    assert not ACTIVE & FINISHED
    assert {JobStatus.PROCESSING} == ACTIVE - WAITING
    assert {JobStatus.COMPLETED} == FINISHED - RETRYABLE


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", "PENDING"),
        ("processing", "STARTED"),
        ("retrying", "RETRY"),
        ("completed", "SUCCESS"),
        ("failed", "FAILURE"),
        ("cancelled", "REVOKED"),
    ],
)
def test_celery_has_a_word_for_every_status(status: str, state: str) -> None:
    assert celery_state(JobStatus(status)) == state
    progressing = "PROGRESS" if status == "processing" else state
    assert celery_state(JobStatus(status), has_progress=True) == progressing
