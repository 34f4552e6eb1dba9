"""What is wrong with a draft, so that nothing can be made of it."""

from __future__ import annotations

from typing import ClassVar

from jobs.errors import BadInput

SHOWN = 50  # problems at once


class DraftInvalid(BadInput):
    """`details["problems"]`: for each the path of the field, and what is wrong with it; `details["count"]`: how many
    there are."""

    code: ClassVar[str] = "draft_invalid"
    message = "The draft can't be read."

    def __init__(self, problems: list[dict[str, str]], *, count: int = 0) -> None:
        first = problems[0]
        super().__init__(
            f"{first['path'] or 'draft'}: {first['problem']}.",
            details={"problems": problems[:SHOWN], "count": max(count, len(problems))},
        )


class DraftEncrypted(BadInput):
    code: ClassVar[str] = "draft_encrypted"
    message = (
        "The draft is encrypted, as JianYing 6 and later write it. Save it with CapCut, or with an older JianYing."
    )
