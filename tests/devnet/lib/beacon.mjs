// Consensus side of the devnet. One process = block producer + every validator + beacon HTTP API,
// glued together from Lodestar's own published packages:
//   state transition  @lodestar/state-transition   (every block is fully re-verified before import)
//   light-client data @lodestar/beacon-node        (LightClientServer and its repositories)
//   engine API client @lodestar/beacon-node        (ExecutionEngineHttp)
//   beacon HTTP API   @lodestar/api                (routes, JSON and SSZ encodings, headers)
// What is ours: the slot clock, the duties (who signs what), a linear fork choice, the /devnet/* helpers.
import fs from "node:fs";
import crypto from "node:crypto";
import { EventEmitter } from "node:events";
import { fileURLToPath, pathToFileURL } from "node:url";
import path from "node:path";

const arg = (k, d) => {
  const i = process.argv.indexOf("--" + k);
  return i < 0 ? d : process.argv[i + 1];
};
const O = {
  root: fileURLToPath(new URL("../../", import.meta.url)), // where node_modules is
  dir: arg("dir", "."),
  seed: arg("seed", "1"),
  validators: Number(arg("validators", "64")),
  slotSeconds: Number(arg("slot-seconds", "2")),
  genesisTime: Number(arg("genesis-time", String(Math.floor(Date.now() / 1000) + 5))),
  forks: arg("forks", "fulu=0"),
  engine: arg("engine", "http://127.0.0.1:8551"),
  rpc: arg("rpc", "http://127.0.0.1:8545"),
  jwt: arg("jwt", "jwt.hex"),
  port: Number(arg("port", "9596")),
  participation: Number(arg("participation", "0.97")),
  miss: Number(arg("miss", "0.03")),
  verify: arg("verify", "1") === "1",
  chainId: Number(arg("chain-id", "1337001")),
};
process.env.LODESTAR_PRESET ??= "minimal";
const preset = process.env.LODESTAR_PRESET;

const P = await import("@lodestar/params");
const { createChainConfig, createBeaconConfig, createChainForkConfig } = await import("@lodestar/config");
const T = await import("@lodestar/types");
const ST = await import("@lodestar/state-transition");
const { SecretKey, aggregateSignatures, Signature } = await import("@chainsafe/blst");
const { BitArray } = await import("@chainsafe/ssz");
const { toHex, fromHex, toRootHex, sleep } = await import("@lodestar/utils");
const { registerRoutes } = await import("@lodestar/api/beacon/server");
const { addSszContentTypeParser, ApiError } = await import("@lodestar/api/server").then(async (m) => ({
  ...m,
  ApiError:
    m.ApiError ??
    class extends Error {
      constructor(s, t) {
        super(t);
        this.statusCode = s;
      }
    },
}));
const { routes } = await import("@lodestar/api");
const { fastify } = await import("fastify");
const qs = (await import("qs")).default;
const bn = (p) => import(pathToFileURL(path.join(O.root, "node_modules/@lodestar/beacon-node/lib", p)));
const st = (p) => import(pathToFileURL(path.join(O.root, "node_modules/@lodestar/state-transition/lib", p)));
const { LightClientServer } = await bn("chain/lightClient/index.js");
const { BestLightClientUpdateRepository } = await bn("db/repositories/lightclientBestUpdate.js");
const { CheckpointHeaderRepository } = await bn("db/repositories/lightclientCheckpointHeader.js");
const { SyncCommitteeRepository } = await bn("db/repositories/lightclientSyncCommittee.js");
const { SyncCommitteeWitnessRepository } = await bn("db/repositories/lightclientSyncCommitteeWitness.js");
const { ExecutionEngineHttp } = await bn("execution/engine/index.js");
const { JsonRpcHttpClient } = await bn("execution/engine/jsonRpcHttpClient.js");
const { getLightclientApi } = await bn("api/impl/lightclient/index.js");
const { getConfigApi } = await bn("api/impl/config/index.js");
const { initializeProposerLookahead } = await st("util/fulu.js");
const { ssz } = T;
const ForkSeq = P.ForkSeq;

const sha = (...b) =>
  crypto
    .createHash("sha256")
    .update(Buffer.concat(b.map((x) => Buffer.from(x))))
    .digest();
const log = (...a) => console.log(new Date().toISOString(), ...a);
const logger = {
  debug() {},
  verbose() {},
  info() {},
  warn: log,
  error: (...a) => log("ERROR", ...a),
  child() {
    return this;
  },
};
let rngState = sha("rng", O.seed);
const rnd = () => {
  rngState = sha(rngState);
  return rngState.readUInt32BE(0) / 2 ** 32;
};

// ---------------------------------------------------------------- configuration
const order = ["altair", "bellatrix", "capella", "deneb", "electra", "fulu", "gloas", "heze"];
const epochs = Object.fromEntries(
  O.forks
    .split(",")
    .map((s) => s.split("="))
    .map(([a, b]) => [a, Number(b)]),
);
let seenLater = false;
for (const f of [...order].reverse()) {
  if (epochs[f] !== undefined) seenLater = true;
  else epochs[f] = seenLater ? 0 : Infinity;
}
const tag = sha("fork", O.seed).subarray(0, 2);
const version = (i) => new Uint8Array([i, tag[0], tag[1], preset === "minimal" ? 1 : 0]);
const over = {
  CONFIG_NAME: "lc-devnet-" + O.seed,
  PRESET_BASE: preset,
  MIN_GENESIS_TIME: O.genesisTime,
  GENESIS_DELAY: 0,
  MIN_GENESIS_ACTIVE_VALIDATOR_COUNT: O.validators,
  TERMINAL_TOTAL_DIFFICULTY: 0n,
  DEPOSIT_CHAIN_ID: O.chainId,
  DEPOSIT_NETWORK_ID: O.chainId,
  SECONDS_PER_SLOT: O.slotSeconds,
  SLOT_DURATION_MS: O.slotSeconds * 1000,
  SECONDS_PER_ETH1_BLOCK: O.slotSeconds,
  GENESIS_FORK_VERSION: version(0),
  BLOB_SCHEDULE: [],
};
order.forEach((f, i) => {
  over[f.toUpperCase() + "_FORK_VERSION"] = version(i + 1);
  over[f.toUpperCase() + "_FORK_EPOCH"] = epochs[f];
});
const chainConfig = createChainConfig(over);
const forkConfig = createChainForkConfig(chainConfig);

// ---------------------------------------------------------------- keys and genesis
const R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
const sks = [],
  scal = [],
  pks = [];
for (let i = 0; i < O.validators; i++) {
  const sk = SecretKey.fromKeygen(sha("validator", O.seed, String(i)));
  sks.push(sk);
  scal.push(BigInt("0x" + Buffer.from(sk.toBytes()).toString("hex")));
  pks.push(sk.toPublicKey().toBytes());
}
// All keys are ours, so an aggregate over one message is a single signature under the summed key.
const aggSign = (idx, root) => {
  let s = 0n;
  for (const i of idx) s += scal[i];
  s %= R;
  return SecretKey.fromBytes(Buffer.from(s.toString(16).padStart(64, "0"), "hex"))
    .sign(root)
    .toBytes();
};
const rpc = async (method, params) => {
  const r = await fetch(O.rpc, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const j = await r.json();
  if (j.error) throw new Error(method + ": " + JSON.stringify(j.error));
  return j.result;
};
const elg = await rpc("eth_getBlockByNumber", ["0x0", false]);
const genesisFork = forkConfig.getForkName(0);

function genesis() {
  const eth1 = { depositRoot: new Uint8Array(32), depositCount: 0n, blockHash: fromHex(elg.hash) };
  const type = forkConfig.getForkTypes(0);
  const body = type.BeaconBlockBody.defaultValue();
  const state = ST.getGenesisBeaconState(forkConfig, eth1, {
    slot: 0,
    proposerIndex: 0,
    parentRoot: new Uint8Array(32),
    stateRoot: new Uint8Array(32),
    bodyRoot: type.BeaconBlockBody.hashTreeRoot(body),
  });
  state.genesisTime = O.genesisTime;
  for (let i = 0; i < O.validators; i++) {
    const wc = new Uint8Array(32);
    wc[0] = 1;
    wc.set(sha("withdrawal", O.seed, String(i)).subarray(0, 20), 12);
    state.validators.push(
      ssz.phase0.Validator.toViewDU({
        pubkey: pks[i],
        withdrawalCredentials: wc,
        effectiveBalance: P.MAX_EFFECTIVE_BALANCE,
        slashed: false,
        activationEligibilityEpoch: 0,
        activationEpoch: 0,
        exitEpoch: Infinity,
        withdrawableEpoch: Infinity,
      }),
    );
    state.balances.push(P.MAX_EFFECTIVE_BALANCE);
    state.previousEpochParticipation.push(0);
    state.currentEpochParticipation.push(0);
    state.inactivityScores.push(0);
  }
  state.commit();
  state.genesisValidatorsRoot = state.validators.hashTreeRoot();
  const h = type.ExecutionPayloadHeader.defaultViewDU();
  const B = (x) => fromHex(x);
  h.parentHash = B(elg.parentHash);
  h.feeRecipient = B(elg.miner);
  h.stateRoot = B(elg.stateRoot);
  h.receiptsRoot = B(elg.receiptsRoot);
  h.logsBloom = B(elg.logsBloom);
  h.prevRandao = B(elg.mixHash);
  h.blockNumber = 0;
  h.gasLimit = Number(elg.gasLimit);
  h.gasUsed = Number(elg.gasUsed);
  h.timestamp = Number(elg.timestamp);
  h.baseFeePerGas = BigInt(elg.baseFeePerGas);
  h.blockHash = B(elg.hash);
  state.latestExecutionPayloadHeader = h;
  if (state.depositRequestsStartIndex !== undefined)
    state.depositRequestsStartIndex = P.UNSET_DEPOSIT_REQUESTS_START_INDEX;
  state.commit();
  const config = createBeaconConfig(chainConfig, state.genesisValidatorsRoot);
  const imm = { config, pubkeyCache: ST.createPubkeyCache() };
  let cached = ST.createCachedBeaconState(state, imm, { skipSyncCommitteeCache: true });
  const seq = forkConfig.getForkSeq(0);
  const sc = ST.getNextSyncCommittee(
    seq,
    cached,
    ST.getActiveValidatorIndices(cached, 0),
    cached.epochCtx.effectiveBalanceIncrements,
  ).syncCommittee;
  cached.currentSyncCommittee = ssz.altair.SyncCommittee.toViewDU(sc);
  cached.nextSyncCommittee = ssz.altair.SyncCommittee.toViewDU(sc);
  if (seq >= ForkSeq.fulu)
    cached.proposerLookahead = ssz.fulu.ProposerLookahead.toViewDU(initializeProposerLookahead(cached));
  cached.commit();
  cached = ST.createCachedBeaconState(cached, { config, pubkeyCache: ST.createPubkeyCache() });
  return { config, state: cached };
}
const { config, state: genesisState } = genesis();
const genesisRoot = (() => {
  const h = genesisState.latestBlockHeader.toValue();
  h.stateRoot = genesisState.hashTreeRoot();
  return ssz.phase0.BeaconBlockHeader.hashTreeRoot(h);
})();

// ---------------------------------------------------------------- chain
const emitter = new EventEmitter();
emitter.setMaxListeners(0);
const clock = {
  get currentSlot() {
    return Math.floor((Date.now() / 1000 - O.genesisTime) / O.slotSeconds);
  },
};
const signal = new AbortController().signal;
const lcs = new LightClientServer(
  {},
  {
    config,
    clock,
    metrics: null,
    emitter,
    logger,
    signal,
    db: {
      bestLightClientUpdate: new BestLightClientUpdateRepository(config, null),
      checkpointHeader: new CheckpointHeaderRepository(config, null),
      syncCommittee: new SyncCommitteeRepository(config, null),
      syncCommitteeWitness: new SyncCommitteeWitnessRepository(config, null),
    },
  },
);
const engine = new ExecutionEngineHttp(
  new JsonRpcHttpClient([O.engine], {
    jwtSecret: Buffer.from(fs.readFileSync(O.jwt, "utf8").trim().replace(/^0x/, ""), "hex"),
    jwtId: undefined,
    jwtVersion: undefined,
    queueMaxLength: 256,
  }),
  { metrics: null, signal, logger },
  { version: "devnet", commit: "00000000" },
);

// The server pads updates without finality with the newest fork type it knows of, which the pinned types
// package no longer lays out the same way; pad with our newest scheduled fork instead.
{
  const newest = order.filter((f) => epochs[f] !== Infinity).pop();
  lcs.zero.finalizedHeader = T.sszTypesFor(newest).LightClientHeader.defaultValue();
}
const byRoot = new Map(); // root hex -> {slot, fork, bytes, root, exec}
const canon = new Map(); // slot -> root hex
let head = genesisState,
  headRoot = genesisRoot,
  headSlot = 0,
  headHash = elg.hash;
let parentDepth = 0;
const stats = { produced: 0, missed: 0, participation: 0 };
const execHashOf = (rootHex) => byRoot.get(rootHex)?.exec ?? elg.hash;
const cpHex = (c) => toRootHex(c.root);
const ZERO = "0x" + "00".repeat(32);
const fin = () => head.finalizedCheckpoint,
  just = () => head.currentJustifiedCheckpoint;

const domainRoot = (type, obj, slot, dom) => ST.computeSigningRoot(type, obj, config.getDomain(slot, dom, slot));
let pendingAttSlots = [];

function attestationsFor(pre, slot, fork) {
  const seq = ForkSeq[fork],
    out = [];
  const curEpoch = ST.computeEpochAtSlot(slot);
  for (const a of pendingAttSlots) {
    const epoch = ST.computeEpochAtSlot(a);
    if (a >= slot || epoch < curEpoch - 1) continue;
    if (seq < ForkSeq.deneb && a + P.SLOTS_PER_EPOCH < slot) continue;
    const start = ST.computeStartSlotAtEpoch(epoch);
    const data = {
      slot: a,
      index: 0,
      beaconBlockRoot: ST.getBlockRootAtSlot(pre, a),
      source: (epoch === curEpoch ? pre.currentJustifiedCheckpoint : pre.previousJustifiedCheckpoint).toValue(),
      target: { epoch, root: ST.getBlockRootAtSlot(pre, start) },
    };
    const n = pre.epochCtx.getCommitteeCountPerSlot(epoch);
    if (seq >= ForkSeq.electra) {
      const bits = [],
        signers = [],
        committees = [];
      for (let c = 0; c < n; c++) {
        committees.push(c);
        for (const v of pre.epochCtx.getBeaconCommittee(a, c)) {
          const on = rnd() < O.participation;
          bits.push(on);
          if (on) signers.push(v);
        }
      }
      if (signers.length === 0) continue;
      const cb = BitArray.fromBitLen(P.MAX_COMMITTEES_PER_SLOT);
      committees.forEach((c) => cb.set(c, true));
      out.push({
        aggregationBits: BitArray.fromBoolArray(bits),
        data,
        committeeBits: cb,
        signature: aggSign(signers, domainRoot(ssz.phase0.AttestationData, data, start, P.DOMAIN_BEACON_ATTESTER)),
      });
    } else {
      for (let c = 0; c < n; c++) {
        const d = { ...data, index: c },
          bits = [],
          signers = [];
        for (const v of pre.epochCtx.getBeaconCommittee(a, c)) {
          const on = rnd() < O.participation;
          bits.push(on);
          if (on) signers.push(v);
        }
        if (signers.length === 0) continue;
        out.push({
          aggregationBits: BitArray.fromBoolArray(bits),
          data: d,
          signature: aggSign(signers, domainRoot(ssz.phase0.AttestationData, d, start, P.DOMAIN_BEACON_ATTESTER)),
        });
      }
    }
  }
  return out.slice(-(seq >= ForkSeq.electra ? P.MAX_ATTESTATIONS_ELECTRA : P.MAX_ATTESTATIONS));
}

const syncParticipation = { value: null }; // override through /devnet/participation
function syncAggregate(pre, slot) {
  const idx = pre.epochCtx.currentSyncCommitteeIndexed.validatorIndices;
  const p = syncParticipation.value ?? O.participation;
  const bits = BitArray.fromBitLen(P.SYNC_COMMITTEE_SIZE),
    signers = [];
  for (let i = 0; i < idx.length; i++)
    if (rnd() < p) {
      bits.set(i, true);
      signers.push(idx[i]);
    }
  stats.participation = signers.length / idx.length;
  if (signers.length === 0) return { syncCommitteeBits: bits, syncCommitteeSignature: ST.G2_POINT_AT_INFINITY };
  const prev = Math.max(slot, 1) - 1;
  const root = ST.computeSigningRoot(
    ssz.Root,
    ST.getBlockRootAtSlot(pre, prev),
    config.getDomain(slot, P.DOMAIN_SYNC_COMMITTEE, prev),
  );
  return { syncCommitteeBits: bits, syncCommitteeSignature: aggSign(signers, root) };
}

async function produce(slot) {
  const fork = config.getForkName(slot),
    seq = ForkSeq[fork],
    types = config.getForkTypes(slot);
  const pre = ST.processSlots(head.clone(), slot);
  const proposer = pre.epochCtx.getBeaconProposer(slot),
    epoch = ST.computeEpochAtSlot(slot);
  const attrs = {
    timestamp: ST.computeTimeAtSlot(config, slot, O.genesisTime),
    prevRandao: ST.getRandaoMix(pre, epoch),
    suggestedFeeRecipient: "0x" + sha("fee", O.seed, String(proposer)).subarray(0, 20).toString("hex"),
  };
  if (seq >= ForkSeq.capella) attrs.withdrawals = ST.getExpectedWithdrawals(seq, pre).expectedWithdrawals;
  if (seq >= ForkSeq.deneb) attrs.parentBeaconBlockRoot = headRoot;
  const safe = just().epoch > 0 ? execHashOf(cpHex(just())) : elg.hash,
    final = fin().epoch > 0 ? execHashOf(cpHex(fin())) : ZERO;
  // The published execution client stops at Prague (engine_getPayloadV4): Fulu blocks carry Prague payloads,
  // which is legal on the consensus side (the payload container is the same).
  const elFork = seq >= ForkSeq.fulu ? P.ForkName.electra : fork;
  const id = await engine.notifyForkchoiceUpdate(elFork, headHash, safe, final, attrs);
  const got = await engine.getPayload(elFork, id);
  const body = types.BeaconBlockBody.defaultValue();
  body.randaoReveal = sks[proposer].sign(domainRoot(ssz.Epoch, epoch, slot, P.DOMAIN_RANDAO)).toBytes();
  body.eth1Data = pre.eth1Data.toValue();
  body.graffiti = new Uint8Array(32);
  body.graffiti.set(Buffer.from("lc-devnet " + O.seed).subarray(0, 32));
  body.attestations = attestationsFor(pre, slot, fork);
  body.syncAggregate = syncAggregate(pre, slot);
  body.executionPayload = got.executionPayload;
  if (seq >= ForkSeq.deneb) body.blobKzgCommitments = [];
  if (seq >= ForkSeq.electra)
    body.executionRequests = got.executionRequests ?? ssz.electra.ExecutionRequests.defaultValue();
  const block = { slot, proposerIndex: proposer, parentRoot: headRoot, stateRoot: new Uint8Array(32), body };
  const unsigned = { message: block, signature: new Uint8Array(96) };
  const ok = {
    executionPayloadStatus: ST.ExecutionPayloadStatus.valid,
    dataAvailabilityStatus: ST.DataAvailabilityStatus.Available,
  };
  let post = ST.stateTransition(head, unsigned, {
    ...ok,
    verifyStateRoot: false,
    verifyProposer: false,
    verifySignatures: false,
  });
  block.stateRoot = post.hashTreeRoot();
  unsigned.signature = sks[proposer]
    .sign(domainRoot(types.BeaconBlock, block, slot, P.DOMAIN_BEACON_PROPOSER))
    .toBytes();
  if (O.verify)
    post = ST.stateTransition(head, unsigned, {
      ...ok,
      verifyStateRoot: true,
      verifyProposer: true,
      verifySignatures: true,
    });
  const np = await engine.notifyNewPayload(elFork, body.executionPayload, [], headRoot, body.executionRequests);
  if (np.status !== "VALID") throw new Error("newPayload " + JSON.stringify(np));
  const root = types.BeaconBlock.hashTreeRoot(block),
    rootHex = toRootHex(root),
    parentSlot = headSlot;
  byRoot.set(rootHex, { slot, fork, root, exec: toHex(body.executionPayload.blockHash), block: unsigned });
  canon.set(slot, rootHex);
  const oldFin = fin().epoch;
  head = post;
  headRoot = root;
  headSlot = slot;
  headHash = toHex(body.executionPayload.blockHash);
  pendingAttSlots = pendingAttSlots.filter((a) => a >= slot);
  lcs.onImportBlockHead(block, new ST.BeaconStateView(post), parentSlot);
  stats.produced++;
  emitter.emit(routes.events.EventType.head, {
    slot,
    block: rootHex,
    state: toRootHex(block.stateRoot),
    epochTransition: slot % P.SLOTS_PER_EPOCH === 0,
    previousDutyDependentRoot: ZERO,
    currentDutyDependentRoot: ZERO,
    executionOptimistic: false,
  });
  if (fin().epoch > oldFin)
    emitter.emit(routes.events.EventType.finalizedCheckpoint, {
      block: cpHex(fin()),
      state: ZERO,
      epoch: fin().epoch,
      executionOptimistic: false,
    });
  return rootHex;
}

// ---------------------------------------------------------------- beacon API
const nope = () => {
  throw new ApiError(501, "not implemented on this devnet");
};
const api = (impl) => new Proxy(impl, { get: (t, k) => t[k] ?? nope });
const resolveBlock = (id) => {
  let rootHex;
  const s = String(id);
  if (s === "head") rootHex = toRootHex(headRoot);
  else if (s === "genesis") rootHex = toRootHex(genesisRoot);
  else if (s === "finalized") rootHex = fin().epoch > 0 ? cpHex(fin()) : toRootHex(genesisRoot);
  else if (s === "justified") rootHex = just().epoch > 0 ? cpHex(just()) : toRootHex(genesisRoot);
  else if (s.startsWith("0x")) rootHex = s.toLowerCase();
  else if (/^\d+$/.test(s)) rootHex = s === "0" ? toRootHex(genesisRoot) : canon.get(Number(s));
  else throw new ApiError(400, "invalid block id " + s);
  const b = rootHex && byRoot.get(rootHex);
  if (!b) throw new ApiError(404, "block not found: " + s);
  return b;
};
const finSlot = () => (fin().epoch > 0 ? (byRoot.get(cpHex(fin()))?.slot ?? 0) : 0);
const header = (b) => ({
  root: b.root,
  canonical: canon.get(b.slot) === toRootHex(b.root),
  header: { message: ST.blockToHeader(config, b.block.message), signature: b.block.signature },
});
const cpJson = (c) => c.toValue();
const beaconApi = {
  async getGenesis() {
    return {
      data: {
        genesisTime: O.genesisTime,
        genesisValidatorsRoot: head.genesisValidatorsRoot,
        genesisForkVersion: chainConfig.GENESIS_FORK_VERSION,
      },
    };
  },
  async getBlockV2({ blockId }) {
    const b = resolveBlock(blockId);
    return { data: b.block, meta: { executionOptimistic: false, finalized: b.slot <= finSlot(), version: b.fork } };
  },
  async getBlockHeader({ blockId }) {
    const b = resolveBlock(blockId);
    return { data: header(b), meta: { executionOptimistic: false, finalized: b.slot <= finSlot() } };
  },
  async getBlockHeaders({ slot, parentRoot }) {
    let l =
      slot !== undefined
        ? [canon.get(slot)]
        : parentRoot !== undefined
          ? [...byRoot].filter(([, b]) => toRootHex(b.block.message.parentRoot) === parentRoot).map(([r]) => r)
          : [toRootHex(headRoot)];
    return {
      data: l.filter((r) => r && byRoot.has(r)).map((r) => header(byRoot.get(r))),
      meta: { executionOptimistic: false, finalized: false },
    };
  },
  async getBlockRoot({ blockId }) {
    const b = resolveBlock(blockId);
    return { data: { root: b.root }, meta: { executionOptimistic: false, finalized: b.slot <= finSlot() } };
  },
  async getStateFinalityCheckpoints({ stateId }) {
    if (stateId !== "head") throw new ApiError(404, "only the head state is kept");
    return {
      data: {
        previousJustified: cpJson(head.previousJustifiedCheckpoint),
        currentJustified: cpJson(head.currentJustifiedCheckpoint),
        finalized: cpJson(head.finalizedCheckpoint),
      },
      meta: { executionOptimistic: false, finalized: false },
    };
  },
  async getStateFork() {
    return { data: head.fork.toValue(), meta: { executionOptimistic: false, finalized: false } };
  },
  async getStateRoot({ stateId }) {
    const b = resolveBlock(stateId);
    return {
      data: { root: b.block.message.stateRoot },
      meta: { executionOptimistic: false, finalized: b.slot <= finSlot() },
    };
  },
};
const nodeApi = {
  async getNodeVersion() {
    return { data: { version: "lc-devnet/lodestar-libs-1.46.0" } };
  },
  async getSyncingStatus() {
    return {
      data: {
        headSlot,
        syncDistance: Math.max(0, clock.currentSlot - headSlot),
        isSyncing: false,
        isOptimistic: false,
        elOffline: false,
      },
    };
  },
  async getHealth() {
    return { status: 200 };
  },
};
const eventsApi = {
  eventstream({ topics, signal, onEvent }) {
    for (const topic of topics) {
      const h = (message) => onEvent({ type: topic, message });
      emitter.on(topic, h);
      signal.addEventListener("abort", () => emitter.off(topic, h), { once: true });
    }
    return Promise.resolve();
  },
};
const server = fastify({
  logger: false,
  ajv: { customOptions: { coerceTypes: "array" } },
  routerOptions: { querystringParser: (s) => qs.parse(s, { comma: true, parseArrays: false }) },
});
addSszContentTypeParser(server);
server.setErrorHandler((e, _q, r) =>
  r
    .status(
      e.validation ? 400 : (e.statusCode ?? (/not available|No (optimistic|finality)/.test(e.message) ? 404 : 500)),
    )
    .send({ code: e.statusCode ?? 500, message: e.message }),
);
registerRoutes(
  server,
  config,
  {
    beacon: api(beaconApi),
    config: api(getConfigApi({ config })),
    node: api(nodeApi),
    events: api(eventsApi),
    lightclient: api(getLightclientApi({ chain: { lightClientServer: lcs }, config })),
  },
  ["beacon", "config", "node", "events", "lightclient"],
);

const summary = () => ({
  preset,
  seed: O.seed,
  slot_seconds: O.slotSeconds,
  genesis_time: O.genesisTime,
  chain_id: O.chainId,
  validators: O.validators,
  genesis_validators_root: toRootHex(head.genesisValidatorsRoot),
  genesis_block_root: toRootHex(genesisRoot),
  execution_genesis_hash: elg.hash,
  fork_at_genesis: genesisFork,
  forks: Object.fromEntries(
    [["phase0", 0, version(0)], ...order.map((f, i) => [f, epochs[f], version(i + 1)])]
      .filter((x) => x[1] !== Infinity)
      .map(([f, e, v]) => [f, { epoch: e, version: toHex(v) }]),
  ),
  slots_per_epoch: P.SLOTS_PER_EPOCH,
  epochs_per_sync_committee_period: P.EPOCHS_PER_SYNC_COMMITTEE_PERIOD,
  sync_committee_size: P.SYNC_COMMITTEE_SIZE,
  head: { slot: headSlot, root: toRootHex(headRoot), execution_hash: headHash },
  current_slot: clock.currentSlot,
  justified: { epoch: just().epoch, root: cpHex(just()) },
  finalized: { epoch: fin().epoch, root: cpHex(fin()) },
  sync_participation: stats.participation,
  produced: stats.produced,
  missed: stats.missed,
});
server.get("/devnet/info", async () => summary());
// Fault knobs on the honest chain itself: sync-committee participation (0..1, or "default") and proposals on/off.
let halted = false;
server.post("/devnet/participation/:p", async (q) => {
  syncParticipation.value = q.params.p === "default" ? null : Number(q.params.p);
  return { participation: syncParticipation.value };
});
server.post("/devnet/halt/:on", async (q) => {
  halted = q.params.on === "1";
  return { halted };
});

// Forge: objects that are validly signed by the real committee keys (or deliberately not), for tests of the
// verifier's other rules. GET /devnet/forge?kind=K[&base=finality|optimistic|update&period=N]
const forgeKinds = {
  none: "unchanged copy of the latest finality update",
  few_signers: "valid signature, but only one third of the committee (below the 2/3 safety threshold)",
  one_signer: "valid signature by a single committee member",
  zero_bits: "no participation bits set, signature at infinity",
  attacker_header:
    "attested header with another state root, signed by the whole committee; finality branch no longer matches",
  attacker_execution: "execution header changed after signing (execution branch no longer matches)",
  wrong_domain_fork: "signed under the previous fork version's domain",
  wrong_genesis_root: "signed under another genesis_validators_root",
  next_committee_signed: "signed by the next period's sync committee",
  bits_not_matching: "participation bits rotated by one against the signature",
  signature_slot_le_attested: "signature_slot equal to the attested slot",
  signature_slot_future: "signature_slot one day ahead",
  finalized_after_attested: "finalized header newer than the attested header",
  bad_point: "signature bytes that are not a curve point",
  infinity_signature: "all bits set, signature is the point at infinity",
};
async function forge(kind) {
  const base = lcs.getFinalityUpdate();
  if (!base) throw new ApiError(404, "no finality update yet");
  const fork = config.getForkName(base.attestedHeader.beacon.slot),
    type = ssz[fork].LightClientFinalityUpdate;
  const u = type.clone(base);
  const period = ST.computeSyncPeriodAtSlot(u.signatureSlot);
  const idx =
    period === ST.computeSyncPeriodAtSlot(headSlot) ? head.epochCtx.currentSyncCommitteeIndexed.validatorIndices : null;
  if (!idx) throw new ApiError(503, "latest finality update is not in the head period; retry in a few slots");
  const n = P.SYNC_COMMITTEE_SIZE,
    prev = u.signatureSlot - 1;
  const root = () => ssz.phase0.BeaconBlockHeader.hashTreeRoot(u.attestedHeader.beacon);
  const sign = (bits, committee = idx, domain = config.getDomain(u.signatureSlot, P.DOMAIN_SYNC_COMMITTEE, prev)) => {
    const s = [];
    for (let i = 0; i < n; i++) if (bits.get(i)) s.push(committee[i]);
    u.syncAggregate = {
      syncCommitteeBits: bits,
      syncCommitteeSignature: aggSign(s, ST.computeSigningRoot(ssz.Root, root(), domain)),
    };
  };
  const first = (k) => {
    const b = BitArray.fromBitLen(n);
    for (let i = 0; i < k; i++) b.set(i, true);
    return b;
  };
  switch (kind) {
    case "none":
      break;
    case "few_signers":
      sign(first(Math.floor(n / 3)));
      break;
    case "one_signer":
      sign(first(1));
      break;
    case "zero_bits":
      u.syncAggregate = { syncCommitteeBits: first(0), syncCommitteeSignature: ST.G2_POINT_AT_INFINITY };
      break;
    case "attacker_header":
      u.attestedHeader.beacon.stateRoot = sha("attacker");
      sign(first(n));
      break;
    case "attacker_execution":
      u.finalizedHeader.execution.stateRoot = sha("attacker");
      u.attestedHeader.execution.stateRoot = sha("attacker");
      break;
    case "wrong_domain_fork":
      sign(first(n), idx, ST.computeDomain(P.DOMAIN_SYNC_COMMITTEE, version(0), head.genesisValidatorsRoot));
      break;
    case "wrong_genesis_root":
      sign(first(n), idx, ST.computeDomain(P.DOMAIN_SYNC_COMMITTEE, config.getForkVersion(prev), sha("other chain")));
      break;
    case "next_committee_signed":
      sign(first(n), head.epochCtx.nextSyncCommitteeIndexed.validatorIndices);
      break;
    case "bits_not_matching": {
      sign(first(n - 1));
      const b = BitArray.fromBitLen(n);
      for (let i = 1; i < n; i++) b.set(i, true);
      u.syncAggregate.syncCommitteeBits = b;
      break;
    }
    case "signature_slot_le_attested":
      u.signatureSlot = u.attestedHeader.beacon.slot;
      sign(first(n));
      break;
    case "signature_slot_future":
      u.signatureSlot = u.signatureSlot + Math.ceil(86400 / O.slotSeconds);
      break;
    case "finalized_after_attested": {
      const h = u.finalizedHeader;
      u.finalizedHeader = u.attestedHeader;
      u.attestedHeader = h;
      sign(first(n));
      break;
    }
    case "bad_point":
      u.syncAggregate.syncCommitteeSignature = new Uint8Array(96).fill(0x5a);
      break;
    case "infinity_signature":
      u.syncAggregate = { syncCommitteeBits: first(n), syncCommitteeSignature: ST.G2_POINT_AT_INFINITY };
      break;
    default:
      throw new ApiError(400, "unknown kind");
  }
  return { version: fork, data: type.toJson(u) };
}
server.get("/devnet/forge/kinds", async () => forgeKinds);
server.get("/devnet/forge", async (q) => forge(q.query.kind ?? "none"));
await server.listen({ port: O.port, host: "127.0.0.1" });
log(
  "beacon API on",
  O.port,
  "preset",
  preset,
  "fork at genesis",
  genesisFork,
  "gvr",
  toRootHex(head.genesisValidatorsRoot),
);

// ---------------------------------------------------------------- slot loop
for (let slot = 1; ; slot++) {
  const at = (O.genesisTime + slot * O.slotSeconds) * 1000;
  const wait = at - Date.now();
  if (wait > 0) await sleep(wait);
  else await new Promise((r) => setImmediate(r));
  if (halted || (rnd() < O.miss && slot % P.SLOTS_PER_EPOCH !== 0)) {
    stats.missed++;
    pendingAttSlots.push(slot);
    continue;
  }
  try {
    const t0 = Date.now();
    await produce(slot);
    if (slot % P.SLOTS_PER_EPOCH === 0 || wait > 0)
      log(
        "slot",
        slot,
        "epoch",
        ST.computeEpochAtSlot(slot),
        "fin",
        fin().epoch,
        "just",
        just().epoch,
        "sync",
        stats.participation.toFixed(2),
        "el",
        head.latestExecutionPayloadHeader.blockNumber,
        "ms",
        Date.now() - t0,
      );
  } catch (e) {
    stats.missed++;
    log("ERROR slot", slot, e.stack?.split("\n").slice(0, 6).join(" | "));
    if (stats.produced === 0 && stats.missed > 20) process.exit(1);
  }
  pendingAttSlots.push(slot);
}
