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

// ---- networks: forks, presets, blob schedules; lightclient/consensus/forks.c, lightclient/networks.c and node/config/network.c have the same

const U64_MAX = 2n ** 64n - 1n;
const NEVER = U64_MAX;
const MAX_BLOBS_ELECTRA = 9n;
const CHECKPOINT_AGE_EPOCHS = 3150n;
const BLOB_ROWS_MAX = 32;
const NETWORK_ROWS_MAX = 32;
const NO_ROOT = new Uint8Array(32);

/**
 * What differs in the light client's objects from fork to fork: bytes of the execution header before extra_data (0: the header has none),
 * whether it has blob fields, nodes of the execution branch, and generalized indices: of the execution block's hash in the body, of the
 * finalized root, of the current and the next committee in the state.
 */
const layout = (name, fixed, blobs, branch, blockHash, finalized, current, next) =>
  ({ name, fixed, blobs, branch, blockHash, finalized, current, next });
const FORKS = [
  layout("altair", 0, false, 0, 0, 105, 54, 55),
  layout("bellatrix", 0, false, 0, 0, 105, 54, 55),
  layout("capella", 568, false, 4, 412, 105, 54, 55),
  layout("deneb", 584, true, 4, 812, 105, 54, 55),
  layout("electra", 584, true, 4, 812, 169, 86, 87),
  layout("fulu", 584, true, 4, 812, 169, 86, 87),
  layout("gloas", 0, false, 11, 2856, 735, 2945, 2946),
];
const ALTAIR = 0;
const CAPELLA = 2;
const ELECTRA = 4;
const FULU = 5;

const blobParameters = (target, max, fraction) => ({ target: BigInt(target), max: BigInt(max), fraction: BigInt(fraction) });
const NO_BLOBS = blobParameters(0, 0, 0);
/** An execution fork: the consensus fork that it begins with, optional fields of its headers, blob parameters if it changes them. */
const executionFork = (name, twin, tail, blobs) => ({ name, twin: FORKS.findIndex((f) => f.name === twin), tail, blobs });
const EXECUTION = [
  executionFork("paris", "bellatrix", 1),
  executionFork("shanghai", "capella", 2),
  executionFork("cancun", "deneb", 5, blobParameters(3, 6, 3338477)),
  executionFork("prague", "electra", 6, blobParameters(6, 9, 5007716)),
  executionFork("osaka", "fulu", 6),
  executionFork("amsterdam", "gloas", 8),
];
const TAILS = [0, ...EXECUTION.map(({ tail }) => tail)];
const BPO1 = blobParameters(10, 15, 8346193);
const BPO2 = blobParameters(14, 21, 11684671);

const PRESETS = {
  mainnet: { slotsPerEpoch: 32n, epochsPerPeriod: 256n, committeeSize: 512 },
  minimal: { slotsPerEpoch: 8n, epochsPerPeriod: 8n, committeeSize: 32 },
};

const row = (time, fork, blobs) => ({ time: BigInt(time), fork: EXECUTION.findIndex(({ name }) => name === fork), blobs });
const builtin = (name, chainId, genesisTime, root, genesisVersion, versions, epochs, blobRows, execution) => ({
  name,
  ...PRESETS.mainnet,
  secondsPerSlot: 12n,
  genesisTime: BigInt(genesisTime),
  genesisRoot: fromHex(root),
  genesisVersion: fromHex(genesisVersion),
  versions: versions.map(fromHex),
  epochs: epochs.map((epoch) => (epoch === null ? NEVER : BigInt(epoch))),
  blobRows: blobRows.map(([epoch, max]) => ({ epoch: BigInt(epoch), max: BigInt(max) })),
  chainId: BigInt(chainId),
  minWithdrawabilityDelay: 256n,
  checkpointAgeEpochs: CHECKPOINT_AGE_EPOCHS,
  maxBlobsElectra: 0n,
  execution,
});
const { cancun: CANCUN_BLOBS, prague: PRAGUE_BLOBS } = Object.fromEntries(EXECUTION.map((fork) => [fork.name, fork.blobs]));
const versionsOf = (first, rest, count) => Array.from({ length: count }, (_, i) => `0x${first(i)}${rest(i)}`);
const BUILTIN = {
  mainnet: builtin(
    "mainnet", 1, 1606824023, "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95", "0x00000000",
    versionsOf((i) => `0${i + 1}`, () => "000000", 7),
    [74240, 144896, 194048, 269568, 364032, 411392, null],
    [[412672, 15], [419072, 21]],
    [
      row(0, "paris", NO_BLOBS), row(1681338455, "shanghai", NO_BLOBS), row(1710338135, "cancun", CANCUN_BLOBS),
      row(1746612311, "prague", PRAGUE_BLOBS), row(1764798551, "osaka", PRAGUE_BLOBS), row(1765290071, "osaka", BPO1),
      row(1767747671, "osaka", BPO2),
    ],
  ),
  sepolia: builtin(
    "sepolia", 11155111, 1655733600, "0xd8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078", "0x90000069",
    versionsOf(() => "900000", (i) => `7${i}`, 7),
    [50, 100, 56832, 132608, 222464, 272640, 353024],
    [[274176, 15], [275712, 21]],
    [
      row(0, "paris", NO_BLOBS), row(1677557088, "shanghai", NO_BLOBS), row(1706655072, "cancun", CANCUN_BLOBS),
      row(1741159776, "prague", PRAGUE_BLOBS), row(1760427360, "osaka", PRAGUE_BLOBS), row(1761017184, "osaka", BPO1),
      row(1761607008, "osaka", BPO2), row(1791294816, "amsterdam", BPO2),
    ],
  ),
  hoodi: builtin(
    "hoodi", 560048, 1742213400, "0x212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f", "0x10000910",
    versionsOf((i) => `${i + 2}0`, () => "000910", 7),
    [0, 0, 0, 0, 2048, 50688, null],
    [[52480, 15], [54016, 21]],
    [
      row(0, "cancun", CANCUN_BLOBS), row(1742999832, "prague", PRAGUE_BLOBS), row(1761677592, "osaka", PRAGUE_BLOBS),
      row(1762365720, "osaka", BPO1), row(1762955544, "osaka", BPO2),
    ],
  ),
};

// ---- slots, forks, digests

const epochOf = (net, slot) => slot / net.slotsPerEpoch;
const periodOf = (net, slot) => slot / (net.slotsPerEpoch * net.epochsPerPeriod);
/** Unix milliseconds at which a slot begins. */
function slotStart(net, slot) {
  const at = net.genesisTime * 1000n + slot * net.secondsPerSlot * 1000n;
  return at > U64_MAX ? U64_MAX : at;
}
/** The slot at a time in seconds; 0 before genesis. */
const slotAt = (net, time) => (time < net.genesisTime ? 0n : (time - net.genesisTime) / net.secondsPerSlot);

function forkAt(net, epoch) {
  for (let f = FORKS.length - 1; f > ALTAIR; f--) if (net.epochs[f] !== NEVER && epoch >= net.epochs[f]) return f;
  return ALTAIR;
}
const layoutAt = (net, slot) => FORKS[forkAt(net, epochOf(net, slot))];

function forkVersion(net, epoch) {
  const fork = forkAt(net, epoch);
  return fork === ALTAIR && epoch < net.epochs[ALTAIR] ? net.genesisVersion : net.versions[fork];
}

const forkDataRoot = (version, genesisRoot) => sha256(join(version, new Uint8Array(28), genesisRoot));

/** What a sync committee signs of a beacon block root. */
function signingRoot(net, root, signatureSlot) {
  const version = forkVersion(net, epochOf(net, signatureSlot ? signatureSlot - 1n : 0n));
  return sha256(join(root, [7, 0, 0, 0], forkDataRoot(version, net.genesisRoot).subarray(0, 28)));
}

function forkDigest(net, genesisRoot, epoch) {
  const base = forkDataRoot(forkVersion(net, epoch), genesisRoot).slice(0, 4);
  if (net.epochs[FULU] === NEVER || epoch < net.epochs[FULU]) return base;
  const found = net.blobRows.findLast((one) => epoch >= one.epoch);
  const blobs = found ?? { epoch: net.epochs[ELECTRA], max: net.maxBlobsElectra || MAX_BLOBS_ELECTRA };
  const mask = sha256(join(littleEndian(blobs.epoch, 8), littleEndian(blobs.max, 8)));
  return base.map((byte, i) => byte ^ mask[i]);
}

/** The fork that a digest announces, also under no genesis validators root; undefined: none of this network. */
function forkOfDigest(net, digest) {
  for (const epoch of [...net.epochs, ...net.blobRows.map((one) => one.epoch)])
    if (epoch !== NEVER && [net.genesisRoot, NO_ROOT].some((root) => same(forkDigest(net, root, epoch), digest))) return forkAt(net, epoch);
  return undefined;
}

/** How many milliseconds older than the head a checkpoint may be. */
function checkpointBound(net, maxAge) {
  const epochs = net.checkpointAgeEpochs || net.minWithdrawabilityDelay || 256n;
  return (maxAge ? BigInt(maxAge) : epochs * net.slotsPerEpoch * net.secondsPerSlot) * 1000n;
}

/** The rules of the execution side at a time. */
const rulesAt = (net, time) => net.execution.findLast((one, i) => !i || time >= one.time);

const epochTime = (net, epoch) =>
  epoch >= 1n << 40n ? U64_MAX : (net.genesisTime + epoch * net.slotsPerEpoch * net.secondsPerSlot) & U64_MAX;

/** What a network is, as one hash: its parameters, and what changed in it up to a time. */
function networkDigest(net, until) {
  const came = ({ epoch }) => epochTime(net, epoch) <= until;
  const text = (number) => String(number);
  const rows = [];
  for (const { time, fork, blobs } of net.execution) {
    if (time > until) break;
    rows.push({
      blob_base_fee_update_fraction: text(blobs.fraction),
      blob_max: text(blobs.max),
      blob_target: text(blobs.target),
      fork: EXECUTION[fork].name,
      timestamp: text(time),
    });
  }
  const forks = net.epochs.map((epoch, f) => ({ epoch, name: FORKS[f].name, version: toHex(net.versions[f]) })).filter(came);
  const parameters = {
    blob_schedule: net.blobRows.filter(came).map(({ epoch, max }) => ({ epoch: text(epoch), max_blobs: text(max) })),
    chain_id: text(net.chainId),
    checkpoint_age_epochs: text(net.checkpointAgeEpochs),
    committee_size: text(net.committeeSize),
    epochs_per_period: text(net.epochsPerPeriod),
    execution: rows,
    forks: forks.map((fork) => ({ ...fork, epoch: text(fork.epoch) })),
    genesis_fork_version: toHex(net.genesisVersion),
    genesis_time: text(net.genesisTime),
    genesis_validators_root: toHex(net.genesisRoot),
    max_blobs_electra: text(net.maxBlobsElectra),
    min_withdrawability_delay: text(net.minWithdrawabilityDelay),
    seconds_per_slot: text(net.secondsPerSlot),
    slots_per_epoch: text(net.slotsPerEpoch),
  };
  return toHex(sha256(utf8(JSON.stringify(parameters)))); // members stand in the order of their names: RFC 8785
}

// ---- a network that a configuration describes

/** A number, as JSON integer or in a text. */
function givenNumber(place, name, max = U64_MAX) {
  const value = place.has(name) ? place.value.get(name) : undefined;
  if (value === undefined) return undefined;
  const number = typeof value === "string" && /^(?:0|[1-9]\d{0,77})$/.test(value) ? BigInt(value) : value;
  if (typeof number !== "bigint" || number < 0n || number > max) place.fail(name, "is no number, or too large");
  return number;
}
const needNumber = (place, name, max) => givenNumber(place, name, max) ?? place.fail(name, "is required");

function readPreset(place, spec) {
  const named = place.value.has("preset");
  const which = named ? place.word("preset", Object.keys(PRESETS)) : spec.word("PRESET_BASE", Object.keys(PRESETS));
  if (named && spec.value.has("PRESET_BASE") && spec.word("PRESET_BASE", Object.keys(PRESETS)) !== which)
    place.fail("preset", "contradicts PRESET_BASE");
  const preset = PRESETS[which];
  const names = { SLOTS_PER_EPOCH: "slotsPerEpoch", EPOCHS_PER_SYNC_COMMITTEE_PERIOD: "epochsPerPeriod", SYNC_COMMITTEE_SIZE: "committeeSize" };
  for (const [key, name] of Object.entries(names))
    if ((givenNumber(spec, key) ?? BigInt(preset[name])) !== BigInt(preset[name])) spec.fail(key, "contradicts the preset");
  return preset;
}

/** SLOT_DURATION_MS or SECONDS_PER_SLOT; where both are, they agree. */
function readSlotDuration(spec) {
  const [ms, seconds] = ["SLOT_DURATION_MS", "SECONDS_PER_SLOT"].map((name) => givenNumber(spec, name));
  if ((ms ?? seconds) === undefined) spec.fail("SLOT_DURATION_MS", "is required, or SECONDS_PER_SLOT");
  const found = ms === undefined ? seconds : ms / 1000n;
  if (ms !== undefined && (ms % 1000n || (seconds ?? found) !== found)) spec.fail("SLOT_DURATION_MS", "must be whole seconds, as SECONDS_PER_SLOT");
  if (found < 1n || found > 3600n) spec.fail("SECONDS_PER_SLOT", "must be from 1 to 3600");
  return found;
}

function readForks(spec) {
  const epochs = [];
  const versions = [];
  for (const { name } of FORKS) {
    const epoch = givenNumber(spec, `${name.toUpperCase()}_FORK_EPOCH`);
    epochs.push(epoch ?? NEVER);
    versions.push(epoch === undefined ? new Uint8Array(4) : spec.hex(`${name.toUpperCase()}_FORK_VERSION`, 4));
  }
  if (epochs[ALTAIR] === NEVER) spec.fail("ALTAIR_FORK_EPOCH", "is required: sync committees begin with Altair");
  if (epochs.some((epoch, f) => f && epoch < epochs[f - 1])) spec.fail(undefined, "fork epochs must not decrease from fork to fork");
  return { epochs, versions };
}

function readBlobSchedule(spec) {
  const rows = (spec.optList("BLOB_SCHEDULE", 0, BLOB_ROWS_MAX) ?? []).map((one) => ({
    epoch: needNumber(one, "EPOCH"),
    max: needNumber(one, "MAX_BLOBS_PER_BLOCK"),
  }));
  if (rows.some(({ epoch }, i) => i && epoch <= rows[i - 1].epoch)) spec.fail("BLOB_SCHEDULE", "must be in rising order of epochs");
  return rows;
}

function readConsensus(place) {
  const name = place.optText("name", 1, 31) ?? "custom";
  if (!PLAIN_NAME.test(name) || own(BUILTIN, name)) place.fail("name", "must be plain ASCII, and no built-in network's");
  const [spec, genesis] = ["config", "genesis"].map(place.object);
  const net = {
    name,
    ...readPreset(place, spec),
    secondsPerSlot: readSlotDuration(spec),
    chainId: needNumber(spec, "DEPOSIT_CHAIN_ID", 2n ** 53n - 1n),
    minWithdrawabilityDelay: givenNumber(spec, "MIN_VALIDATOR_WITHDRAWABILITY_DELAY") ?? 256n,
    maxBlobsElectra: givenNumber(spec, "MAX_BLOBS_PER_BLOCK_ELECTRA") ?? 0n,
    checkpointAgeEpochs: 0n,
    ...readForks(spec),
    blobRows: readBlobSchedule(spec),
    genesisTime: needNumber(genesis, "genesis_time", U64_MAX / 4000n),
    genesisRoot: genesis.hex("genesis_validators_root", 32),
    genesisVersion: genesis.hex("genesis_fork_version", 4),
  };
  return { net, spec };
}

/** When each execution fork begins: as given, or with its twin of the consensus side. */
function executionTimes(net, place, forks) {
  const of = (epoch) => (epoch ? epochTime(net, epoch) : 0n);
  const given = (name, first) => givenNumber(forks, name) ?? (first ? 0n : U64_MAX);
  for (const name of forks?.value.keys() ?? [])
    if (!EXECUTION.some((fork) => fork.name === name)) forks.fail(name, "unknown fork");
  const times = EXECUTION.map(({ name, twin }, i) => (forks ? given(name, !i) : of(net.epochs[twin])));
  for (let i = times.length - 2; i >= 0; i--) if (times[i] === U64_MAX && times[i + 1] === 0n) times[i] = 0n;
  if (times[0] === U64_MAX) place.fail(undefined, "Paris never begins: proofs need an execution chain");
  if (times.some((time, i) => i && time < times[i - 1])) place.fail("execution", "a fork begins before the one that precedes it");
  return times;
}

/** EIP-7840: by the name of a fork, or bpo1, bpo2 … of rows of BLOB_SCHEDULE. */
function readBlobs(execution) {
  const blobs = new Map();
  const given = execution?.optObject("blobSchedule");
  for (const name of given?.names() ?? []) {
    const one = given.object(name);
    const bpo = /^bpo([1-9]\d*)$/.exec(name);
    if (!EXECUTION.some((fork) => fork.name === name) && !(bpo && Number(bpo[1]) <= BLOB_ROWS_MAX))
      given.fail(name, "is neither a fork nor a row of BLOB_SCHEDULE");
    const [target, max] = ["target", "max"].map((key) => needNumber(one, key, 2n ** 32n - 1n));
    const fraction = needNumber(one, "baseFeeUpdateFraction");
    if (target > max || !max || !fraction) given.fail(name, "has a target above its max, or a max or baseFeeUpdateFraction of 0");
    blobs.set(name, { target, max, fraction });
  }
  return blobs;
}

const MAX_BLOBS_KEYS = { cancun: "MAX_BLOBS_PER_BLOCK", prague: "MAX_BLOBS_PER_BLOCK_ELECTRA" };

/** Forks and rows of BLOB_SCHEDULE in the order of their times; of those at one time the last holds. */
function executionRows(net, place, spec, times, blobs) {
  const of = (epoch) => (epoch ? epochTime(net, epoch) : 0n);
  const events = [
    ...times.map((time, fork) => ({ time, fork })),
    ...net.blobRows.map(({ epoch, max }, i) => ({ time: of(epoch), bpo: i + 1, max })),
  ];
  events.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : (a.bpo ?? 0) - (b.bpo ?? 0) || (a.fork ?? 0) - (b.fork ?? 0)));
  const rows = [];
  let now = { fork: 0, blobs: NO_BLOBS };
  for (const { time, fork, bpo, max } of events.filter((event) => event.time !== U64_MAX)) {
    if (bpo !== undefined && now.fork < EXECUTION.length - 2) continue; // before Osaka it is not of the execution side
    if (bpo === undefined) {
      const { name, blobs: own } = EXECUTION[fork];
      now = { fork, blobs: blobs.get(name) ?? own ?? now.blobs };
      if (MAX_BLOBS_KEYS[name] && (givenNumber(spec, MAX_BLOBS_KEYS[name]) ?? now.blobs.max) !== now.blobs.max)
        place.fail("execution.blobSchedule", `${name} is required`);
    } else {
      now = { ...now, blobs: blobs.get(`bpo${bpo}`) ?? place.fail("execution.blobSchedule", `bpo${bpo} is required`) };
      if (now.blobs.max !== max) place.fail("execution.blobSchedule", `the maximum of bpo${bpo} is not that of BLOB_SCHEDULE`);
    }
    if (rows.at(-1)?.time === time) rows.pop();
    rows.push({ time, ...now });
  }
  return rows.length > NETWORK_ROWS_MAX ? place.fail(undefined, "too many rows in the execution schedule") : rows;
}

/** A network: the name of a built-in one, or what a configuration's "network" is (docs/operate.md), parsed or as text. */
function readNetwork(given) {
  if (typeof given === "string" && !given.trimStart().startsWith("{"))
    return own(BUILTIN, given) ? BUILTIN[given] : refuse("bad-option", "network", `not built in: ${Object.keys(BUILTIN).join(", ")}, or an object`);
  let text = given;
  if (typeof given !== "string") {
    if (!isObject(given)) refuse("bad-option", "network", "neither a name nor an object");
    try {
      text = JSON.stringify(given);
    } catch {
      refuse("bad-option", "network", "no JSON");
    }
    if (text === undefined) refuse("bad-option", "network", "no JSON");
  }
  let place = Place.open(text, "bad-option");
  if (typeof place.value.get?.("network") === "string") return readNetwork(place.text("network"));
  if (place.has("network")) place = place.object("network");
  const { net, spec } = readConsensus(place);
  const execution = place.optObject("execution");
  const times = executionTimes(net, place, execution?.optObject("forks"));
  const chainId = (execution && givenNumber(execution, "chain_id")) ?? net.chainId;
  return { ...net, chainId, execution: executionRows(net, place, spec, times, readBlobs(execution)) };
}

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

// ---- Merkle-Patricia tries: walks along known nodes, and roots of lists; lightclient/mpt has the same

const EMPTY_TRIE = fromHex("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
const EMPTY_CODE = fromHex("0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
const PATH_NODES_MAX = 65;
const NIBBLES = 64;

const nibblesOf = (bytes) => [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);

/** The nibbles of a hex-prefix form, and whether they are a leaf's. */
function pathOf(item) {
  const bytes = rlpString(item);
  if (!bytes.length || bytes[0] >= 0x40 || (!(bytes[0] & 0x10) && bytes[0] & 15)) malformed("no hex-prefix form");
  return { leaf: (bytes[0] & 0x20) !== 0, nibbles: nibblesOf(bytes).slice(bytes[0] & 0x10 ? 1 : 2) };
}

/** A child: undefined, its hash, or the item of a node that stands inside its parent. */
function childOf(item) {
  if (item.list) return item.whole.length < 32 ? { inside: item } : malformed("a long node inside another");
  if (item.payload.length === 0) return undefined;
  return item.payload.length === 32 ? { hash: item.payload } : malformed("no reference");
}

/** A node to which `at` nibbles lead: a branch's children, or a path with a value or a child. */
function nodeOf(item, at) {
  const items = rlpList(item, 17);
  if (items.length === 17) {
    const children = items.slice(0, 16).map(childOf);
    if (items[16].list || items[16].payload.length || at >= NIBBLES || children.filter(Boolean).length < 2) malformed("no branch");
    return { children };
  }
  if (items.length !== 2) malformed("no node");
  const { leaf, nibbles } = pathOf(items[0]);
  if (!leaf) {
    const child = childOf(items[1]);
    if (!nibbles.length || at + nibbles.length >= NIBBLES || !child) malformed("no extension");
    return { nibbles, child };
  }
  if (at + nibbles.length !== NIBBLES || !rlpString(items[1]).length) malformed("no leaf");
  return { nibbles, value: items[1].payload };
}

/**
 * Follows a key of 32 bytes from a root: {value, path}, value undefined where it is not there, path the nodes with hashes that were passed.
 * @param {function(Uint8Array): {bytes: Uint8Array}} find  the node of a hash; does not come back when it is not known
 */
function walkTrie(find, root, key) {
  const path = [];
  const nibbles = nibblesOf(key);
  const read = (child, at) => {
    if (child.inside) return nodeOf(child.inside, at);
    const entry = find(child.hash);
    if (path.length === PATH_NODES_MAX || (path.length && entry.bytes.length < 32)) malformed("a node that should stand inside another");
    path.push(entry);
    return nodeOf(rlpOf(entry.bytes), at);
  };
  if (same(root, EMPTY_TRIE)) return { path };
  let node = read({ hash: root }, 0);
  for (let at = 0; ; ) {
    if (node.children) {
      const child = node.children[nibbles[at++]];
      if (!child) return { path };
      node = read(child, at);
      continue;
    }
    if (!node.nibbles.every((nibble, i) => nibble === nibbles[at + i])) return { path };
    if (node.value) return { path, value: node.value };
    at += node.nibbles.length;
    node = read(node.child, at);
    if (!node.children) malformed("two paths in a row");
  }
}

/** An account as the state has it; undefined: it is not there. */
function accountOf(value) {
  if (!value) return undefined;
  const [nonce, balance, storageRoot, codeHash, ...more] = rlpList(rlpOf(value), 4);
  if (!codeHash || more.length) malformed("no account");
  return {
    nonce: rlpNumber(nonce, 8),
    balance: rlpNumber(balance, 32),
    storageRoot: rlpFixed(storageRoot, 32),
    codeHash: rlpFixed(codeHash, 32),
  };
}

const slotValue = (value) => (value ? rlpNumber(rlpOf(value), 32) : 0n);

// ---- roots of lists: the trie whose keys are the indices

function hexPrefix(nibbles, leaf) {
  const odd = nibbles.length % 2;
  const all = [(leaf ? 2 : 0) + odd, ...(odd ? [] : [0]), ...nibbles];
  return Uint8Array.from({ length: all.length / 2 }, (_, i) => 16 * all[2 * i] + all[2 * i + 1]);
}

const referTo = (node) => (node.length < 32 ? node : putBytes(keccak256(node)));

/** The node below which pairs with the same first `at` nibbles stand; no key is another one's beginning. */
function buildNode(pairs, at) {
  if (pairs.length === 1) return putList(putBytes(hexPrefix(pairs[0].nibbles.slice(at), true)), putBytes(pairs[0].value));
  const [first] = pairs;
  let end = at;
  while (pairs.every(({ nibbles }) => nibbles[end] === first.nibbles[end])) end++;
  const below = Array.from({ length: 16 }, (_, nibble) => pairs.filter(({ nibbles }) => nibbles[end] === nibble));
  const children = below.map((some) => (some.length ? referTo(buildNode(some, end + 1)) : Uint8Array.of(0x80)));
  const branch = putList(...children, Uint8Array.of(0x80));
  return end === at ? branch : putList(putBytes(hexPrefix(first.nibbles.slice(at, end), false)), referTo(branch));
}

function listRoot(values) {
  if (!values.length) return EMPTY_TRIE;
  return keccak256(buildNode(values.map((value, i) => ({ nibbles: nibblesOf(putNumber(BigInt(i))), value })), 0));
}

// ---- the execution chain's headers, blocks, receipts and transactions; lightclient/exec has the same

const HEADER_MAX = 1024;
const BLOCK_MAX = 10 << 20;
const RECEIPT_MAX = 8 << 20;
const RECEIPTS_MAX = 32768;
const BLOOM_LEN = 256;
const BLOB_GAS = 131072n;
const HALF_N = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

const HEADER_FIXED = [
  ["parentHash", 32], ["ommersHash", 32], ["coinbase", 20], ["stateRoot", 32], ["transactionsRoot", 32], ["receiptsRoot", 32],
  ["logsBloom", BLOOM_LEN], ["difficulty", "n32"], ["number", "n8"], ["gasLimit", "n8"], ["gasUsed", "n8"], ["timestamp", "n8"],
  ["extraData", "extra"], ["mixHash", 32], ["nonce", 8],
];
const HEADER_TAIL = [
  ["baseFee", "n32"], ["withdrawalsRoot", 32], ["blobGasUsed", "n8"], ["excessBlobGas", "n8"], ["parentBeaconRoot", 32], ["requestsHash", 32],
  ["blockAccessListHash", 32], ["slotNumber", "n8"],
];

function headerField(item, form) {
  if (form === "extra") return rlpString(item).length <= EXTRA_DATA_MAX ? item.payload : malformed("extra data");
  return typeof form === "number" ? rlpFixed(item, form) : rlpNumber(item, Number(form.slice(1)));
}

/** A header, with its hash and how many of the optional fields it has. */
function decodeExecutionHeader(bytes) {
  if (bytes.length > HEADER_MAX) malformed("too long");
  const fields = [...HEADER_FIXED, ...HEADER_TAIL];
  const items = rlpList(rlpOf(bytes), fields.length);
  const tail = items.length - HEADER_FIXED.length;
  if (!TAILS.includes(tail)) malformed("no header has so many fields");
  const h = { hash: keccak256(bytes), tail, baseFee: 0n, blobGasUsed: 0n, excessBlobGas: 0n };
  for (const [i, item] of items.entries()) h[fields[i][0]] = headerField(item, fields[i][1]);
  return h;
}

/** That the blobs, and of a header the fields, are what the network's schedule has at its time. */
function blobsFit(net, { blobGasUsed, timestamp }) {
  return blobGasUsed / BLOB_GAS <= rulesAt(net, timestamp).blobs.max;
}
const headerFits = (net, header) => header.tail === EXECUTION[rulesAt(net, header.timestamp).fork].tail && blobsFit(net, header);

function decodeWithdrawal(item) {
  const [index, validator, address, amount, ...more] = rlpList(item, 4);
  if (!amount || more.length) malformed("no withdrawal");
  for (const number of [index, validator, amount]) rlpNumber(number, 8);
  rlpFixed(address, 20);
  return item.whole;
}

/** A block: its header, transactions as they are hashed, withdrawals. */
function decodeBlock(bytes) {
  if (bytes.length > BLOCK_MAX) malformed("too long");
  const [header, transactions, ommers, withdrawals] = rlpList(rlpOf(bytes), 4);
  if (!ommers || !header.list || !ommers.list || ommers.payload.length) malformed("no block, or one with ommers");
  const transaction = (item) => {
    if (!item.list && (item.payload.length === 0 || item.payload[0] >= 0x80)) malformed("transaction is no envelope");
    return item.list ? item.whole : item.payload;
  };
  return {
    header: decodeExecutionHeader(header.whole),
    transactions: rlpList(transactions).map(transaction),
    withdrawals: withdrawals && rlpList(withdrawals).map(decodeWithdrawal),
  };
}

/** Whether a body is the one that its header names. */
function bodyHolds({ header, transactions, withdrawals }) {
  if (!same(listRoot(transactions), header.transactionsRoot)) return false;
  if (!withdrawals) return header.tail < 2;
  return header.withdrawalsRoot !== undefined && same(listRoot(withdrawals), header.withdrawalsRoot);
}

// ---- receipts

function bloomBits(bytes) {
  const hash = keccak256(bytes);
  return [0, 2, 4].map((i) => ((hash[i] << 8) | hash[i + 1]) & 2047);
}
const bloomHas = (bloom, bytes) => bloomBits(bytes).every((bit) => (bloom[BLOOM_LEN - 1 - (bit >> 3)] >> (bit & 7)) & 1);

function bloomOf(logs) {
  const bloom = new Uint8Array(BLOOM_LEN);
  for (const { address, topics } of logs)
    for (const bit of [address, ...topics].flatMap(bloomBits)) bloom[BLOOM_LEN - 1 - (bit >> 3)] |= 1 << (bit & 7);
  return bloom;
}

function decodeLog(item) {
  const [address, topics, data, ...more] = rlpList(item, 3);
  if (!data || more.length) malformed("no log");
  return { address: rlpFixed(address, 20), topics: rlpList(topics, 4).map((topic) => rlpFixed(topic, 32)), data: rlpString(data) };
}

/** The type byte of an envelope (0: there is none), and the list behind it. */
function openEnvelope(raw) {
  const typed = raw.length > 0 && raw[0] < 0x80;
  if (typed && (raw[0] === 0 || raw[0] > 4)) malformed("unknown type");
  return { type: typed ? raw[0] : 0, list: rlpOf(typed ? raw.subarray(1) : raw) };
}

function decodeReceipt(raw) {
  if (raw.length > RECEIPT_MAX) malformed("too long");
  const { type, list } = openEnvelope(raw);
  const [status, gas, bloom, logs, ...more] = rlpList(list, 4);
  if (!logs || more.length) malformed("no receipt");
  const r = { type, cumulativeGas: rlpNumber(gas, 8), bloom: rlpFixed(bloom, BLOOM_LEN), logs: rlpList(logs).map(decodeLog) };
  if (rlpString(status).length === 32) r.root = status.payload;
  else r.status = rlpNumber(status, 8);
  if (r.status > 1n) malformed("no status");
  return same(bloomOf(r.logs), r.bloom) ? r : malformed("the bloom is not that of the logs");
}

/** The receipts of a block, each of which is right, and all of which have its bloom. */
function decodeReceipts(raw, header) {
  const all = raw.map(decodeReceipt);
  const bloom = new Uint8Array(BLOOM_LEN);
  for (const receipt of all) for (let i = 0; i < BLOOM_LEN; i++) bloom[i] |= receipt.bloom[i];
  return same(bloom, header.logsBloom) ? all : malformed("the receipts have another bloom than the header says");
}

// ---- transactions

const TRANSACTION_FIELDS = [9, 11, 12, 14, 13];
const PRICES = [1, 1, 2, 2, 2];

function checkAccessList(item) {
  for (const entry of rlpList(item)) {
    const [address, keys, ...more] = rlpList(entry, 2);
    if (!keys || more.length) malformed("no access list entry");
    rlpFixed(address, 20);
    for (const key of rlpList(keys)) rlpFixed(key, 32);
  }
}

function checkAuthorizations(item) {
  for (const tuple of rlpList(item)) {
    const f = rlpList(tuple, 6);
    if (f.length !== 6 || rlpNumber(f[3], 8) > 255n) malformed("no authorization");
    rlpNumber(f[0], 32);
    rlpFixed(f[1], 20);
    rlpNumber(f[2], 8);
    for (const number of f.slice(4)) rlpNumber(number, 32);
  }
}

/** Who signed: fields are the items before the signature. */
function senderOf(type, fields, [v, r, s], chainId) {
  const [vNumber, rNumber, sNumber] = [v, r, s].map((item) => rlpNumber(item, 32));
  const legacy = type === 0;
  const anyChain = legacy && (vNumber === 27n || vNumber === 28n);
  const parity = anyChain ? vNumber - 27n : legacy ? vNumber - (35n + 2n * chainId) : vNumber;
  if (parity !== 0n && parity !== 1n) malformed("signed for another chain");
  const tail = legacy && !anyChain ? [putNumber(chainId), putNumber(0n), putNumber(0n)] : [];
  const unsigned = putList(...fields.map((item) => item.whole), ...tail);
  if (!rNumber || !sNumber || sNumber > HALF_N) malformed("nobody signed it");
  let key;
  try {
    key = recover(keccak256(legacy ? unsigned : join([type], unsigned)), join(numberBytes(rNumber, 32), numberBytes(sNumber, 32)), Number(parity));
  } catch {
    malformed("nobody signed it");
  }
  return keccak256(key.subarray(1)).subarray(12);
}

/** A transaction of a chain, as far as its receipt needs it. */
function decodeTransaction(raw, chainId) {
  const { type, list } = openEnvelope(raw);
  const f = rlpList(list, 14);
  if (f.length !== TRANSACTION_FIELDS[type]) malformed("another number of fields");
  const prices = PRICES[type];
  const common = type ? f.slice(1) : f;
  const [to, value, data] = common.slice(2 + prices);
  const t = { type, hash: keccak256(raw), nonce: rlpNumber(common[0], 8), fees: common.slice(1, 1 + prices).map((fee) => rlpNumber(fee, 32)) };
  rlpNumber(common[1 + prices], 8);
  if (rlpString(to).length) t.to = rlpFixed(to, 20);
  rlpNumber(value, 32);
  rlpString(data);
  if (type) checkAccessList(f[6 + prices]);
  if (type === 3) {
    rlpNumber(f[9], 32);
    t.blobs = rlpList(f[10]).map((hash) => rlpFixed(hash, 32)).length;
  }
  if (type === 4) checkAuthorizations(f[9]);
  if (type && rlpNumber(f[0], 32) !== chainId) malformed("signed for another chain");
  t.from = senderOf(type, f.slice(0, -3), f.slice(-3), chainId);
  return t;
}

function gasPriceOf({ type, fees }, baseFee) {
  if (type < 2) return fees[0];
  const [tip, most] = fees;
  return baseFee + tip > most ? most : baseFee + tip;
}

/** EIP-4844's fake exponential. */
function blobBaseFee({ fraction }, excess) {
  if (!fraction) return 0n;
  if (excess / fraction >= 130n) return 2n ** 256n - 1n;
  let sum = 0n;
  for (let i = 1n, term = fraction; term; i++) {
    sum += term;
    term = (term * excess) / (i * fraction);
  }
  return sum / fraction;
}

// ---- as eth_getLogs and eth_getTransactionReceipt answer

const logObject = ({ address, topics, data }, header, txHash, txIndex, logIndex) => ({
  address: hexOf(address),
  topics: topics.map(hexOf),
  data: hexOf(data),
  blockNumber: quantity(header.number),
  transactionHash: hexOf(txHash),
  transactionIndex: quantity(txIndex),
  blockHash: hexOf(header.hash),
  blockTimestamp: quantity(header.timestamp),
  logIndex: quantity(logIndex),
  removed: false,
});

function receiptObject(net, { header, transactions }, receipts, i) {
  const r = receipts[i];
  const t = decodeTransaction(transactions[i], net.chainId);
  const before = receipts.slice(0, i);
  const firstLog = before.reduce((n, { logs }) => n + logs.length, 0);
  return {
    blockHash: hexOf(header.hash),
    blockNumber: quantity(header.number),
    transactionHash: hexOf(t.hash),
    transactionIndex: quantity(i),
    from: hexOf(t.from),
    to: t.to ? hexOf(t.to) : null,
    contractAddress: t.to ? null : hexOf(keccak256(putList(putBytes(t.from), putNumber(t.nonce))).subarray(12)),
    cumulativeGasUsed: quantity(r.cumulativeGas),
    effectiveGasPrice: quantity(gasPriceOf(t, header.baseFee)),
    gasUsed: quantity(BigInt.asUintN(64, r.cumulativeGas - (before.at(-1)?.cumulativeGas ?? 0n))),
    logsBloom: hexOf(r.bloom),
    ...(r.root ? { root: hexOf(r.root) } : { status: quantity(r.status) }),
    type: quantity(r.type),
    ...(r.type === 3 && {
      blobGasUsed: quantity(BigInt(t.blobs ?? 0) * BLOB_GAS),
      blobGasPrice: quantity(t.type === 3 ? blobBaseFee(rulesAt(net, header.timestamp).blobs, header.excessBlobGas) : 0n),
    }),
    logs: r.logs.map((log, k) => logObject(log, header, t.hash, i, firstLog + k)),
  };
}

// ---- the elements of a file, and the chain along them; lightclient/exec/{stock,history,logs}.c and node/query/statements_past.c have the same

const HISTORY = fromHex("0x0000f90827f1c53a10cb7a02335b175320002935"); // EIP-2935
const HISTORY_WINDOW = 8191n;
const HISTORY_MAX = 8192n;
const LINKED_MAX = 4n; // headers between an anchor and the newest block that stand there without a proof
const WALKED_MAX = 4096n; // … where the contract does not know the block
const JUMPS_MAX = 16n;
const TOGETHER_MAX = 4; // blocks of which receipts and transactions are there at the same time
const LOGS_RECEIPTS_MAX = 128;
const LOGS_MAX = 20000;
const CODE_MAX = 128 << 10;
const FILTER_VALUES_MAX = 1000;
const FILTER_TOPICS = 4;

const notRun = (why) => refuseGround("not-run", "", why);

/** Numbers, or hashes as digits, that have to rise; the first that is not in its place is named. */
function inOrder(list, code, name) {
  const sorted = [...list].sort((x, y) => (x < y ? -1 : 1));
  const at = list.findIndex((one, i) => one !== sorted[i]);
  if (at >= 0) refuseGround(code, `${name}[${at}]`);
}

/** All elements by their hashes, and which of them were needed. */
class Stock {
  constructor() {
    for (const kind of ["headers", "blocks", "nodes", "codes", "receipts", "numbers"]) this[kind] = new Map();
  }

  #put(map, hash, item) {
    const key = digits(hash);
    if (map.has(key)) malformed("is there already");
    map.set(key, { ...item, used: false });
  }

  /** One block has a number. */
  #number({ number, hash }) {
    const known = this.numbers.get(number);
    if (known && !same(known, hash)) malformed("another block has its number");
    this.numbers.set(number, hash);
  }

  addHeader(bytes) {
    const header = decodeExecutionHeader(bytes);
    this.#number(header);
    this.#put(this.headers, header.hash, { header });
  }

  addBlock(bytes) {
    const block = decodeBlock(bytes);
    this.#number(block.header);
    this.#put(this.blocks, block.header.hash, block);
  }

  addReceipts(list) {
    this.#put(this.receipts, listRoot(list), { list });
  }

  addNode(bytes) {
    this.#put(this.nodes, keccak256(bytes), { bytes });
  }

  addCode(bytes) {
    this.#put(this.codes, keccak256(bytes), { bytes });
  }

  /** Where a header stands: in its whole block, or alone. */
  #headerItem(hash) {
    const key = hash && digits(hash);
    return (key && (this.blocks.get(key) ?? this.headers.get(key))) || refuseGround("missing-header");
  }

  header(hash) {
    const item = this.#headerItem(hash);
    item.used = true;
    return item.header;
  }

  block(hash) {
    const item = (hash && this.blocks.get(digits(hash))) || refuseGround("missing-block");
    item.used = true;
    return item;
  }

  receiptsOf(hash) {
    const item = this.receipts.get(digits(this.#headerItem(hash).header.receiptsRoot)) ?? refuseGround("missing-receipts");
    item.used = true;
    return item.list;
  }

  /** The number of the block that has a transaction. */
  where(txHash) {
    for (const { header, transactions } of this.blocks.values())
      if (transactions.some((raw) => same(keccak256(raw), txHash))) return header.number;
    return refuseGround("missing-block");
  }

  #walk(root, name) {
    return walkTrie((hash) => this.nodes.get(digits(hash)) ?? refuseGround("missing-node"), root, keccak256(name));
  }

  /** An account under a state root, and the value of a slot of it if one is named. Nodes count as needed once both are there. */
  prove(stateRoot, address, slot) {
    const found = this.#walk(stateRoot, address);
    const account = accountOf(found.value);
    const inside = slot ? this.#walk(account?.storageRoot ?? EMPTY_TRIE, slot) : { path: [] };
    const value = slot && slotValue(inside.value);
    for (const node of [...found.path, ...inside.path]) node.used = true;
    return { account, value };
  }

  /** Marks all that hangs on a state root: what a run of its own might need. */
  reach(stateRoot) {
    const seen = new Set();
    const open = [{ child: { hash: stateRoot }, at: 0, storage: false }];
    for (let next; (next = open.pop()); ) {
      const { child, at, storage } = next;
      const key = child.hash && digits(child.hash);
      const entry = child.inside ? undefined : this.nodes.get(key);
      if (!child.inside && (!entry || seen.has(`${storage}${key}${at}`))) continue;
      if (entry) seen.add(`${storage}${key}${at}`);
      const node = nodeOf(child.inside ?? rlpOf(entry.bytes), at);
      if (entry) entry.used = true;
      for (const one of node.children ?? []) if (one) open.push({ child: one, at: at + 1, storage });
      if (node.child) open.push({ child: node.child, at: at + node.nibbles.length, storage });
      if (!node.value || storage) continue;
      const account = accountOf(node.value);
      open.push({ child: { hash: account.storageRoot }, at: 0, storage: true });
      const code = this.codes.get(digits(account.codeHash));
      if (code) code.used = true;
    }
  }

  /** Marks the 256 blocks before one, as far as they are there: BLOCKHASH reads them. */
  reachAncestors(header) {
    for (let hash = header.parentHash, n = 0; n < 256; n++) {
      const item = this.headers.get(digits(hash));
      if (!item) return;
      item.used = true;
      hash = item.header.parentHash;
    }
  }

  checkUnused() {
    const codes = { headers: "header", nodes: "node", codes: "code", blocks: "block", receipts: "receipts" };
    for (const [kind, word] of Object.entries(codes))
      for (const { used } of this[kind].values()) if (!used) refuseGround(`unused-${word}`);
  }

  /** All was used, and nothing is there twice: what is left is where it stands. */
  checkOrder() {
    const numbers = (map, code, name) => inOrder([...map.values()].map(({ header }) => header.number), code, name);
    numbers(this.headers, "bad-header", "headers");
    numbers(this.blocks, "bad-block", "blocks");
    inOrder([...this.receipts.keys()], "bad-receipts", "receipts");
  }
}

// ---- blocks of the past: linked by their parents' hashes, or by what the history contract says in a proven state

/** Where the newest of the blocks hangs: {top, hash}, or {top} where the contract must say it, or {top, jump: true} one window further. */
function locate(base, to) {
  if (to === base.number) return { top: to, hash: base.hash };
  if (base.number - 1n - to <= LINKED_MAX) return { top: base.number - 1n, hash: base.parentHash };
  if (base.number - to <= HISTORY_WINDOW) return { top: to };
  if (base.number - to > JUMPS_MAX * HISTORY_WINDOW) notRun("pruned history unavailable");
  return { top: base.number - HISTORY_WINDOW, jump: true };
}

/** The hash of a block as the contract in the state of a later one has it; undefined: it does not. */
function hashInHistory(stock, base, number) {
  const { value } = stock.prove(base.stateRoot, HISTORY, numberBytes(number % HISTORY_WINDOW, 32));
  return value ? numberBytes(value, 32) : undefined;
}

/** The base that is at most a window above the newest of the blocks, and where that hangs on it. */
function anchor(stock, head, from, to) {
  for (let base = head; ; ) {
    const at = locate(base, to);
    if (at.hash) return at;
    const hash = hashInHistory(stock, base, at.top);
    if (!at.jump && hash) return { ...at, hash, proven: true };
    if (!at.jump && base.number - 1n - from <= WALKED_MAX) return { top: base.number - 1n, hash: base.parentHash };
    const older = stock.numbers.get(at.top) ?? refuseGround("missing-header");
    if (!hash) notRun("pruned history unavailable");
    if (!same(older, hash)) refuseGround("missing-header");
    base = stock.header(hash);
  }
}

/** Fills in what is wanted of blocks, newest first; `named` has the hashes that were known before this round. */
function fetchRound(stock, blocks, named) {
  for (let i = blocks.length - 1; i >= 0; i--) {
    const b = blocks[i];
    const hash = b.header?.hash ?? blocks[i + 1]?.header.parentHash ?? named.topHash;
    const byHash = b.header !== undefined || (i === blocks.length - 1 && !named.proven);
    const lookup = byHash ? hash : stock.numbers.get(b.number);
    if (b.wantsBody && !b.body) {
      const body = stock.block(lookup);
      if (!same(body.header.hash, hash)) refuseGround("missing-block");
      if (!bodyHolds(body)) byHash ? notRun("another root of its body") : refuseGround("missing-block");
      Object.assign(b, { header: body.header, body });
    } else if (!b.header) {
      if (!lookup) refuseGround("missing-header");
      const header = stock.header(lookup);
      if (!same(header.hash, hash)) refuseGround("missing-header");
      b.header = header;
    }
    if (b.wantsReceipts && !b.receipts) b.receipts = decodeReceipts(stock.receiptsOf(b.header.hash), b.header);
  }
}

/**
 * The blocks from one number to another as ancestors of a head, each with what is wanted of it.
 * @param {function(object[]): void} plan  looks at them when all is there, and may want more
 */
function chainOf(stock, head, from, to, wants, plan = () => {}) {
  const { top, hash, proven } = anchor(stock, head, from, to);
  const blocks = [];
  for (let number = from; number <= top; number++) blocks.push({ number, ...(number <= to ? wants : {}) });
  const asked = blocks.slice(0, Number(to - from) + 1);
  const lacks = (b) => !b.header || (b.wantsBody && !b.body) || (b.wantsReceipts && !b.receipts);
  for (let named = { topHash: hash, proven }; ; named = { topHash: hash }) {
    if (blocks.some(lacks)) fetchRound(stock, blocks, named);
    plan(asked);
    if (!blocks.some(lacks)) return asked;
  }
}

/** The block of a hash as an ancestor of a head; undefined: it is none. */
function ancestorOf(stock, head, hash) {
  if (same(hash, head.hash)) return chainOf(stock, head, head.number, head.number, {})[0].header;
  if (allZero(hash)) return undefined;
  const { number } = stock.header(hash);
  if (number > head.number) return undefined;
  const [block] = chainOf(stock, head, number, number, {});
  return same(block.header.hash, hash) ? block.header : undefined;
}

// ---- logs

const OPTIONAL_HEX = (value, length) => {
  const bytes = bytesFrom(value);
  return bytes?.length === length ? bytes : malformed("not bytes of that length");
};

/** Criteria as eth_getLogs takes them. */
function readFilter(criteria) {
  const values = (value, length) => {
    const list = Array.isArray(value) ? value : [value];
    if (list.length > FILTER_VALUES_MAX) malformed("too many values");
    return list.map((one) => (one === null ? null : OPTIONAL_HEX(one, length)));
  };
  const topics = criteria.get("topics") ?? [];
  const addresses = criteria.get("address") ?? [];
  if (!Array.isArray(topics) || topics.length > FILTER_TOPICS) malformed("no list of topics");
  const places = topics.map((place) => (place === null ? [] : values(place, 32)));
  const filter = { addresses: values(addresses, 20), topics: places.map((some) => (some.includes(null) ? [] : some)) };
  return filter.addresses.includes(null) ? malformed("null is no address") : filter;
}

function mayFind({ addresses, topics }, bloom) {
  if (addresses.length ? !addresses.some((one) => bloomHas(bloom, one)) : allZero(bloom)) return false;
  return topics.every((some) => !some.length || some.some((one) => bloomHas(bloom, one)));
}

function finds({ addresses, topics }, log) {
  if (log.topics.length < topics.length || (addresses.length && !addresses.some((one) => same(one, log.address)))) return false;
  return topics.every((some, i) => !some.length || some.some((one) => same(one, log.topics[i])));
}

/** What has to be there of blocks: receipts where the bloom may have it, then transactions where a log was found. */
function logsPlan(filter) {
  return (blocks) => {
    const may = blocks.filter(({ header }) => mayFind(filter, header.logsBloom));
    if (may.length > LOGS_RECEIPTS_MAX) notRun("more blocks than a filter may have");
    const missing = may.filter((b) => !b.receipts).length;
    let count = 0;
    for (const b of may) {
      const found = (b.receipts ?? []).flatMap(({ logs }) => logs).filter((log) => finds(filter, log)).length;
      if (found || (missing && missing <= TOGETHER_MAX && !b.receipts)) b.wantsBody = true;
      b.wantsReceipts = true;
      count += found;
      if (count > LOGS_MAX) notRun("more logs than a filter may find");
    }
  };
}

/** All logs of a filter from a number to the block at the end, as eth_getLogs lists them. */
function logsOf(stock, head, from, to, filter) {
  if (from > to || to > head.number) notRun("a range that is none");
  if (to - from >= HISTORY_MAX) notRun("a range of too many blocks");
  const out = [];
  for (const b of chainOf(stock, head, from, to, {}, logsPlan(filter))) {
    let index = 0;
    if (!mayFind(filter, b.header.logsBloom)) continue;
    for (const [i, { logs }] of b.receipts.entries())
      for (const log of logs) {
        const logIndex = index++;
        if (!finds(filter, log)) continue;
        const raw = b.body.transactions[i] ?? notRun("a block has more receipts than transactions");
        out.push(logObject(log, b.header, keccak256(raw), i, logIndex));
      }
  }
  return out;
}

// ---- receipts

/** The receipt of a transaction, and the header of its block. */
function receiptOf(net, stock, head, txHash) {
  const number = stock.where(txHash);
  if (number > head.number) notRun("the block is younger than the head");
  const [b] = chainOf(stock, head, number, number, { wantsBody: true, wantsReceipts: true });
  const i = b.body.transactions.findIndex((raw) => same(keccak256(raw), txHash));
  if (i < 0) notRun("the transaction is not in the block");
  if (b.receipts.length !== b.body.transactions.length) notRun("another number of receipts than of transactions");
  return { header: b.header, receipt: receiptObject(net, b.body, b.receipts, i) };
}

// ---- the file; rpc/api/grounds.c has the same

const TEXT_MAX = 32 << 20;
const UPDATES_MAX = 64;
const LIST_MAX = 100000;
const NODE_MAX = 65536;
const DEPTH_LIMIT = 64;
const VALUES_LIMIT = 400000;
const ANSWER_MAX = 16 << 20;

/** How deep a text is, and how many values it has, are limits before it is read. */
function withinLimits(text) {
  let depth = 0;
  let values = 0;
  for (let i = 0, inString = false; i < text.length; i++) {
    const c = text[i];
    if (inString) {
      if (c === "\\") i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "[" || c === "{") {
      values++;
      if (++depth > DEPTH_LIMIT) return false;
    } else if ((c === "]" || c === "}") && depth) depth--;
    else if (c === ",") values++;
    if (values > VALUES_LIMIT) return false;
  }
  return true;
}

/** Bytes of a member or an element, 1 to max of them. */
function readBytes(place, name, value, max) {
  const at = [place.path, name].filter(Boolean).join(name?.startsWith("[") ? "" : ".");
  const bytes = bytesFrom(value) ?? refuseGround("malformed", at, "must be bytes as hex");
  if (bytes.length > max) refuseGround("too-long", at);
  return bytes.length ? bytes : refuseGround("malformed", at, "is empty");
}
const readMember = (place, name, max) => {
  place.skip(name);
  return place.has(name) ? readBytes(place, name, place.value.get(name), max) : undefined;
};

function readList(place, name, countMax, max, read = readBytes) {
  place.skip(name);
  const list = place.value instanceof Map ? place.value.get(name) : place.fail(undefined, "must be an object");
  if (!Array.isArray(list)) place.fail(name, "must be a list");
  if (list.length > countMax) refuseGround("too-long", [place.path, name].filter(Boolean).join("."));
  return list.map((one, i) => read(place, `${name}[${i}]`, one, max));
}

function readReceiptsList(place, name, value) {
  if (!Array.isArray(value)) place.fail(name, "must be a list");
  if (value.length > RECEIPTS_MAX) refuseGround("too-long", name);
  return value.map((one, i) => readBytes(place, `${name}[${i}]`, one, BLOCK_MAX));
}

/** JSON as it was written, but for white space; no statement has numbers that are not whole. */
function asWritten(value) {
  if (value instanceof Map) return `{${[...value].map(([name, one]) => `${JSON.stringify(name)}:${asWritten(one)}`).join(",")}}`;
  if (Array.isArray(value)) return `[${value.map(asWritten).join(",")}]`;
  if (typeof value === "number") refuseGround("malformed", "answer");
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

function readStatementOf(value) {
  const text = asWritten(value);
  if (utf8(text).length > ANSWER_MAX) refuseGround("malformed", "answer");
  try {
    return readAnswer(text);
  } catch (error) {
    if (!(error instanceof KettleError)) throw error;
    return refuseGround("malformed", error.field ? `answer.${error.field}` : "answer", error.message);
  }
}

function readConsensusOf(place) {
  const c = place.object("consensus");
  const head = c.object("head");
  return {
    bootstrap: readMember(c, "bootstrap", OBJECT_MAX + 4),
    updates: readList(c, "updates", UPDATES_MAX, OBJECT_MAX + 4),
    kind: head.word("kind", ["update", "finality", "optimistic"]),
    finalized: head.word("header", ["attested", "finalized"]) === "finalized",
    head: readMember(head, "object", OBJECT_MAX + 4) ?? head.fail("object", "is missing"),
    finality: readMember(c, "finality", OBJECT_MAX + 4),
  };
}

const textMember = (place, name) => {
  place.skip(name);
  return place.value.get(name);
};

/** An evidence file, whose form is right in every member; nothing in it was judged. */
function readFile(text) {
  try {
    return readMembers(text);
  } catch (error) {
    throw error instanceof KettleError ? Object.assign(error, { step: STEPS[0] }) : error;
  }
}

function readMembers(text) {
  if (text.length > TEXT_MAX || utf8(text).length > TEXT_MAX || !withinLimits(text)) refuseGround("too-long");
  const place = openFile(text);
  const form = place.text("kettle");
  if (utf8(form).length > 32) refuseGround("too-long", "kettle");
  if (form !== "evidence/1") place.fail("kettle", "must be evidence/1");
  const id = bytesFrom(textMember(place, "id"));
  if (id?.length !== 32) place.fail("id", "must be 32 bytes of hex");
  for (const name of ["setup", "answer"]) if (!place.value.has(name)) place.fail(name, "is missing");
  const [setup, request, answer] = ["setup", "request", "answer"].map((name) => textMember(place, name));
  if (utf8(canonical(setup)).length > SETUP_STATEMENT_MAX) refuseGround("too-long", "setup");
  const file = { id, setup, request: request ?? undefined, consensus: readConsensusOf(place) };
  file.headers = readList(place, "headers", LIST_MAX, HEADER_MAX);
  file.blocks = readList(place, "blocks", LIST_MAX, BLOCK_MAX);
  file.receipts = readList(place, "receipts", LIST_MAX, undefined, readReceiptsList);
  const witness = place.object("witness");
  file.nodes = readList(witness, "state", LIST_MAX, NODE_MAX);
  file.codes = readList(witness, "codes", LIST_MAX, CODE_MAX);
  place.done();
  return { ...file, answer: readStatementOf(answer) };
}

/** The document; a refusal of its reader has the file's step. */
function openFile(text) {
  const place = Place.open(text, "malformed", { strict: true });
  if (!(place.value instanceof Map)) refuseGround("malformed", "", "must be an object");
  return place;
}

// ---- judging: node/query/{retrace,retrace_heads,statements}.c have the same

const CALL = "CallStatement";
const CHECKPOINT = "CheckpointStatement";
const LOGS = "LogsStatement";
const RPC = "RpcStatement";
const HASH_LEN = 32;
const DIGEST_LEN = 4;
const FINAL = 2;
const RECEIPT_METHOD = "eth_getTransactionReceipt";

/** The cluster statement that a statement names: chain, network, rules of answering. */
function checkSetup(net, { setup, answer: { statement } }) {
  const text = utf8(canonical(setup));
  if (toHex(sha256(text)) !== statement.message.setup) refuseGround("wrong-setup", "setup");
  let cluster;
  try {
    const place = new Place(setup, { code: "wrong-setup", strict: true, places: [] });
    cluster = readCluster(place);
    place.done();
  } catch (error) {
    if (!(error instanceof KettleError)) throw error;
    refuseGround("wrong-setup", "setup", error.message);
  }
  if (cluster.chainId !== statement.domain.chainId) refuseGround("wrong-setup", "setup", "of another chain");
  const { digest, forksUntil, genesisValidatorsRoot } = cluster.network;
  if (networkDigest(net, BigInt(forksUntil)) !== digest || toHex(net.genesisRoot) !== genesisValidatorsRoot)
    refuseGround("wrong-network", "setup.network");
  if (BigInt(cluster.chainId) !== net.chainId) refuseGround("wrong-network", "setup.chain_id");
  return cluster;
}

/** Of a request that has a form the canonical text; undefined: it has none. */
function plainText(value) {
  try {
    return internals.plainJson(plainOf(value), "malformed", "request", 9);
  } catch (error) {
    if (!(error instanceof KettleError)) throw error;
    return undefined;
  }
}

/** Maps as objects; numbers stay bigints, which nothing plain has. */
function plainOf(value) {
  if (value instanceof Map) return Object.assign(Object.create(null), Object.fromEntries([...value].map(([name, one]) => [name, plainOf(one)])));
  return Array.isArray(value) ? value.map(plainOf) : value;
}

/** What a statement names by a hash alone must be the request that stands there; where it names nothing there is none. */
function readRequest({ request, answer: { statement } }) {
  const { type, message } = statement;
  const text = request === undefined ? undefined : canonical(request);
  const is = (hash) => toHex(keccak256(utf8(text ?? ""))) === hash;
  if (type === CALL) return text === undefined ? allZero(fromHex(message.call.overrides)) : is(message.call.overrides);
  if (type === LOGS) {
    if (!(request instanceof Map) || plainText(request) !== text || !is(message.filterHash)) return false;
    if ([...request].some(([name, value]) => value === null || !["address", "topics"].includes(name))) return false;
    try {
      return { filter: readFilter(request) };
    } catch (error) {
      if (!(error instanceof NoSuchForm)) throw error;
      return false;
    }
  }
  if (type !== RPC) return text === undefined;
  const txHash = Array.isArray(request) && request.length === 1 ? bytesFrom(request[0]) : undefined;
  return txHash?.length === HASH_LEN && request[0] === hexOf(txHash) && is(message.paramsHash) && message.method === RECEIPT_METHOD && { txHash };
}

// ---- heads

/** The fork and the SSZ of an object. */
function readObject(net, object, read) {
  const fork = object.length < DIGEST_LEN ? undefined : forkOfDigest(net, object.subarray(0, DIGEST_LEN));
  return fork === undefined ? malformed("no digest of this network") : read(net, fork, object.subarray(DIGEST_LEN));
}
const readUpdateObject = (net, object, kind) => readObject(net, object, (n, fork, bytes) => decodeUpdate(n, fork, kind, bytes));

/** A head that an object shows: its attested or its finalized header. */
function showHead(store, u, finalized, currentSlot) {
  const { attestedRoot, finalizedRoot } = checkUpdate(store, u, currentSlot);
  if (!isSupermajority(store.net, u.participants)) malformed("less than 2/3 of the sync committee signed it");
  if (finalized && !u.finalized) malformed("it has no finalized header");
  const header = finalized ? u.finalized : u.attested;
  if (forkAt(store.net, epochOf(store.net, header.slot)) < CAPELLA) malformed("it is of before Capella, and shows no execution block");
  return { header, root: finalized ? finalizedRoot : attestedRoot, participants: u.participants };
}

function applyUpdate(store, updates, i, period, currentSlot) {
  const field = `consensus.updates[${i}]`;
  if (i >= updates.length) refuseGround("missing-update", field);
  readingAs("bad-update", field, () => {
    const u = readUpdateObject(store.net, updates[i], "update");
    if (periodOf(store.net, u.attested.slot) !== period) malformed("it is of another period");
    processUpdate(store, u, currentSlot);
    if (!store.next) malformed("it does not show the next committee");
  });
}

/** From the checkpoint to the heads of a file: {head, finality}. */
function findHeads(net, { consensus: c }, checkpoint, maxAge, currentSlot) {
  if (!c.bootstrap) refuseGround("no-bootstrap", "consensus.bootstrap");
  const store = readingAs("bad-bootstrap", "consensus.bootstrap", () => newStore(net, checkpoint, readObject(net, c.bootstrap, decodeBootstrap)));
  const head = readingAs("bad-head", "consensus.head.object", () => readUpdateObject(net, c.head, c.kind));
  const finality = c.finality && readingAs("bad-finality", "consensus.finality", () => readUpdateObject(net, c.finality, "finality"));
  const age = slotStart(net, head.signatureSlot) - slotStart(net, store.finalizedSlot);
  if (age > checkpointBound(net, maxAge)) refuseGround("old-checkpoint", "consensus.bootstrap");
  const periods = [head, finality].map((u) => u && periodOf(net, u.signatureSlot));
  const first = periodOf(net, store.finalizedSlot);
  const last = periods[1] > periods[0] ? periods[1] : periods[0];
  if (last >= first && BigInt(c.updates.length) > last - first) refuseGround("unused-update", "consensus.updates");
  const found = {};
  for (let period = first; period <= last; period++) {
    if (periods[0] === period)
      found.head = readingAs("bad-head", "consensus.head.object", () => showHead(store, head, c.finalized, currentSlot));
    if (periods[1] === period)
      found.finality = readingAs("bad-finality", "consensus.finality", () => showHead(store, finality, true, currentSlot));
    if (period < last) applyUpdate(store, c.updates, Number(period - first), period, currentSlot);
  }
  if (!found.head) refuseGround("bad-head", "consensus.head.object", "it is older than the checkpoint");
  if (c.finality && !found.finality) refuseGround("bad-finality", "consensus.finality", "it is older than the checkpoint");
  return found;
}

/** Finality that is claimed has to be shown, and what is shown has to be claimed. */
function checkFinalityOf({ consensus: c, answer: { statement } }, { finality }) {
  const block = statement.message.at ?? statement.message.to;
  const claimed = block !== undefined && block.finality !== 0;
  if (claimed && !c.finalized && !finality) refuseGround("no-finality", "consensus.finality");
  if (finality && (c.finalized || !claimed)) refuseGround("unused-finality", "consensus.finality");
}

// ---- the elements

function loadStock(file) {
  const stock = new Stock();
  const each = (name, list, code, add, ordered) => {
    for (const [i, one] of list.entries())
      readingAs(code, `${name}[${i}]`, () => {
        if (ordered && i && compareBytes(list[i - 1], one) >= 0) malformed("out of order");
        add(one);
      });
  };
  each("headers", file.headers, "bad-header", (bytes) => stock.addHeader(bytes));
  each("blocks", file.blocks, "bad-block", (bytes) => stock.addBlock(bytes));
  each("receipts", file.receipts, "bad-receipts", (list) => stock.addReceipts(list));
  each("witness.state", file.nodes, "bad-node", (bytes) => stock.addNode(bytes), true);
  each("witness.codes", file.codes, "bad-code", (bytes) => stock.addCode(bytes), true);
  return stock;
}

/** The execution block of a head: from the object, or of a form by hash alone from the file. known: heads whose block is there already. */
function blockOfHead(net, stock, { header }, code, known) {
  const x = header.execution;
  const borrowed = known && same(known.hash, x.hash) ? known : undefined;
  const whole = borrowed ?? (header.byHash ? undefined : x);
  if (whole) return blobsFit(net, whole) ? whole : refuseGround(code, "consensus", "more blobs than this network's schedule has");
  const found = stock.header(x.hash);
  const start = slotStart(net, header.slot) / 1000n;
  if (found.timestamp > start) refuseGround(code, "headers", "the execution block is newer than the beacon block that builds on it");
  if (found.tail > 7 && (found.slotNumber >= header.slot || found.timestamp !== slotStart(net, found.slotNumber) / 1000n))
    refuseGround(code, "headers", "the execution block's slot is not that of its time");
  return headerFits(net, found) ? found : refuseGround(code, "headers", "it is not as this network's schedule has it");
}

// ---- what follows

/** The block that the statement names, as the head or an ancestor of it. */
function blockOfStatement(stock, head, hash) {
  if (same(hash, head.hash)) return head;
  return ancestorOf(stock, head, hash) ?? notRun("the block is none that can be proven");
}

const EMPTY_HASH = `0x${"00".repeat(32)}`;

/** Members of a message beside its block and its seal. `asked`: what the request has. */
const ANSWERS = {
  AccountStatement: (stock, block, { account }) => {
    const { account: a } = stock.prove(block.stateRoot, fromHex(account));
    const hashes = { codeHash: a ? hexOf(a.codeHash) : EMPTY_HASH, storageRoot: a ? hexOf(a.storageRoot) : EMPTY_HASH };
    return { account, nonce: String(a?.nonce ?? 0n), balance: String(a?.balance ?? 0n), ...hashes };
  },
  StorageStatement: (stock, block, { account, slot }) => {
    const { value } = stock.prove(block.stateRoot, fromHex(account), fromHex(slot));
    return { account, slot, value: hexOf(numberBytes(value, 32)) };
  },
  BlockStatement: () => ({}),
  CallStatement: (stock, block, { call, status, result }) => ({ call, status, result }), // no EVM
};

const hashOfResult = (result) => toHex(keccak256(utf8(canonicalOf(result))));
/** RFC 8785 of what JSON.stringify takes. */
function canonicalOf(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalOf).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `"${name}":${canonicalOf(value[name])}`).join(",")}}`;
}

/** What the chain has of what was asked: the block, and the members of the message that follow from it. */
function answer(net, stock, head, statement, asked) {
  const { type, message } = statement;
  if (type === RPC) {
    const { header, receipt } = receiptOf(net, stock, head, asked.txHash);
    return { block: header, members: { method: message.method, paramsHash: message.paramsHash, resultHash: hashOfResult(receipt) } };
  }
  const block = blockOfStatement(stock, head, fromHex((message.at ?? message.to).hash));
  if (type !== LOGS) return { block, members: ANSWERS[type](stock, block, message) };
  const { fromNumber, filterHash } = message;
  const logs = logsOf(stock, head, BigInt(fromNumber), block.number, asked.filter);
  return { block, members: { fromNumber, filterHash, logsHash: hashOfResult(logs), count: logs.length, complete: true } };
}

/** The message that follows from the evidence. */
function messageOf(net, stock, heads, final, statement, asked) {
  const { header, root, participants } = heads.head;
  const issuedAt = String(slotStart(net, header.slot) / 1000n);
  const seal = { issuedAt, validUntil: statement.message.validUntil, setup: statement.message.setup };
  if (statement.type === CHECKPOINT) {
    if (!final) notRun("no finalized header has been proven");
    return { message: { slot: String(header.slot), root: hexOf(root), stateRoot: hexOf(header.stateRoot), ...seal } };
  }
  const { block, members } = answer(net, stock, heads.block, statement, asked);
  const at = {
    number: String(block.number),
    hash: hexOf(block.hash),
    stateRoot: hexOf(block.stateRoot),
    timestamp: String(block.timestamp),
    slot: String(slotAt(net, block.timestamp)),
    finality: final ? FINAL : 0,
    signers: participants,
  };
  return { block, message: { [statement.type === LOGS ? "to" : "at"]: at, ...members, ...seal } };
}

/** The name of the first member in which two messages differ; undefined: in none. */
function differs(type, said, found) {
  for (const [name, kind] of MEMBERS[type]) {
    if (!MEMBERS[kind]) {
      if (said[name] !== found[name]) return name;
      continue;
    }
    const inner = MEMBERS[kind].find(([one]) => said[name][one] !== found[name][one]);
    if (inner) return `${name}.${inner[0]}`;
  }
  return undefined;
}

/** Both are about the same thing, so that what they say of it must agree. */
function sameMatter(type, said, found) {
  if (type === CHECKPOINT) return said.slot === found.slot || said.root === found.root;
  return (said.at ?? said.to).hash === (found.at ?? found.to).hash;
}

/** What a statement has from its head alone, which it does not name: no difference in these is a lie. */
function leaveHead(type, said, found) {
  if (type === CHECKPOINT) return found;
  const name = said.at ? "at" : "to";
  const { signers, finality } = said[name];
  return { ...found, issuedAt: said.issuedAt, [name]: { ...found[name], signers, finality } };
}

function compareMessages({ type, message: said }, found, cluster) {
  const window = BigInt.asUintN(64, BigInt(said.validUntil) - BigInt(said.issuedAt));
  if (!Object.values(cluster.rules.valid).some((seconds) => BigInt(seconds) === window)) refuseGround("false-statement", "validUntil");
  const lie = sameMatter(type, said, found) && differs(type, said, leaveHead(type, said, found));
  if (lie) refuseGround("false-statement", lie);
  const other = differs(type, said, found);
  if (other) refuseGround("other-head", other);
}

/** Everything but the signature. Whether what was asked was answered again is false for what needs an EVM. */
function judge(file, net, o) {
  const { statement } = file.answer;
  if (!same(digestOf(statement), file.id)) refuseGround("wrong-id", "id");
  const cluster = checkSetup(net, file);
  const asked = readRequest(file);
  if (!asked) refuseGround("wrong-request", "request");
  const heads = findHeads(net, file, o.checkpoint, cluster.checkpoint.maxAge, o.now === undefined ? U64_MAX : slotAt(net, o.now));
  checkFinalityOf(file, heads);
  const stock = loadStock(file);
  return readingAs("not-run", "", () => {
    heads.block = blockOfHead(net, stock, heads.head, "bad-head");
    if (heads.finality) {
      const final = blockOfHead(net, stock, heads.finality, "bad-finality", heads.block);
      if (!ancestorOf(stock, final, heads.block.hash)) refuseGround("no-finality", "consensus.finality", "the head is no ancestor of its block");
    }
    const final = file.consensus.finalized || heads.finality !== undefined;
    if (statement.type === CALL && BigInt(statement.message.call.gas) > BigInt(cluster.rules.callGas)) notRun("more gas than the rules allow");
    const { block, message } = messageOf(net, stock, heads, final, statement, asked);
    compareMessages(statement, message, cluster);
    if (statement.type === CALL) {
      stock.reach(block.stateRoot);
      stock.reachAncestors(block);
    }
    stock.checkUnused();
    stock.checkOrder();
    return statement.type !== CALL;
  });
}

/** The refusal of a signature; undefined: it is one, by an accepted key. */
function signatureFault({ answer }, accepted) {
  const { statement } = answer;
  try {
    if (signerOf(statement) !== statement.signer) refuseGround("bad-signature", "signer");
    checkResult(answer);
    if (BigInt(statement.message.validUntil) < BigInt(statement.message.issuedAt)) refuseGround("bad-signature", "message.validUntil");
    if (accepted && !accepted.includes(statement.signer)) refuseGround("wrong-signer", "signer");
    return undefined;
  } catch (error) {
    if (!(error instanceof KettleError)) throw error;
    return error.step ? error : faultOf("bad-signature", error.field, error.message);
  }
}

function faultOf(code, field, why) {
  try {
    return refuseGround(code, field, why);
  } catch (error) {
    return error;
  }
}

// ---- what the caller says

const OPTIONS = "checkpoint network signer signers key keys setup execution now".split(" ");

function acceptedKeys({ signer, signers, key, keys }) {
  const lists = { signer: signer === undefined ? [] : [signer], signers: signers === undefined ? [] : signers, key: key === undefined ? [] : [key], keys: keys === undefined ? [] : keys };
  for (const [name, list] of Object.entries(lists)) if (!Array.isArray(list)) refuse("bad-option", name, "not a list");
  if ((signers && !signers.length) || (keys && !keys.length)) refuse("bad-option", signers ? "signers" : "keys", "nobody is accepted");
  const all = [...lists.signer, ...lists.signers].map((one) => asHex("address", one, "signer"));
  all.push(...[...lists.key, ...lists.keys].map(addressOfKey));
  return all.length ? all : undefined;
}

function readOptions(options) {
  if (!isObject(options)) refuse("bad-option", "", "no options");
  for (const [name, value] of Object.entries(options)) {
    if (!OPTIONS.includes(name)) refuse("bad-option", name, "unknown");
    if (value === undefined) refuse("bad-option", name, "is undefined: leave it out if nothing is demanded");
  }
  if (options.execution !== undefined && options.execution !== "unchecked") refuse("bad-option", "execution", 'nothing, or "unchecked"');
  return {
    checkpoint: fromHex(asHex("bytes32", options.checkpoint, "checkpoint")),
    net: readNetwork(options.network ?? "mainnet"),
    accepted: acceptedKeys(options),
    setup: options.setup === undefined ? undefined : asHex("bytes32", options.setup, "setup"),
    unchecked: options.execution === "unchecked",
    now: options.now === undefined ? undefined : BigInt(asNumber(options.now, 52, "now")),
  };
}

/**
 * Checks that a statement follows from its evidence: consensus from the checkpoint, head, headers, proofs, what the statement says, signature.
 *
 * @param {string} file  JSON text: an answer with ?evidence=inline, or of GET /v1/evidence/ID
 * @param {object} options  unknown names, and undefined, are refused
 * @param {string} options.checkpoint  the beacon block root (32 bytes, hex) that is trusted: all follows from it
 * @param {string|object} [options.network]  mainnet, sepolia, hoodi; or a network as a configuration describes it, parsed or as text; mainnet
 *   when absent
 * @param {string} [options.key]  the public key (33 bytes, hex) whose signature is accepted; also keys, a list; signer, signers: as addresses.
 *   Without any: whoever the statement names, for the chain vouches for what it says
 * @param {string} [options.setup]  the SHA-256 of the cluster statement under which it must be made
 * @param {"unchecked"} [options.execution]  what a call returns is not checked, and `executed` of the result says so
 * @param {number|bigint|string} [options.now]  seconds since 1970: what is signed in slots after it is refused; no time is looked at when absent
 * @returns {{type: string, chainId: number, signer: string, digest: string, message: object, result?: any, executed: boolean}}  executed: all that
 *   the statement says was derived again; false: all but the status and the result of a call, which nothing here vouches for
 * @throws {KettleError} with a code of EVIDENCE_CODES, and `step`; `signed-lie` convicts the signer
 */
export function verifyEvidence(file, options) {
  const o = readOptions(options);
  if (typeof file !== "string") refuse("bad-option", "file", "not JSON text");
  const read = readFile(file);
  const { statement, result, canonical: plain } = read.answer;
  if (o.setup !== undefined && o.setup !== statement.message.setup) refuseGround("wrong-setup", "file", "made under another setup");
  const fault = signatureFault(read, o.accepted);
  let executed;
  try {
    executed = judge(read, o.net, o);
  } catch (error) {
    if (error.code === "false-statement" && !fault) refuseGround("signed-lie", error.field);
    throw error;
  }
  if (fault) throw fault;
  if (!executed && !o.unchecked) refuseGround("needs-evm", "answer");
  const { type, domain, message, signer } = statement;
  return { type, chainId: domain.chainId, signer, digest: hexOf(read.id), message, ...(plain !== undefined && { result }), executed };
}

// ---- data: the codes, as rpc/api/grounds_codes.def has them
function groundsCodes() {
  return {
  "malformed": {
    "step": "file",
    "text": "not an evidence file of this version"
  },
  "too-long": {
    "step": "file",
    "text": "longer than an evidence file, or too many elements"
  },
  "wrong-id": {
    "step": "file",
    "text": "the id is not the digest of the statement"
  },
  "wrong-setup": {
    "step": "file",
    "text": "not the cluster statement that the statement names"
  },
  "wrong-network": {
    "step": "file",
    "text": "of another network than was expected"
  },
  "wrong-request": {
    "step": "file",
    "text": "not the request that the statement names by its hash"
  },
  "no-bootstrap": {
    "step": "consensus",
    "text": "there is no bootstrap"
  },
  "bad-bootstrap": {
    "step": "consensus",
    "text": "the bootstrap is not that of the checkpoint"
  },
  "old-checkpoint": {
    "step": "consensus",
    "text": "the checkpoint is too old for the head"
  },
  "missing-update": {
    "step": "consensus",
    "text": "an update of a period is missing"
  },
  "bad-update": {
    "step": "consensus",
    "text": "an update does not hold"
  },
  "unused-update": {
    "step": "consensus",
    "text": "more updates than there are periods up to the head"
  },
  "bad-head": {
    "step": "head",
    "text": "the head does not hold"
  },
  "other-head": {
    "step": "head",
    "text": "the statement rests on another head than the one that is shown"
  },
  "bad-finality": {
    "step": "head",
    "text": "the finality update does not hold"
  },
  "no-finality": {
    "step": "head",
    "text": "nothing shows that the block is final"
  },
  "unused-finality": {
    "step": "head",
    "text": "a finality update that shows nothing more"
  },
  "bad-header": {
    "step": "headers",
    "text": "a header is none, or out of order"
  },
  "missing-header": {
    "step": "headers",
    "text": "a header on the way to the block is missing"
  },
  "unused-header": {
    "step": "headers",
    "text": "a header that nothing needs"
  },
  "bad-block": {
    "step": "headers",
    "text": "a block is none, or out of order"
  },
  "missing-block": {
    "step": "headers",
    "text": "the transactions of a block are missing"
  },
  "unused-block": {
    "step": "headers",
    "text": "a block that nothing needs"
  },
  "bad-receipts": {
    "step": "headers",
    "text": "receipts are none, or out of order"
  },
  "missing-receipts": {
    "step": "headers",
    "text": "the receipts of a block are missing"
  },
  "unused-receipts": {
    "step": "headers",
    "text": "receipts that nothing needs"
  },
  "bad-node": {
    "step": "state",
    "text": "a trie node is none, or out of order"
  },
  "missing-node": {
    "step": "state",
    "text": "a trie node on the way to a key is missing"
  },
  "unused-node": {
    "step": "state",
    "text": "a trie node that nothing needs"
  },
  "bad-code": {
    "step": "state",
    "text": "a code is none, or out of order"
  },
  "missing-code": {
    "step": "state",
    "text": "the code of a contract is missing"
  },
  "unused-code": {
    "step": "state",
    "text": "a code that nothing needs"
  },
  "not-run": {
    "step": "execution",
    "text": "what was asked cannot be answered from this"
  },
  "false-statement": {
    "step": "statement",
    "text": "the statement says otherwise than what is shown"
  },
  "bad-signature": {
    "step": "signature",
    "text": "no signature, or by another key than it names"
  },
  "wrong-signer": {
    "step": "signature",
    "text": "signed by a key that is not accepted"
  },
  "signed-lie": {
    "step": "statement",
    "text": "validly signed, and false by its own evidence: the signer lied"
  },
  "needs-evm": {
    "step": "execution",
    "text": "what a call returns was not checked: there is no EVM here"
  }
};
}
// ---- vendored, unchanged but for being bundled: see the licences
/*!
 * @noble/curves 2.4.0, the parts that are used
 *
 * The MIT License (MIT)
 *
 * Copyright (c) 2022 Paul Miller (https://paulmillr.com)
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy
 * of this software and associated documentation files (the “Software”), to deal
 * in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 * copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in
 * all copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED “AS IS”, WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
 * THE SOFTWARE.
 */
/*!
 * @noble/hashes 2.4.0, the parts that are used
 *
 * The MIT License (MIT)
 *
 * Copyright (c) 2022 Paul Miller (https://paulmillr.com)
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy
 * of this software and associated documentation files (the “Software”), to deal
 * in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 * copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in
 * all copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED “AS IS”, WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
 * THE SOFTWARE.
 */
function vendoredBls() {
var primitives=(()=>{var __defProp=Object.defineProperty;var __getOwnPropDesc=Object.getOwnPropertyDescriptor;var __getOwnPropNames=Object.getOwnPropertyNames;var __hasOwnProp=Object.prototype.hasOwnProperty;var __export=(target,all)=>{for(var name in all)__defProp(target,name,{get:all[name],enumerable:!0})},__copyProps=(to,from,except,desc)=>{if(from&&typeof from==
"object"||typeof from=="function")for(let key of __getOwnPropNames(from))!__hasOwnProp.call(to,key)&&key!==except&&__defProp(to,key,{get:()=>from[key],enumerable:!(desc=
__getOwnPropDesc(from,key))||desc.enumerable});return to};var __toCommonJS=mod2=>__copyProps(__defProp({},"__esModule",{value:!0}),mod2);var bls_exports={};__export(bls_exports,{keyPoint:()=>keyPoint,noKey:()=>noKey,signedBy:()=>signedBy});var fromNumH=n=>n/2**32|0,fromNumL=n=>n>>>0;function setU64FromNum(view,byteOffset,n,isLE){let h=fromNumH(n),l=fromNumL(n);view.setUint32(byteOffset,isLE?l:h,isLE),
view.setUint32(byteOffset+4,isLE?h:l,isLE)}function isBytes(a){return a instanceof Uint8Array||ArrayBuffer.isView(a)&&a.constructor.name==="Uint8Array"&&"BYTES_PER_ELEMENT"in a&&a.BYTES_PER_ELEMENT===1}var atitle=title=>title?
`"${title}" `:"";function anumber(n,title=""){if(typeof n!="number")throw new TypeError(atitle(title)+"expected number, got "+typeof n);if(!Number.isSafeInteger(
n)||n<0)throw new RangeError(atitle(title)+"expected integer >= 0, got "+n);return n}function abytes(value,length,title=""){if(isBytes(value)&&(length===void 0||value.length===length))return value;length!==void 0&&anumber(length,"length");let bytes=isBytes(
value),ofLen=length!==void 0?` of length ${length}`:"",got=bytes?`length=${value.length}`:`type=${typeof value}`,message=atitle(title)+"expected Uint8Array"+ofLen+
", got "+got;throw bytes?new RangeError(message):new TypeError(message)}var aobject=(value,label)=>{if(value===null||typeof value!="object"||Array.isArray(value))throw new TypeError((label==="object"?"":`"${label}" `)+"expected obje\
ct, got type="+typeof value)},aopts=(value,label)=>{aobject(value,label);let proto=Object.getPrototypeOf(value);if(proto!==Object.prototype&&proto!==null)throw new TypeError(
`"${label}" expected plain object`);if(Object.hasOwn(value,"__proto__"))throw new TypeError(`"${label}.__proto__" is not allowed`)};function aexists(instance,checkFinished=!0){
if(instance.destroyed)throw new Error("hash was destroyed");if(checkFinished&&instance.finished)throw new Error("digest() was already called")}function aoutput(out,instance){
abytes(out,void 0,"output");let min=instance.outputLen;if(!(out.length>=min))throw new RangeError('"output" expected length >= '+min)}function clean(...arrays){for(let i=0;i<arrays.length;i++)arrays[i].fill(0)}function createView(arr){return new DataView(arr.buffer,arr.byteOffset,arr.byteLength)}
function rotr(word,shift){return word<<32-shift|word>>>shift}var hasHexBuiltin=typeof Uint8Array.from([]).toHex=="function"&&typeof Uint8Array.fromHex=="function",hexes=Array.from({length:256},(_,i)=>i.toString(16).padStart(
2,"0"));function bytesToHex(bytes){if(abytes(bytes),hasHexBuiltin)return bytes.toHex();let hex="";for(let i=0;i<bytes.length;i++)hex+=hexes[bytes[i]];return hex}
function asciiToBase16(ch){return ch>=48&&ch<=57?ch-48:ch>=65&&ch<=70?ch-55:ch>=97&&ch<=102?ch-87:void 0}function hexToBytes(hex){if(typeof hex!="string")throw new TypeError(
"hex string expected, got "+typeof hex);if(hasHexBuiltin)try{return Uint8Array.fromHex(hex)}catch(error){throw error instanceof SyntaxError?new RangeError(error.
message):error}let hl=hex.length,al=hl/2;if(hl%2)throw new RangeError("hex string expected, got unpadded hex of length "+hl);let array=new Uint8Array(al);for(let ai=0,
hi=0;ai<al;ai++,hi+=2){let n1=asciiToBase16(hex.charCodeAt(hi)),n2=asciiToBase16(hex.charCodeAt(hi+1));if(n1===void 0||n2===void 0){let char=hex[hi]+hex[hi+1];throw new RangeError(
'hex string expected, got non-hex character "'+char+'" at index '+hi)}array[ai]=n1*16+n2}return array}function concatBytes(...arrays){let sum=0;for(let i=0;i<arrays.length;i++){let a=arrays[i];abytes(a),sum+=a.length}let res=new Uint8Array(sum);for(let i=0,pad=0;i<
arrays.length;i++){let a=arrays[i];res.set(a,pad),pad+=a.length}return res}function checkOpts(defaults,opts,title="opts"){return aopts(defaults,"defaults"),opts!==void 0&&aopts(opts,title),Object.assign(Object.create(null),defaults,opts)}
function createHasher(hashCons,info={}){if(typeof hashCons!="function")throw new TypeError('"hashCons" expected function, got type='+typeof hashCons);info=checkOpts(
{},info,"info");let hashC=(msg,opts)=>hashCons(opts).update(msg).digest(),tmp=hashCons(void 0);return hashC.outputLen=tmp.outputLen,hashC.blockLen=tmp.blockLen,
hashC.canXOF=tmp.canXOF,hashC.create=opts=>hashCons(opts),Object.assign(hashC,info),Object.freeze(hashC)}function randomBytes(bytesLength=32){anumber(bytesLength,
"bytesLength");let cr=typeof globalThis=="object"?globalThis.crypto:null;if(typeof cr?.getRandomValues!="function")throw new Error("crypto.getRandomValues must \
be defined");if(bytesLength>65536)throw new RangeError(`"bytesLength" expected <= 65536, got ${bytesLength}`);return cr.getRandomValues(new Uint8Array(bytesLength))}
var oidNist=suffix=>({oid:Uint8Array.from([6,9,96,134,72,1,101,3,4,2,suffix])});function Chi(a,b,c){return a&b^~a&c}function Maj(a,b,c){return a&b^a&c^b&c}var HashMD=class{blockLen;outputLen;canXOF=!1;padOffset;isLE;buffer;view;finished=!1;length=0;pos=0;destroyed=!1;constructor(blockLen,outputLen,padOffset,isLE){
this.blockLen=blockLen,this.outputLen=outputLen,this.padOffset=padOffset,this.isLE=isLE,this.buffer=new Uint8Array(blockLen),this.view=createView(this.buffer)}update(data){
aexists(this),abytes(data);let{view,buffer,blockLen}=this,len=data.length,processed=!1;for(let pos=0;pos<len;){let take=Math.min(blockLen-this.pos,len-pos);if(take===
blockLen){let dataView=createView(data);for(;blockLen<=len-pos;pos+=blockLen)this.process(dataView,pos);processed=!0;continue}buffer.set(pos===0&&take===len?data:
data.subarray(pos,pos+take),this.pos),this.pos+=take,pos+=take,this.pos===blockLen&&(this.process(view,0),this.pos=0,processed=!0)}return this.length+=data.length,
processed&&this.roundClean(),this}digestInto(out){aexists(this),aoutput(out,this),this.finished=!0;let{buffer,view,blockLen,isLE}=this,{pos}=this;buffer[pos++]=
128,buffer.fill(0,pos),this.padOffset>blockLen-pos&&(this.process(view,0),buffer.fill(0)),setU64FromNum(view,blockLen-8,this.length*8,isLE),this.process(view,0),
this.roundClean();let oview=out===buffer?view:createView(out),len=this.outputLen,outLen=len/4,state=this.get();if(len%4||outLen>state.length)throw new Error("in\
valid outputLen");for(let i=0;i<outLen;i++)oview.setUint32(4*i,state[i],isLE)}digest(){let{buffer,outputLen}=this;this.digestInto(buffer);let res=buffer.slice(0,
outputLen);return this.destroy(),res}_cloneIntoMeta(to){let{buffer,length,finished,destroyed,pos}=this;return to.destroyed=destroyed,to.finished=finished,to.length=
length,to.pos=pos,pos&&to.buffer.set(buffer),to}clone(){return this._cloneInto()}},SHA256_IV=Uint32Array.from([1779033703,3144134277,1013904242,2773480762,1359893119,
2600822924,528734635,1541459225]);var SHA256_K=Uint32Array.from([1116352408,1899447441,3049323471,3921009573,961987163,1508970993,2453635748,2870763221,3624381080,310598401,607225278,1426881987,
1925078388,2162078206,2614888103,3248222580,3835390401,4022224774,264347078,604807628,770255983,1249150122,1555081692,1996064986,2554220882,2821834349,2952996808,
3210313671,3336571891,3584528711,113926993,338241895,666307205,773529912,1294757372,1396182291,1695183700,1986661051,2177026350,2456956037,2730485921,2820302411,
3259730800,3345764771,3516065817,3600352804,4094571909,275423344,430227734,506948616,659060556,883997877,958139571,1322822218,1537002063,1747873779,1955562222,2024104815,
2227730452,2361852424,2428436474,2756734187,3204031479,3329325298]),SHA256_W=new Uint32Array(64),SHA2_32B=class extends HashMD{A=0;B=0;C=0;D=0;E=0;F=0;G=0;H=0;constructor(outputLen,IV){
super(64,outputLen,8,!1),this.A=IV[0]|0,this.B=IV[1]|0,this.C=IV[2]|0,this.D=IV[3]|0,this.E=IV[4]|0,this.F=IV[5]|0,this.G=IV[6]|0,this.H=IV[7]|0}get(){let{A,B,C,
D,E,F,G,H}=this;return[A,B,C,D,E,F,G,H]}set(A,B,C,D,E,F,G,H){this.A=A|0,this.B=B|0,this.C=C|0,this.D=D|0,this.E=E|0,this.F=F|0,this.G=G|0,this.H=H|0}_cloneInto(to){
return(to||=new this.constructor).set(...this.get()),this._cloneIntoMeta(to)}process(view,offset){for(let i=0;i<16;i++,offset+=4)SHA256_W[i]=view.getUint32(offset,
!1);for(let i=16;i<64;i++){let W15=SHA256_W[i-15],W2=SHA256_W[i-2],s0=rotr(W15,7)^rotr(W15,18)^W15>>>3,s1=rotr(W2,17)^rotr(W2,19)^W2>>>10;SHA256_W[i]=s1+SHA256_W[i-
7]+s0+SHA256_W[i-16]|0}let{A,B,C,D,E,F,G,H}=this;for(let i=0;i<64;i++){let sigma1=rotr(E,6)^rotr(E,11)^rotr(E,25),T1=H+sigma1+Chi(E,F,G)+SHA256_K[i]+SHA256_W[i]|
0,T2=(rotr(A,2)^rotr(A,13)^rotr(A,22))+Maj(A,B,C)|0;H=G,G=F,F=E,E=D+T1|0,D=C,C=B,B=A,A=T1+T2|0}A=A+this.A|0,B=B+this.B|0,C=C+this.C|0,D=D+this.D|0,E=E+this.E|0,
F=F+this.F|0,G=G+this.G|0,H=H+this.H|0,this.set(A,B,C,D,E,F,G,H)}roundClean(){clean(SHA256_W)}destroy(){this.destroyed=!0,this.set(0,0,0,0,0,0,0,0),clean(this.buffer)}},
_SHA256=class extends SHA2_32B{constructor(){super(32,SHA256_IV)}};var sha256=createHasher(()=>new _SHA256,oidNist(1));function aarray(item,title,inner=()=>{}){if(!Array.isArray(item))throw new TypeError(`"${title}" expected array, got type=${typeof item}`);for(let i=0;i<item.length;i++)
inner(item[i],`${title}[${i}]`);return item}var abytes2=(value,length,title)=>abytes(value,length,title),anumber2=anumber;function aobject2(value,title="object"){if(value===null||typeof value!="object"||Array.isArray(value))throw new TypeError(title==="object"?"expected valid optio\
ns object":`"${title}" expected object, got type=${typeof value}`);return value}function afunction(value,title){if(typeof value!="function")throw new TypeError(
`"${title}" is invalid: expected function, got ${typeof value}`);return value}var bytesToHex2=bytesToHex,concatBytes2=(...arrays)=>concatBytes(...arrays),hexToBytes2=hex=>hexToBytes(
hex),isBytes2=isBytes,randomBytes2=bytesLength=>randomBytes(bytesLength),_0n=BigInt(0),_1n=BigInt(1),atitle2=title=>title?`"${title}" `:"";function abool(value,title=""){
if(typeof value!="boolean")throw new TypeError(atitle2(title)+"expected boolean, got type="+typeof value);return value}function abignumber(n){if(typeof n=="bigi\
nt"){if(!isPosBig(n))throw new RangeError("positive bigint expected, got "+n)}else anumber2(n);return n}function asafenumber(value,title=""){if(typeof value!="n\
umber"){let prefix=title&&`"${title}" `;throw new TypeError(prefix+"expected number, got type="+typeof value)}if(!Number.isSafeInteger(value)){let prefix=title&&
`"${title}" `;throw new RangeError(prefix+"expected safe integer, got "+value)}}function hexToNumber(hex){if(typeof hex!="string")throw new TypeError("hex string expected, got "+typeof hex);return hex===""?_0n:BigInt("0x"+hex)}function bytesToNumberBE(bytes){
return hexToNumber(bytesToHex(bytes))}function bytesToNumberLE(bytes){return hexToNumber(bytesToHex(copyBytes(abytes(bytes)).reverse()))}function numberToBytesBE(n,len){
if(anumber(len),len===0)throw new Error("zero output length is invalid");n=abignumber(n);let expectedLen=len*2,hex=n.toString(16);if(hex.length>expectedLen)throw new RangeError(
"number is too large");return hexToBytes(hex.padStart(expectedLen,"0"))}function numberToBytesLE(n,len){return numberToBytesBE(n,len).reverse()}function copyBytes(bytes){return Uint8Array.from(abytes2(bytes))}function asciiToBytes(ascii){if(typeof ascii!="string")throw new TypeError("ascii string expect\
ed, got "+typeof ascii);return Uint8Array.from(ascii,(c,i)=>{let charCode=c.charCodeAt(0);if(c.length!==1||charCode>127)throw new RangeError(`string contains no\
n-ASCII character "${ascii[i]}" with code ${charCode} at position ${i}`);return charCode})}function isPosBig(n){return typeof n=="bigint"&&_0n<=n}function inRange(n,min,max){
return isPosBig(n)&&isPosBig(min)&&isPosBig(max)&&min<=n&&n<max}function aInRange(title,n,min,max){if(!inRange(n,min,max))throw new RangeError("expected valid "+
title+": "+min+" <= n < "+max+", got "+n)}function bitLen(n){if(n<_0n)throw new Error("expected non-negative bigint, got "+n);return n===_0n?0:n.toString(2).length}
function bitGet(n,pos){if(typeof n!="bigint")throw new TypeError('"n" expected bigint, got type='+typeof n);return asafenumber(pos,"pos"),n>>BigInt(pos)&_1n}var bitMask=n=>(asafenumber(n,"n"),(_1n<<BigInt(n))-_1n);function validateObject(object,fields2={},optFields={},title="object"){aobject2(object,title),aobject2(fields2,"fields"),aobject2(optFields,"optFields");function checkField(fieldName,expectedType,isOpt){
let label=title==="object"?`param "${String(fieldName)}"`:`"${title}.${String(fieldName)}"`,val=object[fieldName];if(!Object.hasOwn(object,fieldName)&&(isOpt?val!==
void 0:expectedType!=="function"))throw new TypeError(`${label} is invalid: expected own property`);if(isOpt&&val===void 0)return;let current=typeof val;if(current!==
expectedType||val===null)throw new TypeError(`${label} is invalid: expected ${expectedType}, got ${current}`)}let iter=(f,isOpt)=>Object.entries(f).forEach(([k,
v])=>checkField(k,v,isOpt));iter(fields2,!1),iter(optFields,!0)}var notImplemented=()=>{throw new Error("not implemented")};var _0n2=BigInt(0),_1n2=BigInt(1),_2n=BigInt(2),_3n=BigInt(3),_4n=BigInt(4),_5n=BigInt(5),_7n=BigInt(7),_8n=BigInt(8),_9n=BigInt(9),_15n=BigInt(15),_16n=BigInt(
16),POW_WINDOWED_MIN=BigInt("0x10000000000000000");function mod(a,b){if(b<=_0n2)throw new Error("mod: expected positive modulus, got "+b);let result=a%b;return result>=
_0n2?result:b+result}function pow(num,power,modulo){if(modulo<=_1n2)throw new Error("pow: expected modulus > 1, got "+modulo);if(typeof power!="bigint")throw new TypeError(
"invalid exponent: expected bigint, got "+typeof power);if(power<_0n2)throw new Error("invalid exponent, negatives unsupported");if(power===_0n2)return _1n2;if(power===
_1n2)return num;let d=num%modulo;if(d<_0n2&&(d+=modulo),power<POW_WINDOWED_MIN){let p2=_1n2;for(;power>_0n2;)power&_1n2&&(p2=p2*d%modulo),d=d*d%modulo,power>>=_1n2;
return p2}let digits=[];for(;power>_0n2;)digits.push(Number(power&_15n)),power>>=_4n;let table=new Array(16);table[0]=_1n2,table[1]=d;for(let i=2;i<16;i++)table[i]=
table[i-1]*d%modulo;let p=table[digits[digits.length-1]];for(let w=digits.length-2;w>=0;w--){p=p*p%modulo,p=p*p%modulo,p=p*p%modulo,p=p*p%modulo;let digit=digits[w];
digit!==0&&(p=p*table[digit]%modulo)}return p}function invert(number,modulo){if(number===_0n2)throw new Error("invert: expected non-zero number");if(modulo<=_1n2)throw new Error("invert: expected modulus > \
1, got "+modulo);let a=mod(number,modulo),b=modulo,x=_0n2,u=_1n2;for(;a!==_0n2;){let q=b/a,r=b-a*q,m=x-u*q;b=a,a=r,x=u,u=m}if(b!==_1n2)throw new Error("invert: \
does not exist");return mod(x,modulo)}function assertIsSquare(Fp3,root,n){let F=Fp3;if(!F.eql(F.sqr(root),n))throw new Error("Cannot find square root")}function aoddModulus(order,fnName){if((order&_1n2)===
_0n2)throw new Error(fnName+": expected odd modulus, got "+order)}function sqrt3mod4(Fp3,n){let F=Fp3,p1div4=(F.ORDER+_1n2)/_4n,root=F.pow(n,p1div4);return assertIsSquare(
F,root,n),root}function sqrt5mod8(Fp3,n){let F=Fp3,p5div8=(F.ORDER-_5n)/_8n,n2=F.mul(n,_2n),v=F.pow(n2,p5div8),nv=F.mul(n,v),i=F.mul(F.mul(nv,_2n),v),root=F.mul(
nv,F.sub(i,F.ONE));return assertIsSquare(F,root,n),root}function sqrt9mod16(P){let Fp_=Field(P),tn=tonelliShanks(P),c1=tn(Fp_,Fp_.neg(Fp_.ONE)),c2=tn(Fp_,c1),c3=tn(
Fp_,Fp_.neg(c1)),c4=(P+_7n)/_16n;return((Fp3,n)=>{let F=Fp3,tv1=F.pow(n,c4),tv2=F.mul(tv1,c1),tv3=F.mul(tv1,c2),tv4=F.mul(tv1,c3),e1=F.eql(F.sqr(tv2),n),e2=F.eql(
F.sqr(tv3),n);tv1=F.cmov(tv1,tv2,e1),tv2=F.cmov(tv4,tv3,e2);let e3=F.eql(F.sqr(tv2),n),root=F.cmov(tv1,tv2,e3);return assertIsSquare(F,root,n),root})}function tonelliShanks(P){
if(P<_3n)throw new Error("sqrt is not defined for small field");aoddModulus(P,"tonelliShanks");let Q=P-_1n2,S=0;for(;Q%_2n===_0n2;)Q/=_2n,S++;let Z=_2n,_Fp=Field(
P);for(;FpLegendre(_Fp,Z)===1;)if(Z++>1e3)throw new Error("Cannot find square root: probably non-prime P");if(S===1)return sqrt3mod4;let cc=_Fp.pow(Z,Q),Q1div2=(Q+
_1n2)/_2n;return function(Fp3,n){let F=Fp3;if(F.is0(n))return n;if(FpLegendre(F,n)!==1)throw new Error("Cannot find square root");let M=S,c=F.mul(F.ONE,cc),t=F.
pow(n,Q),R=F.pow(n,Q1div2);for(;!F.eql(t,F.ONE);){if(F.is0(t))throw new Error("Cannot find square root: probably non-prime P");let i=1,t_tmp=F.sqr(t);for(;!F.eql(
t_tmp,F.ONE);)if(i++,t_tmp=F.sqr(t_tmp),i===M)throw new Error("Cannot find square root");let exponent=_1n2<<BigInt(M-i-1),b=F.pow(c,exponent);M=i,c=F.sqr(b),t=F.
mul(t,c),R=F.mul(R,b)}return R}}function FpSqrt(P){return aoddModulus(P,"Fp.sqrt"),P%_4n===_3n?sqrt3mod4:P%_8n===_5n?sqrt5mod8:P%_16n===_9n?sqrt9mod16(P):tonelliShanks(
P)}var FIELD_FIELDS=["create","isValid","is0","neg","inv","sqrt","sqr","eql","add","sub","mul","pow","div","addN","subN","mulN","sqrN"];function validateField(field){
if(aobject2(field,"field"),typeof field.ORDER!="bigint")throw new TypeError('param "ORDER" is invalid: expected bigint, got '+typeof field.ORDER);asafenumber(field.
BYTES,"BYTES"),asafenumber(field.BITS,"BITS");for(let name of FIELD_FIELDS)afunction(field[name],"field."+name);if(field.BYTES<1||field.BITS<1)throw new Error("\
invalid field: expected BYTES/BITS > 0");if(field.ORDER<=_1n2)throw new Error("invalid field: expected ORDER > 1, got "+field.ORDER);return field}function FpPow(Fp3,num,power){
validateField(Fp3);let F=Fp3;if(typeof power!="bigint")throw new TypeError("invalid exponent: expected bigint, got "+typeof power);if(power<_0n2)throw new Error(
"invalid exponent, negatives unsupported");if(power===_0n2)return F.ONE;if(power===_1n2)return num;if(power<POW_WINDOWED_MIN){let p2=F.ONE,d=num;for(;power>_0n2;)
power&_1n2&&(p2=F.mul(p2,d)),d=F.sqr(d),power>>=_1n2;return p2}let digits=[];for(;power>_0n2;)digits.push(Number(power&_15n)),power>>=_4n;let table=new Array(16);
table[0]=F.ONE,table[1]=num;for(let i=2;i<16;i++)table[i]=F.mul(table[i-1],num);let p=table[digits[digits.length-1]];for(let w=digits.length-2;w>=0;w--){p=F.sqr(
F.sqr(F.sqr(F.sqr(p))));let digit=digits[w];digit!==0&&(p=F.mul(p,table[digit]))}return p}function FpInvertBatch(Fp3,nums,passZero=!1){validateField(Fp3),aarray(
nums,"nums"),abool(passZero,"passZero");let F=Fp3,inverted=new Array(nums.length).fill(passZero?F.ZERO:void 0),multipliedAcc=nums.reduce((acc,num,i)=>F.is0(num)?
acc:(inverted[i]=acc,F.mul(acc,num)),F.ONE),invertedAcc=F.inv(multipliedAcc);return nums.reduceRight((acc,num,i)=>F.is0(num)?acc:(inverted[i]=F.mul(acc,inverted[i]),
F.mul(acc,num)),invertedAcc),inverted}function FpLegendre(Fp3,n){validateField(Fp3);let F=Fp3;aoddModulus(F.ORDER,"FpLegendre");let p1mod2=(F.ORDER-_1n2)/_2n,powered=F.pow(n,p1mod2),yes=F.eql(powered,
F.ONE),zero=F.eql(powered,F.ZERO),no=F.eql(powered,F.neg(F.ONE));if(!yes&&!zero&&!no)throw new Error("invalid Legendre symbol result");return yes?1:zero?0:-1}function FpIsSquare(Fp3,n){
return FpLegendre(Fp3,n)!==-1}function nLength(n,nBitLength){if(nBitLength!==void 0&&anumber2(nBitLength),n<=_0n2)throw new Error("invalid n length: expected po\
sitive n, got "+n);if(nBitLength!==void 0&&nBitLength<1)throw new Error("invalid n length: expected positive bit length, got "+nBitLength);let bits=bitLen(n);if(nBitLength!==
void 0&&nBitLength<bits)throw new Error(`invalid n length: expected nBitLength (${nBitLength}) >= bitLen(n) (${bits})`);let _nBitLength=nBitLength!==void 0?nBitLength:
bits,nByteLength=Math.ceil(_nBitLength/8);return{nBitLength:_nBitLength,nByteLength}}var FIELD_SQRT=new WeakMap,_Field=class{ORDER;BITS;BYTES;isLE;ZERO=_0n2;ONE=_1n2;_lengths;_mod;constructor(ORDER,opts={}){
if(ORDER<=_1n2)throw new Error("invalid field: expected ORDER > 1, got "+ORDER);let _nbitLength;this.isLE=!1,opts!=null&&typeof opts=="object"&&(typeof opts.BITS==
"number"&&(_nbitLength=opts.BITS),typeof opts.sqrt=="function"&&Object.defineProperty(this,"sqrt",{value:opts.sqrt,enumerable:!0}),typeof opts.isLE=="boolean"&&
(this.isLE=opts.isLE),opts.allowedLengths&&(this._lengths=Object.freeze(opts.allowedLengths.slice())),typeof opts.modFromBytes=="boolean"&&(this._mod=opts.modFromBytes));
let{nBitLength,nByteLength}=nLength(ORDER,_nbitLength);if(nByteLength>2048)throw new Error("invalid field: expected ORDER of <= 2048 bytes");this.ORDER=ORDER,this.
BITS=nBitLength,this.BYTES=nByteLength,Object.freeze(this)}create(num){return mod(num,this.ORDER)}isValid(num){if(typeof num!="bigint")throw new TypeError("inva\
lid field element: expected bigint, got "+typeof num);return _0n2<=num&&num<this.ORDER}is0(num){return num===_0n2}isValidNot0(num){return!this.is0(num)&&this.isValid(
num)}isOdd(num){return(num&_1n2)===_1n2}neg(num){return mod(-num,this.ORDER)}eql(lhs,rhs){return lhs===rhs}sqr(num){return mod(num*num,this.ORDER)}add(lhs,rhs){
return mod(lhs+rhs,this.ORDER)}sub(lhs,rhs){return mod(lhs-rhs,this.ORDER)}mul(lhs,rhs){return mod(lhs*rhs,this.ORDER)}pow(num,power){return pow(num,power,this.
ORDER)}div(lhs,rhs){return mod(lhs*invert(rhs,this.ORDER),this.ORDER)}sqrN(num){return num*num}addN(lhs,rhs){return lhs+rhs}subN(lhs,rhs){return lhs-rhs}mulN(lhs,rhs){
return lhs*rhs}inv(num){return invert(num,this.ORDER)}sqrt(num){let sqrt=FIELD_SQRT.get(this);return sqrt||FIELD_SQRT.set(this,sqrt=FpSqrt(this.ORDER)),sqrt(this,
num)}toBytes(num){return this.isLE?numberToBytesLE(num,this.BYTES):numberToBytesBE(num,this.BYTES)}fromBytes(bytes,skipValidation=!1){abytes2(bytes);let{_lengths:allowedLengths,
BYTES,isLE,ORDER,_mod:modFromBytes}=this;if(allowedLengths){if(bytes.length<1||!allowedLengths.includes(bytes.length)||bytes.length>BYTES)throw new Error("Field\
.fromBytes: expected "+allowedLengths+" bytes, got "+bytes.length);let padded=new Uint8Array(BYTES);padded.set(bytes,isLE?0:padded.length-bytes.length),bytes=padded}
if(bytes.length!==BYTES)throw new Error("Field.fromBytes: expected "+BYTES+" bytes, got "+bytes.length);let scalar=isLE?bytesToNumberLE(bytes):bytesToNumberBE(bytes);
if(modFromBytes&&(scalar=mod(scalar,ORDER)),!skipValidation&&!this.isValid(scalar))throw new Error("invalid field element: outside of range 0..ORDER");return scalar}invertBatch(lst){
return FpInvertBatch(this,lst,!0)}cmov(a,b,condition){return abool(condition,"condition"),condition?b:a}};function Field(ORDER,opts={}){return Object.freeze(_Field.
prototype),new _Field(ORDER,opts)}function getFieldBytesLength(fieldOrder){if(typeof fieldOrder!="bigint")throw new Error("field order must be bigint");if(fieldOrder<=_1n2)throw new Error("field\
 order must be greater than 1");let bitLength=bitLen(fieldOrder-_1n2);return Math.ceil(bitLength/8)}function getMinHashLength(fieldOrder){let length=getFieldBytesLength(
fieldOrder);return length+Math.ceil(length/2)}function mapHashToField(key,fieldOrder,isLE=!1){abytes2(key);let len=key.length,fieldLen=getFieldBytesLength(fieldOrder),
minLen=Math.max(getMinHashLength(fieldOrder),16);if(len<minLen||len>1024)throw new Error("expected "+minLen+"-1024 bytes of input, got "+len);let num=isLE?bytesToNumberLE(
key):bytesToNumberBE(key),reduced=mod(num,fieldOrder-_1n2)+_1n2;return isLE?numberToBytesLE(reduced,fieldLen):numberToBytesBE(reduced,fieldLen)}var _0n3=BigInt(0),_1n3=BigInt(1),_4n2=BigInt(4),BLIND_BYTES=16,BLIND_BITS=128,FW_WINDOW=5,TABLE_BYTES_MAX=2**31;function validatePointCons(Point){let pc=Point;
if(typeof pc!="function")throw new TypeError('"Point" expected constructor, got type='+typeof Point);afunction(pc.fromAffine,"Point.fromAffine"),afunction(pc.fromBytes,
"Point.fromBytes"),afunction(pc.fromHex,"Point.fromHex"),aobject2(pc.BASE,"Point.BASE"),aobject2(pc.ZERO,"Point.ZERO"),validateField(pc.Fp),validateField(pc.Fn)}
function normalizeZ(c,points){validatePointCons(c),validateMSMPoints(points,c);let invertedZs=FpInvertBatch(c.Fp,points.map(p=>p.Z));return points.map((p,i)=>c.
fromAffine(p.toAffine(invertedZs[i])))}function validateW(W,bits,min=1){if(!Number.isSafeInteger(W)||W<min||W>bits)throw new Error("invalid window size, expecte\
d ["+min+".."+bits+"], got W="+W)}function validateTableBytes(numPoints,fpBytes){let bytes=numPoints*(4*fpBytes+128);if(bytes>TABLE_BYTES_MAX)throw new Error("i\
nvalid window size: table would need ~"+Math.ceil(bytes/2**20)+" MiB, max "+TABLE_BYTES_MAX/2**20+" MiB")}function probeRandomBytes(randomBytes3,length){if(randomBytes3!==
void 0){afunction(randomBytes3,"randomBytes");try{let probe=randomBytes3(length);if(!isBytes2(probe)||probe.length!==length)return}catch{return}return randomBytes3}}
function validateMSMPoints(points,c){aarray(points,"points"),points.forEach((p,i)=>{if(!(p instanceof c))throw new Error("invalid point at index "+i)})}function validateMSMScalars(scalars,field,maxScalar){
if(!Array.isArray(scalars))throw new Error("array of scalars expected");scalars.forEach((s,i)=>{if(!(maxScalar===void 0?field.isValid(s):isPosBig(s)&&s<maxScalar))
throw new Error("invalid scalar at index "+i)})}var pointWindowSizes=new WeakMap;function getWindowSize(P){return pointWindowSizes.get(P)||1}function oddMultiples(p,size){
let dbl=p.double(),t=[p];for(let j=1;j<size;j++)t.push(t[j-1].add(dbl));return t}function wnafDigits(n,W){let size=2**W,half=size/2,mask=BigInt(size-1),d=[];for(;n>
_0n3;){let w=0;n&_1n3&&(w=Number(n&mask),w>=half&&(w-=size),n-=BigInt(w)),d.push(w),n>>=_1n3}return d}function signedWindowDigits(n,W,windows){let size=2**W,half=size/
2,mask=BigInt(size-1),shiftBy=BigInt(W),d=[];for(let w=0;w<windows;w++){let v=Number(n&mask);n>>=shiftBy,v>half&&(v-=size,n+=_1n3),d.push(v)}if(n!==_0n3)throw new Error(
"invalid wnaf");return d}function wnafWalk(zero,tables,digits){let max=0;for(let d of digits)max=Math.max(max,d.length);let acc=zero;for(let bit=max-1;bit>=0;bit--){
bit!==max-1&&(acc=acc.double());for(let i=0;i<digits.length;i++){let w=digits[i][bit];if(w){let item=tables[i][Math.abs(w)-1>>1];acc=acc.add(w<0?item.negate():item)}}}
return acc}var ScalarMultiplier=class{Point;BASE;ZERO;randomBytes;wnafPrecomputes=new WeakMap;baseCanBeBlinded;bits;constructor(Point,randomBytes3){validatePointCons(
Point),this.randomBytes=probeRandomBytes(randomBytes3,BLIND_BYTES),this.Point=Point,this.BASE=Point.BASE,this.ZERO=Point.ZERO,this.bits=Point.Fn.BITS}buildWnafTable(point,W,bits){
let windows=Math.ceil(bits/W)+1,half=2**(W-1),comp=[],base=point;for(let w=0;w<windows;w++){let acc=base;for(let i=0;i<half;i++)comp.push(acc),acc=acc.add(base);
base=comp[comp.length-1].double()}return{W,bits,windows,comp}}wnafCachedCT(precomputes,n){let{W,windows,comp}=precomputes,half=2**(W-1),digits=signedWindowDigits(
n,W,windows),p=this.ZERO,f=this.BASE;for(let w=0;w<windows;w++){let digit=digits[w],start=w*half,idx=Math.abs(digit)-1,sel=comp[start];for(let i=1;i<half;i++)sel=
i===idx?comp[start+i]:sel;let neg=sel.negate();digit===0?f=f.add(comp[start]):p=p.add(digit<0?neg:sel)}return{p,f}}getWnafPrecomputes(W,point,bits,transform){let entries=this.
wnafPrecomputes.get(point),comp=entries?.find(entry=>entry.W===W&&entry.bits===bits);return comp||(comp=this.buildWnafTable(point,W,bits),typeof transform=="fun\
ction"&&(comp={...comp,comp:transform(comp.comp)}),entries||(entries=[],this.wnafPrecomputes.set(point,entries)),entries.push(comp)),comp}assertPoint(point){if(!(point instanceof
this.Point))throw new TypeError('"point" expected Point instance, got type='+typeof point)}validateMulInput(point,scalar){if(this.assertPoint(point),!inRange(scalar,
_1n3,this.Point.Fn.ORDER))throw new Error("invalid scalar")}runCT(point,n,bits,transform){let W=getWindowSize(point);return W===1?this.fixedWindowCT(point,n,bits):
this.wnafCachedCT(this.getWnafPrecomputes(W,point,bits,transform),n)}mulCT(point,scalar,transform){return this.validateMulInput(point,scalar),this.runCT(point,scalar,
this.bits,transform)}mulCTBlinded(point,scalar,transform){if(this.validateMulInput(point,scalar),this.randomBytes===void 0)throw new Error("randomBytes is requi\
red for scalar blinding");let bits=this.Point.Fn.BITS+BLIND_BITS,blind=this.randomBytes(BLIND_BYTES);if(!isBytes2(blind)||blind.length!==BLIND_BYTES)throw new Error(
"randomBytes returned invalid byte array");blind[0]=blind[0]&63|128;let n=scalar+bytesToNumberBE(blind)*this.Point.Fn.ORDER;return this.runCT(point,n,bits,transform)}fixedWindowCT(point,n,bits){
let W=FW_WINDOW,size=1<<W,mask=bitMask(W),table=new Array(size);table[0]=this.ZERO;for(let i=1;i<size;i++)table[i]=table[i-1].add(point);let windows=Math.ceil(bits/
W),acc=this.ZERO;for(let window=windows-1;window>=0;window--){if(window!==windows-1)for(let d=0;d<W;d++)acc=acc.double();let digit=Number(n>>BigInt(window*W)&mask),
sel=table[0];for(let i=1;i<size;i++)sel=i===digit?table[i]:sel;acc=acc.add(sel)}return{p:acc,f:acc}}shouldBlind(point,cofactor){return this.randomBytes===void 0?
!1:cofactor===_1n3?!0:point!==this.BASE?!1:(this.baseCanBeBlinded===void 0&&(this.baseCanBeBlinded=this.mulUnsafe(this.BASE,this.Point.Fn.ORDER).is0()),this.baseCanBeBlinded)}mulSecret(point,scalar,cofactor,transform){
return this.shouldBlind(point,cofactor)?this.mulCTBlinded(point,scalar,transform):this.mulCT(point,scalar,transform)}mulUnsafe(point,scalar,transform){if(this.assertPoint(
point),!isPosBig(scalar))throw new Error("invalid scalar");let W=getWindowSize(point);if(W===1||scalar>=this.Point.Fn.ORDER)return mulAddUnsafe(this.Point,[point],
[scalar],!0);let precomputes=this.getWnafPrecomputes(W,point,this.bits,transform);return this.wnafCachedCT(precomputes,scalar).p}setWindowSize(point,W){this.assertPoint(
point),validateW(W,this.bits);let windows=Math.ceil((this.bits+BLIND_BITS)/W)+1;validateTableBytes(windows*2**(W-1),this.Point.Fp.BYTES),pointWindowSizes.set(point,
W),this.wnafPrecomputes.delete(point)}hasWindowSize(point){return getWindowSize(point)!==1}};function mulAddUnsafe(c,points,scalars,allowOversized=!1){if(validatePointCons(
c),validateMSMPoints(points,c),abool(allowOversized,"allowOversized"),validateMSMScalars(scalars,c.Fn,allowOversized?c.Fn.ORDER**_4n2:void 0),points.length!==scalars.
length)throw new Error("arrays of points and scalars must have equal length");let tables=points.map(p=>oddMultiples(p,4)),digits=scalars.map(n=>wnafDigits(n,4));
return wnafWalk(c.ZERO,tables,digits)}function createField(order,field,isLE){if(field){if(field.ORDER!==order)throw new Error("Field.ORDER must match order: Fp == p, Fn == n");return validateField(field),
field}else return Field(order,{isLE})}function createCurveFields(type,CURVE,curveOpts={},FpFnLE){if(type!=="weierstrass"&&type!=="edwards")throw new Error('expe\
cted curve type "weierstrass" or "edwards"');if(FpFnLE===void 0&&(FpFnLE=type==="edwards"),!CURVE||typeof CURVE!="object")throw new Error(`expected valid ${type}\
 CURVE object`);validateObject(curveOpts);for(let p of["p","n","h"]){let val=CURVE[p];if(!(isPosBig(val)&&val!==_0n3))throw new Error(`CURVE.${p} must be positi\
ve bigint`)}let Fp3=createField(CURVE.p,curveOpts.Fp,FpFnLE),Fn=createField(CURVE.n,curveOpts.Fn,FpFnLE),params=["Gx","Gy","a",type==="weierstrass"?"b":"d"];for(let p of params)
if(!Fp3.isValid(CURVE[p]))throw new Error(`CURVE.${p} must be valid field element of CURVE.Fp`);return CURVE=Object.freeze(Object.assign({},CURVE)),{CURVE,Fp:Fp3,
Fn}}var _0n4=BigInt(0),_1n4=BigInt(1),_2n2=BigInt(2),_3n2=BigInt(3),_4n3=BigInt(4),os2ip=bytesToNumberBE;function i2osp(value,length){if(asafenumber(value),asafenumber(
length),length<0||length>4)throw new Error("invalid I2OSP length: "+length);if(value<0||value>2**(8*length)-1)throw new Error("invalid I2OSP input: "+value);let res=Array.
from({length}).fill(0);for(let i=length-1;i>=0;i--)res[i]=value&255,value>>>=8;return new Uint8Array(res)}function strxor(a,b){let arr=new Uint8Array(a.length);
for(let i=0;i<a.length;i++)arr[i]=a[i]^b[i];return arr}function normDST(DST2){if(!isBytes2(DST2)&&typeof DST2!="string")throw new Error("DST must be Uint8Array \
or ascii string");let dst=typeof DST2=="string"?asciiToBytes(DST2):DST2;if(dst.length===0)throw new Error("DST must be non-empty");return dst}function expand_message_xmd(msg,DST2,lenInBytes,H){
if(abytes2(msg),asafenumber(lenInBytes),typeof H!="function")throw new Error("expand_message_xmd: expected hash function");asafenumber(H.outputLen,"hash.outputL\
en"),asafenumber(H.blockLen,"hash.blockLen"),DST2=normDST(DST2),DST2.length>255&&(DST2=H(concatBytes2(asciiToBytes("H2C-OVERSIZE-DST-"),DST2)));let{outputLen:b_in_bytes,
blockLen:r_in_bytes}=H,ell=Math.ceil(lenInBytes/b_in_bytes);if(lenInBytes>65535||ell>255)throw new Error("expand_message_xmd: invalid lenInBytes");let DST_prime=concatBytes2(
DST2,i2osp(DST2.length,1)),Z_pad=new Uint8Array(r_in_bytes),l_i_b_str=i2osp(lenInBytes,2),b=new Array(ell),b_0=H(concatBytes2(Z_pad,msg,l_i_b_str,i2osp(0,1),DST_prime));
b[0]=H(concatBytes2(b_0,i2osp(1,1),DST_prime));for(let i=1;i<ell;i++){let args=[strxor(b_0,b[i-1]),i2osp(i+1,1),DST_prime];b[i]=H(concatBytes2(...args))}return concatBytes2(
...b).slice(0,lenInBytes)}function expand_message_xof(msg,DST2,lenInBytes,k,H){if(abytes2(msg),asafenumber(lenInBytes),asafenumber(k,"k"),k<0)throw new Error("e\
xpand_message_xof: invalid k");if(typeof H!="function")throw new Error("expand_message_xof: expected XOF function");if(typeof H.create!="function")throw new Error(
"expand_message_xof: expected XOF create");if(DST2=normDST(DST2),lenInBytes<0||lenInBytes>65535)throw new Error("expand_message_xof: invalid lenInBytes");if(DST2.
length>255){let dkLen=Math.ceil(2*k/8);DST2=H.create({dkLen}).update(asciiToBytes("H2C-OVERSIZE-DST-")).update(DST2).digest()}if(DST2.length>255)throw new Error(
"expand_message_xof: invalid DST");return H.create({dkLen:lenInBytes}).update(msg).update(i2osp(lenInBytes,2)).update(DST2).update(i2osp(DST2.length,1)).digest()}
function hash_to_field(msg,count,options){validateObject(options,{p:"bigint",m:"number",k:"number",hash:"function"});let{p,k,m,hash,expand,DST:DST2}=options;if(asafenumber(
hash.outputLen,"valid hash"),abytes2(msg),asafenumber(count),asafenumber(m,"m"),asafenumber(k,"k"),p<=BigInt(1))throw new Error("hash_to_field: expected valid f\
ield characteristic");if(count<1)throw new Error("hash_to_field: expected count >= 1");if(m<1)throw new Error("hash_to_field: expected m >= 1");if(k<0)throw new Error(
"hash_to_field: invalid k");let log2p=p.toString(2).length,L=Math.ceil((log2p+k)/8),len_in_bytes=count*m*L,prb;if(expand==="xmd")prb=expand_message_xmd(msg,DST2,
len_in_bytes,hash);else if(expand==="xof")prb=expand_message_xof(msg,DST2,len_in_bytes,k,hash);else if(expand==="_internal_pass")prb=msg;else throw new Error('e\
xpand must be "xmd" or "xof"');let u=new Array(count);for(let i=0;i<count;i++){let e=new Array(m);for(let j=0;j<m;j++){let elm_offset=L*(j+i*m),tv=prb.subarray(
elm_offset,elm_offset+L);e[j]=mod(os2ip(tv),p)}u[i]=e}return u}function isogenyMap(field,map){validateField(field),aarray(map,"map");let coeff=map.map((i,row)=>{
if(aarray(i,"map["+row+"]"),i.length<1)throw new Error("isogenyMap: expected non-empty coefficients");return Array.from(i).reverse()});return(x,y)=>{let[xn,xd,yn,
yd]=coeff.map(val=>val.reduce((acc,i)=>field.add(field.mul(acc,x),i))),isZero=field.is0(xd)||field.is0(yd),[xd_inv,yd_inv]=FpInvertBatch(field,[xd,yd],!0);return x=
field.mul(xn,xd_inv),y=field.mul(y,field.mul(yn,yd_inv)),isZero?{x:field.ZERO,y:field.ZERO}:{x,y}}}var _DST_scalar="HashToScalar-";function createHasher2(Point,mapToCurve,defaults){
if(typeof mapToCurve!="function")throw new Error("mapToCurve() must be defined");validateObject(defaults);let snapshot=src=>Object.freeze({...src,DST:isBytes2(src.
DST)?copyBytes(src.DST):src.DST,...src.encodeDST===void 0?{}:{encodeDST:isBytes2(src.encodeDST)?copyBytes(src.encodeDST):src.encodeDST}}),safeDefaults=snapshot(
defaults),dstOverride=options=>options&&options.DST!==void 0?{DST:options.DST}:void 0;function map(num){return Point.fromAffine(mapToCurve(num))}function clear(initial){
let P=initial.clearCofactor();return P.equals(Point.ZERO)?Point.ZERO:(P.assertValidity(),P)}return Object.freeze({get defaults(){return snapshot(safeDefaults)},
Point,hashToCurve(msg,options){let opts=Object.assign({},safeDefaults,dstOverride(options)),u=hash_to_field(msg,2,opts),u0=map(u[0]),u1=map(u[1]);return clear(u0.
add(u1))},encodeToCurve(msg,options){let optsDst=safeDefaults.encodeDST===void 0?{}:{DST:safeDefaults.encodeDST},opts=Object.assign({},safeDefaults,optsDst,dstOverride(
options)),u=hash_to_field(msg,1,opts),u0=map(u[0]);return clear(u0)},mapToCurve(scalars){if(safeDefaults.m===1){if(typeof scalars!="bigint")throw new Error("exp\
ected bigint (m=1)");return clear(map([scalars]))}if(!Array.isArray(scalars))throw new Error("expected array of bigints");if(scalars.length!==safeDefaults.m)throw new Error(
`expected array of ${safeDefaults.m} bigints`);for(let i of scalars)if(typeof i!="bigint")throw new Error("expected array of bigints");return clear(map(scalars))},
hashToScalar(msg,options){let N=Point.Fn.ORDER,opts=Object.assign({},safeDefaults,{DST:_DST_scalar},dstOverride(options),{p:N,m:1});return hash_to_field(msg,1,opts)[0][0]}})}
function SWUFpSqrtRatio(Fp3,Z){let F=validateField(Fp3),q=F.ORDER,l=_0n4;for(let o=q-_1n4;o%_2n2===_0n4;o/=_2n2)l+=_1n4;let c1=l,_2n_pow_c1_1=_2n2<<c1-_1n4-_1n4,
_2n_pow_c1=_2n_pow_c1_1*_2n2,c2=(q-_1n4)/_2n_pow_c1,c3=(c2-_1n4)/_2n2,c4=_2n_pow_c1-_1n4,c5=_2n_pow_c1_1,c6=F.pow(Z,c2),c7=F.pow(Z,(c2+_1n4)/_2n2),sqrtRatio=(u,v)=>{
let tv1=c6,tv2=F.pow(v,c4),tv3=F.sqr(tv2);tv3=F.mul(tv3,v);let tv5=F.mul(u,tv3);tv5=F.pow(tv5,c3),tv5=F.mul(tv5,tv2),tv2=F.mul(tv5,v),tv3=F.mul(tv5,u);let tv4=F.
mul(tv3,tv2);tv5=F.pow(tv4,c5);let isQR=F.eql(tv5,F.ONE);tv2=F.mul(tv3,c7),tv5=F.mul(tv4,tv1),tv3=F.cmov(tv2,tv3,isQR),tv4=F.cmov(tv5,tv4,isQR);for(let i=c1;i>_1n4;i--){
let tv52=i-_2n2;tv52=_2n2<<tv52-_1n4;let tvv5=F.pow(tv4,tv52),e1=F.eql(tvv5,F.ONE);tv2=F.mul(tv3,tv1),tv1=F.mul(tv1,tv1),tvv5=F.mul(tv4,tv1),tv3=F.cmov(tv2,tv3,
e1),tv4=F.cmov(tvv5,tv4,e1)}return{isValid:!F.is0(v)&&(isQR||F.is0(u)),value:tv3}};if(F.ORDER%_4n3===_3n2){let c12=(F.ORDER-_3n2)/_4n3,c22=F.sqrt(F.neg(Z));sqrtRatio=
(u,v)=>{let tv1=F.sqr(v),tv2=F.mul(u,v);tv1=F.mul(tv1,tv2);let y1=F.pow(tv1,c12);y1=F.mul(y1,tv2);let y2=F.mul(y1,c22),tv3=F.mul(F.sqr(y1),v),isQR=F.eql(tv3,u),
y=F.cmov(y2,y1,isQR);return{isValid:!F.is0(v)&&isQR,value:y}}}return sqrtRatio}function mapToCurveSimpleSWU(Fp3,opts){let F=validateField(Fp3);validateObject(opts,
{},{},"opts");let{A,B,Z}=opts;if(!F.isValidNot0(A)||!F.isValidNot0(B)||!F.isValid(Z))throw new Error("mapToCurveSimpleSWU: invalid opts");if(F.eql(Z,F.neg(F.ONE))||
FpIsSquare(F,Z))throw new Error("mapToCurveSimpleSWU: invalid opts");let x=F.mul(B,F.inv(F.mul(Z,A))),gx=F.add(F.add(F.mul(F.sqr(x),x),F.mul(A,x)),B);if(!FpIsSquare(
F,gx))throw new Error("mapToCurveSimpleSWU: invalid opts");let sqrtRatio=SWUFpSqrtRatio(F,Z);if(!F.isOdd)throw new Error("Field does not have .isOdd()");return u=>{
let tv1,tv2,tv3,tv4,tv5,tv6,x2,y;tv1=F.sqr(u),tv1=F.mul(tv1,Z),tv2=F.sqr(tv1),tv2=F.add(tv2,tv1),tv3=F.add(tv2,F.ONE),tv3=F.mul(tv3,B),tv4=F.cmov(Z,F.neg(tv2),!F.
eql(tv2,F.ZERO)),tv4=F.mul(tv4,A),tv2=F.sqr(tv3),tv6=F.sqr(tv4),tv5=F.mul(tv6,A),tv2=F.add(tv2,tv5),tv2=F.mul(tv2,tv3),tv6=F.mul(tv6,tv4),tv5=F.mul(tv6,B),tv2=F.
add(tv2,tv5),x2=F.mul(tv1,tv3);let{isValid,value}=sqrtRatio(tv2,tv6);y=F.mul(tv1,u),y=F.mul(y,value),x2=F.cmov(x2,tv3,isValid),y=F.cmov(y,value,isValid);let e1=F.
isOdd(u)===F.isOdd(y);y=F.cmov(F.neg(y),y,e1);let tv4_inv=FpInvertBatch(F,[tv4],!0)[0];return x2=F.mul(x2,tv4_inv),{x:x2,y}}}var divNearest=(num,den)=>(num+(num>=0?den:-den)/_2n3)/den;function _splitEndoScalar(k,basis,n){aInRange("scalar",k,_0n5,n);let[[a1,b1],[a2,b2]]=basis,c1=divNearest(
b2*k,n),c2=divNearest(-b1*k,n),k1=k-c1*a1-c2*a2,k2=-c1*b1-c2*b2,k1neg=k1<_0n5,k2neg=k2<_0n5;k1neg&&(k1=-k1),k2neg&&(k2=-k2);let MAX_NUM=bitMask(Math.ceil(bitLen(
n)/2))+_1n5;if(k1<_0n5||k1>=MAX_NUM||k2<_0n5||k2>=MAX_NUM)throw new Error("splitScalar (endomorphism): failed for k");return{k1neg,k1,k2neg,k2}}var _0n5=BigInt(0),_1n5=BigInt(1),_2n3=BigInt(2),_3n3=BigInt(3),_4n4=BigInt(4);function weierstrass(params,extraOpts={}){let validated=createCurveFields("weiers\
trass",params,extraOpts),Fp3=validated.Fp,Fn=validated.Fn,CURVE=validated.CURVE,{h:cofactor,n:CURVE_ORDER}=CURVE;validateObject(extraOpts,{},{allowInfinityPoint:"\
boolean",clearCofactor:"function",isTorsionFree:"function",fromBytes:"function",toBytes:"function",endo:"object",randomBytes:"function"});let{endo:endoOpts,allowInfinityPoint,
clearCofactor,isTorsionFree,fromBytes,toBytes}=extraOpts,randomBytes3=extraOpts.randomBytes===void 0?randomBytes2:extraOpts.randomBytes;if(endoOpts&&(!Fp3.is0(CURVE.
a)||typeof endoOpts.beta!="bigint"||!Array.isArray(endoOpts.basises)))throw new Error('invalid endo: expected "beta": bigint and "basises": array');let endo=endoOpts?
{beta:endoOpts.beta,basises:endoOpts.basises.map(basis=>[...basis])}:void 0,lengths=getWLengths(Fp3,Fn);function assertCompressionIsSupported(){if(!Fp3.isOdd)throw new Error(
"compression is not supported: Field does not have .isOdd()")}function pointToBytes(_c,point,isCompressed){if(point.is0()){if(!allowInfinityPoint)throw new Error(
"bad point: ZERO");return Uint8Array.of(0)}let{x,y}=point.toAffine(),bx=Fp3.toBytes(x);if(abool(isCompressed,"isCompressed"),isCompressed){assertCompressionIsSupported();
let hasEvenY=!Fp3.isOdd(y);return concatBytes2(pprefix(hasEvenY),bx)}else return concatBytes2(Uint8Array.of(4),bx,Fp3.toBytes(y))}function pointFromBytes(bytes){
abytes2(bytes,void 0,"Point");let{publicKey:comp,publicKeyUncompressed:uncomp}=lengths,length=bytes.length,head=bytes[0],tail=bytes.subarray(1);if(allowInfinityPoint&&
length===1&&head===0)return{x:Fp3.ZERO,y:Fp3.ZERO};if(length===comp&&(head===2||head===3)){let x=Fp3.fromBytes(tail);if(!Fp3.isValid(x))throw new Error("bad poi\
nt: is not on curve, wrong x");let y2=weierstrassEquation(x),y;try{y=Fp3.sqrt(y2)}catch(sqrtError){let err=sqrtError instanceof Error?": "+sqrtError.message:"";
throw new Error("bad point: is not on curve, sqrt error"+err)}assertCompressionIsSupported();let evenY=Fp3.isOdd(y);return(head&1)===1!==evenY&&(y=Fp3.neg(y)),{
x,y}}else if(length===uncomp&&head===4){let L=Fp3.BYTES,x=Fp3.fromBytes(tail.subarray(0,L)),y=Fp3.fromBytes(tail.subarray(L,L*2));if(!isValidXY(x,y))throw new Error(
"bad point: is not on curve");return{x,y}}else throw new Error(`bad point: got length ${length}, expected compressed=${comp} or uncompressed=${uncomp}`)}let encodePoint=toBytes===
void 0?pointToBytes:toBytes,decodePoint=fromBytes===void 0?pointFromBytes:fromBytes,b3=Fp3.mul(CURVE.b,_3n3),mulA=Fp3.is0(CURVE.a)?_=>Fp3.ZERO:x=>Fp3.mul(CURVE.
a,x);function weierstrassEquation(x){let x2=Fp3.sqr(x),x3=Fp3.mul(x2,x);return Fp3.add(Fp3.add(x3,Fp3.mul(x,CURVE.a)),CURVE.b)}function isValidXY(x,y){let left=Fp3.
sqr(y),right=weierstrassEquation(x);return Fp3.eql(left,right)}if(!isValidXY(CURVE.Gx,CURVE.Gy))throw new Error("bad curve params: generator point");let _4a3=Fp3.
mul(Fp3.pow(CURVE.a,_3n3),_4n4),_27b2=Fp3.mul(Fp3.sqr(CURVE.b),BigInt(27));if(Fp3.is0(Fp3.add(_4a3,_27b2)))throw new Error("bad curve params: a or b");function acoord(title,n,banZero=!1){
if(!Fp3.isValid(n)||banZero&&Fp3.is0(n))throw new Error(`bad point coordinate ${title}`);return typeof n=="object"&&n!==null?Fp3.create(n):n}function aprjpoint(other){
if(!(other instanceof Point))throw new Error("Weierstrass Point expected")}function splitEndoScalarN(k){if(!endo||!endo.basises)throw new Error("no endo");return _splitEndoScalar(
k,endo.basises,Fn.ORDER)}function pushWnafPair(points,scalars,p,k){if(!Fn.isValid(k))throw new RangeError("invalid scalar: out of range");if(endo){let{k1neg,k1,
k2neg,k2}=splitEndoScalarN(k),psi=new Point(Fp3.mul(p.X,endo.beta),p.Y,p.Z);points.push(k1neg?p.negate():p,k2neg?psi.negate():psi),scalars.push(k1,k2)}else points.
push(p),scalars.push(k)}let validityCache=new WeakSet;class Point{static BASE=new Point(CURVE.Gx,CURVE.Gy,Fp3.ONE);static ZERO=new Point(Fp3.ZERO,Fp3.ONE,Fp3.ZERO);static Fp=Fp3;static Fn=Fn;X;Y;Z;constructor(X,Y,Z){
this.X=acoord("x",X),this.Y=acoord("y",Y,!0),this.Z=acoord("z",Z),Object.freeze(this)}static CURVE(){return CURVE}static fromAffine(p){let{x,y}=p||{};if(!p||!Fp3.
isValid(x)||!Fp3.isValid(y))throw new Error("invalid affine point");if(p instanceof Point)throw new Error("projective point not allowed");return Fp3.is0(x)&&Fp3.
is0(y)?Point.ZERO:new Point(x,y,Fp3.ONE)}static fromBytes(bytes){let P=Point.fromAffine(decodePoint(abytes2(bytes,void 0,"point")));return P.assertValidity(),P}static fromHex(hex){
return Point.fromBytes(hexToBytes2(hex))}get x(){return this.toAffine().x}get y(){return this.toAffine().y}precompute(windowSize=6,isLazy=!0){return wnaf.setWindowSize(
this,windowSize),isLazy||this.multiply(_3n3),this}assertValidity(){let p=this;if(p.is0()){if(allowInfinityPoint&&Fp3.is0(p.X)&&Fp3.eql(p.Y,Fp3.ONE)&&Fp3.is0(p.Z))
return;throw new Error("bad point: ZERO")}if(validityCache.has(p))return;let{x,y}=p.toAffine();if(!Fp3.isValid(x)||!Fp3.isValid(y))throw new Error("bad point: x\
 or y not field elements");if(!isValidXY(x,y))throw new Error("bad point: equation left != right");if(!p.isTorsionFree())throw new Error("bad point: not in prim\
e-order subgroup");validityCache.add(p)}hasEvenY(){let{y}=this.toAffine();if(!Fp3.isOdd)throw new Error("Field doesn't support isOdd");return!Fp3.isOdd(y)}equals(other){
aprjpoint(other);let{X:X1,Y:Y1,Z:Z1}=this,{X:X2,Y:Y2,Z:Z2}=other,U1=Fp3.eql(Fp3.mul(X1,Z2),Fp3.mul(X2,Z1)),U2=Fp3.eql(Fp3.mul(Y1,Z2),Fp3.mul(Y2,Z1));return U1&&
U2}negate(){return new Point(this.X,Fp3.neg(this.Y),this.Z)}double(){let{X:X1,Y:Y1,Z:Z1}=this,X3=Fp3.ZERO,Y3=Fp3.ZERO,Z3=Fp3.ZERO,t0=Fp3.mul(X1,X1),t1=Fp3.mul(Y1,
Y1),t2=Fp3.mul(Z1,Z1),t3=Fp3.mul(X1,Y1);return t3=Fp3.add(t3,t3),Z3=Fp3.mul(X1,Z1),Z3=Fp3.add(Z3,Z3),X3=mulA(Z3),Y3=Fp3.mul(b3,t2),Y3=Fp3.add(X3,Y3),X3=Fp3.sub(
t1,Y3),Y3=Fp3.add(t1,Y3),Y3=Fp3.mul(X3,Y3),X3=Fp3.mul(t3,X3),Z3=Fp3.mul(b3,Z3),t2=mulA(t2),t3=Fp3.sub(t0,t2),t3=mulA(t3),t3=Fp3.add(t3,Z3),Z3=Fp3.add(t0,t0),t0=
Fp3.add(Z3,t0),t0=Fp3.add(t0,t2),t0=Fp3.mul(t0,t3),Y3=Fp3.add(Y3,t0),t2=Fp3.mul(Y1,Z1),t2=Fp3.add(t2,t2),t0=Fp3.mul(t2,t3),X3=Fp3.sub(X3,t0),Z3=Fp3.mul(t2,t1),Z3=
Fp3.add(Z3,Z3),Z3=Fp3.add(Z3,Z3),new Point(X3,Y3,Z3)}add(other){aprjpoint(other);let{X:X1,Y:Y1,Z:Z1}=this,{X:X2,Y:Y2,Z:Z2}=other,X3=Fp3.ZERO,Y3=Fp3.ZERO,Z3=Fp3.
ZERO,t0=Fp3.mul(X1,X2),t1=Fp3.mul(Y1,Y2),t2=Fp3.mul(Z1,Z2),t3=Fp3.add(X1,Y1),t4=Fp3.add(X2,Y2);t3=Fp3.mul(t3,t4),t4=Fp3.add(t0,t1),t3=Fp3.sub(t3,t4),t4=Fp3.add(
X1,Z1);let t5=Fp3.add(X2,Z2);return t4=Fp3.mul(t4,t5),t5=Fp3.add(t0,t2),t4=Fp3.sub(t4,t5),t5=Fp3.add(Y1,Z1),X3=Fp3.add(Y2,Z2),t5=Fp3.mul(t5,X3),X3=Fp3.add(t1,t2),
t5=Fp3.sub(t5,X3),Z3=mulA(t4),X3=Fp3.mul(b3,t2),Z3=Fp3.add(X3,Z3),X3=Fp3.sub(t1,Z3),Z3=Fp3.add(t1,Z3),Y3=Fp3.mul(X3,Z3),t1=Fp3.add(t0,t0),t1=Fp3.add(t1,t0),t2=mulA(
t2),t4=Fp3.mul(b3,t4),t1=Fp3.add(t1,t2),t2=Fp3.sub(t0,t2),t2=mulA(t2),t4=Fp3.add(t4,t2),t0=Fp3.mul(t1,t4),Y3=Fp3.add(Y3,t0),t0=Fp3.mul(t5,t4),X3=Fp3.mul(t3,X3),
X3=Fp3.sub(X3,t0),t0=Fp3.mul(t3,t1),Z3=Fp3.mul(t5,Z3),Z3=Fp3.add(Z3,t0),new Point(X3,Y3,Z3)}subtract(other){return aprjpoint(other),this.add(other.negate())}is0(){
return this.equals(Point.ZERO)}multiply(scalar){if(!Fn.isValidNot0(scalar))throw new RangeError("invalid scalar: out of range");let{p,f}=wnaf.mulSecret(this,scalar,
cofactor,normalize);return normalize([p,f])[0]}multiplyUnsafe(scalar){let p=this,sc=scalar;if(!Fn.isValid(sc))throw new RangeError("invalid scalar: out of range");
if(sc===_0n5||p.is0())return Point.ZERO;if(sc===_1n5)return p;if(wnaf.hasWindowSize(this))return wnaf.mulUnsafe(p,sc,normalize);let points=[],scalars=[];return pushWnafPair(
points,scalars,p,sc),mulAddUnsafe(Point,points,scalars)}mulAddUnsafe(a,other,b){aprjpoint(other);let points=[],scalars=[];return pushWnafPair(points,scalars,this,
a),pushWnafPair(points,scalars,other,b),mulAddUnsafe(Point,points,scalars)}toAffine(invertedZ){let p=this,iz=invertedZ;if(iz!=null&&!Fp3.isValid(iz))throw new RangeError(
'"invertedZ" expected valid field element');let{X,Y,Z}=p;if(Fp3.eql(Z,Fp3.ONE))return{x:X,y:Y};let is0=p.is0();iz==null&&(iz=is0?Fp3.ONE:Fp3.inv(Z));let x=Fp3.mul(
X,iz),y=Fp3.mul(Y,iz),zz=Fp3.mul(Z,iz);if(is0)return{x:Fp3.ZERO,y:Fp3.ZERO};if(!Fp3.eql(zz,Fp3.ONE))throw new Error("invZ was invalid");return{x,y}}isTorsionFree(){
return cofactor===_1n5?!0:isTorsionFree?isTorsionFree(Point,this):wnaf.mulUnsafe(this,CURVE_ORDER).is0()}clearCofactor(){return cofactor===_1n5?this:clearCofactor?
clearCofactor(Point,this):this.multiplyUnsafe(cofactor)}isSmallOrder(){return cofactor===_1n5?this.is0():this.clearCofactor().is0()}toBytes(isCompressed=!0){return abool(
isCompressed,"isCompressed"),this.assertValidity(),encodePoint(Point,this,isCompressed)}toHex(isCompressed=!0){return bytesToHex2(this.toBytes(isCompressed))}toString(){
return`<Point ${this.is0()?"ZERO":this.toHex()}>`}}let normalize=points=>normalizeZ(Point,points),wnaf=new ScalarMultiplier(Point,randomBytes3);return wnaf.bits>=
6&&Point.BASE.precompute(6),Object.freeze(Point.prototype),Object.freeze(Point),Point}function pprefix(hasEvenY){return Uint8Array.of(hasEvenY?2:3)}function getWLengths(Fp3,Fn){
return{secretKey:Fn.BYTES,publicKey:1+Fp3.BYTES,publicKeyUncompressed:1+2*Fp3.BYTES,publicKeyHasPrefix:!0,signature:2*Fn.BYTES}}var _0n6=BigInt(0),_1n6=BigInt(1),_2n4=BigInt(2),_3n4=BigInt(3);function NAfDecomposition(a){let res=[];for(;a>_1n6;a>>=_1n6)(a&_1n6)===_0n6?res.unshift(0):(a&_3n4)===
_3n4?(res.unshift(-1),a+=_1n6):res.unshift(1);return res}function aNonEmpty(arr){if(!Array.isArray(arr)||arr.length===0)throw new Error("expected non-empty arra\
y")}function createBlsPairing(fields2,G12,G22,params){if(validateObject(fields2,{Fp:"object",Fr:"object",Fp2:"object",Fp12:"object"},{Fp6:"object"},"fields"),typeof G12!=
"function")throw new TypeError('"G1_Point" expected point constructor, got type='+typeof G12);if(typeof G22!="function")throw new TypeError('"G2_Point" expected\
 point constructor, got type='+typeof G22);validateObject(params,{ateLoopSize:"bigint",xNegative:"boolean",twistType:"string"},{randomBytes:"function",postPrecompute:"\
function"},"params");let{Fp:Fp3,Fr,Fp2:Fp22,Fp12:Fp123}=fields2,{twistType,ateLoopSize,xNegative,postPrecompute}=params,fp22=(c0,c1)=>({c0,c1}),fp2f=({c0,c1})=>Object.
freeze({c0,c1}),add2=(a,b)=>fp22(Fp3.add(a.c0,b.c0),Fp3.add(a.c1,b.c1)),sub2=(a,b)=>fp22(Fp3.sub(a.c0,b.c0),Fp3.sub(a.c1,b.c1)),mul2=(a,b)=>{let t0=Fp3.mul(a.c0,
b.c0),t1=Fp3.mul(a.c1,b.c1);return fp22(Fp3.sub(t0,t1),Fp3.sub(Fp3.mul(Fp3.add(a.c0,a.c1),Fp3.add(b.c0,b.c1)),Fp3.add(t0,t1)))},mul2ByFp=(a,rhs)=>fp22(Fp3.mul(a.
c0,rhs),Fp3.mul(a.c1,rhs)),mul2ByNonresidue=a=>Fp22.mulByNonresidue(a),mul014ByLine=({c0:f0,c1:f1},o0,l1,l4,Px,Py)=>{let o1=mul2ByFp(l1,Px),o4=mul2ByFp(l4,Py),{
c0:a0,c1:a1,c2:a2}=f0,{c0:b0,c1:b1,c2:b2}=f1,t0_0=mul2(a0,o0),t0_1=mul2(a1,o1),t0_c0=add2(mul2ByNonresidue(sub2(mul2(add2(a1,a2),o1),t0_1)),t0_0),t0_c1=sub2(sub2(
mul2(add2(o0,o1),add2(a0,a1)),t0_0),t0_1),t0_c2=add2(sub2(mul2(add2(a0,a2),o0),t0_0),t0_1),t1_c0=mul2ByNonresidue(mul2(b2,o4)),t1_c1=mul2(b0,o4),t1_c2=mul2(b1,o4),
s0=add2(a0,b0),s1=add2(a1,b1),s2=add2(a2,b2),o14=add2(o1,o4),t2_0=mul2(s0,o0),t2_1=mul2(s1,o14),t2_c0=add2(mul2ByNonresidue(sub2(mul2(add2(s1,s2),o14),t2_1)),t2_0),
t2_c1=sub2(sub2(mul2(add2(o0,o14),add2(s0,s1)),t2_0),t2_1),t2_c2=add2(sub2(mul2(add2(s0,s2),o0),t2_0),t2_1);return Object.freeze({c0:Object.freeze({c0:fp2f(add2(
mul2ByNonresidue(t1_c2),t0_c0)),c1:fp2f(add2(t1_c0,t0_c1)),c2:fp2f(add2(t1_c1,t0_c2))}),c1:Object.freeze({c0:fp2f(sub2(sub2(t2_c0,t0_c0),t1_c0)),c1:fp2f(sub2(sub2(
t2_c1,t0_c1),t1_c1)),c2:fp2f(sub2(sub2(t2_c2,t0_c2),t1_c2))})})},mul034ByLine=({c0:f0,c1:f1},l0,l3,o4,Px,Py)=>{let o0=mul2ByFp(l0,Py),o3=mul2ByFp(l3,Px),{c0:a0,
c1:a1,c2:a2}=f0,{c0:b0,c1:b1,c2:b2}=f1,a_c0=mul2(a0,o0),a_c1=mul2(a1,o0),a_c2=mul2(a2,o0),b0m=mul2(b0,o3),b1m=mul2(b1,o4),b_c0=add2(mul2ByNonresidue(sub2(mul2(add2(
b1,b2),o4),b1m)),b0m),b_c1=sub2(sub2(mul2(add2(o3,o4),add2(b0,b1)),b0m),b1m),b_c2=add2(sub2(mul2(add2(b0,b2),o3),b0m),b1m),s0=add2(a0,b0),s1=add2(a1,b1),s2=add2(
a2,b2),o03=add2(o0,o3),e0m=mul2(s0,o03),e1m=mul2(s1,o4),e_c0=add2(mul2ByNonresidue(sub2(mul2(add2(s1,s2),o4),e1m)),e0m),e_c1=sub2(sub2(mul2(add2(o03,o4),add2(s0,
s1)),e0m),e1m),e_c2=add2(sub2(mul2(add2(s0,s2),o03),e0m),e1m);return Object.freeze({c0:Object.freeze({c0:fp2f(add2(mul2ByNonresidue(b_c2),a_c0)),c1:fp2f(add2(b_c0,
a_c1)),c2:fp2f(add2(b_c1,a_c2))}),c1:Object.freeze({c0:fp2f(sub2(sub2(e_c0,a_c0),b_c0)),c1:fp2f(sub2(sub2(e_c1,a_c1),b_c1)),c2:fp2f(sub2(sub2(e_c2,a_c2),b_c2))})})},
lineFunction;if(twistType==="multiplicative")lineFunction=(c0,c1,c2,f,Px,Py)=>mul014ByLine(f,c0,c1,c2,Px,Py);else if(twistType==="divisive")lineFunction=(c0,c1,c2,f,Px,Py)=>mul034ByLine(
f,c2,c1,c0,Px,Py);else throw new Error("bls: unknown twist type");let Fp2div2=Fp22.div(Fp22.ONE,Fp22.mul(Fp22.ONE,_2n4));function pointDouble(ell,Rx,Ry,Rz){let t0=Fp22.
sqr(Ry),t1=Fp22.sqr(Rz),t2=Fp22.mulByB(Fp22.mul(t1,_3n4)),t3=Fp22.mul(t2,_3n4),t4=Fp22.sub(Fp22.sub(Fp22.sqr(Fp22.add(Ry,Rz)),t1),t0),c0=Fp22.sub(t2,t0),c1=Fp22.
mul(Fp22.sqr(Rx),_3n4),c2=Fp22.neg(t4);return ell.push([c0,c1,c2]),Rx=Fp22.mul(Fp22.mul(Fp22.mul(Fp22.sub(t0,t3),Rx),Ry),Fp2div2),Ry=Fp22.sub(Fp22.sqr(Fp22.mul(
Fp22.add(t0,t3),Fp2div2)),Fp22.mul(Fp22.sqr(t2),_3n4)),Rz=Fp22.mul(t0,t4),{Rx,Ry,Rz}}function pointAdd(ell,Rx,Ry,Rz,Qx,Qy){let t0=Fp22.sub(Ry,Fp22.mul(Qy,Rz)),t1=Fp22.
sub(Rx,Fp22.mul(Qx,Rz)),c0=Fp22.sub(Fp22.mul(t0,Qx),Fp22.mul(t1,Qy)),c1=Fp22.neg(t0),c2=t1;ell.push([c0,c1,c2]);let t2=Fp22.sqr(t1),t3=Fp22.mul(t2,t1),t4=Fp22.mul(
t2,Rx),t5=Fp22.add(Fp22.sub(t3,Fp22.mul(t4,_2n4)),Fp22.mul(Fp22.sqr(t0),Rz));return Rx=Fp22.mul(t1,t5),Ry=Fp22.sub(Fp22.mul(Fp22.sub(t4,t5),t0),Fp22.mul(t3,Ry)),
Rz=Fp22.mul(Rz,t3),{Rx,Ry,Rz}}let ATE_NAF=NAfDecomposition(ateLoopSize),calcPairingPrecomputes=point=>{if(!(point instanceof G22))throw new TypeError('"point" e\
xpected G2 point, got type='+typeof point);let p=point,{x,y}=p.toAffine(),Qx=x,Qy=y,negQy=Fp22.neg(y),Rx=Qx,Ry=Qy,Rz=Fp22.ONE,ell=[];for(let bit of ATE_NAF){let cur=[];
({Rx,Ry,Rz}=pointDouble(cur,Rx,Ry,Rz)),bit&&({Rx,Ry,Rz}=pointAdd(cur,Rx,Ry,Rz,Qx,bit===-1?negQy:Qy)),ell.push(cur)}if(postPrecompute){let last=ell[ell.length-1];
postPrecompute(Rx,Ry,Rz,Qx,Qy,pointAdd.bind(null,last))}return ell};function millerLoopBatch(pairs,withFinalExponent=!1){aarray(pairs,"pairs",(pair,title)=>{if(aarray(
pair,title),pair.length!==3)throw new TypeError(`"${title}" expected precompute tuple`);aarray(pair[0],title+"[0]")});let f12=Fp123.ONE;if(pairs.length){let ellLen=pairs[0][0].
length;for(let i=0;i<ellLen;i++){i!==0&&(f12=Fp123.sqr(f12));for(let[ell,Px,Py]of pairs)for(let[c0,c1,c2]of ell[i])f12=lineFunction(c0,c1,c2,f12,Px,Py)}}return xNegative&&
(f12=Fp123.conjugate(f12)),withFinalExponent?Fp123.finalExponentiate(f12):f12}function pairingBatch(pairs,withFinalExponent=!0){aarray(pairs,"pairs");let res=[];
for(let i=0;i<pairs.length;i++){let pair=pairs[i];validateObject(pair,{g1:"object",g2:"object"},{},"pairs["+i+"]");let{g1:g12,g2:g22}=pair;if(!(g12 instanceof G12))
throw new TypeError('"pairs['+i+'].g1" expected G1 point, got type='+typeof g12);if(!(g22 instanceof G22))throw new TypeError('"pairs['+i+'].g2" expected G2 poi\
nt, got type='+typeof g22);if(g12.is0()||g22.is0())throw new Error("pairing is not available for ZERO point");g12.assertValidity(),g22.assertValidity();let Qa=g12.
toAffine();res.push([calcPairingPrecomputes(g22),Qa.x,Qa.y])}return millerLoopBatch(res,withFinalExponent)}function pairing(Q,P,withFinalExponent=!0){if(!(Q instanceof
G12))throw new TypeError('"Q" expected G1 point, got type='+typeof Q);if(!(P instanceof G22))throw new TypeError('"P" expected G2 point, got type='+typeof P);return pairingBatch(
[{g1:Q,g2:P}],withFinalExponent)}let lengths={seed:getMinHashLength(Fr.ORDER)},rand=params.randomBytes===void 0?randomBytes2:params.randomBytes,randomSecretKey=seed=>(seed=
seed===void 0?rand(lengths.seed):seed,abytes2(seed,lengths.seed,"seed"),mapHashToField(seed,Fr.ORDER));return Object.freeze(lengths),{lengths,Fr,Fp12:Fp123,millerLoopBatch,
pairing,pairingBatch,calcPairingPrecomputes,randomSecretKey}}function createBlsSig(blsPairing,PubPoint,SigPoint,isSigG1,hashToSigCurve,SignatureCoder){let{Fr,Fp12:Fp123,
pairingBatch,randomSecretKey,lengths}=blsPairing;SignatureCoder||(SignatureCoder={fromBytes:notImplemented,fromHex:notImplemented,toBytes:notImplemented,toHex:notImplemented});
let sigCoder=Object.freeze({...SignatureCoder});function normPub(point){return point instanceof PubPoint?point:PubPoint.fromBytes(point)}function normSig(point){
return point instanceof SigPoint?point:sigCoder.fromBytes(point)}function amsg(m){if(!(m instanceof SigPoint))throw new Error(`expected valid message hashed to ${isSigG1?
"G1":"G2"} curve`);return m}let pair=isSigG1?(a,b)=>({g1:b,g2:a}):(a,b)=>({g1:a,g2:b});return Object.freeze({lengths:Object.freeze({...lengths,secretKey:Fr.BYTES}),
keygen(seed){let secretKey=randomSecretKey(seed),publicKey=this.getPublicKey(secretKey);return{secretKey,publicKey}},getPublicKey(secretKey){let sec;try{sec=PubPoint.
Fn.fromBytes(secretKey)}catch(error){throw new Error("invalid private key: "+typeof secretKey,{cause:error})}return PubPoint.BASE.multiply(sec)},sign(message,secretKey,unusedArg){
if(unusedArg!=null)throw new Error("sign() expects 2 arguments");let sec=PubPoint.Fn.fromBytes(secretKey);return amsg(message).assertValidity(),message.multiply(
sec)},verify(signature,message,publicKey,unusedArg){if(unusedArg!=null)throw new Error("verify() expects 3 arguments");signature=normSig(signature),publicKey=normPub(
publicKey);let P=publicKey.negate(),G=PubPoint.BASE,Hm=amsg(message),S=signature;try{let exp=pairingBatch([pair(P,Hm),pair(G,S)]);return Fp123.eql(exp,Fp123.ONE)}catch{
return!1}},verifyBatch(signature,items){aNonEmpty(items);let sig=normSig(signature),nMessages=items.map(i=>amsg(i.message)),nPublicKeys=items.map(i=>normPub(i.publicKey)),
messagePubKeyMap=new Map;for(let i=0;i<nPublicKeys.length;i++){let pub=nPublicKeys[i],msg=nMessages[i],keys=messagePubKeyMap.get(msg);keys===void 0&&(keys=[],messagePubKeyMap.
set(msg,keys)),keys.push(pub)}let paired=[],G=PubPoint.BASE;try{for(let[msg,keys]of messagePubKeyMap){let groupPublicKey=keys.reduce((acc,msg2)=>acc.add(msg2));
paired.push(pair(groupPublicKey,msg))}return paired.push(pair(G.negate(),sig)),Fp123.eql(pairingBatch(paired),Fp123.ONE)}catch{return!1}},aggregatePublicKeys(publicKeys){
aNonEmpty(publicKeys),publicKeys=publicKeys.map(pub=>normPub(pub));let agg=publicKeys.reduce((sum,p)=>sum.add(p),PubPoint.ZERO);return agg.assertValidity(),agg},
aggregateSignatures(signatures){aNonEmpty(signatures),signatures=signatures.map(sig=>normSig(sig));let agg=signatures.reduce((sum,s)=>sum.add(s),SigPoint.ZERO);
return agg.assertValidity(),agg},hash(messageBytes,DST2){return abytes2(messageBytes),hashToSigCurve(messageBytes,DST2===void 0?void 0:{DST:DST2})},Signature:Object.
freeze({...sigCoder})})}function blsBasic(fields2,G1_Point2,G2_Point2,params){let{Fp:Fp3,Fr,Fp2:Fp22,Fp6:Fp62,Fp12:Fp123}=fields2,G12={Point:G1_Point2},G22={Point:G2_Point2},
pairingRes=createBlsPairing(fields2,G1_Point2,G2_Point2,params),{millerLoopBatch,pairing,pairingBatch,calcPairingPrecomputes,randomSecretKey,lengths}=pairingRes;
return G12.Point.BASE.precompute(4),Object.freeze(G12),Object.freeze(G22),Object.freeze({lengths:Object.freeze(lengths),millerLoopBatch,pairing,pairingBatch,G1:G12,
G2:G22,fields:Object.freeze({Fr,Fp:Fp3,Fp2:Fp22,Fp6:Fp62,Fp12:Fp123}),params:Object.freeze({ateLoopSize:params.ateLoopSize,xNegative:params.xNegative,twistType:params.
twistType,postPrecompute:params.postPrecompute}),utils:Object.freeze({randomSecretKey,calcPairingPrecomputes})})}function blsHashers(fields2,G1_Point2,G2_Point2,params,hasherParams){
let base=blsBasic(fields2,G1_Point2,G2_Point2,params);validateObject(hasherParams,{hasherOpts:"object",hasherOptsG1:"object",hasherOptsG2:"object"},{mapToG1:"fu\
nction",mapToG2:"function"},"hasherParams");let G1Hasher=createHasher2(G1_Point2,hasherParams.mapToG1===void 0?notImplemented:hasherParams.mapToG1,{...hasherParams.
hasherOpts,...hasherParams.hasherOptsG1}),G2Hasher=createHasher2(G2_Point2,hasherParams.mapToG2===void 0?notImplemented:hasherParams.mapToG2,{...hasherParams.hasherOpts,
...hasherParams.hasherOptsG2});return Object.freeze({...base,G1:G1Hasher,G2:G2Hasher})}function bls(fields2,G1_Point2,G2_Point2,params,hasherParams,signatureCoders2){
let base=blsHashers(fields2,G1_Point2,G2_Point2,params,hasherParams),pairingRes={...base,Fr:base.fields.Fr,Fp12:base.fields.Fp12,calcPairingPrecomputes:base.utils.
calcPairingPrecomputes,randomSecretKey:base.utils.randomSecretKey},longSignatures=createBlsSig(pairingRes,G1_Point2,G2_Point2,!1,base.G2.hashToCurve,signatureCoders2?.
LongSignature),shortSignatures=createBlsSig(pairingRes,G2_Point2,G1_Point2,!0,base.G1.hashToCurve,signatureCoders2?.ShortSignature);return Object.freeze({...base,
longSignatures,shortSignatures})}var _0n7=BigInt(0),_1n7=BigInt(1),_2n5=BigInt(2),_3n5=BigInt(3),_6n=BigInt(6),_12n=BigInt(12),isObj=value=>!!value&&typeof value=="object";function calcFrobeniusCoefficients(Fp3,nonResidue,modulus,degree,num=1,divisor){
asafenumber(num,"num"),asafenumber(degree,"degree");let divisorN=divisor===void 0?degree:divisor;asafenumber(divisorN,"divisor");let F=Fp3;if(typeof modulus!="b\
igint"||modulus<=_1n7)throw new Error("calcFrobeniusCoefficients: expected valid modulus, got "+modulus);if(degree<=0)throw new Error("calcFrobeniusCoefficients\
: expected positive degree, got "+degree);if(num<=0)throw new Error("calcFrobeniusCoefficients: expected positive row count, got "+num);if(divisorN<=0)throw new Error(
"calcFrobeniusCoefficients: expected positive divisor, got "+divisorN);let _divisor=BigInt(divisorN),towerModulus=modulus**BigInt(degree),res=[];for(let i=0;i<num;i++){
let a=BigInt(i+1),powers=[];for(let j=0,qPower=_1n7;j<degree;j++){let numer=a*qPower-a;if(numer%_divisor)throw new Error("calcFrobeniusCoefficients: inexact tow\
er exponent");let power=numer/_divisor%towerModulus;powers.push(F.pow(nonResidue,power)),qPower*=modulus}res.push(powers)}return res}function psiFrobenius(Fp3,Fp22,base){if(validateField(Fp3),validateField(Fp22),validateObject(Fp22,{Fp:"object",frobeniusMap:"function",fromBigTuple:"function",
mulByB:"function",mulByNonresidue:"function",reim:"function",Fp4Square:"function",NONRESIDUE:"object"},{}),!isObj(base)||Array.isArray(base))throw new TypeError(
'"base" expected Fp2 element, got type='+typeof base);if(!Fp22.isValid(base))throw new RangeError('"base" expected valid Fp2 element');let PSI_X=Fp22.pow(base,(Fp3.
ORDER-_1n7)/_3n5),PSI_Y=Fp22.pow(base,(Fp3.ORDER-_1n7)/_2n5);function psi(x,y){let x2=Fp22.mul(Fp22.frobeniusMap(x,1),PSI_X),y2=Fp22.mul(Fp22.frobeniusMap(y,1),
PSI_Y);return[x2,y2]}let PSI2_X=Fp22.pow(base,(Fp3.ORDER**_2n5-_1n7)/_3n5),PSI2_Y=Fp22.pow(base,(Fp3.ORDER**_2n5-_1n7)/_2n5);if(!Fp22.eql(PSI2_Y,Fp22.neg(Fp22.ONE)))
throw new Error("psiFrobenius: PSI2_Y!==-1");function psi2(x,y){return[Fp22.mul(x,PSI2_X),Fp22.neg(y)]}let mapAffine=fn=>(c,P)=>{if(typeof c!="function")throw new TypeError(
'"c" expected point constructor, got type='+typeof c);if(validatePointCons(c),!(P instanceof c))throw new TypeError('"P" expected Point instance, got type='+typeof P);
let affine=P.toAffine(),p=fn(affine.x,affine.y);return c.fromAffine({x:p[0],y:p[1]})},G2psi3=mapAffine(psi),G2psi22=mapAffine(psi2);return{psi,psi2,G2psi:G2psi3,
G2psi2:G2psi22,PSI_X,PSI_Y,PSI2_X,PSI2_Y}}var _Field2=class{ORDER;BITS;BYTES;isLE;ZERO;ONE;Fp;NONRESIDUE;mulByB;Fp_NONRESIDUE;Fp_div2;constructor(Fp3,opts={}){let{
NONRESIDUE=BigInt(-1),FP2_NONRESIDUE,Fp2mulByB}=opts,ORDER=Fp3.ORDER,FP2_ORDER=ORDER*ORDER;this.Fp=Fp3,this.ORDER=FP2_ORDER,this.BITS=bitLen(FP2_ORDER),this.BYTES=
Math.ceil(bitLen(FP2_ORDER)/8),this.isLE=Fp3.isLE,this.ZERO=this.create({c0:Fp3.ZERO,c1:Fp3.ZERO}),this.ONE=this.create({c0:Fp3.ONE,c1:Fp3.ZERO}),this.Fp_NONRESIDUE=
Fp3.create(NONRESIDUE),this.Fp_div2=Fp3.div(Fp3.ONE,_2n5),this.NONRESIDUE=this.create({c0:FP2_NONRESIDUE[0],c1:FP2_NONRESIDUE[1]}),this.mulByB=num=>{let{c0,c1}=Fp2mulByB(
num);return Object.freeze({c0,c1})},Object.freeze(this)}fromBigTuple(tuple){if(!Array.isArray(tuple)||tuple.length!==2)throw new Error("invalid Fp2.fromBigTuple");
let[c0,c1]=tuple;if(typeof c0!="bigint"||typeof c1!="bigint")throw new Error("invalid Fp2.fromBigTuple");return this.create({c0,c1})}create(num){let{Fp:Fp3}=this,
c0=Fp3.create(num.c0),c1=Fp3.create(num.c1);return Object.freeze({c0,c1})}isValid(num){if(!isObj(num))throw new TypeError("invalid field element: expected objec\
t, got "+typeof num);let{c0,c1}=num,{Fp:Fp3}=this;return Fp3.isValid(c0)&&Fp3.isValid(c1)}is0(num){if(!isObj(num))return!1;let{c0,c1}=num,{Fp:Fp3}=this;return Fp3.
is0(c0)&&Fp3.is0(c1)}isValidNot0(num){return!this.is0(num)&&this.isValid(num)}eql({c0,c1},{c0:r0,c1:r1}){let{Fp:Fp3}=this;return Fp3.eql(c0,r0)&&Fp3.eql(c1,r1)}neg({
c0,c1}){let{Fp:Fp3}=this;return Object.freeze({c0:Fp3.neg(c0),c1:Fp3.neg(c1)})}pow(num,power){return FpPow(this,num,power)}invertBatch(nums){return FpInvertBatch(
this,nums,!0)}add(f1,f2){let{Fp:Fp3}=this,{c0,c1}=f1,{c0:r0,c1:r1}=f2;return Object.freeze({c0:Fp3.add(c0,r0),c1:Fp3.add(c1,r1)})}sub({c0,c1},{c0:r0,c1:r1}){let{
Fp:Fp3}=this;return Object.freeze({c0:Fp3.sub(c0,r0),c1:Fp3.sub(c1,r1)})}mul({c0,c1},rhs){let{Fp:Fp3}=this;if(typeof rhs=="bigint")return Object.freeze({c0:Fp3.
mul(c0,rhs),c1:Fp3.mul(c1,rhs)});let{c0:r0,c1:r1}=rhs,t1=Fp3.mul(c0,r0),t2=Fp3.mul(c1,r1),o0=Fp3.sub(t1,t2),o1=Fp3.sub(Fp3.mul(Fp3.add(c0,c1),Fp3.add(r0,r1)),Fp3.
add(t1,t2));return Object.freeze({c0:o0,c1:o1})}sqr({c0,c1}){let{Fp:Fp3}=this,a=Fp3.add(c0,c1),b=Fp3.sub(c0,c1),c=Fp3.add(c0,c0);return Object.freeze({c0:Fp3.mul(
a,b),c1:Fp3.mul(c,c1)})}addN(a,b){return this.add(a,b)}subN(a,b){return this.sub(a,b)}mulN(a,b){return this.mul(a,b)}sqrN(a){return this.sqr(a)}div(lhs,rhs){let{
Fp:Fp3}=this;return this.mul(lhs,typeof rhs=="bigint"?Fp3.inv(Fp3.create(rhs)):this.inv(rhs))}inv({c0:a,c1:b}){let{Fp:Fp3}=this,factor=Fp3.inv(Fp3.create(a*a+b*
b));return Object.freeze({c0:Fp3.mul(factor,Fp3.create(a)),c1:Fp3.mul(factor,Fp3.create(-b))})}sqrt(num){let{Fp:Fp3}=this,Fp22=this,{c0,c1}=num;if(Fp3.is0(c1))return FpLegendre(
Fp3,c0)===1?Fp22.create({c0:Fp3.sqrt(c0),c1:Fp3.ZERO}):Fp22.create({c0:Fp3.ZERO,c1:Fp3.sqrt(Fp3.div(c0,this.Fp_NONRESIDUE))});let a=Fp3.sqrt(Fp3.sub(Fp3.sqr(c0),
Fp3.mul(Fp3.sqr(c1),this.Fp_NONRESIDUE))),d=Fp3.mul(Fp3.add(a,c0),this.Fp_div2);FpLegendre(Fp3,d)===-1&&(d=Fp3.sub(d,a));let a0=Fp3.sqrt(d),candidateSqrt=Fp22.create(
{c0:a0,c1:Fp3.div(Fp3.mul(c1,this.Fp_div2),a0)});if(!Fp22.eql(Fp22.sqr(candidateSqrt),num))throw new Error("Cannot find square root");let x1=candidateSqrt,x2=Fp22.
neg(x1),{re:re1,im:im1}=Fp22.reim(x1),{re:re2,im:im2}=Fp22.reim(x2);return im1>im2||im1===im2&&re1>re2?x1:x2}isOdd(x){let{re:x0,im:x1}=this.reim(x),sign_0=x0%_2n5,
zero_0=x0===_0n7,sign_1=x1%_2n5;return BigInt(sign_0||zero_0&&sign_1)==_1n7}fromBytes(b){let{Fp:Fp3}=this;if(abytes2(b),b.length!==this.BYTES)throw new Error("f\
romBytes invalid length="+b.length);return this.create({c0:Fp3.fromBytes(b.subarray(0,Fp3.BYTES)),c1:Fp3.fromBytes(b.subarray(Fp3.BYTES))})}toBytes({c0,c1}){return concatBytes2(
this.Fp.toBytes(c0),this.Fp.toBytes(c1))}cmov({c0,c1},{c0:r0,c1:r1},c){let{Fp:Fp3}=this;return this.create({c0:Fp3.cmov(c0,r0,c),c1:Fp3.cmov(c1,r1,c)})}reim({c0,
c1}){return{re:c0,im:c1}}Fp4Square(a,b){let Fp22=this,a2=Fp22.sqr(a),b2=Fp22.sqr(b);return{first:Fp22.add(Fp22.mulByNonresidue(b2),a2),second:Fp22.sub(Fp22.sub(
Fp22.sqr(Fp22.add(a,b)),a2),b2)}}mulByNonresidue({c0,c1}){let{Fp:Fp3,NONRESIDUE:nr}=this;return nr.c0===Fp3.ONE&&nr.c1===Fp3.ONE?Object.freeze({c0:Fp3.sub(c0,c1),
c1:Fp3.add(c0,c1)}):nr.c1===Fp3.ONE?Object.freeze({c0:Fp3.sub(Fp3.mul(c0,nr.c0),c1),c1:Fp3.add(c0,Fp3.mul(c1,nr.c0))}):this.mul({c0,c1},nr)}frobeniusMap(num,power){
let{c0,c1}=num,{Fp:Fp3}=this;return Object.freeze({c0,c1:power%2===0?c1:Fp3.neg(c1)})}},_Field6=class{ORDER;BITS;BYTES;isLE;ZERO;ONE;Fp2;constructor(Fp22){this.
Fp2=Fp22,this.ORDER=Fp22.Fp.ORDER**_6n,this.BITS=3*Fp22.BITS,this.BYTES=3*Fp22.BYTES,this.isLE=Fp22.isLE,this.ZERO=this.create({c0:Fp22.ZERO,c1:Fp22.ZERO,c2:Fp22.
ZERO}),this.ONE=this.create({c0:Fp22.ONE,c1:Fp22.ZERO,c2:Fp22.ZERO}),Object.freeze(this)}get FROBENIUS_COEFFICIENTS_1(){let frob2=_FROBENIUS_COEFFICIENTS_6.get(
this);if(frob2)return frob2[0];let{Fp2:Fp22}=this,{Fp:Fp3}=Fp22,rows=calcFrobeniusCoefficients(Fp22,Fp22.NONRESIDUE,Fp3.ORDER,6,2,3),cache=[Object.freeze(rows[0]),
Object.freeze(rows[1])];return _FROBENIUS_COEFFICIENTS_6.set(this,cache),cache[0]}get FROBENIUS_COEFFICIENTS_2(){let frob2=_FROBENIUS_COEFFICIENTS_6.get(this);return frob2?
frob2[1]:(this.FROBENIUS_COEFFICIENTS_1,_FROBENIUS_COEFFICIENTS_6.get(this)[1])}add({c0,c1,c2},{c0:r0,c1:r1,c2:r2}){let{Fp2:Fp22}=this;return Object.freeze({c0:Fp22.
add(c0,r0),c1:Fp22.add(c1,r1),c2:Fp22.add(c2,r2)})}sub({c0,c1,c2},{c0:r0,c1:r1,c2:r2}){let{Fp2:Fp22}=this;return Object.freeze({c0:Fp22.sub(c0,r0),c1:Fp22.sub(c1,
r1),c2:Fp22.sub(c2,r2)})}mul({c0,c1,c2},rhs){let{Fp2:Fp22}=this;if(typeof rhs=="bigint")return Object.freeze({c0:Fp22.mul(c0,rhs),c1:Fp22.mul(c1,rhs),c2:Fp22.mul(
c2,rhs)});let{c0:r0,c1:r1,c2:r2}=rhs,t0=Fp22.mul(c0,r0),t1=Fp22.mul(c1,r1),t2=Fp22.mul(c2,r2);return Object.freeze({c0:Fp22.add(t0,Fp22.mulByNonresidue(Fp22.sub(
Fp22.mul(Fp22.add(c1,c2),Fp22.add(r1,r2)),Fp22.add(t1,t2)))),c1:Fp22.add(Fp22.sub(Fp22.mul(Fp22.add(c0,c1),Fp22.add(r0,r1)),Fp22.add(t0,t1)),Fp22.mulByNonresidue(
t2)),c2:Fp22.sub(Fp22.add(t1,Fp22.mul(Fp22.add(c0,c2),Fp22.add(r0,r2))),Fp22.add(t0,t2))})}sqr({c0,c1,c2}){let{Fp2:Fp22}=this,t0=Fp22.sqr(c0),t1=Fp22.mul(Fp22.mul(
c0,c1),_2n5),t3=Fp22.mul(Fp22.mul(c1,c2),_2n5),t4=Fp22.sqr(c2);return Object.freeze({c0:Fp22.add(Fp22.mulByNonresidue(t3),t0),c1:Fp22.add(Fp22.mulByNonresidue(t4),
t1),c2:Fp22.sub(Fp22.sub(Fp22.add(Fp22.add(t1,Fp22.sqr(Fp22.add(Fp22.sub(c0,c1),c2))),t3),t0),t4)})}addN(a,b){return this.add(a,b)}subN(a,b){return this.sub(a,b)}mulN(a,b){
return this.mul(a,b)}sqrN(a){return this.sqr(a)}create(num){let{Fp2:Fp22}=this,c0=Fp22.create(num.c0),c1=Fp22.create(num.c1),c2=Fp22.create(num.c2);return Object.
freeze({c0,c1,c2})}isValid(num){if(!isObj(num))throw new TypeError("invalid field element: expected object, got "+typeof num);let{c0,c1,c2}=num,{Fp2:Fp22}=this;
return Fp22.isValid(c0)&&Fp22.isValid(c1)&&Fp22.isValid(c2)}is0(num){if(!isObj(num))return!1;let{c0,c1,c2}=num,{Fp2:Fp22}=this;return Fp22.is0(c0)&&Fp22.is0(c1)&&
Fp22.is0(c2)}isValidNot0(num){return!this.is0(num)&&this.isValid(num)}neg({c0,c1,c2}){let{Fp2:Fp22}=this;return Object.freeze({c0:Fp22.neg(c0),c1:Fp22.neg(c1),c2:Fp22.
neg(c2)})}eql({c0,c1,c2},{c0:r0,c1:r1,c2:r2}){let{Fp2:Fp22}=this;return Fp22.eql(c0,r0)&&Fp22.eql(c1,r1)&&Fp22.eql(c2,r2)}sqrt(_){return notImplemented()}div(lhs,rhs){
let{Fp2:Fp22}=this,{Fp:Fp3}=Fp22;return this.mul(lhs,typeof rhs=="bigint"?Fp3.inv(Fp3.create(rhs)):this.inv(rhs))}pow(num,power){return FpPow(this,num,power)}invertBatch(nums){
return FpInvertBatch(this,nums,!0)}inv({c0,c1,c2}){let{Fp2:Fp22}=this,t0=Fp22.sub(Fp22.sqr(c0),Fp22.mulByNonresidue(Fp22.mul(c2,c1))),t1=Fp22.sub(Fp22.mulByNonresidue(
Fp22.sqr(c2)),Fp22.mul(c0,c1)),t2=Fp22.sub(Fp22.sqr(c1),Fp22.mul(c0,c2)),t4=Fp22.inv(Fp22.add(Fp22.mulByNonresidue(Fp22.add(Fp22.mul(c2,t1),Fp22.mul(c1,t2))),Fp22.
mul(c0,t0)));return Object.freeze({c0:Fp22.mul(t4,t0),c1:Fp22.mul(t4,t1),c2:Fp22.mul(t4,t2)})}fromBytes(b){let{Fp2:Fp22}=this;if(abytes2(b),b.length!==this.BYTES)
throw new Error("fromBytes invalid length="+b.length);let B2=Fp22.BYTES;return this.create({c0:Fp22.fromBytes(b.subarray(0,B2)),c1:Fp22.fromBytes(b.subarray(B2,
B2*2)),c2:Fp22.fromBytes(b.subarray(2*B2))})}toBytes({c0,c1,c2}){let{Fp2:Fp22}=this;return concatBytes2(Fp22.toBytes(c0),Fp22.toBytes(c1),Fp22.toBytes(c2))}cmov({
c0,c1,c2},{c0:r0,c1:r1,c2:r2},c){let{Fp2:Fp22}=this;return this.create({c0:Fp22.cmov(c0,r0,c),c1:Fp22.cmov(c1,r1,c),c2:Fp22.cmov(c2,r2,c)})}fromBigSix(tuple){let{
Fp2:Fp22}=this;if(!Array.isArray(tuple)||tuple.length!==6)throw new Error("invalid Fp6.fromBigSix");for(let i=0;i<6;i++)if(typeof tuple[i]!="bigint")throw new Error(
"invalid Fp6.fromBigSix");let t=tuple;return this.create({c0:Fp22.fromBigTuple(t.slice(0,2)),c1:Fp22.fromBigTuple(t.slice(2,4)),c2:Fp22.fromBigTuple(t.slice(4,6))})}frobeniusMap(num,power){
let{c0,c1,c2}=num;if(power%6===0)return Object.freeze({c0,c1,c2});let{Fp2:Fp22}=this;return Object.freeze({c0:Fp22.frobeniusMap(c0,power),c1:Fp22.mul(Fp22.frobeniusMap(
c1,power),this.FROBENIUS_COEFFICIENTS_1[power%6]),c2:Fp22.mul(Fp22.frobeniusMap(c2,power),this.FROBENIUS_COEFFICIENTS_2[power%6])})}mulByFp2({c0,c1,c2},rhs){let{
Fp2:Fp22}=this;return Object.freeze({c0:Fp22.mul(c0,rhs),c1:Fp22.mul(c1,rhs),c2:Fp22.mul(c2,rhs)})}mulByNonresidue({c0,c1,c2}){let{Fp2:Fp22}=this;return Object.
freeze({c0:Fp22.mulByNonresidue(c2),c1:c0,c2:c1})}mul1({c0,c1,c2},b1){let{Fp2:Fp22}=this;return Object.freeze({c0:Fp22.mulByNonresidue(Fp22.mul(c2,b1)),c1:Fp22.
mul(c0,b1),c2:Fp22.mul(c1,b1)})}mul01({c0,c1,c2},b0,b1){let{Fp2:Fp22}=this,t0=Fp22.mul(c0,b0),t1=Fp22.mul(c1,b1);return Object.freeze({c0:Fp22.add(Fp22.mulByNonresidue(
Fp22.sub(Fp22.mul(Fp22.add(c1,c2),b1),t1)),t0),c1:Fp22.sub(Fp22.sub(Fp22.mul(Fp22.add(b0,b1),Fp22.add(c0,c1)),t0),t1),c2:Fp22.add(Fp22.sub(Fp22.mul(Fp22.add(c0,
c2),b0),t0),t1)})}},_FROBENIUS_COEFFICIENTS_6=new WeakMap,_Field12=class{ORDER;BITS;BYTES;isLE;ZERO;ONE;Fp6;X_LEN;finalExponentiate;constructor(Fp62,opts){let{X_LEN,
Fp12finalExponentiate}=opts,{Fp2:Fp22}=Fp62,{Fp:Fp3}=Fp22;this.Fp6=Fp62,this.ORDER=Fp3.ORDER**_12n,this.BITS=2*Fp62.BITS,this.BYTES=2*Fp62.BYTES,this.isLE=Fp62.
isLE,this.ZERO=this.create({c0:Fp62.ZERO,c1:Fp62.ZERO}),this.ONE=this.create({c0:Fp62.ONE,c1:Fp62.ZERO}),this.X_LEN=X_LEN,this.finalExponentiate=num=>{let copy2=({
c0,c1})=>Object.freeze({c0,c1}),copy6=({c0,c1,c2})=>Object.freeze({c0:copy2(c0),c1:copy2(c1),c2:copy2(c2)}),res=Fp12finalExponentiate(num);return Object.freeze(
{c0:copy6(res.c0),c1:copy6(res.c1)})},Object.freeze(this)}get FROBENIUS_COEFFICIENTS(){let frob2=_FROBENIUS_COEFFICIENTS_12.get(this);if(frob2)return frob2;let{
Fp2:Fp22}=this.Fp6,{Fp:Fp3}=Fp22,cache=Object.freeze(calcFrobeniusCoefficients(Fp22,Fp22.NONRESIDUE,Fp3.ORDER,12,1,6)[0]);return _FROBENIUS_COEFFICIENTS_12.set(
this,cache),cache}create(num){let{Fp6:Fp62}=this,c0=Fp62.create(num.c0),c1=Fp62.create(num.c1);return Object.freeze({c0,c1})}isValid(num){if(!isObj(num))throw new TypeError(
"invalid field element: expected object, got "+typeof num);let{c0,c1}=num,{Fp6:Fp62}=this;return Fp62.isValid(c0)&&Fp62.isValid(c1)}is0(num){if(!isObj(num))return!1;
let{c0,c1}=num,{Fp6:Fp62}=this;return Fp62.is0(c0)&&Fp62.is0(c1)}isValidNot0(num){return!this.is0(num)&&this.isValid(num)}neg({c0,c1}){let{Fp6:Fp62}=this;return Object.
freeze({c0:Fp62.neg(c0),c1:Fp62.neg(c1)})}eql({c0,c1},{c0:r0,c1:r1}){let{Fp6:Fp62}=this;return Fp62.eql(c0,r0)&&Fp62.eql(c1,r1)}sqrt(_){return notImplemented()}inv({
c0,c1}){let{Fp6:Fp62}=this,t=Fp62.inv(Fp62.sub(Fp62.sqr(c0),Fp62.mulByNonresidue(Fp62.sqr(c1))));return Object.freeze({c0:Fp62.mul(c0,t),c1:Fp62.neg(Fp62.mul(c1,
t))})}div(lhs,rhs){let{Fp6:Fp62}=this,{Fp2:Fp22}=Fp62,{Fp:Fp3}=Fp22;return this.mul(lhs,typeof rhs=="bigint"?Fp3.inv(Fp3.create(rhs)):this.inv(rhs))}pow(num,power){
return FpPow(this,num,power)}invertBatch(nums){return FpInvertBatch(this,nums,!0)}add({c0,c1},{c0:r0,c1:r1}){let{Fp6:Fp62}=this;return Object.freeze({c0:Fp62.add(
c0,r0),c1:Fp62.add(c1,r1)})}sub({c0,c1},{c0:r0,c1:r1}){let{Fp6:Fp62}=this;return Object.freeze({c0:Fp62.sub(c0,r0),c1:Fp62.sub(c1,r1)})}mul({c0,c1},rhs){let{Fp6:Fp62}=this;
if(typeof rhs=="bigint")return Object.freeze({c0:Fp62.mul(c0,rhs),c1:Fp62.mul(c1,rhs)});let{c0:r0,c1:r1}=rhs,t1=Fp62.mul(c0,r0),t2=Fp62.mul(c1,r1);return Object.
freeze({c0:Fp62.add(t1,Fp62.mulByNonresidue(t2)),c1:Fp62.sub(Fp62.mul(Fp62.add(c0,c1),Fp62.add(r0,r1)),Fp62.add(t1,t2))})}sqr({c0,c1}){let{Fp6:Fp62}=this,ab=Fp62.
mul(c0,c1);return Object.freeze({c0:Fp62.sub(Fp62.sub(Fp62.mul(Fp62.add(Fp62.mulByNonresidue(c1),c0),Fp62.add(c0,c1)),ab),Fp62.mulByNonresidue(ab)),c1:Fp62.add(
ab,ab)})}addN(a,b){return this.add(a,b)}subN(a,b){return this.sub(a,b)}mulN(a,b){return this.mul(a,b)}sqrN(a){return this.sqr(a)}fromBytes(b){let{Fp6:Fp62}=this;
if(abytes2(b),b.length!==this.BYTES)throw new Error("fromBytes invalid length="+b.length);return this.create({c0:Fp62.fromBytes(b.subarray(0,Fp62.BYTES)),c1:Fp62.
fromBytes(b.subarray(Fp62.BYTES))})}toBytes({c0,c1}){let{Fp6:Fp62}=this;return concatBytes2(Fp62.toBytes(c0),Fp62.toBytes(c1))}cmov({c0,c1},{c0:r0,c1:r1},c){let{
Fp6:Fp62}=this;return this.create({c0:Fp62.cmov(c0,r0,c),c1:Fp62.cmov(c1,r1,c)})}fromBigTwelve(tuple){let{Fp6:Fp62}=this;if(!Array.isArray(tuple)||tuple.length!==
12)throw new Error("invalid Fp12.fromBigTwelve");for(let i=0;i<12;i++)if(typeof tuple[i]!="bigint")throw new Error("invalid Fp12.fromBigTwelve");let t=tuple;return this.
create({c0:Fp62.fromBigSix(t.slice(0,6)),c1:Fp62.fromBigSix(t.slice(6,12))})}frobeniusMap(lhs,power){let p=power%12;if(p===0)return Object.freeze({c0:lhs.c0,c1:lhs.
c1});if(p===6)return this.conjugate(lhs);let{Fp6:Fp62}=this,{Fp2:Fp22}=Fp62,{c0,c1,c2}=Fp62.frobeniusMap(lhs.c1,power),coeff=this.FROBENIUS_COEFFICIENTS[p];return Object.
freeze({c0:Fp62.frobeniusMap(lhs.c0,power),c1:Object.freeze({c0:Fp22.mul(c0,coeff),c1:Fp22.mul(c1,coeff),c2:Fp22.mul(c2,coeff)})})}mulByFp2({c0,c1},rhs){let{Fp6:Fp62}=this;
return Object.freeze({c0:Fp62.mulByFp2(c0,rhs),c1:Fp62.mulByFp2(c1,rhs)})}conjugate({c0,c1}){return Object.freeze({c0,c1:this.Fp6.neg(c1)})}_cyclotomicSquare({c0,
c1}){let{Fp6:Fp62}=this,{Fp2:Fp22}=Fp62,{c0:c0c0,c1:c0c1,c2:c0c2}=c0,{c0:c1c0,c1:c1c1,c2:c1c2}=c1,{first:t3,second:t4}=Fp22.Fp4Square(c0c0,c1c1),{first:t5,second:t6}=Fp22.
Fp4Square(c1c0,c0c2),{first:t7,second:t8}=Fp22.Fp4Square(c0c1,c1c2),t9=Fp22.mulByNonresidue(t8);return Object.freeze({c0:Object.freeze({c0:Fp22.add(Fp22.mul(Fp22.
sub(t3,c0c0),_2n5),t3),c1:Fp22.add(Fp22.mul(Fp22.sub(t5,c0c1),_2n5),t5),c2:Fp22.add(Fp22.mul(Fp22.sub(t7,c0c2),_2n5),t7)}),c1:Object.freeze({c0:Fp22.add(Fp22.mul(
Fp22.add(t9,c1c0),_2n5),t9),c1:Fp22.add(Fp22.mul(Fp22.add(t4,c1c1),_2n5),t4),c2:Fp22.add(Fp22.mul(Fp22.add(t6,c1c2),_2n5),t6)})})}_cyclotomicExp(num,n){if(aInRange(
"cyclotomic exponent",n,_0n7,_1n7<<BigInt(this.X_LEN)),n===_0n7)return this.ONE;let z=num;for(let i=bitLen(n)-2;i>=0;i--)z=this._cyclotomicSquare(z),bitGet(n,i)&&
(z=this.mul(z,num));return z}},_FROBENIUS_COEFFICIENTS_12=new WeakMap;function tower12(opts){if(validateObject(opts,{ORDER:"bigint",X_LEN:"number",FP2_NONRESIDUE:"\
object",Fp2mulByB:"function",Fp12finalExponentiate:"function"},{NONRESIDUE:"bigint"}),asafenumber(opts.X_LEN,"X_LEN"),opts.X_LEN<1)throw new Error("invalid X_LE\
N");let nonresidue=opts.FP2_NONRESIDUE;if(!Array.isArray(nonresidue)||nonresidue.length!==2)throw new Error("invalid FP2_NONRESIDUE");if(typeof nonresidue[0]!="\
bigint"||typeof nonresidue[1]!="bigint")throw new Error("invalid FP2_NONRESIDUE");let Fp3=Field(opts.ORDER),Fp22=new _Field2(Fp3,opts),Fp62=new _Field6(Fp22),Fp123=new _Field12(
Fp62,opts);return{Fp:Fp3,Fp2:Fp22,Fp6:Fp62,Fp12:Fp123}}var _0n8=BigInt(0),_1n8=BigInt(1),_2n6=BigInt(2),_3n6=BigInt(3),_4n5=BigInt(4),BLS_X=BigInt("0xd201000000010000"),BLS_X_LEN=bitLen(BLS_X),bls12_381_CURVE_G1={p:BigInt(
"0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"),n:BigInt("0x73eda753299d7d483339d80809a1d80553bda402fffe5b\
feffffffff00000001"),h:BigInt("0x396c8c005555e1568c00aaab0000aaab"),a:_0n8,b:_4n5,Gx:BigInt("0x17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586\
c55e83ff97a1aeffb3af00adb22c6bb"),Gy:BigInt("0x08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1")},bls12_381_Fr=Field(
bls12_381_CURVE_G1.n,{modFromBytes:!0});function bls12FromCompressed(g0,g12,{g2:g22,g3,g4,g5}){return{c0:{c0:g0,c1:g4,c2:g3},c1:{c0:g22,c1:g12,c2:g5}}}function bls12Compress({
c0,c1}){return{g2:c1.c0,g3:c0.c2,g4:c0.c1,g5:c1.c2}}function bls12CyclotomicSquareCompressed({g2:g22,g3,g4,g5}){let{first:h23c0,second:h23c1}=Fp2.Fp4Square(g4,g5),
{first:h45c0,second:h45c1}=Fp2.Fp4Square(g22,g3),d2=Fp2.add(g22,g22),d3=Fp2.add(g3,g3),d4=Fp2.add(g4,g4),d5=Fp2.add(g5,g5);return{g2:Fp2.add(Fp2.mul(Fp2.mulByNonresidue(
h23c1),_3n6),d2),g3:Fp2.sub(Fp2.mul(h23c0,_3n6),d3),g4:Fp2.sub(Fp2.mul(h45c0,_3n6),d4),g5:Fp2.add(Fp2.mul(h45c1,_3n6),d5)}}function bls12RecoverG1Ratio({g2:g22,
g3,g4,g5}){return Fp2.is0(g22)?{num:Fp2.mul(Fp2.mul(g4,g5),_2n6),den:g3}:{num:Fp2.add(Fp2.sub(Fp2.mul(Fp2.sqr(g4),_3n6),Fp2.mul(g3,_2n6)),Fp2.mulByNonresidue(Fp2.
sqr(g5))),den:Fp2.mul(g22,_4n5)}}function bls12RecoverG0(g12,{g2:g22,g3,g4,g5}){let g3g4=Fp2.mul(g3,g4),t=Fp2.add(Fp2.sub(Fp2.mul(Fp2.sub(Fp2.sqr(g12),g3g4),_2n6),
g3g4),Fp2.mul(g22,g5));return Fp2.add(Fp2.mulByNonresidue(t),Fp2.ONE)}function bls12CyclotomicExpCompressed(num,squarings){let gs=[],g=bls12Compress(num);for(let count of squarings){
for(let i=0;i<count;i++)g=bls12CyclotomicSquareCompressed(g);gs.push(g)}let isOne=gs.map(({g2:g22,g3})=>Fp2.is0(g22)&&Fp2.is0(g3)),ratios=gs.map(bls12RecoverG1Ratio),
invDens=Fp2.invertBatch(ratios.map(({den})=>den)),elems=gs.map((compressed,i)=>{if(isOne[i])return Fp12.ONE;let g12=Fp2.mul(ratios[i].num,invDens[i]);return bls12FromCompressed(
bls12RecoverG0(g12,compressed),g12,compressed)});return{result:Fp12.mul(Fp12.mul(elems[0],elems[1]),elems[2]),last:elems[2]}}function bls12CyclotomicExpX(num){let{
result,last}=bls12CyclotomicExpCompressed(num,[16,32,9]),r=result,s=last;for(let i=0;i<3;i++)s=Fp12._cyclotomicSquare(s);r=Fp12.mul(r,s);for(let i=0;i<2;i++)s=Fp12.
_cyclotomicSquare(s);return r=Fp12.mul(r,s),s=Fp12._cyclotomicSquare(s),Fp12.mul(r,s)}var{Fp,Fp2,Fp6,Fp12}=tower12({ORDER:bls12_381_CURVE_G1.p,X_LEN:BLS_X_LEN,FP2_NONRESIDUE:[
_1n8,_1n8],Fp2mulByB:({c0,c1})=>{let t0=Fp.mul(c0,_4n5),t1=Fp.mul(c1,_4n5);return{c0:Fp.sub(t0,t1),c1:Fp.add(t0,t1)}},Fp12finalExponentiate:num=>{let powMinusX=num2=>Fp12.
conjugate(bls12CyclotomicExpX(num2)),t0=Fp12.div(Fp12.frobeniusMap(num,6),num),t1=Fp12.mul(Fp12.frobeniusMap(t0,2),t0),t2=powMinusX(t1),t3=Fp12.mul(Fp12.conjugate(
Fp12._cyclotomicSquare(t1)),t2),t4=powMinusX(t3),t5=powMinusX(t4),t6=Fp12.mul(powMinusX(t5),Fp12._cyclotomicSquare(t2)),t7=powMinusX(t6),t2_t5_pow_q2=Fp12.frobeniusMap(
Fp12.mul(t2,t5),2),t4_t1_pow_q3=Fp12.frobeniusMap(Fp12.mul(t4,t1),3),t6_t1c_pow_q1=Fp12.frobeniusMap(Fp12.mul(t6,Fp12.conjugate(t1)),1),t7_t3c_t1=Fp12.mul(Fp12.
mul(t7,Fp12.conjugate(t3)),t1);return Fp12.mul(Fp12.mul(Fp12.mul(t2_t5_pow_q2,t4_t1_pow_q3),t6_t1c_pow_q1),t7_t3c_t1)}}),frob,getFrob=()=>frob||(frob=psiFrobenius(
Fp,Fp2,Fp2.div(Fp2.ONE,Fp2.NONRESIDUE))),G2psi=(c,P)=>{let fn=getFrob().G2psi;return G2psi=fn,fn(c,P)},G2psi2=(c,P)=>{let fn=getFrob().G2psi2;return G2psi2=fn,fn(
c,P)},hasher_opts=Object.freeze({DST:"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_",encodeDST:"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_",p:Fp.ORDER,m:2,k:128,
expand:"xmd",hash:sha256}),bls12_381_CURVE_G2={p:Fp2.ORDER,n:bls12_381_CURVE_G1.n,h:BigInt("0x5d543a95414e7f1091d50792876a202cd91de4547085abaa68a205b2e5a7ddfa62\
8f1cb4d9e82ef21537e293a6691ae1616ec6e786f0c70cf1c38e31c7238e5"),a:Fp2.ZERO,b:Fp2.fromBigTuple([_4n5,_4n5]),Gx:Fp2.fromBigTuple([BigInt("0x024aa2b2f08f0a91260805\
272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"),BigInt("0x13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf1121\
3945d57e5ac7d055d042b7e")]),Gy:Fp2.fromBigTuple([BigInt("0x0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"),BigInt(
"0x0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be")])},sortBit=(parts,p)=>{for(let part of parts)if(part!==_0n8)
return!!(part*_2n6/p);return!1},fp2={encode({c0,c1}){let{BYTES:L}=Fp;return concatBytes2(numberToBytesBE(c1,L),numberToBytesBE(c0,L))},decode(bytes){let{BYTES:L}=Fp;
return Fp2.create({c0:decodeFp(bytes.subarray(L)),c1:decodeFp(bytes.subarray(0,L))})}},BaseFp=Fp;function decodeFp(bytes){return Fp.fromBytes(bytes)}var coder=(name,Fp3,b,encode,decode,yparts)=>{
let F=Fp3,enc=encode,dec=decode,W=F.BYTES;return allowUncompressed=>({encode(point,compressed=!0){if(!compressed&&!allowUncompressed)throw new Error("invalid si\
gnature: expected compressed encoding");let infinity=point.is0(),{x,y}=point.toAffine(),bytes=compressed?enc(x):concatBytes2(enc(x),enc(y)),sort;return compressed&&
!infinity&&(sort=sortBit(yparts(y),BaseFp.ORDER)),setMask(bytes,{compressed,infinity,sort})},decode(bytes){let raw=allowUncompressed?abytes2(bytes,void 0,"point"):
abytes2(bytes,W,"signature"),{compressed,infinity,sort,value}=parseMask(raw);if(!allowUncompressed&&!compressed)throw new Error("invalid signature: expected com\
pressed encoding");let len=compressed?W:2*W;if(value.length!==len)throw new Error(`invalid ${name} point: expected ${len} bytes`);if(infinity){for(let b2 of value)
if(b2)throw new Error(`invalid ${name} point: non-canonical zero`);return{x:F.ZERO,y:F.ZERO}}let x=dec(compressed?value:value.subarray(0,W)),y;if(compressed){if(y=
F.sqrt(F.add(F.pow(x,_3n6),b)),!y)throw new Error(`invalid ${name} point: compressed`);sortBit(yparts(y),BaseFp.ORDER)!==sort&&(y=F.neg(y))}else y=dec(value.subarray(
W));if(!compressed&&F.is0(x)&&F.is0(y))throw new Error(`invalid ${name} point: uncompressed`);return{x,y}}})};function validateMask({compressed,infinity,sort}){
if(!compressed&&!infinity&&sort||!compressed&&infinity&&sort||compressed&&infinity&&sort)throw new Error("invalid encoding flag")}function parseMask(bytes){bytes=
copyBytes(bytes);let mask=bytes[0]&224,compressed=!!(mask>>7&1),infinity=!!(mask>>6&1),sort=!!(mask>>5&1);return validateMask({compressed,infinity,sort}),bytes[0]&=
31,{compressed,infinity,sort,value:bytes}}function setMask(bytes,mask){if(bytes[0]&224)throw new Error("setMask: non-empty mask");return validateMask({compressed:!!mask.
compressed,infinity:!!mask.infinity,sort:!!mask.sort}),mask.compressed&&(bytes[0]|=128),mask.infinity&&(bytes[0]|=64),mask.sort&&(bytes[0]|=32),bytes}var g1coder=coder(
"G1",Fp,Fp.create(bls12_381_CURVE_G1.b),x=>numberToBytesBE(x,Fp.BYTES),decodeFp,y=>[y]),g1={point:g1coder(!0),sig:g1coder(!1)},signatureG1ToBytes=point=>(point.
assertValidity(),g1.sig.encode(point));function signatureG1FromBytes(bytes){let point=bls12_381.G1.Point.fromAffine(g1.sig.decode(bytes));return point.assertValidity(),
point}var g2coder=coder("G2",Fp2,bls12_381_CURVE_G2.b,fp2.encode,fp2.decode,y=>[y.c1,y.c0]),g2={point:g2coder(!0),sig:g2coder(!1)},signatureG2ToBytes=point=>(point.
assertValidity(),g2.sig.encode(point));function signatureG2FromBytes(bytes){let point=bls12_381.G2.Point.fromAffine(g2.sig.decode(bytes));return point.assertValidity(),
point}var signatureCoders={ShortSignature:{fromBytes(bytes){return signatureG1FromBytes(abytes2(bytes))},fromHex(hex){return signatureG1FromBytes(hexToBytes2(hex))},
toBytes(point){return signatureG1ToBytes(point)},toRawBytes(point){return signatureG1ToBytes(point)},toHex(point){return bytesToHex2(signatureG1ToBytes(point))}},
LongSignature:{fromBytes(bytes){return signatureG2FromBytes(abytes2(bytes))},fromHex(hex){return signatureG2FromBytes(hexToBytes2(hex))},toBytes(point){return signatureG2ToBytes(
point)},toRawBytes(point){return signatureG2ToBytes(point)},toHex(point){return bytesToHex2(signatureG2ToBytes(point))}}},fields={Fp,Fp2,Fp6,Fp12,Fr:bls12_381_Fr},
G1_Point=weierstrass(bls12_381_CURVE_G1,{allowInfinityPoint:!0,Fn:bls12_381_Fr,fromBytes:g1.point.decode,toBytes:(_c,point,isComp)=>g1.point.encode(point,isComp),
isTorsionFree:(c,point)=>{let beta=BigInt("0x5f19672fdf76ce51ba69c6076a0f77eaddb3a93be6f89688de17d813620a00022e01fffffffefffe"),phi=new c(Fp.mul(point.X,beta),point.
Y,point.Z);return point.multiplyUnsafe(BLS_X).negate().multiplyUnsafe(BLS_X).equals(phi)},clearCofactor:(_c,point)=>point.multiplyUnsafe(BLS_X).add(point)}),G2_Point=weierstrass(
bls12_381_CURVE_G2,{Fp:Fp2,allowInfinityPoint:!0,Fn:bls12_381_Fr,fromBytes:g2.point.decode,toBytes:(_c,point,isComp)=>g2.point.encode(point,isComp),isTorsionFree:(c,P)=>P.
multiplyUnsafe(BLS_X).negate().equals(G2psi(c,P)),clearCofactor:(c,P)=>{let x=BLS_X,t1=P.multiplyUnsafe(x).negate(),t2=G2psi(c,P),t3=P.double();return t3=G2psi2(
c,t3),t3=t3.subtract(t2),t2=t1.add(t2),t2=t2.multiplyUnsafe(x).negate(),t3=t3.add(t2),t3=t3.subtract(t1),t3.subtract(P)}}),bls12_hasher_opts={mapToG1,mapToG2,hasherOpts:hasher_opts,
hasherOptsG1:{...hasher_opts,m:1,DST:"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_",encodeDST:"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"},hasherOptsG2:{...hasher_opts}},
bls12_params={ateLoopSize:BLS_X,xNegative:!0,twistType:"multiplicative",randomBytes:randomBytes2},bls12_381=bls(fields,G1_Point,G2_Point,bls12_params,bls12_hasher_opts,
signatureCoders),isogenyMapG2=isogenyMap(Fp2,[[["0x5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6","0x5c759507e\
8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6"],["0x0","0x11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a\
4181472aaa9cb8d555526a9ffffffffc71a"],["0x11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71e","0x8ab05f8bdd54cde19\
0937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38d"],["0x171d6541fa38ccfaed6dea691f5fb614cb14b4e7f4e810aa22d6108f142b85757098e38d0f6\
71c7188e2aaaaaaaa5ed1","0x0"]],[["0x0","0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa63"],["0xc","0x1a0111ea3\
97fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa9f"],["0x1","0x0"]],[["0x1530477c7ab4113b59a4c18b076d11930f7da5d4a07f649bf5\
4439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706","0x1530477c7ab4113b59a4c18b076d11930f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706"],["0x0","0x\
5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97be"],["0x11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f\
20a4181472aaa9cb8d555526a9ffffffffc71c","0x8ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38f"],["0x124c9ad43b6cf79\
bfbf7043de3811ad0761b0f37a1e26286b0e977c69aa274524e79097a56dc4bd9e1b371c71c718b10","0x0"]],[["0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f624\
1eabfffeb153ffffb9feffffffffa8fb","0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa8fb"],["0x0","0x1a0111ea397fe6\
9a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa9d3"],["0x12","0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f624\
1eabfffeb153ffffb9feffffffffaa99"],["0x1","0x0"]]].map(i=>i.map(pair=>Fp2.fromBigTuple(pair.map(BigInt))))),isogenyMapG1=isogenyMap(Fp,[["0x11a05f2b1e833340b809\
101dd99815856b303e88a2d7005ff2627b56cdb4e2c85610c2d5f2e62d6eaeac1662734649b7","0x17294ed3e943ab2f0588bab22147a81c7c17e75b2f6a8417f565e33c70d1e86b4838f2a6f318c35\
6e834eef1b3cb83bb","0xd54005db97678ec1d1048c5d10a9a1bce032473295983e56878e501ec68e25c958c3e3d2a09729fe0179f9dac9edcb0","0x1778e7166fcc6db74e0609d307e55412d7f5e4\
656a8dbf25f1b33289f1b330835336e25ce3107193c5b388641d9b6861","0xe99726a3199f4436642b4b3e4118e5499db995a1257fb3f086eeb65982fac18985a286f301e77c451154ce9ac8895d9",
"0x1630c3250d7313ff01d1201bf7a74ab5db3cb17dd952799b9ed3ab9097e68f90a0870d2dcae73d19cd13c1c66f652983","0xd6ed6553fe44d296a3726c38ae652bfb11586264f0f8ce19008e218f\
9c86b2a8da25128c1052ecaddd7f225a139ed84","0x17b81e7701abdbe2e8743884d1117e53356de5ab275b4db1a682c62ef0f2753339b7c8f8c8f475af9ccb5618e3f0c88e","0x80d3cf1f9a78fc4\
7b90b33563be990dc43b756ce79f5574a2c596c928c5d1de4fa295f296b74e956d71986a8497e317","0x169b1f8e1bcfa7c42e0c37515d138f22dd2ecb803a0c5c99676314baf4bb1b7fa3190b2edc0\
327797f241067be390c9e","0x10321da079ce07e272d8ec09d2565b0dfa7dccdde6787f96d50af36003b14866f69b771f8c285decca67df3f1605fb7b","0x6e08c248e260e70bd1e962381edee3d31\
d79d7e22c837bc23c0bf1bc24c6b68c24b1b80b64d391fa9c8ba2e8ba2d229"],["0x8ca8d548cff19ae18b2e62f4bd3fa6f01d5ef4ba35b48ba9c9588617fc8ac62b558d681be343df8993cf9fa40d2\
1b1c","0x12561a5deb559c4348b4711298e536367041e8ca0cf0800c0126c2588c48bf5713daa8846cb026e9e5c8276ec82b3bff","0xb2962fe57a3225e8137e629bff2991f6f89416f5a718cd1fca\
64e00b11aceacd6a3d0967c94fedcfcc239ba5cb83e19","0x3425581a58ae2fec83aafef7c40eb545b08243f16b1655154cca8abc28d6fd04976d5243eecf5c4130de8938dc62cd8","0x13a8e16202\
2914a80a6f1d5f43e7a07dffdfc759a12062bb8d6b44e833b306da9bd29ba81f35781d539d395b3532a21e","0xe7355f8e4e667b955390f7f0506c6e9395735e9ce9cad4d0a43bcef24b8982f7400d2\
4bc4228f11c02df9a29f6304a5","0x772caacf16936190f3e0c63e0596721570f5799af53a1894e2e073062aede9cea73b3538f0de06cec2574496ee84a3a","0x14a7ac2a9d64a8b230b3f5b074cf0\
1996e7f63c21bca68a81996e1cdf9822c580fa5b9489d11e2d311f7d99bbdcc5a5e","0xa10ecf6ada54f825e920b3dafc7a3cce07f8d1d7161366b74100da67f39883503826692abba43704776ec3a7\
9a1d641","0x95fc13ab9e92ad4476d6e3eb3a56680f682b4ee96f7d03776df533978f31c1593174e4b4b7865002d6384d168ecdd0a","0x000000000000000000000000000000000000000000000000\
000000000000000000000000000000000000000000000001"],["0x90d97c81ba24ee0259d1f094980dcfa11ad138e48a869522b52af6c956543d3cd0c7aee9b3ba3c2be9845719707bb33","0x13499\
6a104ee5811d51036d776fb46831223e96c254f383d0f906343eb67ad34d6c56711962fa8bfe097e75a2e41c696","0xcc786baa966e66f4a384c86a3b49942552e2d658a31ce2c344be4b91400da7d2\
6d521628b00523b8dfe240c72de1f6","0x1f86376e8981c217898751ad8746757d42aa7b90eeb791c09e4a3ec03251cf9de405aba9ec61deca6355c77b0e5f4cb","0x8cc03fdefe0ff135caf4fe2a2\
1529c4195536fbe3ce50b879833fd221351adc2ee7f8dc099040a841b6daecf2e8fedb","0x16603fca40634b6a2211e11db8f0a6a074a7d0d4afadb7bd76505c3d3ad5544e203f6326c95a807299b23\
ab13633a5f0","0x4ab0b9bcfac1bbcb2c977d027796b3ce75bb8ca2be184cb5231413c4d634f3747a87ac2460f415ec961f8855fe9d6f2","0x987c8d5333ab86fde9926bd2ca6c674170a05bfe3bdd\
81ffd038da6c26c842642f64550fedfe935a15e4ca31870fb29","0x9fc4018bd96684be88c9e221e4da1bb8f3abd16679dc26c1e8b6e6a1f20cabe69d65201c78607a360370e577bdba587","0xe1bb\
a7a1186bdb5223abde7ada14a23c42a0ca7915af6fe06985e7ed1e4d43b9b3f7055dd4eba6f2bafaaebca731c30","0x19713e47937cd1be0dfd0b8f1d43fb93cd2fcbcb6caf493fd1183e416389e610\
31bf3a5cce3fbafce813711ad011c132","0x18b46a908f36f6deb918c143fed2edcc523559b8aaf0c2462e6bfe7f911f643249d9cdf41b44d606ce07c8a4d0074d8e","0xb182cac101b9399d155096\
004f53f447aa7b12a3426b08ec02710e807b4633f06c851c1919211f20d4c04f00b971ef8","0x245a394ad1eca9b72fc00ae7be315dc757b3b080d4c158013e6632d3c40659cc6cf90ad1c232a6442d\
9d3f5db980133","0x5c129645e44cf1102a159f748c4a3fc5e673d81d7e86568d9ab0f5d396a7ce46ba1049b6579afb7866b1e715475224b","0x15e6be4e990f03ce4ea50b3b42df2eb5cb181d8f84\
965a3957add4fa95af01b2b665027efec01c7704b456be69c8b604"],["0x16112c4c3a9c98b252181140fad0eae9601a6de578980be6eec3232b5be72e7a07f3688ef60c206d01479253b03663c1","\
0x1962d75c2381201e1a0cbd6c43c348b885c84ff731c4d59ca4a10356f453e01f78a4260763529e3532f6102c2e49a03d","0x58df3306640da276faaae7d6e8eb15778c4855551ae7f310c35a5dd27\
9cd2eca6757cd636f96f891e2538b53dbf67f2","0x16b7d288798e5395f20d23bf89edb4d1d115c5dbddbcd30e123da489e726af41727364f2c28297ada8d26d98445f5416","0xbe0e079545f43e4b\
00cc912f8228ddcc6d19c9f0f69bbb0542eda0fc9dec916a20b15dc0fd2ededda39142311a5001d","0x8d9e5297186db2d9fb266eaac783182b70152c65550d881c5ecd87b6f0f5a6449f38db9dfa9c\
ce202c6477faaf9b7ac","0x166007c08a99db2fc3ba8734ace9824b5eecfdfa8d0cf8ef5dd365bc400a0051d5fa9c01a58b1fb93d1a1399126a775c","0x16a3ef08be3ea7ea03bcddfabba6ff6ee5a\
4375efa1f4fd7feb34fd206357132b920f5b00801dee460ee415a15812ed9","0x1866c8ed336c61231a1be54fd1d74cc4f9fb0ce4c6af5920abc5750c4bf39b4852cfe2f7bb9248836b233d9d55535d\
4a","0x167a55cda70a6e1cea820597d94a84903216f763e13d87bb5308592e7ea7d4fbc7385ea3d529b35e346ef48bb8913f55","0x4d2f259eea405bd48f010a01ad2911d9c6dd039bb61a6290e591\
b36e636a5c871a5c29f4f83060400f8b49cba8f6aa8","0xaccbb67481d033ff5852c1e48c50c477f94ff8aefce42d28c0f9a88cea7913516f968986f7ebbea9684b529e2561092","0xad6b9514c767\
fe3c3613144b45f1496543346d98adf02267d5ceef9a00d9b8693000763e3b90ac11e99b138573345cc","0x2660400eb2e4f3b628bdd0d53cd76f2bf565b94e72927c1cb748df27942480e420517bd8\
714cc80d1fadc1326ed06f7","0xe0fa1d816ddc03e6b24255e0d7819c171c40f65e273b853324efcd6356caa205ca2f570f13497804415473a1d634b8f","0x00000000000000000000000000000000\
0000000000000000000000000000000000000000000000000000000000000001"]].map(i=>i.map(j=>BigInt(j)))),G1_SWU,G2_SWU,getG1_SWU=()=>G1_SWU||(G1_SWU=mapToCurveSimpleSWU(
Fp,{A:Fp.create(BigInt("0x144698a3b8e9433d693a02c96d4982b0ea985383ee66a8d8e8981aefd881ac98936f8da0e0f97f5cf428082d584c1d")),B:Fp.create(BigInt("0x12e2908d116880\
30018b12e8753eee3b2016c1f0f24f4070a0b9c14fcef35ef55a23215a316ceaa5d1cc48e98e172be0")),Z:Fp.create(BigInt(11))})),getG2_SWU=()=>G2_SWU||(G2_SWU=mapToCurveSimpleSWU(
Fp2,{A:Fp2.create({c0:Fp.create(_0n8),c1:Fp.create(BigInt(240))}),B:Fp2.create({c0:Fp.create(BigInt(1012)),c1:Fp.create(BigInt(1012))}),Z:Fp2.create({c0:Fp.create(
BigInt(-2)),c1:Fp.create(BigInt(-1))})}));function mapToG1(scalars){let{x,y}=getG1_SWU()(Fp.create(scalars[0]));return isogenyMapG1(x,y)}function mapToG2(scalars){
let{x,y}=getG2_SWU()(Fp2.fromBigTuple(scalars));return isogenyMapG2(x,y)}var G1=bls12_381.G1.Point,G2=bls12_381.G2.Point,DST="BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_",{Fp12:Fp122}=bls12_381.fields;function keyPoint(bytes){try{let point=G1.
fromBytes(bytes);return point.assertValidity(),point.is0()?void 0:point}catch{return}}var noKey=G1.ZERO;function signedBy(key,message,signature){let point;try{point=
G2.fromBytes(signature),point.assertValidity()}catch{return!1}if(point.is0()||key.is0())return!1;let hash=bls12_381.G2.hashToCurve(message,{DST}),product=bls12_381.
pairingBatch([{g1:G1.BASE.negate(),g2:point},{g1:key,g2:hash}]);return Fp122.eql(product,Fp122.ONE)}return __toCommonJS(bls_exports);})();
return primitives;
}
