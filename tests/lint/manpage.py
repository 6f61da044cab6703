"""Checks the man page against the program: every subcommand of `kettle --help`, and every option of its --help with its argument, stands
in docs/kettle.1, and every option there stands in --help. A line that begins with a full stop is a macro: another one would not be shown.

usage: manpage.py KETTLE MANPAGE
"""
import pathlib
import re
import subprocess
import sys

COMMAND = re.compile(r"^  ([a-z0-9]+)  +\S", re.M)
OPTION = re.compile(r"^  --([a-z0-9-]+)(?: ([A-Z=]+))?(?=  |$)", re.M)
SECTION = re.compile(r"^\.SH OPTIONS OF KETTLE (\w+)\n(.*?)(?=^\.SH)", re.M | re.S)
TAG = re.compile(r"^\.TP\n(.*)$", re.M)
NOT_SHOWN = re.compile(r"^[.'](?!(?:TH|SH|SS|TP|PP|RS|RE|IP|[BI]|[BIR][BIR]|br|sp|nf|fi|EX|EE|UR|UE)(?: |$)|\\\").*$", re.M)
TAGGED = re.compile(r"--([a-z0-9-]+)(?: +([A-Z=]+))?")


def help_of(program, *args):
    return subprocess.run([program, *args], check=True, capture_output=True, text=True).stdout


def plain(roff):
    return re.sub(r'\\f.|"', "", roff.replace("\\-", "-"))


def main(program, page):
    text, bad = page.read_text(), []
    in_page = {name.lower(): set(TAGGED.findall(plain("\n".join(TAG.findall(body))))) for name, body in SECTION.findall(text)}
    bad += [f"{page.name}: is no macro, and not shown: {line}" for line in NOT_SHOWN.findall(text)]
    commands = COMMAND.findall(help_of(program, "--help"))
    if not commands:
        bad.append("kettle --help lists no command")
    for name in commands:
        in_help = set(OPTION.findall(help_of(program, "help", name))) - {("help", "")}
        if f"kettle {name}" not in plain(text):
            bad.append(f"{page.name}: does not name kettle {name}")
        for option, argument in sorted(in_help ^ in_page.get(name, set())):
            where = "only in --help" if (option, argument) in in_help else f"only in {page.name}"
            bad.append(f"kettle {name}: --{option} {argument}".rstrip() + f": {where}")
    bad += [f"{page.name}: options of {name}, which is no command" for name in in_page if name not in commands]
    print("\n".join(bad) or "manpage: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
