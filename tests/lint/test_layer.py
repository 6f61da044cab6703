#!/usr/bin/env python3
"""The layer's lint finds each fault that it is for; each is made in a copy of the layer.

usage: test_layer.py ROOT INSTALLED     INSTALLED: meson-info/intro-installed.json of a build
"""
import importlib.util
import pathlib
import shutil
import sys
import tempfile

RECIPE = "recipes-core/kettle/kettle_0.1.0.bb"
# file, what is replaced, by what ("": the file is removed), what the lint says
FAULTS = [
    (RECIPE, 'KSRC = "', 'UNPACKDIR ??= "${WORKDIR}"\nKSRC = "', "UNPACKDIR"),
    (RECIPE, "md5=3b83", "md5=4b83", "md5 of LICENSE is another"),
    (RECIPE, "file://LICENSE", "file://LICENCE", "there is no LICENCE"),
    (RECIPE, "file://kettle.json", "file://kettle.yaml", "there is no kettle.yaml"),
    (RECIPE, "RDEPENDS:${PN} =", "RDEPENDS_remove =", "before honister"),
    ("recipes-core/kettle/files/kettle.init", None, "", "there is no kettle.init"),
    ("recipes-core/kettle/files/kettle.init", "esac", "", "is no shell script"),
    ("recipes-support/wslay/wslay_1.1.1.bb", 'SRCREV = "c9', 'SRCREV = "master', "SRCREV is no commit"),
    ("recipes-kernel/linux/files/kettle.cfg", None, "", "there is no kettle.cfg"),
    ("recipes-kernel/linux/files/kettle.cfg", "CONFIG_INET=y", "CONFIG_INET=yes", "no line of a kernel configuration"),
    (RECIPE, " ${datadir}/kettle", "", "share/kettle/releases.json is in no package"),
    (RECIPE, '"kettle.service"', '"kettled.service"', "meson installs no lib/systemd/system/kettled.service"),
    ("conf/layer.conf", '"scarthgap wrynose"', '"scarthgap"', "LAYERSERIES_COMPAT_kettle"),
]


def main(root, installed):
    lint_py = root / "meta-dstack-patch/scripts/lint.py"
    spec = importlib.util.spec_from_file_location("lint", lint_py)
    lint = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(lint)
    bad = [f"the layer as it is: {fault}" for fault in lint.check(root / "meta-dstack-patch/layer", root, installed)]
    for name, old, new, said in FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            layer = pathlib.Path(folder) / "layer"
            shutil.copytree(root / "meta-dstack-patch/layer", layer)
            path = layer / name
            if old is None:
                path.unlink()
            elif old not in path.read_text():
                bad.append(f"{name}: has no {old}")
            else:
                path.write_text(path.read_text().replace(old, new, 1))
            if not any(said in fault for fault in lint.check(layer, root, installed)):
                bad.append(f"not found: {name}: {said}")
    print("\n".join(bad) or f"layer: ok; {len(FAULTS)} faults found")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*(pathlib.Path(word) for word in sys.argv[1:])))
