"""What can be wrong with episodes, extractions and assets, each with its code, its sentence and its status."""

from __future__ import annotations

from collections.abc import Iterable

from jobs.errors import BadInput, JointoError, Remedy


class EpisodeGone(BadInput):
    code = "episode_gone"
    status = 410
    message = "The episode is not there any more."


class EpisodeNumberTaken(BadInput):
    """`details["numbers"]`: which ones."""

    code = "episode_number_taken"
    status = 409
    message = "The project has an episode with this number. Choose another one, or change that episode."

    @classmethod
    def of(cls, numbers: Iterable[int]) -> EpisodeNumberTaken:
        """Of those that were to be made."""
        taken = sorted(numbers)
        named = ", ".join(map(str, taken[:10]))
        sentence = f"The project has episodes with these numbers: {named}. Remove or change them, or send others."
        return cls(sentence, details={"numbers": taken})


class EpisodeNumberImpossible(BadInput):
    code = "episode_number_impossible"
    message = (
        "The number of an episode is between 1 and 100000. Change it in the script, or send its episodes one by one."
    )


class TooManyEpisodes(BadInput):
    code = "episodes_too_many"
    message = "The project can't have so many episodes. Make another project for them."


class NoEpisodes(BadInput):
    code = "episodes_none"
    message = "There is no episode to be extracted: all have been, or are being. Say force to have it done again."


class EpisodeAnalysing(BadInput):
    code = "episode_analysing"
    status = 409
    message = "The episode is being analysed. Wait for the end of its job, or cancel that."


class AlreadyExtracted(BadInput):
    code = "already_extracted"
    status = 409
    message = "The episode has been extracted already. Say force to have it done again."


class ScriptEmpty(BadInput):
    code = "script_empty"
    message = "The episode has no script. Give it one first."


class ScriptTooLarge(BadInput):
    """`details["max_bytes"]`: how large a file may be."""

    code = "script_too_large"
    status = 413
    message = "The file is larger than a script may be on this site."


class ExtractionTooSlow(BadInput):
    code = "extraction_too_slow"
    message = "The extraction took longer than this site allows. Send the episode in parts, or choose a quicker model."


class ExtractionUnfinished(JointoError):
    code = "extraction_unfinished"
    message = "The script takes longer to read than one attempt may last. The next one goes on where this one ended."


class ModelUnknown(BadInput):
    """A model that nobody here has: `details["providers"]` are those who would have some."""

    code = "model_unknown"

    @classmethod
    def of(cls, name: str, providers: Iterable[str]) -> ModelUnknown:
        """With what may be said instead."""
        known = list(providers)
        sentence = f"There is no model {name!r:.80} here. Say one of these, or provider:model: {', '.join(known)}."
        return cls(sentence, details={"providers": known})


class AnswerUnusable(JointoError):
    """What a model answered, twice, is not what was asked for; its extraction keeps the answers."""

    code = "answer_unusable"
    status = 502
    remedy = Remedy.NONE
    message = "The model's answer could not be used, and neither could the corrected one. Try again, or another model."


class AssetNameTaken(BadInput):
    """`details["asset"]`: the id of that one."""

    code = "asset_name_taken"
    status = 409
    message = "The project has another asset of this kind and name. Merge the two, or choose another name."


class AssetMerged(BadInput):
    """`details["asset"]`: what it has been merged into."""

    code = "asset_merged"
    status = 409
    message = "The asset was merged into another. Change that one, or undo the merge."


class PromptMissing(JointoError):
    code = "prompt_missing"
    remedy = Remedy.NONE
    needs_operator = True
    message = "The prompt of the extraction is not there: neither a row nor a file. Its operator has to look at it."


class AssetDeleted(BadInput):
    code = "asset_deleted"
    status = 409
    message = "The asset was deleted. Restore it first."


class AssetsDiffer(BadInput):
    code = "assets_differ"
    message = "Only two assets of one project and one kind can be made one. Choose another."


class LikenessGone(BadInput):
    code = "likeness_gone"
    status = 410
    message = "This question is not asked any more: the assets have changed. Look at the list again."


class LikenessDecided(BadInput):
    code = "likeness_decided"
    status = 409
    message = "The two are one already. If they should not be, undo their merge."


class MergeUndone(BadInput):
    code = "merge_undone"
    status = 409
    message = "This merge has been undone already."


class MergeCovered(BadInput):
    """`details["undo_first"]`: the merges to be undone before, in this order."""

    code = "merge_covered"
    status = 409

    @classmethod
    def by(cls, merges: Iterable[int]) -> MergeCovered:
        """Of those by which the kept asset is part of another."""
        first = list(merges)
        named = ", ".join(map(str, first))
        sentence = f"The asset that was kept has become part of another since. Undo these merges first: {named}."
        return cls(sentence, details={"undo_first": first})
