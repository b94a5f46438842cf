"""What keeps items of a long sequence from being changed by what others showed, where that would be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from builders import EXPLICIT, element, file_of, item, sequence
from recipes import noted_answers
from test_cold_equals_warm import assert_cold_equals_warm, result_of
from test_known_files import FULL, rules_of
from test_known_items import ALL_LENGTHS, BASE, COUNT, FRAMES, INSTANCES, content_of, profile_rules, series

from pfdicom_tagSub.core.caches import Caches
from pfdicom_tagSub.engine import pattern_items
from pfdicom_tagSub.engine.item_changes import FormChanges
from pfdicom_tagSub.engine.patcher import Patcher

CODE_VALUE, CODE_MEANING, ECHO_TIME = 0x00080100, 0x00080104, 0x00180081


def _with_sources(instance: str, ids: list[bytes]) -> bytes:
    """A file with a long sequence of items, each with an Echo Time of its own."""
    items = b"".join(
        item(
            element(CODE_VALUE, "SH", b"12", EXPLICIT)
            + element(CODE_MEANING, "LO", b"a text that is the same in all items" * 7, EXPLICIT)
            + element(ECHO_TIME, "DS", own, EXPLICIT),
            EXPLICIT,
        )
        for own in ids
    )
    data = element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.4", EXPLICIT)
    data += element(0x00080018, "UI", instance.encode(), EXPLICIT)
    data += element(ECHO_TIME, "DS", b"7 ", EXPLICIT)
    data += sequence(FRAMES, items, EXPLICIT)
    return file_of(data + element(0x7FE00010, "OW", bytes(64), EXPLICIT), EXPLICIT, instance=instance)


def test_item_with_a_source_of_its_own_is_not_changed_by_that_of_another() -> None:
    """First it has the text that is looked up elsewhere, with more spaces now and then, then another."""
    rules = profile_rules(FULL, '{"CodeValue": "%_md5|8_EchoTime"}')
    same = [b"7 " if place % 2 else b"7   " for place in range(COUNT)]
    turned = [*same[1:], same[0]]
    contents = [_with_sources(one, turned if place % 2 else same) for place, one in enumerate(INSTANCES)]
    contents.append(_with_sources(INSTANCES[1], [*same[:-1], b"9 "]))
    assert_cold_equals_warm(rules, contents)


def test_what_becomes_of_items_of_a_new_form_is_held_against_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it wrong, a file that shows a new form would have the output of a pass all the same."""

    class Wrong(FormChanges):
        def take(self, *_: Any) -> bool:
            """As if nothing was to be changed in items of this form."""
            return True

    usual = series(ALL_LENGTHS[0])
    frames = [BASE | {"index": place % 3, "deep": place % 2} for place in range(COUNT)]
    frames[16] = frames[16] | {"number": 1}
    odd = content_of(frames, INSTANCES[6])
    rules = rules_of(0)
    patcher, caches = Patcher(rules), Caches()
    with monkeypatch.context() as patch:
        answers = noted_answers(patch)
        for content in usual:
            result_of(patcher, caches, content)
        assert answers[-1]
        patch.setattr(pattern_items, "FormChanges", Wrong)
        assert result_of(patcher, caches, odd) == result_of(Patcher(rules), Caches(), odd)
        assert len(answers) == 6
        for content in usual:
            assert result_of(patcher, caches, content) == result_of(Patcher(rules), Caches(), content)
