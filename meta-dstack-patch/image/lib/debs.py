"""Debian packages: which versions there are, their files by SHA-256, their contents."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ARCHITECTURE = "amd64"


class Missing(Exception):
    """A package that the lock names is to be had nowhere."""


def _apt(*arguments):
    run = subprocess.run(["apt-cache", *arguments], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"})
    return run.stdout


def _field(record, name):
    found = re.search(rf"^{name}: (.*)$", record, re.M)
    return found.group(1) if found else ""


def _records(names):
    return [r for r in _apt("show", *names).split("\n\n") if r.strip()]


def _newest(names):
    """{(name, release or None): version}: None is what apt would install. One call for all, since each reads all lists."""
    found = {}
    for block in re.split(r"^(?=\S+:$)", _apt("policy", *names), flags=re.M):
        said = re.match(r"(\S+):\n(?:.*\n)*?  Candidate: (\S+)", block)
        if said and said[2] != "(none)":
            found[said[1], None] = said[2]
    for line in _apt("madison", *names).splitlines():
        name, version, source = (part.strip() for part in line.split("|"))
        for release in re.findall(r" (\S+)/\S+ ", source + " "):
            found.setdefault((name, release), version)
    return found


def candidates(roots):
    """[{name, version, sha256}] of the newest versions, sorted by name; roots: (name, release or None). A package that only points
    at one with its version in the name (the kernel) gives that one."""
    newest = _newest(sorted({name for name, _ in roots}))
    for name, release in roots:
        if (name, release) not in newest:
            raise Missing(f"{name}: apt knows none" + (f" of {release}" if release else ""))
    wanted = [(name, newest[name, release]) for name, release in roots]
    rows = []
    while wanted:
        records = {(_field(r, "Package"), _field(r, "Version")): r for r in _records([f"{n}={v}" for n, v in wanted])}
        further = []
        for key in wanted:
            target = re.fullmatch(r"(linux-image-\d\S*) \(= (\S+)\)", _field(records[key], "Depends"))
            if target:
                further.append((target[1], target[2]))
            else:
                rows.append({"name": key[0], "version": key[1], "sha256": _field(records[key], "SHA256")})
        wanted = further
    return sorted(rows, key=lambda row: row["name"])


def libraries(programs):
    """{path: package} of the libraries that this machine runs the programs with."""
    paths = set()
    for program in programs:
        run = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
        paths |= {os.path.realpath(p) for p in re.findall(r"(/\S+) \(0x", run.stdout)}
    names = {name for path in paths for name in (path, path.removeprefix("/usr"))}  # a package may have it where / was before /usr
    run = subprocess.run(["dpkg-query", "-S", *sorted(names)], capture_output=True, text=True)
    packages = {path: package.split(":")[0] for package, path in (line.split(": ", 1) for line in run.stdout.splitlines())}
    owners = {path: packages.get(path) or packages.get(path.removeprefix("/usr")) for path in paths}
    unknown = sorted(path for path, package in owners.items() if not package)
    if unknown:
        raise Missing(f"{unknown[0]}: of no package")
    return owners


def read_lock(path):
    """[{name, version, sha256}] of lines "name version sha256"."""
    rows = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return [{"name": name, "version": version, "sha256": digest} for name, version, digest in rows]


def lock_text(packages):
    lines = ["# Written by meta-dstack-patch/image/lock: package, version, SHA-256 of its file."]
    return "\n".join(lines + [f"{p['name']} {p['version']} {p['sha256']}" for p in packages]) + "\n"


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _download(packages, folder):
    """All in one call of apt, into folder."""
    what = [f"{p['name']}={p['version']}" for p in packages]
    run = subprocess.run(["apt-get", "download", "-qq", *what], cwd=folder, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if run.returncode:
        raise Missing((run.stderr.strip().splitlines() or ["apt-get download failed"])[0])


def fetch(packages, cache, given):
    """[path] of the packages' files, from the folder given, or an earlier run and apt; their digests are what the lock says."""
    cache.mkdir(parents=True, exist_ok=True)
    absent = [p for p in packages if not (cache / f"{p['sha256']}.deb").exists()]
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        if absent and not given:
            _download(absent, folder)
        for path in sorted(pathlib.Path(given or folder).glob("*.deb")):
            digest = _sha256(path)
            if any(digest == p["sha256"] for p in absent):
                shutil.copy(path, cache / f"{digest}.deb")
    for p in packages:
        path = cache / f"{p['sha256']}.deb"
        what = f"{p['name']}={p['version']}"
        if not path.exists():
            raise Missing(f"{what}: no file of its SHA-256" + (f" in {given}" if given else ": the mirror has another"))
        if _sha256(path) != p["sha256"]:
            path.unlink()
            raise ValueError(f"{what}: the kept file was not what the lock says; it is removed")
    return [cache / f"{p['sha256']}.deb" for p in packages]


def unpack(deb, folder):
    subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
