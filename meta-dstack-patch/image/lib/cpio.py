"""An initial RAM disk: a cpio archive ("newc") whose bytes depend on nothing but names, modes and contents; gzip around it."""
import stat
import struct
import zlib

DIRECTORY, FILE, PROGRAM = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o644, stat.S_IFREG | 0o755
LINK, DEVICE = stat.S_IFLNK | 0o777, stat.S_IFCHR | 0o600


def _pad(data):
    return data + b"\0" * (-len(data) % 4)


def _entry(number, name, mode, data=b"", device=(0, 0)):
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _pad(header + name.encode() + b"\0") + _pad(data)


def archive(tree):
    """tree: {path without a slash before it: (mode, bytes or (major, minor))}; folders above a path are made."""
    rows = dict(tree)
    for path in tree:
        parts = path.split("/")
        for i in range(1, len(parts)):
            rows.setdefault("/".join(parts[:i]), (DIRECTORY, b""))
    out = b""
    for number, path in enumerate(sorted(rows), 1):
        mode, what = rows[path]
        out += _entry(number, path, mode, device=what) if stat.S_ISCHR(mode) else _entry(number, path, mode, what)
    out += _entry(0, "TRAILER!!!", 0)
    return out + b"\0" * (-len(out) % 512)


def gzip(data):
    """Without a time and a name. Level 6: three times as fast as 9, for 0.4 % more bytes."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15, 9)
    body = packer.compress(data) + packer.flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
