#!/usr/bin/env python3
"""Instructions of one call of each program of bench evm, ours and those of evmone's baseline interpreter, counted in one
run by valgrind's callgrind: no load of the machine changes them. Fails where ours are more.
usage: KETTLE_EVMONE=LIBRARY evm_instructions.py BENCH FOLDER (best a release build; FOLDER as for bench evm; LIBRARY is
made by tests/bench/evmone/build)."""
import glob
import math
import os
import re
import subprocess
import sys
import tempfile


def counted(bench, folder):
    """Counts by who and program."""
    counts = {"kettle": {}, "amsterdam": {}, "evmone": {}}
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "out")
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", bench, "evm", folder],
                       check=True, stderr=subprocess.DEVNULL)
        for path in glob.glob(out + ".*"):
            with open(path, encoding="ascii", errors="replace") as f:
                text = f.read()
            name = re.search(r"^desc: Trigger: Client Request: (\w+) (.*)$", text, re.M)
            total = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
            if name and total:
                counts[name[1]][name[2]] = int(total[1])
    return counts


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def main():
    if len(sys.argv) != 3 or "KETTLE_EVMONE" not in os.environ:
        sys.exit(__doc__)
    counts = counted(sys.argv[1], sys.argv[2])
    ours, newer, theirs = counts["kettle"], counts["amsterdam"], counts["evmone"]
    if not ours or set(ours) != set(theirs):
        sys.exit("evm_instructions: not the same programs were counted")
    for name in sorted(ours):
        print(f"  {name:34} {ours[name] / 1e6:10.3f} million instructions, evmone {theirs[name] / 1e6:10.3f}: "
              f"{ours[name] / theirs[name]:.2f} times; by Amsterdam's rules {newer[name] / ours[name]:.3f}")
    ratios = [ours[name] / theirs[name] for name in ours]
    print(f"evm-instructions {sum(ours.values()) / 1e6:.2f} million {mean(ratios):.3f} evmone-baseline")
    more = [name for name in ours if ours[name] > theirs[name]]
    if more:
        sys.exit(f"evm_instructions: more than evmone's: {', '.join(sorted(more))}")


main()
