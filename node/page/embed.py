"""Writes the page and the verifier that it loads as arrays of C, with the page's Content-Security-Policy: its own style and
script by their hashes, the verifier by its origin, and nothing else.

usage: embed.py PAGE MODULE OUT
"""
import base64
import hashlib
import pathlib
import re
import sys


def array(name, data):
    rows = [",".join(str(b) for b in data[i:i + 32]) for i in range(0, len(data), 32)]
    return f"const unsigned char {name}[] = {{\n" + ",\n".join(rows) + f"\n}};\nconst size_t {name}_LEN = {len(data)};\n"


def hashes(page, tag):
    found = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.S)
    assert len(found) == 1, f"the page has {len(found)} of <{tag}>"
    return "'sha256-" + base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode() + "'"


def main(page, module, out):
    text = pathlib.Path(page).read_text(encoding="utf-8")
    policy = "; ".join([
        "default-src 'none'", f"script-src 'self' {hashes(text, 'script')}", f"style-src {hashes(text, 'style')}",
        "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'"])
    pathlib.Path(out).write_text(
        '#include "node/page.h"\n\n' + array("PAGE_HTML", text.encode()) + array("PAGE_MODULE", pathlib.Path(module).read_bytes()) +
        f'const char PAGE_POLICY[] = "{policy}";\n', encoding="utf-8")


main(*sys.argv[1:])
