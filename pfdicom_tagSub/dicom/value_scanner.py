"""Whether the value of an element is items, fragments or plain bytes, and where it ends."""

from __future__ import annotations

from ..core.errors import FileError
from ..dicom import dictionary
from .elements import IMPLICIT_LITTLE, OTHER_VRS, Element, Encoding, Item
from .header_cache import ITEM_MARKS
from .sequence_scanner import SequenceScanner


def _may_be_sequence(tag: int) -> bool:
    """Whether the dictionary has a sequence, or nothing, for a tag."""
    return dictionary.vr_of(tag) in {"", "SQ"}


class ValueScanner(SequenceScanner):
    """The part of a scan that looks at the values of elements which may hold items or fragments."""

    def find_items(
        self,
        element: Element,
        vr: str,
        end: int,
        encoding: Encoding,
        *,
        is_known: bool,
        hit: bool,
        depth: int,
    ) -> None:
        """Find the items of an element, if it has any and has to be entered, and where it ends.

        Args:
            element: the element; its VR, its items and its end follow from what is found.
            vr: its VR as stored.
            end: where the data set around it must have ended.
            encoding: how that is encoded.
            is_known: whether the standard knows the VR.
            hit: whether the element is kept for itself.
            depth: how many sequences it is in.
        """
        # UN holds implicit VR little endian, whatever is around it (PS3.5 6.2.2).
        inner = IMPLICIT_LITTLE if vr == "UN" else encoding
        value, stop = element.value, element.stop
        doubtful = "" if is_known else "has no known VR"
        if not element.defined:
            self.blocks += inner.little != encoding.little  # searched with another pattern
            self._undefined(element, vr, end, inner, encoding, depth)
        elif element.vr != "SQ":
            if self._may_be_items(element, vr):
                self._defined(element, vr, inner, encoding, hit=hit, depth=depth)
        elif vr == "SQ" or value == stop or self.key_at(value)[:4] in ITEM_MARKS:
            self._defined(element, vr, inner, encoding, hit=hit, depth=depth)
        else:
            element.vr = "UN"  # text, where the dictionary has a sequence
            doubtful = "is no sequence, though the dictionary has one,"
            self.blocks += 1
        if doubtful and element.items is None and not (hit and self.filter.is_whole(element.tag)):
            self.must_hold_nothing(element, doubtful)

    def _undefined(
        self, element: Element, vr: str, end: int, inner: Encoding, around: Encoding, depth: int
    ) -> None:
        """The items or fragments of an element of undefined length, and where it ends."""
        value, known, tag = element.value, element.vr, element.tag
        is_sequence = (
            known == "SQ" or vr == "UN" or (not known and self.begins_item(value, end, little=inner.little))
        )
        if not is_sequence and known and not known.startswith("O"):
            raise FileError(
                f"{dictionary.text_of(tag)} at byte {element.start} has an undefined length, "
                f"which its VR {known} does not allow"
            )
        if not is_sequence and vr in OTHER_VRS and _may_be_sequence(tag):
            self.doubt()
            try:
                element.items, element.stop = self.items_of(element, end, inner, around, depth)
            except FileError:
                pass
            else:
                element.vr = "SQ"
                element.end = element.stop + 8
                return
        if is_sequence:
            element.items, element.stop = self.items_of(element, end, inner, around, depth)
            element.vr = "SQ"
            if vr == "UN" or not known:
                if self.occurs(value, element.stop, inner, around):
                    self.doubt()
                elif self.recording:
                    self.log.searches.append((value, element.stop))
            element.end = element.stop + 8
            return
        element.stop, is_delimited = self.fragments(value, end, around, depth)
        element.end = element.stop + (8 if is_delimited else 0)
        self.blocks += 1

    def _defined(
        self, element: Element, vr: str, inner: Encoding, around: Encoding, *, hit: bool, depth: int
    ) -> None:
        """The items of a sequence of defined length, if it has to be entered."""
        if hit and self.filter.is_whole(element.tag):
            return
        value, stop, known = element.value, element.stop, element.vr
        if (hit and known != "SQ") or self.occurs(value, stop, inner, around):
            self.blocks += inner.little != around.little
            if known != "SQ" or vr == "UN":
                self.doubt()
            element.items = self._defined_items(element, inner, around, certain=known == "SQ", depth=depth)
        elif vr == "UN" and around.little:
            self.blocks += 1
            if self.filter.holds_tag(self.source, value, stop, little=False):
                self.doubt()  # gdcm takes what is in such items for big endian, too
        elif self.recording:
            self.log.searches.append((value, stop))
            self.blocks += inner.little != around.little

    def _may_be_items(self, element: Element, vr: str) -> bool:
        """Whether a value that need be no sequence may be one and begins so, in either byte order."""
        if not ((element.vr in {"", "UN"} or vr in OTHER_VRS) and _may_be_sequence(element.tag)):
            return False
        value, stop = element.value, element.stop
        if stop - value >= 8 and self.key_at(value)[:4] in ITEM_MARKS:
            self.blocks += 1
            return True
        if self.recording and stop - value >= 8:
            self.log.checks.append(value)
        return False

    def _defined_items(
        self, element: Element, encoding: Encoding, around: Encoding, *, certain: bool, depth: int
    ) -> list[Item] | None:
        """The items of a sequence of defined length.

        What the dictionary does not know is a sequence only if it reads as one to the
        last byte; otherwise it is a value like any other, and may hold nothing wanted.
        """
        try:
            items, _ = self.items_of(element, element.stop, encoding, around, depth, padded=not certain)
        except FileError:
            if certain:
                raise
            self.must_hold_nothing(element, "begins like a sequence that cannot be read")
            return None
        element.vr = "SQ"
        return items
