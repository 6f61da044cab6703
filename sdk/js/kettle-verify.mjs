/**
 * kettle-verify.mjs - checks the signed statements of a Kettle node, in a browser or Node.js 20, without any installation.
 *
 * A statement is EIP-712 typed data with a 65-byte signature: what a call returned, what a block, an account or a storage slot is,
 * which checkpoint stands. The key that signs is vouched for by a quote that its holder checked once; from then on verifyStatement is enough.
 *
 *   import { verifyStatement } from "./kettle-verify.mjs";
 *   const { message } = verifyStatement(await answer.text(), { signer, chainId: 1, maxAge: 120, request: { to, data } });
 *
 * It asks nobody and keeps nothing: the time is the caller's, what to accept is the caller's. Whatever is not exactly as demanded is
 * a KettleError with a stable `code`. This file is built from src/ by build.mjs; the vendored primitives stand below with their licences.
 */

const { expand, keccak256, recover } = vendoredPrimitives();

const AT = ["at", "Block"];
const SEAL = [
  ["issuedAt", "uint64"],
  ["validUntil", "uint64"],
  ["setup", "bytes32"],
];
const MEMBERS = {
  CallStatement: [AT, ["call", "Call"], ["status", "uint8"], ["result", "bytes"], ...SEAL],
  BlockStatement: [AT, ...SEAL],
  AccountStatement: [
    AT,
    ["account", "address"],
    ["nonce", "uint64"],
    ["balance", "uint256"],
    ["codeHash", "bytes32"],
    ["storageRoot", "bytes32"],
    ...SEAL,
  ],
  StorageStatement: [AT, ["account", "address"], ["slot", "bytes32"], ["value", "bytes32"], ...SEAL],
  CheckpointStatement: [["slot", "uint64"], ["root", "bytes32"], ["stateRoot", "bytes32"], ...SEAL],
  Block: [
    ["number", "uint64"],
    ["hash", "bytes32"],
    ["stateRoot", "bytes32"],
    ["timestamp", "uint64"],
    ["slot", "uint64"],
    ["finality", "uint8"],
    ["signers", "uint16"],
  ],
  Call: [
    ["from", "address"],
    ["to", "address"],
    ["value", "uint256"],
    ["gas", "uint64"],
    ["data", "bytes"],
    ["overrides", "bytes32"],
  ],
};
const STRUCTS = ["Block", "Call"];
const STATEMENTS = Object.keys(MEMBERS).filter((name) => !STRUCTS.includes(name));
const DOMAIN = "EIP712Domain(string name,string version,uint256 chainId)";
const ZERO32 = "0x" + "00".repeat(32);
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * Every code that a KettleError can have, with its meaning.
 * `malformed` and the others of that group blame the statement's form, `bad-option` the caller, the rest say what does not hold.
 */
export const CODES = Object.freeze({
  "bad-option": "an option is missing, unknown or not of its form",
  malformed: "not one plain JSON object: duplicate members, other spellings of a value, or no JSON",
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
  "wrong-block": "about another block",
  "block-too-low": "about a block below the demanded minimum",
  "not-final": "the block's finality is below the demanded one",
  expired: "its validUntil has passed",
  "too-old": "the block is older than maxAge",
  "from-the-future": "the block is more than maxAge ahead of the given time",
  reverted: "the call reverted",
  halted: "the call ended without a result",
});

/**
 * A refusal. `code` is one of CODES and stays the same between versions; `field` names the member or option concerned, or is "".
 * A member's name may be foreign text: it is cut to 80 characters and written escaped.
 */
export class KettleError extends Error {
  constructor(code, foreign, text) {
    const field = foreign.replace(/[^ -~]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`).slice(0, 80);
    super(`${code}${field && ` (${field})`}: ${text ?? CODES[code]}`);
    this.name = "KettleError";
    this.code = code;
    this.field = field;
  }
}

const refuse = (code, field = "", text = undefined) => {
  throw new KettleError(code, field, text);
};
const own = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

// ---- the form of a statement: each value has exactly one spelling

const HEX = { address: /^0x[0-9a-f]{40}$/, bytes32: /^0x[0-9a-f]{64}$/, bytes: /^0x(?:[0-9a-f]{2})*$/ };
const DECIMAL = /^(?:0|[1-9][0-9]{0,77})$/;
const HIGHEST = { status: 2, finality: 2 };

function checkValue(type, value, field) {
  const bits = Number(/^uint(\d+)$/.exec(type)?.[1]);
  let good;
  if (HEX[type]) good = typeof value === "string" && HEX[type].test(value);
  else if (bits > 32) good = typeof value === "string" && DECIMAL.test(value) && BigInt(value) < 1n << BigInt(bits);
  else good = Number.isInteger(value) && value >= 0 && value <= (HIGHEST[field.split(".").pop()] ?? 2 ** bits - 1);
  if (!good) refuse("bad-value", field, `not a ${type} as statements spell it`);
}

function checkNames(object, names, field) {
  if (!isObject(object)) refuse("bad-value", field, "not an object");
  const at = (name) => (field ? `${field}.${name}` : name);
  for (const name of Object.keys(object)) if (!names.includes(name)) refuse("unknown-member", at(name));
  for (const name of names) if (!own(object, name)) refuse("missing-member", at(name));
}

function checkStruct(type, object, field) {
  checkNames(
    object,
    MEMBERS[type].map(([name]) => name),
    field,
  );
  for (const [name, kind] of MEMBERS[type])
    if (MEMBERS[kind]) checkStruct(kind, object[name], `${field}.${name}`);
    else checkValue(kind, object[name], `${field}.${name}`);
}

function parse(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("malformed");
  }
  return value;
}

/** A private copy of a statement (JSON text or a parsed object) whose form is right in every member. */
function readStatement(input) {
  let text = input;
  if (typeof input !== "string")
    try {
      text = JSON.stringify(input) ?? "null";
    } catch {
      refuse("malformed");
    }
  const statement = parse(text);
  if (!isObject(statement)) refuse("malformed");
  checkNames(statement, ["type", "domain", "message", "signature", "signer"], "");
  if (!STATEMENTS.includes(statement.type)) refuse("unknown-type", "type");
  checkNames(statement.domain, ["name", "version", "chainId"], "domain");
  if (statement.domain.name !== "Kettle") refuse("wrong-domain", "domain.name");
  if (statement.domain.version !== "1") refuse("wrong-domain", "domain.version");
  if (!Number.isSafeInteger(statement.domain.chainId) || statement.domain.chainId < 1)
    refuse("bad-value", "domain.chainId");
  checkStruct(statement.type, statement.message, "message");
  checkValue("address", statement.signer, "signer");
  if (typeof statement.signature !== "string" || !/^0x[0-9a-f]{130}$/.test(statement.signature))
    refuse("bad-signature", "signature");
  // No value above holds white space or needs an escape, so what remains must be what JSON.stringify writes: no member twice, no 1e0.
  if (text.replace(/[ \t\r\n]/g, "") !== JSON.stringify(statement)) refuse("malformed");
  return statement;
}

// ---- EIP-712

const fromHex = (hex) => Uint8Array.from(hex.slice(2).match(/../g) ?? [], (byte) => parseInt(byte, 16));
const toHex = (bytes) => "0x" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const word = (number) => fromHex("0x" + BigInt(number).toString(16).padStart(64, "0"));
const hashText = (text) => keccak256(new TextEncoder().encode(text));
const hashAll = (parts) => keccak256(Uint8Array.from(parts.flatMap((part) => [...part])));

const plainType = (type) => `${type}(${MEMBERS[type].map(([name, kind]) => `${kind} ${name}`).join(",")})`;
const usedStructs = (type) => STRUCTS.filter((name) => MEMBERS[type].some(([, kind]) => kind === name));

/**
 * The EIP-712 type string of a statement or of one of its structs, for example "Block(uint64 number,…)"; its keccak-256 is the type hash.
 * @param {string} type  "CallStatement", "BlockStatement", "AccountStatement", "StorageStatement", "CheckpointStatement", "Block" or "Call"
 * @returns {string}
 */
export function typeString(type) {
  if (!own(MEMBERS, type)) refuse("unknown-type", "type");
  return [type, ...usedStructs(type)].map(plainType).join("");
}

function encodeValue(type, value) {
  if (MEMBERS[type]) return fromHex(hashStruct(type, value));
  if (type === "bytes") return keccak256(fromHex(value));
  if (type === "bytes32") return fromHex(value);
  return word(value);
}

/** hashStruct of EIP-712 over a struct whose form is right. */
function hashStruct(type, value) {
  return toHex(
    hashAll([hashText(typeString(type)), ...MEMBERS[type].map(([name, kind]) => encodeValue(kind, value[name]))]),
  );
}

/** The EIP-712 digest of a statement whose form is right. */
function digestOf({ type, domain, message }) {
  const separator = hashAll([hashText(DOMAIN), hashText(domain.name), hashText(domain.version), word(domain.chainId)]);
  return hashAll([[0x19, 0x01], separator, fromHex(hashStruct(type, message))]);
}

const addressOf = (key) => toHex(keccak256(key.subarray(1)).subarray(12));

function signerOf(statement) {
  const bytes = fromHex(statement.signature);
  const v = bytes[64];
  if (v !== 27 && v !== 28) refuse("bad-signature", "signature", "v is neither 27 nor 28");
  if (BigInt(toHex(bytes.subarray(32, 64))) > HALF_ORDER)
    refuse("bad-signature", "signature", "s is in the upper half");
  let key;
  try {
    key = recover(digestOf(statement), bytes.subarray(0, 64), v - 27);
  } catch {
    refuse("bad-signature", "signature", "no key gives this signature");
  }
  return addressOf(key);
}

/**
 * The address of a public key: what a quote binds is the key, what a statement shows and `signer` demands is its address.
 * @param {string} key  33 bytes, hex, with or without 0x, as `kettle verify` and GET /v1/attest write it
 * @returns {string} address, lower case
 * @throws {KettleError} "bad-option" when that is no key
 */
export function addressOfKey(key) {
  if (typeof key !== "string" || !/^(?:0x)?[0-9a-f]{66}$/i.test(key))
    refuse("bad-option", "key", "not 33 bytes of hex");
  let whole;
  try {
    whole = expand(fromHex(`0x${key.slice(-66)}`));
  } catch {
    refuse("bad-option", "key", "not a public key");
  }
  return addressOf(whole);
}

/**
 * The EIP-712 digest that was signed: the statement's name in evidence files and caches.
 * @param {string|object} statement  JSON text or parsed
 * @returns {string} 32 bytes, hex
 * @throws {KettleError} when its form is wrong; the signature is not looked at
 */
export function statementDigest(statement) {
  return toHex(digestOf(readStatement(statement)));
}

/**
 * The address whose key signed, whoever that is. It proves nothing by itself: use verifyStatement.
 * @param {string|object} statement  JSON text or parsed
 * @returns {string} address, lower case
 * @throws {KettleError} when its form is wrong or no key gives this signature
 */
export function recoverSigner(statement) {
  return signerOf(readStatement(statement));
}

/**
 * What viem's verifyTypedData takes beside `address` and `signature`, and ethers' verifyTypedData in its order (domain, types, message).
 * @param {string|object} statement  JSON text or parsed
 * @returns {{domain: object, types: object, primaryType: string, message: object}}
 * @throws {KettleError} when its form is wrong
 */
export function typedData(statement) {
  const { type, domain, message } = readStatement(statement);
  const members = (name) => [name, MEMBERS[name].map(([member, kind]) => ({ name: member, type: kind }))];
  return { domain, types: Object.fromEntries([type, ...usedStructs(type)].map(members)), primaryType: type, message };
}

// ---- what the caller demands

const OPTIONS = "signer signers chainId setup type request maxAge block minBlock minFinality allowRevert now".split(
  " ",
);
const FINALITIES = ["latest", "safe", "finalized"];

/** A whole number as callers write it: number, bigint, decimal or 0x hex text; returns its decimal text. */
function asNumber(value, bits, option) {
  const plain =
    typeof value === "bigint" ||
    Number.isSafeInteger(value) ||
    (typeof value === "string" && /^(?:\d+|0x[0-9a-f]+)$/i.test(value));
  if (!plain || BigInt(value) < 0n || BigInt(value) >= 1n << BigInt(bits))
    refuse("bad-option", option, `not a uint${bits}`);
  return BigInt(value).toString();
}

/** Hex as callers write it, in any case. */
function asHex(type, value, option) {
  const lower = typeof value === "string" ? value.toLowerCase() : "";
  if (!HEX[type].test(lower)) refuse("bad-option", option, `not ${type}`);
  return lower;
}

const asMember = (type, value, option) =>
  HEX[type] ? asHex(type, value, option) : asNumber(value, Number(type.slice(4)), option);

/** type of statement: its request's members, with what stands for an absent one. */
const REQUESTS = {
  CallStatement: { from: "0x" + "00".repeat(20), to: undefined, value: 0, gas: 0, data: "0x", overrides: ZERO32 },
  AccountStatement: { account: undefined },
  StorageStatement: { account: undefined, slot: undefined },
};

function checkRequest({ type, message }, request) {
  const members = REQUESTS[type];
  if (!members) {
    if (request !== undefined && request !== null) refuse("wrong-type", "type", "this statement answers no request");
    return;
  }
  if (request === null) return;
  if (!isObject(request)) refuse("bad-option", "request", "what was asked must be given, or null");
  for (const name of Object.keys(request))
    if (!own(members, name)) {
      const known = Object.values(REQUESTS).some((other) => own(other, name));
      refuse(
        known ? "wrong-type" : "bad-option",
        known ? "type" : `request.${name}`,
        "this statement answers another kind of request",
      );
    }
  const [kind, said] = type === "CallStatement" ? ["Call", message.call] : [type, message];
  for (const name of Object.keys(members)) {
    const wanted = request[name] ?? members[name] ?? refuse("bad-option", `request.${name}`, "is missing");
    const memberType = MEMBERS[kind].find(([member]) => member === name)[1];
    if (asMember(memberType, wanted, `request.${name}`) !== said[name]) refuse("wrong-request", name);
  }
}

/**
 * hashStruct of a call: what KettleVerifier.sol is given as `callHash`.
 * @param {object} request  {to, data?, from?, value?, gas?, overrides?} as for verifyStatement
 * @returns {string} 32 bytes, hex
 * @throws {KettleError} "bad-option" when a member is missing, unknown or not of its form
 */
export function callHash(request) {
  if (!isObject(request)) refuse("bad-option", "request", "not an object");
  const members = REQUESTS.CallStatement;
  for (const name of Object.keys(request)) if (!own(members, name)) refuse("bad-option", `request.${name}`, "unknown");
  const member = ([name, kind]) => {
    const value = request[name] ?? members[name] ?? refuse("bad-option", `request.${name}`, "is missing");
    return [name, asMember(kind, value, `request.${name}`)];
  };
  return hashStruct("Call", Object.fromEntries(MEMBERS.Call.map(member)));
}

function acceptedSigners({ signer, signers }) {
  if ((signer === undefined) === (signers === undefined)) refuse("bad-option", "signer", "give signer or signers");
  const list = signers ?? [signer];
  if (!Array.isArray(list) || !list.length) refuse("bad-option", "signers", "not a list of addresses");
  return list.map((address) => asHex("address", address, signers ? "signers" : "signer"));
}

function checkTime({ type, message }, { maxAge, block, now }) {
  const time = BigInt(asNumber(now ?? Math.floor(Date.now() / 1000), 64, "now"));
  if (maxAge === undefined && (block === undefined || type === "CheckpointStatement"))
    refuse("bad-option", "maxAge", "say how old the block may be (null: any age), or which block it must be");
  if (time > BigInt(message.validUntil)) refuse("expired", "message.validUntil");
  if (maxAge === undefined || maxAge === null) return;
  const allowed = BigInt(asNumber(maxAge, 64, "maxAge"));
  const [field, stamp] = message.at
    ? ["message.at.timestamp", message.at.timestamp]
    : ["message.issuedAt", message.issuedAt];
  if (time - BigInt(stamp) > allowed) refuse("too-old", field);
  if (BigInt(stamp) - time > allowed) refuse("from-the-future", field);
}

function checkBlock({ message: { at } }, { block, minBlock, minFinality }) {
  if (!at) {
    for (const [option, value] of Object.entries({ block, minBlock, minFinality }))
      if (value !== undefined) refuse("bad-option", option, "a checkpoint names no block");
    return;
  }
  if (block !== undefined) {
    const byHash = typeof block === "string" && block.length === 66;
    const [said, wanted] = byHash
      ? [at.hash, asHex("bytes32", block, "block")]
      : [at.number, asNumber(block, 64, "block")];
    if (said !== wanted) refuse("wrong-block", byHash ? "message.at.hash" : "message.at.number");
  }
  if (minBlock !== undefined && BigInt(at.number) < BigInt(asNumber(minBlock, 64, "minBlock")))
    refuse("block-too-low", "message.at.number");
  if (minFinality === undefined) return;
  const least = FINALITIES.indexOf(minFinality);
  if (least < 0) refuse("bad-option", "minFinality", `not one of ${FINALITIES.join(", ")}`);
  if (at.finality < least) refuse("not-final", "message.at.finality");
}

/**
 * Checks one statement against what the caller demands, and returns what it says.
 *
 * @param {string|object} statement  what the node answered: JSON text (then also checked for members given twice), or parsed
 * @param {object} options  unknown names are refused, so that a slip of the pen demands nothing less
 * @param {string} [options.signer]       the address whose signature is accepted (from the quote that you checked once)
 * @param {string[]} [options.signers]    or several of them
 * @param {number|bigint|string} options.chainId  the chain that the statement must be about
 * @param {string} [options.setup]        the setup (32 bytes, hex) under which it must have been made
 * @param {string} [options.type]         the type that it must be, for example "BlockStatement"
 * @param {object|null} [options.request] what was asked: {to, data?, from?, value?, gas?, overrides?} of a call, {account} or {account, slot};
 *   required for these three types; null accepts the answer to any request
 * @param {number|bigint|string|null} [options.maxAge]  seconds that the block (of a checkpoint: issuedAt) may lie from `now`, both ways:
 *   120 suits latest, 1500 finalized. Required unless `block` is given; null accepts any age
 * @param {number|bigint|string} [options.block]     the block's number, or its hash (66 characters)
 * @param {number|bigint|string} [options.minBlock]  the lowest block number accepted: the highest one that you saw
 * @param {"latest"|"safe"|"finalized"} [options.minFinality]  the least finality of the block
 * @param {boolean} [options.allowRevert]  accept a call that reverted (status 0, result = revert data) or halted (status 2) too
 * @param {number|bigint|string} [options.now]  the caller's time in seconds since 1970; this machine's clock when absent
 * @returns {{type: string, chainId: number, signer: string, digest: string, message: object}}  a copy of what was verified
 * @throws {KettleError} with a code of CODES
 */
export function verifyStatement(statement, options) {
  if (!isObject(options)) refuse("bad-option", "", "no options");
  for (const name of Object.keys(options)) if (!OPTIONS.includes(name)) refuse("bad-option", name, "unknown");
  if (options.allowRevert !== undefined && typeof options.allowRevert !== "boolean")
    refuse("bad-option", "allowRevert", "not true or false");
  const accepted = acceptedSigners(options);
  const chainId = asNumber(options.chainId, 256, "chainId");
  const setup = options.setup === undefined ? undefined : asHex("bytes32", options.setup, "setup");
  const read = readStatement(statement);
  if (options.type !== undefined && options.type !== read.type) refuse("wrong-type", "type");
  if (String(read.domain.chainId) !== chainId) refuse("wrong-chain", "domain.chainId");
  const signer = signerOf(read);
  if (signer !== read.signer || !accepted.includes(signer)) refuse("wrong-signer", "signer");
  if (setup !== undefined && setup !== read.message.setup) refuse("wrong-setup", "message.setup");
  checkRequest(read, options.request);
  checkBlock(read, options);
  checkTime(read, options);
  if (!options.allowRevert && read.message.status === 0) refuse("reverted", "message.status");
  if (!options.allowRevert && read.message.status === 2) refuse("halted", "message.status");
  return {
    type: read.type,
    chainId: read.domain.chainId,
    signer,
    digest: toHex(digestOf(read)),
    message: read.message,
  };
}

// ---- vendored, unchanged but for being bundled: see the licences
/*!
 * @noble/curves 2.4.0, the parts that are used
 *
 * The MIT License (MIT)
 *
 * Copyright (c) 2022 Paul Miller (https://paulmillr.com)
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy
 * of this software and associated documentation files (the “Software”), to deal
 * in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 * copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in
 * all copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED “AS IS”, WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
 * THE SOFTWARE.
 */
/*!
 * @noble/hashes 2.4.0, the parts that are used
 *
 * The MIT License (MIT)
 *
 * Copyright (c) 2022 Paul Miller (https://paulmillr.com)
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy
 * of this software and associated documentation files (the “Software”), to deal
 * in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 * copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in
 * all copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED “AS IS”, WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
 * THE SOFTWARE.
 */
function vendoredPrimitives() {
var primitives=(()=>{var __defProp=Object.defineProperty;var __getOwnPropDesc=Object.getOwnPropertyDescriptor;var __getOwnPropNames=Object.getOwnPropertyNames;var __hasOwnProp=Object.prototype.hasOwnProperty;var __export=(target,all)=>{for(var name in all)__defProp(target,name,{get:all[name],enumerable:!0})},__copyProps=(to,from,except,desc)=>{if(from&&typeof from==
"object"||typeof from=="function")for(let key of __getOwnPropNames(from))!__hasOwnProp.call(to,key)&&key!==except&&__defProp(to,key,{get:()=>from[key],enumerable:!(desc=
__getOwnPropDesc(from,key))||desc.enumerable});return to};var __toCommonJS=mod2=>__copyProps(__defProp({},"__esModule",{value:!0}),mod2);var primitives_exports={};__export(primitives_exports,{expand:()=>expand,keccak256:()=>keccak256,recover:()=>recover});function isBytes(a){return a instanceof Uint8Array||ArrayBuffer.isView(a)&&a.constructor.name==="Uint8Array"&&"BYTES_PER_ELEMENT"in a&&a.BYTES_PER_ELEMENT===1}var atitle=title=>title?
`"${title}" `:"";function anumber(n,title=""){if(typeof n!="number")throw new TypeError(atitle(title)+"expected number, got "+typeof n);if(!Number.isSafeInteger(
n)||n<0)throw new RangeError(atitle(title)+"expected integer >= 0, got "+n);return n}function abool(value,title=""){if(typeof value!="boolean")throw new TypeError(
atitle(title)+"expected boolean, got type="+typeof value);return value}function abytes(value,length,title=""){if(isBytes(value)&&(length===void 0||value.length===
length))return value;length!==void 0&&anumber(length,"length");let bytes=isBytes(value),ofLen=length!==void 0?` of length ${length}`:"",got=bytes?`length=${value.
length}`:`type=${typeof value}`,message=atitle(title)+"expected Uint8Array"+ofLen+", got "+got;throw bytes?new RangeError(message):new TypeError(message)}function ahash(h){if(typeof h!="function"||typeof h.create!="function")throw new TypeError("expected hash wrapped by utils.createHasher");if(anumber(h.outputLen),
anumber(h.blockLen),h.outputLen<1||h.blockLen<1)throw new Error("hash blockLen / outputLen must be >= 1")}var aobject=(value,label)=>{if(value===null||typeof value!=
"object"||Array.isArray(value))throw new TypeError((label==="object"?"":`"${label}" `)+"expected object, got type="+typeof value)},aopts=(value,label)=>{aobject(
value,label);let proto=Object.getPrototypeOf(value);if(proto!==Object.prototype&&proto!==null)throw new TypeError(`"${label}" expected plain object`);if(Object.
hasOwn(value,"__proto__"))throw new TypeError(`"${label}.__proto__" is not allowed`)};function aexists(instance,checkFinished=!0){if(instance.destroyed)throw new Error(
"hash was destroyed");if(checkFinished&&instance.finished)throw new Error("digest() was already called")}function aoutput(out,instance){abytes(out,void 0,"outpu\
t");let min=instance.outputLen;if(!(out.length>=min))throw new RangeError('"output" expected length >= '+min)}function u32(arr){return new Uint32Array(arr.buffer,arr.byteOffset,Math.floor(arr.byteLength/4))}function clean(...arrays){for(let i=0;i<arrays.length;i++)arrays[i].
fill(0)}var isLE=new Uint8Array(new Uint32Array([287454020]).buffer)[0]===68;function byteSwap(word){return word<<24&4278190080|word<<8&16711680|word>>>8&65280|word>>>24&
255}function byteSwap32(arr){for(let i=0;i<arr.length;i++)arr[i]=byteSwap(arr[i]);return arr}var swap32IfBE=isLE?u=>u:byteSwap32,hasHexBuiltin=typeof Uint8Array.from(
[]).toHex=="function"&&typeof Uint8Array.fromHex=="function",hexes=Array.from({length:256},(_,i)=>i.toString(16).padStart(2,"0"));function bytesToHex(bytes){if(abytes(
bytes),hasHexBuiltin)return bytes.toHex();let hex="";for(let i=0;i<bytes.length;i++)hex+=hexes[bytes[i]];return hex}function asciiToBase16(ch){return ch>=48&&ch<=
57?ch-48:ch>=65&&ch<=70?ch-55:ch>=97&&ch<=102?ch-87:void 0}function hexToBytes(hex){if(typeof hex!="string")throw new TypeError("hex string expected, got "+typeof hex);
if(hasHexBuiltin)try{return Uint8Array.fromHex(hex)}catch(error){throw error instanceof SyntaxError?new RangeError(error.message):error}let hl=hex.length,al=hl/
2;if(hl%2)throw new RangeError("hex string expected, got unpadded hex of length "+hl);let array=new Uint8Array(al);for(let ai=0,hi=0;ai<al;ai++,hi+=2){let n1=asciiToBase16(
hex.charCodeAt(hi)),n2=asciiToBase16(hex.charCodeAt(hi+1));if(n1===void 0||n2===void 0){let char=hex[hi]+hex[hi+1];throw new RangeError('hex string expected, go\
t non-hex character "'+char+'" at index '+hi)}array[ai]=n1*16+n2}return array}function concatBytes(...arrays){let sum=0;for(let i=0;i<arrays.length;i++){let a=arrays[i];abytes(a),sum+=a.length}let res=new Uint8Array(sum);for(let i=0,pad=0;i<
arrays.length;i++){let a=arrays[i];res.set(a,pad),pad+=a.length}return res}function checkOpts(defaults,opts,title="opts"){return aopts(defaults,"defaults"),opts!==void 0&&aopts(opts,title),Object.assign(Object.create(null),defaults,opts)}
function createHasher(hashCons,info={}){if(typeof hashCons!="function")throw new TypeError('"hashCons" expected function, got type='+typeof hashCons);info=checkOpts(
{},info,"info");let hashC=(msg,opts)=>hashCons(opts).update(msg).digest(),tmp=hashCons(void 0);return hashC.outputLen=tmp.outputLen,hashC.blockLen=tmp.blockLen,
hashC.canXOF=tmp.canXOF,hashC.create=opts=>hashCons(opts),Object.assign(hashC,info),Object.freeze(hashC)}function randomBytes(bytesLength=32){anumber(bytesLength,
"bytesLength");let cr=typeof globalThis=="object"?globalThis.crypto:null;if(typeof cr?.getRandomValues!="function")throw new Error("crypto.getRandomValues must \
be defined");if(bytesLength>65536)throw new RangeError(`"bytesLength" expected <= 65536, got ${bytesLength}`);return cr.getRandomValues(new Uint8Array(bytesLength))}var _HMAC=class{oHash;iHash;blockLen;outputLen;canXOF=!1;finished=!1;destroyed=!1;constructor(hash,key){if(ahash(hash),abytes(key,void 0,"key"),this.iHash=hash.
create(),typeof this.iHash.update!="function")throw new Error("expected Hash instance");this.blockLen=this.iHash.blockLen,this.outputLen=this.iHash.outputLen;let blockLen=this.
blockLen,pad=new Uint8Array(blockLen);pad.set(key.length>blockLen?hash.create().update(key).digest():key);for(let i=0;i<pad.length;i++)pad[i]^=54;this.iHash.update(
pad),this.oHash=hash.create();for(let i=0;i<pad.length;i++)pad[i]^=106;this.oHash.update(pad),clean(pad)}update(buf){return aexists(this),this.iHash.update(buf),
this}digestInto(out){aexists(this),aoutput(out,this),this.finished=!0;let buf=out.subarray(0,this.outputLen);this.iHash.digestInto(buf),this.oHash.update(buf),this.
oHash.digestInto(buf),this.destroy()}digest(){let out=new Uint8Array(this.oHash.outputLen);return this.digestInto(out),out}_cloneInto(to){to||=Object.create(Object.
getPrototypeOf(this),{});let{oHash,iHash,finished,destroyed,blockLen,outputLen,canXOF}=this;return to=to,to.finished=finished,to.destroyed=destroyed,to.blockLen=
blockLen,to.outputLen=outputLen,to.canXOF=canXOF,to.oHash=oHash._cloneInto(to.oHash),to.iHash=iHash._cloneInto(to.iHash),to}clone(){return this._cloneInto()}destroy(){
this.destroyed=!0,this.oHash.destroy(),this.iHash.destroy()}},hmac=(()=>{let hmac_=((hash,key,message)=>new _HMAC(hash,key).update(message).digest());return hmac_.
create=(hash,key)=>new _HMAC(hash,key),hmac_})();function aarray(item,title,inner=()=>{}){if(!Array.isArray(item))throw new TypeError(`"${title}" expected array, got type=${typeof item}`);for(let i=0;i<item.length;i++)
inner(item[i],`${title}[${i}]`);return item}var abytes2=(value,length,title)=>abytes(value,length,title),anumber2=anumber;function astring(value,title=""){if(typeof value!=
"string"){let prefix=title&&`"${title}" `;throw new TypeError(prefix+"expected string, got type="+typeof value)}return value}function aobject2(value,title="obje\
ct"){if(value===null||typeof value!="object"||Array.isArray(value))throw new TypeError(title==="object"?"expected valid options object":`"${title}" expected obj\
ect, got type=${typeof value}`);return value}function afunction(value,title){if(typeof value!="function")throw new TypeError(`"${title}" is invalid: expected fu\
nction, got ${typeof value}`);return value}var bytesToHex2=bytesToHex,concatBytes2=(...arrays)=>concatBytes(...arrays),hexToBytes2=hex=>hexToBytes(hex),isBytes2=isBytes,
randomBytes2=bytesLength=>randomBytes(bytesLength),_0n=BigInt(0),_1n=BigInt(1),atitle2=title=>title?`"${title}" `:"";function abool2(value,title=""){if(typeof value!=
"boolean")throw new TypeError(atitle2(title)+"expected boolean, got type="+typeof value);return value}function abignumber(n){if(typeof n=="bigint"){if(!isPosBig(
n))throw new RangeError("positive bigint expected, got "+n)}else anumber2(n);return n}function asafenumber(value,title=""){if(typeof value!="number"){let prefix=title&&
`"${title}" `;throw new TypeError(prefix+"expected number, got type="+typeof value)}if(!Number.isSafeInteger(value)){let prefix=title&&`"${title}" `;throw new RangeError(
prefix+"expected safe integer, got "+value)}}function numberToHexUnpadded(num){let hex=abignumber(num).toString(16);return hex.length&1?"0"+hex:hex}function hexToNumber(hex){
if(typeof hex!="string")throw new TypeError("hex string expected, got "+typeof hex);return hex===""?_0n:BigInt("0x"+hex)}function bytesToNumberBE(bytes){return hexToNumber(
bytesToHex(bytes))}function bytesToNumberLE(bytes){return hexToNumber(bytesToHex(copyBytes(abytes(bytes)).reverse()))}function numberToBytesBE(n,len){if(anumber(
len),len===0)throw new Error("zero output length is invalid");n=abignumber(n);let expectedLen=len*2,hex=n.toString(16);if(hex.length>expectedLen)throw new RangeError(
"number is too large");return hexToBytes(hex.padStart(expectedLen,"0"))}function numberToBytesLE(n,len){return numberToBytesBE(n,len).reverse()}function copyBytes(bytes){return Uint8Array.from(abytes2(bytes))}function isPosBig(n){return typeof n=="bigint"&&_0n<=n}function inRange(n,min,max){return isPosBig(n)&&isPosBig(min)&&isPosBig(max)&&min<=n&&n<max}function aInRange(title,n,min,max){
if(!inRange(n,min,max))throw new RangeError("expected valid "+title+": "+min+" <= n < "+max+", got "+n)}function bitLen(n){if(n<_0n)throw new Error("expected no\
n-negative bigint, got "+n);return n===_0n?0:n.toString(2).length}var bitMask=n=>(asafenumber(n,"n"),(_1n<<BigInt(n))-_1n);function createHmacDrbg(hashLen,qByteLen,hmacFn){if(anumber(hashLen,"hashLen"),anumber(qByteLen,"qByteL\
en"),typeof hmacFn!="function")throw new TypeError("hmacFn must be a function");let u8n=len=>new Uint8Array(len),NULL=Uint8Array.of(),byte0=Uint8Array.of(0),byte1=Uint8Array.
of(1),_maxDrbgIters=1e3,v=u8n(hashLen),k=u8n(hashLen),i=0,reset=()=>{v.fill(1),k.fill(0),i=0},h=(...msgs)=>hmacFn(k,concatBytes2(v,...msgs)),reseed=(seed=NULL)=>{
k=h(byte0,seed),v=h(),seed.length!==0&&(k=h(byte1,seed),v=h())},gen=()=>{if(i++>=_maxDrbgIters)throw new Error("drbg: tried max amount of iterations");let len=0,
out=[];for(;len<qByteLen;){v=h();let sl=v.slice();out.push(sl),len+=v.length}return concatBytes2(...out)};return(seed,pred)=>{reset(),reseed(seed);let res;for(;(res=
pred(gen()))===void 0;)reseed();return reset(),res}}function validateObject(object,fields={},optFields={},title="object"){aobject2(object,title),aobject2(fields,
"fields"),aobject2(optFields,"optFields");function checkField(fieldName,expectedType,isOpt){let label=title==="object"?`param "${String(fieldName)}"`:`"${title}\
.${String(fieldName)}"`,val=object[fieldName];if(!Object.hasOwn(object,fieldName)&&(isOpt?val!==void 0:expectedType!=="function"))throw new TypeError(`${label} \
is invalid: expected own property`);if(isOpt&&val===void 0)return;let current=typeof val;if(current!==expectedType||val===null)throw new TypeError(`${label} is \
invalid: expected ${expectedType}, got ${current}`)}let iter=(f,isOpt)=>Object.entries(f).forEach(([k,v])=>checkField(k,v,isOpt));iter(fields,!1),iter(optFields,
!0)}var _0n2=BigInt(0),_1n2=BigInt(1),_2n=BigInt(2),_3n=BigInt(3),_4n=BigInt(4),_5n=BigInt(5),_7n=BigInt(7),_8n=BigInt(8),_9n=BigInt(9),_15n=BigInt(15),_16n=BigInt(
16),POW_WINDOWED_MIN=BigInt("0x10000000000000000");function mod(a,b){if(b<=_0n2)throw new Error("mod: expected positive modulus, got "+b);let result=a%b;return result>=
_0n2?result:b+result}function pow(num,power,modulo){if(modulo<=_1n2)throw new Error("pow: expected modulus > 1, got "+modulo);if(typeof power!="bigint")throw new TypeError(
"invalid exponent: expected bigint, got "+typeof power);if(power<_0n2)throw new Error("invalid exponent, negatives unsupported");if(power===_0n2)return _1n2;if(power===
_1n2)return num;let d=num%modulo;if(d<_0n2&&(d+=modulo),power<POW_WINDOWED_MIN){let p2=_1n2;for(;power>_0n2;)power&_1n2&&(p2=p2*d%modulo),d=d*d%modulo,power>>=_1n2;
return p2}let digits=[];for(;power>_0n2;)digits.push(Number(power&_15n)),power>>=_4n;let table=new Array(16);table[0]=_1n2,table[1]=d;for(let i=2;i<16;i++)table[i]=
table[i-1]*d%modulo;let p=table[digits[digits.length-1]];for(let w=digits.length-2;w>=0;w--){p=p*p%modulo,p=p*p%modulo,p=p*p%modulo,p=p*p%modulo;let digit=digits[w];
digit!==0&&(p=p*table[digit]%modulo)}return p}function invert(number,modulo){if(number===_0n2)throw new Error("invert: expected non-zero number");if(modulo<=_1n2)throw new Error("invert: expected modulus > \
1, got "+modulo);let a=mod(number,modulo),b=modulo,x=_0n2,u=_1n2;for(;a!==_0n2;){let q=b/a,r=b-a*q,m=x-u*q;b=a,a=r,x=u,u=m}if(b!==_1n2)throw new Error("invert: \
does not exist");return mod(x,modulo)}function invertCt(a,prime){if(prime<=_1n2)throw new Error("invertCt: expected prime modulus > 1, got "+prime);let an=mod(a,
prime);if(an===_0n2)throw new Error("invertCt: expected non-zero number");let inverse=pow(an,prime-_2n,prime);if(mod(an*inverse,prime)!==_1n2)throw new Error("i\
nvertCt: does not exist");return inverse}function assertIsSquare(Fp,root,n){let F=Fp;if(!F.eql(F.sqr(root),n))throw new Error("Cannot find square root")}function aoddModulus(order,fnName){
if((order&_1n2)===_0n2)throw new Error(fnName+": expected odd modulus, got "+order)}function sqrt3mod4(Fp,n){let F=Fp,p1div4=(F.ORDER+_1n2)/_4n,root=F.pow(n,p1div4);
return assertIsSquare(F,root,n),root}function sqrt5mod8(Fp,n){let F=Fp,p5div8=(F.ORDER-_5n)/_8n,n2=F.mul(n,_2n),v=F.pow(n2,p5div8),nv=F.mul(n,v),i=F.mul(F.mul(nv,
_2n),v),root=F.mul(nv,F.sub(i,F.ONE));return assertIsSquare(F,root,n),root}function sqrt9mod16(P){let Fp_=Field(P),tn=tonelliShanks(P),c1=tn(Fp_,Fp_.neg(Fp_.ONE)),
c2=tn(Fp_,c1),c3=tn(Fp_,Fp_.neg(c1)),c4=(P+_7n)/_16n;return((Fp,n)=>{let F=Fp,tv1=F.pow(n,c4),tv2=F.mul(tv1,c1),tv3=F.mul(tv1,c2),tv4=F.mul(tv1,c3),e1=F.eql(F.sqr(
tv2),n),e2=F.eql(F.sqr(tv3),n);tv1=F.cmov(tv1,tv2,e1),tv2=F.cmov(tv4,tv3,e2);let e3=F.eql(F.sqr(tv2),n),root=F.cmov(tv1,tv2,e3);return assertIsSquare(F,root,n),
root})}function tonelliShanks(P){if(P<_3n)throw new Error("sqrt is not defined for small field");aoddModulus(P,"tonelliShanks");let Q=P-_1n2,S=0;for(;Q%_2n===_0n2;)
Q/=_2n,S++;let Z=_2n,_Fp=Field(P);for(;FpLegendre(_Fp,Z)===1;)if(Z++>1e3)throw new Error("Cannot find square root: probably non-prime P");if(S===1)return sqrt3mod4;
let cc=_Fp.pow(Z,Q),Q1div2=(Q+_1n2)/_2n;return function(Fp,n){let F=Fp;if(F.is0(n))return n;if(FpLegendre(F,n)!==1)throw new Error("Cannot find square root");let M=S,
c=F.mul(F.ONE,cc),t=F.pow(n,Q),R=F.pow(n,Q1div2);for(;!F.eql(t,F.ONE);){if(F.is0(t))throw new Error("Cannot find square root: probably non-prime P");let i=1,t_tmp=F.
sqr(t);for(;!F.eql(t_tmp,F.ONE);)if(i++,t_tmp=F.sqr(t_tmp),i===M)throw new Error("Cannot find square root");let exponent=_1n2<<BigInt(M-i-1),b=F.pow(c,exponent);
M=i,c=F.sqr(b),t=F.mul(t,c),R=F.mul(R,b)}return R}}function FpSqrt(P){return aoddModulus(P,"Fp.sqrt"),P%_4n===_3n?sqrt3mod4:P%_8n===_5n?sqrt5mod8:P%_16n===_9n?sqrt9mod16(
P):tonelliShanks(P)}var FIELD_FIELDS=["create","isValid","is0","neg","inv","sqrt","sqr","eql","add","sub","mul","pow","div","addN","subN","mulN","sqrN"];function validateField(field){
if(aobject2(field,"field"),typeof field.ORDER!="bigint")throw new TypeError('param "ORDER" is invalid: expected bigint, got '+typeof field.ORDER);asafenumber(field.
BYTES,"BYTES"),asafenumber(field.BITS,"BITS");for(let name of FIELD_FIELDS)afunction(field[name],"field."+name);if(field.BYTES<1||field.BITS<1)throw new Error("\
invalid field: expected BYTES/BITS > 0");if(field.ORDER<=_1n2)throw new Error("invalid field: expected ORDER > 1, got "+field.ORDER);return field}function FpInvertBatch(Fp,nums,passZero=!1){validateField(Fp),aarray(nums,"nums"),abool2(passZero,"passZero");let F=Fp,inverted=new Array(nums.length).fill(passZero?
F.ZERO:void 0),multipliedAcc=nums.reduce((acc,num,i)=>F.is0(num)?acc:(inverted[i]=acc,F.mul(acc,num)),F.ONE),invertedAcc=F.inv(multipliedAcc);return nums.reduceRight(
(acc,num,i)=>F.is0(num)?acc:(inverted[i]=F.mul(acc,inverted[i]),F.mul(acc,num)),invertedAcc),inverted}function FpLegendre(Fp,n){validateField(Fp);let F=Fp;aoddModulus(F.ORDER,"FpLegendre");let p1mod2=(F.ORDER-_1n2)/_2n,powered=F.pow(n,p1mod2),yes=F.eql(powered,F.
ONE),zero=F.eql(powered,F.ZERO),no=F.eql(powered,F.neg(F.ONE));if(!yes&&!zero&&!no)throw new Error("invalid Legendre symbol result");return yes?1:zero?0:-1}function nLength(n,nBitLength){if(nBitLength!==void 0&&anumber2(nBitLength),n<=_0n2)throw new Error("invalid n length: expected positive n, got "+n);if(nBitLength!==
void 0&&nBitLength<1)throw new Error("invalid n length: expected positive bit length, got "+nBitLength);let bits=bitLen(n);if(nBitLength!==void 0&&nBitLength<bits)
throw new Error(`invalid n length: expected nBitLength (${nBitLength}) >= bitLen(n) (${bits})`);let _nBitLength=nBitLength!==void 0?nBitLength:bits,nByteLength=Math.
ceil(_nBitLength/8);return{nBitLength:_nBitLength,nByteLength}}var FIELD_SQRT=new WeakMap,_Field=class{ORDER;BITS;BYTES;isLE;ZERO=_0n2;ONE=_1n2;_lengths;_mod;constructor(ORDER,opts={}){
if(ORDER<=_1n2)throw new Error("invalid field: expected ORDER > 1, got "+ORDER);let _nbitLength;this.isLE=!1,opts!=null&&typeof opts=="object"&&(typeof opts.BITS==
"number"&&(_nbitLength=opts.BITS),typeof opts.sqrt=="function"&&Object.defineProperty(this,"sqrt",{value:opts.sqrt,enumerable:!0}),typeof opts.isLE=="boolean"&&
(this.isLE=opts.isLE),opts.allowedLengths&&(this._lengths=Object.freeze(opts.allowedLengths.slice())),typeof opts.modFromBytes=="boolean"&&(this._mod=opts.modFromBytes));
let{nBitLength,nByteLength}=nLength(ORDER,_nbitLength);if(nByteLength>2048)throw new Error("invalid field: expected ORDER of <= 2048 bytes");this.ORDER=ORDER,this.
BITS=nBitLength,this.BYTES=nByteLength,Object.freeze(this)}create(num){return mod(num,this.ORDER)}isValid(num){if(typeof num!="bigint")throw new TypeError("inva\
lid field element: expected bigint, got "+typeof num);return _0n2<=num&&num<this.ORDER}is0(num){return num===_0n2}isValidNot0(num){return!this.is0(num)&&this.isValid(
num)}isOdd(num){return(num&_1n2)===_1n2}neg(num){return mod(-num,this.ORDER)}eql(lhs,rhs){return lhs===rhs}sqr(num){return mod(num*num,this.ORDER)}add(lhs,rhs){
return mod(lhs+rhs,this.ORDER)}sub(lhs,rhs){return mod(lhs-rhs,this.ORDER)}mul(lhs,rhs){return mod(lhs*rhs,this.ORDER)}pow(num,power){return pow(num,power,this.
ORDER)}div(lhs,rhs){return mod(lhs*invert(rhs,this.ORDER),this.ORDER)}sqrN(num){return num*num}addN(lhs,rhs){return lhs+rhs}subN(lhs,rhs){return lhs-rhs}mulN(lhs,rhs){
return lhs*rhs}inv(num){return invert(num,this.ORDER)}sqrt(num){let sqrt=FIELD_SQRT.get(this);return sqrt||FIELD_SQRT.set(this,sqrt=FpSqrt(this.ORDER)),sqrt(this,
num)}toBytes(num){return this.isLE?numberToBytesLE(num,this.BYTES):numberToBytesBE(num,this.BYTES)}fromBytes(bytes,skipValidation=!1){abytes2(bytes);let{_lengths:allowedLengths,
BYTES,isLE:isLE2,ORDER,_mod:modFromBytes}=this;if(allowedLengths){if(bytes.length<1||!allowedLengths.includes(bytes.length)||bytes.length>BYTES)throw new Error(
"Field.fromBytes: expected "+allowedLengths+" bytes, got "+bytes.length);let padded=new Uint8Array(BYTES);padded.set(bytes,isLE2?0:padded.length-bytes.length),bytes=
padded}if(bytes.length!==BYTES)throw new Error("Field.fromBytes: expected "+BYTES+" bytes, got "+bytes.length);let scalar=isLE2?bytesToNumberLE(bytes):bytesToNumberBE(
bytes);if(modFromBytes&&(scalar=mod(scalar,ORDER)),!skipValidation&&!this.isValid(scalar))throw new Error("invalid field element: outside of range 0..ORDER");return scalar}invertBatch(lst){
return FpInvertBatch(this,lst,!0)}cmov(a,b,condition){return abool2(condition,"condition"),condition?b:a}};function Field(ORDER,opts={}){return Object.freeze(_Field.
prototype),new _Field(ORDER,opts)}function getFieldBytesLength(fieldOrder){if(typeof fieldOrder!="bigint")throw new Error("field order must be bigint");if(fieldOrder<=_1n2)throw new Error("field\
 order must be greater than 1");let bitLength=bitLen(fieldOrder-_1n2);return Math.ceil(bitLength/8)}function getMinHashLength(fieldOrder){let length=getFieldBytesLength(
fieldOrder);return length+Math.ceil(length/2)}function mapHashToField(key,fieldOrder,isLE2=!1){abytes2(key);let len=key.length,fieldLen=getFieldBytesLength(fieldOrder),
minLen=Math.max(getMinHashLength(fieldOrder),16);if(len<minLen||len>1024)throw new Error("expected "+minLen+"-1024 bytes of input, got "+len);let num=isLE2?bytesToNumberLE(
key):bytesToNumberBE(key),reduced=mod(num,fieldOrder-_1n2)+_1n2;return isLE2?numberToBytesLE(reduced,fieldLen):numberToBytesBE(reduced,fieldLen)}var _0n3=BigInt(0),_1n3=BigInt(1),_4n2=BigInt(4),BLIND_BYTES=16,BLIND_BITS=128,FW_WINDOW=5,TABLE_BYTES_MAX=2**31;function validatePointCons(Point){let pc=Point;
if(typeof pc!="function")throw new TypeError('"Point" expected constructor, got type='+typeof Point);afunction(pc.fromAffine,"Point.fromAffine"),afunction(pc.fromBytes,
"Point.fromBytes"),afunction(pc.fromHex,"Point.fromHex"),aobject2(pc.BASE,"Point.BASE"),aobject2(pc.ZERO,"Point.ZERO"),validateField(pc.Fp),validateField(pc.Fn)}
function normalizeZ(c,points){validatePointCons(c),validateMSMPoints(points,c);let invertedZs=FpInvertBatch(c.Fp,points.map(p=>p.Z));return points.map((p,i)=>c.
fromAffine(p.toAffine(invertedZs[i])))}function validateW(W,bits,min=1){if(!Number.isSafeInteger(W)||W<min||W>bits)throw new Error("invalid window size, expecte\
d ["+min+".."+bits+"], got W="+W)}function validateTableBytes(numPoints,fpBytes){let bytes=numPoints*(4*fpBytes+128);if(bytes>TABLE_BYTES_MAX)throw new Error("i\
nvalid window size: table would need ~"+Math.ceil(bytes/2**20)+" MiB, max "+TABLE_BYTES_MAX/2**20+" MiB")}function probeRandomBytes(randomBytes3,length){if(randomBytes3!==
void 0){afunction(randomBytes3,"randomBytes");try{let probe=randomBytes3(length);if(!isBytes2(probe)||probe.length!==length)return}catch{return}return randomBytes3}}
function validateMSMPoints(points,c){aarray(points,"points"),points.forEach((p,i)=>{if(!(p instanceof c))throw new Error("invalid point at index "+i)})}function validateMSMScalars(scalars,field,maxScalar){
if(!Array.isArray(scalars))throw new Error("array of scalars expected");scalars.forEach((s,i)=>{if(!(maxScalar===void 0?field.isValid(s):isPosBig(s)&&s<maxScalar))
throw new Error("invalid scalar at index "+i)})}var pointWindowSizes=new WeakMap;function getWindowSize(P){return pointWindowSizes.get(P)||1}function oddMultiples(p,size){
let dbl=p.double(),t=[p];for(let j=1;j<size;j++)t.push(t[j-1].add(dbl));return t}function wnafDigits(n,W){let size=2**W,half=size/2,mask=BigInt(size-1),d=[];for(;n>
_0n3;){let w=0;n&_1n3&&(w=Number(n&mask),w>=half&&(w-=size),n-=BigInt(w)),d.push(w),n>>=_1n3}return d}function signedWindowDigits(n,W,windows){let size=2**W,half=size/
2,mask=BigInt(size-1),shiftBy=BigInt(W),d=[];for(let w=0;w<windows;w++){let v=Number(n&mask);n>>=shiftBy,v>half&&(v-=size,n+=_1n3),d.push(v)}if(n!==_0n3)throw new Error(
"invalid wnaf");return d}function wnafWalk(zero,tables,digits){let max=0;for(let d of digits)max=Math.max(max,d.length);let acc=zero;for(let bit=max-1;bit>=0;bit--){
bit!==max-1&&(acc=acc.double());for(let i=0;i<digits.length;i++){let w=digits[i][bit];if(w){let item=tables[i][Math.abs(w)-1>>1];acc=acc.add(w<0?item.negate():item)}}}
return acc}var ScalarMultiplier=class{Point;BASE;ZERO;randomBytes;wnafPrecomputes=new WeakMap;baseCanBeBlinded;bits;constructor(Point,randomBytes3){validatePointCons(
Point),this.randomBytes=probeRandomBytes(randomBytes3,BLIND_BYTES),this.Point=Point,this.BASE=Point.BASE,this.ZERO=Point.ZERO,this.bits=Point.Fn.BITS}buildWnafTable(point,W,bits){
let windows=Math.ceil(bits/W)+1,half=2**(W-1),comp=[],base=point;for(let w=0;w<windows;w++){let acc=base;for(let i=0;i<half;i++)comp.push(acc),acc=acc.add(base);
base=comp[comp.length-1].double()}return{W,bits,windows,comp}}wnafCachedCT(precomputes,n){let{W,windows,comp}=precomputes,half=2**(W-1),digits=signedWindowDigits(
n,W,windows),p=this.ZERO,f=this.BASE;for(let w=0;w<windows;w++){let digit=digits[w],start=w*half,idx=Math.abs(digit)-1,sel=comp[start];for(let i=1;i<half;i++)sel=
i===idx?comp[start+i]:sel;let neg=sel.negate();digit===0?f=f.add(comp[start]):p=p.add(digit<0?neg:sel)}return{p,f}}getWnafPrecomputes(W,point,bits,transform){let entries=this.
wnafPrecomputes.get(point),comp=entries?.find(entry=>entry.W===W&&entry.bits===bits);return comp||(comp=this.buildWnafTable(point,W,bits),typeof transform=="fun\
ction"&&(comp={...comp,comp:transform(comp.comp)}),entries||(entries=[],this.wnafPrecomputes.set(point,entries)),entries.push(comp)),comp}assertPoint(point){if(!(point instanceof
this.Point))throw new TypeError('"point" expected Point instance, got type='+typeof point)}validateMulInput(point,scalar){if(this.assertPoint(point),!inRange(scalar,
_1n3,this.Point.Fn.ORDER))throw new Error("invalid scalar")}runCT(point,n,bits,transform){let W=getWindowSize(point);return W===1?this.fixedWindowCT(point,n,bits):
this.wnafCachedCT(this.getWnafPrecomputes(W,point,bits,transform),n)}mulCT(point,scalar,transform){return this.validateMulInput(point,scalar),this.runCT(point,scalar,
this.bits,transform)}mulCTBlinded(point,scalar,transform){if(this.validateMulInput(point,scalar),this.randomBytes===void 0)throw new Error("randomBytes is requi\
red for scalar blinding");let bits=this.Point.Fn.BITS+BLIND_BITS,blind=this.randomBytes(BLIND_BYTES);if(!isBytes2(blind)||blind.length!==BLIND_BYTES)throw new Error(
"randomBytes returned invalid byte array");blind[0]=blind[0]&63|128;let n=scalar+bytesToNumberBE(blind)*this.Point.Fn.ORDER;return this.runCT(point,n,bits,transform)}fixedWindowCT(point,n,bits){
let W=FW_WINDOW,size=1<<W,mask=bitMask(W),table=new Array(size);table[0]=this.ZERO;for(let i=1;i<size;i++)table[i]=table[i-1].add(point);let windows=Math.ceil(bits/
W),acc=this.ZERO;for(let window=windows-1;window>=0;window--){if(window!==windows-1)for(let d=0;d<W;d++)acc=acc.double();let digit=Number(n>>BigInt(window*W)&mask),
sel=table[0];for(let i=1;i<size;i++)sel=i===digit?table[i]:sel;acc=acc.add(sel)}return{p:acc,f:acc}}shouldBlind(point,cofactor){return this.randomBytes===void 0?
!1:cofactor===_1n3?!0:point!==this.BASE?!1:(this.baseCanBeBlinded===void 0&&(this.baseCanBeBlinded=this.mulUnsafe(this.BASE,this.Point.Fn.ORDER).is0()),this.baseCanBeBlinded)}mulSecret(point,scalar,cofactor,transform){
return this.shouldBlind(point,cofactor)?this.mulCTBlinded(point,scalar,transform):this.mulCT(point,scalar,transform)}mulUnsafe(point,scalar,transform){if(this.assertPoint(
point),!isPosBig(scalar))throw new Error("invalid scalar");let W=getWindowSize(point);if(W===1||scalar>=this.Point.Fn.ORDER)return mulAddUnsafe(this.Point,[point],
[scalar],!0);let precomputes=this.getWnafPrecomputes(W,point,this.bits,transform);return this.wnafCachedCT(precomputes,scalar).p}setWindowSize(point,W){this.assertPoint(
point),validateW(W,this.bits);let windows=Math.ceil((this.bits+BLIND_BITS)/W)+1;validateTableBytes(windows*2**(W-1),this.Point.Fp.BYTES),pointWindowSizes.set(point,
W),this.wnafPrecomputes.delete(point)}hasWindowSize(point){return getWindowSize(point)!==1}};function mulAddUnsafe(c,points,scalars,allowOversized=!1){if(validatePointCons(
c),validateMSMPoints(points,c),abool2(allowOversized,"allowOversized"),validateMSMScalars(scalars,c.Fn,allowOversized?c.Fn.ORDER**_4n2:void 0),points.length!==scalars.
length)throw new Error("arrays of points and scalars must have equal length");let tables=points.map(p=>oddMultiples(p,4)),digits=scalars.map(n=>wnafDigits(n,4));
return wnafWalk(c.ZERO,tables,digits)}function createField(order,field,isLE2){if(field){if(field.ORDER!==order)throw new Error("Field.ORDER must match order: Fp == p, Fn == n");return validateField(
field),field}else return Field(order,{isLE:isLE2})}function createCurveFields(type,CURVE,curveOpts={},FpFnLE){if(type!=="weierstrass"&&type!=="edwards")throw new Error(
'expected curve type "weierstrass" or "edwards"');if(FpFnLE===void 0&&(FpFnLE=type==="edwards"),!CURVE||typeof CURVE!="object")throw new Error(`expected valid ${type}\
 CURVE object`);validateObject(curveOpts);for(let p of["p","n","h"]){let val=CURVE[p];if(!(isPosBig(val)&&val!==_0n3))throw new Error(`CURVE.${p} must be positi\
ve bigint`)}let Fp=createField(CURVE.p,curveOpts.Fp,FpFnLE),Fn=createField(CURVE.n,curveOpts.Fn,FpFnLE),params=["Gx","Gy","a",type==="weierstrass"?"b":"d"];for(let p of params)
if(!Fp.isValid(CURVE[p]))throw new Error(`CURVE.${p} must be valid field element of CURVE.Fp`);return CURVE=Object.freeze(Object.assign({},CURVE)),{CURVE,Fp,Fn}}
function createKeygen(randomSecretKey,getPublicKey){return function(seed){let secretKey=randomSecretKey(seed);return{secretKey,publicKey:getPublicKey(secretKey)}}}var _0n4=BigInt(0),DERErr=class extends Error{constructor(m=""){super(m)}},_DER={Err:DERErr,_tlv:{encode:(tag,data)=>{let{Err:E}=_DER;if(asafenumber(tag,"tag"),
tag<0||tag>255)throw new E("tlv.encode: wrong tag");if(astring(data,"data"),data.length&1)throw new E("tlv.encode: unpadded data");let dataLen=data.length/2,len=numberToHexUnpadded(
dataLen);if(len.length/2&128)throw new E("tlv.encode: long form length too big");let lenLen=dataLen>127?numberToHexUnpadded(len.length/2|128):"";return numberToHexUnpadded(
tag)+lenLen+len+data},decode(tag,data){let{Err:E}=_DER;data=abytes2(data,void 0,"DER data");let pos=0;if(tag<0||tag>255)throw new E("tlv.decode: wrong tag");if(data.
length<2||data[pos++]!==tag)throw new E("tlv.decode: wrong tlv");let first=data[pos++],isLong=!!(first&128),length=0;if(!isLong)length=first;else{let lenLen=first&
127;if(!lenLen)throw new E("tlv.decode(long): indefinite length not supported");if(lenLen>4)throw new E("tlv.decode(long): byte length is too big");let lengthBytes=data.
subarray(pos,pos+lenLen);if(lengthBytes.length!==lenLen)throw new E("tlv.decode: length bytes not complete");if(lengthBytes[0]===0)throw new E("tlv.decode(long)\
: zero leftmost byte");for(let b of lengthBytes)length=length<<8|b;if(pos+=lenLen,length<128)throw new E("tlv.decode(long): not minimal encoding")}let v=data.subarray(
pos,pos+length);if(v.length!==length)throw new E("tlv.decode: wrong value length");return{v,l:data.subarray(pos+length)}}},_int:{encode(num){let{Err:E}=_DER;if(abignumber(
num),num<_0n4)throw new E("integer: negative integers are not allowed");let hex=numberToHexUnpadded(num);if(Number.parseInt(hex[0],16)&8&&(hex="00"+hex),hex.length&
1)throw new E("unexpected DER parsing assertion: unpadded hex");return hex},decode(data){let{Err:E}=_DER;if(data.length<1)throw new E("invalid signature integer\
: empty");if(data[0]&128)throw new E("invalid signature integer: negative");if(data.length>1&&data[0]===0&&!(data[1]&128))throw new E("invalid signature integer\
: unnecessary leading zero");return bytesToNumberBE(data)}},toSig(bytes,maxScalarBytes){let{Err:E,_int:int,_tlv:tlv}=_DER;if(maxScalarBytes!==void 0&&(asafenumber(
maxScalarBytes,"maxScalarBytes"),maxScalarBytes<1))throw new E("invalid signature: maxScalarBytes must be positive");let data=abytes2(bytes,void 0,"signature"),
{v:seqBytes,l:seqLeftBytes}=tlv.decode(48,data);if(seqLeftBytes.length)throw new E("invalid signature: left bytes after parsing");let{v:rBytes,l:rLeftBytes}=tlv.
decode(2,seqBytes),{v:sBytes,l:sLeftBytes}=tlv.decode(2,rLeftBytes);if(sLeftBytes.length)throw new E("invalid signature: left bytes after parsing");if(maxScalarBytes!==
void 0&&(rBytes.length>maxScalarBytes||sBytes.length>maxScalarBytes))throw new E("invalid signature: integer too large");return{r:int.decode(rBytes),s:int.decode(
sBytes)}},hexFromSig(sig){let{_tlv:tlv,_int:int}=_DER;validateObject(sig,{r:"bigint",s:"bigint"},{},"sig");let rs=tlv.encode(2,int.encode(sig.r)),ss=tlv.encode(
2,int.encode(sig.s)),seq=rs+ss;return tlv.encode(48,seq)}},DER=(Object.freeze(_DER._tlv),Object.freeze(_DER._int),Object.freeze(_DER));var divNearest=(num,den)=>(num+(num>=0?den:-den)/_2n2)/den;function _splitEndoScalar(k,basis,n){aInRange("scalar",k,_0n5,n);let[[a1,b1],[a2,b2]]=basis,c1=divNearest(
b2*k,n),c2=divNearest(-b1*k,n),k1=k-c1*a1-c2*a2,k2=-c1*b1-c2*b2,k1neg=k1<_0n5,k2neg=k2<_0n5;k1neg&&(k1=-k1),k2neg&&(k2=-k2);let MAX_NUM=bitMask(Math.ceil(bitLen(
n)/2))+_1n4;if(k1<_0n5||k1>=MAX_NUM||k2<_0n5||k2>=MAX_NUM)throw new Error("splitScalar (endomorphism): failed for k");return{k1neg,k1,k2neg,k2}}function validateSigFormat(format){
if(!["compact","recovered","der"].includes(format))throw new Error('Signature format must be "compact", "recovered", or "der"');return format}function validateSigOpts(opts,def){
validateObject(opts);let optsn={};for(let optName of Object.keys(def))optsn[optName]=opts[optName]===void 0?def[optName]:opts[optName];return abool2(optsn.lowS,
"lowS"),abool2(optsn.prehash,"prehash"),optsn.format!==void 0&&validateSigFormat(optsn.format),optsn}var _0n5=BigInt(0),_1n4=BigInt(1),_2n2=BigInt(2),_3n2=BigInt(
3),_4n3=BigInt(4);function weierstrass(params,extraOpts={}){let validated=createCurveFields("weierstrass",params,extraOpts),Fp=validated.Fp,Fn=validated.Fn,CURVE=validated.
CURVE,{h:cofactor,n:CURVE_ORDER}=CURVE;validateObject(extraOpts,{},{allowInfinityPoint:"boolean",clearCofactor:"function",isTorsionFree:"function",fromBytes:"fu\
nction",toBytes:"function",endo:"object",randomBytes:"function"});let{endo:endoOpts,allowInfinityPoint,clearCofactor,isTorsionFree,fromBytes,toBytes}=extraOpts,
randomBytes3=extraOpts.randomBytes===void 0?randomBytes2:extraOpts.randomBytes;if(endoOpts&&(!Fp.is0(CURVE.a)||typeof endoOpts.beta!="bigint"||!Array.isArray(endoOpts.
basises)))throw new Error('invalid endo: expected "beta": bigint and "basises": array');let endo=endoOpts?{beta:endoOpts.beta,basises:endoOpts.basises.map(basis=>[
...basis])}:void 0,lengths=getWLengths(Fp,Fn);function assertCompressionIsSupported(){if(!Fp.isOdd)throw new Error("compression is not supported: Field does not\
 have .isOdd()")}function pointToBytes(_c,point,isCompressed){if(point.is0()){if(!allowInfinityPoint)throw new Error("bad point: ZERO");return Uint8Array.of(0)}
let{x,y}=point.toAffine(),bx=Fp.toBytes(x);if(abool2(isCompressed,"isCompressed"),isCompressed){assertCompressionIsSupported();let hasEvenY=!Fp.isOdd(y);return concatBytes2(
pprefix(hasEvenY),bx)}else return concatBytes2(Uint8Array.of(4),bx,Fp.toBytes(y))}function pointFromBytes(bytes){abytes2(bytes,void 0,"Point");let{publicKey:comp,
publicKeyUncompressed:uncomp}=lengths,length=bytes.length,head=bytes[0],tail=bytes.subarray(1);if(allowInfinityPoint&&length===1&&head===0)return{x:Fp.ZERO,y:Fp.
ZERO};if(length===comp&&(head===2||head===3)){let x=Fp.fromBytes(tail);if(!Fp.isValid(x))throw new Error("bad point: is not on curve, wrong x");let y2=weierstrassEquation(
x),y;try{y=Fp.sqrt(y2)}catch(sqrtError){let err=sqrtError instanceof Error?": "+sqrtError.message:"";throw new Error("bad point: is not on curve, sqrt error"+err)}
assertCompressionIsSupported();let evenY=Fp.isOdd(y);return(head&1)===1!==evenY&&(y=Fp.neg(y)),{x,y}}else if(length===uncomp&&head===4){let L=Fp.BYTES,x=Fp.fromBytes(
tail.subarray(0,L)),y=Fp.fromBytes(tail.subarray(L,L*2));if(!isValidXY(x,y))throw new Error("bad point: is not on curve");return{x,y}}else throw new Error(`bad \
point: got length ${length}, expected compressed=${comp} or uncompressed=${uncomp}`)}let encodePoint=toBytes===void 0?pointToBytes:toBytes,decodePoint=fromBytes===
void 0?pointFromBytes:fromBytes,b3=Fp.mul(CURVE.b,_3n2),mulA=Fp.is0(CURVE.a)?_=>Fp.ZERO:x=>Fp.mul(CURVE.a,x);function weierstrassEquation(x){let x2=Fp.sqr(x),x3=Fp.
mul(x2,x);return Fp.add(Fp.add(x3,Fp.mul(x,CURVE.a)),CURVE.b)}function isValidXY(x,y){let left=Fp.sqr(y),right=weierstrassEquation(x);return Fp.eql(left,right)}
if(!isValidXY(CURVE.Gx,CURVE.Gy))throw new Error("bad curve params: generator point");let _4a3=Fp.mul(Fp.pow(CURVE.a,_3n2),_4n3),_27b2=Fp.mul(Fp.sqr(CURVE.b),BigInt(
27));if(Fp.is0(Fp.add(_4a3,_27b2)))throw new Error("bad curve params: a or b");function acoord(title,n,banZero=!1){if(!Fp.isValid(n)||banZero&&Fp.is0(n))throw new Error(
`bad point coordinate ${title}`);return typeof n=="object"&&n!==null?Fp.create(n):n}function aprjpoint(other){if(!(other instanceof Point))throw new Error("Weie\
rstrass Point expected")}function splitEndoScalarN(k){if(!endo||!endo.basises)throw new Error("no endo");return _splitEndoScalar(k,endo.basises,Fn.ORDER)}function pushWnafPair(points,scalars,p,k){
if(!Fn.isValid(k))throw new RangeError("invalid scalar: out of range");if(endo){let{k1neg,k1,k2neg,k2}=splitEndoScalarN(k),psi=new Point(Fp.mul(p.X,endo.beta),p.
Y,p.Z);points.push(k1neg?p.negate():p,k2neg?psi.negate():psi),scalars.push(k1,k2)}else points.push(p),scalars.push(k)}let validityCache=new WeakSet;class Point{static BASE=new Point(
CURVE.Gx,CURVE.Gy,Fp.ONE);static ZERO=new Point(Fp.ZERO,Fp.ONE,Fp.ZERO);static Fp=Fp;static Fn=Fn;X;Y;Z;constructor(X,Y,Z){this.X=acoord("x",X),this.Y=acoord("y",
Y,!0),this.Z=acoord("z",Z),Object.freeze(this)}static CURVE(){return CURVE}static fromAffine(p){let{x,y}=p||{};if(!p||!Fp.isValid(x)||!Fp.isValid(y))throw new Error(
"invalid affine point");if(p instanceof Point)throw new Error("projective point not allowed");return Fp.is0(x)&&Fp.is0(y)?Point.ZERO:new Point(x,y,Fp.ONE)}static fromBytes(bytes){
let P=Point.fromAffine(decodePoint(abytes2(bytes,void 0,"point")));return P.assertValidity(),P}static fromHex(hex){return Point.fromBytes(hexToBytes2(hex))}get x(){
return this.toAffine().x}get y(){return this.toAffine().y}precompute(windowSize=6,isLazy=!0){return wnaf.setWindowSize(this,windowSize),isLazy||this.multiply(_3n2),
this}assertValidity(){let p=this;if(p.is0()){if(allowInfinityPoint&&Fp.is0(p.X)&&Fp.eql(p.Y,Fp.ONE)&&Fp.is0(p.Z))return;throw new Error("bad point: ZERO")}if(validityCache.
has(p))return;let{x,y}=p.toAffine();if(!Fp.isValid(x)||!Fp.isValid(y))throw new Error("bad point: x or y not field elements");if(!isValidXY(x,y))throw new Error(
"bad point: equation left != right");if(!p.isTorsionFree())throw new Error("bad point: not in prime-order subgroup");validityCache.add(p)}hasEvenY(){let{y}=this.
toAffine();if(!Fp.isOdd)throw new Error("Field doesn't support isOdd");return!Fp.isOdd(y)}equals(other){aprjpoint(other);let{X:X1,Y:Y1,Z:Z1}=this,{X:X2,Y:Y2,Z:Z2}=other,
U1=Fp.eql(Fp.mul(X1,Z2),Fp.mul(X2,Z1)),U2=Fp.eql(Fp.mul(Y1,Z2),Fp.mul(Y2,Z1));return U1&&U2}negate(){return new Point(this.X,Fp.neg(this.Y),this.Z)}double(){let{
X:X1,Y:Y1,Z:Z1}=this,X3=Fp.ZERO,Y3=Fp.ZERO,Z3=Fp.ZERO,t0=Fp.mul(X1,X1),t1=Fp.mul(Y1,Y1),t2=Fp.mul(Z1,Z1),t3=Fp.mul(X1,Y1);return t3=Fp.add(t3,t3),Z3=Fp.mul(X1,Z1),
Z3=Fp.add(Z3,Z3),X3=mulA(Z3),Y3=Fp.mul(b3,t2),Y3=Fp.add(X3,Y3),X3=Fp.sub(t1,Y3),Y3=Fp.add(t1,Y3),Y3=Fp.mul(X3,Y3),X3=Fp.mul(t3,X3),Z3=Fp.mul(b3,Z3),t2=mulA(t2),
t3=Fp.sub(t0,t2),t3=mulA(t3),t3=Fp.add(t3,Z3),Z3=Fp.add(t0,t0),t0=Fp.add(Z3,t0),t0=Fp.add(t0,t2),t0=Fp.mul(t0,t3),Y3=Fp.add(Y3,t0),t2=Fp.mul(Y1,Z1),t2=Fp.add(t2,
t2),t0=Fp.mul(t2,t3),X3=Fp.sub(X3,t0),Z3=Fp.mul(t2,t1),Z3=Fp.add(Z3,Z3),Z3=Fp.add(Z3,Z3),new Point(X3,Y3,Z3)}add(other){aprjpoint(other);let{X:X1,Y:Y1,Z:Z1}=this,
{X:X2,Y:Y2,Z:Z2}=other,X3=Fp.ZERO,Y3=Fp.ZERO,Z3=Fp.ZERO,t0=Fp.mul(X1,X2),t1=Fp.mul(Y1,Y2),t2=Fp.mul(Z1,Z2),t3=Fp.add(X1,Y1),t4=Fp.add(X2,Y2);t3=Fp.mul(t3,t4),t4=
Fp.add(t0,t1),t3=Fp.sub(t3,t4),t4=Fp.add(X1,Z1);let t5=Fp.add(X2,Z2);return t4=Fp.mul(t4,t5),t5=Fp.add(t0,t2),t4=Fp.sub(t4,t5),t5=Fp.add(Y1,Z1),X3=Fp.add(Y2,Z2),
t5=Fp.mul(t5,X3),X3=Fp.add(t1,t2),t5=Fp.sub(t5,X3),Z3=mulA(t4),X3=Fp.mul(b3,t2),Z3=Fp.add(X3,Z3),X3=Fp.sub(t1,Z3),Z3=Fp.add(t1,Z3),Y3=Fp.mul(X3,Z3),t1=Fp.add(t0,
t0),t1=Fp.add(t1,t0),t2=mulA(t2),t4=Fp.mul(b3,t4),t1=Fp.add(t1,t2),t2=Fp.sub(t0,t2),t2=mulA(t2),t4=Fp.add(t4,t2),t0=Fp.mul(t1,t4),Y3=Fp.add(Y3,t0),t0=Fp.mul(t5,
t4),X3=Fp.mul(t3,X3),X3=Fp.sub(X3,t0),t0=Fp.mul(t3,t1),Z3=Fp.mul(t5,Z3),Z3=Fp.add(Z3,t0),new Point(X3,Y3,Z3)}subtract(other){return aprjpoint(other),this.add(other.
negate())}is0(){return this.equals(Point.ZERO)}multiply(scalar){if(!Fn.isValidNot0(scalar))throw new RangeError("invalid scalar: out of range");let{p,f}=wnaf.mulSecret(
this,scalar,cofactor,normalize);return normalize([p,f])[0]}multiplyUnsafe(scalar){let p=this,sc=scalar;if(!Fn.isValid(sc))throw new RangeError("invalid scalar: \
out of range");if(sc===_0n5||p.is0())return Point.ZERO;if(sc===_1n4)return p;if(wnaf.hasWindowSize(this))return wnaf.mulUnsafe(p,sc,normalize);let points=[],scalars=[];
return pushWnafPair(points,scalars,p,sc),mulAddUnsafe(Point,points,scalars)}mulAddUnsafe(a,other,b){aprjpoint(other);let points=[],scalars=[];return pushWnafPair(
points,scalars,this,a),pushWnafPair(points,scalars,other,b),mulAddUnsafe(Point,points,scalars)}toAffine(invertedZ){let p=this,iz=invertedZ;if(iz!=null&&!Fp.isValid(
iz))throw new RangeError('"invertedZ" expected valid field element');let{X,Y,Z}=p;if(Fp.eql(Z,Fp.ONE))return{x:X,y:Y};let is0=p.is0();iz==null&&(iz=is0?Fp.ONE:Fp.
inv(Z));let x=Fp.mul(X,iz),y=Fp.mul(Y,iz),zz=Fp.mul(Z,iz);if(is0)return{x:Fp.ZERO,y:Fp.ZERO};if(!Fp.eql(zz,Fp.ONE))throw new Error("invZ was invalid");return{x,
y}}isTorsionFree(){return cofactor===_1n4?!0:isTorsionFree?isTorsionFree(Point,this):wnaf.mulUnsafe(this,CURVE_ORDER).is0()}clearCofactor(){return cofactor===_1n4?
this:clearCofactor?clearCofactor(Point,this):this.multiplyUnsafe(cofactor)}isSmallOrder(){return cofactor===_1n4?this.is0():this.clearCofactor().is0()}toBytes(isCompressed=!0){
return abool2(isCompressed,"isCompressed"),this.assertValidity(),encodePoint(Point,this,isCompressed)}toHex(isCompressed=!0){return bytesToHex2(this.toBytes(isCompressed))}toString(){
return`<Point ${this.is0()?"ZERO":this.toHex()}>`}}let normalize=points=>normalizeZ(Point,points),wnaf=new ScalarMultiplier(Point,randomBytes3);return wnaf.bits>=
6&&Point.BASE.precompute(6),Object.freeze(Point.prototype),Object.freeze(Point),Point}function pprefix(hasEvenY){return Uint8Array.of(hasEvenY?2:3)}function getWLengths(Fp,Fn){
return{secretKey:Fn.BYTES,publicKey:1+Fp.BYTES,publicKeyUncompressed:1+2*Fp.BYTES,publicKeyHasPrefix:!0,signature:2*Fn.BYTES}}function ecdh(Point,ecdhOpts={}){validatePointCons(
Point);let{Fn}=Point,randomBytes_=ecdhOpts.randomBytes===void 0?randomBytes2:ecdhOpts.randomBytes,lengths=Object.assign(getWLengths(Point.Fp,Fn),{seed:Math.max(
getMinHashLength(Fn.ORDER),16)});function isValidSecretKey(secretKey){try{let num=Fn.fromBytes(secretKey);return Fn.isValidNot0(num)}catch{return!1}}function isValidPublicKey(publicKey,isCompressed){
let{publicKey:comp,publicKeyUncompressed}=lengths;try{let l=publicKey.length;return isCompressed===!0&&l!==comp||isCompressed===!1&&l!==publicKeyUncompressed?!1:
!Point.fromBytes(publicKey).is0()}catch{return!1}}function randomSecretKey(seed){return seed=seed===void 0?randomBytes_(lengths.seed):seed,mapHashToField(abytes2(
seed,lengths.seed,"seed"),Fn.ORDER)}function getPublicKey(secretKey,isCompressed=!0){return Point.BASE.multiply(Fn.fromBytes(secretKey)).toBytes(isCompressed)}function isProbPub(item){
let{secretKey,publicKey,publicKeyUncompressed}=lengths,allowedLengths=Fn._lengths;if(!isBytes2(item))return;let l=abytes2(item,void 0,"key").length,isPub=l===publicKey||
l===publicKeyUncompressed,isSec=l===secretKey||!!allowedLengths?.includes(l);if(!(isPub&&isSec))return isPub}function getSharedSecret(secretKeyA,publicKeyB,isCompressed=!0){
if(isProbPub(secretKeyA)===!0)throw new Error("first arg must be private key");if(isProbPub(publicKeyB)===!1)throw new Error("second arg must be public key");let s=Fn.
fromBytes(secretKeyA),b=Point.fromBytes(publicKeyB);if(b.is0())throw new Error("invalid public key: point at infinity");return b.multiply(s).toBytes(isCompressed)}
let utils={isValidSecretKey,isValidPublicKey,randomSecretKey},keygen=createKeygen(randomSecretKey,getPublicKey);return Object.freeze(utils),Object.freeze(lengths),
Object.freeze({getPublicKey,getSharedSecret,keygen,Point,utils,lengths})}function ecdsa(Point,hash,ecdsaOpts={}){validatePointCons(Point);let hash_=hash;ahash(hash_),
validateObject(ecdsaOpts,{},{hmac:"function",lowS:"boolean",randomBytes:"function",bits2int:"function",bits2int_modN:"function"});let opts=Object.assign({},ecdsaOpts),
randomBytes3=opts.randomBytes===void 0?randomBytes2:opts.randomBytes,hmac2=opts.hmac===void 0?(key,msg)=>hmac(hash_,key,msg):opts.hmac,{Fp,Fn}=Point,{ORDER:CURVE_ORDER,
BITS:fnBits}=Fn,blindLength=getMinHashLength(CURVE_ORDER),csprng=probeRandomBytes(randomBytes3,blindLength),{keygen,getPublicKey,getSharedSecret,utils,lengths}=ecdh(
Point,opts),defaultSigOpts={prehash:!0,lowS:typeof opts.lowS=="boolean"?opts.lowS:!0,format:"compact",extraEntropy:!1},hasLargeRecoveryLifts=CURVE_ORDER*_2n2+_1n4<
Fp.ORDER;function isBiggerThanHalfOrder(number){let HALF=CURVE_ORDER>>_1n4;return number>HALF}function validateRS(title,num){if(!Fn.isValidNot0(num))throw new Error(
`invalid signature ${title}: out of range 1..Point.Fn.ORDER`);return num}function assertFieldSignIsSupported(){if(!Fp.isOdd)throw new Error("Field doesn't suppo\
rt isOdd")}function getRecoveryBit(x,y,r){return assertFieldSignIsSupported(),(x===r?0:2)|Number(Fp.isOdd(y))}function assertRecoverableCurve(){if(hasLargeRecoveryLifts)
throw new Error('"recovered" sig type is not supported for cofactor >2 curves')}function validateSigLength(bytes,format){validateSigFormat(format);let size=lengths.
signature,sizer=format==="compact"?size:format==="recovered"?size+1:void 0;return abytes2(bytes,sizer)}class Signature{r;s;recovery;constructor(r,s,recovery){if(this.
r=validateRS("r",r),this.s=validateRS("s",s),recovery!=null){if(assertRecoverableCurve(),![0,1,2,3].includes(recovery))throw new Error("invalid recovery id");this.
recovery=recovery}Object.freeze(this)}static fromBytes(bytes,format=defaultSigOpts.format){validateSigLength(bytes,format);let recid;if(format==="der"){if(bytes.
length>2*Fn.BYTES+16)throw new DER.Err("invalid signature: DER signature too long");let{r:r2,s:s2}=DER.toSig(abytes2(bytes),Fn.BYTES+1);return new Signature(r2,
s2)}format==="recovered"&&(recid=bytes[0],format="compact",bytes=bytes.subarray(1));let L=lengths.signature/2,r=bytes.subarray(0,L),s=bytes.subarray(L,L*2);return new Signature(
Fn.fromBytes(r),Fn.fromBytes(s),recid)}static fromHex(hex,format){return this.fromBytes(hexToBytes2(hex),format)}assertRecovery(){let{recovery}=this;if(recovery==
null)throw new Error("invalid recovery id: must be present");return recovery}addRecoveryBit(recovery){return new Signature(this.r,this.s,recovery)}recoverPublicKey(messageHash){
let{r,s}=this,recovery=this.assertRecovery(),radj=recovery===2||recovery===3?r+CURVE_ORDER:r;if(!Fp.isValid(radj))throw new Error("invalid recovery id: sig.r+cu\
rve.n != R.x");let x=Fp.toBytes(radj),R=Point.fromBytes(concatBytes2(pprefix((recovery&1)===0),x)),ir=Fn.inv(radj),h=bits2int_modN(abytes2(messageHash,void 0,"m\
sgHash")),u1=Fn.create(-h*ir),u2=Fn.create(s*ir),Q=Point.BASE.mulAddUnsafe(u1,R,u2);if(Q.is0())throw new Error("invalid recovery: point at infinify");return Q.assertValidity(),
Q}hasHighS(){return isBiggerThanHalfOrder(this.s)}toBytes(format=defaultSigOpts.format){if(validateSigFormat(format),format==="der")return hexToBytes2(DER.hexFromSig(
this));let{r,s}=this,rb=Fn.toBytes(r),sb=Fn.toBytes(s);return format==="recovered"?(assertRecoverableCurve(),concatBytes2(Uint8Array.of(this.assertRecovery()),rb,
sb)):concatBytes2(rb,sb)}toHex(format){return bytesToHex2(this.toBytes(format))}}Object.freeze(Signature.prototype),Object.freeze(Signature);let bits2int=opts.bits2int===
void 0?function(bytes){if(bytes.length>8192)throw new Error("input is too large");let num=bytesToNumberBE(bytes),delta=bytes.length*8-fnBits;return delta>0?num>>
BigInt(delta):num}:opts.bits2int,bits2int_modN=opts.bits2int_modN===void 0?function(bytes){return Fn.create(bits2int(bytes))}:opts.bits2int_modN,ORDER_MASK=bitMask(
fnBits);function int2octets(num){return aInRange("num < 2^"+fnBits,num,_0n5,ORDER_MASK),Fn.toBytes(num)}function validateMsgAndHash(message,prehash){return abytes2(
message,void 0,"message"),prehash?abytes2(hash_(message),void 0,"prehashed message"):message}function prepSig(message,secretKey,opts2){let{lowS,prehash,extraEntropy}=validateSigOpts(
opts2,defaultSigOpts);message=validateMsgAndHash(message,prehash);let h1int=bits2int_modN(message),d=Fn.fromBytes(secretKey);if(!Fn.isValidNot0(d))throw new Error(
"invalid private key");let seedArgs=[int2octets(d),int2octets(h1int)];if(extraEntropy!=null&&extraEntropy!==!1){let e=extraEntropy===!0?randomBytes3(lengths.secretKey):
extraEntropy;seedArgs.push(abytes2(e,void 0,"extraEntropy"))}let seed=concatBytes2(...seedArgs),m=h1int;function k2sig(kBytes){let k=bits2int(kBytes);if(!Fn.isValidNot0(
k))return;let q=Point.BASE.multiply(k).toAffine(),r=Fn.create(q.x);if(r===_0n5)return;let s;if(csprng!==void 0){let b=bytesToNumberBE(mapHashToField(csprng(blindLength),
CURVE_ORDER)),ibk=Fn.inv(Fn.mul(b,k)),bm=Fn.mul(b,m),bd=Fn.mul(b,d);s=Fn.create(ibk*Fn.create(bm+bd*r))}else{let ik=invertCt(k,CURVE_ORDER);s=Fn.create(ik*Fn.create(
m+r*d))}if(s===_0n5)return;let recovery=getRecoveryBit(q.x,q.y,r),normS=s;return lowS&&isBiggerThanHalfOrder(s)&&(normS=Fn.neg(s),recovery^=1),new Signature(r,normS,
hasLargeRecoveryLifts?void 0:recovery)}return{seed,k2sig}}function sign(message,secretKey,opts2={}){let{seed,k2sig}=prepSig(message,secretKey,opts2);return createHmacDrbg(
hash_.outputLen,Fn.BYTES,hmac2)(seed,k2sig).toBytes(opts2.format)}function verify(signature,message,publicKey,opts2={}){let{lowS,prehash,format}=validateSigOpts(
opts2,defaultSigOpts);if(publicKey=abytes2(publicKey,void 0,"publicKey"),message=validateMsgAndHash(message,prehash),!isBytes2(signature)){let end=signature instanceof
Signature?", use sig.toBytes()":"";throw new Error("verify expects Uint8Array signature"+end)}validateSigLength(signature,format);try{let sig=Signature.fromBytes(
signature,format),P=Point.fromBytes(publicKey);if(P.is0()||lowS&&sig.hasHighS())return!1;let{r,s}=sig,h=bits2int_modN(message),is=Fn.inv(s),u1=Fn.create(h*is),u2=Fn.
create(r*is),R=Point.BASE.mulAddUnsafe(u1,P,u2);if(R.is0())return!1;let q=R.toAffine();return!(Fn.create(q.x)!==r||format==="recovered"&&sig.recovery!==getRecoveryBit(
q.x,q.y,r))}catch{return!1}}function recoverPublicKey(signature,message,opts2={}){let{prehash}=validateSigOpts(opts2,defaultSigOpts);return message=validateMsgAndHash(
message,prehash),Signature.fromBytes(signature,"recovered").recoverPublicKey(message).toBytes()}return Object.freeze({keygen,getPublicKey,getSharedSecret,utils,
lengths,Point,sign,verify,recoverPublicKey,Signature,hash:hash_})}var U32_MASK64=BigInt(4294967295),_32n=BigInt(32);function fromBig(n,le=!1){return le?{h:Number(n&U32_MASK64),l:Number(n>>_32n&U32_MASK64)}:{h:Number(n>>_32n&U32_MASK64)|
0,l:Number(n&U32_MASK64)|0}}function split(lst,le=!1){let len=lst.length,Ah=new Uint32Array(len),Al=new Uint32Array(len);for(let i=0;i<len;i++){let{h,l}=fromBig(
lst[i],le);[Ah[i],Al[i]]=[h,l]}return[Ah,Al]}var _0n6=BigInt(0),_1n5=BigInt(1),_2n3=BigInt(2),_7n2=BigInt(7),_256n=BigInt(256),_0x71n=BigInt(113),SHA3_PI=[],SHA3_ROTL=[],_SHA3_IOTA=[];for(let round=0,R=_1n5,
x=1,y=0;round<24;round++){[x,y]=[y,(2*x+3*y)%5],SHA3_PI.push(2*(5*y+x)),SHA3_ROTL.push((round+1)*(round+2)/2%64);let t=_0n6;for(let j=0;j<7;j++)R=(R<<_1n5^(R>>_7n2)*
_0x71n)%_256n,R&_2n3&&(t^=_1n5<<(_1n5<<BigInt(j))-_1n5);_SHA3_IOTA.push(t)}var IOTAS=split(_SHA3_IOTA,!0),SHA3_IOTA_H=IOTAS[0],SHA3_IOTA_L=IOTAS[1],rotlSH=(h,l,s)=>h<<
s|l>>>32-s,rotlSL=(h,l,s)=>l<<s|h>>>32-s,rotlBH=(h,l,s)=>l<<s-32|h>>>64-s,rotlBL=(h,l,s)=>h<<s-32|l>>>64-s,rotlH=(h,l,s)=>s>32?rotlBH(h,l,s):rotlSH(h,l,s),rotlL=(h,l,s)=>s>
32?rotlBL(h,l,s):rotlSL(h,l,s),B=new Uint32Array(10);function keccakP(s,rounds=24){if(!(s instanceof Uint32Array))throw new TypeError('"s" expected Uint32Array(\
50), got type='+typeof s);if(s.length!==50)throw new RangeError('"s" expected Uint32Array(50), got length='+s.length);if(anumber(rounds,"rounds"),rounds<1||rounds>
24)throw new Error('"rounds" expected integer 1..24');for(let round=24-rounds;round<24;round++){for(let x=0;x<10;x++)B[x]=s[x]^s[x+10]^s[x+20]^s[x+30]^s[x+40];for(let x=0;x<
10;x+=2){let idx1=(x+8)%10,idx0=(x+2)%10,B0=B[idx0],B1=B[idx0+1],Th=rotlH(B0,B1,1)^B[idx1],Tl=rotlL(B0,B1,1)^B[idx1+1];for(let y=0;y<50;y+=10)s[x+y]^=Th,s[x+y+1]^=
Tl}let curH=s[2],curL=s[3];for(let t=0;t<24;t++){let shift=SHA3_ROTL[t],Th=rotlH(curH,curL,shift),Tl=rotlL(curH,curL,shift),PI=SHA3_PI[t];curH=s[PI],curL=s[PI+1],
s[PI]=Th,s[PI+1]=Tl}for(let y=0;y<50;y+=10){let b0=s[y],b1=s[y+1],b2=s[y+2],b3=s[y+3];s[y]^=~s[y+2]&s[y+4],s[y+1]^=~s[y+3]&s[y+5],s[y+2]^=~s[y+4]&s[y+6],s[y+3]^=
~s[y+5]&s[y+7],s[y+4]^=~s[y+6]&s[y+8],s[y+5]^=~s[y+7]&s[y+9],s[y+6]^=~s[y+8]&b0,s[y+7]^=~s[y+9]&b1,s[y+8]^=~b0&b2,s[y+9]^=~b1&b3}s[0]^=SHA3_IOTA_H[round],s[1]^=
SHA3_IOTA_L[round]}clean(B)}var Keccak=class _Keccak{state;pos=0;posOut=0;finished=!1;state32;destroyed=!1;blockLen;suffix;outputLen;canXOF;enableXOF=!1;rounds;constructor(blockLen,suffix,outputLen,enableXOF=!1,rounds=24){
if(anumber(blockLen,"blockLen"),anumber(suffix,"suffix"),anumber(rounds,"rounds"),abool(enableXOF,"enableXOF"),this.blockLen=blockLen,this.suffix=suffix,this.outputLen=
outputLen,this.enableXOF=enableXOF,this.canXOF=enableXOF,this.rounds=rounds,anumber(outputLen,"outputLen"),!(0<blockLen&&blockLen<200))throw new Error('"blockLe\
n" must be 1..199');this.state=new Uint8Array(200),this.state32=u32(this.state)}clone(){return this._cloneInto()}keccak(){swap32IfBE(this.state32),keccakP(this.
state32,this.rounds),swap32IfBE(this.state32),this.posOut=0,this.pos=0}update(data){aexists(this),abytes(data);let{blockLen,state,state32}=this,len=data.length,
canUseU32=blockLen%4===0&&data.byteOffset%4===0,blockLen32=blockLen/4,data32=canUseU32&&len>=blockLen?u32(data):void 0;for(let pos=0;pos<len;){if(data32!==void 0&&
this.pos===0&&pos%4===0&&len-pos>=blockLen){for(let i=0,o=pos/4;i<blockLen32;i++)state32[i]^=data32[o+i];pos+=blockLen,this.pos=blockLen,this.keccak();continue}
let take=Math.min(blockLen-this.pos,len-pos);for(let i=0;i<take;i++)state[this.pos++]^=data[pos++];this.pos===blockLen&&this.keccak()}return this}finish(){if(this.
finished)return;this.finished=!0;let{state,suffix,pos,blockLen}=this;state[pos]^=suffix,(suffix&128)!==0&&pos===blockLen-1&&this.keccak(),state[blockLen-1]^=128,
this.keccak()}writeInto(out){aexists(this,!1),abytes(out),this.finish();let bufferOut=this.state,{blockLen}=this;for(let pos=0,len=out.length;pos<len;){this.posOut>=
blockLen&&this.keccak();let take=Math.min(blockLen-this.posOut,len-pos);out.set(bufferOut.subarray(this.posOut,this.posOut+take),pos),this.posOut+=take,pos+=take}
return out}xofInto(out){if(!this.enableXOF)throw new Error("XOF is not enabled");return this.writeInto(out)}xof(bytes){return anumber(bytes),this.xofInto(new Uint8Array(
bytes))}digestInto(out){if(aoutput(out,this),this.finished)throw new Error("digest() was already called");this.writeInto(out.length===this.outputLen?out:out.subarray(
0,this.outputLen)),this.destroy()}digest(){let out=new Uint8Array(this.outputLen);return this.digestInto(out),out}destroy(){this.destroyed=!0,clean(this.state)}_cloneInto(to){
let{blockLen,suffix,outputLen,rounds,enableXOF}=this;return to||=new _Keccak(blockLen,suffix,outputLen,enableXOF,rounds),to.blockLen=blockLen,to.state32.set(this.
state32),to.pos=this.pos,to.posOut=this.posOut,to.finished=this.finished,to.rounds=rounds,to.suffix=suffix,to.outputLen=outputLen,to.enableXOF=enableXOF,to.canXOF=
this.canXOF,to.destroyed=this.destroyed,to}},genKeccak=(suffix,blockLen,outputLen,info={})=>createHasher(()=>new Keccak(blockLen,suffix,outputLen),info);var keccak_256=genKeccak(1,136,32);var secp256k1=weierstrass({p:0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn,n:0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
h:1n,a:0n,b:7n,Gx:0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,Gy:0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n}),signatures=ecdsa(
secp256k1,keccak_256),keccak256=bytes=>keccak_256(bytes),expand=key=>secp256k1.fromBytes(key).toBytes(!1);function recover(digest,rs,parity){return expand(signatures.
recoverPublicKey(Uint8Array.of(parity,...rs),digest,{prehash:!1}))}return __toCommonJS(primitives_exports);})();
return primitives;
}
