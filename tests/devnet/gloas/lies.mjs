// What a server of the scripted chain can tell that is not so, and the reason for which a node refuses it.
import { unhex } from "./execution.mjs";

const flip = (bytes) => {
  bytes[0] ^= 1;
};

// The last update of before the fork with the newest signature: a header of the old form for a beacon block of Gloas.
function inOldForm(answer, chain) {
  const { attestedHeader, syncAggregate, signatureSlot } = answer.value;
  const update = chain.update({ attested: chain.forkSlot - 1, signature: chain.forkSlot });
  const old = { ...update, syncAggregate, signatureSlot };
  old.attestedHeader = { ...update.attestedHeader, beacon: attestedHeader.beacon };
  Object.assign(answer, { value: old, form: "fulu", version: "fulu" });
}

const isHead = ({ method }) => method === "eth_getBlockByHash";

// what: see Server.lie; reason: how the node says it; counts: as what, if not as a lie.
export const FORGERIES = {
  "the payload's own hash": {
    layer: "light",
    what: ({ value, slot }, { beacon }) => {
      const { own, ownBranch } = beacon.blocks.get(slot);
      Object.assign(value.attestedHeader, { executionBlockHash: unhex(own.hash), executionBranch: ownBranch });
    },
    reason: /the attested execution block hash is the payload's own, not its parent's/,
  },
  "a wrong execution branch": {
    layer: "light",
    what: ({ value }) => flip(value.attestedHeader.executionBranch[3]),
    reason: /the attested execution block hash is not the one in the block/,
  },
  "a wrong finality branch": {
    layer: "light",
    what: ({ kind, value }) => kind === "FinalityUpdate" && void flip(value.finalityBranch[8]),
    reason: /the finalized header is not the one in the attested state/,
  },
  "a node in front of an older branch": {
    layer: "light",
    what: ({ kind, value }, { forkSlot }) => {
      if (kind !== "FinalityUpdate" || value.finalizedHeader.beacon.slot >= forkSlot) return false;
      flip(value.finalizedHeader.executionBranch[0]); // of two that are zero: the branch of before the fork is shorter
      return true;
    },
    reason: /the finalized execution block hash is not the one in the block/,
  },
  "another finalized block's hash": {
    layer: "light",
    what: ({ kind, value }) => kind === "FinalityUpdate" && void flip(value.finalizedHeader.executionBlockHash),
    reason: /the finalized execution block hash is not the one in the block/,
  },
  "a wrong committee branch": {
    layer: "updates",
    what: ({ value }) => flip(value.nextSyncCommitteeBranch[10]),
    reason: /updates: .*the sync committee is not the one in the state/,
  },
  "another next committee": {
    layer: "updates",
    what: ({ value }) => void value.nextSyncCommittee.pubkeys.reverse(),
    reason: /updates: .*the sync committee is not the one in the state/,
  },
  "a bootstrap with a wrong committee branch": {
    layer: "bootstrap",
    what: ({ value }) => flip(value.currentSyncCommitteeBranch[2]),
    reason: /bootstrap: .*the sync committee is not the one in the state/,
  },
  "the bootstrap of another block": {
    layer: "bootstrap",
    what: ({ value }) => flip(value.header.beacon.parentRoot),
    reason: /bootstrap: .*the header is not that of the trusted checkpoint/,
  },
  "a signature slot of before the fork": {
    layer: "light",
    what: ({ value }, { forkSlot }) => void (value.signatureSlot = forkSlot - 1), // nobody signs it
    reason: /the signature slot is not after the attested header/,
  },
  "the form from before the fork": {
    layer: "light",
    what: inOldForm,
    counts: "unusable", // it contradicts nothing that was asked: no block has such a header
    reason: /the attested header is in a form older than the fork at its slot/,
  },
  "the header of another block": {
    layer: "rpc",
    what: (answer, request, { execution }) => {
      if (!isHead(request)) return false;
      answer.result = execution.json(execution.blocks.at(-1));
      return true;
    },
    reason: /its 23 fields have another hash/,
  },
  "the access list of another block": {
    layer: "rpc",
    what: (answer, { method }, { execution }) => {
      if (method !== "eth_getBlockAccessList" || !answer.result) return false;
      answer.result = execution.accessList(execution.blocks.at(-1));
      return true;
    },
    reason: /eth_getBlockAccessList: it has another hash than its block's header says/,
  },
  "an access list without its last account": {
    layer: "rpc",
    what: ({ result }, { method }) => {
      if (method !== "eth_getBlockAccessList" || !result) return false;
      result.pop();
      return true;
    },
    reason: /eth_getBlockAccessList: it has another hash than its block's header says/,
  },
  "the next block's header": {
    layer: "rpc",
    what: (answer, request, { execution }) => {
      const next = isHead(request) && answer.result && execution.blocks[Number(answer.result.number) + 1];
      if (next) answer.result = execution.json(next);
      return Boolean(next);
    },
    reason: /its 2[13] fields have another hash/,
  },
  "a header of another slot": {
    layer: "rpc",
    what: ({ result }, request) => {
      if (!isHead(request) || !result?.slotNumber) return false;
      result.slotNumber = "0x" + (Number(result.slotNumber) - 1).toString(16);
      return true;
    },
    reason: /its 23 fields have another hash/,
  },
  "a header of 21 fields": {
    layer: "rpc",
    what: (answer, request) => {
      if (!isHead(request)) return false;
      delete answer.result.blockAccessListHash;
      delete answer.result.slotNumber;
      return true;
    },
    reason: /its 21 fields have another hash/,
  },
};

// The objects of a chain that has gone on to a fork that nobody here knows, signed under its version.
export function asHeze(answer, chain) {
  const signed = { attested: answer.slot, signature: Number(answer.value.signatureSlot) };
  answer.value.syncAggregate = chain.update(signed, { version: "heze" }).syncAggregate;
  answer.version = "heze";
}

// What says that an endpoint is of a newer fork: no lies, whatever comes of it.
export const CLAIMS = {
  version: {
    light: (answer) => {
      answer.version = "heze";
    },
  },
  spec: {
    spec: (data) => {
      data.HEZE_FORK_EPOCH = "12";
      data.IMAX_FORK_EPOCH = "18446744073709551615";
    },
  },
  config: {
    rpc: (answer, { method }, chain) => {
      if (method !== "eth_config") return false;
      delete answer.error;
      const at = (epoch) => ({ activationTime: chain.genesisTime + epoch * 8 * chain.slotSeconds });
      answer.result = { current: at(chain.forkSlot / 8), next: at(12), last: at(12) };
      return true;
    },
  },
  header: {
    rpc: (answer, request) => {
      if (!isHead(request)) return false;
      answer.result.inclusionListHash = answer.result.stateRoot;
      answer.result.stateRoot = answer.result.parentHash;
      return true;
    },
  },
};
