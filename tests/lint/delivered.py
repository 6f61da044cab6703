"""Checks that what a start of ./run builds, the target `delivered`, is all that `meson install --no-rebuild` installs.

usage: delivered.py BUILD
"""
import json
import pathlib
import re
import subprocess
import sys


def main(build):
    targets = json.loads((build / "meson-info/intro-targets.json").read_text())
    installed = {str(pathlib.Path(name).relative_to(build)) for target in targets if target["installed"] for name in target["filename"]}
    query = subprocess.run(["ninja", "-C", build, "-t", "query", "delivered"], check=True, capture_output=True, text=True).stdout
    built = set(re.findall(r"^    (?:\| |\|\| )?(\S+)$", query.split("outputs:")[0], re.M))
    if "kettle" not in installed or installed - built:
        sys.exit(f"delivered: not built by it: {', '.join(sorted(installed - built))}")
    print(f"delivered: {len(installed)} files")


main(pathlib.Path(sys.argv[1]).resolve())
