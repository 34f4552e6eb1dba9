"""What people do to episodes: make them of scripts, change and remove them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils import timezone

from assets import errors
from assets.models import Episode
from assets.scripts import EpisodeText, Limits, Script, Span, read
from assets.scripts import episodes as episodes_in
from jobs import control
from jobs.status import ACTIVE
from videos import projects
from videos.models import Upload

MOST = 1000
"""So many episodes may a project have."""
LARGEST_NUMBER = 100_000


@dataclass(frozen=True, kw_only=True)
class Source:
    """A script as it was sent: bytes of a file with its name, or text that was pasted."""

    content: bytes | str
    name: str = ""

    def read(self) -> Source:
        """Itself, once it has been read: that may take seconds, and nobody should wait for it. Raises as `script`."""
        _ = self.episodes
        return self

    @cached_property
    def script(self) -> Script:
        """Raises what `assets.scripts.errors` names."""
        return read(self.content, name=self.name, limits=Limits(data_bytes=settings.JOINTO_ASSETS.script_bytes))

    @cached_property
    def episodes(self) -> Sequence[EpisodeText]:
        """Those that the script holds. Raises as `script`."""
        return episodes_in(self.script)


def create(
    project_id: int,
    *,
    number: int | None = None,
    title: str = "",
    source: Source | None = None,
    upload: Upload | None = None,
) -> Episode:
    """Add one episode to a project; without a number it is the next one. `upload`: which the source came by.

    Raises EpisodeNumberTaken, EpisodeNumberImpossible, TooManyEpisodes, and what projects and scripts are refused with.
    """
    script = source.script if source else None
    with projects.held(project_id) as project:
        taken = _numbers(project_id)
        number = number or max(taken, default=0) + 1
        if number in taken:
            raise errors.EpisodeNumberTaken.of([number])
        _check_room(len(taken) + 1, number)
        title = title or (script.title if script else "")
        episode = Episode(project=project, number=number, title=title[:255], upload=upload, **_written(script, source))
        episode.save(force_insert=True)
        return episode


def create_all(project_id: int, source: Source, *, upload: Upload | None = None) -> list[Episode]:
    """Add all episodes that one script holds to a project, or none of them. Raises as `create`.

    A script without any mark of episodes is one: the project's next.
    """
    script, texts = source.script, source.episodes
    with projects.held(project_id) as project:
        taken = _numbers(project_id)
        if len(texts) < 2:
            texts = [_whole(script, texts, following=max(taken, default=0) + 1)]
        numbers = [text.number for text in texts]
        if twice := {number for number in numbers if numbers.count(number) > 1} | (set(numbers) & taken):
            raise errors.EpisodeNumberTaken.of(twice)
        _check_room(len(taken) + len(texts), *numbers)
        made = [
            Episode(
                project=project,
                number=text.number,
                title=text.title[:255],
                script=text.text,
                length=len(text.text),
                script_format=script.format.value,
                source_name=source.name[:255],
                upload=upload,
            )
            for text in texts
        ]
        return Episode.objects.bulk_create(made, batch_size=50)


def change(
    episode: Episode,
    *,
    number: int | None = None,
    title: str | None = None,
    source: Source | None = None,
    unwritten: bool = False,
) -> Episode:
    """Change what is given of an episode. What was extracted from another script stays until it is extracted again.

    `unwritten`: its script is taken away.

    Raises EpisodeGone, EpisodeNumberTaken, EpisodeAnalysing, and what scripts are refused with.
    """
    script = source.script if source else None
    with projects.held(episode.project_id):
        now = Episode.objects.filter(pk=episode.pk).select_related("job").first()
        if now is None:
            raise errors.EpisodeGone
        fields: dict[str, Any] = {} if title is None else {"title": title}
        if source is not None or unwritten:
            if now.job and now.job.status in ACTIVE:  # its findings would be about other lines
                raise errors.EpisodeAnalysing
            fields |= _written(script, source)
        if number is not None and number != now.number:
            if number in _numbers(episode.project_id):
                raise errors.EpisodeNumberTaken.of([number])
            fields["number"] = number
        Episode.objects.filter(pk=episode.pk).update(updated_at=timezone.now(), **fields)
    return Episode.objects.select_related("job").get(pk=episode.pk)


def remove(episode: Episode, *, by: str) -> None:
    """Remove an episode with all that was found in it; the assets stay. What works for it is cancelled."""
    if episode.job and episode.job.status in ACTIVE:
        with contextlib.suppress(control.NotCancellable):  # it ended this very moment
            control.cancel(episode.job, by=by)
    with projects.held(episode.project_id):  # nobody saves findings of it meanwhile
        Episode.objects.filter(pk=episode.pk).delete()


@contextlib.contextmanager
def held(episode_id: int) -> Iterator[Episode]:
    """An episode, of whose project nobody else changes anything meanwhile.

    Raises EpisodeGone, ProjectDeleted.
    """
    project_id = Episode.objects.filter(pk=episode_id).values_list("project_id", flat=True).first()
    if project_id is None:
        raise errors.EpisodeGone
    with projects.held(project_id) as project:
        episode = Episode.objects.filter(pk=episode_id).first()
        if episode is None:
            raise errors.EpisodeGone
        episode.project = project
        yield episode


def _written(script: Script | None, source: Source | None) -> dict[str, Any]:
    """The columns of a script."""
    if script is None or source is None:
        return {"script": "", "length": 0, "script_format": "", "source_name": ""}
    return {
        "script": script.text,
        "length": len(script.text),
        "script_format": script.format.value,
        "source_name": source.name[:255],
    }


def _whole(script: Script, texts: Sequence[EpisodeText], *, following: int) -> EpisodeText:
    """The one episode of a script: with the number that it says, else the next."""
    if texts:
        return texts[0]
    span = Span(first_line=1, last_line=script.text.count("\n") + 1)
    return EpisodeText(number=following, title=script.title, text=script.text, span=span)


def _numbers(project_id: int) -> set[int]:
    return set(Episode.objects.filter(project_id=project_id).values_list("number", flat=True))


def _check_room(count: int, *numbers: int) -> None:
    if count > MOST:
        raise errors.TooManyEpisodes
    if not all(0 < number <= LARGEST_NUMBER for number in numbers):
        raise errors.EpisodeNumberImpossible
