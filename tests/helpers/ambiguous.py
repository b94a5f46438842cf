"""Files that readers of DICOM may read in more than one way, made from a seed.

Each holds a secret where some reader may see it as PatientName or PatientID, at the top level
or in an item. ``KINDS`` names what is odd about them: VR, length, transfer syntax, UN and
private values that are sequences, delimiters, fragments, file meta, deflated streams, flipped bits.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from builders import BIG, EXPLICIT, IMPLICIT, LONG_VRS, SOP_CLASS, UNDEFINED, Form, element, item, tag_bytes

from pfdicom_tagSub.dicom import elements

PATIENT_NAME, PATIENT_ID = 0x00100010, 0x00100020
HIT = frozenset({PATIENT_NAME, PATIENT_ID})
"""What the rules have to replace."""

SHORT_VRS = tuple(vr.decode() for vr in sorted(elements.SHORT_VRS))
PUBLIC_SEQUENCES = (0x00081110, 0x00081140, 0x00082112, 0x00400275, 0x00400260, 0x52009229, 0x0040A730)
OTHERS = (0x00081030, 0x00091001, 0x000910FF, 0x00104000, 0x00180015, 0x00189999, 0x00204000, 0x00291010)
"""Public and private elements before and after the ones that are hit, some in no dictionary."""

SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "big": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
    "jpeg": "1.2.840.10008.1.2.4.50",
    "rle": "1.2.840.10008.1.2.5",
    "GE private": "1.2.840.113619.5.2",
    "unknown": "1.2.3.4.5.6",
}
DECLARED = {"implicit": IMPLICIT, "explicit": EXPLICIT, "big": BIG, "jpeg": EXPLICIT, "GE private": IMPLICIT}


@dataclass(frozen=True)
class Maker:
    """What a kind makes its files with.

    Attributes:
        random: the only source of chance.
        secret: what no reader may show in the end; its length is even.
    """

    random: Random
    secret: bytes

    def chance(self, probability: float) -> bool:
        """True so often."""
        return self.random.random() < probability

    def form(self) -> Form:
        """A form; mostly little endian."""
        return self.random.choices((EXPLICIT, IMPLICIT, BIG), (6, 5, 1))[0]

    def hidden(self, form: Form, *, nest: bool = True) -> bytes:
        """The secret, in an element that is hit or in an item with one."""
        tag, vr = self.random.choice(((PATIENT_NAME, "PN"), (PATIENT_ID, "LO")))
        made = element(tag, vr, self.secret, form)
        if nest and self.chance(0.2):
            items = item(made, form, defined=self.chance(0.5))
            return sequence(self.random.choice(PUBLIC_SEQUENCES), items, form, defined=self.chance(0.5))
        return made

    def filler(self, size: int, form: Form) -> bytes:
        """So many bytes of nothing, or of elements where they fit."""
        way = self.random.choice(("zeros", "blanks", "elements", "noise", "ones"))
        if way == "elements" and size >= 8:
            made = b""
            while size - len(made) >= 24:
                made += element(self.random.choice(OTHERS), "LO", b"filler", form)
            return made + bytes(size - len(made))
        if way == "noise":
            return self.random.randbytes(size)
        return {"blanks": b" ", "ones": b"\xff"}.get(way, b"\0") * size


def sequence(tag: int, items: bytes, form: Form, *, defined: bool = True, vr: str = "SQ") -> bytes:
    """A sequence of items, its delimiter included."""
    if defined:
        return raw_element(tag, vr.encode(), items, form)
    return raw_element(tag, vr.encode(), items + sequence_end(form), form, UNDEFINED)


def raw_element(tag: int, vr: bytes, value: bytes, form: Form, length: int | None = None) -> bytes:
    """An element as asked for, its value not padded; VRs that nobody knows have a 16-bit length."""
    size = len(value) if length is None else length
    head = tag_bytes(tag, form)
    if form.implicit:
        return head + struct.pack(form.order + "I", size) + value
    if vr.decode("latin-1") in LONG_VRS:
        return head + vr + b"\0\0" + struct.pack(form.order + "I", size) + value
    return head + vr + struct.pack(form.order + "H", size & 0xFFFF) + value


def sequence_end(form: Form, length: int = 0) -> bytes:
    """A sequence delimiter, perhaps with a length that it must not have."""
    return tag_bytes(0xFFFEE0DD, form) + struct.pack(form.order + "I", length)


def item_end(form: Form, length: int = 0) -> bytes:
    """An item delimiter, likewise."""
    return tag_bytes(0xFFFEE00D, form) + struct.pack(form.order + "I", length)


def leading(form: Form) -> bytes:
    """What data sets begin with."""
    return (
        element(0x00080005, "CS", b"ISO_IR 100", form)
        + element(0x00080016, "UI", SOP_CLASS.encode(), form)
        + element(0x00080018, "UI", b"1.2.3", form)
        + element(0x00080060, "CS", b"OT", form)
    )


def trailing(form: Form) -> bytes:
    """What they end with."""
    return (
        element(0x00200010, "SH", b"1", form)
        + element(0x00280010, "US", struct.pack(form.order + "H", 2), form)
        + element(0x00280011, "US", struct.pack(form.order + "H", 2), form)
    )


def meta_elements(syntax: str | bytes | None) -> list[bytes]:
    """The elements of the file meta without its group length."""
    made = [
        element(0x00020001, "OB", b"\0\1", EXPLICIT),
        element(0x00020002, "UI", SOP_CLASS.encode(), EXPLICIT),
        element(0x00020003, "UI", b"1.2.3", EXPLICIT),
    ]
    if syntax is not None:
        raw = syntax if isinstance(syntax, bytes) else syntax.encode()
        made.append(element(0x00020010, "UI", raw, EXPLICIT))
    return [*made, element(0x00020012, "UI", b"1.2.826.0.1.3680043.8.498.1", EXPLICIT)]


def part_10(data: bytes, syntax: str | bytes | None) -> bytes:
    """A file with an ordinary file meta."""
    meta = b"".join(meta_elements(syntax))
    return (
        bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta)), EXPLICIT) + meta + data
    )


def whole(maker: Maker, middle: bytes, form: Form) -> bytes:
    """A file of an ordinary data set around something odd."""
    return part_10(leading(form) + middle + trailing(form), form.syntax)


def layers(maker: Maker, head: bytes, ends: dict[int, Form], last: bytes = b"") -> bytes:
    """An element that ends at different places for different readers, each of whom goes on sanely.

    Args:
        maker: what it is made with.
        head: the header of the element.
        ends: where it ends, counted from where it begins, to the form of what follows there.
        last: what follows for the reader who goes farthest. All others step over it.
    """
    made = bytearray(head)
    places = sorted(ends)
    made += maker.filler(max(0, places[0] - len(made)), ends[places[0]])
    for number, (place, beyond) in enumerate(zip(places, [*places[1:], 0], strict=True)):
        if len(made) > place:
            made += bytes(max(0, beyond - len(made)))
            continue
        form = ends[place]
        if not beyond:
            made += maker.hidden(form) if number == 0 or maker.chance(0.3) else b""
            break
        hidden = maker.hidden(form) if number == 0 or maker.chance(0.5) else b""
        cover = raw_element(maker.random.choice(OTHERS[1:3]), b"UN", b"", form)
        room = beyond - place - len(hidden) - len(cover)
        if ends[beyond] != form:  # the other reader's elements are covered up to the end
            room += len(last)
        if room < 0:
            made += hidden + bytes(max(0, beyond - place - len(hidden)))
            continue
        made += hidden + raw_element(maker.random.choice(OTHERS[1:3]), b"UN", b"", form, room)
        made += maker.filler(max(0, beyond - len(made)), form)
    return bytes(made + last)


# --- VR and length


def odd_vr(maker: Maker) -> bytes:
    """A VR that readers take for a short one, a long one or none."""
    code = maker.random.choice(
        (
            b"\0\0",
            b"  ",
            b"??",
            b"--",
            b"OX",
            b"ZZ",
            b"UX",
            b"XS",
            b"Pn",
            b"pn",
            b"un",
            b"\0\1",
            b"P\0",
            b"1A",
            b"@@",
        )
    )
    if maker.chance(0.4):
        known = bytearray(maker.random.choice([*SHORT_VRS, *sorted(LONG_VRS)]).encode())
        known[maker.random.randrange(2)] ^= 1 << maker.random.randrange(8)
        code = bytes(known)
    elif maker.chance(0.2):
        code = maker.random.randbytes(2)
    form = BIG if maker.chance(0.1) else EXPLICIT
    short, long = maker.random.choice((0, 0, 2, 8, 30, 64)), maker.random.choice((40, 100, 300, 2000))
    if maker.chance(0.2):
        short, long = 400, maker.random.choice((4, 20))
    head = tag_bytes(maker.random.choice(OTHERS), form) + code + struct.pack(form.order + "HI", short, long)
    ends = {8 + short: form, 12 + long: form}
    as_implicit = int.from_bytes(head[4:8], "little" if form.little else "big")
    if as_implicit < 200_000:
        ends[8 + as_implicit] = form
    return whole(maker, layers(maker, head, ends), form)


def odd_vr_of_the_secret(maker: Maker) -> bytes:
    """The element that is hit has an odd VR itself."""
    form = BIG if maker.chance(0.1) else EXPLICIT
    code = maker.random.choice(
        (b"\0\0", b"  ", b"??", b"OX", b"pn", b"UN", b"OB", b"OW", b"UT", b"SQ", b"FD", b"AT", b"US")
    )
    tag = maker.random.choice((PATIENT_NAME, PATIENT_ID))
    size = len(maker.secret)
    head = tag_bytes(tag, form) + code
    way = maker.random.choice(("short", "long", "implicit", "reserved"))
    if way == "short":
        made = head + struct.pack(form.order + "H", size)
    elif way == "long":
        made = head + struct.pack(form.order + "HI", 0, size)
    elif way == "reserved":
        made = head + struct.pack(form.order + "HI", maker.random.randrange(1, 99), size)
    else:
        made = tag_bytes(tag, form) + struct.pack(form.order + "I", size)
    return whole(maker, made + maker.secret, form)


def width_of_length(maker: Maker) -> bytes:
    """A known VR with a length field of the other width, or with reserved bytes that are none."""
    form = EXPLICIT
    tag = maker.random.choice(OTHERS)
    if maker.chance(0.5):
        size = maker.random.choice((16, 60, 300))
        head = tag_bytes(tag, form) + maker.random.choice(SHORT_VRS).encode() + struct.pack("<HI", 0, size)
        return whole(maker, layers(maker, head, {8: form, 12 + size: form}), form)
    short, long = maker.random.choice((2, 8, 30)), maker.random.choice((60, 300))
    head = (
        tag_bytes(tag, form)
        + maker.random.choice(sorted(LONG_VRS)).encode()
        + struct.pack("<HI", short, long)
    )
    return whole(maker, layers(maker, head, {8 + short: form, 12 + long: form}), form)


def odd_length(maker: Maker) -> bytes:
    """Lengths that are odd, undefined, or beyond what is around."""
    form = maker.form()
    value = maker.secret + b"x" * maker.random.choice((0, 1))
    vr = maker.random.choice((b"PN", b"LO", b"UN", b"OB", b"UT", b"SQ"))
    length = maker.random.choice((None, len(value) + 1, len(value) - 1, UNDEFINED, 0xFFFFFFFE, 0xFFFF, 0))
    made = raw_element(maker.random.choice((PATIENT_NAME, PATIENT_ID)), vr, value, form, length)
    if maker.chance(0.5):
        made += maker.random.choice((sequence_end(form), item_end(form), b"\0", bytes(8), bytes(64)))
    if maker.chance(0.5):
        made = sequence(
            maker.random.choice(PUBLIC_SEQUENCES),
            item(made, form, defined=maker.chance(0.5)),
            form,
            defined=maker.chance(0.5),
        )
    return whole(maker, made, form)


def zeros_between(maker: Maker) -> bytes:
    """Runs of zeros, or of other padding, before the secret, at any depth."""
    form = maker.form()
    run = maker.random.choice((b"\0", b"\0", b"\xff", b" ")) * maker.random.choice(
        (1, 2, 4, 7, 8, 12, 16, 64, 1000)
    )
    made = run + maker.hidden(form)
    if maker.chance(0.4):
        made = sequence(
            maker.random.choice(PUBLIC_SEQUENCES),
            item(made, form, defined=maker.chance(0.5)),
            form,
            defined=maker.chance(0.5),
        )
    if maker.chance(0.4):
        return part_10(leading(form) + trailing(form) + made, form.syntax)
    return whole(maker, made, form)


# --- transfer syntax


def declared_other(maker: Maker) -> bytes:
    """A data set in another encoding than its transfer syntax says."""
    form = maker.random.choice((EXPLICIT, IMPLICIT, BIG))
    syntax: str | bytes | None = maker.random.choice(list(SYNTAXES.values()))
    if maker.chance(0.15):
        syntax = None
    elif maker.chance(0.3):
        odd = maker.random.choice((" {}", "{} ", "{}\0\0", "\0{}", "{}\\1.2.840.10008.1.2", "{}.", "{}x", ""))
        syntax = odd.format(syntax).encode()
    start = leading(form) if maker.chance(0.7) else b""
    content = start + maker.hidden(form) + trailing(form)
    if maker.chance(0.2):
        content = _deflated(content)
    elif maker.chance(0.4):  # black pixels, in which a long value of the other byte order ends
        content += element(0x7FE00010, "OW", bytes(4096), form)
    return part_10(content, syntax)


def both_syntaxes(maker: Maker) -> bytes:
    """A data set that parses in implicit and in explicit VR, and means different things."""
    short, long = maker.random.choice(
        (
            (b"DS", False),
            (b"LO", False),
            (b"AE", False),
            (b"UI", False),
            (b"PN", False),
            (b"UN", True),
            (b"OB", True),
        )
    )
    inner = maker.random.choice((2, 10, 60, 300))
    code = struct.pack("<HI", 0, inner) if long else struct.pack("<H", 0 if maker.chance(0.7) else 1)
    head = tag_bytes(maker.random.choice((0x00080008, 0x00080005, *OTHERS)), EXPLICIT) + short + code
    as_explicit = 12 + inner if long else 8 + int.from_bytes(code, "little")
    as_implicit = 8 + int.from_bytes(head[4:8], "little")
    before = maker.random.choice((b"", leading(IMPLICIT), leading(EXPLICIT)))
    start = before + layers(
        maker,
        head,
        {as_explicit: EXPLICIT, as_implicit: IMPLICIT},
        maker.hidden(IMPLICIT) * maker.random.randrange(2) + trailing(IMPLICIT),
    )
    return part_10(
        start, maker.random.choice((EXPLICIT.syntax, IMPLICIT.syntax, IMPLICIT.syntax, SYNTAXES["jpeg"]))
    )


def mixed_items(maker: Maker) -> bytes:
    """Items, or elements, in another encoding than what is around them."""
    outer = maker.form()
    inner = maker.random.choice((EXPLICIT, IMPLICIT, BIG))
    content = (
        (leading(inner) if maker.chance(0.3) else b"")
        + maker.hidden(inner)
        + (trailing(inner) if maker.chance(0.3) else b"")
    )
    if maker.chance(0.3):
        return whole(maker, content, outer)
    framed = maker.random.choice((outer, inner))
    made = item(content, framed, defined=maker.chance(0.5))
    return whole(
        maker, sequence(maker.random.choice(PUBLIC_SEQUENCES), made, outer, defined=maker.chance(0.5)), outer
    )


def bare(maker: Maker) -> bytes:
    """No preamble, and perhaps no file meta."""
    form = maker.form()
    data = leading(form) + maker.hidden(form) + trailing(form)
    start = maker.random.choice(
        (b"", b"DICM", bytes(128), part_10(b"", form.syntax)[132:], part_10(b"", form.syntax)[128:])
    )
    if maker.chance(0.3):
        data = (
            element(
                0x00080000, "UL", struct.pack(form.order + "I", maker.random.choice((0, 4, 30, 200))), form
            )
            + data
        )
    return start + data


# --- sequences in disguise


def _frame(maker: Maker, form: Form) -> bytes:
    """Items with the secret, perhaps with something wrong about their end."""
    content = maker.hidden(form)
    if maker.chance(0.5):
        content = element(0x00080060, "CS", b"OT", form) + content
    if maker.chance(0.3):
        content += trailing(form)
    made = item(content, form, defined=maker.chance(0.5))
    if maker.chance(0.3):
        made = item(element(0x00080060, "CS", b"OT", form), form, defined=maker.chance(0.5)) + made
    way = maker.random.choice(
        (
            "",
            "",
            "delimiter",
            "delimiters",
            "item end",
            "zeros",
            "cut",
            "cut item",
            "noise",
            "delimiter, item",
        )
    )
    cut_item = tag_bytes(0xFFFEE000, form) + struct.pack(form.order + "I", 400) + b"abcd"
    return {
        "delimiter": made + sequence_end(form),
        "delimiters": made + sequence_end(form) * 2,
        "item end": made + item_end(form),
        "zeros": made + bytes(maker.random.choice((1, 2, 4, 8, 30))),
        "cut": made[: -maker.random.randrange(1, 9)],
        "cut item": made + cut_item,
        "noise": made + maker.random.randbytes(6),
        "delimiter, item": sequence_end(form) + made,
    }.get(way, made)


def _disguised(maker: Maker, tags: tuple[int, ...], vrs: tuple[bytes, ...]) -> bytes:
    form = maker.form()
    inner = maker.random.choices((IMPLICIT, EXPLICIT, BIG), (5, 5, 2))[0]
    items = _frame(maker, inner)
    vr, tag = maker.random.choice(vrs), maker.random.choice(tags)
    if maker.chance(0.5):
        made = raw_element(tag, vr, items, form)
    else:
        end = maker.random.choice((sequence_end(form), sequence_end(inner), b"", item_end(form)))
        made = raw_element(tag, vr, items + end, form, UNDEFINED)
    if maker.chance(0.2):
        made = sequence(
            maker.random.choice(PUBLIC_SEQUENCES),
            item(made, form, defined=maker.chance(0.5)),
            form,
            defined=maker.chance(0.5),
        )
    if tag >> 16 & 1 and maker.chance(0.7):
        made = element(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8, "LO", b"SOMEBODY", form) + made
    return whole(maker, made, form)


def un_sequence(maker: Maker) -> bytes:
    """A public sequence, or an element nobody knows, as UN."""
    return _disguised(maker, (*PUBLIC_SEQUENCES, 0x00189999), (b"UN",))


def public_sequence_as_bytes(maker: Maker) -> bytes:
    """A sequence of the dictionary with the VR of bytes or of text."""
    return _disguised(maker, PUBLIC_SEQUENCES, (b"OB", b"OW", b"UT", b"LT", b"LO", b"ST"))


def private_sequence(maker: Maker) -> bytes:
    """A private sequence in every VR."""
    return _disguised(maker, (0x00091001, 0x00291010, 0x000910FF), (b"SQ", b"UN", b"OB", b"OW", b"LO", b"UT"))


def plain_as_sequence(maker: Maker) -> bytes:
    """What the dictionary takes for text, as a sequence."""
    return _disguised(maker, (0x00081030, 0x00104000, 0x00204000, 0x00180015), (b"SQ", b"UN", b"OB", b"LO"))


def hit_as_sequence(maker: Maker) -> bytes:
    """The element that is hit is a sequence itself, with a secret in its items."""
    return _disguised(maker, (PATIENT_NAME, PATIENT_ID), (b"SQ", b"UN", b"OB", b"PN"))


# --- delimiters and lengths of sequences


def stray_delimiter(maker: Maker) -> bytes:
    """Delimiters where none belongs, before the secret."""
    form = maker.form()
    size = maker.random.choice((0, 0, 0, 4, 16))
    strays = b"".join(
        maker.random.choice((sequence_end, item_end))(form, size) + bytes(size * maker.random.randrange(2))
        for _ in range(maker.random.choice((1, 1, 2)))
    )
    if maker.chance(0.2):
        strays += item(b"", form)
    place = maker.random.choice(("data set", "item", "sequence"))
    if place == "data set":
        return whole(maker, strays + maker.hidden(form), form)
    defined = maker.chance(0.6)
    if place == "item":
        items = item(
            element(0x00080060, "CS", b"OT", form) + strays + maker.hidden(form), form, defined=defined
        )
    else:
        items = strays + item(maker.hidden(form), form, defined=defined)
        if maker.chance(0.5):
            items = item(element(0x00080060, "CS", b"OT", form), form) + items
    made = sequence(
        maker.random.choice((*PUBLIC_SEQUENCES, 0x00091001)), items, form, defined=maker.chance(0.6)
    )
    return whole(maker, made, form)


def missing_delimiter(maker: Maker) -> bytes:
    """Items and sequences of undefined length whose delimiters are missing."""
    form = maker.form()
    content = maker.hidden(form)
    head = tag_bytes(0xFFFEE000, form) + struct.pack(form.order + "I", UNDEFINED)
    items = head + content + (b"" if maker.chance(0.6) else item_end(form))
    if maker.chance(0.4):
        items += item(element(0x00080060, "CS", b"OT", form), form)
    tag = maker.random.choice((*PUBLIC_SEQUENCES, 0x00091001))
    if maker.chance(0.5):
        made = raw_element(tag, b"SQ", items, form)
    else:
        made = raw_element(
            tag, b"SQ", items + (sequence_end(form) if maker.chance(0.5) else b""), form, UNDEFINED
        )
    if maker.chance(0.3):
        return part_10(leading(form) + made, form.syntax)
    return whole(maker, made, form)


def contradicting_lengths(maker: Maker) -> bytes:
    """Lengths of sequences, items and elements that overlap."""
    form = maker.form()
    step = maker.random.choice((-40, -8, -4, -2, 1, 2, 4, 8, 12, 20, 100))
    inner = maker.hidden(form, nest=False)
    before = raw_element(0x00080060, b"CS", b"OT", form, 2 + (step if maker.chance(0.3) else 0) & 0xFFFF)
    content = before + inner + (element(0x00200010, "SH", b"1234", form) if maker.chance(0.5) else b"")
    own = len(content) + (step if maker.chance(0.5) else 0)
    items = tag_bytes(0xFFFEE000, form) + struct.pack(form.order + "I", max(0, own)) + content
    if maker.chance(0.3):
        items += item(maker.hidden(form, nest=False), form)
    size = len(items) + (step if maker.chance(0.5) else 0)
    vr = maker.random.choice((b"SQ", b"SQ", b"UN", b"OB"))
    tag = maker.random.choice((*PUBLIC_SEQUENCES, 0x00091001))
    return whole(
        maker,
        raw_element(tag, vr, items, form, max(0, size)) + maker.hidden(form) * maker.random.randrange(2),
        form,
    )


def fragments(maker: Maker) -> bytes:
    """Encapsulated values whose fragments hold elements, or end in an odd way, before the secret."""
    form = EXPLICIT
    tag = maker.random.choice((0x7FE00010, 0x00091001, 0x00291010, 0x54001010, 0x7FE00008))
    vr = maker.random.choice((b"OB", b"OW", b"UN"))
    pieces = [item(b"", form), item(maker.hidden(form), form), item(bytes(6), form)]
    if maker.chance(0.3):
        pieces.insert(1, maker.hidden(form))
    if maker.chance(0.3):
        pieces.append(maker.random.choice((item_end(form), item(b"abc", form), bytes(4), bytes(8))))
    end = maker.random.choice(
        (sequence_end(form), b"", sequence_end(form, 8), sequence_end(form) * 2, item_end(form))
    )
    after = maker.hidden(form) if maker.chance(0.6) else b""
    if after and maker.chance(0.5):
        after = element(0xFFFCFFFC, "OB", bytes(4), form) + after
    pixels = raw_element(tag, vr, b"".join(pieces) + end, form, UNDEFINED)
    return part_10(
        leading(form) + trailing(form) + pixels + after, maker.random.choice((SYNTAXES["jpeg"], form.syntax))
    )


def out_of_order(maker: Maker) -> bytes:
    """The element twice, out of order, after the pixels, or after what should be the last."""
    form = maker.form()
    parts = [
        leading(form),
        maker.hidden(form),
        maker.hidden(form),
        trailing(form),
        element(0x7FE00010, "OW", bytes(8), form),
        element(0xFFFCFFFC, "OB", bytes(4), form),
        element(0xFFFEFFFE if maker.chance(0.2) else 0xFFFF0010, "LO", b"x", form),
    ]
    maker.random.shuffle(parts)
    return part_10(b"".join(parts[: maker.random.randrange(4, 8)]), form.syntax)


# --- file meta


def _with_length(meta: bytes, length: int, vr: bytes = b"UL") -> bytes:
    return raw_element(0x00020000, vr, struct.pack("<I", length & 0xFFFFFFFF), EXPLICIT) + meta


def meta_length(maker: Maker) -> bytes:
    """A group length that is too small, too large, missing, or no number of four bytes."""
    form = maker.random.choice((EXPLICIT, IMPLICIT))
    meta = b"".join(meta_elements(form.syntax))
    data = leading(form) + maker.hidden(form) + trailing(form)
    off = maker.random.choice(
        (-len(meta), -100, -28, -8, -4, -2, -1, 1, 2, 4, 8, 12, len(leading(form)), 10_000, -9999, 1 << 31)
    )
    if maker.chance(0.5):
        off = maker.random.randrange(-len(meta), len(data))
    if maker.chance(0.2):
        head = raw_element(0x00020000, b"UL", maker.random.choice((b"", b"\0\0", bytes(8))), EXPLICIT)
    elif maker.chance(0.1):
        head = b""
    else:
        head = _with_length(b"", len(meta) + off)
    return bytes(128) + b"DICM" + head + meta + data


def meta_hides(maker: Maker) -> bytes:
    """A last element of the file meta that ends beyond the group length, or is cut by it."""
    form = maker.random.choice((EXPLICIT, IMPLICIT))
    meta = b"".join(meta_elements(form.syntax))
    tag = maker.random.choice((0x00020102, 0x00020013, 0x00020016, 0x00020099))
    vr = maker.random.choice((b"LT", b"SH", b"OB", b"UN", b"SQ", b"\0\0"))
    inner = leading(form) + maker.hidden(form) + trailing(form)
    if maker.chance(0.3):
        inner = item(maker.hidden(form), form, defined=maker.chance(0.5))
    last = raw_element(tag, vr, inner, EXPLICIT, UNDEFINED if maker.chance(0.1) else None)
    length = len(meta) + maker.random.choice((0, 8, 12, len(last), len(last), len(last) - 2))
    return bytes(128) + b"DICM" + _with_length(meta, length) + last + leading(form) + maker.hidden(form)


def meta_cut(maker: Maker) -> bytes:
    """An empty element that is the last of the file meta, or a long one and the first of the data set."""
    code = maker.random.choice((b"LT", b"SH", b"LO", b"UI", b"AE"))
    size = int.from_bytes(code, "little")
    meta = b"".join(meta_elements(IMPLICIT.syntax))
    start, end = leading(IMPLICIT), trailing(IMPLICIT)
    hidden = start + maker.hidden(IMPLICIT) + end
    last = tag_bytes(maker.random.choice((0x00020102, 0x00020013, 0x00020016)), EXPLICIT) + code + b"\0\0"
    room = size - len(start) - 8
    cover = raw_element(0x00091001, b"UN", bytes(room) + hidden, IMPLICIT)
    head = _with_length(meta, len(meta) + maker.random.choice((0, 0, 0, 8)))
    return bytes(128) + b"DICM" + head + last + start + cover


def meta_padding(maker: Maker) -> bytes:
    """Bytes between file meta and data set that the group length counts, or does not."""
    form = maker.random.choice((EXPLICIT, IMPLICIT))
    meta = b"".join(meta_elements(form.syntax))
    size = maker.random.choice((1, 2, 4, 6, 8, 12, 16, 100))
    padding = maker.random.choice(
        (bytes(size), b" " * size, b"\xff" * size, item_end(EXPLICIT), sequence_end(EXPLICIT))
    )
    counted = len(padding) if maker.chance(0.7) else 0
    inner = maker.hidden(form)
    # Read from the padding, the first element is another one.
    odd = tag_bytes(0x00100000, form) + struct.pack("<I", 4) + bytes(4)
    cover = raw_element(0x00110010, b"UN", inner, form)
    data = maker.random.choice((leading(form) + inner, odd + cover, inner, cover + inner)) + trailing(form)
    return bytes(128) + b"DICM" + _with_length(meta, len(meta) + counted) + padding + data


def meta_twice(maker: Maker) -> bytes:
    """Elements of the file meta more than once, or out of order; two transfer syntaxes."""
    first, second = maker.random.sample((EXPLICIT, IMPLICIT, BIG), 2)
    parts = meta_elements(first.syntax)
    other = element(0x00020010, "UI", second.syntax.encode(), EXPLICIT)
    parts.insert(maker.random.randrange(len(parts) + 1), other)
    if maker.chance(0.3):
        maker.random.shuffle(parts)
    if maker.chance(0.2):
        parts.insert(maker.random.randrange(len(parts)), _with_length(b"", 4))
    meta = b"".join(parts)
    form = maker.random.choice((first, second))
    size = 0x5344
    hidden = leading(IMPLICIT) + maker.hidden(IMPLICIT) + trailing(IMPLICIT)
    both = tag_bytes(0x00080008, EXPLICIT) + struct.pack("<I", size)
    both += (
        raw_element(0x00091001, b"UN", b"", EXPLICIT, size - 12 + len(hidden)) + b" " * (size - 12) + hidden
    )
    data = both if maker.chance(0.4) else leading(form) + maker.hidden(form) + trailing(form)
    return bytes(128) + b"DICM" + _with_length(meta, len(meta)) + data


def meta_encoded_otherwise(maker: Maker) -> bytes:
    """File meta in implicit VR or big endian, wholly or in part."""
    form = maker.random.choice((EXPLICIT, IMPLICIT, BIG))
    own = maker.random.choice((IMPLICIT, BIG))
    share = maker.random.choice((1, 0.8))
    made = []
    for tag, vr, value in (
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", SOP_CLASS.encode()),
        (0x00020003, "UI", b"1.2.3"),
        (0x00020010, "UI", form.syntax.encode()),
        (0x00020012, "UI", b"1.2.3.4"),
    ):
        made.append(element(tag, vr, value, own if maker.chance(share) else EXPLICIT))
    meta = b"".join(made)
    head = element(
        0x00020000, "UL", struct.pack(own.order + "I", len(meta)), maker.random.choice((own, EXPLICIT))
    )
    data = leading(form) + maker.hidden(form) + trailing(form)
    return bytes(128) + b"DICM" + (head if maker.chance(0.8) else b"") + meta + data


def group_2_in_data(maker: Maker) -> bytes:
    """Elements of the file meta within the data set, and a second preamble."""
    form = maker.random.choice((EXPLICIT, IMPLICIT))
    other = maker.random.choice((EXPLICIT, IMPLICIT))
    syntax = element(0x00020010, "UI", maker.random.choice((EXPLICIT, IMPLICIT)).syntax.encode(), other)
    again = part_10(b"", other.syntax)
    inserted = maker.random.choice(
        (syntax, again, again[128:], again[132:], element(0x00020003, "UI", b"1.2.4", form))
    )
    parts = [leading(form), trailing(form), maker.hidden(form)]
    parts.insert(maker.random.randrange(3), inserted)
    if maker.chance(0.2):  # in an item
        parts[1] = sequence(0x00081140, item(inserted + maker.hidden(form), form), form)
    return part_10(b"".join(parts), form.syntax)


def other_groups_in_meta(maker: Maker) -> bytes:
    """Elements of other groups before, or among, those of the file meta."""
    form = maker.random.choice((EXPLICIT, IMPLICIT))
    parts = meta_elements(form.syntax)
    odd = maker.random.choice(
        (
            maker.hidden(EXPLICIT, nest=False),
            element(0x00000002, "UI", b"1.2", EXPLICIT),
            element(0x00030010, "LO", b"x", EXPLICIT),
            element(0x00010010, "LO", b"x", EXPLICIT),
        )
    )
    parts.insert(maker.random.randrange(len(parts) + 1), odd)
    meta = b"".join(parts)
    head = _with_length(b"", len(meta)) if maker.chance(0.8) else b""
    return bytes(128) + b"DICM" + head + meta + leading(form) + maker.hidden(form) + trailing(form)


# --- deflated


def _deflated(content: bytes, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, wbits=-15)
    made = packer.compress(content) + packer.flush()
    return made + b"\0" * (len(made) % 2)


def deflated_oddly(maker: Maker) -> bytes:
    """Deflated data sets with something after them, or with headers, or not deflated."""
    form = maker.random.choices((EXPLICIT, IMPLICIT, BIG), (6, 2, 1))[0]
    data = leading(form) + maker.hidden(form) + trailing(form)
    more = trailing(EXPLICIT) + maker.hidden(EXPLICIT)
    stream = maker.random.choice(
        (
            _deflated(data),
            _deflated(data, 0),
            zlib.compress(data),
            _deflated(data) + more,
            _deflated(data) + _deflated(more),
            _deflated(data + bytes(30)),
            _deflated(data)[:-3],
            data,
        )
    )
    return part_10(stream, SYNTAXES["deflated"])


# --- damage


def ordinary(maker: Maker) -> bytes:
    """A file that is right."""
    form = maker.form()
    middle = maker.hidden(form) + sequence(
        0x00400275, item(maker.hidden(form), form, defined=maker.chance(0.5)), form, defined=maker.chance(0.5)
    )
    private = element(0x00090010, "LO", b"SOMEBODY", form) + element(0x00091001, "UN", b"abcdef", form)
    return part_10(
        leading(form) + private + middle + trailing(form) + bytes(maker.random.choice((0, 400, 70_000))),
        form.syntax,
    )


def flipped(maker: Maker) -> bytes:
    """One to three flipped bits."""
    content = bytearray(ordinary(maker))
    stop = min(len(content), 700)
    for _ in range(maker.random.choice((1, 1, 2, 3))):
        content[maker.random.randrange(132, stop)] ^= 1 << maker.random.randrange(8)
    return bytes(content)


def spliced(maker: Maker) -> bytes:
    """A stretch removed, doubled or put elsewhere."""
    content = ordinary(maker)
    stop = min(len(content), 700)
    start = maker.random.randrange(132, stop)
    end = min(stop, start + maker.random.choice((1, 2, 4, 8, 12, 40)))
    piece = content[start:end]
    way = maker.random.choice(("removed", "doubled", "moved", "zeroed"))
    if way == "removed":
        return content[:start] + content[end:]
    if way == "doubled":
        return content[:end] + piece + content[end:]
    if way == "zeroed":
        return content[:start] + bytes(end - start) + content[end:]
    rest = content[:start] + content[end:]
    place = maker.random.randrange(132, stop - len(piece))
    return rest[:place] + piece + rest[place:]


def stacked(maker: Maker) -> bytes:
    """Two oddities, one of them within the other file's data set."""
    one, two = maker.random.sample(_PLAIN, 2)
    first, second = one(maker), two(maker)
    rest = second[second.find(b"\x08\0\x05\0", 132) :]
    if first[4:6] != second[4:6] or len(rest) < 8:
        return first
    return first + rest


_PLAIN = (
    odd_vr,
    width_of_length,
    odd_length,
    un_sequence,
    private_sequence,
    stray_delimiter,
    missing_delimiter,
    contradicting_lengths,
)

KINDS: dict[str, Callable[[Maker], bytes]] = {
    kind.__name__: kind
    for kind in (
        *(odd_vr, odd_vr_of_the_secret, width_of_length, odd_length, zeros_between),
        *(declared_other, both_syntaxes, mixed_items, bare),
        *(un_sequence, public_sequence_as_bytes, private_sequence, plain_as_sequence, hit_as_sequence),
        *(stray_delimiter, missing_delimiter, contradicting_lengths, fragments, out_of_order),
        *(meta_length, meta_hides, meta_cut, meta_padding, meta_twice, meta_encoded_otherwise),
        *(group_2_in_data, other_groups_in_meta, deflated_oddly),
        *(ordinary, flipped, spliced, stacked),
    )
}
"""Everything that is made, by its name."""


def made(kind: str, number: int) -> tuple[bytes, str]:
    """The file of a kind with a number, always the same; and its secret."""
    secret = f"SMUGGLED^{number:05d}"
    return KINDS[kind](Maker(Random(f"{kind} {number}"), secret.encode())), secret
