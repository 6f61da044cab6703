// A made-up chain whose sync committees, accounts and blocks are known here, and evidence files about it: always the same bytes. It uses other
// code than what it tests: ethers for RLP and hashes, and the generic curve for signatures of committees.
import { encodeRlp, getBytes, hexlify, keccak256, sha256, SigningKey, toBeHex } from "ethers";
import { statementDigest } from "../../sdk/js/kettle-verify.mjs";

const js = new URL("../../sdk/js/", import.meta.url).pathname;
const { bls12_381 } = await import(`${js}node_modules/@noble/curves/bls12-381.js`);

const ORDER = bls12_381.fields.Fr.ORDER;
const DST = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const SIZE = 32; // members of a committee: preset minimal
const SLOTS_PER_PERIOD = 64;
const GENESIS_TIME = 1700000000;
const EMPTY_TRIE = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
const NO_OMMERS = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";
const HISTORY = "0x0000f90827f1c53a10cb7a02335b175320002935";
const FORKS = ["altair", "bellatrix", "capella", "deneb", "electra", "fulu", "gloas"];
const EXECUTION = { paris: "bellatrix", shanghai: "capella", cancun: "deneb", prague: "electra", osaka: "fulu", amsterdam: "gloas" };
const BLOBS = { cancun: [3, 6, 3338477], prague: [6, 9, 5007716] };
const EXCESS = 30000000; // of blob gas: a blob costs 399 wei at 5007716. It stays, as each block has as many blobs as its fork aims at
const usedBy = (fork) => BLOBS[fork][0] * 131072;
const NEVER = 2n ** 64n - 1n;
export const KEY = new SigningKey(`0x${"11".repeat(32)}`);

export const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...(typeof part === "string" ? getBytes(part) : part)]));
const number = (n) => (BigInt(n) ? toBeHex(BigInt(n)) : "0x"); // as RLP has it
const word = (n) => toBeHex(BigInt(n), 32);
const le = (n, length) => getBytes(toBeHex(BigInt(n), length)).reverse();
const hash = (a, b) => sha256(join(a, b));
const ZERO = `0x${"00".repeat(32)}`;
const canonical = (v) =>
  Array.isArray(v) ? `[${v.map(canonical)}]`
  : v && typeof v === "object" ? `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${canonical(v[k])}`)}}`
  : JSON.stringify(v);
const utf8 = (text) => new TextEncoder().encode(text);

// ---- networks

/** A network object; epochs by fork, absent: never. */
export function networkOf(name, epochs) {
  const config = { PRESET_BASE: "minimal", SECONDS_PER_SLOT: "12", DEPOSIT_CHAIN_ID: "1337" };
  for (const [f, fork] of FORKS.entries()) {
    config[`${fork.toUpperCase()}_FORK_EPOCH`] = String(epochs[fork] ?? NEVER);
    config[`${fork.toUpperCase()}_FORK_VERSION`] = `0x0${f + 1}000000`;
  }
  const genesis = { genesis_time: String(GENESIS_TIME), genesis_validators_root: `0x77${"00".repeat(31)}`, genesis_fork_version: "0x00000000" };
  return { name, config, genesis };
}

const epochOfFork = (net, fork) => BigInt(net.config[`${fork.toUpperCase()}_FORK_EPOCH`]);
const timeOfEpoch = (epoch) => (epoch >= 1n << 40n ? NEVER : BigInt(GENESIS_TIME) + epoch * 96n);
const forkAtSlot = (net, slot) => FORKS.findLast((fork, f) => !f || (epochOfFork(net, fork) !== NEVER && BigInt(slot) / 8n >= epochOfFork(net, fork)));

function digestOfNetwork(net, until) {
  const text = (n) => String(n);
  const rows = [];
  let blobs = [0, 0, 0];
  for (const [fork, twin] of Object.entries(EXECUTION)) {
    const epoch = epochOfFork(net, twin);
    const time = epoch ? timeOfEpoch(epoch) : 0n;
    blobs = BLOBS[fork] ?? blobs;
    if (time > until) continue;
    if (rows.at(-1)?.timestamp === text(time)) rows.pop();
    const [target, max, fraction] = blobs.map(text);
    rows.push({ fork, timestamp: text(time), blob_target: target, blob_max: max, blob_base_fee_update_fraction: fraction });
  }
  const forks = FORKS.filter((fork) => timeOfEpoch(epochOfFork(net, fork)) <= until);
  return sha256(
    utf8(
      canonical({
        blob_schedule: [], chain_id: "1337", checkpoint_age_epochs: "0", committee_size: "32", epochs_per_period: "8", execution: rows,
        forks: forks.map((name) => ({ epoch: text(epochOfFork(net, name)), name, version: net.config[`${name.toUpperCase()}_FORK_VERSION`] })),
        ...net.genesis, max_blobs_electra: "0", min_withdrawability_delay: "256", seconds_per_slot: "12", slots_per_epoch: "8",
      }),
    ),
  );
}

const dataRoot = (version, root) => hash(join(version, new Uint8Array(28)), root);
const versionOf = (net, fork) => net.config[`${fork.toUpperCase()}_FORK_VERSION`];

function digestOfFork(net, fork) {
  const base = getBytes(dataRoot(versionOf(net, fork), net.genesis.genesis_validators_root)).slice(0, 4);
  if (FORKS.indexOf(fork) < FORKS.indexOf("fulu")) return base;
  const mask = getBytes(sha256(join(le(epochOfFork(net, "electra"), 8), le(9, 8))));
  return base.map((byte, i) => byte ^ mask[i]);
}

// ---- tries

const nibbles = (hex) => [...hex.slice(2)].map((c) => parseInt(c, 16));
const prefixed = (path, leaf) => {
  const odd = path.length % 2;
  return `0x${(leaf ? 2 : 0) + odd}${odd ? "" : "0"}${path.map((n) => n.toString(16)).join("")}`;
};

/** A trie of pairs [nibbles, value]: its root, the nodes with hashes along a key, root first. */
export class Trie {
  constructor(pairs) {
    this.pairs = pairs.map(([key, value]) => [nibbles(key), value]);
    this.nodes = new Map();
    this.root = this.pairs.length ? this.#keep(encodeRlp(this.#build(this.pairs, 0)), true) : EMPTY_TRIE;
  }
  #keep(rlp, top = false) {
    if (!top && getBytes(rlp).length < 32) return undefined;
    this.nodes.set(keccak256(rlp), rlp);
    return keccak256(rlp);
  }
  #refer(node) {
    return this.#keep(encodeRlp(node)) ?? node;
  }
  #build(pairs, at) {
    if (pairs.length === 1) return [prefixed(pairs[0][0].slice(at), true), pairs[0][1]];
    let end = at;
    while (pairs.every(([key]) => key[end] === pairs[0][0][end])) end++;
    const branch = Array.from({ length: 16 }, (_, n) => {
      const some = pairs.filter(([key]) => key[end] === n);
      return some.length ? this.#refer(this.#build(some, end + 1)) : "0x";
    });
    branch.push("0x");
    return end === at ? branch : [prefixed(pairs[0][0].slice(at, end), false), this.#refer(branch)];
  }
  /** The nodes that are shared by all keys which begin as this one does: those of its proof. */
  prove(key) {
    const want = nibbles(key);
    const out = [];
    let pairs = this.pairs;
    let at = 0;
    const add = (node) => {
      const rlp = encodeRlp(node);
      if (!at || getBytes(rlp).length >= 32) out.push(rlp);
    };
    while (pairs.length) {
      add(this.#build(pairs, at));
      if (pairs.length === 1) return out;
      let end = at;
      while (pairs.every(([one]) => one[end] === pairs[0][0][end])) end++;
      if (pairs[0][0].slice(at, end).some((n, i) => n !== want[at + i])) return out;
      if (end > at) ((at = end), add(this.#build(pairs, end)));
      pairs = pairs.filter(([one]) => one[end] === want[end]);
      at = end + 1;
    }
    return out;
  }
}

const listRoot = (values) => new Trie(values.map((value, i) => [encodeRlp(number(i)), value])).root;
const secure = (entries) => new Trie(entries.map(([key, value]) => [keccak256(key), value]));

/** Accounts by address: {nonce, balance, code, slots: {number: value}}. */
export class State {
  constructor(accounts) {
    this.accounts = Object.fromEntries(
      Object.entries(accounts).map(([address, { nonce = 0, balance = 0, code = "0x", slots = {} }]) => {
        const entries = Object.entries(slots).filter(([, value]) => BigInt(value));
        const storage = secure(entries.map(([slot, value]) => [word(slot), encodeRlp(number(value))]));
        return [address, { nonce, balance, code, slots, storage, codeHash: keccak256(code) }];
      }),
    );
    const row = (a) => encodeRlp([number(a.nonce), number(a.balance), a.storage.root, a.codeHash]);
    this.trie = secure(Object.entries(this.accounts).map(([address, a]) => [address, row(a)]));
    this.root = this.trie.root;
  }
  prove(address, ...slots) {
    const storage = this.accounts[address]?.storage;
    return [...this.trie.prove(keccak256(address)), ...slots.flatMap((slot) => storage?.prove(keccak256(word(slot))) ?? [])];
  }
}

// ---- the execution chain

const BLOOM_BITS = (bytes) => [0, 2, 4].map((i) => ((getBytes(keccak256(bytes))[i] << 8) | getBytes(keccak256(bytes))[i + 1]) & 2047);
export function bloomOf(logs) {
  const bloom = new Uint8Array(256);
  for (const { address, topics } of logs) for (const bit of [address, ...topics].flatMap(BLOOM_BITS)) bloom[255 - (bit >> 3)] |= 1 << (bit & 7);
  return hexlify(bloom);
}
const orBlooms = (blooms) => hexlify(blooms.map(getBytes).reduce((a, b) => a.map((x, i) => x | b[i]), new Uint8Array(256)));

export const receiptOf = (type, status, gas, logs) => {
  const list = encodeRlp([number(status), number(gas), bloomOf(logs), logs.map(({ address, topics, data }) => [address, topics, data])]);
  return type ? hexlify(join([type], list)) : list;
};

/** A block of the execution chain: header fields in RLP's order. */
export function blockOf({ number: n, timestamp, parent, state, transactions = [], receipts = [], logs = [], tail = 6, slot = 0, gasLimit = 30000000 }) {
  const fields = [
    parent?.hash ?? ZERO, NO_OMMERS, `0x${"c0".repeat(20)}`, state.root, listRoot(transactions), listRoot(receipts), orBlooms(logs.map((some) => bloomOf(some))),
    "0x", number(n), number(gasLimit), number(21000 * transactions.length), number(timestamp), "0x6b", ZERO, "0x0000000000000000",
  ];
  const more = [number(7), EMPTY_TRIE, number(usedBy(tail > 5 ? "prague" : "cancun")), number(EXCESS), ZERO, ZERO, ZERO, number(slot)];
  const list = [...fields, ...more.slice(0, tail)];
  const header = encodeRlp(list);
  const inBlock = (raw) => (getBytes(raw)[0] >= 0xc0 ? raw : encodeRlp(raw));
  const body = join(...[concatList(transactions.map(inBlock)), concatList([]), ...(tail > 1 ? [concatList([])] : [])]);
  const rlp = hexlify(wrap(join(header, body)));
  return { number: n, timestamp, state, tail, fields: list, header, hash: keccak256(header), rlp, transactions, receipts, logs, parent };
}
function wrap(payload) {
  if (payload.length <= 55) return join([0xc0 + payload.length], payload);
  const length = getBytes(toBeHex(payload.length));
  return join([0xf7 + length.length], length, payload);
}
const concatList = (items) => wrap(join(...items));

// ---- the beacon chain

const secretOf = (period, i) => BigInt(sha256(utf8(`${period}/${i}`))) % ORDER;
const committees = new Map();
function committeeOf(period) {
  if (!committees.has(period)) {
    const secrets = Array.from({ length: SIZE }, (_, i) => secretOf(period, i));
    const sum = secrets.reduce((a, b) => (a + b) % ORDER);
    const key = (secret) => bls12_381.G1.Point.BASE.multiply(secret).toBytes();
    const keys = secrets.map(key);
    const leaf = (bytes) => sha256(join(bytes, new Uint8Array(16)));
    const ssz = join(...keys, key(sum));
    committees.set(period, { secrets, ssz, root: hash(rootOf(keys.map(leaf), 5), leaf(key(sum))) });
  }
  return committees.get(period);
}

/** The root of chunks in a tree of a depth. */
function rootOf(chunks, depth) {
  let row = Array.from({ length: 2 ** depth }, (_, i) => chunks[i] ?? ZERO);
  for (; row.length > 1; ) row = row.flatMap((_, i) => (i % 2 ? [] : [hash(row[i], row[i + 1])]));
  return hexlify(row[0]);
}
const chunk = (n) => le(n, 32);

/** Nodes of a tree that is zero but for some leaves, by generalized index. */
function nodeAt(leaves, gindex) {
  if (leaves[gindex]) return leaves[gindex];
  const below = Object.keys(leaves).some((leaf) => {
    let at = Number(leaf);
    while (at > gindex) at >>= 1;
    return at === gindex;
  });
  return below ? hash(nodeAt(leaves, 2 * gindex), nodeAt(leaves, 2 * gindex + 1)) : ZERO;
}
const branchOf = (leaves, gindex) => {
  const out = [];
  for (let at = gindex; at > 1; at >>= 1) out.push(nodeAt(leaves, at ^ 1));
  return join(...out);
};

const GINDEX = {
  old: { finalized: 105, current: 54, next: 55 },
  electra: { finalized: 169, current: 86, next: 87 },
  gloas: { finalized: 735, current: 2945, next: 2946 },
};
const gindices = (fork) => (fork === "gloas" ? GINDEX.gloas : FORKS.indexOf(fork) < 4 ? GINDEX.old : GINDEX.electra);

function payloadOf(fork, x) {
  const blobs = FORKS.indexOf(fork) >= 3;
  const [parent, , coinbase, state, , receipts, bloom, , , gasLimit, gasUsed, , extra, randao] = x.fields;
  const baseFee = le(7, 32);
  const used = usedBy(FORKS.indexOf(fork) > 3 ? "prague" : "cancun");
  const tail = blobs ? [le(used, 8), le(EXCESS, 8)] : [];
  const ends = [le(x.number, 8), le(BigInt(gasLimit), 8), le(gasUsed === "0x" ? 0 : BigInt(gasUsed), 8), le(x.timestamp, 8)];
  const fixed = blobs ? 584 : 568;
  const ssz = join(parent, coinbase, state, receipts, bloom, randao, ...ends, le(fixed, 4), baseFee, x.hash, ZERO, ZERO, ...tail, extra);
  const bytes = getBytes(bloom);
  const chunks = Array.from({ length: 8 }, (_, i) => hexlify(bytes.slice(32 * i, 32 * i + 32)));
  const extraRoot = hash(join(extra, new Uint8Array(31)), chunk(1));
  const leaves = [parent, join(coinbase, new Uint8Array(12)), state, receipts, rootOf(chunks, 3), randao];
  leaves.push(...ends.map((end) => join(end, new Uint8Array(24))), extraRoot, baseFee, x.hash, ZERO, ZERO);
  if (blobs) leaves.push(chunk(used), chunk(EXCESS));
  return { ssz, root: rootOf(leaves, blobs ? 5 : 4) };
}

/** A beacon block with an execution block, and what its state has as final. */
export function beaconOf(net, slot, block, finalized) {
  const fork = forkAtSlot(net, slot);
  const period = Math.floor(slot / SLOTS_PER_PERIOD);
  const g = gindices(fork);
  const state = { [g.current]: committeeOf(period).root, [g.next]: committeeOf(period + 1).root };
  if (finalized) state[g.finalized] = finalized.root;
  const payload = fork === "gloas" ? undefined : payloadOf(fork, block);
  const body = payload ? { 25: payload.root } : { 2856: block.hash };
  const stateRoot = nodeAt(state, 1);
  const bodyRoot = nodeAt(body, 1);
  const beacon = join(le(slot, 8), le(0, 8), ZERO, stateRoot, bodyRoot);
  const root = rootOf([chunk(slot), chunk(0), ZERO, stateRoot, bodyRoot], 3);
  const proof = branchOf(body, payload ? 25 : 2856);
  const header = payload ? join(beacon, le(112 + 4 + 128, 4), proof, payload.ssz) : join(beacon, block.hash, proof);
  return { fork, slot, block, stateRoot, root, header, state, finalized, period };
}

function signatureOf(net, b, members) {
  const slot = b.slot + 1;
  const { secrets } = committeeOf(Math.floor(slot / SLOTS_PER_PERIOD));
  const domain = getBytes(dataRoot(versionOf(net, forkAtSlot(net, slot - 1)), net.genesis.genesis_validators_root)).slice(0, 28);
  const message = sha256(join(b.root, [7, 0, 0, 0], domain));
  const sum = secrets.slice(0, members).reduce((x, y) => (x + y) % ORDER, 0n);
  const point = bls12_381.G2.hashToCurve(getBytes(message), { DST }).multiply(sum);
  const bits = le((1n << BigInt(members)) - 1n, 4);
  return join(bits, point.toBytes(), le(slot, 8));
}

/** Headers in their places, or behind offsets. */
function frame(b, parts, headers) {
  const inPlace = b.fork === "gloas";
  const length = parts.reduce((n, part) => n + (typeof part === "number" ? (inPlace ? headers[part].length : 4) : part.length), 0);
  let at = length;
  const fixed = parts.map((part) => {
    if (typeof part !== "number") return part;
    if (inPlace) return headers[part];
    const offset = le(at, 4);
    at += headers[part].length;
    return offset;
  });
  return join(...fixed, ...(inPlace ? [] : headers));
}
const object = (net, b, ssz) => hexlify(join(digestOfFork(net, b.fork), ssz));

export const bootstrapOf = (net, b) =>
  object(net, b, frame(b, [0, committeeOf(b.period).ssz, branchOf(b.state, gindices(b.fork).current)], [b.header]));

/** An object of a kind about a block, signed by so many in the next slot. */
export function updateOf(net, kind, b, members) {
  const g = gindices(b.fork);
  const parts = [0];
  const headers = [b.header];
  if (kind === "update") parts.push(committeeOf(b.period + 1).ssz, branchOf(b.state, g.next));
  if (kind !== "optimistic") {
    parts.push(1, branchOf(b.state, g.finalized));
    headers.push(b.finalized.header);
  }
  return object(net, b, frame(b, [...parts, signatureOf(net, b, members)], headers));
}

// ---- statements and files

export function setupOf(net, until, checkpoint) {
  const network = {
    digest: digestOfNetwork(net, BigInt(until)),
    forks_until: until,
    genesis_validators_root: net.genesis.genesis_validators_root,
    name: net.name,
  };
  return clusterOf(1337, network, checkpoint.root);
}

/** A cluster statement. */
export function clusterOf(chainId, network, root, maxAge = 0) {
  const valid = { block: 86400, finalized: 1800, latest: 120, safe: 1800 };
  return {
    chain_id: chainId,
    checkpoint: { age_max_s: maxAge, found: "configuration", root },
    development: false,
    kettle: "cluster-statement/1",
    network,
    policy_signers: sha256(utf8("[]")),
    recovery: "none",
    rules: { call_gas: 50000000, finalized_age_s: 6144, head_age_s: 300, valid_s: valid },
    simulated: false,
  };
}
export const hashOfSetup = (setup) => sha256(utf8(canonical(setup)));
export const hashOfJson = (value) => keccak256(utf8(canonical(value)));
export const timeOfSlot = (slot) => GENESIS_TIME + 12 * slot;

/** Signs a statement with the world's key, and gives what a route answers. */
export function answerOf(type, message, result, chainId = 1337) {
  const signer = `0x${keccak256(`0x${KEY.publicKey.slice(4)}`).slice(26)}`;
  const statement = { type, domain: { name: "Kettle", version: "1", chainId }, message, signature: `0x${"00".repeat(65)}`, signer };
  statement.signature = KEY.sign(statementDigest(statement)).serialized;
  return result === undefined ? statement : { statement, result };
}

/** The same file with another message, signed again: what a node that lies would give. */
export function signedAgain(file, change) {
  const out = structuredClone(file);
  const { type, message } = out.answer.statement ?? out.answer;
  change(message);
  out.answer = answerOf(type, message);
  out.id = statementDigest(out.answer);
  return out;
}

const byBytes = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const unique = (list) => [...new Set(list)].sort(byBytes);

/** An evidence file. */
export function fileOf({ setup, request = null, answer, consensus, headers = [], blocks = [], receipts = [], nodes = [], codes = [] }) {
  const id = statementDigest(answer.statement ?? answer);
  const byNumber = (list) => [...new Set(list)].sort((a, b) => a.number - b.number);
  return {
    kettle: "evidence/1",
    id,
    setup: JSON.parse(canonical(setup)),
    request,
    answer,
    consensus,
    headers: byNumber(headers).map((b) => b.header),
    blocks: byNumber(blocks).map((b) => b.rlp),
    receipts: [...receipts].sort((a, b) => byBytes(listRoot(a), listRoot(b))),
    witness: { state: unique(nodes), codes: unique(codes) },
  };
}

export { canonical, HISTORY, ZERO };
