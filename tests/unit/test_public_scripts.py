"""How much of the scripts that CTP and TCIA publish is translated.

The scripts are under licences of their own and not copied here. What is here is how often each form of a rule
stands in them, as counted in johnperry/CTP (source/files): ``profiles/dicom/TCIA-Basic`` of commit 209507a,
with its parameters filled in as its comments ask, and ``examples/example-dicom-anonymizer.script`` of commit
16d8df8, which is MIRC's default. Scripts of one's own are measured as well where ``PUBLIC_SCRIPTS`` names a
directory.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from pydicom.datadict import DicomDictionary

from pfdicom_tagSub.dicom import dictionary
from pfdicom_tagSub.spec.importers.ctp import translate
from pfdicom_tagSub.spec.importers.files import import_rules

LEAST = 0.95

INCREMENT = "@incrementdate(this,@DATEINC)"
HASH_UID = "@hashuid(@UIDROOT,this)"
BLANK = "@if(this,isblank){@remove()}{Removed by CTP}"

FORMS: dict[str, dict[str, int]] = {
    "TCIA-Basic": {"@remove()": 114, "@keep()": 80, HASH_UID: 25, INCREMENT: 23, "@empty()": 8},
    "MIRC": {"@remove()": 174, HASH_UID: 29, INCREMENT: 28, "@empty()": 7, "@hash(this,16)": 3, BLANK: 2},
}
"""How often a form has an element of the dictionary."""

OTHERS: dict[str, list[tuple[str, str]]] = {
    "TCIA-Basic": [
        ("00080050", "@hash(this,16)"),
        ("00100010", "@lookup(PatientID,ptid)"),
        ("00100020", "@lookup(this,ptid)"),
        ("00120062", "@always()YES"),
        ("00120063", "@always()@append(){Per DICOM PS 3.15 AnnexE. Details in 0012,0064}"),
        ("00120064", "113100/113101/113105/113107/113108/113109/113111"),
        ("00130010", "@always()CTP"),
        ("00131010", "@always()@param(@PROJECTNAME)"),
        ("00131011", "@always()@param(@PROJECTNAME)"),
        ("00131012", "@always()@param(@SITENAME)"),
        ("00131013", "@always()@param(@SITEID)"),
        ("00180015", "@always()@param(@BODYPART)"),
        ("00280303", "@always()MODIFIED"),
        ("00540016", "@process()"),
        ("fffafffa", "@remove()"),
        ("fffcfffc", "@remove()"),
    ],
    "MIRC": [
        ("00080005", "@keep()"),
        ("00080016", "@keep()"),
        ("00080060", "@require()"),
        ("00100010", "@hashname(this,6,2)"),
        ("00100020", "@param(@SHORTNAME)-@hashptid(@SITEID,this,10)"),
        ("00120062", "YES"),
        ("00120063", "@append(){CTP: @param(@PROFILENAME): @date():@time()}"),
        ("00130010", "CTP"),
        ("00131010", "@param(@PROJECTNAME)"),
        ("00131011", "@param(@TRIALNAME)"),
        ("00131012", "@param(@SITENAME)"),
        ("00131013", "@param(@SITEID)"),
        ("00180015", "@require()"),
        ("00381234", "@remove()"),
        ("00603000", "@remove()"),
        ("00604000", "@remove()"),
        ("fffafffa", "@remove()"),
        ("fffcfffc", "@remove()"),
    ],
}
GLOBAL = {"TCIA-Basic": ("curves", "overlays"), "MIRC": ("curves", "overlays", "privategroups")}
GROUPS: dict[str, tuple[str, ...]] = {"TCIA-Basic": (), "MIRC": ("0018", "0020", "0028")}
PARAMETERS = {
    "DATEINC": "-2000",
    "UIDROOT": "1.3.6.1.4.1.14519.5.2.1.9999.9999",
    **dict.fromkeys(("BODYPART", "PROFILENAME", "PROJECTNAME", "SHORTNAME", "SITENAME", "TRIALNAME"), "TEXT"),
    "SITEID": "99",
}


def tags_for(form: str) -> Iterator[int]:
    """Tags of elements that a form may stand with."""
    vrs = {INCREMENT: {"DA", "DT"}, HASH_UID: {"UI"}, BLANK: {"PN"}}.get(form, {"LO", "SH", "PN", "SQ", "CS"})
    for tag, (vr, *_) in DicomDictionary.items():
        group = tag >> 16
        if vr in vrs and 0x0008 <= group < 0x5000 and group != 0x0012 and dictionary.is_replaceable(tag):
            yield tag


def script_of(name: str) -> str:
    """A script with as many rules of each form."""
    known = {int(tag, 16) for tag, _ in OTHERS[name]}
    lines = [f'<p t="{key}">{value}</p>' for key, value in PARAMETERS.items()]
    for form, count in FORMS[name].items():
        tags = [tag for tag in tags_for(form) if tag not in known][:count]
        assert len(tags) == count
        known.update(tags)
        lines += [f'<e en="T" t="{tag:08x}" n="">{form}</e>' for tag in tags]
    lines += [f'<e en="T" t="{tag}" n="">{text}</e>' for tag, text in OTHERS[name]]
    lines += [f'<e en="F" t="{tag:08x}" n=""></e>' for tag in (0x00080008, 0x00080052)]
    lines += [f'<k en="T" t="{group}">Keep</k>' for group in GROUPS[name]]
    lines += [f'<r en="T" t="{kind}">Remove</r>' for kind in GLOBAL[name]]
    return "<script>\n" + "\n".join(lines) + "\n</script>"


@pytest.mark.parametrize("name", FORMS)
def test_rules_of_a_published_script_are_translated(name: str) -> None:
    made = translate(script_of(name))
    expected = sum(FORMS[name].values()) + len(OTHERS[name]) + len(GLOBAL[name]) + len(GROUPS[name])
    assert made.count == expected
    share = 1 - len(made.untranslated) / made.count
    reasons = Counter(one.reason for one in made.untranslated)
    assert share >= LEAST, reasons
    print(f"{name}: {made.count - len(made.untranslated)} of {made.count}", dict(reasons))


def test_rules_of_scripts_of_ones_own_are_translated() -> None:
    place = os.environ.get("PUBLIC_SCRIPTS")
    if not place:
        pytest.skip("PUBLIC_SCRIPTS names no directory with scripts")
    files = sorted(path for path in Path(place).rglob("*") if path.is_file())
    found = [(path.name, import_rules(str(path))) for path in files]
    for name, made in found:
        print(f"{name}: {made.count - len(made.untranslated)} of {made.count}")
    missing = list(chain.from_iterable(made.untranslated for _, made in found))
    assert len(missing) <= (1 - LEAST) * sum(made.count for _, made in found)
