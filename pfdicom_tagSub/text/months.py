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

_READ = (
    "janeiro gennaio gen styczeń stycznia sty январь января янв",
    "febbraio fevereiro fev luty lutego lut февраль февраля фев",
    "março marzec marca март марта мар",
    "kwiecień kwietnia kwi апрель апреля апр",
    "maio maggio mag maj maja май мая",
    "junho giu czerwiec czerwca cze июнь июня июн",
    "julho lug lipiec lipca lip июль июля июл",
    "augusti sierpień sierpnia sie август августа авг",
    "setembro set settembre wrzesień września wrz сентябрь сентября сен сент",
    "outubro out ottobre ott październik października paź октябрь октября окт",
    "listopad listopada lis ноябрь ноября ноя",
    "dezembro grudzień grudnia gru декабрь декабря дек",
)
"""Portuguese, Polish, Russian, Swedish and more Italian. They are read only: the search of bytes, which takes
time for each name, does without them."""

_ROMAN = "i ii iii iv v vi vii viii ix x xi xii"

NAMES = tuple(tuple(row.split()) for row in _NAMES)
"""The names of each month in small letters, with their accents."""

MORE = tuple(tuple(row.split()) for row in _READ)
"""More names of each month, which are only read."""

ENGLISH = tuple(row[0].capitalize() for row in NAMES)

NUMBERS = {
    fold(name)[0]: str(month)
    for rows in (_ROMAN.split(), _READ, _NAMES)
    for month, row in enumerate(rows, 1)
    for name in row.split()
}
"""Folded names of months and their Roman numerals, and the numbers of the months."""
