// ---- the light client: objects from SSZ, and the store; lightclient/consensus/{types,header,store}.c have the same

const OBJECT_MAX = 65536;
const KEY_LEN = 48;
const SIGNATURE_LEN = 96;
const BEACON_LEN = 112;
const EXECUTION_BRANCH_MAX = 11;
const EXTRA_DATA_MAX = 32;
const EXECUTION_PAYLOAD_GINDEX = 25; // in BeaconBlockBody
const ZERO = new Uint8Array(32);

const hashPair = (left, right) => sha256(join(left, right));

/** The root of chunks in a tree of a depth, zeros behind them. */
function merkleize(chunks, depth) {
  let row = chunks;
  let zero = ZERO;
  for (let level = 0; level < depth; level++) {
    const next = [];
    for (let i = 0; i < row.length; i += 2) next.push(hashPair(row[i], row[i + 1] ?? zero));
    row = next;
    zero = hashPair(zero, zero);
  }
  return row[0] ?? zero;
}

const chunkOf = (number) => littleEndian(number, 32);
const padded = (bytes, n) => join(bytes, new Uint8Array(n - bytes.length));
function chunksOf(bytes) {
  const chunks = [];
  for (let i = 0; i < bytes.length; i += 32) chunks.push(padded(bytes.subarray(i, i + 32), 32));
  return chunks;
}

const depthOf = (gindex) => 31 - Math.clz32(gindex);

/** is_valid_normalized_merkle_branch: what a longer branch has before it must be zero. */
function branchHolds(root, leaf, gindex, branch) {
  const depth = depthOf(gindex);
  const surplus = branch.length - depth;
  if (surplus < 0 || !branch.slice(0, surplus).every(allZero)) return false;
  const node = branch.slice(surplus).reduce((at, one, i) => ((gindex >> i) & 1 ? hashPair(one, at) : hashPair(at, one)), leaf);
  return same(node, root);
}

// ---- decoding: an object is refused unless every length and offset is the one of its schema

class Ssz {
  constructor(bytes) {
    Object.assign(this, { bytes, at: 0 });
  }
  take(n) {
    if (this.bytes.length - this.at < n) malformed("SSZ ends");
    return this.bytes.subarray(this.at, (this.at += n));
  }
  u64 = () => fromLittleEndian(this.take(8));
  u32 = () => Number(fromLittleEndian(this.take(4)));
  hashes = (n) => Array.from({ length: n }, () => this.take(32));
  done() {
    if (this.at !== this.bytes.length) malformed("bytes behind SSZ");
  }
}

/** An execution header; raw: all its bytes but offsets, for whether it is zero. */
function decodeExecution(form, bytes) {
  const r = new Ssz(bytes);
  const x = { parentHash: r.take(32), feeRecipient: r.take(20), stateRoot: r.take(32), receiptsRoot: r.take(32) };
  Object.assign(x, { logsBloom: r.take(256), prevRandao: r.take(32), number: r.u64(), gasLimit: r.u64() });
  Object.assign(x, { gasUsed: r.u64(), timestamp: r.u64() });
  const extraAt = r.u32();
  Object.assign(x, { baseFee: r.take(32), hash: r.take(32), transactionsRoot: r.take(32), withdrawalsRoot: r.take(32) });
  Object.assign(x, { blobGasUsed: form.blobs ? r.u64() : 0n, excessBlobGas: form.blobs ? r.u64() : 0n });
  if (extraAt !== form.fixed || bytes.length - r.at > EXTRA_DATA_MAX) malformed("extra data");
  x.extraData = r.take(bytes.length - r.at);
  x.zero = allZero(bytes.subarray(0, 436)) && allZero(bytes.subarray(440));
  if (x.extraData.length) x.zero = false;
  return x;
}

/** A LightClientHeader; execution: of a form by hash alone only {hash}. */
function decodeHeader(fork, bytes) {
  const form = FORKS[fork];
  const r = new Ssz(bytes);
  const beacon = r.take(BEACON_LEN);
  const b = new Ssz(beacon);
  const h = { fork, slot: b.u64(), proposer: b.u64(), parentRoot: b.take(32), stateRoot: b.take(32), bodyRoot: b.take(32) };
  h.byHash = form.branch > 0 && !form.fixed;
  if (h.byHash) h.execution = { hash: r.take(32) };
  const executionAt = form.fixed ? r.u32() : undefined;
  const branch = r.hashes(form.branch);
  h.branch = [...Array.from({ length: EXECUTION_BRANCH_MAX - form.branch }, () => ZERO), ...branch];
  if (form.fixed) {
    if (executionAt !== r.at) malformed("offset");
    h.execution = decodeExecution(form, r.take(bytes.length - r.at));
  }
  r.done();
  h.noExecution = branch.every(allZero) && (!h.execution || (h.byHash ? allZero(h.execution.hash) : h.execution.zero));
  h.zero = allZero(beacon) && h.noExecution;
  return h;
}

/** Reads a container's fixed part in step, and each header in its place, or where its offset says: exactly where the last one ended. */
class Frame {
  constructor(fork, bytes) {
    if (bytes.length > OBJECT_MAX) malformed("too long");
    const form = FORKS[fork];
    Object.assign(this, { fork, bytes, r: new Ssz(bytes), headers: [] });
    this.inPlace = form.fixed ? 0 : BEACON_LEN + (form.branch ? 32 + 32 * form.branch : 0);
  }
  header() {
    this.headers.push(this.inPlace ? this.r.take(this.inPlace) : this.r.u32());
  }
  close() {
    if (this.inPlace) this.r.done();
    const offsets = this.inPlace ? [] : this.headers;
    if (offsets.length && offsets[0] !== this.r.at) malformed("offset");
    const parts = offsets.map((from, i) => {
      const end = offsets[i + 1] ?? this.bytes.length;
      return end < from || end > this.bytes.length ? malformed("offset") : this.bytes.subarray(from, end);
    });
    return (this.inPlace ? this.headers : parts).map((bytes) => decodeHeader(this.fork, bytes));
  }
}

function decodeCommittee(net, bytes) {
  const keys = Array.from({ length: net.committeeSize }, (_, i) => bytes.subarray(KEY_LEN * i, KEY_LEN * (i + 1)));
  return { bytes, keys, aggregate: bytes.subarray(KEY_LEN * net.committeeSize) };
}
const committeeLength = (net) => KEY_LEN * (net.committeeSize + 1);

function decodeBootstrap(net, fork, bytes) {
  const f = new Frame(fork, bytes);
  f.header();
  const committee = decodeCommittee(net, f.r.take(committeeLength(net)));
  const branch = f.r.hashes(depthOf(FORKS[fork].current));
  const [header] = f.close();
  return { header, committee, branch };
}

/** An update, a finality update or an optimistic one; what is absent is undefined: its branch is zero, and then it must be, too. */
function decodeUpdate(net, fork, kind, bytes) {
  const f = new Frame(fork, bytes);
  const u = {};
  let committee;
  f.header();
  if (kind === "update") {
    committee = f.r.take(committeeLength(net));
    u.committeeBranch = f.r.hashes(depthOf(FORKS[fork].next));
  }
  if (kind !== "optimistic") {
    f.header();
    u.finalityBranch = f.r.hashes(depthOf(FORKS[fork].finalized));
  }
  u.bits = f.r.take(net.committeeSize / 8);
  u.signature = f.r.take(SIGNATURE_LEN);
  u.signatureSlot = f.r.u64();
  const [attested, finalized] = f.close();
  u.attested = attested;
  if (committee && !u.committeeBranch.every(allZero)) u.committee = decodeCommittee(net, committee);
  else if (committee && !allZero(committee)) malformed("a committee without a branch");
  if (finalized && !u.finalityBranch.every(allZero)) u.finalized = finalized;
  else if (finalized && !finalized.zero) malformed("a finalized header without a branch");
  u.finalizedSlot = u.finalized?.slot ?? 0n;
  u.participants = u.bits.reduce((n, byte) => n + [...byte.toString(2)].filter((bit) => bit === "1").length, 0);
  return u;
}

// ---- roots and headers

const beaconRoot = (h) => merkleize([chunkOf(h.slot), chunkOf(h.proposer), h.parentRoot, h.stateRoot, h.bodyRoot], 3);

function executionRoot(x, blobs) {
  const extra = hashPair(merkleize(chunksOf(x.extraData), 0), chunkOf(x.extraData.length));
  const leaves = [x.parentHash, padded(x.feeRecipient, 32), x.stateRoot, x.receiptsRoot, merkleize(chunksOf(x.logsBloom), 3), x.prevRandao];
  leaves.push(...[x.number, x.gasLimit, x.gasUsed, x.timestamp].map(chunkOf), extra, x.baseFee, x.hash, x.transactionsRoot, x.withdrawalsRoot);
  if (blobs) leaves.push(chunkOf(x.blobGasUsed), chunkOf(x.excessBlobGas));
  return merkleize(leaves, blobs ? 5 : 4);
}

function committeeRoot({ keys, aggregate }) {
  const leaf = (key) => sha256(padded(key, 64));
  return hashPair(merkleize(keys.map(leaf), Math.log2(keys.length)), leaf(aggregate));
}

/** Whether the execution header, or the execution block's hash, is the one that the beacon header commits to, by the fork at its slot. */
function headerHolds(net, h) {
  const form = layoutAt(net, h.slot);
  if (!form.branch) return h.noExecution;
  if (h.byHash) return branchHolds(h.bodyRoot, h.execution.hash, form.blockHash, h.branch);
  if (!form.fixed || !h.execution) return false;
  if (!form.blobs && (h.execution.blobGasUsed || h.execution.excessBlobGas)) return false;
  return branchHolds(h.bodyRoot, executionRoot(h.execution, form.blobs), EXECUTION_PAYLOAD_GINDEX, h.branch);
}

// ---- the store

const unproven = (text) => malformed(text);

/** A committee that is in a state, with its aggregate key as a point. */
function learnCommittee(committee, stateRoot, gindex, branch) {
  if (!branchHolds(stateRoot, committeeRoot(committee), gindex, branch)) unproven("the sync committee is not the one in the state");
  const point = keyPoint(committee.aggregate) ?? unproven("the sync committee's aggregate key is not a key");
  return { ...committee, point };
}

function newStore(net, checkpoint, { header, committee, branch }) {
  if (!same(beaconRoot(header), checkpoint)) unproven("the header is not that of the trusted checkpoint");
  if (!headerHolds(net, header)) unproven("the execution header is not the one in the block");
  const current = learnCommittee(committee, header.stateRoot, layoutAt(net, header.slot).current, branch);
  return { net, finalizedSlot: header.slot, current, next: undefined };
}

const isSupermajority = (net, participants) => participants * 3 >= net.committeeSize * 2;

function checkSlots(s, u, currentSlot) {
  const [storePeriod, signedPeriod, attestedPeriod] = [s.finalizedSlot, u.signatureSlot, u.attested.slot].map((slot) => periodOf(s.net, slot));
  if (u.signatureSlot > currentSlot) unproven("the signature slot lies in the future");
  if (u.signatureSlot <= u.attested.slot) unproven("the signature slot is not after the attested header");
  if (u.attested.slot < u.finalizedSlot) unproven("the finalized header is newer than the attested one");
  if (signedPeriod < storePeriod) unproven("older than the period of the finalized header");
  if (signedPeriod > storePeriod + (s.next ? 1n : 0n)) unproven("signed by the committee of a period that is not known yet");
  const brings = !s.next && u.committee && attestedPeriod === storePeriod;
  if (u.attested.slot <= s.finalizedSlot && !brings) unproven("not newer than the finalized header");
}

function checkFinality(s, u) {
  if (!u.finalized) return undefined;
  let root = ZERO; // of the genesis checkpoint
  if (u.finalized.slot !== 0n) {
    if (!headerHolds(s.net, u.finalized)) unproven("the finalized execution header is not the one in the block");
    root = beaconRoot(u.finalized);
  } else if (!u.finalized.zero) unproven("a finalized header at genesis must be empty");
  if (!branchHolds(u.attested.stateRoot, root, layoutAt(s.net, u.attested.slot).finalized, u.finalityBranch))
    unproven("the finalized header is not the one in the attested state");
  return root;
}

function checkCommittee(s, u) {
  if (!u.committee) return undefined;
  const known = s.next && same(s.next.bytes, u.committee.bytes);
  if (s.next && !known && periodOf(s.net, u.attested.slot) === periodOf(s.net, s.finalizedSlot))
    unproven("the next sync committee is another one than is known");
  return learnCommittee(u.committee, u.attested.stateRoot, layoutAt(s.net, u.attested.slot).next, u.committeeBranch);
}

/** Whether those whose bits are set signed: the fewer are summed, those who did or those who did not. */
function committeeSigned({ keys, point }, bits, participants, message, signature) {
  const wanted = participants < keys.length - participants ? 1 : 0;
  let sum = noKey;
  for (const [i, key] of keys.entries()) {
    if (((bits[i >> 3] >> (i & 7)) & 1) !== wanted) continue;
    const one = keyPoint(key);
    if (!one) return false;
    sum = sum.add(one);
  }
  return signedBy(wanted ? sum : point.subtract(sum), message, signature);
}

/** validate_light_client_update. What it shows: both roots, and the committee that it brings. */
function checkUpdate(s, u, currentSlot) {
  if (!u.participants) unproven("nobody signed");
  checkSlots(s, u, currentSlot);
  if (!headerHolds(s.net, u.attested)) unproven("the attested execution header is not the one in the block");
  const finalizedRoot = checkFinality(s, u);
  const learned = checkCommittee(s, u);
  const attestedRoot = beaconRoot(u.attested);
  const signers = periodOf(s.net, u.signatureSlot) === periodOf(s.net, s.finalizedSlot) ? s.current : s.next;
  if (!committeeSigned(signers, u.bits, u.participants, signingRoot(s.net, attestedRoot, u.signatureSlot), u.signature))
    unproven("the sync committee's signature does not verify");
  return { attestedRoot, finalizedRoot, learned };
}

/** process_light_client_update, as far as a row of updates needs it. */
function processUpdate(s, u, currentSlot) {
  const { learned } = checkUpdate(s, u, currentSlot);
  const [storePeriod, finalizedPeriod, attestedPeriod] = [s.finalizedSlot, u.finalizedSlot, u.attested.slot].map((slot) => periodOf(s.net, slot));
  const bringsNext = !s.next && u.committee && u.finalized && finalizedPeriod === attestedPeriod;
  if (!isSupermajority(s.net, u.participants) || !(u.finalizedSlot > s.finalizedSlot || bringsNext)) return;
  if (!s.next) {
    if (finalizedPeriod !== storePeriod) return;
    s.next = learned;
  } else if (finalizedPeriod === storePeriod + 1n) {
    s.current = s.next;
    s.next = learned;
  }
  if (u.finalizedSlot > s.finalizedSlot) s.finalizedSlot = u.finalizedSlot;
}
