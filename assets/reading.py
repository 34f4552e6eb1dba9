"""Has a script read: by the built-in reader, or by a language model, in pieces that it can take."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from assets import errors, findings, keeping, prompts, providing
from assets.findings import Findings
from assets.models import Episode, PieceAnswer
from assets.providers.base import AnswerInvalid, AnswerLost, ProviderError, TextRequest
from assets.schema import SCHEMA
from assets.scripts import Format, Script, break_down, pieces
from assets.scripts import read as read_script
from jobs.context import JobContext

SECONDS = 300
"""So long may one attempt read."""
_SMALLEST_PIECE = 2000  # characters; a model that has no room to answer about these has none at all
_CUT = "cut"  # stands for the answer to a piece that there was no room for
_SHOWN = 60_000  # characters of an answer that is shown to the model again


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was found, and by whom."""

    findings: Findings
    model: str
    prompt_version: str = ""


class Unusable(errors.AnswerUnusable):
    """With the answers, for the record of the extraction."""

    def __init__(self, answers: Sequence[str], *, problems: Sequence[str], model: str, prompt_version: str) -> None:
        super().__init__(details={"problems": list(problems)})
        self.answers = tuple(answers)
        self.model = model
        self.prompt_version = prompt_version


def read(ctx: JobContext, episode: Episode, model: str, *, job_id: uuid.UUID | None) -> Read:
    """Have a model read an episode. Raises ModelUnknown, Unusable, and what providers raise."""
    script = script_of(episode)
    if model == providing.OFFLINE:
        return Read(findings=findings.of_breakdown(break_down(script)), model=providing.OFFLINE)
    return _Conversation(ctx, episode, model, job_id=job_id).read(script)


def script_of(episode: Episode) -> Script:
    """The script as it was read when it came in."""
    if episode.script_format not in set(Format):
        return read_script(episode.script)
    written = Format(episode.script_format)
    return Script(format=written, title=episode.title, text=episode.script, encoding="")


class _Conversation:
    """One language model that is asked about each piece of one script."""

    def __init__(self, ctx: JobContext, episode: Episode, model: str, *, job_id: uuid.UUID | None) -> None:
        self._ctx = ctx
        self._model = model
        self._job_id = job_id
        self._until = time.monotonic() + SECONDS
        self._longest = 0.0  # seconds, that a question took in this attempt
        self._service = providing.text_model(model, ctx, job_id=job_id, project_id=episode.project_id)
        self._prompt = prompts.current(prompts.EXTRACT)
        self._correction = prompts.current(prompts.CORRECT)

    def read(self, script: Script) -> Read:
        parts: list[Findings] = []
        line = 1
        for piece in pieces(script, characters=settings.JOINTO_ASSETS.piece_characters):
            parts.append(self._read(script, piece, first_line=line))
            line += piece.count("\n")
        return Read(findings=findings.put_together(parts), model=self._model, prompt_version=self._prompt.version)

    def _read(self, script: Script, piece: str, *, first_line: int) -> Findings:
        """The findings in one piece; of its halves, where there was no room for the answer."""
        self._ctx.check()
        question = hashlib.sha256(
            json.dumps([self._model, self._prompt.version, self._prompt.text, first_line, piece]).encode()
        ).hexdigest()
        known = PieceAnswer.objects.filter(job_id=self._job_id, question=question).first() if self._job_id else None
        if known:
            if known.data is None:  # an attempt was ended by force before the answer came
                raise AnswerLost(provider=self._service.provider)
            if _CUT in known.data:
                return self._halves(script, piece, first_line=first_line)
            return findings.of_answer(known.data, piece, first_line=first_line)
        self._check_time()
        began = time.monotonic()
        try:
            data = self._ask(question, piece, first_line=first_line)
        except AnswerInvalid as error:
            if not error.cut or len(piece) // 2 < _SMALLEST_PIECE:
                raise self._unusable([error]) from error
            self._note(question, {_CUT: True})  # it is not asked again, whatever becomes of the halves
            return self._halves(script, piece, first_line=first_line)
        self._longest = max(self._longest, time.monotonic() - began)
        return findings.of_answer(data, piece, first_line=first_line)

    def _halves(self, script: Script, piece: str, *, first_line: int) -> Findings:
        middle = _middle(piece)
        first, second = piece[:middle], piece[middle:]
        following = first_line + first.count("\n")
        one = self._read(script, first, first_line=first_line)
        return findings.put_together([one, self._read(script, second, first_line=following)])

    def _check_time(self) -> None:
        """A question whose answer would hardly come in this attempt's time is left to the next one, and paid once."""
        if self._until - time.monotonic() < 2 * self._longest:
            raise errors.ExtractionUnfinished(retry_after=0.0)

    def _ask(self, question: str, piece: str, *, first_line: int) -> Mapping[str, Any]:
        """The answer to one piece; an answer that does not keep to the schema may be corrected once."""
        prompt = numbered(piece, first_line=first_line)
        try:
            return self._complete(question, prompt)
        except AnswerInvalid as error:
            if error.cut or error.answer is None:
                raise
            said = self._correction.text
            said = said.replace("{problems}", "\n".join(f"- {problem}" for problem in error.problems))
            said = said.replace("{answer}", error.answer.text[:_SHOWN])
            self._ctx.check()
            try:
                return self._complete(question, f"{prompt}\n\n{said}")
            except AnswerInvalid as again:
                raise self._unusable([error, again]) from again

    def _complete(self, question: str, prompt: str) -> Mapping[str, Any]:
        """The answer, which is written down. What goes wrong beside the provider leaves noted what was asked."""
        request = TextRequest(system=self._prompt.text, prompt=prompt, schema=SCHEMA, schema_name="breakdown")
        try:
            with self._ctx.uninterrupted():
                answer = self._service.complete(request, begun=lambda: self._note(question, None))
                data: Mapping[str, Any] = answer.data
                keeping.surely(lambda: self._note(question, data))
        except SoftTimeLimitExceeded as error:
            if self._forget(question):
                raise AnswerLost(provider=self._service.provider) from error
            raise
        except ProviderError:
            self._forget(question)
            raise
        return data

    def _note(self, question: str, data: Mapping[str, Any] | None) -> None:
        if self._job_id:
            PieceAnswer.objects.update_or_create(job_id=self._job_id, question=question, defaults={"data": data})

    def _forget(self, question: str) -> bool:
        """It is no longer being asked. Whether it was."""
        if self._job_id is None:
            return False
        asked, _ = PieceAnswer.objects.filter(job_id=self._job_id, question=question, data__isnull=True).delete()
        return bool(asked)

    def _unusable(self, said: Sequence[AnswerInvalid]) -> Unusable:
        return Unusable(
            [error.answer.text for error in said if error.answer],
            problems=said[-1].problems,
            model=self._model,
            prompt_version=self._prompt.version,
        )


def _middle(piece: str) -> int:
    """Where it is divided: at the end of a line in the middle half of it, if there is one."""
    half, quarter = len(piece) // 2, len(piece) // 4
    before = piece.rfind("\n", quarter, half) + 1
    after = piece.find("\n", half, half + quarter) + 1
    return min((end for end in (before, after) if end), key=lambda end: abs(end - half), default=half)


def numbered(text: str, *, first_line: int) -> str:
    """The text with each line's number before it."""
    return "\n".join(f"{number}| {line}" for number, line in enumerate(text.split("\n"), start=first_line))
