"""Makes a film of a script by Jointo's API: episodes, assets, pictures, clips, a timeline, an export.

Each step is the one that a program of yours would take. The exit status is 0 if the film can be played.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from send import Api, Bar, Refused, follow

_MICRO = 1_000_000
_TITLE_SECONDS, _SHOT_SECONDS = 2.0, 3.0
_PATIENCE_SECONDS = 900.0
_MOST = 1000  # of a list, in one page or many


class Failed(Exception):
    """A step did not come to its end."""


@dataclass
class Shot:
    """One part of the film: a title or a scene, and the material that shows it."""

    name: str
    heading: str
    seconds: float
    scene: int | None = None  # the id of the asset; None: a title


@dataclass
class Drama:
    """One script on its way to a film."""

    api: Api
    bar: Bar
    size: str
    model: str
    shots: list[Shot] = field(default_factory=list)

    def make(self, script: Path) -> str:
        """The address of the film."""
        project = self.api.post("/api/projects/", {"name": script.stem}).json["id"]
        episodes = self.take_apart(project, script)
        self.extract(project)
        assets = self.look(project)
        self.draw(assets)
        self.plan(episodes, assets)
        self.film(project)
        self.cut(project)
        return self.export(project)

    def take_apart(self, project: int, script: Path) -> list[dict[str, Any]]:
        said = {"script": script.read_text(encoding="utf-8")}
        self.api.post(f"/api/projects/{project}/episodes/", said)
        episodes = sorted(self._all(f"/api/projects/{project}/episodes/"), key=lambda one: one["number"])
        for one in episodes:
            _say(f"Episode {one['number']}   {one['title']}")
        return episodes

    def extract(self, project: int) -> None:
        """All episodes at once; then its report is there, and duplicates are merged."""
        begun = self.api.post(f"/api/projects/{project}/episodes/extract/", {}).json
        report = self._until("Reading the script", begun["report"]["urls"]["self"], lambda said: said["finished_at"])
        if report["failures"]:
            raise Failed(f"{report['failures'][0]['message']} ({report['failures'][0]['code']})")
        self._quiet(project)

    def look(self, project: int) -> list[dict[str, Any]]:
        assets = self._all(f"/api/assets/?project={project}")
        for kind in ("character", "prop", "scene"):
            names = sorted(one["name"] for one in assets if one["kind"] == kind)
            _say(f"{kind.capitalize() + 's':<11} {', '.join(names) or 'none'}")
        return assets

    def draw(self, assets: Sequence[Mapping[str, Any]]) -> None:
        """A picture of each character and each scene."""
        drawn = [one for one in assets if one["kind"] in ("character", "scene")]
        wishes = [
            {"prompt": _words(one), "asset_id": one["id"], "size": self.size, "model": self.model} for one in drawn
        ]
        self._generate("Drawing", "/api/generations/images/", wishes)

    def plan(self, episodes: Sequence[Mapping[str, Any]], assets: Sequence[Mapping[str, Any]]) -> None:
        """What is shown after what: each episode's title, then its scenes as the script has them."""
        scenes = [one for one in assets if one["kind"] == "scene"]
        places = {one["id"]: self._all(one["urls"]["appearances"]) for one in scenes}
        for episode in episodes:
            number = episode["number"]
            title = f"Episode {number}: {episode['title']}" if episode["title"] else f"Episode {number}"
            self.shots.append(Shot(name=f"title-{number}", heading=title, seconds=_TITLE_SECONDS))
            seen = [
                (place["scene_index"] or 0, place["scene_heading"], scene)
                for scene, found in places.items()
                for place in found
                if place["episode"] == episode["id"]
            ]
            for index, heading, scene in sorted(seen):
                name = f"scene-{number}-{index + 1}"
                self.shots.append(Shot(name=name, heading=heading, seconds=_SHOT_SECONDS, scene=scene))

    def film(self, project: int) -> None:
        """A clip of each title, out of words; and of each scene, out of its picture."""
        wishes = []
        for shot in self.shots:
            wish: dict[str, Any] = {"prompt": shot.heading, "seconds": shot.seconds, "size": self.size}
            wish |= {"project_id": project, "material": shot.name, "model": self.model}
            made_of: dict[str, Any] = {"video_type": "text2video"}
            if shot.scene is not None:
                made_of = {"video_type": "img2video", "asset_id": shot.scene}
            wishes.append(wish | made_of)
        self._generate("Filming", "/api/generations/videos/", wishes)

    def cut(self, project: int) -> None:
        """One clip after the other, and the headings as subtitles."""
        clips, texts, start = [], [], 0
        for shot in self.shots:
            length = round(shot.seconds * _MICRO)
            clips.append({"start": start, "duration": length, "material": shot.name})
            if shot.scene is not None:
                look = {"transform": {"y": 0.4}, "box": {}}  # below the middle, and to be read on any picture
                texts.append({"start": start, "duration": length, "text": shot.heading, **look})
            start += length
        width, height = (int(side) for side in self.size.split("x"))
        tracks = [{"kind": "video", "clips": clips}, {"kind": "text", "texts": texts}]
        timeline = {"canvas": {"width": width, "height": height, "rate": "25"}, "tracks": tracks}
        self.api.put_json(f"/api/projects/{project}/timeline/", timeline, {"If-Match": "*"})

    def export(self, project: int) -> str:
        job = self.api.post(f"/api/projects/{project}/exports/", {"format": "mp4", "quality": "medium"}).json
        ended = self._follow("Exporting", job["id"])
        return str(ended["result"]["output_url"])

    def check(self, address: str) -> None:
        """Fetch a piece of the film as players do."""
        answer = self.api.get(address, Range="bytes=0-1023")
        if (answer.status, len(answer.body)) != (206, 1024) or answer.body[4:8] != b"ftyp":
            raise Failed(f"{address} is no MP4 that a player could read.")

    def _generate(self, what: str, address: str, wishes: Sequence[Mapping[str, Any]]) -> None:
        jobs = [self.api.post(address, wish).json["id"] for wish in wishes]
        for number, job in enumerate(jobs):
            self._follow(what, job, done=number, of=len(jobs))
        self.bar.show(what, 100)
        self.bar.end()

    def _follow(self, what: str, job_id: str, *, done: int = 0, of: int = 1) -> dict[str, Any]:
        """The job, once it has completed. `done` of `of` such jobs have before."""
        job: dict[str, Any] = {}
        for job in follow(self.api, job_id):
            self.bar.show(what, (done * 100 + job["percent"]) // of)
        if of == 1:
            self.bar.end()
        if job["status"] != "completed":
            error = job["error"] or {"message": "It was not done.", "code": job["status"]}
            raise Failed(f"{what}: {error['message']} ({error['code']})")
        return job

    def _quiet(self, project: int) -> None:
        """Wait until nobody compares the assets any more."""
        address = f"/api/jobs/?kind=assets.tasks.deduplicate_assets&subject=videos.Project:{project}"
        active = ("pending", "processing", "retrying")
        self._until("Comparing", address, lambda said: not any(job["status"] in active for job in said["results"]))

    def _until(self, what: str, address: str, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            said = self.api.get(address).json
            if condition(said):
                return said
            if time.monotonic() > until:
                raise Failed(f"{what} takes too long.")
            time.sleep(0.5)

    def _all(self, address: str) -> list[dict[str, Any]]:
        """What a list holds, page after page."""
        found: list[dict[str, Any]] = []
        following: str | None = address
        while following and len(found) < _MOST:
            page = self.api.get(following).json
            found += page["results"]
            following = page["next"]
        return found


def _words(asset: Mapping[str, Any]) -> str:
    """What a picture of it is asked for with."""
    said = [asset[name] for name in ("age", "gender", "description", "place", "time") if asset.get(name)]
    return ", ".join([asset["name"], *said])


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("script", type=Path)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-file", type=Path, required=True)
    parser.add_argument("--size", default="1280x720", help="of pictures and film")
    parser.add_argument("--model", default="offline", help="who makes pictures and clips")
    wanted = parser.parse_args()
    api, bar = Api(wanted.url, user=wanted.user, password=wanted.password_file.read_text().strip()), Bar()
    drama = Drama(api=api, bar=bar, size=wanted.size, model=wanted.model)
    try:
        api.sign_in()
        film = drama.make(wanted.script)
        drama.check(film)
    except (Failed, Refused, OSError) as error:
        bar.end()
        print(f"{wanted.script.name}: no film: {error}", file=sys.stderr)
        return 1
    _say(f"Film        {api.url}{film}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
