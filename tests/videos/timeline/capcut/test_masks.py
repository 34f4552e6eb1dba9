"""Masks of drafts: the four plain shapes are read, all others named."""

from __future__ import annotations

from typing import Any

import pyJianYingDraft as jianying
import pytest
from pyJianYingDraft import MaskType

from tests.videos.timeline.capcut.drafts import SECOND, Paper, codes, read, segment
from videos.timeline.capcut.reading import Draft
from videos.timeline.model import Clip, Mask, Shape


def masked(*masks: dict[str, Any], sort: str = "masks", says: dict[str, Any] | None = None) -> Draft:
    """A draft of one segment with these masks."""
    paper = Paper()
    hung = [paper.material(sort, type="mask", **one) for one in masks]
    paper.track("video", segment(paper.video(width=1920, height=1080), 0, SECOND, *hung) | (says or {}))
    return read(paper)


def mask(*masks: dict[str, Any], **how: Any) -> Mask | None:
    draft = masked(*masks, **how)
    assert codes(draft) == []
    return next(draft.timeline.clips()).mask


CONFIG = {
    "width": 0.6,
    "height": 0.25,
    "centerX": 0.5,
    "centerY": 0.2,
    "rotation": 30.0,
    "roundCorner": 0.1,
    "feather": 0.3,
    "invert": True,
}
EVERYTHING: dict[str, Any] = {"x": 0.25, "y": -0.1, "rotation": 30, "corner": 0.1, "feather": 0.3, "invert": True}


@pytest.mark.parametrize("sort", ["masks", "common_mask"])
@pytest.mark.parametrize(
    ("named", "shape", "sizes"),
    [
        ({"resource_type": "line"}, Shape.LINE, {}),
        ({"resource_type": "linear"}, Shape.LINE, {}),
        ({"name": "Filmstrip"}, Shape.MIRROR, {"height": 0.25}),
        ({"resource_type": "circle", "name": "?"}, Shape.CIRCLE, {"width": 0.6, "height": 0.25}),
        ({"resource_id": "6791700809454195207"}, Shape.RECTANGLE, {"width": 0.6, "height": 0.25}),
    ],
)
def test_a_mask_is_read_as_parts_of_the_picture(
    named: dict[str, str], shape: Shape, sizes: dict[str, Any], sort: str
) -> None:
    assert mask(named | {"config": CONFIG}, sort=sort) == Mask(shape=shape, **EVERYTHING, **sizes)


@pytest.mark.parametrize("kind", [MaskType.线性, MaskType.镜面, MaskType.圆形, MaskType.矩形])
def test_masks_of_a_program_are_the_same_in_both_lists(kind: MaskType) -> None:
    says = jianying.video_segment.Mask(kind.value, 0.5, 0.2, 0.6, 0.25, 1.0, 30, True, 0.3, 0.1)
    paper = Paper()
    key = paper.material("masks", **says.export_json())
    assert paper.material("common_mask", **says.export_common_json()) == key
    paper.track("video", segment(paper.video(), 0, SECOND, key))
    draft = read(paper)
    found = next(draft.timeline.clips()).mask
    assert found is not None
    assert (found.shape.value, found.x, found.y, found.feather) == (kind.value.resource_type, 0.25, -0.1, 0.3)
    assert codes(draft) == []


def test_of_two_lists_the_newer_one_is_believed() -> None:
    paper = Paper()
    for sort, feather in (("common_mask", 0.5), ("masks", 0.0)):
        paper.material(sort, id="M", resource_type="line", config={"feather": feather})
    paper.track("video", segment(paper.video(), 0, SECOND, "M"))
    assert next(read(paper).timeline.clips()).mask == Mask(shape=Shape.LINE, feather=0.5)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, Mask(shape=Shape.CIRCLE, width=0.5 * 9 / 16)),
        ({"height": 0.8}, Mask(shape=Shape.CIRCLE, width=0.8 * 9 / 16, height=0.8)),
        ({"aspectRatio": 2.0}, Mask(shape=Shape.CIRCLE, width=9 / 16)),
        ({"width": -1, "height": 0}, Mask(shape=Shape.CIRCLE, width=0.5 * 9 / 16)),
        ({"width": 1e9, "height": "nan"}, Mask(shape=Shape.CIRCLE, width=100)),
        (
            {"centerX": 99, "centerY": -99, "rotation": 1e9, "roundCorner": 7, "feather": -3, "width": 1},
            Mask(shape=Shape.CIRCLE, x=10, y=10, rotation=36_000, corner=1, width=1),
        ),
        ({"centerX": [], "feather": {}, "invert": "no", "width": True}, Mask(shape=Shape.CIRCLE, width=0.5 * 9 / 16)),
    ],
)
def test_a_mask_may_say_little_or_nonsense(config: Any, expected: Mask) -> None:
    found = mask({"resource_type": "circle", "config": config})
    assert found is not None
    assert found.width == pytest.approx(expected.width)
    assert found == Mask(**{**vars(expected), "width": found.width})


@pytest.mark.parametrize("says", [{"resource_type": "geometric_shape", "name": "爱心"}, {}, {"resource_type": 7}])
def test_other_masks_are_named_and_left_out(says: dict[str, Any]) -> None:
    draft = masked(says)
    (remark,) = draft.report
    assert (remark.code, remark.path) == ("mask_left_out", "tracks[0].segments[0]")
    assert str(says.get("name", "")) in remark.message
    assert next(draft.timeline.clips()).mask is None


def test_of_several_masks_the_first_is_drawn_and_the_others_are_named() -> None:
    draft = masked({"name": "爱心"}, {"resource_type": "line"}, {"resource_type": "circle", "name": "圆形"})
    assert next(draft.timeline.clips()).mask == Mask(shape=Shape.LINE)
    assert [remark.message for remark in draft.report] == ["The mask 爱心 is left out.", "The mask 圆形 is left out."]


def test_what_moves_or_grows_in_the_editor_is_named() -> None:
    frames = [{"time_offset": 0, "values": [0]}, {"time_offset": SECOND, "values": [1]}]
    moving = {"common_keyframes": [{"property_type": "KFTypeMaskPostionX", "keyframe_list": frames}]}
    draft = masked({"resource_type": "line", "config": {"expansion": 0.2}}, says=moving)
    assert next(draft.timeline.clips()).mask == Mask(shape=Shape.LINE)
    assert sorted(codes(draft)) == ["keyframes_left_out", "mask_approximated"]


def test_masks_of_texts_and_of_compound_clips_are_named() -> None:
    inside = Paper()
    inside.track("video", segment(inside.video(), 0, SECOND))
    paper = Paper()
    line = paper.material("masks", resource_type="line")
    compound = paper.material("drafts", draft=inside.document())
    paper.track("video", segment(paper.video(""), 0, SECOND, compound, line))
    paper.track("text", segment(paper.material("texts", content="x"), 0, SECOND, line))
    draft = read(paper)
    clips: list[Clip] = list(draft.timeline.clips())
    assert [clip.mask for clip in clips] == [None]
    assert [(remark.code, remark.path) for remark in draft.report] == [
        ("mask_left_out", "tracks[0].segments[0]"),
        ("mask_left_out", "tracks[1].segments[0]"),
    ]
