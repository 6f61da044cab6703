// What generator, reference and comparison share: forks, keys, bytes.
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { RLP } from '@ethereumjs/rlp';
import { bytesToHex, concatBytes, createAddressFromPrivateKey, generateAddress, hexToBytes } from '@ethereumjs/util';
import { keccak_256 } from '@noble/hashes/sha3.js';

export const hex = bytesToHex, concat = concatBytes, unhex = hexToBytes, keccak = keccak_256;
export const u256 = n => '0x' + n.toString(16).padStart(64, '0');
export const wordBytes = (n, length = 32) => unhex('0x' + n.toString(16).padStart(2 * length, '0'));
export const addressOfWord = n => '0x' + n.toString(16).padStart(40, '0');
export const delegation = address => concat(Uint8Array.of(0xef, 0x01, 0x00), unhex(address));
export const createAddress = (from, nonce) => hex(generateAddress(unhex(from), wordBytes(nonce, 1)));

const names = ['berlin', 'london', 'paris', 'shanghai', 'cancun', 'prague', 'osaka', 'amsterdam'];
// FORKS.cancun: { name: 'cancun', berlin: true, ..., cancun: true, prague: false, ... }
export const FORKS = Object.fromEntries(names.map((name, i) =>
  [name, { name, ...Object.fromEntries(names.map((other, j) => [other, j <= i])) }]));

// Accounts whose keys are known; the first sends all transactions.
export const KEYS = [1, 2, 3, 4].map(n => {
  const secret = keccak(Uint8Array.of(0x6b, n));
  return { secret, address: createAddressFromPrivateKey(secret).toString() };
});

const signed = new Map();
// The six fields of an EIP-7702 authorization, as the transaction carries them.
export function signAuthorization({ key, chainId, address, nonce, spoilt }) {
  const id = [key.address, chainId, address, nonce].join();
  const trim = n => (n === 0n ? new Uint8Array() : wordBytes(n, Math.ceil(n.toString(16).length / 2)));
  const fields = [trim(chainId), unhex(address), trim(nonce)];
  if (!signed.has(id)) {
    const digest = keccak(concat(Uint8Array.of(5), RLP.encode(fields)));
    signed.set(id, secp256k1.sign(digest, key.secret, { prehash: false, format: 'recovered' }));
  }
  const [recovery, ...rs] = signed.get(id);
  const r = BigInt(hex(Uint8Array.from(rs.slice(0, 32)))), s = BigInt(hex(Uint8Array.from(rs.slice(32))));
  // Spoilt: r of 0, so that nobody has signed.
  return [...fields, trim(BigInt(recovery)), spoilt ? new Uint8Array() : trim(r), trim(s)];
}
