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
_END = r"(?![\w'’-])"  # of a word: SHE-HULK does not begin with SHE
_NO_NAME = re.compile(  # whatever stands behind it
    r"(?:(?:BACK|LATER|MOMENTS|MEANWHILE|CLOSER|CLOSEUP|CLOSE-UP|EXTREME|ANGLE|INSERT|SERIES|MONTAGE|INTERCUT|"
    r"SUPERIMPOSE|TITLES?|CHYRON|CAPTION|FLASHBACKS?|END|POV|WIDE|WIDER|BEGIN|RESUME|REVERSE|TRACKING|AERIAL|"
    r"ESTABLISHING|ON|OVER|UNDER|INSIDE|OUTSIDE|ACROSS|THROUGH|IN|AT|FROM|INTO|UPON|WE|THEN|SUDDENLY|CONTINUED|"
    r"FADE|CUT|DISSOLVE|WIPE|TIME CUT|THE END|TEASER|OMITTED|CREDITS|BLACK SCREEN|SPLIT SCREEN|DREAM SEQUENCE|SFX|"
    r"VFX|SLOW MOTION|INTERTITLE|WRITTEN BY|BY|WITH|AND|BUT|AS|MAIN TITLE|SAME|THAT|THIS|IT(?=\s)|THERE|HE|SHE|"
    rf"THEY|MORE){_END}"
    r"|CAST(?: OF CHARACTERS| LIST)?$|CHARACTERS?$|DRAMATIS PERSONAE)"
)
_PERHAPS = re.compile(  # PAN and CRANE are names as well: alone on a line, where the line comes again
    r"(?:CLOSE|SUPER|FLASH|PAN|DOLLY|CRANE|SMASH|MATCH|JUMP|IRIS|TAG|COLD|BLACK|STOCK|SOUND|MUSIC|FREEZE|QUICK|"
    rf"NOTES?|PAGE|DRAFT|OPENING|IT|HIS|HER|FIN|PROLOGUE|EPILOGUE|ACT|EPISODE|SCENE|CHAPTER|PART){_END}"
)
_OF_THE_CAMERA = re.compile(  # what stands behind such a word where it is none
    r"\s*(?:\d|[^\w\s]|(?:ON|TO|IN|AT|OF|THE|AN?|FROM|OVER|UP|DOWN|INTO|OUT|OFF|WITH|PAST|ACROSS|ALONG|THROUGH|BEHIND|"
    r"INSIDE|OUTSIDE|BY|FOR|AND|LEFT|RIGHT|SHOTS?|VIEW|ANGLE|POV|CUTS?|FLASH(?:ES)?|MONTAGE|SEQUENCE|CREDITS|"
    r"TITLES?|IMAGE|CARD|FORWARD|FRAME|SCREEN|FOOTAGE|OPEN(?:ING)?|MATCH|PLAYS|SWELLS|FADES|STOPS|STARTS|BEGINS|"
    r"ENDS|CONTINUES|EFFECTS?|CUE|ONE|TWO|THREE|FOUR|FIVE|SIX|SEVEN|EIGHT|NINE|TEN|[IVXLC]+)(?![\w'’]))"
)
_HEARD = re.compile(r"\((?:V\.?\s?O\.?|O\.?\s?[SC]\.?|VOICE[ -]?OVER|OFF[ -]?(?:SCREEN|CAMERA))\)", re.IGNORECASE)
_ON_SCREEN = re.compile(
    r"(?:SUPER(?:IMPOSE)?|(?:MAIN |ON-?SCREEN )?TITLE(?: CARD)?|CHYRON|CAPTION|SUBTITLE|INTERTITLE)S?"
    r"\s*(?::|\s[-–—]\s|—)"
)
_SMALL_PREFIX = re.compile(r"\b(?:Mc|Mac|De|Di|La|Le|O['’]|d['’])(?=[A-ZÀ-ÖØ-Þ]{2})")
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


def named_in_capitals(text: str) -> bool:
    """Whether a name is in capitals, as cues are: McCLANE and DeNIRO are too."""
    return in_capitals(_SMALL_PREFIX.sub(lambda found: found[0].upper(), text))


def is_on_screen(text: str) -> bool:
    """SUPER: "Ten years later": nobody who is named there is there."""
    return _ON_SCREEN.match(text) is not None


def is_parenthetical(text: str) -> bool:
    """(quietly), but not (quietly) No.: its first bracket closes at its end, if it does on this line."""
    if text[:1] not in ("(", "（"):
        return False
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "(（") - (sign in ")）")
        if not depth:
            return at == len(text) - 1
    return len(text) < 80


def may_speak(text: str, *, sure: bool = False) -> bool:
    """Whether a line in capitals can be the name of somebody who speaks, as far as the line itself tells.

    `sure`: it stands where names stand, and not only once; PAN is a name then.
    """
    if len(text) > names.LONGEST + 40:
        return False
    bare = names.read(text).name
    if not bare or len(bare) > names.LONGEST or not re.search(r"[^\W\d_]", bare):
        return False
    outside = re.sub(r"\([^()]{0,80}\)?", "", text).strip(" ^*_")
    if _SENTENCE_END.search(outside) and not _TITLED.search(outside):
        return False
    if len(bare.split()) > 6 or is_transition(outside):
        return False
    if _HEARD.search(text):
        return True
    perhaps = _PERHAPS.match(bare)
    if perhaps and (_OF_THE_CAMERA.match(bare[perhaps.end() :]) or not (sure or bare[perhaps.end() :])):
        return False
    return not _NO_NAME.match(bare)
