// The primitives of statements (keccak-256, secp256k1) and of quotes (SHA-2, P-256), from @noble/hashes and @noble/curves. build.mjs lays
// this, bundled, into the shipped file.
import { ecdsa, weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

export { sha256, sha384, sha512 };

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

export const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P256 = weierstrass({
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  n: P256_ORDER,
  h: 1n,
  a: 0xffffffff00000001000000000000000000000000fffffffffffffffffffffffcn,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  Gx: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  Gy: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
});
const p256Signatures = ecdsa(P256, sha256);
const pointOf = (xy) => Uint8Array.of(4, ...xy);

/** Whether 64 bytes x, y are a point of P-256. */
export function isP256Point(xy) {
  try {
    P256.fromBytes(pointOf(xy)).assertValidity();
    return true;
  } catch {
    return false;
  }
}

/** Whether r, s (64 bytes) signs a digest by the key x, y, which is a point; s may be high. */
export const verifyP256 = (rs, digest, xy) => p256Signatures.verify(rs, digest, pointOf(xy), { prehash: false, lowS: false });
