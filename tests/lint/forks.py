"""Tables by fork cannot be incomplete: a fork that is begun in one place only does not compile at any of the others.

usage: forks.py ROOT CC
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

root, cc = pathlib.Path(sys.argv[1]), sys.argv[2]

# What begins a fork in a list of forks: file, text, text with one more.
EXECUTION = ("lightclient/evm/evm.h", "    EVM_FORKS,\n", "    EVM_NEXT,\n    EVM_FORKS,\n")
CONSENSUS = ("lightclient/consensus/forks.h", "LC_GLOAS, LC_FORKS", "LC_GLOAS, LC_NEXT, LC_FORKS")

# Tables: file, list of forks that they must follow, text of the last row, that row and one more.
TABLES = [
    ("lightclient/evm/gas.c", EXECUTION, "static const evm_params_t rows[] = {\n",
     "static const evm_params_t rows[] = {\n    [EVM_AMSTERDAM + 1] = { .warm = 100 },\n"),
    ("lightclient/evm/interp.c", EXECUTION, "    static const void *const tables[][512] = {\n",
     "    static const void *const tables[][512] = {\n        [EVM_AMSTERDAM + 1] = { NULL },\n        [EVM_BERLIN] =\n"),
    ("lightclient/evm/precompile/table.c", EXECUTION, "static const uint8_t counts[] = {\n",
     "static const uint8_t counts[] = {\n    [EVM_AMSTERDAM + 1] = 18,\n"),
    ("lightclient/exec/header.c", EXECUTION, "static const uint8_t tails[] = {\n",
     "static const uint8_t tails[] = {\n    [EVM_AMSTERDAM + 1] = 9,\n"),
    ("lightclient/networks.c", EXECUTION, "#define ROWS \\\n",
     '#define ROWS \\\n    { "next", EVM_AMSTERDAM + 1, LC_GLOAS + 1, 0, 0, 0 }, \\\n'),
    ("lightclient/networks.c", CONSENSUS, None, None),
    ("lightclient/consensus/forks.c", CONSENSUS, "static const lc_layout_t layouts[] = {\n",
     'static const lc_layout_t layouts[] = {\n    [LC_GLOAS + 1] = { "next", 0, false, 11, 2856, 735, 2945, 2946, 4 },\n'),
    ("lightclient/consensus/forks.c", CONSENSUS, "#define MAINNET_EPOCHS ", "#define MAINNET_EPOCHS 0, "),
    ("lightclient/consensus/forks.c", CONSENSUS, "#define SEPOLIA_EPOCHS ", "#define SEPOLIA_EPOCHS 0, "),
    ("lightclient/consensus/forks.c", CONSENSUS, "#define HOODI_VERSIONS \\\n", "#define HOODI_VERSIONS { 0, 0, 0, 0 }, \\\n"),
]


def compiles(top, name):
    run = subprocess.run([cc, "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-I", str(top), str(top / name)],
                         capture_output=True, text=True)
    return run.returncode == 0, run.stderr


def refused(top, name):
    """Whether the file does not compile, and that because of a table."""
    ok, text = compiles(top, name)
    return not ok and "static assertion failed" in text.lower()


def change(top, name, old, new):
    text = (root / name).read_text()
    assert text.count(old) == 1, f"{name}: no single {old!r}"
    (top / name).write_text(text.replace(old, new))


def restore(top, name):
    shutil.copy(root / name, top / name)


bad = []
with tempfile.TemporaryDirectory() as folder:
    top = pathlib.Path(folder)
    for part in ("base", "lightclient"):
        for path in (root / part).rglob("*"):
            if path.suffix in (".h", ".c", ".def"):
                (top / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, top / path.relative_to(root))
    for name in sorted({t[0] for t in TABLES}):
        ok, text = compiles(top, name)
        if not ok:
            bad.append(f"{name}: does not compile as it is: {text.splitlines()[0]}")
    for name, forks, old, new in TABLES:
        if old:
            change(top, name, old, new)
            if not refused(top, name):
                bad.append(f"{name}: compiles with a row more than there are forks ({new.strip().splitlines()[-1].strip()})")
            restore(top, name)
        change(top, *forks)
        if not refused(top, name):
            bad.append(f"{name}: compiles with a fork more than it has rows ({forks[0]})")
        restore(top, forks[0])
print("\n".join(bad) or "forks: ok")
sys.exit(1 if bad else 0)
