"""What stands before a name: MRS., DETECTIVE, and the short forms of it."""

from __future__ import annotations

from assets.scripts.words import words

TITLES = words(
    "MR MRS MS MISS DR DOCTOR PROFESSOR PROF DETECTIVE DET OFFICER CAPTAIN CAPT SERGEANT SGT LIEUTENANT LT ",
    "COLONEL COL GENERAL GEN ",
    "AGENT SIR LADY LORD KING QUEEN PRINCE PRINCESS FATHER SISTER BROTHER AUNT UNCLE JUDGE SENATOR PRESIDENT ",
    "MAYOR SHERIFF INSPECTOR ",
    "CHIEF COMMANDER CMDR REVEREND REV NURSE PRIVATE PVT CORPORAL CPL MAJOR ADMIRAL SPECIAL",
)
OF_A_WOMAN = words("MRS MISS MS")  # MRS. O'NEIL beside O'NEIL is his wife
_SHORT = {
    "DR": "DOCTOR",
    "PROF": "PROFESSOR",
    "DET": "DETECTIVE",
    "CAPT": "CAPTAIN",
    "SGT": "SERGEANT",
    "LT": "LIEUTENANT",
    "COL": "COLONEL",
    "GEN": "GENERAL",
    "CMDR": "COMMANDER",
    "REV": "REVEREND",
    "PVT": "PRIVATE",
    "CPL": "CORPORAL",
}


def same_title(title: str) -> str:
    """One word for a title, whether it is shortened or not."""
    return _SHORT.get(title, title)
