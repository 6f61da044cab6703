"""A tar archive (ustar) whose bytes depend on nothing but names, modes and contents."""
import io
import stat
import tarfile


def archive(tree):
    """tree: as cpio.archive takes it, without devices; folders above a path are made."""
    rows = dict(tree)
    for path in tree:
        parts = path.split("/")
        for i in range(1, len(parts)):
            rows.setdefault("/".join(parts[:i]), (stat.S_IFDIR | 0o755, b""))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(rows):
            mode, data = rows[path]
            row = tarfile.TarInfo(path)
            row.mode = stat.S_IMODE(mode)
            if stat.S_ISDIR(mode):
                row.type = tarfile.DIRTYPE
            elif stat.S_ISLNK(mode):
                row.type, row.linkname = tarfile.SYMTYPE, data.decode()
            else:
                row.size = len(data)
            tar.addfile(row, io.BytesIO(data) if row.isreg() else None)
    return out.getvalue()
