// viem, ethers and web3.js watch a contract and the chain, by subscriptions over WebSocket and by polled filters over HTTP:
// all of them see every event once and in order.
import assert from "node:assert";
import { Contract, JsonRpcProvider, Wallet, WebSocketProvider } from "ethers";
import { WALLET_KEY } from "../../devnet/lib/accounts.mjs";
import { sleep, until } from "./node.mjs";

const SPENDER = "0x000000000000000000000000000000000c0ffee1";
const FEES = { type: 2, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n, gasLimit: 100000n };

// Each watcher: a list that grows by the amounts of the approvals it is told of, and how to end it.
function viemWatches(lib, transport, token, abi) {
  const client = lib.createPublicClient({ transport, pollingInterval: 400 });
  const seen = [], errors = [];
  const onLogs = (logs) => seen.push(...logs.map((l) => (l.removed ? -l.args.value : l.args.value)));
  const stop = client.watchContractEvent({ address: token, abi, eventName: "Approval", args: { spender: SPENDER }, onLogs, onError: (e) => errors.push(e) });
  return { seen, errors, client, stop };
}

async function ethersWatches(provider, token, abi) {
  const contract = new Contract(token, abi, provider);
  const seen = [];
  await contract.on(contract.filters.Approval(null, SPENDER), (event) => seen.push(event.args.value));
  return { seen, errors: [], stop: () => provider.destroy() };
}

async function web3Watches(lib, url, token, abi) {
  const client = new lib.Web3(url);
  const contract = new client.eth.Contract(abi, token);
  const seen = [], errors = [];
  const subscription = contract.events.Approval({ filter: { spender: SPENDER } });
  subscription.on("data", (event) => seen.push(event.returnValues.value));
  subscription.on("error", (e) => errors.push(e));
  await until("web3.js has subscribed", 5000, () => subscription.id);
  return { seen, errors, stop: () => client.provider.disconnect() };
}

// Numbers of the blocks that newHeads tells.
function headsOf(watcher) {
  const numbers = [];
  const stop = watcher.client.watchBlockNumber({ onBlockNumber: (n) => numbers.push(n), emitMissed: false });
  return { numbers, stop };
}

async function approve({ url, token, abi, chain }, amounts) {
  const provider = new JsonRpcProvider(url, chain, { cacheTimeout: -1, staticNetwork: true });
  const wallet = new Wallet(WALLET_KEY, provider);
  const contract = new Contract(token, abi, provider);
  let nonce = await provider.getTransactionCount(wallet.address, "pending");
  for (const amount of amounts) {
    const { data } = await contract.approve.populateTransaction(SPENDER, amount);
    const signed = await wallet.signTransaction({ ...FEES, chainId: chain, nonce: nonce++, to: token, data });
    await provider.send("eth_sendRawTransaction", [signed]);
  }
  await until("the approvals are in the chain", 30000, async () => (await provider.getTransactionCount(wallet.address, "latest")) === nonce);
  provider.destroy();
}

// Kills the node between two polls of a library that never notices that a filter was lost.
export async function survives(t, node, chain, at) {
  await t.test("a filter of ethers outlives kill -9 of the node: nothing is lost, nothing comes twice", async () => {
    assert.strictEqual((await node.status()).filters.survive_restart, true);
    const polling = new JsonRpcProvider(at.url, at.chain, { staticNetwork: true });
    polling.pollingInterval = 400;
    const { seen, stop } = await ethersWatches(polling, at.token, at.abi);
    await sleep(1500); // it makes its filter with the first poll
    await approve(at, [201n]);
    await until("the first approval", 30000, () => seen.length === 1);
    await node.crash();
    await approve({ ...at, url: chain.executionUrl }, [202n]);
    await node.start();
    await node.ready();
    const { address } = new Wallet(WALLET_KEY);
    const count = await chain.ask("eth_getTransactionCount", address, "latest");
    await until("the node has the block of the second approval", 30000, async () => (await polling.send("eth_getTransactionCount", [address, "latest"])) === count);
    await approve(at, [203n]);
    await until("all approvals", 30000, () => {
      if (seen.length < 3) throw new Error(seen.join());
      return true;
    });
    await sleep(1000);
    assert.deepStrictEqual(seen, [201n, 202n, 203n]);
    stop();
  });
}

const first = { viemSubscription: "viem, subscription", viemFilter: "viem, filter", ethersSubscription: "ethers, subscription", ethersFilter: "ethers, filter", web3Subscription: "web3.js, subscription" };

async function open(lib, at, wsUrl) {
  const polling = new JsonRpcProvider(at.url, at.chain, { staticNetwork: true });
  polling.pollingInterval = 400;
  return {
    [first.viemSubscription]: viemWatches(lib, lib.webSocket(wsUrl), at.token, at.abi),
    [first.viemFilter]: viemWatches(lib, lib.http(at.url), at.token, at.abi),
    [first.ethersSubscription]: await ethersWatches(new WebSocketProvider(wsUrl), at.token, at.abi),
    [first.ethersFilter]: await ethersWatches(polling, at.token, at.abi),
    [first.web3Subscription]: await web3Watches(lib, wsUrl, at.token, at.abi),
  };
}

async function all_see(all, amounts, what) {
  for (const [name, watcher] of Object.entries(all))
    await until(`${name} sees ${what}`, 30000, () => {
      if (watcher.seen.length < amounts.length) throw new Error(`${watcher.seen.join()} ${watcher.errors.map((e) => e.message).join()}`);
      return true;
    });
  await sleep(500); // nothing comes twice
  for (const [name, watcher] of Object.entries(all)) {
    assert.deepStrictEqual(watcher.seen, amounts, name);
    assert.deepStrictEqual(watcher.errors.map((e) => e.message), [], name);
  }
}

export async function watchers(t, lib, node, at) {
  const wsUrl = at.url.replace("http", "ws");
  let all, heads;
  const amounts = [101n, 102n, 103n];
  await t.test("over WebSocket: reads, batches, errors as over HTTP", async () => {
    const client = lib.createPublicClient({ transport: lib.webSocket(wsUrl) });
    assert.strictEqual(await client.getChainId(), at.chain);
    assert.strictEqual(await client.readContract({ address: at.token, abi: at.abi, functionName: "name" }), "Bench Token");
    const error = await client.request({ method: "eth_foo" }).then(() => assert.fail("no error"), (e) => e);
    assert.match(error.message, /eth_foo does not exist\/is not available|not supported/);
  });
  await t.test("subscriptions and filters: each of five watchers sees every event once, in order", async () => {
    all = await open(lib, at, wsUrl);
    heads = headsOf(all[first.viemSubscription]);
    await sleep(1000); // filters are made by the first poll
    await approve(at, amounts);
    await all_see(all, amounts, "the approvals");
    const { filters } = await node.status();
    assert(filters.filters >= 2 && filters.subscriptions >= 4, JSON.stringify(filters));
    return JSON.stringify(filters);
  });
  await t.test("newHeads has no gap, and nothing twice", async () => {
    await until("four heads", 20000, () => heads.numbers.length >= 4);
    for (let i = 1; i < heads.numbers.length; i++) assert.strictEqual(heads.numbers[i], heads.numbers[i - 1] + 1n, heads.numbers.join());
    return `${heads.numbers.length} heads`;
  });
  heads?.stop();
  for (const watcher of Object.values(all ?? {})) watcher.stop();
  (await all?.[first.viemSubscription].client.transport.getRpcClient())?.close(); // viem shares one socket of a URL
}
