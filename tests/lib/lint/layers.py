#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each layer includes only itself and earlier ones; and a few pairs never meet."""
import pathlib
import re
import sys

ORDER = "base diag net model lang nl target prove host nat port cli".split()

# (from, to) that the order alone would allow
NEVER = {
    ("target", "lang"),     # targets know the model, not where it came from
    ("nl", "lang"),
    ("nl", "model"),        # netlink carries bytes; what they mean is the target's
    ("prove", "lang"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def layer_of(path):
    parts = pathlib.PurePath(path).parts
    return parts[0] if len(parts) > 1 and parts[0] in ORDER else None


def check(root, file):
    own = layer_of(file.relative_to(root))
    if own is None:
        if len(file.relative_to(root).parts) > 1:
            yield 1, f"directory is no layer (they are: {' '.join(ORDER)})"
        return
    for n, line in enumerate(file.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        other = layer_of(found[1])
        if other is None:
            if "/" in found[1]:
                yield n, f'"{found[1]}" is in no layer'
            continue
        if ORDER.index(other) > ORDER.index(own) or (own, other) in NEVER:
            yield n, f'layer {own} must not include "{found[1]}" of layer {other}'


def main():
    bad = 0
    for root in map(pathlib.Path, ("include", "src")):
        for file in sorted(root.rglob("*")):
            if file.suffix not in (".c", ".h", ".def"):
                continue
            for line, text in check(root, file):
                print(f"{file}:{line}: {text}")
                bad += 1
    return bad > 0


sys.exit(main())
