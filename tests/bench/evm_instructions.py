#!/usr/bin/env python3
"""Instructions of one call of each program of bench evm, counted by valgrind's callgrind: no load of the machine changes
them. usage: evm_instructions.py BENCH FOLDER (best a release build; FOLDER as for bench evm)."""
import glob
import math
import os
import re
import subprocess
import sys
import tempfile

# million instructions of evmone's baseline interpreter (x86-64-v3 build), each with about 0.02 of harness
EVMONE = {
    "blake2b_huff/8415nulls": 6.30, "blake2b_shifts/8415nulls": 59.9, "sha1_divs/5311": 33.2, "sha1_shifts/5311": 17.8,
    "snailtracer/benchmark": 300.4, "structarray_alloc/nfts_rank": 4.74, "swap_math/received": 0.055,
    "weierstrudel/15": 15.6,
}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "out")
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", sys.argv[1], "evm", sys.argv[2]],
                       check=True, stderr=subprocess.DEVNULL)
        counts = {}
        for path in glob.glob(out + ".*"):
            with open(path, encoding="ascii", errors="replace") as f:
                text = f.read()
            name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
            total = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
            if name and total:
                counts[name[1]] = int(total[1])
    ratios = []
    for name, count in sorted(counts.items()):
        line = f"  {name:34} {count / 1e6:10.3f} million instructions"
        if name in EVMONE:
            ratios.append(count / 1e6 / EVMONE[name])
            line += f", evmone {EVMONE[name]:7.3f}: {ratios[-1]:.2f} times"
        print(line)
    if not ratios:
        sys.exit("evm_instructions: nothing counted")
    print(f"evm-instructions {sum(counts.values()) / 1e6:.2f} million "
          f"{math.exp(sum(map(math.log, ratios)) / len(ratios)):.3f} evmone-baseline")


main()
