"""Which libraries a program needs, by its own words (DT_NEEDED), and theirs."""
import struct

LOAD, DYNAMIC, INTERP = 1, 2, 3  # p_type
NEEDED, STRTAB = 1, 5  # d_tag


def _segments(elf):
    offset, size, count = struct.unpack_from("<Q", elf, 32)[0], *struct.unpack_from("<HH", elf, 54)
    for i in range(count):
        kind, _, at, address, _, length = struct.unpack_from("<IIQQQQ", elf, offset + i * size)
        yield kind, at, address, length


def _text(elf, at):
    return elf[at : elf.index(b"\0", at)].decode()


def interpreter(elf):
    """The path of the program's loader, or None for a library."""
    return next((_text(elf, at) for kind, at, _, _ in _segments(elf) if kind == INTERP), None)


def needed(elf):
    """Names of the libraries that this file asks for, in its order."""
    if elf[:6] != b"\x7fELF\x02\x01":
        raise ValueError("is no ELF file of 64 bits")
    rows = list(_segments(elf))
    entries = []
    for kind, at, _, length in rows:
        if kind == DYNAMIC:
            entries = [struct.unpack_from("<QQ", elf, at + i) for i in range(0, length, 16)]
    strings = next((value for tag, value in entries if tag == STRTAB), 0)
    base = next((at + strings - address for kind, at, address, length in rows
                 if kind == LOAD and address <= strings < address + length), 0)
    return [_text(elf, base + value) for tag, value in entries if tag == NEEDED]


def closure(programs, find):
    """{name: bytes} of all libraries that the programs need; find(name) gives one's bytes."""
    found, todo = {}, [name for elf in programs for name in needed(elf)]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = find(name)
            todo += needed(found[name])
    return found
