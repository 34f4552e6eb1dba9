"""The sound of films of drafts, by level and by pitch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyJianYingDraft import AudioSegment, ScriptFile, TrackSpec, TrackType, VideoSegment, trange

from tests.videos.drafts import films
from tests.videos.drafts.films import BESIDE, film, level
from tests.videos.media import clips
from tests.videos.timeline import waves
from tests.videos.timeline.capcut.drafts import SECOND, Paper, segment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

LOUD = 0.2  # of each tone
TONES = (400, 1000, 2500)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Four seconds of a tone each; and the lowest of them in a film."""
    folder = tmp_path_factory.mktemp("files")
    times = np.arange(4 * waves.RATE) / waves.RATE
    found = {}
    for tone in TONES:
        found[tone] = folder / f"{tone}.wav"
        waves.make_sound(found[tone], LOUD * np.sin(2 * np.pi * tone * times))
    picture = ("-f", "lavfi", "-i", "color=red:size=64x36:rate=10:duration=4")
    clips.ffmpeg(*picture, "-i", found[400], *clips.H264, "-c:a", "aac", "-b:a", "192k", folder / "film.mp4")
    return found | {0: folder / "film.mp4"}


def script(*tracks: TrackSpec) -> ScriptFile:
    made = ScriptFile(64, 36, 10, maintrack_adsorb=True)
    made.append_tracks(list(tracks))
    return made


def test_volumes_fades_and_keyframes_of_several_tracks_are_heard_at_once(files: dict[int, Path]) -> None:
    draft = script(
        TrackSpec(TrackType.video, "film"),
        TrackSpec(TrackType.audio, "fading"),
        TrackSpec(TrackType.audio, "moving"),
        TrackSpec(TrackType.audio, "muted", mute=True),
    )
    draft.add_segment(VideoSegment(str(files[0]), trange("0s", "3s"), volume=0.5), "film")
    fading = AudioSegment(str(files[1000]), trange("0.5s", "2s"), volume=0.8)
    draft.add_segment(fading.add_fade("0.5s", "1s"), "fading")
    moving = AudioSegment(str(files[2500]), trange("0s", "3s"))
    for at, volume in ((0.5, 0.0), (1.5, 1.0), (2.0, 1.0), (2.5, 0.25)):
        moving.add_keyframe(round(at * SECOND), volume)
    draft.add_segment(moving, "moving")
    draft.add_segment(AudioSegment(str(files[1000]), trange("2.5s", "0.5s")), "muted")
    made = film(draft, *files.values())
    assert made.codes == []

    for moment in np.arange(0.1, 2.95, 0.1):
        fades = min(1.0, max(0.0, moment - 0.5) / 0.5, max(0.0, 2.5 - moment) / 1.0)
        moves = np.interp(moment, [0.5, 1.5, 2.0, 2.5], [0, 1, 1, 0.25])
        wanted = {400: 0.5, 1000: 0.8 * fades, 2500: float(moves)}
        found = {tone: level(made.sound, tone, float(moment)) / LOUD for tone in TONES}
        assert found == pytest.approx(wanted, abs=0.06), round(float(moment), 1)


def test_speed_keeps_the_pitch_unless_the_draft_says_otherwise(files: dict[int, Path]) -> None:
    draft = script(TrackSpec(TrackType.audio))
    for number, (speed, change) in enumerate(((1.0, False), (1.6, False), (1.6, True), (0.5, False), (0.5, True))):
        span = trange(f"{0.6 * number}s", "0.5s")
        draft.add_segment(AudioSegment(str(files[1000]), span, speed=speed, change_pitch=change))
    made = film(draft, files[1000], home=BESIDE)
    heard = [films.pitch(made.sound, 0.6 * number + 0.1, 0.6 * number + 0.4) for number in range(5)]
    assert heard == pytest.approx([1000, 1000, 1600, 1000, 500], rel=0.01)
    gaps = [films.pitch(made.sound, 0.6 * number + 0.52, 0.6 * number + 0.58) for number in range(4)]
    assert gaps == [0] * 4
    assert made.seconds == pytest.approx(2.9, abs=0.1)


def test_a_compound_clip_is_heard_with_its_own_volume_and_fades(files: dict[int, Path]) -> None:
    inside = Paper(canvas_config={"width": 64, "height": 36}, fps=10)
    inside.track("audio", segment(inside.sound(films.WINDOWS + "1000.wav"), 0, 2 * SECOND, volume=0.5))
    paper = Paper(canvas_config={"width": 64, "height": 36}, fps=10)
    fades = paper.material("audio_fades", fade_in_duration=SECOND // 2, fade_out_duration=0)
    compound = paper.material("drafts", draft=inside.document())
    paper.track("video", segment(paper.video(""), 0, SECOND, compound, fades, source=SECOND // 2, volume=0.8))
    made = film(paper, files[1000])
    found = [level(made.sound, 1000, moment) / LOUD for moment in (0.1, 0.25, 0.4, 0.6, 0.9)]
    assert found == pytest.approx([0.08, 0.2, 0.32, 0.4, 0.4], abs=0.04)
