// Every method of the method table beside the execution client's own answer, over blocks of the workload, with all tags and
// forms of parameters, and every result against execution-apis' schema. What differs stands in docs/rpc.md.
import assert from "node:assert";
import { once } from "node:events";
import { Interface, Transaction, Wallet } from "ethers";
import WebSocket from "ws";
import { WALLET_KEY } from "../../devnet/lib/accounts.mjs";
import { accessList } from "../../devnet/lib/access-list.mjs";
import { until } from "./node.mjs";
import { OpenRpc } from "./openrpc.mjs";
import * as theirs from "./theirs.mjs";
import { hex, word } from "./theirs.mjs";

const ABSENT = "0x00000000000000000000000000000000deadbeef";
const PAID = "0x000000000000000000000000000000000c0ffee3";
const NO_HASH = "0x" + "ab".repeat(32);
const AT_ONCE = 200;

// What an error must be.
const refused = (code, text = /./) => ({ code, text });

class Beside {
  asked = new Map(); // method: how many results were held against the client's

  constructor(t, node, chain) {
    Object.assign(this, { node, chain, url: `${node.url}/rpc`, a: chain.contracts.addresses });
    this.schemas = OpenRpc.present(t.world.vectors) ? new OpenRpc(t.world.vectors) : null;
    if (!this.schemas) t.skip("results against execution-apis' schemas", `no vectors in ${t.world.vectors}`);
    this.face = Object.fromEntries(Object.entries(chain.contracts.abi).map(([name, list]) => [name, new Interface(list)]));
  }

  async post(questions) {
    const body = JSON.stringify(questions.map(([method, ...params], id) => ({ jsonrpc: "2.0", id, method, params })));
    const answer = await fetch(this.url, { method: "POST", headers: { "content-type": "application/json" }, body });
    return answer.json();
  }

  async ask(method, ...params) {
    const [answer] = await this.post([[method, ...params]]);
    assert(!answer.error, `${method}: ${answer.error?.message}`);
    return answer.result;
  }

  // rows: {ask: [method, ...params], want: a value, what an error must be, or a function that gives one; form: of the result}
  async hold(rows) {
    for (let i = 0; i < rows.length; i += AT_ONCE) {
      const some = rows.slice(i, i + AT_ONCE);
      const answers = await this.post(some.map((row) => row.ask));
      assert.strictEqual(answers.length, some.length);
      await Promise.all(some.map((row, k) => this.#judge(row, answers[k])));
    }
    return rows.length;
  }

  async #judge({ ask, want, form = (x) => x }, answer) {
    const what = JSON.stringify(ask).slice(0, 300);
    const expected = typeof want === "function" ? await want() : want;
    if (expected?.text instanceof RegExp) {
      assert.strictEqual(answer.error?.code, expected.code, `${what}: ${JSON.stringify(answer).slice(0, 300)}`);
      return assert.match(answer.error.message, expected.text, what);
    }
    assert(!answer.error, `${what}: ${JSON.stringify(answer.error)}`);
    this.schemas?.check(ask[0], answer.result);
    assert.deepStrictEqual(form(answer.result), expected, what);
    this.asked.set(ask[0], (this.asked.get(ask[0]) ?? 0) + 1);
  }

  // Rows about the block that a tag names, asked again when the block changes meanwhile.
  async atTag(tag, rows) {
    const number = async () => Number((await this.ask("eth_getBlockByNumber", tag, false)).number);
    for (let tries = 0; tries < 20; tries++) {
      const n = await number();
      const list = rows(tag, n);
      const answers = await this.post(list.map((row) => row.ask));
      if ((await number()) !== n) continue;
      await Promise.all(list.map((row, k) => this.#judge(row, answers[k])));
      return list.length;
    }
    throw new Error("the head moves during every request");
  }

  encode(contract, name, ...args) {
    return this.face[contract].encodeFunctionData(name, args);
  }
}

const RECENT = { quick: 24, full: 120 }; // blocks of which everything is asked: a range of logs has at most 128

// The first block, the one with the contracts, and the last ones up to a height, as the execution client has them, with receipts
// where there are transactions.
async function history({ chain, ask }, full) {
  const first = await deployedAt(chain, await chain.height());
  await until("the contracts are in a finalized block", 120000, async () => Number((await ask("eth_getBlockByNumber", "finalized", false)).number) > first);
  const top = Number(await ask("eth_blockNumber"));
  const last = top - (full ? RECENT.full : RECENT.quick);
  const numbers = [1, first];
  for (let n = Math.max(first + 1, last); n <= top; n++) numbers.push(n);
  const all = await Promise.all(numbers.map((n) => chain.ask("eth_getBlockByNumber", hex(n), true)));
  const busy = all.filter((b) => b.transactions.length).map((b) => ({ ...b }));
  for (const b of busy) b.receipts = theirs.receipts(await chain.ask("eth_getBlockReceipts", b.number), b);
  return { all, busy, recent: all.slice(2), by: new Map(all.map((b) => [b.number, b])) };
}

async function deployedAt(chain, top) {
  let [without, having] = [0, top];
  while (having - without > 1) {
    const middle = (without + having) >> 1;
    if ((await chain.ask("eth_getCode", chain.contracts.addresses.token, hex(middle))) === "0x") without = middle;
    else having = middle;
  }
  return having;
}

const forms = ({ number, hash }) => [number, hash, { blockNumber: number }, { blockHash: hash }, { blockHash: hash, requireCanonical: true }];

// ---------------------------------------------------------------- blocks and transactions

function blockRows({ chain }, b) {
  const { receipts: _, ...block } = b;
  const [full, brief, header] = [theirs.block(block, true), theirs.block(block, false), theirs.header(block)];
  const count = hex(b.transactions.length);
  const rows = [
    [["eth_getBlockByHash", b.hash, true], full],
    [["eth_getBlockByHash", b.hash, false], brief],
    [["eth_getHeaderByHash", b.hash], header],
    [["eth_getBlockTransactionCountByHash", b.hash], count],
    [["eth_getUncleCountByBlockHash", b.hash], "0x0"],
    [["eth_getBlockByNumber", b.number, true], full],
    [["eth_getBlockByNumber", b.number, false], brief],
    [["eth_getHeaderByNumber", b.number], header],
    [["eth_getBlockTransactionCountByNumber", b.number], count],
    [["eth_getUncleCountByBlockNumber", b.number], "0x0"],
  ];
  for (const at of [b.number, b.hash]) for (const name of ["Header", "Block", "Receipts"]) rows.push([[`debug_getRaw${name}`, at], () => chain.ask(`debug_getRaw${name}`, b.number)]);
  return rows.map(([ask, want]) => ({ ask, want }));
}

function transactionRows({ chain }, b) {
  const { receipts, ...block } = b;
  const rows = forms(b).map((at) => [["eth_getBlockReceipts", at], receipts]);
  b.transactions.forEach((tx, i) => {
    const said = theirs.transaction(tx, block);
    const raw = () => chain.ask("debug_getRawTransaction", tx.hash);
    rows.push(
      [["eth_getTransactionByHash", tx.hash], said],
      [["eth_getTransactionByBlockHashAndIndex", b.hash, hex(i)], said],
      [["eth_getTransactionByBlockNumberAndIndex", b.number, hex(i)], said],
      [["eth_getRawTransactionByHash", tx.hash], raw],
      [["eth_getRawTransactionByBlockHashAndIndex", b.hash, hex(i)], raw],
      [["eth_getRawTransactionByBlockNumberAndIndex", b.number, hex(i)], raw],
      [["debug_getRawTransaction", tx.hash], raw],
      [["eth_getTransactionReceipt", tx.hash], receipts[i]],
    );
  });
  const none = hex(b.transactions.length);
  rows.push([["eth_getTransactionByBlockHashAndIndex", b.hash, none], null], [["eth_getTransactionByBlockNumberAndIndex", b.number, none], null]);
  return rows.map(([ask, want]) => ({ ask, want }));
}

// Of the head, and of the finalized block.
const tagRows = (x) => (tag, n) => {
  const block = () => x.chain.ask("eth_getBlockByNumber", hex(n), true);
  const by = (method, form, ...more) => ({ ask: [method, tag, ...more], want: async () => form(await block()) });
  return [
    by("eth_getBlockByNumber", (b) => theirs.block(b, true), true),
    by("eth_getBlockByNumber", (b) => theirs.block(b, false), false),
    by("eth_getHeaderByNumber", theirs.header),
    by("eth_getBlockTransactionCountByNumber", (b) => hex(b.transactions.length)),
    by("eth_getUncleCountByBlockNumber", () => "0x0"),
    by("eth_getTransactionByBlockNumberAndIndex", (b) => theirs.transaction(b.transactions[0], b) ?? null, "0x0"),
    { ask: ["eth_getBlockReceipts", tag], want: async () => theirs.receipts(await x.chain.ask("eth_getBlockReceipts", hex(n)), await block()) },
    ...["Header", "Block", "Receipts"].map((name) => ({ ask: [`debug_getRaw${name}`, tag], want: () => x.chain.ask(`debug_getRaw${name}`, hex(n)) })),
  ];
};

const unknown = [
  ...["eth_getBlockByHash", "eth_getTransactionByBlockHashAndIndex"].map((method, i) => ({ ask: [method, NO_HASH, [false, "0x0"][i]], want: null })),
  ...["eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getBlockTransactionCountByHash", "eth_getUncleCountByBlockHash"].map((method) => ({ ask: [method, NO_HASH], want: null })),
  { ask: ["eth_getHeaderByHash", NO_HASH], want: null },
  { ask: ["eth_getBlockByNumber", "0xffffffff", false], want: null },
  { ask: ["eth_getBlockReceipts", "0xffffffff"], want: null },
];

// ---------------------------------------------------------------- state

const balances = (x, at, n) =>
  [...x.a.accounts, x.a.token, x.a.proxy, x.a.delegated, ABSENT].flatMap((address) =>
    ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"].map((method) => ({ ask: [method, address, at], want: () => x.chain.ask(method, address, hex(n)) })),
  );

function slots(x, at, n) {
  const keys = [["0x2", word(2)], ["0x0", word(0)], [word(3), word(3)]];
  const theirSlot = (address, key) => x.chain.ask("eth_getStorageAt", address, key, hex(n));
  const values = async () => ({ [x.a.token.toLowerCase()]: await Promise.all(keys.map(([, key]) => theirSlot(x.a.token, key))), [ABSENT]: [word(0)] });
  const proofs = [[x.a.token, ["0x2", word(0), word(77)]], [ABSENT, []], [x.a.accounts[0], []], [x.a.delegated, [word(0)]]];
  return [
    ...[x.a.token, x.a.probe, ABSENT].flatMap((address) => keys.map(([key, long]) => ({ ask: ["eth_getStorageAt", address, key, at], want: () => theirSlot(address, long) }))),
    { ask: ["eth_getStorageValues", { [x.a.token]: keys.map(([, key]) => key), [ABSENT]: [word(1)] }, at], want: values },
    ...proofs.map(([address, list]) => ({ ask: ["eth_getProof", address, list, at], form: theirs.proof, want: async () => theirs.proof(await x.chain.ask("eth_getProof", address, list.map((key) => word(key)), hex(n))) })),
  ];
}

// Calls in the forms that libraries send.
function calls(x) {
  const { token, probe, proxy, delegated, accounts } = x.a;
  const [from] = accounts;
  return [
    { to: token, data: x.encode("Token", "totalSupply") },
    { to: token, input: x.encode("Token", "balanceOf", from), from },
    { to: token, data: x.encode("Token", "motto"), gas: "0x100000", value: "0x0" },
    { to: token, data: x.encode("Token", "approve", probe, 7n), from, accessList: [{ address: token, storageKeys: [word(0)] }] },
    { to: probe, data: x.encode("Probe", "slots"), from: null, gasPrice: null, nonce: "0x5" },
    { to: probe, data: x.encode("Probe", "viaToken", from) },
    { to: proxy, data: x.encode("Impl", "sum", 4n) },
    { to: delegated, data: x.encode("Impl", "counter") },
    { to: ABSENT, data: "0x01" },
    { data: "0x602a5f5260205ff3" },
  ];
}

function callRows(x, at, n) {
  const asked = calls(x).map(({ nonce, accessList: _, ...call }) => Object.fromEntries(Object.entries(call).filter(([, value]) => value !== null)));
  const revert = { to: x.a.token, data: x.encode("Token", "burn", 1n << 250n) };
  return [
    ...calls(x).map((call, i) => ({ ask: ["eth_call", call, at], want: () => x.chain.ask("eth_call", asked[i], hex(n)) })),
    { ask: ["eth_call", revert, at], want: refused(3, /^execution reverted: burn$/) },
    { ask: ["eth_call", { to: ABSENT }, at, { [ABSENT]: { code: "0x602a5f5260205ff3" } }], want: word(42) },
    { ask: ["eth_call", { to: ABSENT }, at, { [ABSENT]: { code: "0x425f5260205ff3" } }, { time: "0x99999999" }], want: word(0x99999999) },
  ];
}

// What execution took is less than what has to be given: a search ends within 1.5 %, and a 64th stays behind at each call.
const enough = (used) => (gas) => ({ enough: BigInt(gas) >= BigInt(used) && BigInt(gas) <= (BigInt(used) * 105n) / 100n + 30000n });

function estimateRows(x, at, n) {
  const [from, to] = x.a.accounts;
  const list = [{ from, to, value: "0x1" }, { from, to: x.a.token, data: x.encode("Token", "approve", to, 7n) }, { from, to: x.a.probe, data: x.encode("Probe", "poke", 3n) }];
  return list.map((call) => {
    let used;
    return { ask: ["eth_estimateGas", call, at], want: async () => ((used = await x.chain.ask("eth_estimateGas", call, hex(n))), { enough: true }), form: (gas) => enough(used)(gas) };
  });
}

const listForm = (list) => list.map(({ address, storageKeys }) => [address.toLowerCase(), [...storageKeys].sort()]).sort();

function listRows(x, at, n) {
  const call = { to: x.a.probe, data: x.encode("Probe", "viaToken", x.a.accounts[0]) };
  const want = async () => listForm((await accessList((method, params) => x.chain.ask(method, ...params), [call, hex(n)])).accessList);
  return [{ ask: ["eth_createAccessList", call, at], want, form: (r) => listForm(r.accessList) }];
}

// A block of one call on top of another block gives what the call gives there.
function simulateRows(x, at, n) {
  const call = { to: x.a.probe, data: x.encode("Probe", "viaToken", x.a.accounts[0]) };
  const want = async () => ({ data: await x.chain.ask("eth_call", call, hex(n)), status: "0x1", number: hex(n + 1), parent: (await x.chain.ask("eth_getBlockByNumber", hex(n), false)).hash });
  const form = ([b]) => ({ data: b.calls[0].returnData, status: b.calls[0].status, number: b.number, parent: b.parentHash });
  return [{ ask: ["eth_simulateV1", { blockStateCalls: [{ calls: [call] }] }, at], want, form }];
}

const stateRows = (x) => (at, n) => [balances, slots, callRows, estimateRows, listRows, simulateRows].flatMap((rows) => rows(x, at, n));

// ---------------------------------------------------------------- logs

function filters(x, { all, busy, recent }) {
  const transfer = x.face.Token.getEvent("Transfer").topicHash;
  const approval = x.face.Token.getEvent("Approval").topicHash;
  const range = { fromBlock: recent[0].number, toBlock: recent.at(-1).number };
  const deployed = all[1].number;
  const pad = (address) => "0x" + address.slice(2).toLowerCase().padStart(64, "0");
  return [
    range,
    { ...range, address: x.a.token },
    { ...range, address: [x.a.token, x.a.probe] },
    { ...range, address: x.a.token, topics: [transfer] },
    { ...range, topics: [[transfer, approval]] },
    { ...range, topics: [null, pad(x.a.accounts[1])] },
    { ...range, topics: [transfer, pad(x.a.accounts[0]), null] },
    { ...range, address: ABSENT },
    { fromBlock: deployed, toBlock: deployed },
    { fromBlock: "0x1", toBlock: deployed },
    ...busy.slice(-8).map(({ hash }) => ({ blockHash: hash, address: x.a.token })),
  ];
}

// It looks at the first position of topics only.
async function theirLogs(x, h, { topics, ...filter }) {
  const all = (await x.chain.ask("eth_getLogs", filter)).map((one) => theirs.log(one, h.by.get(one.blockNumber)));
  return topics ? all.filter((one) => topics.every((topic, i) => i < one.topics.length && (topic === null || [].concat(topic).includes(one.topics[i])))) : all;
}

function logRows(x, h) {
  return [
    ...filters(x, h).map((filter) => ({ ask: ["eth_getLogs", filter], want: () => theirLogs(x, h, filter) })),
    { ask: ["eth_getLogs", { fromBlock: "0x5", toBlock: "0x4" }], want: refused(-32602, /invalid block range params/) },
    { ask: ["eth_getLogs", { blockHash: NO_HASH }], want: refused(-32000, /unknown block/) },
  ];
}

// A filter tells the logs of its range; changes are those since it was made; after that it is not there.
async function filterRows(x, h) {
  const filter = { fromBlock: h.recent[0].number, toBlock: h.recent.at(-1).number, address: x.a.token };
  const made = [];
  for (const ask of [["eth_newFilter", filter], ["eth_newBlockFilter"]]) await x.hold([{ ask, form: (id) => (made.push(id), typeof id), want: "string" }]);
  const [logs, blocks] = made;
  await x.hold([{ ask: ["eth_getFilterLogs", logs], want: () => theirLogs(x, h, filter) }, { ask: ["eth_getFilterChanges", blocks], form: Array.isArray, want: true }]);
  await x.hold([{ ask: ["eth_getFilterChanges", logs], form: Array.isArray, want: true }]);
  await x.hold(made.map((id) => ({ ask: ["eth_uninstallFilter", id], want: true })));
  return x.hold(made.map((id) => ({ ask: ["eth_getFilterChanges", id], want: refused(-32000, /^filter not found$/) })));
}

// ---------------------------------------------------------------- fees, what is in memory, what is sent

// Rewards of a block without transactions are zeros, and its list is not there when none were asked for.
const history_ = ({ reward, ...rest }, percentiles) => (percentiles.length ? { ...rest, reward } : rest);

const feeRows = (x) => (tag, n) => {
  const want = (count, percentiles) => async () => history_(await x.chain.ask("eth_feeHistory", count, hex(n), percentiles), percentiles);
  const some = [["0x1", []], ["0x5", []], [hex(64), []], ["0x5", [50]], ["0xa", [0, 25, 50, 75, 100]], ["0xa", [20.0, 99]]];
  return some.map(([count, percentiles]) => ({ ask: ["eth_feeHistory", count, tag, percentiles], want: want(count, percentiles) }));
};

// Tips of a block, lowest first, and geth's choice among those of 20 blocks.
function tipOf(blocks) {
  const tips = blocks.flatMap((b) =>
    b.transactions
      .map((tx) => BigInt(theirs.transaction(tx, b).gasPrice) - BigInt(b.baseFeePerGas))
      .sort((p, q) => (p < q ? -1 : p > q ? 1 : 0))
      .filter((tip) => tip >= 2n)
      .slice(0, 3),
  );
  tips.sort((p, q) => (p < q ? -1 : p > q ? 1 : 0));
  return tips.length ? tips[Math.floor(((tips.length - 1) * 60) / 100)] : 10n ** 9n;
}

const headRows = (x) => (tag, n) => {
  const last = async () => Promise.all(Array.from({ length: Math.min(20, n) }, (_, i) => x.chain.ask("eth_getBlockByNumber", hex(n - i), true)));
  const next = async () => (await x.chain.ask("eth_feeHistory", "0x1", hex(n), [])).baseFeePerGas[1];
  return [
    { ask: ["eth_blockNumber"], want: hex(n) },
    { ask: ["eth_baseFee"], want: next },
    { ask: ["eth_blobBaseFee"], want: async () => (await x.chain.ask("eth_feeHistory", "0x1", hex(n), [])).baseFeePerBlobGas[0] },
    { ask: ["eth_maxPriorityFeePerGas"], want: async () => hex(tipOf(await last())) },
    { ask: ["eth_gasPrice"], want: async () => last().then((blocks) => hex(tipOf(blocks) + BigInt(blocks[0].baseFeePerGas))) },
    { ask: ["eth_capabilities"], form: ({ head }) => head, want: async () => ({ number: hex(n), hash: (await x.chain.ask("eth_getBlockByNumber", hex(n), false)).hash }) },
  ];
};

async function constantRows(x) {
  const id = await x.chain.ask("eth_chainId");
  const [zero, current] = ["0x" + "00".repeat(20), ({ current }) => current.chainId];
  return [
    { ask: ["eth_chainId"], want: id },
    { ask: ["net_version"], want: await x.chain.ask("net_version") },
    { ask: ["net_listening"], want: true },
    { ask: ["web3_clientVersion"], form: (text) => text.split("/")[0], want: "Kettle" },
    { ask: ["eth_accounts"], want: [] },
    { ask: ["eth_coinbase"], want: zero },
    { ask: ["eth_syncing"], want: await x.chain.ask("eth_syncing") },
    { ask: ["eth_fillTransaction", { from: x.a.accounts[0], to: ABSENT, value: "0x1" }], form: ({ tx }) => [tx.chainId, tx.to, tx.value, tx.gas, tx.type], want: [id, ABSENT, "0x1", "0x5208", "0x2"] },
    { ask: ["eth_foo"], want: refused(-32601, /^the method eth_foo does not exist\/is not available$/) },
    { ask: ["eth_getBalance", ABSENT, "pending"], want: refused(-32000, /^pending state is not available$/) },
    { ask: ["eth_estimateGas", { from: x.a.accounts[0], to: ABSENT, value: "0x1" }, "pending"], want: "0x5208" },
  ];
}

async function sends(x) {
  const wallet = new Wallet(WALLET_KEY);
  const chainId = Number(await x.chain.ask("eth_chainId"));
  const first = Number(await x.ask("eth_getTransactionCount", wallet.address, "pending"));
  const sign = (nonce) => wallet.signTransaction({ chainId, type: 2, nonce, gasLimit: 21000, to: PAID, value: 1n, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n });
  const [one, two] = [await sign(first), await sign(first + 1)];
  const { hash } = Transaction.from(one);
  await x.hold([{ ask: ["eth_sendRawTransaction", one], want: hash }]);
  let receipt;
  await x.hold([{ ask: ["eth_sendRawTransactionSync", two, 30000], form: (r) => ((receipt = r), r.transactionHash), want: Transaction.from(two).hash }]);
  const b = await x.chain.ask("eth_getBlockByHash", receipt.blockHash, true);
  const list = theirs.receipts(await x.chain.ask("eth_getBlockReceipts", b.number), b);
  assert.deepStrictEqual(receipt, list[Number(receipt.transactionIndex)]);
}

// The next head by subscription, as the execution client has it.
async function subscribes(x) {
  const socket = new WebSocket(x.url.replace("http", "ws"));
  await once(socket, "open");
  const next = async () => JSON.parse((await once(socket, "message"))[0]);
  const say = async (method, ...params) => (socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })), (await next()).result);
  const id = await say("eth_subscribe", "newHeads");
  const { params } = await next();
  x.schemas?.check("eth_subscribe", id);
  x.schemas?.check("eth_getHeaderByHash", params.result);
  assert.strictEqual(params.subscription, id);
  assert.deepStrictEqual(params.result, theirs.header(await x.chain.ask("eth_getBlockByNumber", params.result.number, false)));
  assert.strictEqual(await say("eth_unsubscribe", id), true);
  socket.terminate();
  for (const method of ["eth_subscribe", "eth_unsubscribe"]) x.asked.set(method, 1);
  return `block ${Number(params.result.number)}`;
}

// Methods that give no result on this chain, or one that only their own tests can judge.
const ELSEWHERE = {
  eth_getBlockAccessList: "blocks have no list before Amsterdam: the gloas scenario",
  debug_getRawBlockAccessList: "the same",
  eth_config: "the network is not built in",
};

export async function differential(t, node, chain) {
  const x = new Beside(t, node, chain);
  const h = await history({ chain, ask: (...question) => x.ask(...question) }, t.world.full);
  const { all, busy, recent } = h;
  const inTags = async (rows) => (await x.atTag("latest", rows)) + (await x.atTag("safe", rows)) + (await x.atTag("finalized", rows));
  await t.test("blocks: whole, brief and raw, as the execution client has it", async () => {
    return `${await x.hold(all.flatMap((b) => blockRows(x, b)))} answers of ${all.length} blocks`;
  });
  await t.test("transactions and receipts: each of these blocks, by hash and by place", async () => `${await x.hold(busy.flatMap((b) => transactionRows(x, b)))} answers of ${busy.flatMap((b) => b.transactions).length} transactions`);
  await t.test("blocks and receipts by tags; what nobody has is null", async () => `${(await inTags(tagRows(x))) + (await x.hold(unknown))} answers`);
  await t.test("state, calls, estimates, lists, simulations by tags", async () => `${await inTags(stateRows(x))} answers`);
  await t.test("the same by number, hash and objects of EIP-1898, at two blocks", async () => {
    const places = [busy[1], recent.at(-3)];
    return `${await x.hold(places.flatMap((b) => forms(b).flatMap((at) => stateRows(x)(at, Number(b.number)))))} answers`;
  });
  await t.test("logs of ranges, addresses, topics and blocks; filters", async () => `${(await x.hold(logRows(x, h))) + (await filterRows(x, h))} answers`);
  await t.test("fees, the head, constants", async () => `${(await inTags(feeRows(x))) + (await x.atTag("latest", headRows(x))) + (await x.hold(await constantRows(x)))} answers`);
  await t.test("what is sent, its receipt; the next head by subscription", async () => (await sends(x), subscribes(x)));
  await t.test("no method of the method table was left out", async () => {
    const names = JSON.parse((await node.get("/v1/methods")).text).map((row) => row.name);
    assert.deepStrictEqual(names.filter((name) => !x.asked.has(name) && !ELSEWHERE[name]), []);
    return `${names.length} methods, ${[...x.asked.values()].reduce((p, q) => p + q)} results${x.schemas ? ", each as execution-apis describes it" : ""}`;
  });
}
