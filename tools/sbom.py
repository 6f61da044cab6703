"""Writes what a program is made of as a bill of materials: CycloneDX 1.5, JSON, the same for the same program and packages.

usage: sbom.py PROGRAM ROOT VERSION OUT
  PROGRAM  an ELF file; each library that it loads is a component, with its package where Debian's dpkg knows it
  ROOT     the project's root; what is compiled into the program from other projects stands in BUNDLED
"""
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

BUNDLED = [("blst", "node_modules/c-kzg/deps/blst", "https://github.com/supranational/blst", "Apache-2.0")]


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def libraries(program):
    """Where each library lies that the program loads, also through others."""
    return sorted(set(re.findall(r"=> (/\S+)", output("ldd", str(program)))))


def names_of(path):
    """Under which names a package may have a file: also where / was before /usr."""
    real = str(pathlib.Path(path).resolve())
    return list(dict.fromkeys([path, real, real.removeprefix("/usr"), "/usr" + path]))


def packages(paths):
    """{path: (name, version, architecture)}, of those that a package has."""
    if not shutil.which("dpkg-query"):
        return {}
    owners = dict(
        reversed(line.split(": ", 1)) for line in output("dpkg-query", "-S", *(n for p in paths for n in names_of(p))).splitlines() if ": /" in line
    )
    owner = {p: owners[n].split(",")[0] for p in paths for n in names_of(p) if n in owners}
    lines = output("dpkg-query", "-W", "-f", "${binary:Package} ${Package} ${Version} ${Architecture}\n", *sorted(set(owner.values()))).splitlines()
    told = {}
    for line in lines:
        full, *rest = line.split()
        told[full] = told[rest[0]] = rest
    return {p: told[o] for p, o in owner.items() if o in told}


def component_of(path, found):
    c = {"type": "library", "name": pathlib.Path(path).name, "hashes": [{"alg": "SHA-256", "content": sha256(path)}]}
    if found:
        name, version, architecture = found
        c["bom-ref"] = c["purl"] = f"pkg:deb/debian/{name}@{version.replace(':', '%3A').replace('+', '%2B')}?arch={architecture}#{c['name']}"
        c["version"] = version
    else:
        c["bom-ref"] = path
    return c


def tree_sha256(folder):
    """Over the names and bytes of all files that may be compiled."""
    h = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.suffix in (".c", ".h", ".S", ".s", ".asm") and p.is_file()):
        h.update(f"{file.relative_to(folder)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return h.hexdigest()


def bundled(root):
    lock = json.loads((root / "package-lock.json").read_text())["packages"]
    for name, folder, url, licence in BUNDLED:
        if not (root / folder).is_dir():  # then the system's library is used, which is among those that are loaded
            continue
        source = next(key for key in sorted(lock, key=len, reverse=True) if key and folder.startswith(key))
        yield {
            "type": "library",
            "bom-ref": f"{name}-sources",
            "name": name,
            "version": f"of {source.removeprefix('node_modules/')} {lock[source]['version']}",
            "hashes": [{"alg": "SHA-256", "content": tree_sha256(root / folder)}],
            "licenses": [{"license": {"id": licence}}],
            "externalReferences": [{"type": "vcs", "url": url}],
        }


def bill(program, root, version):
    loaded = libraries(program)
    known = packages(loaded)
    components = [*bundled(root), *(component_of(path, known.get(path)) for path in loaded)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "kettle",
                "name": "kettle",
                "version": version,
                "hashes": [{"alg": "SHA-256", "content": sha256(program)}],
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": "kettle", "dependsOn": [c["bom-ref"] for c in components]}],
    }


if __name__ == "__main__":
    made = bill(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])
    pathlib.Path(sys.argv[4]).write_text(json.dumps(made, indent=1) + "\n")
