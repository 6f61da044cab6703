"""The test of headers.py itself: each kind of violation planted in a temporary folder is found, and a sound one has none.

usage: test_headers.py ROOT CC...
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "tests" / "lint"))
import headers  # noqa: E402

NEEDS = "/* a.h - needs what it does not include. */\nextern uint8_t a;\n"
ALONE = "does not compile alone"
CASES = [  # what, files of base/, those of them that the build compiles, what must be said (nothing: "")
    ("a sound header with its file", {"a.h": "/* a.h - one. */\n#include <stdint.h>\n/* Adds. */\nint f(int a);\n", "a.c": '#include "base/a.h"\n'},
     ["a.c"], ""),
    ("without a file", {"a.h": NEEDS}, [], ALONE),
    ("whose file includes another first", {"a.h": NEEDS, "a.c": '#include <stdint.h>\n#include "base/a.h"\n'}, ["a.c"], ALONE),
    ("whose file defines something first", {"a.h": NEEDS, "a.c": '/* a.c */\n#define uint8_t int\n#include "base/a.h"\n'}, ["a.c"], ALONE),
    ("whose file is in no build", {"a.h": NEEDS, "a.c": '#include "base/a.h"\n'}, [], ALONE),
    ("that needs _GNU_SOURCE", {"a.h": "/* a.h - one. */\n#include <string.h>\nstatic inline int f(void) { return basename(\"\") == 0; }\n"
                                       "#ifndef _GNU_SOURCE\n#error\n#endif\n",
                                "b.h": "/* b.h - two. */\n", "a.c": '#include "base/a.h"\n', "b.c": '#include "base/b.h"\n'}, ["a.c", "b.c"],
     "without _GNU_SOURCE"),
    ("without its purpose", {"a.h": "int a;\n"}, [], "does not begin with"),
    ("with a prototype that says nothing", {"a.h": "/* a.h - one. */\n\nint f(int a);\n"}, [], "prototype without a comment"),
]


def main():
    bad = []
    for what, files, built, said in CASES:
        with tempfile.TemporaryDirectory() as folder:
            base = pathlib.Path(folder).resolve() / "base"
            base.mkdir()
            for name, text in files.items():
                (base / name).write_text(text)
            found = headers.check(base.parent, {str(base / b) for b in built}, sys.argv[2:])
        if bool(found) != bool(said) or not all(said in f for f in found):
            bad.append(f"a header {what}: found {found}")
    print("\n".join(bad) or f"test_headers: {len(CASES)} cases")
    return 1 if bad else 0


sys.exit(main())
