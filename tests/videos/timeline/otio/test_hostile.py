"""Whatever bytes come: a timeline, or the one error; never a crash of the process, never long."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio import schema

from tests.videos.timeline.otio.cuts import changed, dissolve, file, gap, shot, span, stack, track
from videos.timeline import otio
from videos.timeline.otio import OtioInvalid

GOOD = file(
    track(
        shot("a", clock=0, effects=[schema.LinearTimeWarp(time_scalar=2.0)], metadata={"jointo": {"flip_x": True}}),
        dissolve(6, 6),
        shot("b"),
        gap(12),
        stack(track(schema.Clip("c", schema.GeneratorReference("", "x"), span(0, 24)))),
    ),
    track(schema.Clip("d", schema.ImageSequenceReference("file:///", "a.", ".exr", 1, 1, 24, 4), span(0, 24))),
)
FIRST: list[str | int] = ["tracks", "children", 0, "children"]


def refused(data: bytes) -> OtioInvalid:
    begun = time.monotonic()
    with pytest.raises(OtioInvalid) as caught:
        otio.read(data)
    assert time.monotonic() - begun < 30
    assert (caught.value.code, caught.value.status) == ("otio_invalid", 422)
    assert caught.value.message.endswith(".")
    return caught.value


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


NAMES = ["Timeline", "Stack", "Track", "Clip", "Gap", "Transition", "RationalTime", "TimeRange", "ExternalReference"]
ODD_NAMES = ["UnknownSchema", "SerializableObject", "SerializableCollection", "Item", "Composable", "Box2d", "Marker"]
OBJECTS = st.fixed_dictionaries(
    {
        "OTIO_SCHEMA": st.sampled_from(
            [f"{name}.1" for name in NAMES + ODD_NAMES] + ["", ".", "Clip", "Clip.99999999999"]
        )
    }
) | st.just({"OTIO_SCHEMA": "SerializableObjectRef.1", "id": "a"})
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | OBJECTS
ODD = LEAVES | st.sampled_from([10**30, -(2**63), 1e308, 5e-324, "\ud800", "a\0b"])
JSON = st.recursive(
    ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner), max_leaves=5
)
PLACES = [place for place in places(json.loads(GOOD)) if place]


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3))
def test_nothing_but_the_one_error_comes_of_any_value_anywhere(changes: list[tuple[Any, Any]]) -> None:
    data = GOOD
    assert otio.read(data).timeline.tracks[0].clips
    for path, value in changes:
        try:
            data = changed(data, path, value)
        except (KeyError, IndexError, TypeError):  # what held it is gone
            continue
    try:
        otio.read(data)
    except OtioInvalid as error:
        assert error.message.endswith(".")


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_but_the_one_error_comes_of_any_bytes(data: bytes) -> None:
    refused(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        # the kinds of change that end the process, or never end, if the library sees them
        ([*FIRST, 0], {"OTIO_SCHEMA": "UnknownSchema.1"}),
        ([*FIRST, 0], {"OTIO_SCHEMA": "SerializableObjectRef.1", "id": "a"}),
        ([*FIRST, 0], {"OTIO_SCHEMA": "Timeline.1", "tracks": None}),
        ([*FIRST, 0, "media_references", "DEFAULT_MEDIA"], {"OTIO_SCHEMA": "Track.1"}),
        ([*FIRST, 0, "source_range", "duration", "rate"], 0),
        ([*FIRST, 0, "source_range", "duration", "rate"], -24),
        ([*FIRST, 0, "source_range", "duration", "rate"], float("nan")),
        ([*FIRST, 0, "source_range", "duration", "rate"], 1e-300),
        ([*FIRST, 0, "source_range", "duration", "rate"], 10**400),
        ([*FIRST, 0, "source_range", "duration", "value"], float("inf")),
        ([*FIRST, 0, "source_range", "duration", "value"], 10**30),
        ([*FIRST, 0, "source_range", "duration", "value"], 10**11),
        ([*FIRST, 0, "source_range", "duration", "value"], -1),
        ([*FIRST, 0, "effects", 0, "time_scalar"], float("nan")),
        ([*FIRST, 0, "metadata", "jointo"], {"motion": {"x": [{"at": -1, "value": 0}]}}),
        (["tracks"], None),
        (["tracks", "children"], {"0": 1}),
    ],
)
def test_what_would_break_the_library_is_refused_before(path: list[str | int], value: Any) -> None:
    refused(changed(GOOD, path, value))


def test_the_depth_of_nesting_is_bounded() -> None:
    opening, closing = '{"OTIO_SCHEMA":"Stack.1","children":[', "]}"
    for depth in (34, 300, 5_000, 200_000):
        inner = opening * depth + closing * depth
        refused(f'{{"OTIO_SCHEMA":"Timeline.1","tracks":{inner}}}'.encode())
    refused(b"[" * 1_000_000)
    deep = '{"a":' * 5_000 + "1" + "}" * 5_000
    refused(GOOD.replace(b'"flip_x": true', f'"flip_x": {deep}'.encode()))


def test_size_and_number_are_bounded() -> None:
    refused(b" " * (20 * 1024 * 1024 + 1))
    refused(b"[" + b"0," * 2_000_000 + b"0]")
    gaps = ",".join(['{"OTIO_SCHEMA":"Gap.1"}'] * 100_000)
    refused(f'{{"OTIO_SCHEMA":"Timeline.1","tracks":{{"OTIO_SCHEMA":"Stack.1","children":[{gaps}]}}}}'.encode())
    layers = file(*[track(stack(*[track(shot("a")) for _ in range(60)])) for _ in range(2)])
    assert "tracks" in refused(layers).message


def test_what_other_programs_note_is_no_reason_to_refuse() -> None:
    noted = {"nuke": {"a": {"OTIO_SCHEMA": "UnknownSchema.1"}, "b": [[[float("inf")]]], "c": 10**30}}
    data = changed(GOOD, [*FIRST, 0, "metadata"], noted).replace(b"Infinity", b"Inf")  # as the library writes it
    assert b"[Inf]" in data
    assert otio.read(data.replace(b"/a.mov", b"/Inf.mov")).media[0].file_name == "Inf"


def bundle(*entries: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as written:
        for name, data in entries:
            written.writestr(name, data)
    return stream.getvalue()


def test_a_bundle_is_read_without_its_media() -> None:
    entries = (("content.otio", GOOD), ("version.txt", b"1.0.0"), ("media/a.mov", b"x"), ("../../etc/cron.d/x", b"x"))
    reading = otio.read(bundle(*entries))
    assert reading.timeline == otio.read(GOOD).timeline
    (remark,) = [one for one in reading.remarks if one.code == "media_not_taken"]
    assert "2 other files" in remark.message


def test_bundles_that_are_none_are_refused() -> None:
    link = zipfile.ZipInfo("content.otio")
    link.external_attr = 0o120777 << 16
    whole = bundle(("content.otio", GOOD))
    encrypted = bytearray(whole)
    encrypted[whole.index(b"PK\1\2") + 8] |= 1
    encrypted[6] |= 1
    for data in (
        bundle(),
        bundle(("other.otio", GOOD)),
        bundle(("media/content.otio", GOOD)),
        bundle((link, b"/etc/passwd")),
        bundle(("content.otio", GOOD), compression=zipfile.ZIP_LZMA),
        bundle(("content.otio", whole)),
        bytes(encrypted),
        whole[:-10],
        whole[: len(whole) // 2],
        b"PK\3\4",
    ):
        refused(data)


def test_bombs_are_stopped_while_they_are_opened() -> None:
    refused(bundle(("content.otio", b" " * (64 * 1024 * 1024))))
    refused(bundle(("content.otio", GOOD), *((f"{number}", b"") for number in range(10_000))))


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_bundle_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(WHOLE)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    try:
        otio.read(bytes(damaged))
    except OtioInvalid as error:
        assert error.message


WHOLE = bundle(("content.otio", GOOD), ("media/a.mov", b"x" * 50))
