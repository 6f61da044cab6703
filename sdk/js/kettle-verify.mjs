/**
 * kettle-verify.mjs - checks the attestation of a Kettle node, once, and from then on its signed statements: in a browser or Node.js 20,
 * without any installation.
 *
 *   import { verifyAttestation, verifyStatement } from "./kettle-verify.mjs";
 *   const { signer, setup } = verifyAttestation(await attested.text(), { policy, nonce, network: "mainnet" });
 *
 * A statement is EIP-712 typed data with a 65-byte signature: what a call returned, what a block, an account or a storage slot is,
 * which checkpoint stands, which logs a range of blocks has, what a receipt is.
 *
 *   const { message } = verifyStatement(await answer.text(), { signer, setup, chainId: 1, maxAge: 120, request: { to, data } });
 *
 * It asks nobody and keeps nothing: the time is the caller's, what to accept is the caller's. Whatever is not exactly as demanded is
 * a KettleError with a stable `code`. This file is built from src/ by build.mjs; the vendored primitives stand below with their licences.
 */

const { expand, isP256Point, keccak256, P256_ORDER, recover, sha256, sha384, sha512, verifyP256 } = vendoredPrimitives();

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
  LogsStatement: [
    ["to", "Block"],
    ["fromNumber", "uint64"],
    ["filterHash", "bytes32"],
    ["logsHash", "bytes32"],
    ["count", "uint32"],
    ["complete", "bool"],
    ...SEAL,
  ],
  RpcStatement: [AT, ["method", "string"], ["paramsHash", "bytes32"], ["resultHash", "bytes32"], ...SEAL],
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
  "wrong-result": "the result beside it is not the one that was signed",
  "wrong-block": "about another block",
  "block-too-low": "about a block below the demanded minimum",
  "not-final": "the block's finality is below the demanded one",
  expired: "its validUntil has passed",
  "too-old": "the block is older than maxAge",
  "from-the-future": "the block is more than maxAge ahead of the given time",
  reverted: "the call reverted",
  halted: "the call ended without a result",
  // of attestations, as tee/fault.def and `kettle verify` have them
  E_TRUNCATED: "the quote ends too early",
  E_TRAILING: "bytes behind the end of the quote are not zero",
  E_VERSION: "the quote's version is not 4 or 5",
  E_KEYTYPE: "the quote's attestation key is not ECDSA P-256",
  E_TEETYPE: "the quote is not of a TDX guest",
  E_VENDOR: "the quoting enclave is not Intel's",
  E_BODYTYPE: "the quote's body is not a TD report 1.0 or 1.5",
  E_BODYSIZE: "the quote's body size does not fit its type",
  E_CERTTYPE_OUTER: "the quote's certification data is not a QE report",
  E_CERTSIZE: "a size inside the quote's signature section does not fit",
  E_CERTTYPE_INNER: "the quote's PCK certification data is not a PEM chain",
  E_PEM: "the certificate chain is not well-formed PEM",
  E_LIMIT: "the input is larger than its maximum",
  E_CHAINLEN: "the certificate chain has another number of certificates",
  E_CHAINORDER: "the certificate chain is not in the order leaf, intermediate, root",
  E_ROOT: "the chain's root is not the pinned one",
  E_CHAINSIG: "a certificate's signature does not verify",
  E_CHAINTIME: "a certificate is not valid at this time",
  E_CHAINUSAGE: "a certificate may not be used for this",
  E_CHAINNAME: "a certificate has another name than its place in the chain demands",
  E_CERT: "a certificate does not parse",
  E_CERTKEY: "a certificate's key or signature is not ECDSA P-256 with SHA-256",
  E_CRL_MISSING: "a revocation list is missing",
  E_CRL_ISSUER: "a revocation list is of another issuer",
  E_CRL_SIG: "a revocation list's signature does not verify",
  E_CRL_TIME: "a revocation list is not valid at this time",
  E_CRL_EXT: "a revocation list lacks its number or its authority key identifier",
  E_CRL: "a revocation list does not parse",
  E_REVOKED: "a certificate of the chain is revoked",
  E_SGXEXT: "the PCK certificate's SGX extension is missing or malformed",
  E_COLLATERAL: "the collateral container is malformed or a part is missing",
  E_TCB_JSON: "the TCB info is malformed",
  E_TCB_SIG: "the TCB info's signature does not verify",
  E_TCB_TIME: "the TCB info is not valid at this time",
  E_TCB_ID: "the TCB info is not of this TEE, version 3",
  E_FMSPC: "the TCB info is of another FMSPC than the PCK certificate",
  E_PCEID: "the TCB info is of another PCEID than the PCK certificate",
  E_TCB_COMPONENTS: "a TCB level has not exactly 16 components of 0 to 255",
  E_QEID_JSON: "the QE identity is malformed",
  E_QEID_SIG: "the QE identity's signature does not verify",
  E_QEID_TIME: "the QE identity is not valid at this time",
  E_QEID_ID: "the QE identity is not of this TEE, version 2",
  E_COLLATERAL_AGE: "collateral is older than the policy allows",
  E_QE_SIG: "the QE report's signature by the PCK key does not verify",
  E_QE_BINDING: "the QE report does not vouch for the attestation key",
  E_QE_MISC: "the quoting enclave's MISCSELECT is not the identity's",
  E_QE_ATTR: "the quoting enclave's attributes are not the identity's",
  E_QE_DEBUG: "the quoting enclave runs in debug mode",
  E_QE_SIGNER: "the quoting enclave's MRSIGNER is not the identity's",
  E_QE_PRODID: "the quoting enclave's ISVPRODID is not the identity's",
  E_QE_SVN: "the quoting enclave's ISVSVN is below every level",
  E_QUOTE_SIG: "the quote's signature does not verify",
  E_POINT: "a key is not a point of the curve, or a signature's r or s is out of range",
  E_MODULE_SIGNER: "MRSIGNERSEAM is not the TDX module identity's",
  E_MODULE_ATTR: "SEAMATTRIBUTES are not the TDX module identity's",
  E_MODULE_ID: "the TCB info has no identity for this TDX module version",
  E_MODULE_SVN: "the TDX module's ISVSVN is below every level",
  E_TCB_UNSUPPORTED: "no TCB level matches the platform",
  E_MODULE2_ID: "the TCB info has no identity for the TDX module version that runs now",
  E_MODULE2_SVN: "the ISVSVN of the TDX module that runs now is below every level",
  E_TCB2_UNSUPPORTED: "no TCB level matches the platform as it runs now (TEE_TCB_SVN2)",
  E_TCB2_ZERO: "the report says nothing of the TCB that runs now: TEE_TCB_SVN2 is all zero",
  E_TCB_STATUS: "the policy does not accept this TCB status",
  E_ADVISORY: "the policy denies an advisory of this TCB",
  E_EVAL_NUMBER: "the TCB evaluation data number is below the policy's",
  E_TD_DEBUG: "the TD runs in debug mode",
  E_TD_RESERVED: "the TD has attributes that the policy wants clear",
  E_TD_SEPT: "the TD runs without SEPT_VE_DISABLE",
  E_TD_SERVICE: "the TD is served by a service TD",
  E_TD_FIELD: "XFAM, MRCONFIGID, MROWNER or MROWNERCONFIG is not the policy's",
  E_MEASUREMENT: "the measurements are not in the policy",
  E_EVENTLOG: "the event log is malformed or does not lead to the quote's registers",
  E_EVENT_REQUIRED: "an event that the policy requires is not in the event log",
  E_REPORTDATA: "the quote's report data is not the expected one",
  E_POLICY: "the policy is malformed",
  E_SIMULATED: "simulated evidence under a policy that does not name the simulator",
  E_PLATFORM: "the policy does not list this platform",
  E_POLICY_CHAIN: "the chain id is not the policy's",
  E_POLICY_GENESIS: "the chain's genesis validators root is not the policy's",
  E_POLICY_SETUP: "the setup is not the policy's",
  E_EVIDENCE_TYPE: "the evidence type is not allowed, or not the one offered",
  E_ATTESTATION: "not an answer of GET /v1/attest",
  E_NONCE: "the attestation does not answer the expected nonce",
  E_KEY: "the attested key is not the expected one",
  E_DEVELOPMENT: "the node runs in development: whoever sent its setup chose the chain, the policy and what is trusted",
  E_NETWORK: "the node follows another network, or calls by its name what is none",
  E_CHAIN_ID: "the chain id is not the expected one",
  E_CHECKPOINT: "the cluster did not start from the demanded checkpoint",
  E_SETUP: "the setup is not the demanded one",
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
const METHOD = /^[0-9A-Za-z_]{1,64}$/;
const HIGHEST = { status: 2, finality: 2 };

function checkValue(type, value, field) {
  const bits = Number(/^uint(\d+)$/.exec(type)?.[1]);
  let good;
  if (type === "bool") good = value === true; // the one there is says that logs are complete
  else if (type === "string") good = typeof value === "string" && METHOD.test(value);
  else if (HEX[type]) good = typeof value === "string" && HEX[type].test(value);
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

const LETTERS = /^[0-9A-Za-z]+$/;
const PLAIN_DEPTH = 8;

/**
 * The canonical JSON (RFC 8785) of a value that is made of objects and lists, at most so many in each other, null, true, false, and texts
 * and names of letters and digits. What is not is refused with the code.
 */
function plainJson(value, code, field, depth = PLAIN_DEPTH) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string" && LETTERS.test(value)) return `"${value}"`;
  const names = isObject(value) ? Object.keys(value).sort() : [];
  if (!depth || !(isObject(value) || Array.isArray(value)) || !names.every((name) => LETTERS.test(name)))
    refuse(code, field, "must be made of objects, lists, and texts and names of letters and digits");
  const inner = (one) => plainJson(one, code, field, depth - 1);
  if (Array.isArray(value)) return `[${Array.from(value, inner).join(",")}]`;
  return `{${names.map((name) => `"${name}":${inner(value[name])}`).join(",")}}`;
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

/** Checks the form of a statement in every member. */
function checkForm(statement) {
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
}

/** The statement of an answer {statement, result} of the types that have one, and the canonical JSON of the result. */
function openAnswer(answer) {
  if (!own(answer, "statement")) return { statement: answer };
  checkNames(answer, ["statement", "result"], "");
  if (!isObject(answer.statement)) refuse("bad-value", "statement", "not an object");
  return { statement: answer.statement, result: answer.result };
}

/**
 * A private copy of a statement (JSON text or a parsed object), whose form is right in every member, with `result` and its canonical
 * JSON when the input is an answer {statement, result}.
 */
function readAnswer(input) {
  let text = input;
  if (typeof input !== "string")
    try {
      text = JSON.stringify(input) ?? "null";
    } catch {
      refuse("malformed");
    }
  const answer = parse(text);
  if (!isObject(answer)) refuse("malformed");
  const read = openAnswer(answer);
  checkForm(read.statement);
  if (own(read, "result") && !RESULTS[read.statement.type]) refuse("unknown-member", "result");
  if (own(read, "result")) read.canonical = plainJson(read.result, "bad-value", "result");
  // No value above holds white space or needs an escape, so what remains must be what JSON.stringify writes: no member twice, no 1e0.
  if (text.replace(/[ \t\r\n]/g, "") !== JSON.stringify(answer)) refuse("malformed");
  return read;
}

const readStatement = (input) => readAnswer(input).statement;

// ---- EIP-712

const fromHex = (hex) => Uint8Array.from(hex.slice(2).match(/../g) ?? [], (byte) => parseInt(byte, 16));
const toHex = (bytes) => "0x" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const hashOf = (text) => toHex(hashText(text));
const word = (number) => fromHex("0x" + BigInt(number).toString(16).padStart(64, "0"));
const hashText = (text) => keccak256(new TextEncoder().encode(text));
const hashAll = (parts) => keccak256(Uint8Array.from(parts.flatMap((part) => [...part])));

const plainType = (type) => `${type}(${MEMBERS[type].map(([name, kind]) => `${kind} ${name}`).join(",")})`;
const usedStructs = (type) => STRUCTS.filter((name) => MEMBERS[type].some(([, kind]) => kind === name));

/**
 * The EIP-712 type string of a statement or of one of its structs, for example "Block(uint64 number,…)"; its keccak-256 is the type hash.
 * @param {string} type  "CallStatement", "BlockStatement", "AccountStatement", "StorageStatement", "CheckpointStatement", "LogsStatement", "RpcStatement", "Block" or "Call"
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
  if (type === "string") return hashText(value);
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

/** An option that is there and undefined demands nothing, where its caller believes that it does: a variable that was never set. */
function checkOptions(options, names) {
  if (!isObject(options)) refuse("bad-option", "", "no options");
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) refuse("bad-option", name, "unknown");
    if (value === undefined) refuse("bad-option", name, "is undefined: leave it out if nothing is demanded");
  }
}

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
  LogsStatement: { fromBlock: undefined, address: null, topics: null },
  RpcStatement: { method: undefined, params: undefined },
};
/** type of statement: the member with the hash of the result that stands beside it. */
const RESULTS = { LogsStatement: "logsHash", RpcStatement: "resultHash" };

/** What a request for logs, or of a method, must have made of the statement's members. */
const ASKED = {
  LogsStatement: ({ fromBlock, address, topics }) => {
    const given = Object.entries({ address, topics }).filter(([, value]) => (value ?? null) !== null);
    return {
      fromNumber: asNumber(fromBlock, 64, "request.fromBlock"),
      filterHash: hashOf(plainJson(Object.fromEntries(given), "bad-option", "request", PLAIN_DEPTH + 1)),
    };
  },
  RpcStatement: ({ method, params }) => {
    if (typeof method !== "string") refuse("bad-option", "request.method", "not a text");
    if (!Array.isArray(params)) refuse("bad-option", "request.params", "not a list");
    return { method, paramsHash: hashOf(plainJson(params, "bad-option", "request.params")) };
  },
};

/** A call's request with the hash of its overrides in their place. */
function bindOverrides(request) {
  const { stateOverride, blockOverride, ...rest } = request;
  const given = Object.entries({ blockOverride, stateOverride }).filter(([, value]) => (value ?? null) !== null);
  const members = given.map(([name, value]) => {
    if (!isObject(value)) refuse("bad-option", `request.${name}`, "not an object");
    return `"${name}":${plainJson(value, "bad-option", `request.${name}`)}`;
  });
  if (!members.length) return rest;
  const overrides = hashOf(`{${members.join(",")}}`);
  if (asHex("bytes32", rest.overrides ?? overrides, "request.overrides") !== overrides)
    refuse("bad-option", "request.overrides", "not the hash of stateOverride and blockOverride");
  return { ...rest, overrides };
}

function checkRequest({ type, message }, request) {
  const members = REQUESTS[type];
  if (!members) {
    if (request !== undefined && request !== null) refuse("wrong-type", "type", "this statement answers no request");
    return;
  }
  if (request === null) return;
  if (!isObject(request)) refuse("bad-option", "request", "what was asked must be given, or null");
  const asked = type === "CallStatement" ? bindOverrides(request) : request;
  for (const name of Object.keys(asked))
    if (!own(members, name)) {
      const known = Object.values(REQUESTS).some((other) => own(other, name));
      refuse(
        known ? "wrong-type" : "bad-option",
        known ? "type" : `request.${name}`,
        "this statement answers another kind of request",
      );
    }
  if (ASKED[type]) {
    for (const [name, wanted] of Object.entries(ASKED[type](asked)))
      if (wanted !== message[name]) refuse("wrong-request", `message.${name}`);
    return;
  }
  const [kind, said] = type === "CallStatement" ? ["Call", message.call] : [type, message];
  for (const name of Object.keys(members)) {
    const wanted = asked[name] ?? members[name] ?? refuse("bad-option", `request.${name}`, "is missing");
    const memberType = MEMBERS[kind].find(([member]) => member === name)[1];
    if (asMember(memberType, wanted, `request.${name}`) !== said[name]) refuse("wrong-request", name);
  }
}

/**
 * hashStruct of a call: what KettleVerifier.sol is given as `callHash`.
 * @param {object} request  {to, data?, from?, value?, gas?, stateOverride?, blockOverride?, overrides?} as for verifyStatement
 * @returns {string} 32 bytes, hex
 * @throws {KettleError} "bad-option" when a member is missing, unknown or not of its form
 */
export function callHash(request) {
  if (!isObject(request)) refuse("bad-option", "request", "not an object");
  const members = REQUESTS.CallStatement;
  const asked = bindOverrides(request);
  for (const name of Object.keys(asked)) if (!own(members, name)) refuse("bad-option", `request.${name}`, "unknown");
  const member = ([name, kind]) => {
    const value = asked[name] ?? members[name] ?? refuse("bad-option", `request.${name}`, "is missing");
    return [name, asMember(kind, value, `request.${name}`)];
  };
  return hashStruct("Call", Object.fromEntries(MEMBERS.Call.map(member)));
}

function checkResult({ statement: { type, message }, result, canonical }) {
  if (canonical === undefined) return;
  if (hashOf(canonical) !== message[RESULTS[type]]) refuse("wrong-result", "result");
  if (type === "LogsStatement" && !(Array.isArray(result) && result.length === message.count)) refuse("wrong-result", "result");
}

/** The block of a message, and the name of its member. */
const blockOf = (message) => (message.at ? ["at", message.at] : ["to", message.to]);

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
  const [name, at] = blockOf(message);
  const [field, stamp] = at
    ? [`message.${name}.timestamp`, at.timestamp]
    : ["message.issuedAt", message.issuedAt];
  if (time - BigInt(stamp) > allowed) refuse("too-old", field);
  if (BigInt(stamp) - time > allowed) refuse("from-the-future", field);
}

function checkBlock({ message }, { block, minBlock, minFinality }) {
  const [name, at] = blockOf(message);
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
    if (said !== wanted) refuse("wrong-block", `message.${name}.${byHash ? "hash" : "number"}`);
  }
  if (minBlock !== undefined && BigInt(at.number) < BigInt(asNumber(minBlock, 64, "minBlock")))
    refuse("block-too-low", `message.${name}.number`);
  if (minFinality === undefined) return;
  const least = FINALITIES.indexOf(minFinality);
  if (least < 0) refuse("bad-option", "minFinality", `not one of ${FINALITIES.join(", ")}`);
  if (at.finality < least) refuse("not-final", `message.${name}.finality`);
}

/**
 * Checks one statement against what the caller demands, and returns what it says.
 *
 * @param {string|object} statement  what the node answered: JSON text (then also checked for members given twice), or parsed; of logs and
 *   receipts the whole answer {statement, result}, whose result must be the one that was signed, or the statement alone
 * @param {object} options  unknown names, and undefined, are refused, so that a slip of the pen demands nothing less
 * @param {string} [options.signer]       the address whose signature is accepted (from the quote that you checked once)
 * @param {string[]} [options.signers]    or several of them
 * @param {number|bigint|string} options.chainId  the chain that the statement must be about
 * @param {string} [options.setup]        the setup (32 bytes, hex) under which it must have been made
 * @param {string} [options.type]         the type that it must be, for example "BlockStatement"
 * @param {object|null} [options.request] what was asked: {to, data?, from?, value?, gas?, stateOverride?, blockOverride?, overrides?} of a
 *   call (overrides: the hash of the two before it, in their place or beside them), {account} or {account, slot}, {fromBlock, address?,
 *   topics?} of logs, {method, params}; required for these five types; null accepts the answer to any request
 * @param {number|bigint|string|null} [options.maxAge]  seconds that the block (of a checkpoint: issuedAt) may lie from `now`, both ways:
 *   120 suits latest, 1500 finalized. Required unless `block` is given; null accepts any age
 * @param {number|bigint|string} [options.block]     the block's number, or its hash (66 characters)
 * @param {number|bigint|string} [options.minBlock]  the lowest block number accepted: the highest one that you saw
 * @param {"latest"|"safe"|"finalized"} [options.minFinality]  the least finality of the block
 * @param {boolean} [options.allowRevert]  accept a call that reverted (status 0, result = revert data) or halted (status 2) too
 * @param {number|bigint|string} [options.now]  the caller's time in seconds since 1970; this machine's clock when absent
 * @returns {{type: string, chainId: number, signer: string, digest: string, message: object, result?: any}}  a copy of what was verified
 * @throws {KettleError} with a code of CODES
 */
export function verifyStatement(statement, options) {
  checkOptions(options, OPTIONS);
  if (options.allowRevert !== undefined && typeof options.allowRevert !== "boolean")
    refuse("bad-option", "allowRevert", "not true or false");
  const accepted = acceptedSigners(options);
  const chainId = asNumber(options.chainId, 256, "chainId");
  const setup = options.setup === undefined ? undefined : asHex("bytes32", options.setup, "setup");
  const answer = readAnswer(statement);
  const read = answer.statement;
  if (options.type !== undefined && options.type !== read.type) refuse("wrong-type", "type");
  if (String(read.domain.chainId) !== chainId) refuse("wrong-chain", "domain.chainId");
  const signer = signerOf(read);
  if (signer !== read.signer || !accepted.includes(signer)) refuse("wrong-signer", "signer");
  if (setup !== undefined && setup !== read.message.setup) refuse("wrong-setup", "message.setup");
  checkRequest(read, options.request);
  checkResult(answer);
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
    ...(answer.canonical !== undefined && { result: answer.result }),
  };
}

// ---- JSON as strictly as the node's own program reads it: integers apart from other numbers, no member twice, no lone surrogate

const DEPTH_MAX = 64;
const VALUES_MAX = 400000;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const INT64_MAX = (1n << 63n) - 1n;
const INT64_DIGITS_MAX = 20; // its sign counted
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = { true: true, false: false, null: null };

/** Objects become Maps, integers bigints, other numbers numbers. Throws a SyntaxError. */
function parseStrictly(text) {
  let at = 0;
  let values = 0;
  const fail = () => {
    throw new SyntaxError("no JSON");
  };
  const space = () => {
    while (" \t\n\r".includes(text[at]) && at < text.length) at++;
  };
  const expect = (c) => (text[at] === c ? at++ : fail());
  const escape = () => {
    const c = text[at++];
    if (c !== "u") return ESCAPES[c] ?? fail();
    const digits = text.slice(at, (at += 4));
    return /^[0-9a-fA-F]{4}$/.test(digits) ? String.fromCharCode(parseInt(digits, 16)) : fail();
  };
  const string = () => {
    let out = "";
    expect('"');
    for (;;) {
      const from = at;
      while (text[at] !== '"' && text[at] !== "\\" && text[at] >= " ") at++;
      out += text.slice(from, at);
      if (text[at] === '"') break;
      expect("\\");
      out += escape();
    }
    at++;
    return out.includes("\0") || /\p{Surrogate}/u.test(out) ? fail() : out;
  };
  const number = () => {
    NUMBER.lastIndex = at;
    const found = NUMBER.exec(text) ?? fail();
    at = NUMBER.lastIndex;
    if (found[1] !== undefined || found[2] !== undefined) {
      const real = Number(found[0]);
      return Number.isFinite(real) ? real : fail();
    }
    if (found[0].length > INT64_DIGITS_MAX) fail(); // before it is converted: that takes more than linear time
    const whole = BigInt(found[0]);
    return whole > INT64_MAX || whole < -INT64_MAX - 1n ? fail() : whole;
  };
  const members = (depth, close, one) => {
    if (depth >= DEPTH_MAX) fail();
    at++;
    space();
    if (text[at] === close) return at++;
    for (;;) {
      space();
      one();
      space();
      if (text[at] === close) return at++;
      expect(",");
    }
  };
  const value = (depth) => {
    space();
    if (++values > VALUES_MAX) fail();
    if (text[at] === "{") {
      const object = new Map();
      members(depth, "}", () => {
        const name = string();
        if (object.has(name)) fail();
        space();
        expect(":");
        object.set(name, value(depth + 1));
      });
      return object;
    }
    if (text[at] === "[") {
      const list = [];
      members(depth, "]", () => list.push(value(depth + 1)));
      return list;
    }
    if (text[at] === '"') return string();
    for (const word of Object.keys(WORDS))
      if (text.startsWith(word, at)) {
        at += word.length;
        return WORDS[word];
      }
    return number();
  };
  const whole = value(0);
  space();
  return at === text.length ? whole : fail();
}

/** A value without spaces, members in the order of their names: RFC 8785 for what statements are made of. */
function canonical(value) {
  if (value instanceof Map)
    return `{${[...value.keys()]
      .sort()
      .map((name) => `${JSON.stringify(name)}:${canonical(value.get(name))}`)
      .join(",")}}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

const utf8 = (text) => new TextEncoder().encode(text);
const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
const bytesOf = (digits) => fromHex(`0x${digits}`);

const FORMS = { "0x": /^0x((?:[0-9a-f]{2})*)$/i, bare: /^((?:[0-9a-f]{2})*)$/i, any: /^(?:0x)?((?:[0-9a-f]{2})*)$/i };

/**
 * A place in a document, from which members are read by their kind; the first that is wrong is a refusal with the document's code.
 * Where a member is absent or null, opt… readers give undefined. With undefined as its name the place itself is read: an element of a list.
 */
class Place {
  constructor(value, doc, path = "") {
    Object.assign(this, { value, doc, path, used: new Set() });
    doc.places.push(this);
  }

  /** Opens a text: `strict` refuses members that nobody reads. */
  static open(text, code, { strict = false, bytesMax = Infinity, tooLong = code } = {}) {
    const doc = { code, strict, places: [] };
    let value;
    if (utf8(text).length > bytesMax) refuse(tooLong);
    try {
      value = parseStrictly(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      refuse(code, "", "no JSON as it must be");
    }
    if (!(value instanceof Map) && !Array.isArray(value)) refuse(code, "", "neither an object nor a list");
    return new Place(value, doc);
  }

  fail(name, text) {
    const inside = typeof name === "number" ? `[${name}]` : name && this.path ? `.${name}` : (name ?? "");
    refuse(this.doc.code, this.path + inside, text);
  }

  #raw(name) {
    if (name === undefined) return this.value ?? undefined; // the place itself
    if (!(this.value instanceof Map)) this.fail(undefined, "must be an object");
    this.used.add(name);
    return this.value.get(name) ?? undefined;
  }

  has(name) {
    return this.value instanceof Map && (this.value.get(name) ?? undefined) !== undefined;
  }

  /** A member by a reader of values; wanted: it must be there. */
  #read(name, wanted, reader) {
    const value = this.#raw(name);
    if (value !== undefined) return reader(value);
    return wanted ? this.fail(name, "is missing") : undefined;
  }

  #member(name, value) {
    const inside = typeof name === "number" ? `[${name}]` : this.path ? `.${name}` : name;
    return new Place(value, this.doc, this.path + inside);
  }

  #object(name, wanted) {
    return this.#read(name, wanted, (v) =>
      v instanceof Map ? this.#member(name, v) : this.fail(name, "must be an object"),
    );
  }

  object = (name) => this.#object(name, true);
  optObject = (name) => this.#object(name, false);

  /** The elements as places. */
  #list(name, wanted, min, max, alone) {
    return this.#read(name, wanted, (value) => {
      const list = Array.isArray(value) ? value : alone ? [value] : this.fail(name, "must be a list");
      if (list.length < min || list.length > max) this.fail(name, `must have ${min} to ${max} elements`);
      return list.map((one, i) => this.#member(name === undefined ? i : `${name}[${i}]`, one));
    });
  }

  list = (name, min, max) => this.#list(name, true, min, max, false);
  optList = (name, min, max) => this.#list(name, false, min, max, false);
  optValues = (name, max) => this.#list(name, false, 1, max, true);

  #check(name, value, good, text) {
    return good ? value : this.fail(name, text);
  }

  #textOf = (name, min, max) => (v) => {
    const n = typeof v === "string" ? utf8(v).length : -1;
    return this.#check(name, v, n >= min && n <= max, `must be a text of ${min} to ${max} bytes`);
  };
  #u64Of = (name, min, max) => (v) =>
    Number(this.#check(name, v, typeof v === "bigint" && v >= min && v <= max, `must be a number from ${min} to ${max}`));
  #hexOf = (name, min, max, form) => (v) => {
    const found = typeof v === "string" ? FORMS[form].exec(v) : null;
    const n = found ? found[1].length / 2 : -1;
    return this.#check(name, found && bytesOf(found[1]), n >= min && n <= max, `must be ${min} to ${max} bytes as hex`);
  };
  #wordOf = (name, words) => (v) => this.#check(name, v, words.includes(v), `must be one of ${words.join(", ")}`);
  #boolOf = (name) => (v) => this.#check(name, v, typeof v === "boolean", "must be true or false");
  #timeOf = (name) => (v) => {
    const at = typeof v === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(v) ? civil(v.match(/\d+/g)) : undefined;
    return this.#check(name, at, at !== undefined && at >= 0, "must be a time");
  };

  text = (name, min = 0, max = Infinity) => this.#read(name, true, this.#textOf(name, min, max));
  optText = (name, min = 0, max = Infinity) => this.#read(name, false, this.#textOf(name, min, max));
  u64 = (name, min, max) => this.#read(name, true, this.#u64Of(name, min, max));
  optU64 = (name, min, max) => this.#read(name, false, this.#u64Of(name, min, max));
  hex = (name, n, form = "any") => this.#read(name, true, this.#hexOf(name, n, n, form));
  optHex = (name, n, form = "any") => this.#read(name, false, this.#hexOf(name, n, n, form));
  bytes = (name, min, max) => this.#read(name, true, this.#hexOf(name, min, max, "any"));
  optBytes = (name, min, max) => this.#read(name, false, this.#hexOf(name, min, max, "any"));
  word = (name, words) => this.#read(name, true, this.#wordOf(name, words));
  bool = (name) => this.#read(name, true, this.#boolOf(name));
  optBool = (name) => this.#read(name, false, this.#boolOf(name));
  time = (name) => this.#read(name, true, this.#timeOf(name));
  optTime = (name) => this.#read(name, false, this.#timeOf(name));

  /** The names of an object's members, which are free. */
  names() {
    return [...this.value.keys()].map((name) => this.used.add(name) && name);
  }

  skip(name) {
    this.used.add(name);
  }

  /** No member below is left that nobody read. */
  done() {
    if (!this.doc.strict) return;
    for (const place of this.doc.places)
      if (place.value instanceof Map)
        for (const name of place.value.keys()) if (!place.used.has(name)) place.fail(name, "unknown key");
  }
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Year, month, day, hour, minute, second (texts) as Unix seconds; undefined: no such moment. */
function civil(parts) {
  const [y, m, d, h, i, s] = parts.map(Number);
  const leap = (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;
  if (y < 1 || m < 1 || m > 12 || d < 1 || d > DAYS[m - 1] + (m === 2 && leap ? 1 : 0)) return undefined;
  if (h > 23 || i > 59 || s > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(y, m - 1, d);
  date.setUTCHours(h, i, s);
  return date.getTime() / 1000;
}

// ---- DER, PEM, certificates and revocation lists of Intel's SGX hierarchy

/** Reads bytes from the left; turns bad at the first that are missing, and is asked once. */
class Reader {
  constructor(bytes, bad = false) {
    Object.assign(this, { bytes, at: 0, bad });
  }
  get left() {
    return this.bad ? 0 : this.bytes.length - this.at;
  }
  get done() {
    return !this.bad && this.at === this.bytes.length;
  }
  take(n) {
    if (this.bad || n > this.bytes.length - this.at) {
      this.bad = true;
      return new Uint8Array(0);
    }
    return this.bytes.subarray(this.at, (this.at += n));
  }
  le(n) {
    return this.take(n).reduceRight((x, byte) => x * 256 + byte, 0);
  }
  be(n) {
    return this.take(n).reduce((x, byte) => x * 256 + byte, 0);
  }

  // DER: definite lengths in their shortest form

  get tag() {
    return this.left ? this.bytes[this.at] : 0;
  }
  #length() {
    const first = this.be(1);
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) this.bad = true;
    const n = this.be(count);
    if (n < 0x80 || n < 256 ** (count - 1)) this.bad = true;
    return n;
  }
  value(tag) {
    if (this.tag !== tag) this.bad = true;
    this.take(1);
    return this.take(this.#length());
  }
  whole(tag) {
    const from = this.at;
    this.value(tag);
    return this.bad ? new Uint8Array(0) : this.bytes.subarray(from, this.at);
  }
  enter(tag) {
    const value = this.value(tag);
    return new Reader(value, this.bad);
  }
  /** An INTEGER or ENUMERATED that is not negative: big-endian, without leading zeros. */
  unsigned(tag = INTEGER) {
    const v = this.value(tag);
    if (!v.length || v[0] & 0x80 || (v.length > 1 && v[0] === 0 && !(v[1] & 0x80))) this.bad = true;
    return v[0] === 0 ? v.subarray(1) : v;
  }
  bool() {
    const v = this.value(BOOLEAN);
    if (v.length !== 1 || (v[0] !== 0 && v[0] !== 0xff)) this.bad = true;
    return v[0] === 0xff;
  }
  time() {
    const utc = this.tag === UTC_TIME;
    const text = latin1(this.value(utc ? UTC_TIME : GENERAL_TIME));
    const found = (utc ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text);
    const parts = found?.slice(1);
    if (parts && utc) parts[0] = (Number(parts[0]) < 50 ? "20" : "19") + parts[0];
    const at = parts && civil(parts);
    if (at === undefined) this.bad = true;
    return at ?? 0;
  }
}

const [BOOLEAN, INTEGER, BITS, OCTETS, OID, ENUM, UTC_TIME, GENERAL_TIME, SEQUENCE, SET] = [
  0x01, 0x02, 0x03, 0x04, 0x06, 0x0a, 0x17, 0x18, 0x30, 0x31,
];
const ECDSA_SHA256 = bytesOf("300a06082a8648ce3d040302");
const P256_SPKI = bytesOf("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
const ID = { cn: "550403", keyUsage: "551d0f", constraints: "551d13", subjectKey: "551d0e", authorityKey: "551d23", number: "551d14" };
const ID_SGX = "2a864886f84d010d01";
const TEXT_TAGS = [0x0c, 0x13, 0x14, 0x16]; // UTF8String, PrintableString, TeletexString, IA5String
const SIGNATURE = 0x80;
const CA_USAGE = 0x04 | 0x02; // keyCertSign, cRLSign

const latin1 = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
const digits = (bytes) => toHex(bytes).slice(2);
const concat = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const bigOf = (bytes) => (bytes.length ? BigInt(toHex(bytes)) : 0n);

/** Bytes of base64 in its one spelling, line ends aside; undefined: it is none. */
function base64(text) {
  const plain = text.replace(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain)) return undefined;
  const binary = atob(plain);
  return btoa(binary) === plain ? Uint8Array.from(binary, (c) => c.charCodeAt(0)) : undefined;
}

/** A PEM block at the start of a text: its bytes and the text behind it. */
function takePem(text, label, code) {
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const stop = text.indexOf("-", begin.length);
  const bytes = text.startsWith(begin) && text.startsWith(end, stop) && base64(text.slice(begin.length, stop));
  if (!bytes) refuse(code);
  return { bytes, rest: text.slice(stop + end.length), block: text.slice(0, stop + end.length) };
}

/** SEQUENCE { what is signed, algorithm, signature }. */
function signedOf(der) {
  const whole = new Reader(der);
  const r = whole.enter(SEQUENCE);
  const parts = { tbs: r.whole(SEQUENCE), algorithm: r.whole(SEQUENCE) };
  const bits = r.enter(BITS);
  const unused = bits.be(1);
  parts.signature = bits.take(bits.left);
  return bits.bad || unused !== 0 || !r.done || !whole.done ? undefined : parts;
}

/** "good", "bad", or "point" when the key is none or r, s out of range. A high s is taken, as everywhere in X.509 and quotes. */
function p256(rs, digest, key) {
  const [r, s] = [bigOf(rs.subarray(0, 32)), bigOf(rs.subarray(32))];
  if (r === 0n || s === 0n || r >= P256_ORDER || s >= P256_ORDER || !isP256Point(key)) return "point";
  return verifyP256(rs, digest, key) ? "good" : "bad";
}

function signatureHolds({ tbs, signature }, key) {
  const whole = new Reader(signature);
  const r = whole.enter(SEQUENCE);
  const numbers = [r.unsigned(), r.unsigned()];
  if (!r.done || !whole.done || numbers.some((n) => n.length > 32)) return false;
  const rs = new Uint8Array(64);
  numbers.forEach((n, i) => rs.set(n, 32 * (i + 1) - n.length));
  return p256(rs, sha256(tbs), key) === "good";
}

/** {oid, critical, value} of each; undefined: malformed. */
function extensionsOf(list) {
  const out = [];
  while (list.left) {
    const e = list.enter(SEQUENCE);
    const oid = digits(e.value(OID));
    const critical = e.tag === BOOLEAN ? e.bool() : false;
    const value = e.value(OCTETS);
    if (!e.done) return undefined;
    out.push({ oid, critical, value });
  }
  return list.bad ? undefined : out;
}

function commonNames(name) {
  const names = [];
  const list = new Reader(name).enter(SEQUENCE);
  while (list.left) {
    const set = list.enter(SET);
    while (set.left) {
      const pair = set.enter(SEQUENCE);
      const oid = digits(pair.value(OID));
      const tag = pair.tag;
      const value = pair.value(tag);
      if (!pair.done) refuse("E_CERT");
      if (oid === ID.cn) names.push(TEXT_TAGS.includes(tag) && value.length < 128 ? latin1(value) : refuse("E_CERT"));
    }
    if (set.bad) refuse("E_CERT");
  }
  if (list.bad || names.length > 1) refuse("E_CERT");
  return names[0] ?? refuse("E_CHAINNAME");
}

/** What of a certificate stands in its extensions. */
function readExtensions(c, list) {
  const find = (oid) => {
    const found = list.filter((e) => e.oid === oid);
    if (found.length > 1) refuse(oid === ID_SGX ? "E_SGXEXT" : "E_CERT");
    return found[0];
  };
  if (list.some(({ oid }, i) => find(oid) !== list[i])) refuse("E_CERT");
  const within = (oid, read) => {
    const e = find(oid);
    if (!e) return undefined;
    const r = new Reader(e.value);
    const out = read(r);
    return r.done ? out : refuse("E_CERT");
  };
  c.subjectKey = within(ID.subjectKey, (r) => r.value(OCTETS));
  c.authorityKey = within(ID.authorityKey, (r) => {
    const inner = r.enter(SEQUENCE);
    return inner.tag === 0x80 ? inner.value(0x80) : undefined;
  });
  if (!find(ID.constraints)?.critical || !find(ID.keyUsage)?.critical) refuse("E_CHAINUSAGE");
  within(ID.constraints, (r) => {
    const inner = r.enter(SEQUENCE);
    c.ca = inner.tag === BOOLEAN ? inner.bool() : false;
    c.pathLength = inner.tag === INTEGER ? Number(bigOf(inner.unsigned())) : -1;
    if (!inner.done) refuse("E_CERT");
  });
  c.usage = within(ID.keyUsage, (r) => r.value(BITS)[1] ?? 0);
  c.sgx = find(ID_SGX)?.value;
  if (c.sgx?.length > 1024) refuse("E_SGXEXT");
  const known = [ID.constraints, ID.keyUsage, ID.subjectKey, ID.authorityKey, ID_SGX];
  if (list.some((e) => e.critical && !known.includes(e.oid))) refuse("E_CHAINUSAGE");
}

/** One certificate of a PEM text, and what stands behind it. */
function readCertificate(text) {
  const { bytes: der, rest, block } = takePem(text, "CERTIFICATE", "E_PEM");
  if (der.length > 4096) refuse("E_LIMIT");
  const parts = signedOf(der) ?? refuse("E_CERT");
  if (!same(parts.algorithm, ECDSA_SHA256)) refuse("E_CERTKEY");
  const whole = new Reader(parts.tbs);
  const t = whole.enter(SEQUENCE);
  const version = t.enter(0xa0);
  const c = { der, block, parts };
  if (bigOf(version.unsigned()) !== 2n || !version.done) refuse("E_CERT");
  c.serial = bigOf(t.value(INTEGER));
  if (!same(t.whole(SEQUENCE), parts.algorithm)) refuse("E_CERT");
  c.issuer = t.whole(SEQUENCE);
  const validity = t.enter(SEQUENCE);
  c.notBefore = validity.time();
  c.notAfter = validity.time();
  c.subject = t.whole(SEQUENCE);
  const spki = t.whole(SEQUENCE);
  for (const tag of [0x81, 0x82]) if (t.tag === tag) t.value(tag);
  const outer = t.enter(0xa3);
  const list = extensionsOf(outer.enter(SEQUENCE));
  if (!validity.done || !list || !outer.done || !t.done || !whole.done) refuse("E_CERT");
  if (spki.length !== P256_SPKI.length + 64 || !same(spki.subarray(0, P256_SPKI.length), P256_SPKI)) refuse("E_CERTKEY");
  c.key = spki.subarray(P256_SPKI.length);
  c.cn = commonNames(c.subject);
  readExtensions(c, list);
  return { certificate: c, rest };
}

/** Exactly so many certificates, line ends and perhaps one NUL behind them. */
function readChain(text, count) {
  if (utf8(text).length > 16384) refuse("E_LIMIT");
  const certificates = [];
  for (let rest = text.replace(/\0$/, ""); rest; ) {
    if (certificates.length === count) refuse("E_CHAINLEN");
    const one = readCertificate(rest);
    certificates.push(one.certificate);
    rest = one.rest.replace(/^[\r\n]+/, "");
  }
  return certificates.length === count ? certificates : refuse("E_CHAINLEN");
}

// ---- revocation lists

const CRL_MAX = 1 << 20;

/** DER of a list that a text holds as PEM or hex. */
function crlDer(text) {
  if (utf8(text).length > 2 * CRL_MAX + 4096) refuse("E_LIMIT");
  const bare = text.replace(/[\r\n]+$/, "");
  let der;
  if (text.startsWith("-----BEGIN")) {
    const pem = takePem(text, "X509 CRL", "E_CRL");
    der = /^[\r\n]*$/.test(pem.rest) ? pem.bytes : refuse("E_CRL");
  } else der = /^(?:[0-9a-f]{2})+$/i.test(bare) ? bytesOf(bare) : refuse("E_CRL");
  const r = new Reader(der);
  r.value(SEQUENCE);
  if (!r.done) refuse("E_CRL");
  return der.length <= CRL_MAX ? der : refuse("E_LIMIT");
}

function crlEntries(list) {
  const serials = new Set();
  while (list.left) {
    const e = list.enter(SEQUENCE);
    serials.add(bigOf(e.unsigned()));
    e.time();
    const extensions = e.tag === SEQUENCE ? extensionsOf(e.enter(SEQUENCE)) : [];
    if (!extensions || extensions.some(({ critical }) => critical) || !e.done) refuse("E_CRL");
  }
  return list.bad ? refuse("E_CRL") : serials;
}

function crlExtensions(crl, t) {
  if (t.tag === 0) return;
  const outer = t.enter(0xa0);
  const list = extensionsOf(outer.enter(SEQUENCE));
  if (!list || !outer.done || list.some(({ critical }) => critical)) refuse("E_CRL");
  for (const { oid, value } of list) {
    const r = new Reader(value);
    if (oid === ID.number) {
      if (crl.number !== undefined) refuse("E_CRL");
      const number = r.unsigned();
      crl.number = r.done && number.length <= 20 ? bigOf(number) : refuse("E_CRL");
    } else if (oid === ID.authorityKey) {
      if (crl.keyId) refuse("E_CRL");
      const inner = r.enter(SEQUENCE);
      crl.keyId = inner.value(0x80);
      if (!inner.done || !r.done) refuse("E_CRL");
    }
  }
}

function parseCrl(der) {
  const parts = signedOf(der) ?? refuse("E_CRL");
  const whole = new Reader(parts.tbs);
  const t = whole.enter(SEQUENCE);
  const version = t.unsigned();
  if (version.length !== 1 || version[0] !== 1 || !same(t.whole(SEQUENCE), parts.algorithm)) refuse("E_CRL");
  const crl = { parts, issuer: t.whole(SEQUENCE), thisUpdate: t.time(), nextUpdate: t.time(), serials: new Set() };
  if (t.bad) refuse("E_CRL");
  if (t.tag === SEQUENCE) crl.serials = crlEntries(t.enter(SEQUENCE));
  crlExtensions(crl, t);
  return t.done ? crl : refuse("E_CRL");
}

/** That der is a list of this issuer, valid now. */
function checkCrl(der, issuer, now) {
  if (!der) refuse("E_CRL_MISSING");
  const crl = parseCrl(der);
  if (!same(crl.issuer, issuer.subject)) refuse("E_CRL_ISSUER");
  if (crl.number === undefined || !crl.keyId) refuse("E_CRL_EXT");
  if (!same(crl.keyId, issuer.subjectKey ?? [])) refuse("E_CRL_ISSUER");
  if (!same(crl.parts.algorithm, ECDSA_SHA256) || !signatureHolds(crl.parts, issuer.key)) refuse("E_CRL_SIG");
  if (now < crl.thisUpdate || now > crl.nextUpdate) refuse("E_CRL_TIME");
  return crl;
}

// ---- chains

/** What a certificate must be to stand at one place of a chain. */
const PLACES = {
  root: { names: ["SGX Root CA"], ca: true, pathLength: 1, usage: CA_USAGE, not: 0 },
  ca: { names: ["SGX PCK", "CA"], ca: true, pathLength: 0, usage: CA_USAGE, not: 0 },
  pck: { names: ["SGX PCK Certificate"], ca: false, pathLength: -1, usage: SIGNATURE, not: CA_USAGE },
  signer: { names: ["SGX TCB Signing"], ca: false, pathLength: -1, usage: SIGNATURE, not: CA_USAGE },
};

function checkCertificate(c, issuer, place, now) {
  if (!same(c.issuer, issuer.subject)) refuse("E_CHAINORDER");
  if (!c.authorityKey?.length || !same(c.authorityKey, issuer.subjectKey ?? [])) refuse("E_CHAINORDER");
  if (!signatureHolds(c.parts, issuer.key)) refuse("E_CHAINSIG");
  if (c.ca !== place.ca || c.pathLength !== place.pathLength) refuse("E_CHAINUSAGE");
  if ((c.usage & place.usage) !== place.usage || c.usage & place.not) refuse("E_CHAINUSAGE");
  if (now < c.notBefore || now > c.notAfter) refuse("E_CHAINTIME");
  if (!place.names.every((name) => c.cn.includes(name))) refuse("E_CHAINNAME");
}

function checkRoot(c, rootCrl, root, now) {
  if (!same(c.der, root)) refuse("E_ROOT");
  checkCertificate(c, c, PLACES.root, now);
  return checkCrl(rootCrl, c, now);
}

/** Intermediate and root with both lists; which of them ends first, and the lists. */
function checkCa(ca, last, rootCrl, pckCrl, root, now) {
  const rootList = checkRoot(last, rootCrl, root, now);
  checkCertificate(ca, last, PLACES.ca, now);
  if (rootList.serials.has(ca.serial)) refuse("E_REVOKED");
  const pckList = checkCrl(pckCrl, ca, now);
  return { pckList, until: Math.min(rootList.nextUpdate, pckList.nextUpdate, ca.notAfter, last.notAfter) };
}

/** The PCK chain of a quote: the leaf's key, the platform's SGX extension, the PCK list, until when it holds. */
function checkPckChain(blocks, { rootCrl, pckCrl }, root, now) {
  const [leaf, ca, last] = blocks.map((block) => readCertificate(block).certificate);
  if (!same(last.der, root) && (same(ca.der, root) || same(leaf.der, root))) refuse("E_CHAINORDER");
  const { pckList, until } = checkCa(ca, last, rootCrl, pckCrl, root, now);
  checkCertificate(leaf, ca, PLACES.pck, now);
  if (pckList.serials.has(leaf.serial)) refuse("E_REVOKED");
  if (!leaf.sgx) refuse("E_SGXEXT");
  return { key: leaf.key, sgx: sgxOf(leaf.sgx), pckList, until: Math.min(until, leaf.notAfter) };
}

/** The TCB signing chain: the signer's key, until when it holds. */
function checkSigner(pem, rootCrl, root, now) {
  const [signer, last] = readChain(pem, 2);
  if (!same(last.der, root) && same(signer.der, root)) refuse("E_CHAINORDER");
  const list = checkRoot(last, rootCrl, root, now);
  checkCertificate(signer, last, PLACES.signer, now);
  if (list.serials.has(signer.serial)) refuse("E_REVOKED");
  return { key: signer.key, until: Math.min(list.nextUpdate, signer.notAfter, last.notAfter) };
}

// ---- the SGX extension of a PCK certificate: each field exactly once

/** {arc: reader of its value} of a list of SEQUENCE { OID prefix.arc, value }. */
function sgxFields(list, prefix, highest) {
  const fields = {};
  while (list.left) {
    const field = list.enter(SEQUENCE);
    const oid = digits(field.value(OID));
    const arc = parseInt(oid.slice(prefix.length), 16);
    const good = !field.bad && oid.startsWith(prefix) && oid.length === prefix.length + 2 && arc >= 1 && arc <= highest;
    if (!good || fields[arc]) refuse("E_SGXEXT");
    fields[arc] = field;
  }
  return list.bad ? refuse("E_SGXEXT") : fields;
}

/** The value of a field, which must be there. */
function sgxField(fields, arc, read) {
  if (!fields[arc]) refuse("E_SGXEXT");
  const value = read(fields[arc]);
  return fields[arc].done ? value : refuse("E_SGXEXT");
}

const octets = (n) => (r) => {
  const v = r.value(OCTETS);
  return v.length === n ? v : refuse("E_SGXEXT");
};
const smallNumber = (tag, n) => (r) => {
  const v = r.unsigned(tag);
  return v.length <= n ? Number(bigOf(v)) : refuse("E_SGXEXT");
};

function sgxOf(der) {
  const whole = new Reader(der);
  const fields = sgxFields(whole.enter(SEQUENCE), ID_SGX, 7);
  if (!whole.done) refuse("E_SGXEXT");
  const tcb = sgxFields(fields[2]?.enter(SEQUENCE) ?? refuse("E_SGXEXT"), `${ID_SGX}02`, 18);
  const components = Uint8Array.from({ length: 16 }, (_, i) => sgxField(tcb, i + 1, smallNumber(INTEGER, 1)));
  const sgx = {
    ppid: sgxField(fields, 1, octets(16)),
    components: sgxField(fields, 2, () => components),
    pceSvn: sgxField(tcb, 17, smallNumber(INTEGER, 2)),
    pceId: sgxField(fields, 3, octets(2)),
    fmspc: sgxField(fields, 4, octets(6)),
  };
  if (sgxField(fields, 5, smallNumber(ENUM, 1)) > 2) refuse("E_SGXEXT");
  if (fields[6]) sgxField(fields, 6, octets(16));
  if (fields[7]) {
    const flags = sgxFields(fields[7].enter(SEQUENCE), `${ID_SGX}07`, 3);
    for (const arc of Object.keys(flags)) sgxField(flags, arc, (r) => r.bool());
    if (!fields[7].done) refuse("E_SGXEXT");
  }
  if (!same(sgxField(tcb, 18, octets(16)), components)) refuse("E_SGXEXT");
  return sgx;
}

// ---- quotes of TDX guests, versions 4 and 5, and their event logs

const QUOTE_MAX = 32768;
const EVENT_LOG_MAX = 1 << 20;
const INTEL_VENDOR = bytesOf("939a7233f79c4ca9940a0db3957f0607");
const TD_FIELDS = [
  ["tcbSvn", 16],
  ["mrSeam", 48],
  ["mrSignerSeam", 48],
  ["seamAttributes", 8],
  ["tdAttributes", 8],
  ["xfam", 8],
  ["mrTd", 48],
  ["mrConfigId", 48],
  ["mrOwner", 48],
  ["mrOwnerConfig", 48],
  ["rtmr0", 48],
  ["rtmr1", 48],
  ["rtmr2", 48],
  ["rtmr3", 48],
  ["reportData", 64],
];
const TD15_FIELDS = [
  ["tcbSvn2", 16],
  ["mrServiceTd", 48],
];

function parseEnclave(whole) {
  const r = new Reader(whole);
  const enclave = { whole, cpuSvn: r.take(16), miscSelect: r.take(4) };
  r.take(28);
  enclave.attributes = r.take(16);
  r.take(32 + 32); // MRENCLAVE, reserved
  enclave.mrSigner = r.take(32);
  r.take(96);
  enclave.isvProdId = r.le(2);
  enclave.isvSvn = r.le(2);
  r.take(60);
  enclave.reportData = r.take(64);
  return enclave;
}

/** Exactly three certificates with line ends between them, and perhaps one NUL behind. */
function splitChain(text) {
  const found = /^((?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\r\n]*-----END CERTIFICATE-----[\r\n]*){3})\0?$/.exec(text);
  return found ? found[1].match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) : refuse("E_PEM");
}

function parseSignature(q, section) {
  const r = new Reader(section);
  q.signature = r.take(64);
  q.attestationKey = r.take(64);
  const [outerType, outerSize] = [r.le(2), r.le(4)];
  if (r.bad) refuse("E_TRUNCATED");
  if (outerType !== 6) refuse("E_CERTTYPE_OUTER");
  if (outerSize !== r.left) refuse("E_CERTSIZE");
  q.qe = parseEnclave(r.take(384));
  q.qeSignature = r.take(64);
  const authLength = r.le(2);
  if (authLength > 1024) refuse("E_LIMIT");
  q.qeAuth = r.take(authLength);
  const [innerType, innerSize] = [r.le(2), r.le(4)];
  if (r.bad) refuse("E_CERTSIZE");
  if (innerType !== 5) refuse("E_CERTTYPE_INNER");
  const chain = r.take(innerSize);
  if (!r.done) refuse("E_CERTSIZE");
  q.certificates = splitChain(latin1(chain));
}

/** The fields of a quote; no signature is looked at. Behind its end there may be zeros only. */
function parseQuote(bytes) {
  if (bytes.length > QUOTE_MAX) refuse("E_LIMIT");
  const r = new Reader(bytes);
  const q = { version: r.le(2) };
  const [keyType, teeType] = [r.le(2), r.le(4)];
  r.take(4);
  const vendor = r.take(16);
  r.take(20);
  if (r.bad) refuse("E_TRUNCATED");
  if (q.version !== 4 && q.version !== 5) refuse("E_VERSION");
  if (keyType !== 2) refuse("E_KEYTYPE");
  if (teeType !== 0x81) refuse("E_TEETYPE");
  if (!same(vendor, INTEL_VENDOR)) refuse("E_VENDOR");
  q.bodyType = 2;
  if (q.version === 5) {
    q.bodyType = r.le(2);
    const size = r.le(4);
    if (r.bad) refuse("E_TRUNCATED");
    if (q.bodyType !== 2 && q.bodyType !== 3) refuse("E_BODYTYPE");
    if (size !== (q.bodyType === 2 ? 584 : 648)) refuse("E_BODYSIZE");
  }
  q.td = {};
  for (const [name, n] of [...TD_FIELDS, ...(q.bodyType === 3 ? TD15_FIELDS : [])]) q.td[name] = r.take(n);
  if (r.bad) refuse("E_TRUNCATED");
  q.signed = bytes.subarray(0, r.at);
  const section = r.take(r.le(4));
  if (r.bad) refuse("E_TRUNCATED");
  if (r.take(r.left).some((byte) => byte)) refuse("E_TRAILING");
  parseSignature(q, section);
  return q;
}

// ---- event log

const RUNTIME = 0x08000001;
const EVENT_NAME = /^[!#-9;-[\]-~]{1,256}$/; // printable ASCII without space, '"', ':' and '\'

function runtimeDigest(place, name, payload) {
  const version = place.optU64("version", 1, 2) ?? (place.value.has("version") ? place.fail("version", "must be 1 or 2") : 1);
  if (version === 1) return sha384(concat([1, 0, 0, 8], utf8(":"), utf8(name), utf8(":"), payload));
  const preimage = utf8(`{"name":"${name}","payload":"${digits(payload)}","type":${RUNTIME}}`);
  if (!same(place.bytes("preimage", 0, Infinity), preimage)) place.fail("preimage", "is not the canonical form");
  return sha384(preimage);
}

function readEvent(place) {
  const imr = place.u64("imr", 0, 3);
  const type = place.u64("event_type", 0, 0xffffffff);
  const given = place.optText("digest") ? place.hex("digest", 48) : undefined;
  const name = typeof place.value.get("event") === "string" ? place.text("event") : "";
  if (imr !== 3) {
    if (type === RUNTIME) place.fail("event_type", "is that of runtime events");
    return { imr, name, digest: given ?? place.fail("digest", "is missing"), payload: new Uint8Array(0) };
  }
  const payload = place.bytes("event_payload", 0, Infinity);
  if (type !== RUNTIME) place.fail("event_type", "is not that of runtime events");
  if (!EVENT_NAME.test(name)) place.fail("event", "is no name");
  const digest = runtimeDigest(place, name, payload);
  if (given && !same(given, digest)) place.fail("digest", "is not that of name and payload");
  return { imr, name, digest, payload };
}

/** A log that leads to the quote's registers: its events. */
function checkEventLog(text, td) {
  const root = Place.open(text, "E_EVENTLOG", { bytesMax: EVENT_LOG_MAX, tooLong: "E_LIMIT" });
  const events = root.list(undefined, 0, 4096).map(readEvent);
  const registers = [0, 1, 2, 3].map(() => new Uint8Array(48));
  for (const { imr, digest } of events) registers[imr] = sha384(concat(registers[imr], digest));
  registers.forEach((value, i) => same(value, td[`rtmr${i}`]) || refuse("E_EVENTLOG"));
  return events;
}

/** The payload of the one event of this name, which must stand before system-ready. */
function eventPayload(events, name) {
  const at = events.flatMap((event, i) => (event.imr === 3 && event.name === name ? [i] : []));
  const ready = events.findIndex((event) => event.imr === 3 && event.name === "system-ready");
  if (at.length > 1) refuse("E_EVENTLOG");
  if (!at.length || ready < 0 || at[0] > ready) refuse("E_EVENT_REQUIRED");
  return events[at[0]].payload;
}

// ---- collateral: TCB info and QE identity, and how a platform is graded by them

const COLLATERAL_MAX = 4 << 20;
const DOCUMENT_MAX = 1 << 20;
const TCB_STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
  "Revoked",
];
const LEVEL_STATUSES = TCB_STATUSES.filter((status) => !status.startsWith("TDRelaunch"));
const PART_STATUSES = ["UpToDate", "OutOfDate", "Revoked"]; // of modules and of the QE
const ADVISORIES_MAX = 64;

/** A flattened container (a place whose document has the code E_COLLATERAL). */
function readCollateral(place) {
  const c = {
    rootCrl: place.optText("root_ca_crl"),
    pckCrl: place.optText("pck_crl"),
    pckCrlIssuerChain: place.optText("pck_crl_issuer_chain", 1),
    tcbInfo: place.text("tcb_info", 1),
    tcbInfoChain: place.text("tcb_info_issuer_chain", 1),
    qeIdentity: place.text("qe_identity", 1),
    qeIdentityChain: place.text("qe_identity_issuer_chain", 1),
    tcbInfoSignature: place.hex("tcb_info_signature", 64),
    qeIdentitySignature: place.hex("qe_identity_signature", 64),
  };
  c.rootCrl &&= crlDer(c.rootCrl);
  c.pckCrl &&= crlDer(c.pckCrl);
  return c;
}

function readLevel(place, statuses) {
  return {
    date: place.time("tcbDate"),
    status: place.word("tcbStatus", statuses),
    advisories: (place.optList("advisoryIDs", 0, ADVISORIES_MAX) ?? []).map((id) => id.text(undefined, 1, 32)),
  };
}

function readPartLevel(place) {
  const isvSvn = place.object("tcb").u64("isvsvn", 0, 65535);
  return { isvSvn, ...readLevel(place, PART_STATUSES) };
}

/** Components and PCESVN have a code of their own. */
function readPlatformLevel(place) {
  const { doc } = place;
  const { code } = doc;
  doc.code = "E_TCB_COMPONENTS";
  const tcb = place.object("tcb");
  const svns = (name) => Uint8Array.from(tcb.list(name, 16, 16), (one) => one.u64("svn", 0, 255));
  const level = { sgx: svns("sgxtcbcomponents"), tdx: svns("tdxtcbcomponents"), pceSvn: tcb.u64("pcesvn", 0, 65535) };
  doc.code = code;
  return { ...level, ...readLevel(place, LEVEL_STATUSES) };
}

const compareBytes = (a, b) => Math.sign(a.reduce((order, x, i) => order || x - b[i], 0));
const higherFirst = (x, y) => compareBytes(y.sgx, x.sgx) || y.pceSvn - x.pceSvn || compareBytes(y.tdx, x.tdx);
const higherPartFirst = (x, y) => y.isvSvn - x.isvSvn;
const readLevels = (place, one, order) => place.list("tcbLevels", 1, 256).map(one).sort(order);

function readModule(place) {
  return {
    mrSigner: place.hex("mrsigner", 48, "bare"),
    attributes: place.hex("attributes", 8, "bare"),
    mask: place.hex("attributesMask", 8, "bare"),
  };
}

function readModules(place) {
  const modules = new Map();
  for (const one of place.optList("tdxModuleIdentities", 0, 32) ?? []) {
    const found = /^TDX_([0-9a-f]{2})$/i.exec(one.text("id"));
    const version = found ? parseInt(found[1], 16) : one.fail("id", "is not TDX_ and two hex digits");
    if (modules.has(version)) one.fail("id", "is that of another module too");
    modules.set(version, { ...readModule(one), levels: readLevels(one, readPartLevel, higherPartFirst) });
  }
  return modules;
}

/** What both documents begin with; prefix: of their codes, behind E_. */
function openDocument(text, prefix, id, version) {
  const place = Place.open(text, `E_${prefix}_JSON`, { bytesMax: DOCUMENT_MAX, tooLong: "E_LIMIT" });
  const under = (code, read) => {
    place.doc.code = `E_${prefix}_${code}`;
    const out = read();
    place.doc.code = `E_${prefix}_JSON`;
    return out;
  };
  under("ID", () => place.text("id") === id || place.fail("id", `is not ${id}`));
  under("ID", () => place.u64("version", version, version));
  const [issueDate, nextUpdate] = under("TIME", () => [place.time("issueDate"), place.time("nextUpdate")]);
  if (nextUpdate < issueDate) under("TIME", () => place.fail("nextUpdate", "is before issueDate"));
  return [place, { issueDate, nextUpdate }];
}

function parseTcbInfo(text) {
  const [place, dates] = openDocument(text, "TCB", "TDX", 3);
  const info = { ...dates, fmspc: place.hex("fmspc", 6, "bare"), pceId: place.hex("pceId", 2, "bare") };
  place.u64("tcbType", 0, 0);
  info.evaluation = place.u64("tcbEvaluationDataNumber", 0, 0xffffffff);
  info.base = { ...readModule(place.object("tdxModule")), levels: [] };
  info.modules = readModules(place);
  info.levels = readLevels(place, readPlatformLevel, higherFirst);
  return info;
}

function parseQeIdentity(text) {
  const [place, dates] = openDocument(text, "QEID", "TD_QE", 2);
  return {
    ...dates,
    evaluation: place.u64("tcbEvaluationDataNumber", 0, 0xffffffff),
    misc: place.hex("miscselect", 4, "bare"),
    miscMask: place.hex("miscselectMask", 4, "bare"),
    attributes: place.hex("attributes", 16, "bare"),
    mask: place.hex("attributesMask", 16, "bare"),
    mrSigner: place.hex("mrsigner", 32, "bare"),
    isvProdId: place.u64("isvprodid", 0, 65535),
    levels: readLevels(place, readPartLevel, higherPartFirst),
  };
}

// ---- grading, by Intel's rule

const equalMasked = (got, want, mask) => got.every((byte, i) => ((byte ^ want[i]) & mask[i]) === 0);
const isZero = (bytes) => bytes.every((byte) => byte === 0);

function gradeQe(id, qe) {
  if (!equalMasked(qe.miscSelect, id.misc, id.miscMask)) refuse("E_QE_MISC");
  if (qe.attributes[0] & 2) refuse("E_QE_DEBUG");
  if (!equalMasked(qe.attributes, id.attributes, id.mask)) refuse("E_QE_ATTR");
  if (!same(qe.mrSigner, id.mrSigner)) refuse("E_QE_SIGNER");
  if (qe.isvProdId !== id.isvProdId) refuse("E_QE_PRODID");
  return id.levels.find((level) => qe.isvSvn >= level.isvSvn) ?? refuse("E_QE_SVN");
}

/** The level of the TDX module; undefined for module version 0, which has none. */
function gradeModule(info, td, [svn, version], codes) {
  const m = version ? info.modules.get(version) : info.base;
  if (!m) refuse(codes.id);
  if (!same(td.mrSignerSeam, m.mrSigner)) refuse("E_MODULE_SIGNER");
  if (!isZero(td.seamAttributes) || !equalMasked(td.seamAttributes, m.attributes, m.mask)) refuse("E_MODULE_ATTR");
  if (version) return m.levels.find((level) => svn >= level.isvSvn) ?? refuse(codes.svn);
  return undefined;
}

/** What a part of status x does to a whole of status l. */
function converge(x, l) {
  if (x === "Revoked") return x;
  if (x !== "OutOfDate") return l;
  if (l === "UpToDate" || l === "SWHardeningNeeded") return "OutOfDate";
  return l.startsWith("Configuration") ? "OutOfDateConfigurationNeeded" : l;
}

function gradeVector(info, qeLevel, sgx, td, svns, codes) {
  const module = gradeModule(info, td, svns, codes);
  const reaches = (level) =>
    sgx.components.every((svn, i) => svn >= level.sgx[i]) &&
    sgx.pceSvn >= level.pceSvn &&
    svns.every((svn, i) => (svns[1] > 0 && i < 2) || svn >= level.tdx[i]);
  const platform = info.levels.find(reaches) ?? refuse(codes.platform);
  const status = converge(qeLevel.status, module ? converge(module.status, platform.status) : platform.status);
  return { platform, module, status };
}

/** The platform is patched, the TD began before. */
function adviseRelaunch(launch, current) {
  const patched = LEVEL_STATUSES.slice(0, 4).includes(current);
  if (!launch.startsWith("OutOfDate") || !patched) return launch;
  const configuration = launch === "OutOfDateConfigurationNeeded" || current.startsWith("Configuration");
  return configuration ? "TDRelaunchAdvisedConfigurationNeeded" : "TDRelaunchAdvised";
}

function gradeTcb(info, qeLevel, sgx, quote) {
  const { td } = quote;
  const codes = { id: "E_MODULE_ID", svn: "E_MODULE_SVN", platform: "E_TCB_UNSUPPORTED" };
  const codes2 = { id: "E_MODULE2_ID", svn: "E_MODULE2_SVN", platform: "E_TCB2_UNSUPPORTED" };
  const launch = gradeVector(info, qeLevel, sgx, td, td.tcbSvn, codes);
  let current = launch;
  if (quote.bodyType === 3) {
    if (isZero(td.tcbSvn2)) refuse("E_TCB2_ZERO");
    current = gradeVector(info, qeLevel, sgx, td, td.tcbSvn2, codes2);
  }
  const levels = [launch, current].flatMap(({ platform, module }) => [platform, module, qeLevel]).filter(Boolean);
  const advisories = [...new Set(levels.flatMap((level) => level.advisories))];
  if (advisories.length > ADVISORIES_MAX) refuse("E_LIMIT");
  return {
    status: adviseRelaunch(launch.status, current.status),
    current: current.status,
    platform: launch.platform.status,
    module: launch.module?.status,
    qe: qeLevel.status,
    date: Math.min(...levels.map((level) => level.date)),
    advisories,
  };
}

// ---- a quote by its collateral

function checkDocument(text, signature, chain, rootCrl, root, now, code) {
  const signer = checkSigner(chain, rootCrl, root, now);
  if (p256(signature, sha256(utf8(text)), signer.key) !== "good") refuse(code);
  return signer.until;
}

function checkSignature(signed, signature, key, code) {
  const result = p256(signature, sha256(signed), key);
  if (result !== "good") refuse(result === "point" ? "E_POINT" : code);
}

/** That a quote is genuine, and how its platform is graded; says nothing yet of what runs in the TD. */
function checkQuote(bytes, c, root, now) {
  const quote = parseQuote(bytes);
  const pck = checkPckChain(quote.certificates, c, root, now);
  const untilInfo = checkDocument(c.tcbInfo, c.tcbInfoSignature, c.tcbInfoChain, c.rootCrl, root, now, "E_TCB_SIG");
  const info = parseTcbInfo(c.tcbInfo);
  if (now < info.issueDate || now > info.nextUpdate) refuse("E_TCB_TIME");
  const untilId = checkDocument(c.qeIdentity, c.qeIdentitySignature, c.qeIdentityChain, c.rootCrl, root, now, "E_QEID_SIG");
  const identity = parseQeIdentity(c.qeIdentity);
  if (now < identity.issueDate || now > identity.nextUpdate) refuse("E_QEID_TIME");
  if (!same(info.fmspc, pck.sgx.fmspc)) refuse("E_FMSPC");
  if (!same(info.pceId, pck.sgx.pceId)) refuse("E_PCEID");
  checkSignature(quote.qe.whole, quote.qeSignature, pck.key, "E_QE_SIG");
  const binding = concat(sha256(concat(quote.attestationKey, quote.qeAuth)), new Uint8Array(32));
  if (!same(quote.qe.reportData, binding)) refuse("E_QE_BINDING");
  const qeLevel = gradeQe(identity, quote.qe);
  checkSignature(quote.signed, quote.signature, quote.attestationKey, "E_QUOTE_SIG");
  return {
    quote,
    grade: gradeTcb(info, qeLevel, pck.sgx, quote),
    platform: sha256(pck.sgx.ppid),
    evaluation: Math.min(info.evaluation, identity.evaluation),
    issued: Math.min(info.issueDate, identity.issueDate, pck.pckList.thisUpdate),
    until: Math.min(pck.until, untilInfo, untilId, info.nextUpdate, identity.nextUpdate),
  };
}

// ---- the policy: which TDs are admitted (docs/policy.md)

const POLICY_MAX = 256 << 10;
const VALUES_AT_MOST = 64;
const REGISTERS = ["MRTD", "RTMR0", "RTMR1", "RTMR2", "RTMR3"];

/** Alternatives of n bytes; undefined: nothing is demanded. */
const readValues = (place, name, n) => place.optValues(name, VALUES_AT_MOST)?.map((one) => one.hex(undefined, n));
const oneOf = (values, got) => values.some((value) => same(value, got));
const admits = (values, got) => !values || oneOf(values, got);

/** As Intel writes them: a misspelt one would deny nothing. */
function readAdvisory(place) {
  const id = place.text(undefined, 1, 32);
  return /^INTEL-SA-[0-9]{5,}$/.test(id) ? id : place.fail(undefined, "must be INTEL-SA- and at least five digits");
}

function readTcbRules(tcb) {
  const accept = tcb?.optList("accept", 0, Infinity)?.map((one) => one.word(undefined, TCB_STATUSES));
  if (accept?.includes("Revoked")) tcb.fail("accept", "Revoked cannot be accepted");
  return {
    accept: accept ?? ["UpToDate", "SWHardeningNeeded"],
    deny: (tcb?.optList("deny_advisories", 0, VALUES_AT_MOST) ?? []).map(readAdvisory),
    minEvaluation: tcb?.optU64("min_eval", 0, 0xffffffff) ?? 0,
    maxAge: tcb?.optU64("max_age_s", 1, 0x7fffffff),
    minDate: tcb?.optTime("min_tcb_date"),
  };
}

function readTdRules(td) {
  const mask = td && readValues(td, "attributes_zero_mask", 8);
  if (mask?.length > 1) td.fail("attributes_zero_mask", "must be one value");
  return {
    debug: td?.optBool("debug") ?? false,
    septVeDisable: td?.optBool("sept_ve_disable") ?? true,
    serviceZero: td?.optBool("mrservicetd_zero") ?? true,
    zeroMask: mask?.[0] ?? bytesOf("feffff2fffffff7f"),
    xfam: td && readValues(td, "xfam", 8),
    mrConfigId: td && readValues(td, "mrconfigid", 48),
    mrOwner: td && readValues(td, "mrowner", 48),
    mrOwnerConfig: td && readValues(td, "mrownerconfig", 48),
  };
}

function readEvents(rtmr3) {
  const require = rtmr3.object("require");
  const names = require.names();
  if (!names.length || names.length > 16) rtmr3.fail("require", "must name 1 to 16 events");
  const payload = (name) => (one) =>
    name === "key-provider-name" ? utf8(one.text(undefined, 1, 128)) : one.bytes(undefined, 0, 4096);
  return names.map((name) => ({ name, values: require.list(name, 1, VALUES_AT_MOST).map(payload(name)) }));
}

function readRtmr3(rtmr3) {
  if (!rtmr3) return { mode: "zero" };
  const mode = rtmr3.word("mode", ["zero", "exact", "events"]);
  for (const [name, needs] of [["value", "exact"], ["require", "events"]]) {
    if (rtmr3.has(name) !== (mode === needs)) rtmr3.fail(name, `belongs to mode ${needs}, which needs it`);
    rtmr3.skip(name);
  }
  if (mode === "exact") return { mode, values: readValues(rtmr3, "value", 48) };
  return mode === "events" ? { mode, events: readEvents(rtmr3) } : { mode };
}

function readImage(place) {
  const name = place.text("name", 1, 128);
  const registers = ["mrtd", "rtmr0", "rtmr1", "rtmr2"].map(
    (register) => readValues(place, register, 48) ?? place.fail(register, "is required"),
  );
  return { name, registers, rtmr3: readRtmr3(place.optObject("rtmr3")) };
}

function readPolicy(text) {
  const place = Place.open(text, "E_POLICY", { strict: true, bytesMax: POLICY_MAX });
  place.u64("version", 1, 1);
  const simulatorRoot = place.optBytes("simulator_root", 1, 4096);
  const mode = place.word("mode", ["list", "same-as-self"]);
  const other = mode === "list" ? "self_rtmr0" : "images";
  if (place.has(other)) place.fail(other, "belongs to the other mode");
  place.skip(other);
  if (mode === "same-as-self") readValues(place, "self_rtmr0", 48);
  const policy = {
    digest: sha256(utf8(text)),
    simulatorRoot,
    mode,
    images: mode === "list" ? place.list("images", 0, 64).map(readImage) : [],
    platforms: readValues(place, "platforms", 32),
    tcb: readTcbRules(place.optObject("tcb")),
    td: readTdRules(place.optObject("td")),
  };
  place.used.add("chain_id");
  const id = place.value.get("chain_id") ?? undefined;
  if (id !== undefined && (typeof id !== "bigint" || id < 1n)) place.fail("chain_id", "must be a number from 1");
  policy.chainId = id;
  policy.genesis = readValues(place, "genesis_validators_root", 32);
  policy.setup = readValues(place, "setup_hash", 32);
  place.optU64("min_platforms", 1, 64); // these two are for members of a cluster
  place.optU64("rotate_after_s", 3600, 0x7fffffff);
  place.done();
  return policy;
}

// ---- judging

function checkTd({ td: rules }, td) {
  if (td.tdAttributes[0] && !rules.debug) refuse("E_TD_DEBUG");
  if (td.tdAttributes.some((byte, i) => byte & rules.zeroMask[i])) refuse("E_TD_RESERVED");
  if (rules.septVeDisable && !(td.tdAttributes[3] & 0x10)) refuse("E_TD_SEPT");
  if (rules.serviceZero && td.mrServiceTd && !isZero(td.mrServiceTd)) refuse("E_TD_SERVICE");
  for (const name of ["xfam", "mrConfigId", "mrOwner", "mrOwnerConfig"])
    if (!admits(rules[name], td[name])) refuse("E_TD_FIELD", name);
}

/** After the grace period: only when the status comes from the platform's level alone. */
function statusWithGrace({ minDate }, grade) {
  const parts = grade.module === "OutOfDate" || grade.qe === "OutOfDate";
  if (minDate === undefined || grade.date < minDate || grade.status !== grade.platform || parts) return grade.status;
  return { OutOfDate: "UpToDate", OutOfDateConfigurationNeeded: "ConfigurationNeeded" }[grade.status] ?? grade.status;
}

function checkTcb({ tcb }, { grade, evaluation, issued }, now) {
  if (!tcb.accept.includes(statusWithGrace(tcb, grade))) refuse("E_TCB_STATUS", "", `the policy does not accept ${grade.status}`);
  if (grade.current === "Revoked") refuse("E_TCB_STATUS", "", "the TCB that runs now is revoked"); // the status is that of the launch
  if (grade.advisories.some((id) => tcb.deny.includes(id))) refuse("E_ADVISORY");
  if (evaluation < tcb.minEvaluation) refuse("E_EVAL_NUMBER");
  if (tcb.maxAge !== undefined && now - issued > tcb.maxAge) refuse("E_COLLATERAL_AGE");
}

/** The name in dstack's event key-provider: JSON {"name":..., "id":...}. */
function providerName(payload) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
    return utf8(Place.open(text, "E_EVENT_REQUIRED", { bytesMax: 4096 }).text("name", 1, 128));
  } catch {
    return new Uint8Array(0);
  }
}

function checkEvents(rules, events) {
  if (!events) refuse("E_EVENT_REQUIRED", "", "the image requires events, and no event log came");
  for (const { name, values } of rules) {
    const provider = name === "key-provider-name";
    const payload = eventPayload(events, provider ? "key-provider" : name);
    if (!oneOf(values, provider ? providerName(payload) : payload)) refuse("E_EVENT_REQUIRED", name);
  }
}

/** Names of the registers that differ from what the image admits; events stand for RTMR3 where it is judged by them. */
function registersThatDiffer(image, td) {
  const differs = [td.mrTd, td.rtmr0, td.rtmr1, td.rtmr2].map((value, i) => !oneOf(image.registers[i], value));
  const { mode, values } = image.rtmr3;
  differs.push((mode === "zero" && !isZero(td.rtmr3)) || (mode === "exact" && !oneOf(values, td.rtmr3)));
  return REGISTERS.filter((_, i) => differs[i]);
}

/** The name of the first image that matches. */
function checkImages({ images }, td, events) {
  let nearest;
  for (const image of images) {
    const differs = registersThatDiffer(image, td);
    try {
      if (!differs.length && image.rtmr3.mode === "events") checkEvents(image.rtmr3.events, events);
      if (!differs.length) return image.name;
    } catch (error) {
      if (!(error instanceof KettleError)) throw error;
    }
    if (!nearest || differs.length < nearest.differs.length) nearest = { image, differs };
  }
  if (!nearest) refuse("E_MEASUREMENT", "", "the policy lists no image");
  if (!nearest.differs.length) checkEvents(nearest.image.rtmr3.events, events);
  const name = nearest.image.name.replace(/[^ -~]/gu, "?").slice(0, 40);
  return refuse("E_MEASUREMENT", nearest.differs.join(", "), `not those of the nearest image, "${name}"`);
}

/** The name of the image that the policy admits. */
function checkPolicy(policy, verified, events, now) {
  const { td } = verified.quote;
  checkTd(policy, td);
  checkTcb(policy, verified, now);
  if (policy.platforms && !oneOf(policy.platforms, verified.platform)) refuse("E_PLATFORM");
  if (policy.mode !== "list") refuse("E_MEASUREMENT", "", "a verifier has no self: give a policy of mode list");
  return checkImages(policy, td, events);
}

// ---- attestations

const ATTESTATION_MAX = 8 << 20;
const SETUP_STATEMENT_MAX = 8192;
const SETUP_INT_MAX = 2n ** 53n - 1n;
const EVIDENCE = { 0x01: "tdx", 0x02: "dstack-tdx", 0xf0: "simulated" };
const INTEL_ROOT = base64(intelRootBase64());
const NETWORKS = knownNetworks();

// ---- the statements that the quote binds: one text for one meaning (RFC 8785)

const NAME_MAX = 31;
const HOST_MAX = 64;
const SERVERS_MAX = 16;
const OPERATORS_MAX = 16;
const PLAIN = /^[ !#-[\]-~]*$/; // printable ASCII without '"' and '\'
const HASH = /^0x[0-9a-f]{64}$/;
const WINDOWS = ["latest", "safe", "finalized", "block"];

const setupName = (place, name, max = NAME_MAX) => {
  const text = place.text(name, 1, max);
  return PLAIN.test(text) ? text : place.fail(name, "must be printable ASCII");
};
const setupHash = (place, name) => {
  const text = place.text(name);
  return HASH.test(text) ? text : place.fail(name, "must be 32 bytes as hex");
};
const setupNumber = (place, name) => place.u64(name, 0, SETUP_INT_MAX);

/** Who named the checkpoint, if servers did: their names, and of how many; there is one form, so null stands for nothing. */
function readBy(checkpoint) {
  if (!checkpoint.value.has("by")) return {};
  const by = checkpoint.list("by", 1, SERVERS_MAX).map((one) => setupName(one, undefined, HOST_MAX));
  return { by, of: checkpoint.u64("of", by.length, SERVERS_MAX) };
}

// Who can bring the key back when all nodes have died: the word, and of shares how many of which operators.
function readRecovery(place) {
  const recovery = place.word("recovery", ["none", "seal", "shares"]);
  if (recovery !== "shares") return { recovery };
  const shares = place.object("recovery_shares");
  const keys = shares.list("keys", 2, OPERATORS_MAX).map((one) => setupHash(one));
  if (keys.some((key, i) => i && keys[i - 1] >= key)) shares.fail("keys", "must ascend");
  return { recovery, recoveryShares: { keys, threshold: shares.u64("threshold", 2, keys.length) } };
}

function readCluster(place) {
  place.word("kettle", ["cluster-statement/1"]);
  const [checkpoint, network, rules] = ["checkpoint", "network", "rules"].map(place.object);
  const windows = rules.object("valid_s");
  return {
    chainId: setupNumber(place, "chain_id"),
    checkpoint: {
      maxAge: setupNumber(checkpoint, "age_max_s"),
      ...readBy(checkpoint),
      found: checkpoint.word("found", ["configuration", "setup"]),
      root: setupHash(checkpoint, "root"),
    },
    development: place.bool("development"),
    network: {
      digest: setupHash(network, "digest"),
      forksUntil: setupNumber(network, "forks_until"),
      genesisValidatorsRoot: setupHash(network, "genesis_validators_root"),
      name: setupName(network, "name"),
    },
    policySigners: setupHash(place, "policy_signers"),
    ...readRecovery(place),
    rules: {
      callGas: setupNumber(rules, "call_gas"),
      finalizedAge: setupNumber(rules, "finalized_age_s"),
      headAge: setupNumber(rules, "head_age_s"),
      valid: Object.fromEntries(WINDOWS.map((name) => [name, setupNumber(windows, name)])),
    },
    simulated: place.bool("simulated"),
  };
}

function readNode(place) {
  place.word("kettle", ["node-statement/1"]);
  const [maySet, policy] = ["may_set", "policy"].map(place.object);
  const names = (name) => maySet.list(name, 0, 64).map((one) => setupName(one));
  return {
    defaultBlock: place.word("default_block", WINDOWS.slice(0, 3)),
    maySet: { environment: names("environment"), flags: names("flags"), setup: names("setup") },
    policy: { digest: setupHash(policy, "digest"), version: setupNumber(policy, "version") },
    program: setupName(place, "program"),
  };
}

/** A statement of an attestation: what it says, and its SHA-256. */
function readSetup(place, name, read) {
  const value = place.object(name).value;
  const text = canonical(value);
  place.used.add(name);
  if (text.length > SETUP_STATEMENT_MAX) place.fail(name, "is too long");
  const doc = { code: place.doc.code, strict: true, places: [] };
  const inner = new Place(value, doc, name);
  const said = read(inner);
  inner.done();
  return { said, hash: sha256(utf8(text)) };
}

// ---- the attestation itself

/** What the node says of its cluster: read by its form, and vouched for by nothing. */
function readSaidCluster(cluster) {
  const generation = cluster.object("generation");
  generation.u64("version", 0, Infinity);
  generation.u64("index", 0, 255);
  generation.hex("order", 32);
  cluster.u64("order_version", 0, Infinity);
  cluster.u64("platforms", 0, 0xffffffff);
  for (const place of [cluster, generation]) place.names();
}

function readUnbound(place) {
  const unbound = place.object("unbound");
  const cluster = unbound.optObject("cluster");
  if (cluster) readSaidCluster(cluster);
  const out = { provider: unbound.optText("provider", 0, 64), vmConfig: unbound.optText("vm_config", 0, 65536) };
  for (const name of unbound.value.keys()) unbound.skip(name);
  return out;
}

function readAttestation(text) {
  const place = Place.open(text, "E_ATTESTATION", { strict: true, bytesMax: ATTESTATION_MAX });
  place.word("kettle", ["attestation/2"]);
  const x = {
    type: place.u64("evidence_type", 0, 255),
    quote: place.bytes("quote", 1, QUOTE_MAX),
    eventLog: place.optText("event_log", 0, EVENT_LOG_MAX),
    key: place.hex("pubkey", 33),
    nodeKey: place.hex("node_pubkey", 33),
    nonce: place.optHex("nonce", 32),
  };
  const statements = ["cluster_statement", "node_statement"].map((name) => place.object(name));
  const collateral = place.optObject("collateral");
  const unbound = readUnbound(place);
  place.doc.places = place.doc.places.filter((p) => p !== collateral && !statements.includes(p));
  place.done();
  x.collateral = collateral && new Place(collateral.value, { code: "E_COLLATERAL", strict: false, places: [] });
  x.cluster = readSetup(place, "cluster_statement", readCluster);
  x.node = readSetup(place, "node_statement", readNode);
  return { ...x, unbound };
}

/** What the quote must be over: label "tee-attest-api/2". */
function reportDataOf(x, nonce) {
  const none = new Uint8Array(32);
  const parts = [utf8("tee-attest-api/2"), [x.type, 0, 0, 0], nonce, x.key, x.nodeKey, x.cluster.hash, x.node.hash, none];
  return sha512(concat(...parts));
}

/** Evidence under a policy: genuine, and of a TD that the policy admits. */
function appraise(x, collateral, policy, now, onStep) {
  if (!EVIDENCE[x.type]) refuse("E_EVIDENCE_TYPE");
  const root = EVIDENCE[x.type] === "simulated" ? policy.simulatorRoot : INTEL_ROOT;
  if (!root) refuse("E_SIMULATED");
  const c = readCollateral(collateral);
  const verified = checkQuote(x.quote, c, root, now);
  if (c.pckCrlIssuerChain) {
    const [ca, last] = readChain(c.pckCrlIssuerChain, 2);
    checkCa(ca, last, c.rootCrl, c.pckCrl, root, now);
  }
  onStep("quote", `genuine by the documents, TCB ${verified.grade.status}`);
  const events = x.eventLog ? checkEventLog(x.eventLog, verified.quote.td) : undefined;
  const image = checkPolicy(policy, verified, events, now);
  onStep("admission", `the policy admits it as ${image}`);
  return { verified, image };
}

/** That a network which calls itself by a name that is known here is that one. */
function checkNetwork({ network, chainId }, wanted, wantedId) {
  if (wanted !== "any" && wanted !== network.name) refuse("E_NETWORK", "network.name");
  const known = own(NETWORKS, network.name) ? NETWORKS[network.name] : undefined;
  if (known && network.genesisValidatorsRoot !== known.genesis_validators_root)
    refuse("E_NETWORK", "network.genesis_validators_root");
  const row = known?.digests.find(({ from }) => from <= network.forksUntil);
  if (known && network.digest !== row?.digest) refuse("E_NETWORK", "network.digest");
  const id = wantedId ?? (own(NETWORKS, wanted) ? NETWORKS[wanted].chain_id : chainId);
  if (BigInt(id) !== BigInt(chainId)) refuse("E_CHAIN_ID", "chain_id");
}

function checkSetup({ said, hash }, policy, o) {
  if (said.development && !o.development) refuse("E_DEVELOPMENT");
  if (said.simulated && !policy.simulatorRoot) refuse("E_SIMULATED"); // a key that a simulated TEE made is nobody's secret
  checkNetwork(said, o.network, o.chainId);
  if (o.checkpoint !== undefined && o.checkpoint !== said.checkpoint.root) refuse("E_CHECKPOINT", "checkpoint.root");
  if (o.setup !== undefined && o.setup !== toHex(hash)) refuse("E_SETUP");
  if (policy.chainId !== undefined && policy.chainId !== BigInt(said.chainId)) refuse("E_POLICY_CHAIN");
  if (!admits(policy.genesis, fromHex(said.network.genesisValidatorsRoot))) refuse("E_POLICY_GENESIS");
  if (!admits(policy.setup, hash)) refuse("E_POLICY_SETUP");
}

const textOf = (input, option) => {
  if (typeof input === "string") return input;
  if (!isObject(input)) refuse("bad-option", option, "neither JSON text nor an object");
  return JSON.stringify(input);
};

const ATTESTATION_OPTIONS = "policy nonce network chainId checkpoint setup development collateral key now onStep".split(" ");

function readOptions(options) {
  checkOptions(options, ATTESTATION_OPTIONS);
  const optional = (value, read) => (value === undefined ? undefined : read(value));
  if (options.policy === undefined) refuse("bad-option", "policy", "without one nothing is accepted");
  if (options.network !== undefined && (typeof options.network !== "string" || !options.network))
    refuse("bad-option", "network", 'not the name of a network, nor "any"');
  if (options.development !== undefined && typeof options.development !== "boolean")
    refuse("bad-option", "development", "not true or false");
  if (options.onStep !== undefined && typeof options.onStep !== "function") refuse("bad-option", "onStep", "not a function");
  const nonce = fromHex(asHex("bytes32", options.nonce, "nonce"));
  if (isZero(nonce)) refuse("bad-option", "nonce", "all zeros: an attestation without a nonce has those");
  const key = optional(options.key, (k) => addressOfKey(k) && fromHex(`0x${k.slice(-66)}`));
  return {
    policy: textOf(options.policy, "policy"),
    nonce,
    network: options.network ?? "mainnet",
    chainId: optional(options.chainId, (v) => asNumber(v, 64, "chainId")),
    checkpoint: optional(options.checkpoint, (v) => asHex("bytes32", v, "checkpoint")),
    setup: optional(options.setup, (v) => asHex("bytes32", v, "setup")),
    development: options.development ?? false,
    collateral: optional(options.collateral, (v) => textOf(v, "collateral")),
    key,
    onStep: options.onStep ?? (() => {}),
    now: Number(asNumber(options.now ?? Math.floor(Date.now() / 1000), 52, "now")),
  };
}

/**
 * Checks an attestation (an answer of GET /v1/attest?nonce=0x…&collateral=1) under a policy, as `kettle verify` does: that the quote is
 * genuine by Intel's documents, of a TD that the policy admits, and over this nonce, both keys and both statements; then that what the
 * cluster statement says is what is demanded. Keep `signer` and `setup` of the result: verifyStatement is enough from then on.
 * A policy that names a simulator_root accepts simulated evidence, which proves nothing: `simulated` of the result says so.
 * One with td.debug accepts a TD in debug mode, whose memory its host reads: `debug` of the result says so.
 * It shows nothing of the chain's head: ask for /v1/block/latest and give it to verifyStatement with a maxAge.
 *
 * @param {string|object} attestation  JSON text (then also checked for members given twice), or parsed
 * @param {object} options  unknown names, and undefined, are refused
 * @param {string|object} options.policy   docs/policy.md; required: without one nothing is accepted
 * @param {string} options.nonce           the 32 bytes (hex) that you chose at random and asked with; not all zeros
 * @param {string} [options.network]       the name of the network; "mainnet" when absent; "any" accepts whichever it says
 * @param {number|bigint|string} [options.chainId]  the chain id; that of the network, where it is known, when absent
 * @param {string} [options.checkpoint]    the beacon block root from which the cluster must have started (hex)
 * @param {string} [options.setup]         the SHA-256 of the cluster statement that is demanded (hex)
 * @param {boolean} [options.development]  accept a node in development, whose operator chose all that is trusted
 * @param {string|object} [options.collateral]  Intel's documents, flattened; those stapled to the attestation when absent
 * @param {string} [options.key]           the cluster key that is expected (33 bytes, hex)
 * @param {number|bigint|string} [options.now]  seconds since 1970; this machine's clock when absent
 * @param {function(string, string)} [options.onStep]  is told each step that holds: policy, nonce, binding, key (if demanded), quote,
 *   admission, setup; to show them: only what is returned says that all do
 * @returns {{key: string, signer: string, nodeKey: string, setup: string, cluster: object, node: object, image: string,
 *   simulated: boolean, debug: boolean, tcb: {status: string, advisories: string[], evaluation: number, date: number},
 *   verifiableUntil: number, policyDigest: string, unbound: object}}  nothing vouches for what stands in unbound
 * @throws {KettleError} with a code of CODES
 */
export function verifyAttestation(attestation, options) {
  const o = readOptions(options);
  const policy = readPolicy(o.policy);
  o.onStep("policy", `read: SHA-256 ${toHex(policy.digest)}`);
  const x = readAttestation(textOf(attestation, "attestation"));
  if (!x.nonce || !same(x.nonce, o.nonce)) refuse("E_NONCE", "nonce");
  o.onStep("nonce", "it is the one that was chosen here");
  if (!same(parseQuote(x.quote).td.reportData, reportDataOf(x, o.nonce))) refuse("E_REPORTDATA");
  o.onStep("binding", "the quote is over nonce, both keys and both statements");
  if (o.key && !same(o.key, x.key)) refuse("E_KEY", "pubkey");
  if (o.key) o.onStep("key", "it is the one that was expected");
  const collateral = o.collateral === undefined ? x.collateral : Place.open(o.collateral, "E_COLLATERAL", { bytesMax: COLLATERAL_MAX, tooLong: "E_LIMIT" });
  if (!collateral) refuse("E_COLLATERAL", "collateral", "none is stapled, and none was given");
  if (utf8(canonical(collateral.value)).length > COLLATERAL_MAX) refuse("E_LIMIT", "collateral");
  const { verified, image } = appraise(x, collateral, policy, o.now, o.onStep);
  checkSetup(x.cluster, policy, o);
  o.onStep("setup", "network, chain and checkpoint are as demanded");
  const { status, advisories, date } = verified.grade;
  return {
    key: toHex(x.key),
    signer: addressOfKey(toHex(x.key)),
    nodeKey: toHex(x.nodeKey),
    setup: toHex(x.cluster.hash),
    cluster: x.cluster.said,
    node: x.node.said,
    image,
    simulated: EVIDENCE[x.type] === "simulated",
    debug: parseQuote(x.quote).td.tdAttributes[0] !== 0,
    tcb: { status, advisories, evaluation: verified.evaluation, date },
    verifiableUntil: verified.until,
    policyDigest: toHex(policy.digest),
    unbound: x.unbound,
  };
}


// ---- for kettle-evidence.mjs, which stands beside this file: no part of what others may rely on
export const internals = Object.freeze({
  Place, asHex, asNumber, canonical, checkResult, concat, digestOf, fromHex, hashOf, isObject, keccak256, MEMBERS, own, plainJson,
  readAnswer, readCluster, recover, same, SETUP_STATEMENT_MAX, sha256, signerOf, toHex, utf8,
});

// ---- data: Intel's SGX root CA (DER; SHA-256 44a0196b…d3), and the networks as sdk/networks.json has them
function intelRootBase64() {
  return "MIICjzCCAjSgAwIBAgIUImUM1lqdNInzg7SVUr9QGzknBqwwCgYIKoZIzj0EAwIwaDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYTAlVTMB4XDTE4MDUyMTEwNDUxMFoXDTQ5MTIzMTIzNTk1OVowaDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYTAlVTMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi71OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlKOBuzCBuDAfBgNVHSMEGDAWgBQiZQzWWp00ifODtJVSv1AbOScGrDBSBgNVHR8ESzBJMEegRaBDhkFodHRwczovL2NlcnRpZmljYXRlcy50cnVzdGVkc2VydmljZXMuaW50ZWwuY29tL0ludGVsU0dYUm9vdENBLmRlcjAdBgNVHQ4EFgQUImUM1lqdNInzg7SVUr9QGzknBqwwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwCgYIKoZIzj0EAwIDSQAwRgIhAOW/5QkR+S9CiSDcNoowLuPRLsWGf/Yi7GSX94BgwTwgAiEA4J0lrHoMs+Xo5o/sX6O9QWxHRAvZUGOdRQ7cvqRXaqI=";
}
function knownNetworks() {
  return {"mainnet":{"chain_id":1,"genesis_validators_root":"0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95","digests":[{"from":1767747671,"digest":"0x58c6a8b83e5b5521b4b52a1bca046f8b5d0b5828bff6addb6ee4314cd9a60a06"},{"from":1765290071,"digest":"0x27c3afb6bd27147e98906aee216210f60908044eaa791680d9d7095ba6ae7292"},{"from":1764798551,"digest":"0xea6cf0d0affc3a9fc4cd769b60866416d8d693c5cddd56e4805c5f589c2821c8"},{"from":1746612311,"digest":"0xf0470197a4fa4ab977701ec942bf6d9a3e14982b70d6e025c9b44f938a1e7199"},{"from":1710338135,"digest":"0xbe7e11b802534600f85df8ad11d9d7b570f299b5db5ee4fcd1c88de6e61334c6"},{"from":1681338455,"digest":"0x35093ff5b177f5541894f33cf1092b42abe916e21a524a093afa2cc3d513b190"},{"from":1662464087,"digest":"0x0f11d64e7eaa1b8c9852911da1b83c057e9d5b1564fb7463fe7a4444d0c5220d"},{"from":1635332183,"digest":"0xd22f11c8f883139ebfb9583fafc87402f538a6bdb91753da56510eea84e39636"},{"from":1606824023,"digest":"0x4f6023d87c10b382d74026d8231651b6125020853b5dccdfeb82534dd2012460"}]},"sepolia":{"chain_id":11155111,"genesis_validators_root":"0xd8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078","digests":[{"from":1791294816,"digest":"0x243c26c0c2a042ccb3cb143cf7fce031c736b6e368ff9f5c889951e6a2ba6c30"},{"from":1761607008,"digest":"0xf207a132f749136823135f2b3dc30dbe9b906fb5132f54450b8a5c3949259ff7"},{"from":1761017184,"digest":"0xa767024aff5e2c71f658b63f1eb39ec241f296cfc4c76394b4fb9650284174b3"},{"from":1760427360,"digest":"0x2b7c02f165924e1c6d0ed65a4e87696a8aadd4874593b1a1476095367320f2c3"},{"from":1741159776,"digest":"0xd870f6f7bb8e00b65b9e8d1635408cb5133725e10b32bdd8ce3c8aa5999c89e1"},{"from":1706655072,"digest":"0x2d37e52c10f15247b5727bee4383318f08b4677ba97ae295a5df6fc3f854374c"},{"from":1677557088,"digest":"0x6cf5ee7ac45327d5a20396444e1b7257234ddcab604568797e0b6a70e228d97a"},{"from":1655772000,"digest":"0xb67deab6687543a0be799943e04d509e77601047c154213cf47e2fd2bf209b80"},{"from":1655752800,"digest":"0x9b5d4928c93bad4777c02f87c2d0d869e132ced955d020d8183ed2182a9853df"},{"from":1655733600,"digest":"0x0a5d8bf723d296114387de5d5d267cd1f64d2ae0cdf1d9d720223b3c18fbf8df"}]},"hoodi":{"chain_id":560048,"genesis_validators_root":"0x212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f","digests":[{"from":1762955544,"digest":"0xd7a87bb244bf55e8645d0f3c85a44d963c89adff532e8c47b935bb580efe6c23"},{"from":1762365720,"digest":"0x5898d5e7b8763c4029a09f1400687872094794c26830af476a4842dbc770c65b"},{"from":1761677592,"digest":"0x964f0dfb0a8c3009f7f96e6c107c0cebd1f74630ea4a5eaf527f1b6ebaa25ba8"},{"from":1742999832,"digest":"0x98bafed0ab88194977119959b7d30c245b73ef9c68593eaadb59c002ba8c0d4c"},{"from":1742213400,"digest":"0xe91b0035bc7778fbed2a6f32b7f88b5f7ea6036490c5029c8b6da95cfc6ca776"}]}};
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
__getOwnPropDesc(from,key))||desc.enumerable});return to};var __toCommonJS=mod2=>__copyProps(__defProp({},"__esModule",{value:!0}),mod2);var primitives_exports={};__export(primitives_exports,{P256_ORDER:()=>P256_ORDER,expand:()=>expand,isP256Point:()=>isP256Point,keccak256:()=>keccak256,recover:()=>recover,
sha256:()=>sha256,sha384:()=>sha384,sha512:()=>sha512,verifyP256:()=>verifyP256});function isBytes(a){return a instanceof Uint8Array||ArrayBuffer.isView(a)&&a.constructor.name==="Uint8Array"&&"BYTES_PER_ELEMENT"in a&&a.BYTES_PER_ELEMENT===1}var atitle=title=>title?
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
fill(0)}function createView(arr){return new DataView(arr.buffer,arr.byteOffset,arr.byteLength)}function rotr(word,shift){return word<<32-shift|word>>>shift}var isLE=new Uint8Array(new Uint32Array([287454020]).buffer)[0]===68;function byteSwap(word){return word<<24&4278190080|word<<8&16711680|word>>>8&65280|word>>>24&
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
be defined");if(bytesLength>65536)throw new RangeError(`"bytesLength" expected <= 65536, got ${bytesLength}`);return cr.getRandomValues(new Uint8Array(bytesLength))}
var oidNist=suffix=>({oid:Uint8Array.from([6,9,96,134,72,1,101,3,4,2,suffix])});var _HMAC=class{oHash;iHash;blockLen;outputLen;canXOF=!1;finished=!1;destroyed=!1;constructor(hash,key){if(ahash(hash),abytes(key,void 0,"key"),this.iHash=hash.
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
lst[i],le);[Ah[i],Al[i]]=[h,l]}return[Ah,Al]}var fromNumH=n=>n/2**32|0,fromNumL=n=>n>>>0;function setU64FromNum(view,byteOffset,n,isLE2){let h=fromNumH(n),l=fromNumL(n);view.setUint32(byteOffset,isLE2?l:h,
isLE2),view.setUint32(byteOffset+4,isLE2?h:l,isLE2)}var shrSH=(h,_l,s)=>h>>>s,shrSL=(h,l,s)=>h<<32-s|l>>>s,rotrSH=(h,l,s)=>h>>>s|l<<32-s,rotrSL=(h,l,s)=>h<<32-s|
l>>>s,rotrBH=(h,l,s)=>h<<64-s|l>>>s-32,rotrBL=(h,l,s)=>h>>>s-32|l<<64-s;function add(Ah,Al,Bh,Bl){let l=(Al>>>0)+(Bl>>>0);return{h:Ah+Bh+(l/2**32|0)|0,l:l|0}}var add3L=(Al,Bl,Cl)=>(Al>>>0)+(Bl>>>0)+(Cl>>>0),add3H=(low,Ah,Bh,Ch)=>Ah+
Bh+Ch+(low/2**32|0)|0,add4L=(Al,Bl,Cl,Dl)=>(Al>>>0)+(Bl>>>0)+(Cl>>>0)+(Dl>>>0),add4H=(low,Ah,Bh,Ch,Dh)=>Ah+Bh+Ch+Dh+(low/2**32|0)|0,add5L=(Al,Bl,Cl,Dl,El)=>(Al>>>
0)+(Bl>>>0)+(Cl>>>0)+(Dl>>>0)+(El>>>0),add5H=(low,Ah,Bh,Ch,Dh,Eh)=>Ah+Bh+Ch+Dh+Eh+(low/2**32|0)|0;function Chi(a,b,c){return a&b^~a&c}function Maj(a,b,c){return a&b^a&c^b&c}var HashMD=class{blockLen;outputLen;canXOF=!1;padOffset;isLE;buffer;view;finished=!1;length=0;pos=0;destroyed=!1;constructor(blockLen,outputLen,padOffset,isLE2){
this.blockLen=blockLen,this.outputLen=outputLen,this.padOffset=padOffset,this.isLE=isLE2,this.buffer=new Uint8Array(blockLen),this.view=createView(this.buffer)}update(data){
aexists(this),abytes(data);let{view,buffer,blockLen}=this,len=data.length,processed=!1;for(let pos=0;pos<len;){let take=Math.min(blockLen-this.pos,len-pos);if(take===
blockLen){let dataView=createView(data);for(;blockLen<=len-pos;pos+=blockLen)this.process(dataView,pos);processed=!0;continue}buffer.set(pos===0&&take===len?data:
data.subarray(pos,pos+take),this.pos),this.pos+=take,pos+=take,this.pos===blockLen&&(this.process(view,0),this.pos=0,processed=!0)}return this.length+=data.length,
processed&&this.roundClean(),this}digestInto(out){aexists(this),aoutput(out,this),this.finished=!0;let{buffer,view,blockLen,isLE:isLE2}=this,{pos}=this;buffer[pos++]=
128,buffer.fill(0,pos),this.padOffset>blockLen-pos&&(this.process(view,0),buffer.fill(0)),setU64FromNum(view,blockLen-8,this.length*8,isLE2),this.process(view,0),
this.roundClean();let oview=out===buffer?view:createView(out),len=this.outputLen,outLen=len/4,state=this.get();if(len%4||outLen>state.length)throw new Error("in\
valid outputLen");for(let i=0;i<outLen;i++)oview.setUint32(4*i,state[i],isLE2)}digest(){let{buffer,outputLen}=this;this.digestInto(buffer);let res=buffer.slice(
0,outputLen);return this.destroy(),res}_cloneIntoMeta(to){let{buffer,length,finished,destroyed,pos}=this;return to.destroyed=destroyed,to.finished=finished,to.length=
length,to.pos=pos,pos&&to.buffer.set(buffer),to}clone(){return this._cloneInto()}},SHA256_IV=Uint32Array.from([1779033703,3144134277,1013904242,2773480762,1359893119,
2600822924,528734635,1541459225]);var SHA384_IV=Uint32Array.from([3418070365,3238371032,1654270250,914150663,2438529370,812702999,355462360,4144912697,1731405415,4290775857,2394180231,1750603025,
3675008525,1694076839,1203062813,3204075428]),SHA512_IV=Uint32Array.from([1779033703,4089235720,3144134277,2227873595,1013904242,4271175723,2773480762,1595750129,
1359893119,2917565137,2600822924,725511199,528734635,4215389547,1541459225,327033209]);var SHA256_K=Uint32Array.from([1116352408,1899447441,3049323471,3921009573,961987163,1508970993,2453635748,2870763221,3624381080,310598401,607225278,1426881987,
1925078388,2162078206,2614888103,3248222580,3835390401,4022224774,264347078,604807628,770255983,1249150122,1555081692,1996064986,2554220882,2821834349,2952996808,
3210313671,3336571891,3584528711,113926993,338241895,666307205,773529912,1294757372,1396182291,1695183700,1986661051,2177026350,2456956037,2730485921,2820302411,
3259730800,3345764771,3516065817,3600352804,4094571909,275423344,430227734,506948616,659060556,883997877,958139571,1322822218,1537002063,1747873779,1955562222,2024104815,
2227730452,2361852424,2428436474,2756734187,3204031479,3329325298]),SHA256_W=new Uint32Array(64),SHA2_32B=class extends HashMD{A=0;B=0;C=0;D=0;E=0;F=0;G=0;H=0;constructor(outputLen,IV){
super(64,outputLen,8,!1),this.A=IV[0]|0,this.B=IV[1]|0,this.C=IV[2]|0,this.D=IV[3]|0,this.E=IV[4]|0,this.F=IV[5]|0,this.G=IV[6]|0,this.H=IV[7]|0}get(){let{A,B:B2,
C,D,E,F,G,H}=this;return[A,B2,C,D,E,F,G,H]}set(A,B2,C,D,E,F,G,H){this.A=A|0,this.B=B2|0,this.C=C|0,this.D=D|0,this.E=E|0,this.F=F|0,this.G=G|0,this.H=H|0}_cloneInto(to){
return(to||=new this.constructor).set(...this.get()),this._cloneIntoMeta(to)}process(view,offset){for(let i=0;i<16;i++,offset+=4)SHA256_W[i]=view.getUint32(offset,
!1);for(let i=16;i<64;i++){let W15=SHA256_W[i-15],W2=SHA256_W[i-2],s0=rotr(W15,7)^rotr(W15,18)^W15>>>3,s1=rotr(W2,17)^rotr(W2,19)^W2>>>10;SHA256_W[i]=s1+SHA256_W[i-
7]+s0+SHA256_W[i-16]|0}let{A,B:B2,C,D,E,F,G,H}=this;for(let i=0;i<64;i++){let sigma1=rotr(E,6)^rotr(E,11)^rotr(E,25),T1=H+sigma1+Chi(E,F,G)+SHA256_K[i]+SHA256_W[i]|
0,T2=(rotr(A,2)^rotr(A,13)^rotr(A,22))+Maj(A,B2,C)|0;H=G,G=F,F=E,E=D+T1|0,D=C,C=B2,B2=A,A=T1+T2|0}A=A+this.A|0,B2=B2+this.B|0,C=C+this.C|0,D=D+this.D|0,E=E+this.
E|0,F=F+this.F|0,G=G+this.G|0,H=H+this.H|0,this.set(A,B2,C,D,E,F,G,H)}roundClean(){clean(SHA256_W)}destroy(){this.destroyed=!0,this.set(0,0,0,0,0,0,0,0),clean(this.
buffer)}},_SHA256=class extends SHA2_32B{constructor(){super(32,SHA256_IV)}};var K512=split(["0x428a2f98d728ae22","0x7137449123ef65cd","0xb5c0fbcfec4d3b2f","0xe9b5dba58189dbbc","0x3956c25bf348b538","0x59f111f1b605d019","0x923f82a4af194f9\
b","0xab1c5ed5da6d8118","0xd807aa98a3030242","0x12835b0145706fbe","0x243185be4ee4b28c","0x550c7dc3d5ffb4e2","0x72be5d74f27b896f","0x80deb1fe3b1696b1","0x9bdc06a\
725c71235","0xc19bf174cf692694","0xe49b69c19ef14ad2","0xefbe4786384f25e3","0x0fc19dc68b8cd5b5","0x240ca1cc77ac9c65","0x2de92c6f592b0275","0x4a7484aa6ea6e483","0\
x5cb0a9dcbd41fbd4","0x76f988da831153b5","0x983e5152ee66dfab","0xa831c66d2db43210","0xb00327c898fb213f","0xbf597fc7beef0ee4","0xc6e00bf33da88fc2","0xd5a79147930a\
a725","0x06ca6351e003826f","0x142929670a0e6e70","0x27b70a8546d22ffc","0x2e1b21385c26c926","0x4d2c6dfc5ac42aed","0x53380d139d95b3df","0x650a73548baf63de","0x766a\
0abb3c77b2a8","0x81c2c92e47edaee6","0x92722c851482353b","0xa2bfe8a14cf10364","0xa81a664bbc423001","0xc24b8b70d0f89791","0xc76c51a30654be30","0xd192e819d6ef5218",
"0xd69906245565a910","0xf40e35855771202a","0x106aa07032bbd1b8","0x19a4c116b8d2d0c8","0x1e376c085141ab53","0x2748774cdf8eeb99","0x34b0bcb5e19b48a8","0x391c0cb3c5\
c95a63","0x4ed8aa4ae3418acb","0x5b9cca4f7763e373","0x682e6ff3d6b2b8a3","0x748f82ee5defb2fc","0x78a5636f43172f60","0x84c87814a1f0ab72","0x8cc702081a6439ec","0x90\
befffa23631e28","0xa4506cebde82bde9","0xbef9a3f7b2c67915","0xc67178f2e372532b","0xca273eceea26619c","0xd186b8c721c0c207","0xeada7dd6cde0eb1e","0xf57d4f7fee6ed17\
8","0x06f067aa72176fba","0x0a637dc5a2c898a6","0x113f9804bef90dae","0x1b710b35131c471b","0x28db77f523047d84","0x32caab7b40c72493","0x3c9ebe0a15c9bebc","0x431d67c\
49c100d4c","0x4cc5d4becb3e42b6","0x597f299cfc657e2a","0x5fcb6fab3ad6faec","0x6c44198c4a475817"].map(n=>BigInt(n))),SHA512_Kh=K512[0],SHA512_Kl=K512[1],SHA512_W_H=new Uint32Array(
80),SHA512_W_L=new Uint32Array(80),SHA2_64B=class extends HashMD{Ah=0;Al=0;Bh=0;Bl=0;Ch=0;Cl=0;Dh=0;Dl=0;Eh=0;El=0;Fh=0;Fl=0;Gh=0;Gl=0;Hh=0;Hl=0;constructor(outputLen,IV){
super(128,outputLen,16,!1),this.Ah=IV[0]|0,this.Al=IV[1]|0,this.Bh=IV[2]|0,this.Bl=IV[3]|0,this.Ch=IV[4]|0,this.Cl=IV[5]|0,this.Dh=IV[6]|0,this.Dl=IV[7]|0,this.
Eh=IV[8]|0,this.El=IV[9]|0,this.Fh=IV[10]|0,this.Fl=IV[11]|0,this.Gh=IV[12]|0,this.Gl=IV[13]|0,this.Hh=IV[14]|0,this.Hl=IV[15]|0}get(){let{Ah,Al,Bh,Bl,Ch,Cl,Dh,
Dl,Eh,El,Fh,Fl,Gh,Gl,Hh,Hl}=this;return[Ah,Al,Bh,Bl,Ch,Cl,Dh,Dl,Eh,El,Fh,Fl,Gh,Gl,Hh,Hl]}set(Ah,Al,Bh,Bl,Ch,Cl,Dh,Dl,Eh,El,Fh,Fl,Gh,Gl,Hh,Hl){this.Ah=Ah|0,this.
Al=Al|0,this.Bh=Bh|0,this.Bl=Bl|0,this.Ch=Ch|0,this.Cl=Cl|0,this.Dh=Dh|0,this.Dl=Dl|0,this.Eh=Eh|0,this.El=El|0,this.Fh=Fh|0,this.Fl=Fl|0,this.Gh=Gh|0,this.Gl=Gl|
0,this.Hh=Hh|0,this.Hl=Hl|0}_cloneInto(to){return(to||=new this.constructor).set(...this.get()),this._cloneIntoMeta(to)}process(view,offset){for(let i=0;i<16;i++,
offset+=4)SHA512_W_H[i]=view.getUint32(offset),SHA512_W_L[i]=view.getUint32(offset+=4);for(let i=16;i<80;i++){let W15h=SHA512_W_H[i-15]|0,W15l=SHA512_W_L[i-15]|
0,s0h=rotrSH(W15h,W15l,1)^rotrSH(W15h,W15l,8)^shrSH(W15h,W15l,7),s0l=rotrSL(W15h,W15l,1)^rotrSL(W15h,W15l,8)^shrSL(W15h,W15l,7),W2h=SHA512_W_H[i-2]|0,W2l=SHA512_W_L[i-
2]|0,s1h=rotrSH(W2h,W2l,19)^rotrBH(W2h,W2l,61)^shrSH(W2h,W2l,6),s1l=rotrSL(W2h,W2l,19)^rotrBL(W2h,W2l,61)^shrSL(W2h,W2l,6),SUMl=add4L(s0l,s1l,SHA512_W_L[i-7],SHA512_W_L[i-
16]),SUMh=add4H(SUMl,s0h,s1h,SHA512_W_H[i-7],SHA512_W_H[i-16]);SHA512_W_H[i]=SUMh|0,SHA512_W_L[i]=SUMl|0}let{Ah,Al,Bh,Bl,Ch,Cl,Dh,Dl,Eh,El,Fh,Fl,Gh,Gl,Hh,Hl}=this;
for(let i=0;i<80;i++){let sigma1h=rotrSH(Eh,El,14)^rotrSH(Eh,El,18)^rotrBH(Eh,El,41),sigma1l=rotrSL(Eh,El,14)^rotrSL(Eh,El,18)^rotrBL(Eh,El,41),CHIh=Eh&Fh^~Eh&Gh,
CHIl=El&Fl^~El&Gl,T1ll=add5L(Hl,sigma1l,CHIl,SHA512_Kl[i],SHA512_W_L[i]),T1h=add5H(T1ll,Hh,sigma1h,CHIh,SHA512_Kh[i],SHA512_W_H[i]),T1l=T1ll|0,sigma0h=rotrSH(Ah,
Al,28)^rotrBH(Ah,Al,34)^rotrBH(Ah,Al,39),sigma0l=rotrSL(Ah,Al,28)^rotrBL(Ah,Al,34)^rotrBL(Ah,Al,39),MAJh=Ah&Bh^Ah&Ch^Bh&Ch,MAJl=Al&Bl^Al&Cl^Bl&Cl;Hh=Gh|0,Hl=Gl|
0,Gh=Fh|0,Gl=Fl|0,Fh=Eh|0,Fl=El|0,{h:Eh,l:El}=add(Dh|0,Dl|0,T1h|0,T1l|0),Dh=Ch|0,Dl=Cl|0,Ch=Bh|0,Cl=Bl|0,Bh=Ah|0,Bl=Al|0;let All=add3L(T1l,sigma0l,MAJl);Ah=add3H(
All,T1h,sigma0h,MAJh),Al=All|0}({h:Ah,l:Al}=add(this.Ah|0,this.Al|0,Ah|0,Al|0)),{h:Bh,l:Bl}=add(this.Bh|0,this.Bl|0,Bh|0,Bl|0),{h:Ch,l:Cl}=add(this.Ch|0,this.Cl|
0,Ch|0,Cl|0),{h:Dh,l:Dl}=add(this.Dh|0,this.Dl|0,Dh|0,Dl|0),{h:Eh,l:El}=add(this.Eh|0,this.El|0,Eh|0,El|0),{h:Fh,l:Fl}=add(this.Fh|0,this.Fl|0,Fh|0,Fl|0),{h:Gh,
l:Gl}=add(this.Gh|0,this.Gl|0,Gh|0,Gl|0),{h:Hh,l:Hl}=add(this.Hh|0,this.Hl|0,Hh|0,Hl|0),this.set(Ah,Al,Bh,Bl,Ch,Cl,Dh,Dl,Eh,El,Fh,Fl,Gh,Gl,Hh,Hl)}roundClean(){clean(
SHA512_W_H,SHA512_W_L)}destroy(){this.destroyed=!0,clean(this.buffer),this.set(0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0)}},_SHA512=class extends SHA2_64B{constructor(){super(
64,SHA512_IV)}},_SHA384=class extends SHA2_64B{constructor(){super(48,SHA384_IV)}};var sha256=createHasher(()=>new _SHA256,oidNist(1));var sha512=createHasher(()=>new _SHA512,oidNist(3)),sha384=createHasher(()=>new _SHA384,oidNist(2));var _0n6=BigInt(0),_1n5=BigInt(1),_2n3=BigInt(2),_7n2=BigInt(7),_256n=BigInt(256),_0x71n=BigInt(113),SHA3_PI=[],SHA3_ROTL=[],_SHA3_IOTA=[];for(let round=0,R=_1n5,
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
recoverPublicKey(Uint8Array.of(parity,...rs),digest,{prehash:!1}))}var P256_ORDER=0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,P256=weierstrass(
{p:0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,n:P256_ORDER,h:1n,a:0xffffffff00000001000000000000000000000000fffffffffffffffffffffffcn,b:0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
Gx:0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,Gy:0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n}),p256Signatures=ecdsa(
P256,sha256),pointOf=xy=>Uint8Array.of(4,...xy);function isP256Point(xy){try{return P256.fromBytes(pointOf(xy)).assertValidity(),!0}catch{return!1}}var verifyP256=(rs,digest,xy)=>p256Signatures.
verify(rs,digest,pointOf(xy),{prehash:!1,lowS:!1});return __toCommonJS(primitives_exports);})();
return primitives;
}
