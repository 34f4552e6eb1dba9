"""The names of assets, made equal where they are written differently: by these an extraction finds what is known.

Plain Python. What only looks alike is for `assets.likeness`: what is equal here is the same without a doubt.
"""

from __future__ import annotations

import unicodedata

LONGEST = 200  # characters of a name
_LONGEST_NORMAL = 255
_KEPT = ("L", "M", "N")  # letters, marks and digits, in the words of Unicode's categories


def normal(name: str) -> str:
    """Width, case, punctuation and blanks aside: `ＳＡＲＡＨ`, `Sarah ` and `“sarah”` are one."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    words = "".join(sign if unicodedata.category(sign)[0] in _KEPT else " " for sign in folded).split()
    return (" ".join(words) or folded.strip())[:_LONGEST_NORMAL]


def normal_scene(name: str, *, time: str = "", place: str = "") -> str:
    """The same of a scene: the same place is another picture at another time, and from outside."""
    longest = _LONGEST_NORMAL - 64  # which leaves room for the rest
    return "|".join((normal(name)[:longest], normal(time)[:40], place))
