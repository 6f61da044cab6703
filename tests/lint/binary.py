"""Checks that a program is built so that a fault in it is hard to use, from the bytes of the ELF file itself.

usage: binary.py PROGRAM [--hardened] [--without TEXT]...
  position independent; relocations read-only and bound at start; no executable stack, no segment that can be written and run;
  no search path for libraries; stack protector; --hardened: landing pads of indirect branches, checked functions of libc;
  --without: a text, such as the folder that it was built in, that must not be in the file.
"""
import pathlib
import struct
import sys

LOAD, DYNAMIC, STACK, RELRO = 1, 2, 0x6474E551, 0x6474E552  # p_type
STRTAB, RPATH, TEXTREL, BIND_NOW, FLAGS, RUNPATH, FLAGS_1 = 5, 15, 22, 24, 30, 29, 0x6FFFFFFB  # d_tag
ENDBR64 = b"\xf3\x0f\x1e\xfa"
LANDING_PADS_MIN = 1000


def segments(elf):
    """(type, flags, offset, address, bytes in the file) of each program header."""
    offset, size, count = struct.unpack_from("<Q", elf, 32)[0], *struct.unpack_from("<HH", elf, 54)
    for i in range(count):
        kind, flags, at, address, _, length = struct.unpack_from("<IIQQQQ", elf, offset + i * size)
        yield kind, flags, at, address, length


def dynamic(elf, rows):
    """The entries of the dynamic section: {tag: value}."""
    found = {}
    for kind, _, at, _, length in rows:
        for i in range(at, at + length if kind == DYNAMIC else at, 16):
            tag, value = struct.unpack_from("<QQ", elf, i)
            if not tag:
                break
            found[tag] = value
    return found


def imports(elf, rows, tags):
    """The text of the dynamic strings, where the names of imported functions are."""
    for kind, _, at, address, length in rows:
        if kind == LOAD and address <= tags.get(STRTAB, -1) < address + length:
            return elf[at + tags[STRTAB] - address : at + length]
    return b""


def faults(elf, hardened, without):
    if elf[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", elf, 18)[0] != 62:
        return ["is no ELF file of x86-64"]
    rows = list(segments(elf))
    tags = dynamic(elf, rows)
    names = imports(elf, rows, tags)
    flags, flags_1 = tags.get(FLAGS, 0), tags.get(FLAGS_1, 0)
    code = b"".join(elf[at : at + length] for kind, f, at, _, length in rows if kind == LOAD and f & 1)
    checks = [
        (struct.unpack_from("<H", elf, 16)[0] == 3 and flags_1 & 0x08000000, "is not position independent"),
        (any(row[0] == RELRO for row in rows), "has no read-only relocations (relro)"),
        (BIND_NOW in tags or flags & 8 or flags_1 & 1, "does not bind its functions at start (now)"),
        (any(row[0] == STACK and not row[1] & 1 for row in rows), "has an executable stack"),
        (not any(row[0] == LOAD and row[1] & 3 == 3 for row in rows), "has a segment that can be written and run"),
        (TEXTREL not in tags and not flags & 4, "has relocations in its code"),
        (RPATH not in tags and RUNPATH not in tags, "has a search path for libraries"),
        (b"\0__stack_chk_fail\0" in names, "has no stack protector"),
        (not hardened or code.count(ENDBR64) >= LANDING_PADS_MIN, "has no landing pads of indirect branches (CET)"),
        (not hardened or b"_chk\0" in names.replace(b"\0__stack_chk_fail\0", b"\0"), "has no fortified functions"),
    ]
    checks += [(text.encode() not in elf, f"holds the text {text}") for text in without]
    return [what for good, what in checks if not good]


def main(arguments):
    program, without, hardened = None, [], False
    while arguments:
        word = arguments.pop(0)
        if word == "--without":
            without.append(arguments.pop(0))
        elif word == "--hardened":
            hardened = True
        else:
            program = word
    found = faults(pathlib.Path(program).read_bytes(), hardened, without)
    for what in found:
        print(f"{program}: {what}")
    print("binary: ok" if not found else f"binary: {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
