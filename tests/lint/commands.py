"""Checks the command lines in documents: each command of kettle and ./run exists, and knows each option that a line gives it.

usage: commands.py ROOT KETTLE
Lines that can run as they stand are run besides (tests/docs, tests/firsthour); this holds for those with gaps for the reader, too.
"""
import pathlib
import re
import shlex
import subprocess
import sys

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "sdk/README.md", "meta-dstack-patch/README.md", "docs/*.md")
BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```$|((?:^    [^\n]*\n)+)", re.M | re.S)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PROGRAM = re.compile(r"(?:^|[|;&(]|\s)(?:build/)?(kettle|\./run)((?: +[^\s|;&>()#]+)*)")
OPTION = re.compile(r"--?[a-z][a-z-]*")


def lines(text):
    """The command lines of one document, with those that go on joined."""
    for block in BLOCK.finditer(text):
        yield from (block[1] or block[2]).replace("\\\n", " ").splitlines()
    yield from (found[1] for found in INLINE.finditer(BLOCK.sub("", text)))


def said(*command):
    run = subprocess.run(command, capture_output=True, text=True)
    return run.stdout + run.stderr


class Known:
    """What the programs say of their commands and options."""

    def __init__(self, root, kettle):
        self.kettle = kettle
        self.commands = set(re.findall(r"^  ([a-z][a-z0-9]*)  ", said(kettle, "--help"), re.M)) | {"help"}
        self.help = {"./run": said(root / "run", "--help") + " --help"}

    def options(self, command):
        if command not in self.help:
            self.help[command] = said(self.kettle, "help", command) + " --help"
        return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", self.help[command]))


def words(text):
    try:
        return shlex.split(text)
    except ValueError:  # an apostrophe of the reader's text
        return text.split()


def faults(line, known):
    for program, rest in PROGRAM.findall(line):
        given = words(rest)
        if program == "kettle":
            if not given or not re.fullmatch(r"[a-z][a-z0-9]*", given[0]):
                continue  # the program's name, as `kettle --help`, or a form like `kettle CMD`
            if given[0] not in known.commands:
                yield f"no command: kettle {given[0]}"
                continue
        command = "./run" if program == "./run" else given[0]
        for option in (word for word in given if OPTION.fullmatch(word.split("=")[0].strip("[](){}"))):
            name = option.split("=")[0].strip("[](){}")
            if name not in known.options(command):
                yield f"{command} has no option {name}"


def main(root, kettle):
    known, bad, seen = Known(root, kettle), [], 0
    if len(known.commands) < 8 or "--network" not in known.options("./run") or "--policy" not in known.options("verify"):
        sys.exit("commands: the programs' --help does not read as it used to")
    for wrong in ("kettle frobnicate FILE", "kettle verify --frobnicate URL", "./run --frobnicate"):
        if not list(faults(wrong, known)):
            sys.exit(f"commands: {wrong}: passes, and must not")
    for pattern in DOCUMENTS:
        for path in sorted(root.glob(pattern)):
            for line in lines(path.read_text()):
                seen += len(PROGRAM.findall(line))
                bad += [f"{path.relative_to(root)}: {fault}: {line.strip()[:100]}" for fault in faults(line, known)]
    if seen < 60:
        sys.exit(f"commands: only {seen} command lines were found")
    if bad:
        sys.exit("\n".join(bad))
    print(f"commands: {seen} command lines, each known to its program")


main(pathlib.Path(sys.argv[1]), sys.argv[2])
