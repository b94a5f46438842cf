"""Texts as they are drawn into pictures: what they say, and the strokes of their letters."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from fontTools.ttLib import TTFont, TTLibError

Random = np.random.Generator
Plane = npt.NDArray[np.float32]
One = TypeVar("One")


def plane_of(values: npt.ArrayLike) -> Plane:
    """Values as a plane."""
    return np.asarray(values, np.float32)


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(word for line in lines for word in line.split())


_NAMES = _words(
    "Maria Hans Ingrid Pavel Yuki Ahmed José Björn Søren Łukasz Zoë Rosa Emil Ana Smith Schröder Nowak",
    "O'Brien Lindqvist Núñez Fernández McDonald Weber Ivanova Tanaka Haddad Öztürk Dvořák Müller Weiß",
    "Jones Doe Jane John Kim Lee Nguyen García Ångström Klinikum Hospital Patient Name Institute Radiology",
    "City General St. Dept. Universität Praxis Dr. Prof. Station ward Room Bed",
)
_LABELS = _words(
    "ID MRN DOB Acc# HR FR MI TIs Gain Depth cm mm MHz dB Frq Map Zoom kV mAs SL THK FOV TR TE W L SE IM Ex",
    "Sex Age Date Time Study Series Image PID Tel No. Ref LT RT AP PA LAO RAO CRAN supine prone LPO",
    "STANDING PORT L R A P H F Lat",
)
_MARKS = _words(
    "R L A P H F M S RT LT AP PA MR W X 5 8 3 2 6 9 4 Re Li ED ES JD J.D. A4 7 B D E G K N Q Z",
)
_ACCENTED = "ÄÖÜäöüßéèêáíóúñçøåÅØÉłšžčÀÇabcdefghijklmnopqrstuvwxyz"
_IDEOGRAPHS = (
    "山田太郎聖路加病院鈴木一患者高橋昭和年渡辺花子佐藤東京大学医科検査部位"
    "日月火水木金土中村小林加吉川本松井上王李张陈医院姓名性别男女"
)
_RANGES = {
    "greek": ((0x391, 0x3A1), (0x3A3, 0x3A9), (0x3B1, 0x3C9)),
    "cyrillic": ((0x410, 0x44F),),
    "japanese": ((0x3041, 0x3093), (0x30A1, 0x30F3), (0x4E00, 0x8FFF)),
    "chinese": ((0x4E00, 0x8FFF),),
    "korean": ((0xAC00, 0xD7A0),),
    "arabic": ((0x627, 0x64A),),
    "hebrew": ((0x5D0, 0x5EA),),
    "thai": ((0xE01, 0xE2E),),
    "devanagari": ((0x915, 0x939),),
    "armenian": ((0x531, 0x556), (0x561, 0x586)),
    "georgian": ((0x10D0, 0x10F0),),
}
_OTHERS = (*["greek"] * 4, *["cyrillic"] * 4, *["japanese"] * 6, *["chinese"] * 2, *list(_RANGES)[4:])
"""The scripts beside Latin, each as often as it is drawn."""

_PROBES = {
    "latin": "Aaz09,^äé", "greek": "ΑΩαωή", "cyrillic": "АЯаяй", "japanese": "あアン山田病",
    "chinese": "王医院", "korean": "김이박", "arabic": "مرحب", "hebrew": "שלום", "thai": "กขค",
    "devanagari": "कखग", "armenian": "ԱԲա", "georgian": "აბგ",
}  # fmt: skip
"""Letters that a font of a script has."""

_NO_LETTERS = ("Dingbat", "Symbol", "D0500", "Asana", "Emoji", "Math", "Braille", "Barcode")
_PLAIN = (
    "DejaVuSans", "Liberation", "NotoSans-", "NotoSansMono", "NimbusSans", "NimbusMono", "Roboto-", "Hack",
    "FreeSans", "FreeMono", "OpenSans-", "Terminus", "Px_IBM", "Inconsolata", "unifont", "Carlito",
)  # fmt: skip
"""Fonts like those of screens, of which half of all Latin texts are drawn."""

_WIDE = {"japanese", "chinese", "korean"}
_HERSHEY = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL, cv2.FONT_HERSHEY_TRIPLEX,
)  # fmt: skip


class Strokes(NamedTuple):
    """The strokes of a text.

    Attributes:
        cover: how much of each pixel they cover: (rows, columns), 0 to 1.
        size: the height of the font in pixels.
        is_slanted: whether the line neither lies nor stands.
    """

    cover: Plane
    size: int
    is_slanted: bool


def pick(random: Random, given: Sequence[One]) -> One:
    """One of some."""
    return given[int(random.integers(len(given)))]


class Typesetter:
    """Draws texts in the fonts of some folders."""

    def __init__(self, fonts: dict[str, list[str]]) -> None:
        """Args:
        fonts: the paths of fonts, by script.
        """
        self._fonts = fonts
        known = [path for path in fonts["latin"] if any(name in path for name in _PLAIN)]
        self._plain = known or fonts["latin"]
        self._bitmap = PIL.ImageFont.load_default_imagefont()

    @classmethod
    def of(cls, folders: Iterable[Path], known: Path) -> Typesetter:
        """Args:
        folders: where fonts are.
        known: a file that keeps what is found, since looking takes a while.
        """
        if not known.exists():
            known.write_text(json.dumps(_fonts_of(folders)), "utf-8")
        return cls(json.loads(known.read_text("utf-8")))

    def strokes(self, random: Random, size: int) -> Strokes | None:
        """A text of any script, of about a size; None where it cannot be drawn.

        Args:
            random: what it is made from.
            size: the height of the font in pixels.
        """
        script, text = _text(random)
        way = random.random()
        if script == "latin" and text.isascii() and way < 0.13:
            cover = _hershey(random, text, size)
        elif script == "latin" and text.isascii() and way < 0.19:
            times = 1 if size < 17 else 2 if size < 30 else 3
            cover, size = self._of_bitmap(text, times), 11 * times
        else:
            if script != "latin" and size < 9:
                return None
            is_plain = script == "latin" and random.random() < 0.5
            made = _typed(random, text, size, pick(random, self._plain if is_plain else self._fonts[script]))
            if made is None:
                return None
            cover = made
        is_slanted = random.random() < 0.04
        if is_slanted:
            cover = _turned(cover, float(random.uniform(-14, 14)))
        rows, columns = np.where(cover > 50)
        if not len(rows) or np.ptp(columns) < 2 or np.ptp(rows) < 3:
            return None
        top, left = int(np.min(rows)), int(np.min(columns))
        tight = cover[top : int(np.max(rows)) + 1, left : int(np.max(columns)) + 1]
        shown = tight.astype(np.float32) / np.float32(255)
        return Strokes(shown, size, is_slanted) if np.max(shown) >= 0.5 else None

    def _of_bitmap(self, text: str, times: int) -> npt.NDArray[np.uint8]:
        _, _, right, bottom = self._bitmap.getbbox(text)
        plane = PIL.Image.new("L", (int(right) + 8, int(bottom) + 8))
        PIL.ImageDraw.Draw(plane).text((4, 4), text, fill=255, font=self._bitmap)
        return np.asarray(plane).repeat(times, 0).repeat(times, 1)


def _fonts_of(folders: Iterable[Path]) -> dict[str, list[str]]:
    """The fonts that have the letters of each script."""
    found: dict[str, list[str]] = defaultdict(list)
    paths = {path.resolve() for folder in folders for path in folder.rglob("*")}
    for path in sorted(paths):
        if path.suffix.lower() not in {".ttf", ".otf", ".ttc"} or any(
            part in path.name for part in _NO_LETTERS
        ):
            continue
        try:
            letters = TTFont(path, fontNumber=0, lazy=True).getBestCmap() or {}
        except (TTLibError, OSError, KeyError, AssertionError):
            continue
        for script, probe in _PROBES.items():
            if all(ord(letter) in letters for letter in probe):
                found[script].append(str(path))
    return found


@functools.lru_cache(3000)
def _font(path: str, size: int) -> PIL.ImageFont.FreeTypeFont:
    return PIL.ImageFont.truetype(path, size)


def _typed(random: Random, text: str, size: int, path: str) -> npt.NDArray[np.uint8] | None:
    """A text in a font: as it is, without grey, or drawn larger and reduced; None where the font cannot."""
    times = int(pick(random, (1, 1, 1, 1, 2, 3)))
    is_hard = times == 1 and random.random() < 0.15
    if random.random() < 0.05:
        text = " ".join(text)
    try:
        font = _font(path, size * times)
        _, _, right, bottom = (int(edge) for edge in font.getbbox(text))
        if max(right, bottom) > 4000:
            return None
        plane = PIL.Image.new("L", (max(right, 1) + 12 * times, max(bottom, 1) + 12 * times))
        draw = PIL.ImageDraw.Draw(plane)
        draw.fontmode = "1" if is_hard else "L"
        draw.text((6 * times, 6 * times), text, fill=255, font=font)
    except OSError:
        return None
    if times > 1:
        plane = plane.resize((plane.width // times, plane.height // times), PIL.Image.Resampling.BOX)
    return np.asarray(plane)


def _hershey(random: Random, text: str, size: int) -> npt.NDArray[np.uint8]:
    """A text in the fonts of OpenCV, which are lines."""
    font = pick(random, _HERSHEY)
    (_, usual), _ = cv2.getTextSize("Hg", font, 1.0, 1)
    scale, thickness = size * 0.75 / usual, max(1, round(size / float(random.uniform(10, 22))))
    (width, height), below = cv2.getTextSize(text, font, scale, thickness)
    plane = np.zeros((height + below + 16, width + 20), np.uint8)
    kind = int(pick(random, (cv2.LINE_8, cv2.LINE_AA, cv2.LINE_AA)))
    cv2.putText(plane, text, (8, height + 8), font, scale, 255, thickness, kind)
    return plane


def _turned(cover: npt.NDArray[np.uint8], degrees: float) -> npt.NDArray[np.uint8]:
    rows, columns = cover.shape
    higher = int(rows + abs(np.sin(np.radians(degrees))) * columns) + 6
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1)
    matrix[1, 2] += (higher - rows) / 2
    return np.asarray(cv2.warpAffine(cover, matrix, (columns, higher)), np.uint8)


def _text(random: Random) -> tuple[str, str]:
    """A script, and a text in it."""
    if random.random() <= 0.66:
        return "latin", _latin(random)
    script = pick(random, _OTHERS)
    text = _foreign(random, script)
    while random.random() < 0.35:
        text += " " + (_foreign(random, script) if random.random() < 0.7 else _digits(random, 1, 5))
    if script in {"greek", "cyrillic"} and random.random() < 0.1:
        text += pick(random, (" №4", " 1961", ", Α."))
    return script, text


def _foreign(random: Random, script: str) -> str:
    if script in {"japanese", "chinese"} and random.random() < 0.5:
        return "".join(pick(random, _IDEOGRAPHS) for _ in range(int(random.integers(1, 6))))
    first, last = pick(random, _RANGES[script])
    count = int(random.integers(2, 6 if script in _WIDE else 10))
    text = "".join(chr(int(random.integers(first, last + 1))) for _ in range(count))
    if script in {"greek", "cyrillic"} and random.random() < 0.3:
        return text.upper()
    return text.capitalize() if random.random() < 0.5 else text


def _digits(random: Random, least: int, most: int) -> str:
    return "".join(str(int(random.integers(10))) for _ in range(int(random.integers(least, most))))


def _word(random: Random) -> str:
    way = random.random()
    if way < 0.45:
        return pick(random, _NAMES)
    text = "".join(chr(97 + int(random.integers(26))) for _ in range(int(random.integers(2, 9))))
    return text.upper() if way < 0.65 else text.capitalize() if way < 0.85 else text


def _date(random: Random) -> str:
    day, month = f"{random.integers(1, 29):02}", f"{random.integers(1, 13):02}"
    year = str(random.integers(1915, 2026))
    way = random.random()
    if way < 0.2:
        return year + month + day
    return pick(random, (".", "-", "/", " ")).join((day, month, year) if way < 0.7 else (year, month, day))


def _time(random: Random) -> str:
    parts = [
        f"{int(random.integers(24)):02}",
        f"{int(random.integers(60)):02}",
        f"{int(random.integers(60)):02}",
    ]
    return ":".join(parts if random.random() < 0.6 else parts[:2])


_CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_WAYS: tuple[Callable[[Random], str], ...] = (
    lambda random: f"{_word(random)}^{_word(random)}".upper(),
    lambda random: f"{_word(random)}, {_word(random)}",
    lambda random: f"{_word(random)} {_word(random)}",
    lambda random: f"{_word(random)} {_word(random)} {_word(random)}",
    _date,
    _date,
    _time,
    lambda random: _digits(random, 2, 11),
    lambda random: pick(random, _LABELS) + pick(random, (":", " ", ": ", "=")) + _digits(random, 1, 9),
    lambda random: pick(random, _LABELS),
    _word,
    lambda random: f"{pick(random, 'MFmf')} {_digits(random, 1, 3)}{pick(random, ('', 'Y', 'y', ' yrs'))}",
    lambda random: (
        _digits(random, 1, 4)
        + pick(random, (".", ",", "-", "/"))
        + _digits(random, 1, 4)
        + pick(random, ("", " cm", "mm", "%", " dB"))
    ),
    lambda random: pick(random, _MARKS),
    lambda random: pick(random, _MARKS),
    lambda random: f"{_word(random)} {_word(random)} {_digits(random, 1, 3)}",
    lambda random: f"{pick(random, _LABELS)} {pick(random, _LABELS)} {_digits(random, 1, 5)}",
    lambda random: f"Dr. {_word(random)}",
    lambda random: "".join(pick(random, _CAPITALS) for _ in range(int(random.integers(2, 12)))),
    lambda random: "".join(pick(random, _ACCENTED) for _ in range(int(random.integers(3, 10)))),
    lambda random: f"#{_digits(random, 2, 6)}",
    lambda random: f"{_word(random)}-{_word(random)}",
    lambda random: f"{pick(random, _CAPITALS)} {_digits(random, 1, 4)}",
    lambda random: "/".join(_digits(random, 1, 3) for _ in range(int(random.integers(2, 5)))),
    lambda random: f"{pick(random, _CAPITALS)}{_digits(random, 1, 3)}-{_digits(random, 1, 3)}",
    lambda random: (
        f"{_digits(random, 1, 4)}{pick(random, ('cm', 'Hz', 'mm', 'dB', ' fps', 'MHz', '%', 'D'))}"
    ),
    lambda random: f"({_word(random)}) {_digits(random, 1, 4)}",
)


def _latin(random: Random) -> str:
    return pick(random, _WAYS)(random)
