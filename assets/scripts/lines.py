"""What lines of English scripts can be: transitions, shots, names that speak, headings of acts."""

from __future__ import annotations

import re

from assets.scripts import names, numerals

_TRANSITION = re.compile(
    r"(?:[A-Z' -]{0,40}\bTO:|[A-Z' -]{0,30}\bTO (?:BLACK|WHITE)[.:]?|FADE (?:IN|OUT|UP|TO)\b.{0,20}|FADES? (?:IN|"
    r"OUT)[.:]?|"
    r"(?:SMASH |JUMP |MATCH |HARD |TIME |QUICK |STRAIGHT )?CUT(?: TO)?[.:]?|(?:SLOW |RIPPLE )?DISSOLVE(?: "
    r"TO)?[.:]?|"
    r"IRIS (?:IN|OUT)[.:]?|WIPE(?: TO)?[.:]?|END CREDITS[.:]?|ROLL CREDITS[.:]?|CREDITS[.:]?|INTERCUT(?:TING)?(?: "
    r"WITH)?[.:]?|BLACKOUT[.:]?|CURTAIN[.:]?)",
)
_NO_NAME = re.compile(
    r"(?:(?:BACK|LATER|MOMENTS|MEANWHILE|CLOSE|CLOSER|CLOSEUP|CLOSE-UP|EXTREME|ANGLE|INSERT|SERIES|MONTAGE|"
    r"INTERCUT|SUPER|"
    r"SUPERIMPOSE|TITLE|TITLES|CHYRON|CAPTION|FLASHBACK|FLASH|END|POV|WIDE|WIDER|BEGIN|RESUME|REVERSE|TRACKING|"
    r"PAN|DOLLY|CRANE|"
    r"AERIAL|ESTABLISHING|ON|OVER|UNDER|INSIDE|OUTSIDE|ACROSS|THROUGH|IN|AT|FROM|INTO|UPON|WE|THEN|SUDDENLY|"
    r"CONTINUED|FADE|CUT|"
    r"SMASH|DISSOLVE|MATCH|JUMP|IRIS|WIPE|TIME CUT|THE END|FIN|ACT|TEASER|TAG|COLD|PROLOGUE|EPILOGUE|SCENE|"
    r"EPISODE|OMITTED|CREDITS|"
    r"BLACK SCREEN|BLACK|SPLIT SCREEN|STOCK|DREAM SEQUENCE|SOUND|SFX|VFX|MUSIC|SLOW MOTION|FREEZE|QUICK|"
    r"INTERTITLE|CHAPTER|PART|"
    r"NOTE|NOTES|WRITTEN BY|BY|PAGE|DRAFT|WITH|AND|BUT|AS|MAIN TITLE|OPENING|SAME|THAT|THIS|IT|THERE|HE|SHE|THEY|"
    r"HIS|HER|MORE)\b"
    r"|CAST(?: OF CHARACTERS| LIST)?$|CHARACTERS?$|DRAMATIS PERSONAE)"
)
_DIVISION = re.compile(
    r"(?:END OF )?(?:TEASER|COLD OPEN(?:ING)?|TAG|PROLOGUE|EPILOGUE|INTERMISSION|THE END|FIN|"
    r"(?:ACT|EPISODE|CHAPTER|PART|SEQUENCE)\s+(?:[IVXLC]{1,7}|\d{1,4}|[A-Z]+(?:[ -][A-Z]+)?)|END (?:TEASER|TAG|"
    r"ACT(?: \w+)?|COLD OPEN))"
    r"(?:\s*[:.–—-]\s*.{0,80})?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?:ACT|EPISODE|CHAPTER|PART|SEQUENCE)\s+([A-Z]+(?:[ -][A-Z]+)?)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?:[!?:;,…]|\.\.|--|—|[^.\s][^.\s][^.\s]\.)$")
_TITLED = re.compile(r"\b(?:MR|MRS|MS|DR|JR|SR|ST|PROF|SGT|LT|CAPT|COL|GEN|REV|HON|DET|SEN|GOV|PRES|MISS)\.$")


def is_transition(text: str) -> bool:
    """CUT TO:, FADE OUT., DISSOLVE TO: and their like."""
    return len(text) <= 60 and _TRANSITION.fullmatch(text.strip()) is not None


def is_division(text: str) -> bool:
    """ACT TWO, TEASER, END OF ACT I, EPISODE 3: The Door."""
    if len(text) > 120 or not _DIVISION.fullmatch(text.strip()):
        return False
    found = _NUMBERED.match(text.strip())
    return not found or numerals.read(found[1]) is not None or numerals.read(re.split(r"[ -]", found[1])[0]) is not None


def in_capitals(text: str) -> bool:
    """Whether all letters that could be capitals are, and at least one is. Neither 林晚 nor 23 are."""
    return text == text.upper() and text != text.lower()


def may_speak(text: str) -> bool:
    """Whether a line in capitals can be the name of somebody who speaks, as far as the line itself tells."""
    if len(text) > names.LONGEST + 40:
        return False
    bare = names.read(text).name
    if not bare or len(bare) > names.LONGEST or not re.search(r"[^\W\d_]", bare):
        return False
    outside = re.sub(r"\([^()]{0,80}\)?", "", text).strip(" ^*_")
    if _SENTENCE_END.search(outside) and not _TITLED.search(outside):
        return False
    return len(bare.split()) <= 6 and not _NO_NAME.match(bare) and not is_transition(outside)
