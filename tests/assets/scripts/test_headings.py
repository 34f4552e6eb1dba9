"""Where English headings say when: more than one time, dates, and words of other languages."""

from __future__ import annotations

import pytest

from assets.scripts import headings
from assets.scripts.episode_marks import heading


@pytest.mark.parametrize(
    ("text", "place_name", "time"),
    [
        ("INT. GARAGE - DAY - CONTINUOUS", "GARAGE", "day"),
        ("INT. GARAGE - NIGHT - LATER", "GARAGE", "night"),
        ("INT. GARAGE - LATER - NIGHT", "GARAGE", "night"),
        ("INT. GARAGE - DAY - 1987", "GARAGE", "day"),
        ("INT. GARAGE - 1987 - NIGHT - LATER", "GARAGE - 1987", "night"),
        ("INT. GARAGE - 1987", "GARAGE", "1987"),
        ("INT. GARAGE - 3 AM - CONTINUOUS", "GARAGE", "3 AM"),
        ("INT. GARAGE - OFFICE - NIGHT - LATER - FLASHBACK", "GARAGE - OFFICE", "night"),
        ("INT. GARAGE - SATURDAY NIGHT", "GARAGE", "night"),
        ("INT. GARAGE - A SUMMER DAY, 1987", "GARAGE", "day"),
        ("INT. STUDIO - SATURDAY NIGHT LIVE - DAY", "STUDIO - SATURDAY NIGHT LIVE", "day"),
        ("INT. CLUB SATURDAY - NIGHT", "CLUB SATURDAY", "night"),
        ("INNEN. HAUS - TAG", "HAUS", "day"),
        ("AUSSEN. STRASSE - NACHT", "STRASSE", "night"),
        ("INT. CAFÉ DE NUIT - JOUR", "CAFÉ DE NUIT", "day"),
        ("INT. APPARTEMENT – SOIR", "APPARTEMENT", "evening"),
        ("INT. CAFÉ DE NUIT", "CAFÉ DE NUIT", ""),
        ("INT. LASER TAG", "LASER TAG", ""),
    ],
)
def test_of_several_times_the_one_that_says_most_is_taken(text: str, place_name: str, time: str) -> None:
    found = headings.read(text)
    assert (found.place_name, found.time) == (place_name, time)
    assert found.text == text


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("E4.", None),
        ("E5", None),
        ("E04", (4, "")),
        ("E4: The Door", (4, "The Door")),
        ("Episode two was better.", None),
        ("Episode two. It was better", (2, "It was better")),
        ("Ep 3 sucked, though.", None),
        ("EPISODE 3 Is over!", None),
        ("EPISODE 3 The Door", (3, "The Door")),
    ],
)
def test_an_episode_is_announced_and_not_spoken_of(line: str, wanted: tuple[int, str] | None) -> None:
    assert heading(line) == wanted
