"""Checks the bill of materials that the build writes (tools/sbom.py): its form, that it names the program's own bytes and every library
that the program says it loads, and that the licence of what is compiled in lies beside its source.

usage: sbom.py BILL PROGRAM ROOT
"""
import hashlib
import json
import pathlib
import re
import subprocess
import sys

bill = json.loads(pathlib.Path(sys.argv[1]).read_text())
program, root = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
sys.path.insert(0, str(root / "tools"))
import sbom  # noqa: E402  # pylint: disable=wrong-import-position

faults = []


def check(holds, what):
    if not holds:
        faults.append(what)


components = bill["components"]
refs = [c["bom-ref"] for c in components]
needed = re.findall(r"\(NEEDED\).*\[(.+)\]", subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout)
check((bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5"), "is no CycloneDX 1.5")
check(bill["metadata"]["component"]["hashes"][0]["content"] == hashlib.sha256(program.read_bytes()).hexdigest(), "is of another program")
check(len(needed) > 5, "the program loads next to nothing")
check(len(set(refs)) == len(refs), "two components have one name")
check(bill["dependencies"] == [{"ref": "kettle", "dependsOn": refs}], "the program does not depend on just these")
for name in needed:
    check(name.startswith("ld-linux") or any(c["name"] == name for c in components), f"does not name {name}")
for c in components:
    check({"type", "name", "bom-ref"} <= set(c) and re.fullmatch("[0-9a-f]{64}", c["hashes"][0]["content"]), f"{c['name']} is not whole")
for name, folder, _, licence in sbom.BUNDLED:
    if not (root / folder).is_dir():
        continue
    check(any(c["name"] == name and c["licenses"][0]["license"]["id"] == licence for c in components), f"does not name {name}")
    text = (root / folder / "LICENSE").read_text()
    check("Apache License" in text and "Version 2.0" in text, f"{folder}/LICENSE is not what {licence} says")
for what in faults:
    print(f"{sys.argv[1]}: {what}")
sys.exit(bool(faults))
