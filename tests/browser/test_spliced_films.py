"""Films that are copied in part and encoded in part, each with its own parameter sets: a browser shows all frames."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.videos.timeline import reels
from tests.videos.timeline.test_splicing import REORDERED, row
from videos.timeline.film import Format

pytestmark = [pytest.mark.browser]

COUNT, RATE = 120, 30
OPEN = """async ([content, type]) => {
  window.video = document.createElement('video');
  document.body.replaceChildren(video);
  video.muted = true;
  video.src = `data:${type};base64,${content}`;
  const canvas = document.createElement('canvas');
  window.heard = name => new Promise((done, fail) => {
    video.addEventListener(name, done, { once: true });
    video.addEventListener('error', () => fail(video.error.message), { once: true });
  });
  await heard('canplaythrough');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  window.look = () => {  // the time and the number of one frame: the video itself may have gone on
    const frame = new VideoFrame(video);
    const time = frame.timestamp / 1e6;
    context.drawImage(frame, 0, 0);
    frame.close();
    let number = 0;
    for (let row = 0; row < 3; row++)
      for (let column = 0; column < 4; column++) {
        const [x, y] = [canvas.width / 4 * (column + 0.5), canvas.height / 3 * (row + 0.5)];
        number = number * 2 + (context.getImageData(x, y, 1, 1).data[0] > 128 ? 1 : 0);
      }
    return [time, number];
  };
}"""
# A frame is there when it was handed on to be shown; "seeked" may be told before.
SEEK = """async times => {
  const seen = [];
  for (const time of times) {
    const shown = new Promise(done => video.requestVideoFrameCallback(() => done(look())));
    video.currentTime = time;
    seen.push(await shown);
  }
  return seen;
}"""
PLAY = """async () => {
  const seen = [];
  const note = () => { seen.push(look()); video.requestVideoFrameCallback(note); };
  video.currentTime = 0;
  video.requestVideoFrameCallback(note);
  video.playbackRate = 0.5;
  const ended = heard('ended');
  await video.play();
  await ended;
  return seen;
}"""


@pytest.mark.parametrize("form", [Format.MP4, Format.MOV])
def test_every_frame_is_shown_when_it_is_looked_for_and_when_it_is_played(
    browser: Browser, tmp_path: Path, form: Format
) -> None:
    sources = {
        name: reels.source(
            reels.make_numbered(
                tmp_path / f"{name}.mp4", *REORDERED, count=COUNT, rate=RATE, material=int(name), sound=True
            )
        )
        for name in ("0", "1")
    }
    whole = row(("0", 13, 60), ("1", 24, 47), ("0", 50, 60))
    made = reels.make(whole, sources, tmp_path / "out", form=form)
    assert 0 < made.frames_copied < whole.frames, made.reason
    expected = reels.expected(whole, {name: reels.even(COUNT, RATE) for name in sources})

    page = browser.new_page()
    content = base64.b64encode(made.file.read_bytes()).decode()
    page.evaluate(OPEN, [content, "video/mp4"])  # Chromium plays a MOV as well, by another name
    there_and_back = [*range(whole.frames), *reversed(range(whole.frames - 1))]
    sought = page.evaluate(SEEK, [(frame + 0.5) / RATE for frame in there_and_back])
    assert numbered(sought) == [(frame, expected[frame]) for frame in there_and_back]
    played = numbered(page.evaluate(PLAY))
    assert played == [(frame, expected[frame]) for frame, _ in played]
    assert len(played) > whole.frames / 2  # a slow machine leaves some out, and none is shown at another's time
    page.close()


def numbered(seen: list[tuple[float, int]]) -> list[tuple[int, int]]:
    """Each frame that was shown: its place, by its time, and the number that is drawn on it."""
    return [(round(time * RATE), number) for time, number in seen]
