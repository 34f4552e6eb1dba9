"""A file goes in by chunks over HTTP, and comes out playable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import make_user
from tests.stack import Stack, wait_for
from tests.videos.client import Client
from tests.videos.clips import make_clip
from videos.models import Video

pytestmark = pytest.mark.stack


def test_a_video_that_is_sent_by_chunks_can_be_played(stack: Stack, tmp_path: Path) -> None:
    make_user("ann")
    stack.worker()
    _, address = stack.web()
    with Client(address, "ann") as client:
        clip = make_clip(tmp_path / "holiday clip.mp4", seconds=4, size="640x480")
        merged = client.send(clip)
        assert merged["video"]["title"] == "holiday clip"
        assert merged["video"]["status"] == "processing"
        job_id = merged["job"]["id"]
        wait_for(lambda: client.job(job_id)["status"] in ("completed", "failed"), what="processing")
        job = client.job(job_id)
        assert job["status"] == "completed", job
        assert [rung["name"] for rung in job["result"]["renditions"]] == ["480p", "360p"]
        master = client.http.get(job["result"]["playlist_url"])
        assert master.status_code == 200
        assert master.text.startswith("#EXTM3U")
        first = job["result"]["renditions"][0]
        piece = client.http.get(first["url"], headers={"Range": "bytes=4-7"})
        assert (piece.status_code, piece.content) == (206, b"ftyp")
        video = Video.objects.get()
        assert video.status == "ready"
        assert video.job_id and str(video.job_id) == job_id
