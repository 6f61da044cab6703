// Evidence files of every type of statement on every form of head, about the chains of evidence-world.mjs.
import { getCreateAddress, keccak256, Signature, toBeHex, Transaction } from "ethers";
import {
  answerOf, beaconOf, blockOf, bootstrapOf, fileOf, hashOfJson, hashOfSetup, HISTORY, KEY, networkOf, receiptOf, setupOf, State, timeOfSlot, updateOf, ZERO,
} from "./evidence-world.mjs";

const A = "0xac0000000000000000000000000000000000a000";
const NOBODY = `0x${"dd".repeat(20)}`;
const CODE = "0x5f54600160005401545050602a5f5260205ff3"; // sload(0), sload(1 + sload(0)); return 42
const TOPIC = `0x0d${"00".repeat(31)}`;
const FIRST = 990;
const LOGGED = 996;
const HEAD = 1000;
const OLD = 900;
const SIGNERS = 28;
const zeroFork = (...names) => Object.fromEntries(names.map((name) => [name, 0]));
const FULU = zeroFork("altair", "bellatrix", "capella", "deneb", "electra", "fulu");
const slotOf = (number) => 70 + 2 * (number - LOGGED);
const quantity = (n) => `0x${BigInt(n).toString(16)}`;
const word = (n) => toBeHex(BigInt(n), 32);

// ---- transactions of every type, and their receipts

const log = (data) => ({ address: A, topics: [TOPIC, word(7)], data });
const sender = `0x${keccak256(`0x${KEY.publicKey.slice(4)}`).slice(26)}`;

function signed(fields) {
  const tx = Transaction.from(fields);
  tx.signature = KEY.sign(tx.unsignedHash);
  return tx;
}

function transactions() {
  const common = { to: A, nonce: 7, gasLimit: 21000, value: 5, data: "0x6b" };
  const fees = { maxFeePerGas: 20, maxPriorityFeePerGas: 2, chainId: 1337 };
  const access = [{ address: A, storageKeys: [word(1), word(2)] }];
  const delegation = { address: A, nonce: 3, chainId: 1337n, signature: Signature.from(KEY.sign(word(9))) };
  return [
    signed({ ...common, type: 0, gasPrice: 9 }), // of any chain
    signed({ ...common, type: 0, gasPrice: 9, chainId: 1337, to: null }),
    signed({ ...common, type: 1, gasPrice: 11, chainId: 1337, accessList: access }),
    signed({ ...common, type: 2, ...fees, maxFeePerGas: 8 }),
    signed({ ...common, type: 3, ...fees, maxFeePerBlobGas: 500, blobVersionedHashes: [`0x01${"ab".repeat(31)}`, `0x01${"cd".repeat(31)}`] }),
    signed({ ...common, type: 4, ...fees, authorizationList: [delegation] }),
  ];
}

/** The receipt of transaction i as eth_getTransactionReceipt answers. */
function receiptJson(block, txs, i) {
  const tx = txs[i];
  const logs = block.logs[i];
  const first = block.logs.slice(0, i).flat().length;
  const place = { blockHash: block.hash, blockNumber: quantity(block.number), transactionHash: tx.hash, transactionIndex: quantity(i) };
  const price = tx.type < 2 ? tx.gasPrice : tx.maxFeePerGas < 9n ? tx.maxFeePerGas : 9n; // the base fee is 7, the tip 2
  return {
    ...place,
    from: sender,
    to: tx.to ? A : null,
    contractAddress: tx.to ? null : getCreateAddress({ from: sender, nonce: 7 }).toLowerCase(),
    cumulativeGasUsed: quantity(21000 * (i + 1)),
    effectiveGasPrice: quantity(price),
    gasUsed: quantity(21000),
    logsBloom: block.receiptBlooms[i],
    status: quantity(i === 2 ? 0 : 1),
    type: quantity(tx.type),
    ...(tx.type === 3 && { blobGasUsed: quantity(2 * 131072), blobGasPrice: quantity(399) }),
    logs: logs.map((one, k) => ({ ...one, ...place, blockTimestamp: quantity(block.timestamp), logIndex: quantity(first + k), removed: false })),
  };
}

// ---- a chain of blocks 990 to 1001, and one far older

class Chain {
  /** tail: optional fields of headers; late: slots by which a beacon block is later than its execution block. */
  constructor(net, { tail = 6, late = 0 } = {}) {
    Object.assign(this, { net, tail, late });
    const slots = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [i, 3 + i]));
    const accounts = { [A]: { nonce: 1, balance: 10n ** 20n, code: CODE, slots }, [`0x${"b0".repeat(20)}`]: { balance: 5 } };
    for (let i = 1; i < 40; i++) accounts[`0x${i.toString(16).padStart(2, "0").repeat(20)}`] = { nonce: i, balance: i };
    this.old = this.#block(OLD, undefined, new State(accounts));
    this.state = new State({ ...accounts, [HISTORY]: { nonce: 1, slots: { [OLD]: this.old.hash } } });
    this.txs = transactions();
    this.blocks = {};
    for (let n = FIRST; n <= HEAD + 1; n++) this.blocks[n] = this.#block(n, this.blocks[n - 1], this.state, n === LOGGED);
  }

  #block(number, parent, state, logged) {
    const slot = slotOf(number) < 0 ? 2 : slotOf(number);
    const fields = { number, parent, state, tail: this.tail, slot, timestamp: timeOfSlot(slot) };
    if (!logged) return blockOf(fields);
    const logs = this.txs.map((_, i) => Array.from({ length: i % 3 }, (_, k) => log(`0x0${i}0${k}`)));
    const receipts = this.txs.map((tx, i) => receiptOf(tx.type, i === 2 ? 0 : 1, 21000 * (i + 1), logs[i]));
    const block = blockOf({ ...fields, transactions: this.txs.map((tx) => tx.serialized), receipts, logs });
    return Object.assign(block, { receiptBlooms: logs.map((some) => blockOf({ ...fields, logs: [some] }).fields[6]) });
  }

  beacon(number, finalized) {
    return beaconOf(this.net, slotOf(number) + this.late, this.blocks[number], finalized);
  }

  /** The consensus of a head in period 1, from a checkpoint in period 0; how: attested, finalized, or linked to a finalized one. */
  consensus(how) {
    this.early ??= this.#block(980, undefined, this.state); // slot 38
    const at = (slot, finalized) => beaconOf(this.net, slot, this.early, finalized);
    const checkpoint = at(8);
    const [final, head] = [this.beacon(997), this.beacon(how === "linked" ? HEAD - 1 : HEAD, this.beacon(997))];
    const base = { bootstrap: bootstrapOf(this.net, checkpoint), updates: [updateOf(this.net, "update", at(40, at(24)), 32)], finality: null };
    const kind = how === "finalized" ? "finality" : "optimistic";
    const shown = { kind, header: how === "finalized" ? "finalized" : "attested", object: updateOf(this.net, kind, head, SIGNERS) };
    if (how === "linked") base.finality = updateOf(this.net, "finality", this.beacon(HEAD + 1, this.beacon(HEAD)), SIGNERS + 1);
    return { checkpoint, rests: how === "finalized" ? final : head, final: how !== "attested", consensus: { ...base, head: shown } };
  }
}

const WINDOWS = { latest: 120, safe: 1800, block: 86400 };

/** A file about a block; how: of the head; at: the statement's block, the head's when absent. */
function evidence(chain, how, type, members, { at, window = "latest", request, result, shown = {}, headers = [] } = {}) {
  const { checkpoint, rests, final, consensus } = chain.consensus(how);
  const setup = setupOf(chain.net, 1700000000, checkpoint);
  const issued = timeOfSlot(rests.slot);
  const seal = { issuedAt: String(issued), validUntil: String(issued + WINDOWS[window]), setup: hashOfSetup(setup) };
  const block = at ?? rests.block;
  const place = {
    number: String(block.number), hash: block.hash, stateRoot: block.state.root, timestamp: String(block.timestamp),
    slot: String((block.timestamp - 1700000000) / 12), finality: final ? 2 : 0, signers: SIGNERS,
  };
  const message = type === "CheckpointStatement" ? members : { [type === "LogsStatement" ? "to" : "at"]: place, ...members };
  const ofHeads = chain.late ? [rests.block, ...(how === "linked" ? [chain.blocks[HEAD]] : [])] : []; // their objects have only hashes
  const linked = how === "linked" ? [rests.block] : []; // to the final head
  const file = fileOf({
    setup, request, answer: answerOf(type, { ...message, ...seal }, result), consensus, headers: [...headers, ...ofHeads, ...linked], ...shown,
  });
  return { file, checkpoint: checkpoint.root, network: chain.net };
}

const between = (chain, from, to) => Array.from({ length: to - from + 1 }, (_, i) => chain.blocks[from + i]);
const callOf = (overrides = ZERO) => ({
  call: { from: `0x${"00".repeat(20)}`, to: A, value: "0", gas: "0", data: "0x", overrides }, status: 1, result: word(42),
});

function callCases(chain) {
  const { state } = chain;
  const shown = { nodes: state.prove(A, 0, 4), codes: [CODE] };
  const override = { blockOverride: { number: "0x4d" } };
  return {
    call: evidence(chain, "attested", "CallStatement", callOf(), { shown }),
    "call with overrides": evidence(chain, "attested", "CallStatement", callOf(hashOfJson(override)), { shown, request: override }),
    "call of the past": evidence(chain, "attested", "CallStatement", callOf(), { at: chain.blocks[997], window: "block", shown, headers: between(chain, 997, 999) }),
  };
}

function pastCases(chain) {
  const old = { nodes: chain.state.prove(HISTORY, OLD) };
  return {
    "block that the history contract knows": evidence(chain, "attested", "BlockStatement", {}, { at: chain.old, window: "block", headers: [chain.old], shown: old }),
    "block that the history contract does not know": evidence(chain, "attested", "BlockStatement", {}, {
      at: chain.blocks[FIRST], window: "block", headers: between(chain, FIRST, 999), shown: { nodes: chain.state.prove(HISTORY, FIRST) },
    }),
  };
}

function stateCases(chain) {
  const a = chain.state.accounts[A];
  const account = { account: A, nonce: "1", balance: String(10n ** 20n), codeHash: a.codeHash, storageRoot: a.storage.root };
  const none = { account: NOBODY, nonce: "0", balance: "0", codeHash: ZERO, storageRoot: ZERO };
  const slot = (n, value) => ({ account: A, slot: word(n), value: word(value) });
  const at997 = { at: chain.blocks[997], window: "block", headers: between(chain, 997, 999) };
  return {
    account: evidence(chain, "attested", "AccountStatement", account, { shown: { nodes: chain.state.prove(A) } }),
    "account of the past": evidence(chain, "attested", "AccountStatement", account, { ...at997, shown: { nodes: chain.state.prove(A) } }),
    "account that is not there": evidence(chain, "finalized", "AccountStatement", none, { window: "safe", shown: { nodes: chain.state.prove(NOBODY) } }),
    slot: evidence(chain, "attested", "StorageStatement", slot(5, 8), { shown: { nodes: chain.state.prove(A, 5) } }),
    "slot with nothing": evidence(chain, "attested", "StorageStatement", slot(77, 0), { shown: { nodes: chain.state.prove(A, 77) } }),
    "slot of nobody": evidence(chain, "attested", "StorageStatement", { ...slot(5, 0), account: NOBODY }, { shown: { nodes: chain.state.prove(NOBODY) } }),
    "slot of a block that became final": evidence(chain, "linked", "StorageStatement", slot(0, 3), { window: "block", shown: { nodes: chain.state.prove(A, 0) } }),
  };
}

function headCases(chain) {
  const { rests } = chain.consensus("finalized");
  const checkpoint = { slot: String(rests.slot), root: rests.root, stateRoot: rests.stateRoot };
  return {
    block: evidence(chain, "attested", "BlockStatement", {}),
    "finalized block": evidence(chain, "finalized", "BlockStatement", {}, { window: "safe" }),
    checkpoint: evidence(chain, "finalized", "CheckpointStatement", checkpoint, { window: "safe" }),
  };
}

function logsCases(chain) {
  const block = chain.blocks[LOGGED];
  const found = block.logs.flatMap((_, i) => receiptJson(block, chain.txs, i).logs);
  const shown = { blocks: [block], receipts: [block.receipts] };
  const logs = (fromNumber, criteria, result) =>
    ({ fromNumber: String(fromNumber), filterHash: hashOfJson(criteria), logsHash: hashOfJson(result), count: result.length, complete: true });
  const of = (criteria, result, from, more) =>
    evidence(chain, "attested", "LogsStatement", logs(from, criteria, result), { request: criteria, result, shown, ...more });
  const past = { at: chain.blocks[997], window: "block", headers: between(chain, 997, 999) };
  return {
    "logs of a topic": of({ topics: [[TOPIC, word(3)], null] }, found, LOGGED, past),
    "logs up to the head": of({ address: [A, NOBODY], topics: [null, word(7)] }, found, 995, { headers: [...between(chain, 995, 995), ...between(chain, 997, HEAD)] }),
    "logs of which there are none": of({ address: A, topics: [TOPIC, word(9)] }, [], LOGGED, { ...past, shown: {}, headers: between(chain, 996, 999) }),
    "logs that a bloom promised in vain": of({ topics: [word(7), TOPIC] }, [], LOGGED, past),
  };
}

function receiptCases(chain) {
  const block = chain.blocks[LOGGED];
  const shown = { blocks: [block], receipts: [block.receipts] };
  return Object.fromEntries(
    chain.txs.map((tx, i) => {
      const [params, result] = [[tx.hash], receiptJson(block, chain.txs, i)];
      const members = { method: "eth_getTransactionReceipt", paramsHash: hashOfJson(params), resultHash: hashOfJson(result) };
      const how = i % 2 ? "attested" : "finalized";
      const more = { at: block, window: "block", request: params, result, shown, headers: i % 2 ? between(chain, 997, 999) : [] };
      return [`receipt ${i}, of type ${tx.type}`, evidence(chain, how, "RpcStatement", members, more)];
    }),
  );
}

// ---- a block that is older than one window of the history contract

class Jump extends Chain {
  constructor(net) {
    super(net);
    const far = blockOf({ number: 5000, state: this.state, timestamp: timeOfSlot(3) });
    const middleState = new State({ [HISTORY]: { nonce: 1, slots: { 5000: far.hash } } });
    const middle = blockOf({ number: 20000 - 8191, state: middleState, timestamp: timeOfSlot(4) });
    const state = new State({ [HISTORY]: { nonce: 1, slots: { [(20000 - 8191) % 8191]: middle.hash } }, [A]: { balance: 1 } });
    this.blocks[HEAD] = blockOf({ number: 20000, state, timestamp: timeOfSlot(slotOf(HEAD)) });
    const nodes = [...state.prove(HISTORY, (20000 - 8191) % 8191), ...middleState.prove(HISTORY, 5000)];
    this.found = evidence(this, "attested", "BlockStatement", {}, { at: far, window: "block", headers: [far, middle], shown: { nodes } });
  }
}

// ---- a chain that goes through all forks

function forkCases() {
  const net = networkOf("forks", { altair: 0, bellatrix: 0, capella: 0, deneb: 4, electra: 8, fulu: 16, gloas: 24 });
  const tails = { capella: 2, deneb: 5, electra: 6, fulu: 6, gloas: 8 };
  const state = new State({ [A]: { balance: 3 } });
  const block = (number, slot, tail) => blockOf({ number, state, tail, slot, timestamp: timeOfSlot(slot) });
  const at = (slot, fork, finalized) => beaconOf(net, slot, block(slot, slot - (fork === "gloas" ? 1 : 0), tails[fork]), finalized);
  const checkpoint = at(8, "capella");
  const updates = [at(40, "deneb", at(34, "deneb")), at(90, "electra", at(70, "electra")), at(150, "fulu", at(140, "fulu"))];
  const heads = { capella: at(20, "capella"), deneb: at(50, "deneb"), electra: at(100, "electra"), fulu: at(160, "fulu"), gloas: at(200, "gloas") };
  return Object.entries(heads).map(([fork, head]) => {
    const setup = setupOf(net, 1700000000 + 24 * 96, checkpoint);
    const consensus = {
      bootstrap: bootstrapOf(net, checkpoint),
      updates: updates.slice(0, head.period).map((one) => updateOf(net, "update", one, 30)),
      head: { kind: "optimistic", header: "attested", object: updateOf(net, "optimistic", head, SIGNERS) },
      finality: null,
    };
    const { block } = head;
    const place = {
      number: String(block.number), hash: block.hash, stateRoot: state.root, timestamp: String(block.timestamp),
      slot: String((block.timestamp - 1700000000) / 12), finality: 0, signers: SIGNERS,
    };
    const issued = timeOfSlot(head.slot);
    const message = { at: place, issuedAt: String(issued), validUntil: String(issued + 120), setup: hashOfSetup(setup) };
    const file = fileOf({ setup, answer: answerOf("BlockStatement", message), consensus, headers: fork === "gloas" ? [block] : [] });
    return [`block on a ${fork} head, from a capella checkpoint`, { file, checkpoint: checkpoint.root, network: net }];
  });
}

/** All cases by name: {file, checkpoint, network}. */
export function cases() {
  const fulu = new Chain(networkOf("made-up", FULU));
  const gloas = new Chain(networkOf("made-up-gloas", { ...FULU, gloas: 0 }), { tail: 8, late: 1 });
  const all = (chain) => ({
    ...headCases(chain), ...stateCases(chain), ...pastCases(chain), ...logsCases(chain), ...receiptCases(chain), ...callCases(chain),
  });
  const named = (prefix, some) => Object.entries(some).map(([name, one]) => [`${prefix}: ${name}`, one]);
  return Object.fromEntries([
    ...named("fulu", all(fulu)),
    ...named("fulu", { "block two windows back": new Jump(networkOf("made-up", FULU)).found }),
    ...named("gloas", all(gloas)),
    ...forkCases(),
  ]);
}

/** Few others have their codes. */
const ALWAYS = [
  "fulu: call: codes: a foreign one before", "fulu: logs of a topic: receipts: twice", "fulu: checkpoint: consensus: header said to be attested",
  "fulu: block: consensus: head as the finality", "fulu: finalized block: consensus: head as the finality",
  "fulu: call: updates: 0 removed", "gloas: receipt 5, of type 4: consensus: head altered at its end",
];
const KEPT = 42;

/** Whether an alteration of a case is among those that are tried at each run: one in KEPT, and all with EVERY_ALTERATION. */
export function isKept(name, what) {
  const sum = [...`${name}${what}`].reduce((n, c) => (n * 31 + c.charCodeAt(0)) % 1000003, 7);
  return process.env.EVERY_ALTERATION !== undefined || sum % KEPT === 0 || ALWAYS.includes(`${name}: ${what}`);
}
