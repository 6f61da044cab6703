// Inputs of precompiles: good ones, and the same a little wrong.
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bn254 } from '@noble/curves/bn254.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concat, keccak, unhex, wordBytes } from './common.mjs';

const SCALARS = [1n, 2n, 3n, 0xffffffffffffffffn, 1n << 200n];
const ORDER = bn254.fields.Fr.ORDER, PRIME = bn254.fields.Fp.ORDER, BLS_PRIME = bls12_381.fields.Fp.ORDER;

const memo = make => { let made; return () => (made ??= make()); };
const affine = (Point, scalars) => scalars.map(n => Point.BASE.multiply(n).toAffine());

const bnG1 = memo(() => [...affine(bn254.G1.Point, SCALARS).flatMap(({ x, y }) =>
  [concat(wordBytes(x), wordBytes(y)), concat(wordBytes(x), wordBytes(PRIME - y))]),
new Uint8Array(64), concat(wordBytes(PRIME), wordBytes(0n)), concat(wordBytes(1n), wordBytes(1n))]);
const bnG2 = memo(() => [...affine(bn254.G2.Point, SCALARS.slice(0, 3)).map(({ x, y }) =>
  concat(wordBytes(x.c1), wordBytes(x.c0), wordBytes(y.c1), wordBytes(y.c0))), new Uint8Array(128)]);
const blsG1 = memo(() => [...affine(bls12_381.G1.Point, SCALARS).map(({ x, y }) =>
  concat(wordBytes(x, 64), wordBytes(y, 64))), new Uint8Array(128), concat(wordBytes(0n, 64), wordBytes(2n, 64))]);
const blsG2 = memo(() => [...affine(bls12_381.G2.Point, SCALARS.slice(0, 3)).map(({ x, y }) =>
  concat(wordBytes(x.c0, 64), wordBytes(x.c1, 64), wordBytes(y.c0, 64), wordBytes(y.c1, 64))), new Uint8Array(256)]);
const secret = keccak(Uint8Array.of(7)), digest = keccak(Uint8Array.of(8));
const recoverable = memo(() => {
  const [recovery, ...rs] = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' });
  return concat(digest, wordBytes(27n + BigInt(recovery)), Uint8Array.from(rs));
});
const signedP256 = memo(() =>
  concat(digest, p256.sign(digest, secret, { prehash: false }), p256.getPublicKey(secret, false).slice(1)));

const scalar = r =>
  wordBytes(r.pick([0n, 1n, 2n, ORDER - 1n, ORDER, ORDER + 1n, (1n << 256n) - 1n, BigInt(r.next()) << 128n]));
const repeat = (n, make) => concat(...Array.from({ length: n }, make));
const blsField = r => wordBytes(r.pick([0n, 1n, 2n, BLS_PRIME - 1n, BLS_PRIME, BigInt(r.next())]), 64);

function modexp(r) {
  const length = () => r.pick([0, 0, 1, 2, 8, 31, 32, 33, 40, 64, 96]);
  const [b, e, m] = [length(), length(), length()];
  const large = [1024n, 1025n, 1n << 32n, 1n << 64n, (1n << 256n) - 1n];
  const stated = n => wordBytes(r.chance(0.01) ? r.pick(large) : BigInt(n));
  const digits = n => (r.chance(0.2) ? new Uint8Array(n).fill(r.pick([0, 0xff])) : r.bytes(n));
  return concat(stated(b), stated(e), stated(m), digits(b), digits(e), digits(m));
}

const KINDS = {
  0x01: () => recoverable(),
  0x02: r => r.bytes(r.pick([0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 119, 120, 200])),
  0x03: r => r.bytes(r.pick([0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 119, 120, 200])),
  0x04: r => r.bytes(r.pick([0, 1, 31, 32, 33, 64, 65, 200])),
  0x05: modexp,
  0x06: r => concat(r.pick(bnG1()), r.pick(bnG1())),
  0x07: r => concat(r.pick(bnG1()), scalar(r)),
  0x08: r => repeat(r.below(3), () => concat(r.pick(bnG1()), r.pick(bnG2()))),
  0x09: r => concat(wordBytes(BigInt(r.pick([0, 1, 2, 10, 12, 300])), 4), r.bytes(208),
    Uint8Array.of(r.pick([0, 1, 0, 1, 2, 255]))),
  // The reference has no KZG set-up, so point evaluation is given only what both refuse.
  0x0a: r => r.bytes(r.pick([191, 192, 193])),
  0x0b: r => concat(r.pick(blsG1()), r.pick(blsG1())),
  0x0c: r => repeat(r.between(0, 3), () => concat(r.pick(blsG1()), scalar(r))),
  0x0d: r => concat(r.pick(blsG2()), r.pick(blsG2())),
  0x0e: r => repeat(r.between(0, 2), () => concat(r.pick(blsG2()), scalar(r))),
  0x0f: r => repeat(r.between(0, 2), () => concat(r.pick(blsG1()), r.pick(blsG2()))),
  0x10: blsField,
  0x11: r => concat(blsField(r), blsField(r)),
  0x100: () => signedP256(),
};

export function precompileInput(r, index) {
  let input = KINDS[index] ? KINDS[index](r) : r.bytes(r.below(65));
  input = Uint8Array.from(input);
  if (input.length && r.chance(0.15)) input[r.below(input.length)] ^= 1 << r.below(8);
  if (r.chance(0.05)) input = input.subarray(0, r.below(input.length + 1));
  if (r.chance(0.05)) input = concat(input, new Uint8Array(r.pick([1, 31, 32])));
  return input;
}
