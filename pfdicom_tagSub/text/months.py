"""The names of months: one table, for what is read and what is written."""

from __future__ import annotations

from .comparable import fold

_NAMES = (
    "january jan januar jänner janner jaenner janvier janv enero ene januari",
    "february feb februar février fevrier fevr fév febrero februari",
    "march mar märz marz maerz mrz mars marzo maart",
    "april apr avril avr abril abr aprile",
    "may mai mayo mei",
    "june jun juni juin junio giugno",
    "july jul juli juillet juil julio luglio",
    "august aug août aout agosto ago augustus",
    "september sep sept septembre septiembre setiembre",
    "october oct okt oktober octobre octubre",
    "november nov novembre noviembre",
    "december dec dez dezember décembre decembre diciembre dic",
)
"""English, German, French, Spanish, and some Italian and Dutch; the English name first."""

_ROMAN = "i ii iii iv v vi vii viii ix x xi xii"

NAMES = tuple(tuple(row.split()) for row in _NAMES)
"""The names of each month in small letters, with their accents."""

ENGLISH = tuple(row[0].capitalize() for row in NAMES)

NUMBERS = {fold(name)[0]: str(month) for month, row in enumerate(NAMES, 1) for name in row} | {
    numeral: str(month) for month, numeral in enumerate(_ROMAN.split(), 1)
}
"""Folded names of months and their Roman numerals, and the numbers of the months."""
