"""A unified kernel image: systemd's stub with command line, initial RAM disk and kernel as further sections; its Authenticode digest."""
import hashlib
import struct

INITIALIZED_READ = 0x40000040  # IMAGE_SCN_CNT_INITIALIZED_DATA, IMAGE_SCN_MEM_READ
SECTION = 40  # bytes of a row of the section table


def _up(n, to):
    return -(-n // to) * to


class Headers:
    """Where what stands in a PE32+ file."""

    def __init__(self, data):
        self.pe = struct.unpack_from("<I", data, 60)[0]
        if data[:2] != b"MZ" or data[self.pe : self.pe + 4] != b"PE\0\0":
            raise ValueError("is no PE file")
        self.count, self.optional_len = struct.unpack_from("<H", data, self.pe + 6)[0], struct.unpack_from("<H", data, self.pe + 20)[0]
        self.optional = self.pe + 24
        if struct.unpack_from("<H", data, self.optional)[0] != 0x20B:
            raise ValueError("is no PE32+ file")
        self.section_align, self.file_align = struct.unpack_from("<II", data, self.optional + 32)
        self.headers_len = struct.unpack_from("<I", data, self.optional + 60)[0]
        self.table = self.optional + self.optional_len

    def sections(self, data):
        """(name, virtual size, address, raw size, raw offset) of each."""
        for i in range(self.count):
            yield struct.unpack_from("<8sIIII", data, self.table + i * SECTION)


def unify(stub, parts):
    """The stub with a section for each (name, bytes), in that order; no time, no check sum."""
    h = Headers(stub)
    rows = list(h.sections(stub))
    if h.table + (h.count + len(parts)) * SECTION > h.headers_len:
        raise ValueError("has no room for further sections")
    end = max(raw + size for _, _, _, size, raw in rows)
    out = bytearray(stub[:end])
    out += b"\0" * (-len(out) % h.file_align)
    address = max(_up(at + size, h.section_align) for _, size, at, _, _ in rows)
    for i, (name, data) in enumerate(parts):
        raw = _up(len(data), h.file_align)
        struct.pack_into("<8sIIIIIIHHI", out, h.table + (h.count + i) * SECTION, name.encode(), len(data), address, raw, len(out),
                         0, 0, 0, 0, INITIALIZED_READ)
        out += data + b"\0" * (raw - len(data))
        address += _up(len(data), h.section_align)
    struct.pack_into("<H", out, h.pe + 6, h.count + len(parts))
    struct.pack_into("<I", out, h.pe + 8, 0)  # time
    struct.pack_into("<II", out, h.pe + 12, 0, 0)  # symbols: they stood behind the sections
    struct.pack_into("<I", out, h.optional + 56, address)  # size of the image
    struct.pack_into("<I", out, h.optional + 64, 0)  # check sum
    return bytes(out)


def authenticode(data, algorithm):
    """The digest that firmware measures: all but check sum, entry of the signatures, and the signatures."""
    h = Headers(data)
    digest = hashlib.new(algorithm)
    entry = h.optional + 112 + 4 * 8
    at, size = struct.unpack_from("<II", data, entry)
    digest.update(data[: h.optional + 64])
    digest.update(data[h.optional + 68 : entry])
    digest.update(data[entry + 8 : h.headers_len])
    done = h.headers_len
    for _, _, _, length, raw in sorted(h.sections(data), key=lambda row: row[4]):
        digest.update(data[raw : raw + length])
        done += length
    end = len(data) - (size if at else 0)
    digest.update(data[done:end])
    return digest.hexdigest()
