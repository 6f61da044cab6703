// Lies of a beacon API. Each is [paths, what it does, how]: how(objects, x) changes the list of {version, data} objects of one
// JSON answer. x.arg is the lie's parameter, x.headers the answer's, x.path what was asked; x.get(path) asks the honest
// server, x.other(path) a server of another chain; x.memory keeps what was seen.
import { clone, flip, isHex, plusOne, walk } from "./values.mjs";

const ANY = /light_client/;
const BOOTSTRAP = /light_client\/bootstrap/;
const UPDATES = /light_client\/updates/;
const FINALITY = /light_client\/finality_update/;
const OPTIMISTIC = /light_client\/optimistic_update/;
const API = "/eth/v1/beacon/light_client/";
const BRANCHES = ["finality_branch", "next_sync_committee_branch", "current_sync_committee_branch"];
const zeros = (hex) => "0x" + "00".repeat((hex.length - 2) / 2);
const bytesOf = (hex) => Buffer.from(hex.slice(2), "hex");
const hexOf = (bytes) => "0x" + bytes.toString("hex");

// How a lie reaches the parts of each object that has them.
const aggregates = (change) => (list) => list.forEach((u) => u.data.sync_aggregate && change(u.data.sync_aggregate));
const signature = (change) => aggregates((a) => (a.sync_committee_signature = change(a.sync_committee_signature)));
const bits = (change) => aggregates((a) => (a.sync_committee_bits = change(a.sync_committee_bits)));
const attested = (change) => (list) =>
  list.forEach((u) => u.data.attested_header && change(u.data.attested_header.beacon));
const branches = (change) => (list) =>
  list.forEach((u) => BRANCHES.forEach((name) => u.data[name] && change(u.data[name])));
const executions = (change) => (list) =>
  list
    .flatMap((u) => [u.data.header, u.data.attested_header, u.data.finalized_header])
    .forEach((header) => header?.execution && change(header));
const committees = (change) => (list) =>
  list.flatMap((u) => [u.data.next_sync_committee, u.data.current_sync_committee]).forEach((c) => c && change(c));
const slots = (change) => (list) =>
  list.forEach((u) => walk(u.data, (k, v) => (k === "slot" || k === "signature_slot" ? change(v) : v)));
const version = (name) => (list, x) => {
  for (const u of list) u.version = name;
  x.headers["eth-consensus-version"] = name;
};
const replay = (name) => (list, x) => {
  x.memory[name] ??= clone(list[0]);
  list[0] = clone(x.memory[name]);
};
const replaced = (list, objects) => list.splice(0, list.length, ...[].concat(objects));

function swapMembers({ pubkeys }) {
  let other = 1; // the committee has repeated members
  while (other < pubkeys.length - 1 && pubkeys[other] === pubkeys[0]) other++;
  [pubkeys[0], pubkeys[other]] = [pubkeys[other], pubkeys[0]];
}

async function otherPeriod(list, x) {
  const [update] = await x.get(`${API}updates?start_period=0&count=1`);
  for (const u of list) {
    for (const name of ["next_sync_committee", "current_sync_committee"]) {
      if (u.data[name]) u.data[name] = update.data.next_sync_committee;
    }
  }
}

async function otherChain(list, x) {
  let { path } = x;
  if (BOOTSTRAP.test(path)) {
    const finalized = await x.other("/eth/v1/beacon/headers/finalized");
    path = `${API}bootstrap/${finalized.data.root}`;
  }
  replaced(list, await x.other(path));
}

async function otherBootstrap(list, x) {
  const first = Number(list[0].data.header.beacon.slot);
  for (const slot of [8, 16, 24, 32].map((more) => first + more)) {
    const { data } = await x.get(`/eth/v1/beacon/blocks/${slot}/root`);
    const other = data && (await x.get(`${API}bootstrap/${data.root}`));
    if (other?.data) return replaced(list, other);
  }
}

function unfinalized(list) {
  for (const { data } of list) {
    walk(data.finalized_header, (k, v) => (isHex(v) ? zeros(v) : "0"));
    data.finality_branch = data.finality_branch.map(zeros);
  }
}

export const beacon = {
  lc_sig_flip: [ANY, "a bit flipped in the signature", signature((s) => flip(s))],
  lc_sig_infinity: [ANY, "signature is the point at infinity", signature(() => "0xc0" + "00".repeat(95))],
  lc_sig_noncanonical: [
    ANY,
    "signature with the compression flag cleared",
    signature((s) => hexOf(bytesOf(s).map((b, i) => (i ? b : b & 0x7f)))),
  ],
  lc_bits_all: [ANY, "all participation bits set", bits((b) => hexOf(bytesOf(b).fill(0xff)))],
  lc_bits_none: [ANY, "no participation bits set", bits(zeros)],
  lc_bits_few: [
    ANY,
    "the last two thirds of the participation bits cleared",
    bits((b) => hexOf(bytesOf(b).fill(0, Math.ceil(bytesOf(b).length / 3)))),
  ],
  lc_bits_short: [ANY, "participation bits one byte short", bits((b) => b.slice(0, -2))],
  lc_attested_state_root: [ANY, "attested state root changed", attested((h) => (h.state_root = flip(h.state_root)))],
  lc_attested_slot: [ANY, "attested slot plus one", attested((h) => (h.slot = plusOne(h.slot)))],
  lc_finalized_root: [
    ANY,
    "finalized header changed",
    (list) => {
      for (const { data } of list) {
        const header = data.finalized_header?.beacon;
        if (header) header.body_root = flip(header.body_root);
      }
    },
  ],
  lc_finality_branch: [
    ANY,
    "a bit flipped in the finality branch",
    (list) => list.forEach(({ data: d }) => d.finality_branch && (d.finality_branch[2] = flip(d.finality_branch[2]))),
  ],
  lc_branch_short: [ANY, "every branch one element short", branches((b) => b.pop())],
  lc_branch_long: [ANY, "every branch one element longer", branches((b) => b.push("0x" + "00".repeat(32)))],
  lc_execution_state_root: [
    ANY,
    "execution state root changed",
    executions((h) => (h.execution.state_root = flip(h.execution.state_root))),
  ],
  lc_execution_branch: [
    ANY,
    "a bit flipped in the execution branch",
    executions((h) => (h.execution_branch[1] = flip(h.execution_branch[1]))),
  ],
  lc_execution_missing: [
    ANY,
    "no execution header",
    executions((h) => [delete h.execution, delete h.execution_branch]),
  ],
  lc_extra_data_long: [
    ANY,
    "execution extra_data of 33 bytes",
    executions((h) => (h.execution.extra_data = "0x" + "ee".repeat(33))),
  ],
  lc_committee_pubkey: [
    ANY,
    "a bit flipped in one committee key",
    committees((c) => (c.pubkeys[3] = flip(c.pubkeys[3]))),
  ],
  lc_committee_swapped: [ANY, "two committee keys swapped", committees(swapMembers)],
  lc_committee_aggregate: [ANY, "aggregate key changed", committees((c) => (c.aggregate_pubkey = c.pubkeys[0]))],
  lc_committee_short: [ANY, "one committee member missing", committees((c) => c.pubkeys.pop())],
  lc_committee_other: [ANY, "the committee of another period", otherPeriod],
  lc_signature_slot: [
    ANY,
    "signature slot plus one",
    (list) => list.forEach(({ data: d }) => d.signature_slot && (d.signature_slot = plusOne(d.signature_slot))),
  ],
  lc_future: [ANY, "all slots a million ahead", slots((s) => String(Number(s) + 1e6))],
  lc_slot_overflow: [ANY, "slots of 2^64 - 1", slots(() => "18446744073709551615")],
  lc_slot_negative: [ANY, "slots with a minus sign", slots((s) => "-" + s)],
  lc_version_wrong: [ANY, 'version "altair" in body and header', version("altair")],
  lc_version_unknown: [ANY, 'version "zeta"', version("zeta")],
  lc_replay_finality: [FINALITY, "always the first finality update that this proxy has seen", replay("finality")],
  lc_replay_optimistic: [
    OPTIMISTIC,
    "always the first optimistic update that this proxy has seen",
    replay("optimistic"),
  ],
  lc_other_chain: [ANY, "the answer of another chain", otherChain],
  lc_forged: [
    FINALITY,
    "an answer of /devnet/forge (arg: kind)",
    async (list, x) => replaced(list, await x.get(`/devnet/forge?kind=${x.arg ?? "few_signers"}`)),
  ],
  lc_bootstrap_other_root: [BOOTSTRAP, "the bootstrap of another finalized block", otherBootstrap],
  lc_updates_empty: [UPDATES, "no updates", (list) => replaced(list, [])],
  lc_updates_reversed: [UPDATES, "updates in reverse order", (list) => list.reverse()],
  lc_updates_gap: [UPDATES, "second update left out", (list) => list.splice(Math.min(1, list.length - 1), 1)],
  lc_updates_repeated: [
    UPDATES,
    "every update is the first one",
    (list) =>
      replaced(
        list,
        list.map(() => clone(list[0])),
      ),
  ],
  lc_updates_many: [
    UPDATES,
    "arg updates (2000) in one answer",
    (list, x) => list.length && replaced(list, Array(Number(x.arg ?? 2000)).fill(list[0])),
  ],
  lc_updates_unfinalized: [UPDATES, "finalized header and branch zeroed", unfinalized],
  genesis_root_wrong: [
    /beacon\/genesis/,
    "another genesis_validators_root",
    ([{ data }]) => (data.genesis_validators_root = flip(data.genesis_validators_root)),
  ],
  genesis_time_wrong: [
    /beacon\/genesis/,
    "genesis time one hour earlier",
    ([{ data }]) => (data.genesis_time = String(Number(data.genesis_time) - 3600)),
  ],
  spec_fork_wrong: [
    /config\/spec/,
    "newest fork versions changed",
    ([{ data }]) => walk(data, (k, v) => (/^(ELECTRA|FULU)_FORK_VERSION$/.test(k) ? flip(v) : v)),
  ],
  spec_slots_wrong: [
    /config\/spec/,
    "slot time doubled",
    ([{ data }]) => walk(data, (k, v) => (/^(SECONDS_PER_SLOT|SLOT_DURATION_MS)$/.test(k) ? String(2 * Number(v)) : v)),
  ],
  syncing: [
    /node\/syncing/,
    "claims to be syncing",
    ([{ data }]) => Object.assign(data, { is_syncing: true, sync_distance: "1000000" }),
  ],
};
