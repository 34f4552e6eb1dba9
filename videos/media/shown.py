"""From decoded frames to the picture that people are shown: whole, of a size, square pixels, 8 bit, BT.709."""

from __future__ import annotations

from typing import Any

from videos.media.probe import VideoStream

BT709 = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709"}
_HDR_TRANSFERS = {"pq": "smpte2084", "hlg": "arib-std-b67"}
_RGB = ("rgb", "bgr", "gbr", "argb", "abgr", "pal8", "0rgb", "0bgr")


def is_rgb(video: VideoStream) -> bool:
    """Whether the picture is coded as red, green and blue, and not as brightness and colour."""
    return (video.pix_fmt or "").startswith(_RGB)


def deinterlaced(picture: Any, video: VideoStream) -> Any:
    """Whole frames, where there were halves; as many as before."""
    if not video.interlaced:
        return picture
    return picture.filter("bwdif", mode="send_frame", deint="interlaced")


def converted(
    picture: Any, video: VideoStream, size: tuple[int, int], *, pix_fmt: str, matrix: str | None = None
) -> Any:
    """To size, square pixels and 8 bit. ffmpeg has already turned the picture upright.

    HDR and RGB become BT.709. Other colours stay as they were, unless `matrix` names theirs as the filter "scale" does:
    then they become BT.709 too, of limited range.
    """
    width, height = size
    if video.hdr is not None:
        picture = _tone_mapped(picture, video, size)
    elif is_rgb(video):
        picture = picture.filter("scale", width, height, out_color_matrix="bt709")
    elif matrix is not None:
        colours = {"in_color_matrix": matrix, "out_color_matrix": "bt709", "out_range": "tv"}
        picture = picture.filter("scale", width, height, **colours)
    else:
        picture = picture.filter("scale", width, height)
    return picture.filter("setsar", 1).filter("format", pix_fmt)


def _tone_mapped(picture: Any, video: VideoStream, size: tuple[int, int]) -> Any:
    """HDR to BT.709. Scaled first, for the rest happens in 32 bit floats and costs by the pixel.

    The colours are stated outright: files that name their transfer often leave out the rest, and zscale then
    finds no way from one to the other.
    """
    assert video.hdr is not None
    transfer = _HDR_TRANSFERS[video.hdr]
    stated = {"color_primaries": "bt2020", "color_trc": transfer, "colorspace": "bt2020nc"}
    if video.width % 2 or video.height % 2:
        picture = picture.filter("format", "yuv444p10")  # zscale takes no odd sides with halved colour
    return (
        picture.filter("setparams", **stated)
        .filter("zscale", w=size[0], h=size[1], transfer="linear", npl=100)
        .filter("format", "gbrpf32le")
        .filter("zscale", primaries="bt709")
        .filter("tonemap", "hable", desat=0)
        .filter("zscale", transfer="bt709", matrix="bt709", range="tv")
    )
