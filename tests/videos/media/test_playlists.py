"""The playlists: read as ffmpeg writes them, written from what was measured."""

from __future__ import annotations

from fractions import Fraction

import pytest

from videos.media import playlists
from videos.media.playlists import Media, Segment, Variant

WRITTEN = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="720p.m4s",BYTERANGE="822@0"
#EXTINF:4.000000,
#EXT-X-BYTERANGE:4000@822
720p.m4s
#EXTINF:2.000000,
#EXT-X-BYTERANGE:3000@4822
720p.m4s
#EXT-X-ENDLIST
"""


def make_media(*segments: tuple[float, int]) -> Media:
    made, offset = [], 100
    for seconds, size in segments:
        made.append(Segment(seconds=seconds, offset=offset, size=size))
        offset += size
    return Media(file="x.m4s", head=Segment(seconds=0, offset=0, size=100), segments=tuple(made))


def test_a_playlist_of_ffmpeg_is_read() -> None:
    media = playlists.parse(WRITTEN)
    assert media.file == "720p.m4s"
    assert media.head == Segment(seconds=0, offset=0, size=822)
    assert media.segments[1] == Segment(seconds=2, offset=4822, size=3000)
    assert media.seconds == 6
    assert media.average == round(7000 * 8 / 6)
    assert media.peak == 3000 * 8 / 2


@pytest.mark.parametrize("text", ["", "#EXTM3U\n", "#EXTM3U\n#EXTINF:4,\na.ts\n"])
def test_another_kind_of_playlist_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        playlists.parse(text)


def test_a_last_segment_of_a_few_frames_does_not_set_the_peak() -> None:
    media = make_media((4, 4000), (4, 5000), (0.1, 2000))
    assert media.peak == round((5000 + 2000) * 8 / 4.1)  # together with the one before it


def test_a_single_short_segment_is_its_own_peak() -> None:
    assert make_media((0.5, 1000)).peak == 16_000


def test_the_master_names_every_variant_best_first_with_the_sound_on_top() -> None:
    small = Variant(
        name="360p",
        media=make_media((4, 4000)),
        codecs="avc1.64001E",
        width=640,
        height=360,
        rate=Fraction(25),
    )
    large = Variant(
        name="720p",
        media=make_media((4, 8000), (4, 6000)),
        codecs="avc1.64001F",
        width=1280,
        height=720,
        rate=Fraction(30000, 1001),
    )
    text = playlists.master([small, large], audio=make_media((4, 1000), (4, 500)), playlist=lambda name: f"{name}.m3u8")
    assert text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",'
        'URI="audio.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=18000,AVERAGE-BANDWIDTH=15500,CODECS="avc1.64001F,mp4a.40.2",'
        'RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="audio"',
        "720p.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=10000,AVERAGE-BANDWIDTH=9500,CODECS="avc1.64001E,mp4a.40.2",'
        'RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="audio"',
        "360p.m3u8",
    ]


def test_sound_only_is_a_variant_of_its_own() -> None:
    alone = Variant(name="audio", media=make_media((4, 1000)), codecs="mp4a.40.2")
    text = playlists.master([alone], audio=None, playlist=lambda name: f"{name}.m3u8")
    assert text.splitlines()[3:] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=2000,AVERAGE-BANDWIDTH=2000,CODECS="mp4a.40.2"',
        "audio.m3u8",
    ]
