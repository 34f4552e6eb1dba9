"""From a script to a film without any AI service: what `bin/demo --drama` does, over the real stack."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from assets.models import Asset, Episode, EpisodeStatus, Generation, GenerationState, Kind
from tests.browser.conftest import SECONDS, Visit
from tests.builders import make_user
from tests.stack import Stack
from videos.models import Export

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.timeout(600)]

BIN = Path(settings.BASE_DIR) / "bin"
PLAY = """async address => {
  const video = document.createElement('video');
  document.body.replaceChildren(video);
  video.muted = true;
  video.src = address;
  await video.play();
}"""


def test_a_script_of_three_episodes_becomes_a_film_that_plays(
    stack: Stack, visit: Callable[[str], Visit], tmp_path: Path
) -> None:
    make_user("ann")
    (tmp_path / "password").write_text("secret")
    stack.worker(DJANGO_ALLOW_ASYNC_UNSAFE="")
    ann = visit("ann")
    argv = [sys.executable, str(BIN / "drama.py"), ann.address, str(BIN / "drama.fountain"), "--size", "256x144"]
    argv += ["--user", "ann", "--password-file", str(tmp_path / "password")]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=500, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr

    episodes = Episode.objects.order_by("number").select_related("job")
    assert [(one.title, one.status) for one in episodes] == [
        *(("The Letter", EpisodeStatus.COMPLETED), ("The Lamp", EpisodeStatus.COMPLETED)),
        ("The Light", EpisodeStatus.COMPLETED),
    ]
    there = Asset.objects.filter(merged_into=None)
    assert set(there.filter(kind=Kind.CHARACTER).values_list("name", flat=True)) == {"MIRA", "TOMAS", "EDDA"}
    drawn = there.exclude(kind=Kind.PROP)
    assert drawn.filter(kind=Kind.SCENE).count() == 5 and not drawn.filter(picture=None).exists()
    assert set(Generation.objects.values_list("state", flat=True)) == {GenerationState.COMPLETED}
    export = Export.objects.get()
    assert export.duration == pytest.approx(3 * 2 + 6 * 3, abs=0.1)

    address = ended.stdout.split()[-1]
    assert address.endswith(export.file)
    ann.page.evaluate(PLAY, address)
    ann.page.wait_for_function("() => document.querySelector('video').currentTime > 0.5", timeout=60 * SECONDS)
    assert ann.page.evaluate("document.querySelector('video').videoWidth") == 256
    ann.check()
