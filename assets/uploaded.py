"""Scripts that come by chunks, with the purpose `script`: they are read, and become episodes."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from assets import episodes
from assets.episodes import Source
from assets.models import Episode
from videos.errors import UploadFinished
from videos.models import Upload
from videos.uploads import outcomes, sessions

outcomes.add(Upload.Purpose.SCRIPT, most_bytes=lambda: int(settings.JOINTO_ASSETS.script_bytes))


def take(
    upload: Upload,
    project_id: int,
    *,
    name: str,
    number: int | None = None,
    title: str | None = None,
    hashes: Sequence[str] = (),
) -> list[Episode]:
    """Add the episodes that an uploaded script holds to a project; one, if it is given a number or a title.

    The same when asked again. What is refused stays an upload. Raises what `episodes.create` and `sessions.consume`
    raise; UploadFinished, if its episodes went to another project, or are gone.
    """

    def read(content: bytes) -> Source:
        return Source(content=content, name=name).read()

    def make(source: Source) -> list[Episode]:
        if number is None and title is None:
            return episodes.create_all(project_id, source, upload=upload)
        return [episodes.create(project_id, number=number, title=title or "", source=source, upload=upload)]

    try:
        return sessions.consume(upload, read, make, hashes=hashes)
    except UploadFinished:
        known = list(Episode.objects.filter(upload=upload, project_id=project_id).select_related("job").defer("script"))
        if not known:
            raise
        return known
