#!/usr/bin/env python3
"""Checks the signed statements of a Kettle node. Standard library only; one file.

A statement is EIP-712 typed data with a 65-byte signature: what a call returned, what a block, an account or a storage slot is, which
checkpoint stands. The key that signs is vouched for by a quote that its holder checked once; from then on verify_statement is enough:

    from kettle_verify import verify_statement
    said = verify_statement(answer, signer="0x…", chain_id=1, max_age=120, request={"to": "0x…", "data": "0x18160ddd"})["message"]

It asks nobody and keeps nothing: the time is the caller's, what to accept is the caller's. Whatever is not exactly as demanded raises a
KettleError with a stable `code`. Beside it, kettle-verify.mjs is the same in JavaScript, with the same codes and the same known answers.

    python3 kettle_verify.py FILE --signer 0x… --chain-id 1 --max-age 120 --request '{"to":"0x…","data":"0x…"}'
"""
import argparse
import functools
import json
import re
import sys
import time

_AT = [("at", "Block")]
_SEAL = [("issuedAt", "uint64"), ("validUntil", "uint64"), ("setup", "bytes32")]
_MEMBERS = {
    "CallStatement": _AT + [("call", "Call"), ("status", "uint8"), ("result", "bytes")] + _SEAL,
    "BlockStatement": _AT + _SEAL,
    "AccountStatement": _AT + [("account", "address"), ("nonce", "uint64"), ("balance", "uint256"), ("codeHash", "bytes32"),
                               ("storageRoot", "bytes32")] + _SEAL,
    "StorageStatement": _AT + [("account", "address"), ("slot", "bytes32"), ("value", "bytes32")] + _SEAL,
    "CheckpointStatement": [("slot", "uint64"), ("root", "bytes32"), ("stateRoot", "bytes32")] + _SEAL,
    "LogsStatement": [("to", "Block"), ("fromNumber", "uint64"), ("filterHash", "bytes32"), ("logsHash", "bytes32"), ("count", "uint32"),
                      ("complete", "bool")] + _SEAL,
    "RpcStatement": _AT + [("method", "string"), ("paramsHash", "bytes32"), ("resultHash", "bytes32")] + _SEAL,
    "Block": [("number", "uint64"), ("hash", "bytes32"), ("stateRoot", "bytes32"), ("timestamp", "uint64"), ("slot", "uint64"),
              ("finality", "uint8"), ("signers", "uint16")],
    "Call": [("from", "address"), ("to", "address"), ("value", "uint256"), ("gas", "uint64"), ("data", "bytes"), ("overrides", "bytes32")],
}
_STRUCTS = ("Block", "Call")
_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId)"

CODES = {
    "bad-option": "an option is missing, unknown or not of its form",
    "malformed": "not one plain JSON object: duplicate members, other spellings of a value, or no JSON",
    "unknown-type": "a type of statement that this verifier does not know",
    "unknown-member": "a member that the type does not have",
    "missing-member": "a member of the type is not there",
    "bad-value": "a value of another type, range, length or case than the member's",
    "bad-signature": "not r, s, v with v 27 or 28 and s in the lower half, or no key gives this signature",
    "wrong-signer": "signed by a key that is not accepted, or not by the one the statement names",
    "wrong-domain": "made for another name or version of the protocol",
    "wrong-chain": "about another chain",
    "wrong-setup": "made under another setup",
    "wrong-type": "another type of statement than asked for",
    "wrong-request": "the answer to another request",
    "wrong-result": "the result beside it is not the one that was signed",
    "wrong-block": "about another block",
    "block-too-low": "about a block below the demanded minimum",
    "not-final": "the block's finality is below the demanded one",
    "expired": "its validUntil has passed",
    "too-old": "the block is older than max_age",
    "from-the-future": "the block is more than max_age ahead of the given time",
    "reverted": "the call reverted",
    "halted": "the call ended without a result",
}
"""Every code that a KettleError can have, with its meaning."""


class KettleError(Exception):
    """A refusal. `code` is one of CODES and stays the same between versions; `field` names the member or option, or is "".

    A member's name may be foreign text: it is cut to 80 characters and printed escaped.
    """

    def __init__(self, code, field="", text=None):
        field = re.sub("[^ -~]", lambda c: f"\\u{{{ord(c[0]):x}}}", field)[:80]
        super().__init__(f"{code}{f' ({field})' if field else ''}: {text or CODES[code]}")
        self.code = code
        self.field = field


# ---- keccak-256

_MASK = (1 << 64) - 1


def _round_constants():
    register = 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        yield constant


_ROUNDS = list(_round_constants())


def _rotate(word, by):
    return ((word << by) | (word >> (64 - by))) & _MASK if by else word


def _permute(lanes):
    """keccak-f[1600] on 25 lanes, lane x + 5 y."""
    for constant in _ROUNDS:
        column = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mix = [column[(x + 4) % 5] ^ _rotate(column[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mix[i % 5] for i, lane in enumerate(lanes)]
        x, y, current = 1, 0, lanes[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x + 5 * y] = lanes[x + 5 * y], _rotate(current, (t + 1) * (t + 2) // 2 % 64)
        for row in range(0, 25, 5):
            r = lanes[row:row + 5]
            lanes[row:row + 5] = [r[i] ^ (~r[(i + 1) % 5] & _MASK & r[(i + 2) % 5]) for i in range(5)]
        lanes[0] ^= constant
    return lanes


def keccak256(data):
    """keccak-256 of bytes, as Ethereum uses it (not SHA3-256)."""
    rate = 136
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % rate))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for at in range(0, len(padded), rate):
        for i in range(rate // 8):
            lanes[i] ^= int.from_bytes(padded[at + 8 * i:at + 8 * i + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


# ---- secp256k1: only public values, so time may depend on them

_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
      0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8, 1)


def _double(p):
    """p + p; points are (x / z², y / z³), and z = 0 is the point at infinity."""
    x, y, z = p
    s, m = 4 * x * y * y % _P, 3 * x * x % _P
    nx = (m * m - 2 * s) % _P
    return nx, (m * (s - nx) - 8 * pow(y, 4, _P)) % _P, 2 * y * z % _P


def _add(p, q):
    if not p[2] or not q[2]:
        return p if p[2] else q
    z1, z2 = p[2] * p[2] % _P, q[2] * q[2] % _P
    u1, u2 = p[0] * z2 % _P, q[0] * z1 % _P
    s1, s2 = p[1] * z2 * q[2] % _P, q[1] * z1 * p[2] % _P
    if u1 == u2:
        return _double(p) if s1 == s2 else (1, 1, 0)
    h, r = u2 - u1, s2 - s1
    h2 = h * h % _P
    h3, v = h * h2 % _P, u1 * h2 % _P
    x = (r * r - h3 - 2 * v) % _P
    return x, (r * (v - x) - s1 * h3) % _P, h * p[2] * q[2] % _P


def _double_multiply(u, a, v, b):
    """u a + v b, both scalars bit by bit at once, as (x, y); None at infinity."""
    table = [None, a, b, _add(a, b)]
    total = (1, 1, 0)
    for bit in range(255, -1, -1):
        total = _double(total)
        if (pick := (u >> bit & 1) | (v >> bit & 1) << 1):
            total = _add(total, table[pick])
    if not total[2]:
        return None
    inverse = pow(total[2], -1, _P)
    return total[0] * inverse ** 2 % _P, total[1] * inverse ** 3 % _P


def _height(x, parity):
    """The y of that parity above x, or None."""
    square = (pow(x, 3, _P) + 7) % _P
    y = pow(square, (_P + 1) // 4, _P)
    if x >= _P or y * y % _P != square:
        return None
    return y if y & 1 == parity else _P - y


def _recover(digest, r, s, parity):
    """The point whose key signed the digest, or None."""
    if not (0 < r < _N and 0 < s < _N) or (y := _height(r, parity)) is None:
        return None
    inverse = pow(r, -1, _N)
    return _double_multiply(-int.from_bytes(digest, "big") * inverse % _N, _G, s * inverse % _N, (r, y, 1))


# ---- the form of a statement: each value has exactly one spelling

_HEX = {"address": re.compile("0x[0-9a-f]{40}"), "bytes32": re.compile("0x[0-9a-f]{64}"), "bytes": re.compile("0x(?:[0-9a-f]{2})*")}
_DECIMAL = re.compile("0|[1-9][0-9]{0,77}")
_METHOD = re.compile("[0-9A-Za-z_]{1,64}")
_HIGHEST = {"status": 2, "finality": 2}


def _check_value(kind, value, field):
    if kind == "bool":
        good = value is True  # the one there is says that logs are complete
    elif kind == "string":
        good = isinstance(value, str) and _METHOD.fullmatch(value)
    elif kind in _HEX:
        good = isinstance(value, str) and _HEX[kind].fullmatch(value)
    elif (bits := int(kind[4:])) > 32:
        good = isinstance(value, str) and _DECIMAL.fullmatch(value) and int(value) < 1 << bits
    else:
        good = type(value) is int and 0 <= value <= _HIGHEST.get(field.split(".")[-1], (1 << bits) - 1)
    if not good:
        raise KettleError("bad-value", field, f"not a {kind} as statements spell it")


def _check_names(value, names, field):
    if not isinstance(value, dict):
        raise KettleError("bad-value", field, "not an object")
    for name in value:
        if name not in names:
            raise KettleError("unknown-member", f"{field}.{name}" if field else name)
    for name in names:
        if name not in value:
            raise KettleError("missing-member", f"{field}.{name}" if field else name)


def _check_struct(kind, value, field):
    _check_names(value, [name for name, _ in _MEMBERS[kind]], field)
    for name, member in _MEMBERS[kind]:
        (_check_struct if member in _MEMBERS else _check_value)(member, value[name], f"{field}.{name}")


def _refuse_constant(name):
    raise ValueError(name)


def _float(text):
    number = float(text)
    return int(number) if number.is_integer() else number  # as in JavaScript, where 5e2 is 500


def _plain(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_LETTERS = re.compile("[0-9A-Za-z]+")
_PLAIN_DEPTH = 8


def _plain_json(value, code, field, depth=_PLAIN_DEPTH):
    """The canonical JSON (RFC 8785) of what is made of dicts and lists, at most so many in each other, None, booleans, and texts and names
    of letters and digits."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str) and _LETTERS.fullmatch(value):
        return f'"{value}"'
    if depth and isinstance(value, (list, tuple)):
        return "[" + ",".join(_plain_json(one, code, field, depth - 1) for one in value) + "]"
    if depth and isinstance(value, dict) and all(isinstance(name, str) and _LETTERS.fullmatch(name) for name in value):
        return "{" + ",".join(f'"{name}":{_plain_json(value[name], code, field, depth - 1)}' for name in sorted(value)) + "}"
    raise KettleError(code, field, "must be made of objects, lists, and texts and names of letters and digits")


def _check_form(value):
    _check_names(value, ["type", "domain", "message", "signature", "signer"], "")
    if not isinstance(value["type"], str) or value["type"] not in _MEMBERS or value["type"] in _STRUCTS:
        raise KettleError("unknown-type", "type")
    _check_names(value["domain"], ["name", "version", "chainId"], "domain")
    for name, fixed in (("name", "Kettle"), ("version", "1")):
        if value["domain"][name] != fixed:
            raise KettleError("wrong-domain", f"domain.{name}")
    chain_id = value["domain"]["chainId"]
    if type(chain_id) is not int or not 0 < chain_id < 1 << 53:
        raise KettleError("bad-value", "domain.chainId")
    _check_struct(value["type"], value["message"], "message")
    _check_value("address", value["signer"], "signer")
    if not isinstance(value["signature"], str) or not re.fullmatch("0x[0-9a-f]{130}", value["signature"]):
        raise KettleError("bad-signature", "signature")


def _read_answer(answer):
    """A private copy of a statement whose form is right in every member; and of the result beside it, a list of one, or of none."""
    try:
        text = answer.decode() if isinstance(answer, (bytes, bytearray)) else answer
        if not isinstance(text, str):
            text = _plain(answer)
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_float)
    except (TypeError, ValueError, RecursionError):
        raise KettleError("malformed") from None
    if not isinstance(value, dict):
        raise KettleError("malformed")
    statement, result = value, []
    if "statement" in value:
        _check_names(value, ["statement", "result"], "")
        statement, result = value["statement"], [value["result"]]
        if not isinstance(statement, dict):
            raise KettleError("bad-value", "statement", "not an object")
    _check_form(statement)
    if result and statement["type"] not in _RESULTS:
        raise KettleError("unknown-member", "result")
    for one in result:
        _plain_json(one, "bad-value", "result")
    # No value above holds white space or needs an escape, so what remains must be what a plain writer writes: no member twice, no 1e0.
    if re.sub("[ \t\r\n]", "", text) != _plain(value):
        raise KettleError("malformed")
    return statement, result


def _read(statement):
    return _read_answer(statement)[0]


# ---- EIP-712


def _bytes(text):
    return bytes.fromhex(text[2:])


def _used_structs(kind):
    return [struct for struct in _STRUCTS if any(member == struct for _, member in _MEMBERS[kind])]


def type_string(kind):
    """The EIP-712 type string of a statement or of one of its structs; its keccak-256 is the type hash."""
    if kind not in _MEMBERS:
        raise KettleError("unknown-type", "type")
    return "".join(f"{k}({','.join(f'{member} {name}' for name, member in _MEMBERS[k])})" for k in [kind, *_used_structs(kind)])


@functools.cache
def _text_hash(text):
    return keccak256(text.encode())


def _encode(kind, value):
    if kind in _MEMBERS:
        return _hash_struct(kind, value)
    if kind == "bytes":
        return keccak256(_bytes(value))
    if kind == "string":
        return keccak256(value.encode())
    if kind in _HEX:
        return _bytes(value).rjust(32, b"\0")
    return int(value).to_bytes(32, "big")


def _hash_struct(kind, value):
    return keccak256(_text_hash(type_string(kind)) + b"".join(_encode(member, value[name]) for name, member in _MEMBERS[kind]))


def _digest(statement):
    domain = statement["domain"]
    texts = [_DOMAIN, domain["name"], domain["version"]]
    separator = keccak256(b"".join(_text_hash(text) for text in texts) + domain["chainId"].to_bytes(32, "big"))
    return keccak256(b"\x19\x01" + separator + _hash_struct(statement["type"], statement["message"]))


def _address(point):
    return "0x" + keccak256(b"".join(c.to_bytes(32, "big") for c in point))[12:].hex()


def _signer(statement):
    signature = _bytes(statement["signature"])
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    if v not in (27, 28):
        raise KettleError("bad-signature", "signature", "v is neither 27 nor 28")
    if s > _N // 2:
        raise KettleError("bad-signature", "signature", "s is in the upper half")
    point = _recover(_digest(statement), r, s, v - 27)
    if point is None:
        raise KettleError("bad-signature", "signature", "no key gives this signature")
    return _address(point)


def address_of_key(key):
    """The address of a public key (33 bytes, hex, as `kettle verify` and GET /v1/attest write it), lower case.

    What a quote binds is the key, what a statement shows and `signer` demands is its address. Raises KettleError "bad-option".
    """
    if not isinstance(key, str) or not re.fullmatch("(?:0x)?0[23][0-9a-fA-F]{64}", key):
        raise KettleError("bad-option", "key", "not 33 bytes of hex")
    x = int(key[-64:], 16)
    y = _height(x, int(key[-65]) & 1)
    if y is None:
        raise KettleError("bad-option", "key", "not a public key")
    return _address((x, y))


def statement_digest(statement):
    """The EIP-712 digest that was signed, as hex. Raises KettleError when the form is wrong; the signature is not looked at."""
    return "0x" + _digest(_read(statement)).hex()


def recover_signer(statement):
    """The address (lower case) whose key signed, whoever that is. It proves nothing by itself: use verify_statement."""
    return _signer(_read(statement))


# ---- what the caller demands

_FINALITIES = ("latest", "safe", "finalized")
_ABSENT = object()
_REQUESTS = {  # type of statement: its request's members, with what stands for an absent one
    "CallStatement": {"from": "0x" + "00" * 20, "to": None, "value": 0, "gas": 0, "data": "0x", "overrides": "0x" + "00" * 32},
    "AccountStatement": {"account": None},
    "StorageStatement": {"account": None, "slot": None},
    "LogsStatement": {"fromBlock": None, "address": None, "topics": None},
    "RpcStatement": {"method": None, "params": None},
}
_RESULTS = {"LogsStatement": "logsHash", "RpcStatement": "resultHash"}  # the member with the hash of the result beside it


def _hash_of(text):
    return "0x" + keccak256(text.encode()).hex()


def _asked(kind, request):
    """What a request for logs, or of a method, must have made of the statement's members."""
    if kind == "LogsStatement":
        criteria = {name: request[name] for name in ("address", "topics") if request.get(name) is not None}
        return {"fromNumber": str(_number(request.get("fromBlock"), 64, "request.fromBlock")),
                "filterHash": _hash_of(_plain_json(criteria, "bad-option", "request", _PLAIN_DEPTH + 1))}
    if not isinstance(request.get("method"), str) or not isinstance(request.get("params"), (list, tuple)):
        raise KettleError("bad-option", "request", "not a method and its params")
    return {"method": request["method"], "paramsHash": _hash_of(_plain_json(request["params"], "bad-option", "request.params"))}


def _number(value, bits, option):
    """A whole number as callers write it: int, decimal or 0x hex text."""
    if isinstance(value, str) and re.fullmatch("[0-9]+|0[xX][0-9a-fA-F]+", value):
        value = int(value, 16) if value[:2] in ("0x", "0X") else int(value)
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise KettleError("bad-option", option, f"not a uint{bits}")
    return value


def _hex(kind, value, option):
    """Hex as callers write it, in any case."""
    lower = value.lower() if isinstance(value, str) else ""
    if not _HEX[kind].fullmatch(lower):
        raise KettleError("bad-option", option, f"not {kind}")
    return lower


def _member(kind, value, option):
    return _hex(kind, value, option) if kind in _HEX else str(_number(value, int(kind[4:]), option))


_OVERRIDES = ("blockOverride", "stateOverride")


def _bind_overrides(request):
    """A call's request with the hash of its overrides in their place."""
    rest = {name: value for name, value in request.items() if name not in _OVERRIDES}
    members = []
    for name in _OVERRIDES:
        if request.get(name) is None:
            continue
        if not isinstance(request[name], dict):
            raise KettleError("bad-option", f"request.{name}", "not an object")
        members.append(f'"{name}":{_plain_json(request[name], "bad-option", f"request.{name}")}')
    if not members:
        return rest
    overrides = _hash_of("{" + ",".join(members) + "}")
    if rest.get("overrides") is not None and _hex("bytes32", rest["overrides"], "request.overrides") != overrides:
        raise KettleError("bad-option", "request.overrides", "not the hash of stateOverride and blockOverride")
    return {**rest, "overrides": overrides}


def _check_request(statement, request):
    members = _REQUESTS.get(statement["type"])
    if members is None:
        if request is not _ABSENT and request is not None:
            raise KettleError("wrong-type", "type", "this statement answers no request")
        return
    if request is None:
        return
    if not isinstance(request, dict):
        raise KettleError("bad-option", "request", "what was asked must be given, or None")
    if statement["type"] == "CallStatement":
        request = _bind_overrides(request)
    for name in request:
        if name not in members:
            known = any(name in other for other in _REQUESTS.values())
            raise KettleError("wrong-type" if known else "bad-option", "type" if known else f"request.{name}",
                              "this statement answers another kind of request")
    if statement["type"] in _RESULTS:
        for name, wanted in _asked(statement["type"], request).items():
            if wanted != statement["message"][name]:
                raise KettleError("wrong-request", f"message.{name}")
        return
    kind, said = ("Call", statement["message"]["call"]) if statement["type"] == "CallStatement" else (statement["type"], statement["message"])
    for name, default in members.items():
        wanted = default if request.get(name) is None else request[name]
        if wanted is None:
            raise KettleError("bad-option", f"request.{name}", "is missing")
        if _member(dict(_MEMBERS[kind])[name], wanted, f"request.{name}") != said[name]:
            raise KettleError("wrong-request", name)


def _check_result(statement, result):
    message = statement["message"]
    for one in result:
        if _hash_of(_plain_json(one, "bad-value", "result")) != message[_RESULTS[statement["type"]]]:
            raise KettleError("wrong-result", "result")
        if statement["type"] == "LogsStatement" and (not isinstance(one, list) or len(one) != message["count"]):
            raise KettleError("wrong-result", "result")


def _block_of(message):
    """The name of the member with the block of a message, and the block; None: there is none."""
    return ("at", message["at"]) if "at" in message else ("to", message.get("to"))


def _check_block(message, block, min_block, min_finality):
    member, at = _block_of(message)
    if at is None:
        for name, value in (("block", block), ("min_block", min_block), ("min_finality", min_finality)):
            if value is not None:
                raise KettleError("bad-option", name, "a checkpoint names no block")
        return
    if isinstance(block, str) and len(block) == 66:
        if _hex("bytes32", block, "block") != at["hash"]:
            raise KettleError("wrong-block", f"message.{member}.hash")
    elif block is not None and _number(block, 64, "block") != int(at["number"]):
        raise KettleError("wrong-block", f"message.{member}.number")
    if min_block is not None and int(at["number"]) < _number(min_block, 64, "min_block"):
        raise KettleError("block-too-low", f"message.{member}.number")
    if min_finality is not None:
        if min_finality not in _FINALITIES:
            raise KettleError("bad-option", "min_finality", f"not one of {', '.join(_FINALITIES)}")
        if at["finality"] < _FINALITIES.index(min_finality):
            raise KettleError("not-final", f"message.{member}.finality")


def _check_time(message, max_age, block, now):
    now = _number(int(time.time()) if now is None else now, 64, "now")
    member, at = _block_of(message)
    if max_age is _ABSENT and (block is None or at is None):
        raise KettleError("bad-option", "max_age", "say how old the block may be (None: any age), or which block it must be")
    if now > int(message["validUntil"]):
        raise KettleError("expired", "message.validUntil")
    if max_age is _ABSENT or max_age is None:
        return
    allowed = _number(max_age, 64, "max_age")
    field, stamp = (f"message.{member}.timestamp", at["timestamp"]) if at else ("message.issuedAt", message["issuedAt"])
    if now - int(stamp) > allowed:
        raise KettleError("too-old", field)
    if int(stamp) - now > allowed:
        raise KettleError("from-the-future", field)


def verify_statement(statement, *, chain_id, signer=None, signers=None, setup=None, type=None, request=_ABSENT, max_age=_ABSENT,
                     block=None, min_block=None, min_finality=None, allow_revert=False, now=None):
    """Checks one statement against what the caller demands, and returns {type, chainId, signer, digest, message, result?}, a copy of it.

    statement     what the node answered: JSON as str or bytes (then also checked for members given twice), or parsed; of logs and
                  receipts the whole answer {statement, result}, whose result must be the one that was signed, or the statement alone
    chain_id      the chain that the statement must be about
    signer        the address whose signature is accepted (from the quote that you checked once); or signers, a list of them
    setup         the setup (32 bytes, hex) under which it must have been made; None: any
    type          the type that it must be, for example "BlockStatement"; None: any
    request       what was asked: {to, data?, from?, value?, gas?, stateOverride?, blockOverride?, overrides?} of a call (overrides: the
                  hash of the two before it, in their place or beside them), {account} or {account, slot}, {fromBlock, address?,
                  topics?} of logs, {method, params}; required for these five types; None accepts the answer to any request
    max_age       seconds that the block (of a checkpoint: issuedAt) may lie from `now`, both ways: 120 suits latest, 1500 finalized.
                  Required unless `block` is given; None accepts any age
    block         the block's number, or its hash (66 characters)
    min_block     the lowest block number accepted: the highest one that you saw
    min_finality  "latest", "safe" or "finalized": the least finality of the block
    allow_revert  accept a call that reverted (status 0, result = revert data) or halted (status 2) too
    now           the caller's time in seconds since 1970; this machine's clock when None
    Raises KettleError with a code of CODES.
    """
    if (signer is None) == (signers is None):
        raise KettleError("bad-option", "signer", "give signer or signers")
    if not isinstance(allow_revert, bool):
        raise KettleError("bad-option", "allow_revert", "not true or false")
    if signers is not None and (not isinstance(signers, (list, tuple)) or not signers):
        raise KettleError("bad-option", "signers", "not a list of addresses")
    accepted = [_hex("address", address, "signer") for address in (signers or [signer])]
    chain_id = _number(chain_id, 256, "chain_id")
    setup = None if setup is None else _hex("bytes32", setup, "setup")
    read, result = _read_answer(statement)
    message = read["message"]
    if type is not None and type != read["type"]:
        raise KettleError("wrong-type", "type")
    if read["domain"]["chainId"] != chain_id:
        raise KettleError("wrong-chain", "domain.chainId")
    signed_by = _signer(read)
    if signed_by != read["signer"] or signed_by not in accepted:
        raise KettleError("wrong-signer", "signer")
    if setup is not None and setup != message["setup"]:
        raise KettleError("wrong-setup", "message.setup")
    _check_request(read, request)
    _check_result(read, result)
    _check_block(message, block, min_block, min_finality)
    _check_time(message, max_age, block, now)
    if not allow_revert and message.get("status") in (0, 2):
        raise KettleError("halted" if message["status"] else "reverted", "message.status")
    said = {"type": read["type"], "chainId": chain_id, "signer": signed_by, "digest": "0x" + _digest(read).hex(), "message": message}
    return {**said, "result": result[0]} if result else said


def _arguments(argv):
    parser = argparse.ArgumentParser(description="Checks one signed statement of a Kettle node and prints what it says.",
                                     epilog="Exit status: 0 it holds, 1 it does not hold, 2 usage, 3 the file cannot be read.")
    parser.add_argument("file", metavar="FILE", help="the statement as the node answered it; - reads standard input")
    parser.add_argument("--signer", action="append", required=True, dest="signers", metavar="ADDRESS", help="accepted signer; may be repeated")
    parser.add_argument("--chain-id", required=True, metavar="N", help="the chain that it must be about")
    parser.add_argument("--setup", metavar="HEX", help="the setup under which it must have been made")
    parser.add_argument("--type", metavar="NAME", help="the type that it must be, for example BlockStatement")
    parser.add_argument("--request", metavar="JSON", help='what was asked: {"to":…,"data":…}, {"account":…}; "any" accepts any')
    parser.add_argument("--max-age", metavar="SECONDS", help='how old the block may be; "any" accepts any age')
    parser.add_argument("--block", metavar="N|HASH", help="which block it must be")
    parser.add_argument("--min-block", metavar="N", help="the lowest block number accepted")
    parser.add_argument("--min-finality", choices=_FINALITIES, help="the least finality of the block")
    parser.add_argument("--allow-revert", action="store_true", help="accept calls that reverted or halted")
    parser.add_argument("--now", metavar="SECONDS", help="the time to check against, instead of this machine's clock")
    return vars(parser.parse_args(argv))


def main(argv=None):
    """The command line; returns the exit status."""
    options = {name: value for name, value in _arguments(argv).items() if value is not None}
    file = options.pop("file")
    for name in ("request", "max_age"):
        if options.get(name) == "any":
            options[name] = None
    try:
        if options.get("request") is not None:
            options["request"] = json.loads(options["request"])
        with open(0 if file == "-" else file, "rb") as stream:
            statement = stream.read()
        print(json.dumps(verify_statement(statement, **options), indent=2))
    except OSError as error:
        print(f"kettle_verify: {error}", file=sys.stderr)
        return 3
    except ValueError:
        print("kettle_verify: --request is not JSON", file=sys.stderr)
        return 2
    except KettleError as error:
        print(f"kettle_verify: {error}", file=sys.stderr)
        return 2 if error.code == "bad-option" else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
