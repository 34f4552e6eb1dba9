"""Drafts that a program writes for JianYing, with files that are there: what comes out of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyJianYingDraft as jianying
import pytest
from pyJianYingDraft import KeyframeProperty, ScriptFile, TrackSpec, TrackType, TransitionType, trange

from tests.videos.media import clips
from tests.videos.timeline.capcut.drafts import SECOND, codes, read
from videos.timeline.capcut.reading import Draft
from videos.timeline.model import Canvas, Clip, Crop, Fit, Kind, Passage, Sound
from videos.timeline.motion import Keyframe, Motion, Transform
from videos.timeline.texts import Align, Box, Stroke, Style

Write = Callable[[ScriptFile], Any]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of four seconds, a sound and a picture, as small as they can be."""
    folder = tmp_path_factory.mktemp("media")
    clips.make_clip(folder / "film.mp4", size="64x36", seconds=4)
    clips.ffmpeg("-f", "lavfi", "-i", "sine=duration=4", folder / "sound.wav")
    clips.ffmpeg("-f", "lavfi", "-i", "color=red:size=64x36", "-frames:v", "1", folder / "picture.png")
    return folder


def written(write: Write) -> Draft:
    script = ScriptFile(1280, 720, 25, maintrack_adsorb=True)
    write(script)
    return read(json.loads(script.dumps()))


def test_cuts_and_speeds_are_read(files: Path) -> None:
    film = str(files / "film.mp4")

    def write(script: ScriptFile) -> None:
        script.append_track(TrackSpec(TrackType.video))
        script.add_segment(jianying.VideoSegment(film, trange(0, "1s"), source_timerange=trange("2s", "1s")))
        script.add_segment(jianying.VideoSegment(film, trange("1s", "2s"), source_timerange=trange("1s", "3s")))
        script.add_segment(jianying.VideoSegment(film, trange("4s", "1s"), speed=0.8))

    draft = written(write)
    assert draft.timeline.canvas == Canvas(width=1280, height=720, rate=Fraction(25))
    (track,) = draft.timeline.tracks
    assert track.kind is Kind.VIDEO
    name = draft.media[0].name
    assert track.clips == (
        Clip(start=0, duration=SECOND, material=name, source_start=2 * SECOND),
        Clip(start=SECOND, duration=2 * SECOND, material=name, source_start=SECOND, speed=Fraction(3, 2)),
        Clip(start=4 * SECOND, duration=SECOND, material=name, speed=Fraction(4, 5)),
    )
    (media,) = draft.media
    assert (media.kind, media.path, media.file_name, media.placeholder) == ("video", film, "film.mp4", False)
    assert codes(draft) == []


def test_a_picture_in_the_picture_is_put_where_it_was(files: Path) -> None:
    film = str(files / "film.mp4")
    place = jianying.ClipSettings(
        scale_x=0.4, scale_y=0.4, transform_x=0.5, transform_y=0.6, rotation=15, alpha=0.8, flip_horizontal=True
    )
    material = jianying.VideoMaterial(film, crop_settings=jianying.CropSettings(upper_left_x=0.1, lower_left_x=0.1))

    def write(script: ScriptFile) -> None:
        below = script.append_track(TrackSpec(TrackType.video, "below", mute=True))
        above = script.append_track(TrackSpec(TrackType.video, "above"))
        script.add_segment(jianying.VideoSegment(film, trange(0, "3s")), below)
        small = jianying.VideoSegment(material, trange("1s", "1s"), clip_settings=place, volume=0.5)
        script.add_segment(small, above)

    draft = written(write)
    below, above = draft.timeline.tracks
    assert (below.muted, above.muted) == (True, False)
    (clip,) = above.clips
    assert clip.transform == Transform(x=0.25, y=-0.3, scale=0.4, rotation=15, opacity=0.8)
    assert (clip.flip_x, clip.flip_y, clip.sound.volume) == (True, False, 0.5)
    assert clip.crop == Crop(left=0.1)
    assert len(draft.media) == 1
    assert codes(draft) == []


def test_photos_move_by_their_keyframes(files: Path) -> None:
    def write(script: ScriptFile) -> None:
        script.append_track(TrackSpec(TrackType.video))
        photo = jianying.VideoSegment(
            str(files / "picture.png"), trange("1s", "3s"), source_timerange=trange("2s", "3s")
        )
        photo.add_keyframe(KeyframeProperty.uniform_scale, "0s", 1.0)
        photo.add_keyframe(KeyframeProperty.uniform_scale, "3s", 1.5)
        photo.add_keyframe(KeyframeProperty.position_x, "1s", -0.5)
        photo.add_keyframe(KeyframeProperty.position_y, "1s", 0.5)
        photo.add_keyframe(KeyframeProperty.alpha, "2s", 0.25)
        photo.add_keyframe(KeyframeProperty.brightness, "1s", 0.25)
        script.add_segment(photo)

    draft = written(write)
    (media,) = draft.media
    (clip,) = draft.timeline.tracks[0].clips
    assert media.kind == "still"
    assert (clip.start, clip.duration, clip.source_start, clip.speed) == (SECOND, 3 * SECOND, 0, Fraction(1))
    assert clip.motion == Motion(
        scale=(Keyframe(at=0, value=1.0), Keyframe(at=3 * SECOND, value=1.5)),
        x=(Keyframe(at=SECOND, value=-0.25),),
        y=(Keyframe(at=SECOND, value=-0.25),),
        opacity=(Keyframe(at=2 * SECOND, value=0.25),),
    )
    assert codes(draft) == ["keyframes_left_out"]


def test_sounds_fade_and_change_their_volume(files: Path) -> None:
    def write(script: ScriptFile) -> None:
        script.append_track(TrackSpec(TrackType.audio))
        sound = jianying.AudioSegment(str(files / "sound.wav"), trange("1s", "2s"), volume=0.6, change_pitch=True)
        sound.add_fade("0.5s", "1s")
        sound.add_keyframe(0, 0.2)
        sound.add_keyframe(SECOND, 1.0)
        script.add_segment(sound)

    draft = written(write)
    (track,) = draft.timeline.tracks
    (clip,) = track.clips
    assert (track.kind, draft.media[0].kind) == (Kind.AUDIO, "sound")
    assert clip.sound == Sound(volume=0.6, fade_in=SECOND // 2, fade_out=SECOND)
    assert clip.motion == Motion(volume=(Keyframe(at=0, value=0.2), Keyframe(at=SECOND, value=1.0)))
    assert not clip.keep_pitch


def test_transitions_lie_about_the_cut(files: Path) -> None:
    film = str(files / "film.mp4")
    wanted = [
        TransitionType.叠化,
        TransitionType.闪黑,
        TransitionType.向左擦除,
        TransitionType.上移,
        TransitionType.翻页,
    ]

    def write(script: ScriptFile) -> None:
        script.append_track(TrackSpec(TrackType.video))
        for number, kind in enumerate(wanted):
            clip = jianying.VideoSegment(film, trange(f"{number}s", "1s"), source_timerange=trange("1s", "1s"))
            script.add_segment(clip.add_transition(kind, duration="0.5s"))
        script.add_segment(jianying.VideoSegment(film, trange(f"{len(wanted)}s", "1s")))

    draft = written(write)
    *changing, last = draft.timeline.tracks[0].clips
    assert [clip.transition and clip.transition.kind for clip in changing] == [
        Passage.DISSOLVE,
        Passage.FADE_BLACK,
        Passage.WIPE_LEFT,
        Passage.SLIDE_UP,
        Passage.DISSOLVE,
    ]
    assert {clip.transition.duration for clip in changing if clip.transition} == {SECOND // 2}
    assert last.transition is None
    assert [(remark.code, remark.path) for remark in draft.report] == [
        ("transition_replaced", "tracks[0].segments[4]"),
    ]


def test_what_fills_the_canvas_behind_a_picture_is_read(files: Path) -> None:
    film = str(files / "film.mp4")

    def write(script: ScriptFile) -> None:
        script.append_track(TrackSpec(TrackType.video))
        blurred = jianying.VideoSegment(film, trange(0, "1s")).add_background_filling("blur", 0.375)
        coloured = jianying.VideoSegment(film, trange("1s", "1s")).add_background_filling("color", color="#ff8000ff")
        script.add_segment(blurred).add_segment(coloured)

    blurred, coloured = written(write).timeline.tracks[0].clips
    assert (blurred.fit, blurred.backdrop) == (Fit.BLUR, None)
    assert (coloured.fit, coloured.backdrop) == (Fit.CONTAIN, "#ff8000")


def test_texts_keep_how_they_look() -> None:
    def write(script: ScriptFile) -> None:
        script.append_track(TrackSpec(TrackType.text))
        text = jianying.TextSegment(
            "你好",
            trange("1s", "2s"),
            style=jianying.TextStyle(
                size=12, bold=True, italic=True, color=(1, 0.5, 0), alpha=0.5, align=2, letter_spacing=2
            ),
            clip_settings=jianying.ClipSettings(transform_y=-0.5, scale_x=2, scale_y=2),
            border=jianying.TextBorder(color=(0, 0, 1), width=50),
            background=jianying.TextBackground(color="#112233", alpha=0.7, width=0.3),
            shadow=jianying.TextShadow(distance=10, angle=-90, alpha=0.5),
        )
        script.add_segment(text)

    draft = written(write)
    (track,) = draft.timeline.tracks
    (text,) = track.texts
    assert (track.kind, text.text, text.start, text.duration) == (Kind.TEXT, "你好", SECOND, 2 * SECOND)
    assert text.style == Style(
        size=0.12,
        colour="#ff8000",
        bold=True,
        italic=True,
        spacing=0.1,
        stroke=Stroke(colour="#0000ff", width=0.1),
    )
    assert text.box == Box(colour="#112233", opacity=0.7, padding=0.3)
    assert text.transform == Transform(y=0.25, scale=2, opacity=0.5)
    assert text.align is Align.RIGHT
    assert text.shadow is not None
    assert (text.shadow.x, text.shadow.y) == pytest.approx((0, 0.1))
    assert codes(draft) == ["text_approximated"]  # the box is wider than high


def test_imported_subtitles_are_subtitles(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(
        "1\n00:00:00,500 --> 00:00:01,000\nOne\n\n2\n00:00:01,000 --> 00:00:02,250\nTwo\nlines\n"
    )

    def write(script: ScriptFile) -> None:
        script.import_srt(str(tmp_path / "a.srt"), "subtitles")

    (track,) = written(write).timeline.tracks
    assert track.kind is Kind.SUBTITLES
    assert [(text.start, text.end, text.text) for text in track.texts] == [
        (SECOND // 2, SECOND, "One"),
        (SECOND, 9 * SECOND // 4, "Two\nlines"),
    ]
    assert {(text.style.size, text.transform.y, text.width) for text in track.texts} == {(0.05, 0.4, 0.82)}


def test_what_only_the_application_can_do_is_named_for_each_segment(files: Path) -> None:
    film = str(files / "film.mp4")

    def write(script: ScriptFile) -> None:
        script.append_track(TrackSpec(TrackType.video))
        script.append_tracks([TrackSpec(TrackType.effect), TrackSpec(TrackType.filter), TrackSpec(TrackType.sticker)])
        clip = jianying.VideoSegment(film, trange(0, "2s"))
        clip.add_animation(jianying.IntroType.斜切).add_effect(jianying.VideoSceneEffectType.全息扫描)
        clip.add_filter(jianying.FilterType.中性).add_mask(jianying.MaskType.爱心).add_chroma("#00ff00ff")
        clip.set_mix_mode(jianying.MixModeType.正片叠底)
        script.add_segment(clip)
        script.add_effect(jianying.VideoSceneEffectType.全息扫描, trange(0, "1s"))
        script.add_filter(jianying.FilterType.中性, trange(0, "1s"))
        script.add_segment(jianying.StickerSegment("123", trange(0, "1s")))

    draft = written(write)
    assert [track.kind for track in draft.timeline.tracks] == [Kind.VIDEO]
    said = {(remark.path, remark.code) for remark in draft.report}
    first = "tracks[0].segments[0]"
    assert said == {
        *((first, f"{what}_left_out") for what in ("animation", "effect", "filter", "mask", "chroma", "blend_mode")),
        ("tracks[1].segments[0]", "effect_left_out"),
        ("tracks[2].segments[0]", "filter_left_out"),
        ("tracks[3].segments[0]", "sticker_left_out"),
    }
    assert all(remark.segment_id for remark in draft.report)
    assert any("全息扫描" in remark.message for remark in draft.report)
