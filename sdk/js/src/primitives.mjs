// The two primitives that a statement needs, from @noble/hashes and @noble/curves. build.mjs lays this, bundled, into the shipped file.
import { ecdsa, weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

const secp256k1 = weierstrass({
  p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn,
  n: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  h: 1n,
  a: 0n,
  b: 7n,
  Gx: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  Gy: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
});
const signatures = ecdsa(secp256k1, keccak_256);

/** keccak-256 of bytes. */
export const keccak256 = (bytes) => keccak_256(bytes);

/** A public key of 33 bytes as its 65; throws when it is none. */
export const expand = (key) => secp256k1.fromBytes(key).toBytes(false);

/** The uncompressed public key (65 bytes) that signed `digest`; throws when there is none. r and s are 32 bytes each, parity 0 or 1. */
export function recover(digest, rs, parity) {
  return expand(signatures.recoverPublicKey(Uint8Array.of(parity, ...rs), digest, { prehash: false }));
}
