"""What a text that is no spec in JSON seems to be, so that a message can name the flag or form meant."""

from __future__ import annotations

import ast
import os
import re

JSON_FLAG = "--tagStruct"
FILE_FLAG = "--tagFile"
PAIRS_FLAG = "--tagInfo"

_FILE_NAME = re.compile(r"[^\s{}\"]+\.(json|ya?ml|toml|txt|spec|cfg|conf|ini|xml|csv)", re.IGNORECASE)
_PATH = re.compile(r"(/|\.\.?/|~/)[^\s{}]*")
_YAML_LINE = re.compile(r"""\s*(-\s+)?("[^"]+"|'[^']+'|re:\S+|[\w(][^:#=]*):(\s+\S.*|\s*)""")
_YAML_FLOW = re.compile(r"""\{\s*[A-Za-z(][^"':{}]*:\s""")
_TOML_LINE = re.compile(r"""\s*("[^"]+"|'[^']+'|[\w.-]+)\s*=\s*\S.*|\s*\[[^\]]+\]\s*""")
_PAIR = re.compile(r"[\w(][^:\s]*:\S*")
_SAMPLE = 1 << 16


def form_of(text: str) -> str:
    """What a text is written in, where that is no JSON.

    Returns:
        A form such as "YAML"; "" where it looks like none that is known.
    """
    head = text[:_SAMPLE].strip()
    if not head:
        return "empty"
    if head.startswith("<"):
        return "XML"
    if head.startswith("{"):
        return _like_an_object(head)
    lines = [line for line in head.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";"))]
    if lines and all(map(_TOML_LINE.fullmatch, lines)) and _is_toml(head):
        return "TOML"
    lines = [line for line in lines if line.strip() != "---" and not line.startswith("%YAML")]
    if lines and all(map(_YAML_LINE.fullmatch, lines)):
        return "YAML"
    return ""


def _like_an_object(head: str) -> str:
    """What something between braces is written in."""
    try:
        if isinstance(ast.literal_eval(head), dict) and "'" in head:
            return "Python"
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        pass
    if _YAML_FLOW.match(head):
        return "YAML"
    if re.search(r"(^|[\s,{}\"])//\s|/\*", head):
        return "JSON with comments"
    if re.search(r",\s*[}\]]", head):
        return "JSON with a comma after the last pair"
    return ""


def _is_toml(text: str) -> bool:
    import tomllib  # noqa: PLC0415  (every start would load it, for a text that is no spec)

    try:
        return bool(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError):
        return False


def _is_path(text: str) -> bool:
    """Whether a text is the path of a file that is there, or looks like one that is not."""
    if not text or len(text) > 4096 or "\n" in text or text.startswith("{"):
        return False
    try:
        return os.path.isfile(text) or bool(_FILE_NAME.fullmatch(text) or _PATH.fullmatch(text))
    except ValueError:  # a NUL
        return False


def hint_for_json(text: str, flag: str) -> str:
    """What is wrong with a text that was to be a spec in JSON, and the cure; "" if nothing is known.

    Args:
        text: what is no JSON, or no JSON object.
        flag: what gave it, ``--tagStruct`` or ``--tagFile``.
    """
    stripped = text.strip()
    if flag == JSON_FLAG:
        path = stripped.removeprefix("@")
        if _is_path(path):
            return f"it is the path of a file; give it with {FILE_FLAG}"
        if stripped == "-":
            return f"standard input is read by {FILE_FLAG} -"
    form = form_of(text)
    if form == "empty":
        return 'it is empty; a spec is a JSON object, {"Keyword": "value", ...}'
    if not form and _PAIR.match(stripped):
        return f"it is written as pairs; give it with {PAIRS_FLAG}, or write it as JSON"
    if form == "Python":
        return "it is written as in Python; JSON has double quotes, null, true and false"
    if form.startswith("JSON"):
        return f"it is {form}, which JSON does not have; take it out"
    return f'it looks like {form}; a spec is JSON, {{"Keyword": "value", ...}}' if form else ""


def hint_for_path(path: str) -> str:
    """What is wrong with a ``--tagFile`` that is not there, and the cure; "" if nothing is known."""
    if path.lstrip().startswith("{"):
        return f"it is a spec itself; give it with {JSON_FLAG}"
    if "\n" in path or (_PAIR.match(path.strip()) and "/" not in path and not _FILE_NAME.fullmatch(path)):
        return f"it is a spec itself; give it with {JSON_FLAG} as JSON, or with {PAIRS_FLAG} as pairs"
    return ""


def hint_for_pairs(text: str) -> str:
    """What a text is that was to be pairs, and the cure; "" if nothing is known."""
    stripped = text.strip()
    if stripped.startswith("{"):
        return f"it is JSON; give it with {JSON_FLAG}"
    form = form_of(text) if "\n" in stripped else ""
    if form:
        return f"it looks like {form}; pairs stand in one line, or write it as JSON for {JSON_FLAG}"
    if _is_path(stripped.removeprefix("@")):
        return f"it is the path of a file; give it with {FILE_FLAG}, as JSON"
    return ""
