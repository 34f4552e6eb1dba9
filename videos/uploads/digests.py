"""Checksums: of a chunk as its headers declare it, of a file as its uploader does.

sha256 is preferred, md5 accepted. Content-Digest is RFC 9530's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from videos.errors import ChecksumMismatch, DigestMalformed

if TYPE_CHECKING:
    from hashlib import _Hash

_PIECE_BYTES = 1 << 20
_DECLARED = re.compile(r"^(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})$")
_STRUCTURED = re.compile(r"(?:^|,)\s*([a-z0-9-]+)=:([A-Za-z0-9+/=]*):")
_ALGORITHMS: dict[str, Callable[[], _Hash]] = {
    "sha256": hashlib.sha256,
    # Not against an attacker, who could declare what he likes: against bytes lost on the way.
    "md5": lambda: hashlib.md5(usedforsecurity=False),
}


def normalise(declared: str) -> str:
    """`sha256:…` or `md5:…` in lower case. Raises ValueError for anything else."""
    text = declared.strip().lower()
    if not _DECLARED.match(text):
        raise ValueError("must be sha256: with 64 hex digits, or md5: with 32")
    return text


def algorithms(declared: Iterable[str]) -> set[str]:
    """The algorithms of declared checksums."""
    return {text.partition(":")[0] for text in declared}


def contradict(declared: Iterable[str], known: Mapping[str, str]) -> bool:
    """Whether one of the declared checksums must be wrong, whatever is not known yet.

    `known` are those that we computed, in hex by algorithm. Two of one algorithm that differ can't both be right.
    """
    right = dict(known)
    for text in declared:
        algorithm, _, value = text.partition(":")
        if right.setdefault(algorithm, value) != value:
            return True
    return False


def check_chunk(data: bytes | memoryview, headers: Mapping[str, str]) -> None:
    """Compare a chunk with the digests that its headers declare, if any. Raises ChecksumMismatch, DigestMalformed."""
    for algorithm, wanted in _declared_in(headers):
        hasher = _ALGORITHMS[algorithm]()
        hasher.update(data)
        if hasher.digest() != wanted:
            raise ChecksumMismatch("The chunk's bytes do not have the digest that its header declares. Send it again.")


def of_file(path: Path, algorithms: set[str], *, on_bytes: Callable[[int], None]) -> dict[str, str]:
    """The checksums of a file in hex, read once; `on_bytes` hears how far it is."""
    hashers = {name: _ALGORITHMS[name]() for name in algorithms}
    done = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            for hasher in hashers.values():
                hasher.update(piece)
            done += len(piece)
            on_bytes(done)
    return {name: hasher.hexdigest() for name, hasher in hashers.items()}


def of_bytes(data: bytes, algorithms: set[str]) -> dict[str, str]:
    """The checksums of what is all in memory, in hex."""
    hashers = {name: hasher(name) for name in algorithms}
    for one in hashers.values():
        one.update(data)
    return {name: one.hexdigest() for name, one in hashers.items()}


def hasher(algorithm: str) -> _Hash:
    """A new hasher: `sha256` or `md5`."""
    return _ALGORITHMS[algorithm]()


def _declared_in(headers: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    if digest := headers.get("Content-Digest", ""):
        found = dict(_STRUCTURED.findall(digest))
        if not found:
            raise DigestMalformed
        # Algorithms that we do not know are skipped, as the RFC wants.
        for name, algorithm in (("sha-256", "sha256"), ("md5", "md5")):
            if name in found:
                yield algorithm, _decoded(found[name], algorithm)
    if md5 := headers.get("Content-MD5", ""):
        yield "md5", _decoded(md5, "md5")


def _decoded(text: str, algorithm: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DigestMalformed from error
    if len(value) != _ALGORITHMS[algorithm]().digest_size:
        raise DigestMalformed
    return value
