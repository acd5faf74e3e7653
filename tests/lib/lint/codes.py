#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every diagnostic code: one row, told by `explain`, used, and provoked by a test.

A test provokes a code when a golden file holds `[CODE]`, or when a test other
than that of the printer names it.
"""
import pathlib
import re
import sys

ROW = re.compile(r'^X\(\s*(\w+)\s*,\s*(\w+)\s*,\s*("(?:[^"\\]|\\.)*")\s*,'
                 r'\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', re.M)
SEVERITY = {"E": "DIAG_ERROR", "W": "DIAG_WARNING", "N": "DIAG_NOTE"}
NOT_TESTS = {"tests/unit/test_diag.c"}


def words_in(paths):
    found = set()
    for path in paths:
        if path.is_file():
            found |= set(re.findall(r"(?<![A-Za-z0-9])(?:DIAG_)?([EWN]\d{4})(?!\w)",
                                    path.read_text(errors="replace")))
    return found


def literal(text):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))


def main():
    used = words_in(f for f in pathlib.Path("src").rglob("*") if f.suffix in (".c", ".h"))
    tests = [f for d in ("unit", "golden", "e2e", "diff") for f in
             pathlib.Path("tests", d).rglob("*") if str(f) not in NOT_TESTS]
    tested = words_in(tests)
    seen, bad = {}, []
    for file in sorted(pathlib.Path("include/diag/codes").glob("*.def")):
        source = file.read_text()
        if file.name == "all.def":
            continue
        if len(ROW.findall(source)) != len(re.findall(r"^X\(", source, re.M)):
            bad.append(f"{file}:1: a row is not X(code, severity, \"title\", \"text\")")
        if f'"diag/codes/{file.name}"' not in pathlib.Path("include/diag/codes/all.def").read_text():
            bad.append(f"{file}:1: all.def does not include it")
        for row in ROW.finditer(source):
            code, severity, title, text = row[1], row[2], literal(row[3]), literal(row[4])
            at = f"{file}:{source.count(chr(10), 0, row.start()) + 1}: {code}"
            if not re.fullmatch(r"[EWN]\d{4}", code):
                bad.append(f"{at} is not E, W or N and four digits")
            elif SEVERITY[code[0]] != severity:
                bad.append(f"{at} has severity {severity}")
            if code[1:] in seen:
                bad.append(f"{at} has the number of {seen[code[1:]]}")
            seen[code[1:]] = code
            if not title or title[-1] in ".!":
                bad.append(f"{at} needs a title, without a final stop")
            if len(text) < 30 or not re.search(r"[.:]( |$)", text):
                bad.append(f"{at} needs a text of whole sentences for `explain`")
            if code not in used:
                bad.append(f"{at} is used nowhere in src/")
            if code not in tested:
                bad.append(f"{at} is provoked by no test")
    print("\n".join(bad))
    return len(bad) > 0


sys.exit(main())
