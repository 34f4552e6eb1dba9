"""Which language a text is in, as far as letters and the commonest words tell."""

from __future__ import annotations

import re
from collections import Counter

_SAMPLE = 50_000
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
)
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_WORDS = {
    "en": "the and to of you is it he she his her with at on what we they this",
    "es": "el la los las que y en un una es por con no se su lo como está pero",
    "fr": "le la les et des est un une dans il elle que qui pas vous je sur avec ne",
    "de": "der die das und ist ein eine nicht ich du sie er mit auf den wir es zu",
    "pt": "o a os as que e de um uma não em com para se eu você ele ela do da",
    "it": "il la che di e un una non è per sono con lo si ma come gli della",
    "vi": "và của là không có một cho tôi anh em người với này đã được",
    "id": "yang dan di itu ini dengan untuk tidak dari aku kamu dia ke ada",
}
_SETS = {code: frozenset(words.split()) for code, words in _WORDS.items()}


def of(text: str) -> str:
    """A code of ISO 639-1; empty if there are no letters."""
    sample = text[:_SAMPLE]
    latin = len(_LATIN.findall(sample)) / 3  # a Han character says about as much as three letters
    counts = {code: len(letters.findall(sample)) for code, letters in _SCRIPTS}
    if counts["ja"] > 0.2 * counts["zh"]:
        counts["ja"] += counts["zh"]
        counts["zh"] = 0
    best = max(counts, key=lambda code: counts[code])
    if counts[best] > latin:
        return best
    if not latin:
        return ""
    words = Counter(re.findall(r"[^\W\d_]+", sample.lower()))
    scores = {code: sum(words[word] for word in common) for code, common in _SETS.items()}
    return max(scores, key=lambda code: scores[code]) if any(scores.values()) else "en"


def share_of_han(text: str) -> float:
    """Of all letters, a Han character counted as three."""
    sample = text[:_SAMPLE]
    han = 3 * len(re.findall(r"[\u3400-\u9fff]", sample))
    return han / (han + len(_LATIN.findall(sample)) or 1)
