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
