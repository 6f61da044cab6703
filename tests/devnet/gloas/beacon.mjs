// The scripted chain's consensus side: beacon blocks of Fulu, then of Gloas, in the minimal preset, with Lodestar's SSZ
// types and real signatures; and the light-client objects that a server makes of them. No state transition: the script
// says what each state and body holds.
import { createHash } from "node:crypto";
import { Tree } from "@chainsafe/persistent-merkle-tree";
import * as blst from "@chainsafe/blst";
import { hex, unhex } from "./execution.mjs";

process.env.LODESTAR_PRESET = "minimal"; // before Lodestar's packages are loaded
const { ssz } = await import("@lodestar/types");

const COMMITTEE = 32;
const EPOCH = 8;
export const PERIOD = 64;
const FORKS = ["ALTAIR", "BELLATRIX", "CAPELLA", "DENEB", "ELECTRA", "FULU", "GLOAS"];
const DOMAIN_SYNC_COMMITTEE = [7, 0, 0, 0];

export function sha(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

const u64 = (n) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(n));
  return bytes;
};
const ROOT = sha("genesis validators root");
const ZERO = new Uint8Array(32);
const padded = (branch, length) => [...Array(length - branch.length).fill(ZERO), ...branch];
const forkIndex = { fulu: 6, gloas: 7, heze: 8 };

function committee(tag) {
  const secrets = Array.from({ length: COMMITTEE }, (_, i) => blst.SecretKey.fromKeygen(sha(tag, String(i))));
  const keys = secrets.map((secret) => secret.toPublicKey());
  const pubkeys = keys.map((key) => key.toBytes());
  return { secrets, value: { pubkeys, aggregatePubkey: blst.aggregatePublicKeys(keys).toBytes() } };
}

function proof(type, value, path) {
  return new Tree(type.toView(value).node).getSingleProof(type.getPathInfo(path).gindex);
}

export class Beacon {
  #committees = [0, 1, 2, 3].map((i) => committee(`committee ${i}`));
  blocks = new Map(); // by slot
  #parent = sha("anchor");

  constructor({ gloasEpoch, execution, slotSeconds, genesisTime }) {
    Object.assign(this, { gloasEpoch, execution, slotSeconds, genesisTime });
  }

  forkOf(slot) {
    return Math.floor(slot / EPOCH) >= this.gloasEpoch ? "gloas" : "fulu";
  }

  #dataRoot(fork) {
    const currentVersion = Uint8Array.of(forkIndex[fork], 0, 0, 1);
    return ssz.phase0.ForkData.hashTreeRoot({ currentVersion, genesisValidatorsRoot: ROOT });
  }

  digest(fork) {
    const mask = sha(u64(0), u64(9));
    return this.#dataRoot(fork).slice(0, 4).map((byte, i) => byte ^ mask[i]);
  }

  // The next block. withheld: the builder never shows its payload, so that the next block builds on the same one.
  async add(slot, { finalized, withheld = false } = {}) {
    const fork = this.forkOf(slot);
    const types = ssz[fork];
    const state = types.BeaconState.defaultValue();
    const period = Math.floor(slot / PERIOD);
    Object.assign(state, { slot, genesisValidatorsRoot: ROOT });
    state.currentSyncCommittee = this.#committees[period].value;
    state.nextSyncCommittee = this.#committees[period + 1].value;
    const root = finalized === undefined ? ZERO : this.blocks.get(finalized).root;
    state.finalizedCheckpoint = { epoch: Math.ceil((finalized ?? 0) / EPOCH), root };
    const body = types.BeaconBlockBody.defaultValue();
    body.graffiti = sha("graffiti", String(slot));
    const builtOn = this.execution.blocks.at(-1);
    const own = await this.#payload(slot, fork, withheld);
    const block = { slot, fork, types, state, body, finalized, own };
    if (fork === "gloas") this.#bid(block, builtOn, own);
    else this.#carry(block, own);
    const beacon = { slot, proposerIndex: slot % 7, parentRoot: this.#parent };
    beacon.stateRoot = types.BeaconState.hashTreeRoot(state);
    beacon.bodyRoot = types.BeaconBlockBody.hashTreeRoot(body);
    block.beacon = beacon;
    block.root = ssz.phase0.BeaconBlockHeader.hashTreeRoot(beacon);
    this.#parent = block.root;
    this.blocks.set(slot, block);
    return block;
  }

  #payload(slot, fork, withheld) {
    const timestamp = this.genesisTime + slot * this.slotSeconds;
    const block = { slot, timestamp, amsterdam: fork === "gloas", parentBeaconRoot: this.#parent };
    return withheld ? { hash: hex(sha("withheld", String(slot))) } : this.execution.add(block);
  }

  // A Gloas body names the payload that it builds on, and commits to its own.
  #bid(block, builtOn, own) {
    const { message } = block.body.signedExecutionPayloadBid;
    const hashes = { parentBlockHash: unhex(builtOn.hash), blockHash: unhex(own.hash) };
    Object.assign(message, { ...hashes, parentBlockRoot: this.#parent, slot: block.slot });
    message.feeRecipient = sha("fee").slice(0, 20);
    block.proves = builtOn;
    const path = (name) => ["signedExecutionPayloadBid", "message", name];
    block.branch = proof(block.types.BeaconBlockBody, block.body, path("parentBlockHash"));
    // The light-client header has room for the lowest 11 of these 14 nodes.
    block.ownBranch = proof(block.types.BeaconBlockBody, block.body, path("blockHash")).slice(0, 11);
  }

  // A Fulu body holds its payload.
  #carry(block, own) {
    const { fields } = own;
    const payload = block.body.executionPayload;
    Object.assign(payload, {
      ...{ parentHash: fields.parentHash, feeRecipient: fields.miner, stateRoot: fields.stateRoot },
      ...{ receiptsRoot: fields.receiptsRoot, logsBloom: fields.logsBloom, prevRandao: fields.mixHash },
      ...{ blockNumber: fields.number, gasLimit: fields.gasLimit, gasUsed: fields.gasUsed },
      ...{ timestamp: fields.timestamp, extraData: fields.extraData, blockHash: unhex(own.hash) },
      baseFeePerGas: BigInt(fields.baseFeePerGas),
    });
    block.proves = own;
    block.branch = proof(block.types.BeaconBlockBody, block.body, ["executionPayload"]);
    block.hashBranch = proof(block.types.BeaconBlockBody, block.body, ["executionPayload", "blockHash"]);
    const { transactions, withdrawals, ...rest } = payload;
    block.payloadHeader = {
      ...rest,
      transactionsRoot: ssz.bellatrix.Transactions.hashTreeRoot(transactions),
      withdrawalsRoot: ssz.capella.Withdrawals.hashTreeRoot(withdrawals),
    };
  }

  // The light-client header of a block, in the form of a fork: the older one's can be written in the newer form.
  header(slot, form) {
    const { beacon, fork, proves, branch, hashBranch, payloadHeader } = this.blocks.get(slot);
    if (form === "fulu") return { beacon, execution: payloadHeader, executionBranch: branch };
    const executionBranch = fork === "gloas" ? branch : padded(hashBranch, 11);
    return { beacon, executionBlockHash: unhex(proves.hash), executionBranch };
  }

  types(form) {
    return form === "gloas" ? ssz.gloas : ssz.electra;
  }

  #branch(block, path, form, length) {
    const branch = proof(block.types.BeaconState, block.state, path);
    return form === "gloas" ? padded(branch, length) : branch;
  }

  bootstrap(slot) {
    const block = this.blocks.get(slot);
    const form = block.fork;
    return {
      header: this.header(slot, form),
      currentSyncCommittee: block.state.currentSyncCommittee,
      currentSyncCommitteeBranch: this.#branch(block, ["currentSyncCommittee"], form, 11),
    };
  }

  // Everything that the block at signature slot says of an attested block; the shorter updates are parts of it.
  // signers: how many of the committee; version: the fork under which they sign.
  update(attested, signatureSlot, { signers = COMMITTEE, version = this.forkOf(signatureSlot - 1) } = {}) {
    const block = this.blocks.get(attested);
    const form = block.fork;
    const update = this.types(form).LightClientUpdate.defaultValue();
    update.attestedHeader = this.header(attested, form);
    update.nextSyncCommittee = block.state.nextSyncCommittee;
    update.nextSyncCommitteeBranch = this.#branch(block, ["nextSyncCommittee"], form, 11);
    update.finalizedHeader = this.header(block.finalized, form);
    update.finalityBranch = this.#branch(block, ["finalizedCheckpoint", "root"], form, 9);
    update.signatureSlot = signatureSlot;
    update.syncAggregate = this.#sign(block.root, signatureSlot, signers, version);
    return update;
  }

  #sign(root, signatureSlot, signers, version) {
    const domain = new Uint8Array(32);
    domain.set(DOMAIN_SYNC_COMMITTEE);
    domain.set(this.#dataRoot(version).slice(0, 28), 4);
    const signed = ssz.phase0.SigningData.hashTreeRoot({ objectRoot: root, domain });
    const { secrets } = this.#committees[Math.floor(signatureSlot / PERIOD)];
    const aggregate = ssz.altair.SyncAggregate.defaultValue();
    for (let i = 0; i < signers; i++) aggregate.syncCommitteeBits.set(i, true);
    const signatures = secrets.slice(0, signers).map((secret) => secret.sign(signed));
    aggregate.syncCommitteeSignature = blst.aggregateSignatures(signatures).toBytes();
    return aggregate;
  }

  // The network object of a setup. more: further keys of its configuration.
  network(more = {}) {
    const config = {
      ...{ PRESET_BASE: "minimal", SLOT_DURATION_MS: String(this.slotSeconds * 1000), DEPOSIT_CHAIN_ID: "1337" },
      ...{ MIN_VALIDATOR_WITHDRAWABILITY_DELAY: "256", MAX_BLOBS_PER_BLOCK_ELECTRA: "9", BLOB_SCHEDULE: [], ...more },
    };
    FORKS.forEach((name, i) => {
      config[`${name}_FORK_VERSION`] = `0x0${i + 1}000001`;
      config[`${name}_FORK_EPOCH`] = name === "GLOAS" ? String(this.gloasEpoch) : "0";
    });
    const genesis = { genesis_time: String(this.genesisTime), genesis_fork_version: "0x00000001" };
    return { name: "gloas", preset: "minimal", config, genesis: { ...genesis, genesis_validators_root: hex(ROOT) } };
  }
}
