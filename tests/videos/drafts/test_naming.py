"""Ids of drafts, wherever they stand in an address; addresses of drafts, whatever is in their ids."""

from __future__ import annotations

import pytest

from videos.drafts import naming


@pytest.mark.parametrize(
    ("address", "draft_id"),
    [
        ("https://a.example/get?draft_id=7345", "7345"),
        ("https://a.example/get?x=1&draft_id=7345-ab_c#top", "7345-ab_c"),
        ("?draft_id=7345", "7345"),
        ("https://a.example/draft/7345", "7345"),
        ("https://a.example/api/drafts/7345/", "7345"),
        ("https://a.example/draft/7345/draft_content.json", "7345"),
        ("https://a.example/draft/7345.zip?token=1", "7345"),
        ("https://a.example/files/7345.json", "7345"),
        ("7345.json", "7345"),
        (r"C:\drafts\7345.json", "7345"),
        ("https://a.example/%7B0E68-5133%7D.json", "{0E68-5133}"),
        ("https://a.example/draft/1?draft_id=2", "2"),
        ("https://a.example/draft_content.json", ""),
        ("https://a.example/draft/", ""),
        ("https://a.example/draft/..", ""),
        ("https://a.example/draft/a%2Fb", ""),
        ("https://a.example/draft/%00", ""),
        (f"https://a.example/draft/{'9' * 201}", ""),
        ("https://a.example/clip.mp4", ""),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_an_id_is_read_from_where_it_stands(address: str, draft_id: str) -> None:
    assert naming.id_of(address) == draft_id


def test_an_id_can_not_lead_elsewhere_than_the_template_does() -> None:
    assert naming.url_of("../x?y#z", "https://a.example/{id}.zip") == "https://a.example/..%2Fx%3Fy%23z.zip"
