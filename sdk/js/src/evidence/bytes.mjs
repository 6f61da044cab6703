// ---- bytes and RLP

const PLAIN_NAME = /^[ !#-[\]-~]{1,31}$/; // printable ASCII without '"' and '\'

function join(...parts) {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Bytes as digits: what maps have as keys. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
function digits(bytes) {
  let out = "";
  for (const byte of bytes) out += DIGITS[byte];
  return out;
}
const hexOf = (bytes) => `0x${digits(bytes)}`;

const VALUES = new Int8Array(128).fill(-1);
for (const [i, c] of [..."0123456789abcdef"].entries()) VALUES[c.charCodeAt(0)] = VALUES[c.toUpperCase().charCodeAt(0)] = i;

/** Bytes of "0x…" in either case; undefined: it is none. */
function bytesFrom(text) {
  if (typeof text !== "string" || text.length % 2 || !text.startsWith("0x")) return undefined;
  const out = new Uint8Array(text.length / 2 - 1);
  for (let i = 0; i < out.length; i++) {
    const [high, low] = [VALUES[text.charCodeAt(2 * i + 2)] ?? -1, VALUES[text.charCodeAt(2 * i + 3)] ?? -1];
    if (high < 0 || low < 0) return undefined;
    out[i] = 16 * high + low;
  }
  return out;
}

const allZero = (bytes) => bytes.every((byte) => byte === 0);
const bigEndian = (bytes) => (bytes.length ? BigInt(hexOf(bytes)) : 0n);
const fromLittleEndian = (bytes) => bigEndian(Uint8Array.from(bytes).reverse());

function numberBytes(number, length) {
  const out = new Uint8Array(length);
  for (let i = length - 1, rest = BigInt(number); i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 255n);
  return out;
}
const littleEndian = (number, length) => numberBytes(number, length).reverse();

/** As memcmp does, and then the shorter one first. */
function compareBytes(a, b) {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

const quantity = (number) => `0x${number.toString(16)}`;

/** What bytes are not: thrown by readers of RLP, of nodes, headers, blocks; whoever calls says which code that is. */
class NoSuchForm extends Error {}
const malformed = (text) => {
  throw new NoSuchForm(text);
};

/** The item that begins at a place: {list, payload, whole}. */
function rlpAt(bytes, at) {
  const prefix = at < bytes.length ? bytes[at] : malformed("RLP ends");
  const list = prefix >= 0xc0;
  if (prefix < 0x80) return { list, payload: bytes.subarray(at, at + 1), whole: bytes.subarray(at, at + 1) };
  let n = prefix - (list ? 0xc0 : 0x80);
  let from = at + 1;
  if (n > 55) {
    const lengthBytes = n - 55;
    const length = bytes.subarray(from, from + lengthBytes);
    from += lengthBytes;
    if (from > bytes.length || length[0] === 0 || lengthBytes > 6) malformed("RLP length");
    n = length.reduce((sum, byte) => sum * 256 + byte, 0);
    if (n <= 55) malformed("RLP length");
  }
  if (from + n > bytes.length) malformed("RLP ends");
  const payload = bytes.subarray(from, from + n);
  if (prefix === 0x81 && payload[0] < 0x80) malformed("RLP of one byte");
  return { list, payload, whole: bytes.subarray(at, from + n) };
}

const RLP_ITEMS_MAX = 200000; // of one list: more than a block of the longest length has transactions

function rlpItems(payload, max = RLP_ITEMS_MAX) {
  const items = [];
  for (let at = 0; at < payload.length; at += items.at(-1).whole.length) {
    if (items.length === max) malformed("too many items");
    items.push(rlpAt(payload, at));
  }
  return items;
}

/** The one item that bytes are. */
function rlpOf(bytes) {
  const item = rlpAt(bytes, 0);
  return item.whole.length === bytes.length ? item : malformed("bytes behind RLP");
}

/** The items of a list. */
const rlpList = (item, max) => (item.list ? rlpItems(item.payload, max) : malformed("no RLP list"));
const rlpString = (item) => (item.list ? malformed("an RLP list") : item.payload);

function rlpNumber(item, bytesMax) {
  const bytes = rlpString(item);
  return bytes.length <= bytesMax && bytes[0] !== 0 ? bigEndian(bytes) : malformed("no RLP number");
}
const rlpFixed = (item, n) => (rlpString(item).length === n ? item.payload : malformed("another length"));

function rlpPrefix(base, n) {
  if (n <= 55) return Uint8Array.of(base + n);
  const length = bytesFrom(`0x${n.toString(16).padStart(2 * Math.ceil(n.toString(16).length / 2), "0")}`);
  return join([base + 55 + length.length], length);
}
const putBytes = (bytes) => (bytes.length === 1 && bytes[0] < 0x80 ? bytes : join(rlpPrefix(0x80, bytes.length), bytes));
const putNumber = (number) => putBytes(number ? numberBytes(number, Math.ceil(BigInt(number).toString(16).length / 2)) : new Uint8Array());
const putList = (...items) => {
  const payload = join(...items);
  return join(rlpPrefix(0xc0, payload.length), payload);
};
