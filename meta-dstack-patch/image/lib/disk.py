"""A disk with one EFI system partition (GPT, FAT16) that holds one file, \\EFI\\BOOT\\BOOTX64.EFI."""
import struct
import uuid
import zlib

SECTOR, CLUSTER = 512, 2048
FIRST = 2048  # sector of the partition
ENTRIES, ENTRY = 128, 128  # of the partition table
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b").bytes_le
DATE = 0x0021  # 1980-01-01, the first that FAT has


def _up(n, to):
    return -(-n // to) * to


def _entry(name, attributes, cluster, size=0):
    return struct.pack("<11sBBBHHHHHHHI", name, attributes, 0, 0, 0, DATE, DATE, 0, 0, DATE, cluster, size)


def _folder(own, above, *rows):
    data = _entry(b".          ", 0x10, own) + _entry(b"..         ", 0x10, above) + b"".join(rows)
    return data + b"\0" * (CLUSTER - len(data))


def file_system(program, serial):
    """FAT16 with clusters of 2 KiB: from 9 MiB up to 128 MiB."""
    used = 2 + _up(len(program), CLUSTER) // CLUSTER
    count = max(used + 64, 4200)  # fewer would be FAT12
    if count > 65000:
        raise ValueError("is too large for this file system")
    fat_sectors = _up((count + 2) * 2, SECTOR) // SECTOR
    sectors = 1 + 2 * fat_sectors + 32 + count * (CLUSTER // SECTOR)
    boot = struct.pack("<3s8sHBHBHHBHHHIIBBBI11s8s", b"\xeb\x3c\x90", b"kettle  ", SECTOR, CLUSTER // SECTOR, 1, 2, 512, 0, 0xF8,
                       fat_sectors, 32, 2, FIRST, sectors, 0x80, 0, 0x29, serial, b"KETTLE     ", b"FAT16   ")
    boot += b"\0" * (510 - len(boot)) + b"\x55\xaa"
    chain = [0xFFF8, 0xFFFF, 0xFFFF, 0xFFFF]
    chain += [*range(5, used + 2), 0xFFFF]
    fat = struct.pack(f"<{len(chain)}H", *chain)
    fat += b"\0" * (fat_sectors * SECTOR - len(fat))
    root = _entry(b"EFI        ", 0x10, 2)
    data = _folder(2, 0, _entry(b"BOOT       ", 0x10, 3)) + _folder(3, 2, _entry(b"BOOTX64 EFI", 0x20, 4, len(program))) + program
    out = boot + fat + fat + root + b"\0" * (32 * SECTOR - len(root)) + data
    return out + b"\0" * (sectors * SECTOR - len(out))


def _header(here, other, table_at, last, disk_id, table):
    def packed(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, 34, last, disk_id, table_at, ENTRIES,
                           ENTRY, zlib.crc32(table))

    header = packed(zlib.crc32(packed(0)))
    return header + b"\0" * (SECTOR - len(header))


def disk(program, seed):
    """The whole disk; seed: 36 bytes that its numbers are made of."""
    partition = file_system(program, struct.unpack_from("<I", seed, 32)[0])
    end = FIRST + len(partition) // SECTOR  # first sector behind it
    total = _up(end + 33, 2048)  # whole MiB
    disk_id, part_id = (bytes([*b[:7], b[7] & 15 | 0x40, b[8] & 63 | 0x80, *b[9:]]) for b in (seed[:16], seed[16:32]))
    table = struct.pack("<16s16sQQQ72s", ESP, part_id, FIRST, end - 1, 0, "kettle".encode("utf-16-le"))
    table += b"\0" * (ENTRIES * ENTRY - len(table))
    protective = b"\0" * 446 + struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, total - 1)
    protective += b"\0" * (510 - len(protective)) + b"\x55\xaa"
    last = total - 34
    out = protective + _header(1, total - 1, 2, last, disk_id, table) + table
    out += b"\0" * (FIRST * SECTOR - len(out)) + partition
    out += b"\0" * ((total - 33) * SECTOR - len(out)) + table
    return out + _header(total - 1, 1, total - 33, last, disk_id, table)
