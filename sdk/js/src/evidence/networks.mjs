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
