"""That binary.py finds what it looks for, in a program that is built without any of it. usage: test_binary.py CC"""
import pathlib
import subprocess
import sys
import tempfile

import binary

WEAK = ["-O1", "-no-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-fcf-protection=none",
        "-Wl,-z,norelro", "-Wl,-z,lazy", "-Wl,-z,execstack", "-Wl,-rpath,/nowhere"]  # fmt: skip
WANT = ["not position independent", "relro", "at start", "executable stack", "search path", "stack protector", "landing pads",
        "fortified", "holds the text a folder of mine"]  # fmt: skip

with tempfile.TemporaryDirectory() as folder:
    source, program = pathlib.Path(folder, "weak.c"), pathlib.Path(folder, "weak")
    source.write_text('#include <stdio.h>\nint main(void) { return puts("a folder of mine") < 0; }\n')
    subprocess.run([sys.argv[1], *WEAK, "-o", program, source], check=True)
    found = binary.faults(program.read_bytes(), True, ["a folder of mine", "another"])
    missing = [want for want in WANT if not any(want in what for what in found)]
    cut = binary.faults(b"\x7fELF", False, [])
if missing or len(found) != len(WANT) or len(cut) != 1:
    sys.exit(f"binary.py missed {missing}, found {found}")
print("test_binary: ok")
