#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every function and struct of a public header has a contract that fits it.

Right above it stands a kernel-doc comment, `NAME() - ` or `struct NAME - `.  A
function's is one line, or tells all its parameters, each by its true name, and
what it returns.  A struct's tells all its members.  A @name anywhere in the
text must be a parameter or member.
"""
import pathlib
import re
import sys

COMMENT = re.compile(r"/\*.*?\*/", re.S)
TITLE = re.compile(r"/\*\*[\s*]*(\w+)\(\) - ")
ATTRS = re.compile(
    r"\b(?:MUST_USE|NORETURN|UNUSED|PRINTF\s*\([^)]*\)|CLEANUP\s*\([^)]*\)|"
    r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\))")


def split_top(text, separator):
    """Split where no bracket is open."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == separator and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    return parts


def declared_name(text):
    """The name that a declarator declares, or None."""
    text = ATTRS.sub(" ", text)
    pointer = re.search(r"\(\s*\*+\s*(?:const\s+)?(\w+)", text)
    if pointer:
        return pointer[1]
    text = re.sub(r"\[[^\]]*\]", "", text)
    text = re.sub(r":\s*\w+\s*$", "", text)
    words = re.findall(r"\w+", text)
    return words[-1] if words else None


def members_of(body):
    """(name, may be left undocumented) of each member, unnamed unions opened."""
    for part in split_top(body, ";"):
        part = part.strip()
        if not part:
            continue
        nested = re.match(r"(?:struct|union|enum)\b[^{]*\{(.*)\}([^{}]*)$", part, re.S)
        if nested:
            if nested[2].strip():
                yield declared_name(nested[2]), False
                for name, _ in members_of(nested[1]):
                    yield name, True
            else:
                yield from members_of(nested[1])
            continue
        first, *more = split_top(part, ",")
        for declarator in [first] + more:
            yield declared_name(declarator), False


class Decl:
    def __init__(self, text, doc, line):
        self.text, self.doc, self.line = text, doc, line


def declarations(source):
    """What is declared at the top level, each with the comment right above it."""
    # Preprocessor lines, with their continuations, become blank
    source = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
                    lambda m: "#" + "\n" * m[0].count("\n"), source, flags=re.M)
    comments = [(m.start(), m.end(), m[0]) for m in COMMENT.finditer(source)]
    code = COMMENT.sub(lambda m: re.sub(r"[^\n]", "\x01", m[0]), source)
    i, start, depth = 0, 0, 0
    while i < len(code):
        c = code[i]
        if c in "({[":
            depth += 1
        elif c in ")}]":
            depth -= 1
        is_body_end = c == "}" and depth == 0 and re.search(r"\)[\s\x01]*\{", code[start:i])
        if (c == ";" and depth == 0) or is_body_end:
            yield declaration(code[start:i + 1], start, source, comments)
            start = i + 1
        elif c == "#" and depth == 0:
            start = i + 1
        i += 1


def declaration(raw, start, source, comments):
    begin = start + re.match(r"[\s\x01]*", raw).end()
    doc = None
    for lo, hi, text in comments:
        if hi <= begin and source[hi:begin].strip() == "" and source[hi:begin].count("\n") <= 1:
            doc = text
    text = raw[begin - start:].replace("\x01", "")
    return Decl(text, doc, source.count("\n", 0, begin) + 1)


def doc_lines(doc):
    text = re.sub(r"^/\*\*?|\*/$", "", doc)
    return [re.sub(r"^\s*\* ?", "", line).strip() for line in text.splitlines()]


def check_doc(decl, title, names, optional, need_return):
    if decl.doc is None or not decl.doc.startswith("/**"):
        yield f"{title} has no contract right above it"
        return
    lines = [line for line in doc_lines(decl.doc) if line]
    if not lines or not lines[0].startswith(title + " - "):
        yield f"its contract does not begin with `{title} - `"
        return
    told = [m[1] for m in (re.match(r"@([\w.]+)(?:\.\.\.)?:", line) for line in lines) if m]
    told = [name.split(".")[-1] for name in told]
    for name in told:
        if name not in names and name not in optional:
            yield f"{title}: the contract tells of @{name}, which is not there"
    mentioned = re.findall(r"(?<!\w)@(\w+)", " ".join(lines))
    for name in mentioned:
        if name not in names and name not in optional and name not in told:
            yield f"{title}: the contract mentions @{name}, which is not there"
    if len(lines) == 1 and not need_return:
        told = mentioned    # a small struct told in one sentence
    if told or not need_return and len(names) > 1:
        for name in names:
            if name not in told:
                yield f"{title}: the contract does not tell of @{name}"
    if told and need_return == "yes" and not any(line.startswith("Return:") for line in lines):
        yield f"{title}: the contract does not say what it returns"


def check_decl(decl):
    text = decl.text
    struct = re.match(r"(struct|union)\s+(\w+)\s*\{(.*)\}[^{}]*;$", text, re.S)
    if struct:
        found = list(members_of(struct[3]))
        names = [name for name, optional in found if not optional]
        optional = [name for name, is_optional in found if is_optional]
        yield from check_doc(decl, f"{struct[1]} {struct[2]}", names, optional, "")
        return
    if re.match(r"(struct|union|enum|typedef|extern|_Static_assert)\b(?![^;{]*\()", text) or \
            text.startswith(("typedef", "enum", "_Static_assert", "extern \"C\"")):
        return
    head = ATTRS.sub(" ", text.split("{")[0] if not text.startswith("struct {") else "").strip(" \n\t;")
    function = re.match(r"([\w\s*]+?)\b(\w+)\s*\((.*)\)$", head, re.S)
    if not function:
        return
    names = []
    for part in split_top(function[3], ","):
        if part.strip() not in ("", "void", "..."):
            names.append(declared_name(part))
    is_void = re.search(r"\bvoid\s*$", function[1]) is not None
    yield from check_doc(decl, f"{function[2]}()", names, [], "no" if is_void else "yes")


def check_opening(file, source):
    lines = source.splitlines()
    if not lines or lines[0] != "/* SPDX-License-Identifier: BSD-2-Clause */":
        yield 1, "the first line is not the SPDX line"
    name = "sallyport" if file.stem == "sallyport" else file.stem
    opening = COMMENT.search(source, source.find("\n"))
    if not opening or not re.match(rf"/\*\n \* {re.escape(name)} - \S", opening[0]):
        yield 2, f"the header does not open with ` * {name} - what it is`"


def check_twice(file, source, seen):
    """Of two functions with one name an archive gives the linker either, in silence"""
    for m in TITLE.finditer(source):
        if seen.setdefault(m[1], file) != file:
            yield source.count("\n", 0, m.start(1)) + 1, f"{m[1]}() is in {seen[m[1]]} too"


def main():
    bad = 0
    seen = {}
    for file in sorted(pathlib.Path("include").rglob("*.h")):
        source = file.read_text()
        found = list(check_opening(file, source)) + list(check_twice(file, source, seen))
        for decl in declarations(source):
            found += [(decl.line, text) for text in check_decl(decl)]
        for line, text in found:
            print(f"{file}:{line}: {text}")
            bad += 1
    return bad > 0


sys.exit(main())
