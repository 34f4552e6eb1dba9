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
  window.look = () => {
    context.drawImage(video, 0, 0);
    let number = 0;
    for (let row = 0; row < 3; row++)
      for (let column = 0; column < 4; column++) {
        const [x, y] = [canvas.width / 4 * (column + 0.5), canvas.height / 3 * (row + 0.5)];
        number = number * 2 + (context.getImageData(x, y, 1, 1).data[0] > 128 ? 1 : 0);
      }
    return number;
  };
}"""
SEEK = """async times => {
  const seen = [];
  for (const time of times) {
    const there = heard('seeked');
    video.currentTime = time;
    await there;
    seen.push(look());
  }
  return seen;
}"""
PLAY = """async () => {
  const seen = [];
  const note = (now, frame) => { seen.push([frame.mediaTime, look()]); video.requestVideoFrameCallback(note); };
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
    forwards = list(range(whole.frames))
    times = [(frame + 0.5) / RATE for frame in [*forwards, *reversed(forwards)]]
    assert page.evaluate(SEEK, times) == [*expected, *reversed(expected)]
    played = [(round(time * RATE), number) for time, number in page.evaluate(PLAY)]
    assert played == [(frame, expected[frame]) for frame, _ in played]
    assert len(played) > whole.frames / 2  # a slow machine leaves some out, and none is shown at another's time
    page.close()
