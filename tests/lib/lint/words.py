#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every keyword of pf.conf and ipfw has a row that says what becomes of it, and a golden case."""
import pathlib
import re
import sys

LANG = pathlib.Path("src/lang")
CASES = pathlib.Path("tests/golden/constructs")


def rows(file, pattern):
    """(line, groups) of each row of a table"""
    text = pathlib.Path(file).read_text()
    for m in re.finditer(pattern, text, re.M):
        yield text.count("\n", 0, m.start()) + 1, m.groups()


def cases(lang):
    text = (CASES / f"{lang}.cases").read_text()
    return set(re.findall(r"^# (.*)$", text, re.M))


def pf():
    table = LANG / "pf/constructs.def"
    told, have = set(), cases("pf")
    for line, (word, place, text) in rows(table, r'^C\((\w+), "([^"]+)", "([^"]+)"'):
        told.add(word)
        if f"{place}: {text}" not in have:
            yield f'{table}:{line}: "{place}: {text}" has no golden case in {CASES}/pf.cases'
    for line, (word,) in rows(LANG / "pf/words.def", r"^X\((\w+)"):
        if word not in told:
            yield f"{LANG}/pf/words.def:{line}: {word} has no row in {table}"


def ipfw():
    table, have = LANG / "ipfw/words.def", cases("ipfw")
    places = {kind: place for _, (kind, place) in
              rows(LANG / "ipfw/constructs.c", r'\[IWK_(\w+)\] = "([^"]+)"')}
    for line, (text, kind) in rows(table, r'^W\("([^"]+)", (\w+)'):
        if f"{places.get(kind)}: {text}" not in have:
            yield f"{table}:{line}: {kind} '{text}' has no golden case in {CASES}/ipfw.cases"
    for line, (place, text) in rows(LANG / "ipfw/forms.def", r'^C\("([^"]+)", "([^"]+)"'):
        if f"{place}: {text}" not in have:
            yield f'{LANG}/ipfw/forms.def:{line}: "{place}: {text}" has no golden case'


bad = list(pf()) + list(ipfw())
print("\n".join(bad), end="\n" if bad else "")
sys.exit(bool(bad))
