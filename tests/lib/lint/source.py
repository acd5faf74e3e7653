#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What must not stand in a source file, and how long it may be."""
import pathlib
import re
import sys

FUNCTION_LINES = 70
FILE_LINES = 900
COLUMNS = 100

# Where the wire's byte order may be spoken
BYTE_ORDER_FILES = {
    "src/nl/session.c", "src/nl/batch.c", "src/nl/nft.c", "src/nl/rtnl.c", "src/nl/wire.h",
    "src/net/addr.c", "include/net/wire.h",
}
# Where a process may be started: a probe in a namespace of its own, the sandboxed shell, and
# those of a live NAT, of which those that see packets have no rights
PROCESS_FILES = {
    "src/cli/nat_word.c",
    "src/cli/confirm_guard.c", "src/cli/probe.c", "src/host/probe.c", "src/host/sandbox_jail.c",
}

C = (".c", ".h")
# (what, pattern, below these directories, suffixes, allowed files)
FORBIDDEN = [
    ("an unfinished thought", r"\b(?:XXX|FIXME|TODO|HACK)\b", "src include tests examples rules",
     None, set()),
    ("a path of one machine", r"/wo" r"rk/", "src include tests examples rules man", None, set()),
    ("byte order outside its files",
     r"\b(?:hton[sl]|ntoh[sl]|hto[bl]e\d+|[bl]e\d+toh|__builtin_bswap\d+|bswap_\d+)\b",
     "src include", C, BYTE_ORDER_FILES),
    ("a child process", r"\b(?:system|popen|exec[lv]p?e?|v?fork|posix_spawnp?)\s*\(",
     "src include", C, PROCESS_FILES),
    ("a string function without a length", r"\b(?:strcpy|strcat|sprintf|vsprintf|gets)\s*\(",
     "src include", C, set()),
    ("names that are the host's", r"\b(?:getservby\w+|getprotoby\w+|gethostby\w+|getaddrinfo)\s*\(",
     "src include", C, {"src/cli/resolve.c"}),
    ("abort or assert instead of BUG_IF", r"(?<!_)\b(?:assert|abort)\s*\(", "src include", C,
     set()),
]


def width(line):
    return len(line.expandtabs(8))


def functions(lines):
    """(first line, name, lines) of each function, which kernel braces make plain."""
    start = None
    for n, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = n
        elif line.rstrip() == "}" and start is not None:
            head = " ".join(lines[max(0, start - 4):start - 1])
            names = re.findall(r"(\w+)\s*\(", head)
            yield start, names[0] if names else "?", n - start + 1
            start = None
        elif line.startswith("}"):
            start = None


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def check_c(file, lines):
    for n, line in enumerate(lines, 1):
        if width(line) > COLUMNS:
            yield n, f"{width(line)} columns, more than {COLUMNS}"
        if re.match(r" +\S", line) and not re.match(r" \*", line):
            yield n, "indented by spaces"
    if not file.name.endswith("_tables.h") and len(lines) > FILE_LINES:
        yield 1, f"{len(lines)} lines, more than {FILE_LINES}"
    if file.parts[0] != "tests":
        for n, name, length in functions(lines):
            if length > FUNCTION_LINES:
                yield n, f"{name}() has {length} lines, more than {FUNCTION_LINES}"


def check(file):
    try:
        text = file.read_text()
    except UnicodeDecodeError:
        return
    lines = text.splitlines()
    is_code = file.suffix in (".c", ".h", ".def", ".sh", ".py") or text.startswith("#!")
    if is_code and not any("SPDX-License-Identifier: BSD-2-Clause" in x for x in lines[:3]):
        yield 1, "no SPDX line"
    if is_code:
        for n, line in enumerate(lines, 1):
            if line != line.rstrip():
                yield n, "blanks at the end of the line"
        if text and not text.endswith("\n"):
            yield len(lines), "no newline at the end of the file"
    if file.suffix in C:
        yield from check_c(file, lines)
    code = strip_comments(text) if file.suffix in C else text
    for what, pattern, below, suffixes, allowed in FORBIDDEN:
        if file.parts[0] not in below.split() or str(file) in allowed or \
                (suffixes and file.suffix not in suffixes):
            continue
        where = code if suffixes else text
        for found in re.finditer(pattern, where):
            yield where.count("\n", 0, found.start()) + 1, f"{what}: {found[0]}"


def main():
    bad = 0
    own = pathlib.Path(__file__).resolve()
    for top in ("src", "include", "tests", "examples", "rules", "man"):
        for file in sorted(pathlib.Path(top).rglob("*")):
            if not file.is_file() or "__pycache__" in file.parts or "corpus" in file.parts or \
                    file.resolve() == own:
                continue
            for line, text in check(file):
                print(f"{file}:{line}: {text}")
                bad += 1
    return bad > 0


sys.exit(main())
