#!/usr/bin/env python3
"""Checks the Yocto layer without bitbake: what can be wrong in it and is seen only late, or only in one of the two series.

usage: lint.py LAYER SOURCE [INSTALLED]     INSTALLED: meson-info/intro-installed.json of a build; the recipe is checked against it
"""
import hashlib
import json
import pathlib
import re
import subprocess
import sys

SERIES = {"scarthgap", "wrynose"}
MADE = "kettle-${PV}.tar.gz"  # by scripts/apply.sh


def joined(path):
    """(line number, logical line): without comments, continued lines as one."""
    number, text = 0, ""
    for at, line in enumerate(path.read_text().splitlines(), 1):
        if not text:
            number = at
        if line.lstrip().startswith("#"):
            continue
        if line.endswith("\\"):
            text += line[:-1]
            continue
        yield number, text + line
        text = ""


def value(path, key):
    found = [re.match(rf'{key}\s*[?:+.]*=\s*"(.*)"', line) for _, line in joined(path)]
    return next((one[1] for one in found if one), None)


def check_recipe(path, source):
    name, version = path.stem.split("_")
    for key in ("SUMMARY", "LICENSE", "LIC_FILES_CHKSUM", "SRC_URI"):
        if not value(path, key):
            yield f"{path.name}: no {key}"
    license_file = re.fullmatch(r"file://(\S+);md5=([0-9a-f]{32})", value(path, "LIC_FILES_CHKSUM") or "")
    if not license_file:
        yield f"{path.name}: LIC_FILES_CHKSUM is not file://NAME;md5=DIGITS"
    elif name == "kettle":
        own = source / license_file[1]
        if not own.exists():
            yield f"{path.name}: there is no {license_file[1]}"
        elif hashlib.md5(own.read_bytes()).hexdigest() != license_file[2]:
            yield f"{path.name}: md5 of {license_file[1]} is another"
    if name == "kettle" and f"version: '{version}'" not in (source / "meson.build").read_text():
        yield f"{path.name}: meson.build has another version"
    if "git" in (value(path, "SRC_URI") or "").split(":")[0] and not re.fullmatch("[0-9a-f]{40}", value(path, "SRCREV") or ""):
        yield f"{path.name}: SRCREV is no commit"


def check_files(path):
    """Each file:// that is named stands beside the recipe."""
    for number, line in joined(path):
        if not line.startswith(("SRC_URI", "file://")):
            continue
        for name in re.findall(r'file://([^\s";]+)', line):
            places = (path.parent / "files" / name, path.parent / path.stem.split("_")[0] / name)
            if name != MADE and not any(place.exists() for place in places):
                yield f"{path.name}:{number}: there is no {name}"


def check_words(path):
    for number, line in joined(path):
        if re.match(r"\s*(export\s+)?UNPACKDIR\b\S*\s*[?:+.]*=", line):
            yield f"{path.name}:{number}: UNPACKDIR is bitbake's own: wrynose refuses another"
        if re.match(r"\S+_(append|prepend|remove)\b\s*=", line):
            yield f"{path.name}:{number}: an override in the form before honister"
        if line.count('"') % 2 and "'" not in line and not line.startswith((" ", "\t")):
            yield f"{path.name}:{number}: a quotation mark without its other"


def check_kernel(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if path.suffix == ".cfg" and not re.fullmatch(r"CONFIG_[A-Z0-9_]+=[ymn]|# CONFIG_[A-Z0-9_]+ is not set", line):
            yield f"{path.name}:{number}: is no line of a kernel configuration"
        named = re.match(r"kconf \S+ (\S+)$", line) if path.suffix == ".scc" else None
        if named and not (path.parent / named[1]).exists():
            yield f"{path.name}:{number}: there is no {named[1]}"


def check_layer(layer):
    conf = layer / "conf/layer.conf"
    name = (value(conf, "BBFILE_COLLECTIONS") or "").strip()
    if set((value(conf, f"LAYERSERIES_COMPAT_{name}") or "").split()) != SERIES:
        yield f"layer.conf: LAYERSERIES_COMPAT_{name} is not {' '.join(sorted(SERIES))}"
    for key in (f"BBFILE_PATTERN_{name}", f"BBFILE_PRIORITY_{name}", f"LAYERDEPENDS_{name}"):
        if not value(conf, key):
            yield f"layer.conf: no {key}"


def check_installed(recipe, listed):
    """What the recipe moves, removes and puts into its package is what meson installs (meson-info/intro-installed.json)."""
    paths = {re.sub(r"^(/usr/local|/usr)/", "", path) for path in json.loads(listed.read_text()).values()}
    unit = value(recipe, "SYSTEMD_SERVICE:[$][{]PN[}]")
    for path in ("bin/kettle", f"lib/systemd/system/{unit}", "share/kettle/releases.json"):
        if path not in paths:
            yield f"{recipe.name}: meson installs no {path}"
    # By FILES of bitbake: programs, shared libraries, man pages, documentation; headers and archives go to -dev.
    known = ("bin/", "lib/", "include/", "share/man/", "share/doc/")
    known += tuple(f"share/{name}" for name in re.findall(r"\$\{datadir\}/(\S+)", value(recipe, "FILES:[$][{]PN[}]") or ""))
    for path in sorted(paths):
        if not path.startswith(known):
            yield f"{recipe.name}: {path} is in no package"


def check(layer, source, installed=None):
    yield from check_layer(layer)
    for path in sorted(layer.rglob("*")):
        if path.suffix == ".bb":
            yield from check_recipe(path, source)
        if path.suffix in (".bb", ".bbappend"):
            yield from check_files(path)
        if path.suffix in (".bb", ".bbappend", ".conf", ".inc"):
            yield from check_words(path)
        if path.suffix in (".cfg", ".scc"):
            yield from check_kernel(path)
        if path.suffix == ".init" and subprocess.run(["sh", "-n", path], capture_output=True).returncode:
            yield f"{path.name}: is no shell script"
    if installed:
        yield from check_installed(next(layer.glob("recipes-core/kettle/kettle_*.bb")), installed)


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    faults = list(check(*(pathlib.Path(word) for word in sys.argv[1:])))
    print("\n".join(faults) or "layer: ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
