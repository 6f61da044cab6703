"""The Python verifier against sdk/vectors.json: what it accepts, each refusal with its code, every byte altered, the command line.

usage: test_python.py        closes on "N passed, N failed"
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sdk/python"))
sys.dont_write_bytecode = True
import kettle_verify as kv  # noqa: E402

VECTORS = json.loads((ROOT / "sdk/vectors.json").read_text())
PROGRAM = ROOT / "sdk/python/kettle_verify.py"
COUNT = {"passed": 0, "failed": 0}


def test(sentence):
    """Runs the decorated function at once and counts it under that sentence."""
    def run(function):
        try:
            function()
            COUNT["passed"] += 1
        except Exception:  # a test may fail in any way
            COUNT["failed"] += 1
            print(f"FAILED: python: {sentence}\n{traceback.format_exc()}")
    return run


def snake(options):
    return {re.sub("[A-Z]", lambda c: "_" + c[0].lower(), name): value for name, value in options.items()}


def refusal(statement, options):
    try:
        kv.verify_statement(statement, **options)
    except kv.KettleError as error:
        return error.code
    return "accepted"


def equal(a, b):
    assert a == b, f"{a!r} is not {b!r}"


def flips(kind, value):
    """Every value that differs in one byte, and for bytes in the length."""
    if kind.startswith("uint"):
        for byte in range(int(kind[4:]) // 8):
            flipped = int(value) ^ 1 << 8 * byte
            yield flipped if isinstance(value, int) else str(flipped)
        return
    if kind == "bool":
        yield not value
    if kind == "string":
        yield from (value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1:] for at in range(len(value)))
    if kind in ("bool", "string"):
        return
    raw = bytes.fromhex(value[2:])
    for at in range(len(raw)):
        yield "0x" + (raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]).hex()
    if kind == "bytes":
        yield value + "00"
        if raw:
            yield value[:-2]


def leaves(kind, value, path):
    for name, member in kv._MEMBERS[kind]:
        if member in kv._MEMBERS:
            yield from leaves(member, value[name], path + [name])
        else:
            yield member, path + [name]


def mutations(statement):
    places = [*leaves(statement["type"], statement["message"], ["message"]), ("uint48", ["domain", "chainId"]), ("signature", ["signature"]),
              ("address", ["signer"])]
    for kind, path in places:
        value = statement
        for name in path:
            value = value[name]
        for flipped in flips(kind, value):
            altered = copy.deepcopy(statement)
            inner = altered
            for name in path[:-1]:
                inner = inner[name]
            inner[path[-1]] = flipped
            yield path, altered


def command(*arguments, text=None):
    done = subprocess.run([sys.executable, PROGRAM, *arguments], input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def known_hashes():
    for text, digest in ((b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
                         (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
                         (b"a" * 135, "34367dc248bbd832f4e3e69dfaac2f92638bd0bbd18f2912ba4ef454919cf446"),
                         (b"a" * 136, "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e"),
                         (b"a" * 137, "d869f639c7046b4929fc92a4d988a8b22c55fbadb802c0c66ebcd484f1915f39")):
        test(f"keccak-256 of {len(text)} bytes")(lambda text=text, digest=digest: equal(kv.keccak256(text).hex(), digest))
    for kind, digest in VECTORS["typeHashes"].items():
        test(f"the type hash of {kind}")(lambda kind=kind, digest=digest: equal("0x" + kv.keccak256(kv.type_string(kind).encode()).hex(), digest))


def accepted(vector):
    answer, options = vector["statement"], snake(vector["options"])
    statement = answer.get("statement", answer)
    for form in (answer, json.dumps(answer), json.dumps(answer, indent=1).encode()):
        said = kv.verify_statement(form, **options)
        equal(said.pop("result", None), answer.get("result"))
        equal(said, {"type": statement["type"], "chainId": statement["domain"]["chainId"], "signer": statement["signer"],
                     "digest": vector["digest"], "message": statement["message"]})
    equal(kv.statement_digest(statement), vector["digest"])
    equal(kv.recover_signer(statement), statement["signer"])


def refused(vector):
    statement = vector.get("text", vector.get("statement"))
    options = snake(vector["options"])
    if "chain_id" not in options:
        options["chain_id"] = None
    equal(refusal(statement, options), vector["code"])


def addresses():
    key, address = VECTORS["publicKey"], VECTORS["accepted"][0]["statement"]["signer"]
    equal(kv.address_of_key(key), address)
    equal(kv.address_of_key(key[2:].upper()), address)
    for bad in (None, "", key[:-2], key + "00", "0x04" + key[4:], "0x02" + "00" * 31 + "05", "0x02" + "ff" * 32):
        try:
            kv.address_of_key(bad)
        except kv.KettleError as error:
            equal(error.code, "bad-option")
        else:
            raise AssertionError(f"{bad} was taken for a key")


def every_byte():
    count = 0
    for vector in VECTORS["accepted"][:7]:
        for path, altered in mutations(vector["statement"]):
            any_ = {"signer": vector["options"]["signer"], "chain_id": altered["domain"]["chainId"], "request": None, "max_age": None,
                    "allow_revert": True, "now": 0}
            code = refusal(altered, any_)
            assert code in ("wrong-signer", "bad-signature", "bad-value"), f"{path}: {code}"
            count += 1
    print(f"python: {count} statements with one byte altered: all refused")


def command_line():
    vector = VECTORS["accepted"][0]
    options = vector["options"]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "statement.json"
        file.write_text(json.dumps(vector["statement"]))
        demand = ["--signer", options["signer"], "--chain-id", "1", "--setup", options["setup"], "--now", str(options["now"])]
        asked = ["--request", json.dumps(options["request"]), "--max-age", "120"]
        code, out, _ = command(file, *demand, *asked)
        equal((code, json.loads(out)["digest"]), (0, vector["digest"]))
        code, out, _ = command("-", *demand, "--request", "any", "--max-age", "any", text=file.read_text())
        equal((code, json.loads(out)["message"]), (0, vector["statement"]["message"]))
        for status, start, arguments in ((1, "kettle_verify: too-old", [file, *demand, *asked, "--now", "1743500121"]),
                                         (1, "kettle_verify: wrong-request", [file, *demand, "--max-age", "120", "--request", '{"to":"0x' + "00" * 20 + '"}']),
                                         (2, "kettle_verify: bad-option (max_age)", [file, *demand, "--request", "any"]),
                                         (2, "kettle_verify: --request is not JSON", [file, *demand, "--max-age", "120", "--request", "{"]),
                                         (2, "usage: ", [file]),
                                         (3, "kettle_verify: ", [file.with_name("none"), *demand, *asked])):
            code, out, err = command(*arguments)
            equal((code, out, err[:len(start)]), (status, "", start))
        file.write_text(json.dumps({**vector["statement"], "\x1b[2Jall holds\n": 1}))
        equal(command(file, *demand, *asked)[2], "kettle_verify: unknown-member (\\u{1b}[2Jall holds\\u{a}): a member that the type does not have\n")


def main():
    known_hashes()
    for vector in VECTORS["accepted"]:
        test(f"accepted: {vector['name']}")(lambda vector=vector: accepted(vector))
    for vector in VECTORS["refused"]:
        test(f"refused as {vector['code']}: {vector['name']}")(lambda vector=vector: refused(vector))
    test("the address of a public key; what is none is refused")(addresses)
    test("every byte of every statement, altered, is refused")(every_byte)
    first = VECTORS["accepted"][0]
    test("this machine's clock counts when no time is given")(
        lambda: equal(refusal(first["statement"], {**snake(first["options"]), "now": None}), "expired"))
    for value in (b"\xff", float("nan"), {"a": {1}}, "[" * 100000, "NaN", 7, None):
        test(f"what cannot be JSON is refused: {str(value)[:20]}")(
            lambda value=value: equal(refusal(value, snake(first["options"])), "malformed"))
    test("the codes are those of the vectors")(lambda: equal(set(kv.CODES), {vector["code"] for vector in VECTORS["refused"]}))
    test("the command line says what holds, what does not, and what is wrong with its usage")(command_line)
    print(f"{COUNT['passed']} passed, {COUNT['failed']} failed")
    return 1 if COUNT["failed"] or not COUNT["passed"] else 0


sys.exit(main())
