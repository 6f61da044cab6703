/**
 * kettle-evidence.mjs - checks the evidence of a statement (docs/evidence.md), offline and without trust in any TEE: from a beacon block root
 * that the caller trusts along sync committees to the head, along headers and proofs to what the statement says. In a browser or Node.js 20,
 * without any installation; it needs ./kettle-verify.mjs beside it.
 *
 *   import { verifyEvidence } from "./kettle-evidence.mjs";
 *   const { message } = verifyEvidence(await file.text(), { checkpoint: "0x…", network: "mainnet", key: "0x02…" });
 *
 * It judges as `kettle verify --evidence` does, in the same order and with the same words, but has no EVM: a call is checked in all but what
 * it returns, and then refused with `needs-evm`, unless the caller says execution: "unchecked". This file is built from src/evidence/ by
 * build.mjs; the vendored primitives stand below with their licences.
 */
import { addressOfKey, internals, KettleError } from "./kettle-verify.mjs";

const { Place, asHex, asNumber, canonical, checkResult, digestOf, fromHex, isObject, keccak256, MEMBERS, own, readAnswer, readCluster } = internals;
const { recover, same, SETUP_STATEMENT_MAX, sha256, signerOf, toHex, utf8 } = internals;
const { keyPoint, noKey, signedBy } = vendoredBls();

const STEPS = ["file", "consensus", "head", "headers", "state", "execution", "statement", "signature"];

/** Every code with which evidence is refused: the step that fails, and its meaning. In the order in which they are judged. */
export const EVIDENCE_CODES = Object.freeze(groundsCodes());

const refuse = (code, field, text) => {
  throw new KettleError(code, field ?? "", text);
};

/** A refusal of the file: `step` of the KettleError is the step that fails. */
function refuseGround(code, field = "", why = "") {
  const { step, text } = EVIDENCE_CODES[code];
  throw Object.assign(new KettleError(code, field, why ? `${text}: ${why}` : text), { step });
}

/** Runs a reader of bytes; what is no such form is a refusal with this code. */
function readingAs(code, field, read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NoSuchForm)) throw error;
    return refuseGround(code, field, error.message);
  }
}
