"""Surveys of files whose long sequences are changed item by item: each is that of the file alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from selection import examples
from test_cold_equals_warm import CHECKED, settings
from test_known_files import FULL
from test_known_items import ADDING, ALL_LENGTHS, PARTS, Lengths, profile_rules, series, some_series
from test_patterns_beside_options import assert_each_as_alone

from pfdicom_tagSub.core.caches import Caches
from pfdicom_tagSub.core.file_survey import Remaining, merged
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.census import Counted
from pfdicom_tagSub.engine.item_census import ItemCensus
from pfdicom_tagSub.engine.patched import Patched
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.engine.pattern_items import ItemsOutcome, ItemsSlot
from pfdicom_tagSub.engine.survey_basis import SurveyOptions
from pfdicom_tagSub.run.worker_settings import Settings

RETAINED = "basic,retainUIDs,retainLongitudinalFullDates,retainDeviceIdentity"
TIME_STAYS = '{"FrameAcquisitionDateTime": "%_keep_#tag"}'
SPECS = ("{}", *ADDING)


def settings_of(profile: str, spec: str = "{}", *, show_values: bool = False) -> Settings:
    """What a worker does for files that it surveys."""
    return Settings(
        profile_rules(profile, spec),
        survey_options=SurveyOptions(key=bytes(16), show_values=show_values),
        pairs=True,
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("show_values", [False, True])
@pytest.mark.parametrize("profile", ["basic", FULL, RETAINED])
@settings(CHECKED, max_examples=examples(15))
@given(contents=some_series())
def test_surveys_of_frames_are_those_of_each_file_alone(
    profile: str, show_values: bool, contents: list[bytes]
) -> None:
    assert_each_as_alone(settings_of(profile, show_values=show_values), contents)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("profile", ["basic", FULL])
def test_rules_for_sequences_are_surveyed_in_each_file(profile: str, spec: str) -> None:
    assert_each_as_alone(settings_of(profile, spec), series((True, True, True)))


@pytest.mark.parametrize("lengths", ALL_LENGTHS)
@pytest.mark.parametrize("profile", ["basic", FULL])
def test_frames_are_surveyed_item_by_item(
    monkeypatch: pytest.MonkeyPatch, profile: str, lengths: Lengths
) -> None:
    """No pass over the frames is needed, and the survey is that of a pass."""
    told: list[ItemsOutcome | None] = []
    outcome = ItemsSlot.outcome

    def noting(slot: ItemsSlot, *arguments: Any) -> ItemsOutcome | None:
        told.append(outcome(slot, *arguments))
        return told[-1]

    monkeypatch.setattr(ItemsSlot, "outcome", noting)
    own = settings_of(profile)
    patcher, caches = Patcher(own.rules, survey_options=own.survey_options), Caches()
    hits = []
    for content in series(lengths):
        with caches:
            patched: Patched = patcher.patch(file := parse(BytesSource(content)), patcher.scan(file))
        assert patched.survey is not None
        hits.append(sum(merged([patched.survey]).hits.values()))
    assert len(told) >= 3
    for one in told:
        assert one is not None
        assert one.survey is not None
        assert sum(merged([replace(one.survey)]).hits.values()) > len(PARTS)
    assert min(hits) > 20 * 2


@pytest.mark.parametrize("lengths", ALL_LENGTHS)
@pytest.mark.parametrize("profile", ["basic", FULL])
def test_what_stays_in_frames_is_counted_item_by_item(
    monkeypatch: pytest.MonkeyPatch, profile: str, lengths: Lengths
) -> None:
    """Once the forms of the frames are known, no census scans them again."""
    counted: list[Counted | None] = []
    count = ItemCensus.count

    def noting(census: ItemCensus, *arguments: Any) -> Counted | None:
        counted.append(count(census, *arguments))
        return counted[-1]

    monkeypatch.setattr(ItemCensus, "count", noting)
    own = settings_of(profile, TIME_STAYS)
    patcher = Patcher(own.rules, survey_options=own.survey_options)
    with Caches():
        for content in series(lengths):
            file = parse(BytesSource(content))
            patched: Patched = patcher.patch(file, patcher.scan(file))
            assert patched.survey is not None
            alone = Patcher(own.rules, survey_options=own.survey_options)
            assert merged([patched.survey]) == merged([alone.patch(file, alone.scan(file)).survey])
    assert len(counted) >= 3
    assert None not in counted


def blanked(content: bytes, frame: int) -> bytes:
    """A file in which the time of one frame is blank."""
    head, place = bytes.fromhex("18007490") + b"DT", 0
    for _ in range(frame):
        place = content.index(head, place + 1)
    start = place + 8
    stop = start + int.from_bytes(content[place + 6 : start], "little")
    return content[:start] + b" " * (stop - start) + content[stop:]


def test_blank_values_of_frames_are_no_values_that_stay() -> None:
    """Though they have the form of those that stay."""
    own = settings_of(FULL, TIME_STAYS)
    patcher = Patcher(own.rules, survey_options=own.survey_options)
    left = Remaining(0x00189074, 1, is_kept=True)
    found: list[int] = []
    whole = series((True, True, True))[-1]
    with Caches():
        for content in (*series((True, True, True)), whole, *[blanked(whole, frame) for frame in (1, 3, 4)]):
            file = parse(BytesSource(content))
            survey = patcher.patch(file, patcher.scan(file)).survey
            assert survey is not None
            found.append(merged([survey]).left.get(left, 0))
    assert found[-4] > 0
    assert [one - found[-4] for one in found[-3:]] == [-1, -1, -1]
