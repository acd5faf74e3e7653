#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every line of tests/conformance/lines.txt has a test of its level, and code that names it."""
import pathlib
import re
import sys

LIST = pathlib.Path("tests/conformance/lines.txt")
TEST = re.compile(r'^LINE\(\w+, "([^"]+)", (MUST|SHOULD|MAY),', re.M)
CITED = re.compile(r"^ \* Lines: ((?:.*\n)(?: \*  ? ?\S.*\n)*)", re.M)


def cited_ids():
    """The numbers behind "Lines:" in comments, which may go on in the next lines"""
    for path in sorted(pathlib.Path("src/nat").glob("*.[ch]")):
        for block in CITED.findall(path.read_text()):
            yield from (word for word in re.sub(r"^ \*", "", block, flags=re.M).split())


def main():
    asked = dict(line.split() for line in LIST.read_text().splitlines() if line[0] != "#")
    tests, bad = {}, []
    for path in sorted(pathlib.Path("tests/conformance").glob("*.c")):
        for name, level in TEST.findall(path.read_text()):
            if name in tests:
                bad.append(f"{path}: {name} has two tests")
            tests[name] = level
    cited = set(cited_ids())
    for name, level in asked.items():
        if tests.get(name) != level:
            bad.append(f"{LIST}: {name} {level} has no test of that level")
        if name not in cited:
            bad.append(f"{LIST}: no file of src/nat names {name}")
    for name in (set(tests) | cited) - set(asked):
        bad.append(f"{LIST}: {name} is tested or named and not there")
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


sys.exit(main())
