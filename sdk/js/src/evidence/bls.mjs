// BLS12-381 for signatures of sync committees, from @noble/curves. build.mjs lays this, bundled, into the shipped file.
import { bls12_381 } from "@noble/curves/bls12-381.js";

const G1 = bls12_381.G1.Point;
const G2 = bls12_381.G2.Point;
const DST = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const { Fp12 } = bls12_381.fields;

/** A public key (48 bytes) as a point of the subgroup other than infinity; undefined: it is none. */
export function keyPoint(bytes) {
  try {
    const point = G1.fromBytes(bytes);
    point.assertValidity(); // the curve's, and in the subgroup
    return point.is0() ? undefined : point;
  } catch {
    return undefined;
  }
}

export const noKey = G1.ZERO;

/** Whether the sum of keys, a point, signed a message: e(key, H(message)) = e(G1, signature). Infinity signs nothing. */
export function signedBy(key, message, signature) {
  let point;
  try {
    point = G2.fromBytes(signature);
    point.assertValidity();
  } catch {
    return false;
  }
  if (point.is0() || key.is0()) return false;
  const hash = bls12_381.G2.hashToCurve(message, { DST });
  const product = bls12_381.pairingBatch([
    { g1: G1.BASE.negate(), g2: point },
    { g1: key, g2: hash },
  ]);
  return Fp12.eql(product, Fp12.ONE);
}
