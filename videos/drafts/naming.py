"""Ids of drafts, in the addresses and file names by which people speak of them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, unquote, urlsplit

_ID = re.compile(r"[\w.{}-]{1,200}")
_IN_PATH = re.compile(r"/drafts?/([^/]+)")
_NAMES = {"draft_content", "draft_info"}  # every draft's file is called so


def id_of(address: str) -> str:
    """The id in `…?draft_id=ID`, `…/draft/ID` or `…/ID.json`; "" if there is none."""
    try:
        parts = urlsplit(address)
        asked = parse_qs(parts.query).get("draft_id", [])
    except ValueError:  # no address at all, or more fields than anybody sends
        return ""
    in_path = _IN_PATH.findall(parts.path)
    name = re.split(r"[/\\]", parts.path)[-1]
    # The name is the last to be believed: `/draft/42/draft_content.json`.
    candidates = [*asked, *(unquote(found) for found in in_path), unquote(name) if name.endswith(".json") else ""]
    return next((found for text in candidates if (found := _plain(text))), "")


def url_of(draft_id: str, template: str) -> str:
    """Where the template has it that the draft is."""
    return template.replace("{id}", quote(draft_id, safe=""))


def is_url(address: str) -> bool:
    """Whether it is something that can be fetched, by its beginning."""
    return address.lower().startswith(("http://", "https://"))


def _plain(text: str) -> str:
    found = text.strip().removesuffix(".json").removesuffix(".zip")
    return found if _ID.fullmatch(found) and found not in _NAMES and found.strip(".") else ""
