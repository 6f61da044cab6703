import assert from "node:assert";
import { Contract, JsonRpcProvider, Transaction, Wallet, isError } from "ethers";
import { WALLET_KEY } from "../devnet/lib/accounts.mjs";
import { libraries as more } from "./lib/libraries.mjs";
import { branches } from "./lib/branches.mjs";
import { until } from "./lib/node.mjs";
import { survives, watchers } from "./lib/watchers.mjs";

const MUCH = 10n ** 30n;
const NOBODY = "0x000000000000000000000000000000000c0ffee0";
// Returns 42: as deployed code, and as a creation whose code it becomes.
const FORTY_TWO = "0x602a5f5260205ff3";

async function libraries(world) {
  await world.packages("wallets");
  return import("../devnet/wallets/libraries.mjs");
}

// viem, as its documentation has it.
async function viem(t, lib, { url, chain, token, abi, holder }) {
  const client = lib.createPublicClient({
    chain: lib.defineChain({ id: chain, name: "devnet", nativeCurrency: { name: "E", symbol: "E", decimals: 18 }, rpcUrls: { default: { http: [url] } } }),
    transport: lib.http(url),
  });
  const read = (functionName, args = []) => client.readContract({ address: token, abi, functionName, args });
  await t.test("viem: chain id, block number, balance, code, nonce, slot", async () => {
    assert.strictEqual(await client.getChainId(), chain);
    assert((await client.getBlockNumber()) > 0n);
    assert((await client.getBalance({ address: holder })) > 0n);
    assert((await client.getCode({ address: token })).length > 1000);
    assert.strictEqual(await client.getTransactionCount({ address: NOBODY }), 0);
    assert.match(await client.getStorageAt({ address: token, slot: "0x0" }), /^0x42656e636820546f6b656e/); // "Bench Token"
  });
  await t.test("viem: a token's name, decimals and a balance; many reads in one multicall without a contract for it", async () => {
    assert.strictEqual(await read("name"), "Bench Token");
    assert.strictEqual(await read("decimals"), 18);
    assert((await read("balanceOf", [holder])) > 0n);
    const contracts = ["name", "symbol", "decimals"].map((functionName) => ({ address: token, abi, functionName }));
    const results = await client.multicall({ contracts, deployless: true, allowFailure: false });
    assert.deepStrictEqual(results, ["Bench Token", "BENCH", 18]);
  });
  await t.test("viem: a call of code that is nowhere, and with state overrides", async () => {
    const { data } = await client.call({ data: FORTY_TWO });
    assert.strictEqual(BigInt(data), 42n);
    const overridden = await client.call({ to: NOBODY, stateOverride: [{ address: NOBODY, code: FORTY_TWO }] });
    assert.strictEqual(BigInt(overridden.data), 42n);
  });
  await t.test("viem: a custom error comes decoded, from a call and from an estimate", async () => {
    const request = { address: token, abi, functionName: "transfer", args: [NOBODY, MUCH], account: holder };
    for (const fails of [() => client.simulateContract(request), () => client.estimateContractGas(request)]) {
      const error = await fails().then(() => assert.fail("no error"), (e) => e);
      const revert = error.walk((e) => e instanceof lib.ContractFunctionRevertedError);
      assert.strictEqual(revert?.data?.errorName, "InsufficientBalance", error.message);
      assert.strictEqual(revert.data.args[2], MUCH);
    }
  });
  await t.test("viem: an access list, proofs", async () => {
    const { accessList } = await client.createAccessList({ account: holder, to: token, data: `0x06fdde03` });
    assert(Array.isArray(accessList));
    const proof = await client.getProof({ address: token, storageKeys: [`0x${"00".repeat(32)}`] });
    assert(proof.accountProof.length > 0 && proof.storageProof.length === 1);
  });
}

// After ethers has sent.
async function viemSends(t, lib, { url, chain, token }) {
  const client = lib.createPublicClient({ transport: lib.http(url), pollingInterval: 500 });
  const account = lib.privateKeyToAccount(WALLET_KEY);
  await t.test("viem: a transaction is sent and its receipt waited for", async () => {
    const nonce = await client.getTransactionCount({ address: account.address, blockTag: "pending" });
    const data = "0x095ea7b3" + NOBODY.slice(2).padStart(64, "0") + "1".padStart(64, "0"); // approve(NOBODY, 1)
    const gas = await client.estimateGas({ account: account.address, to: token, data });
    const fees = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n };
    const signed = await account.signTransaction({ type: "eip1559", chainId: chain, nonce, to: token, data, gas, ...fees });
    const hash = await client.sendRawTransaction({ serializedTransaction: signed });
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: 40000 });
    assert.strictEqual(receipt.status, "success");
    assert.strictEqual(receipt.logs.length, 1);
    assert(receipt.gasUsed <= gas);
    return `block ${receipt.blockNumber}, ${receipt.gasUsed} of ${gas} gas`;
  });
  await t.test("viem: a transaction and its receipt in one request; who has subscribed to it is told the same", async () => {
    const nonce = await client.getTransactionCount({ address: account.address, blockTag: "pending" });
    const fees = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n };
    const signed = await account.signTransaction({ type: "eip1559", chainId: chain, nonce, to: NOBODY, value: 1n, gas: 21000n, ...fees });
    const { hash } = Transaction.from(signed);
    const told = [];
    const listener = lib.createPublicClient({ transport: lib.webSocket(url.replace("http", "ws")) });
    const params = ["transactionReceipts", { transactionHashes: [hash] }];
    await listener.transport.subscribe({ params, onData: ({ result }) => told.push(result), onError: (e) => told.push(e) });
    const receipt = await client.request({ method: "eth_sendRawTransactionSync", params: [signed, 30000] }, { retryCount: 0 });
    assert.strictEqual(receipt.transactionHash, hash);
    assert.deepStrictEqual(receipt, await client.request({ method: "eth_getTransactionReceipt", params: [hash] }));
    await until("the subscription tells it", 10000, () => told.length === 1);
    assert.deepStrictEqual(told, [[receipt]]);
    (await listener.transport.getRpcClient()).close();
    return `block ${Number(receipt.blockNumber)}`;
  });
}

async function ethers(t, { url, chain, token, abi, holder }) {
  const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1 }); // else it repeats counts for 250 ms
  const contract = new Contract(token, abi, provider);
  await t.test("ethers: network, a batch of reads, a custom error decoded", async () => {
    assert.strictEqual((await provider.getNetwork()).chainId, BigInt(chain));
    const [name, symbol, decimals, balance] = await Promise.all([contract.name(), contract.symbol(), contract.decimals(), contract.balanceOf(holder)]);
    assert.deepStrictEqual([name, symbol, decimals], ["Bench Token", "BENCH", 18n]);
    assert(balance > 0n);
    const error = await contract.transfer.staticCall(NOBODY, MUCH, { from: holder }).then(() => assert.fail("no error"), (e) => e);
    assert(isError(error, "CALL_EXCEPTION"));
    assert.strictEqual(error.revert?.name, "InsufficientBalance");
  });
  await t.test("ethers: transactions are forwarded, count as pending at once, and come into the chain", async () => {
    const wallet = new Wallet(WALLET_KEY, provider);
    const first = await provider.getTransactionCount(wallet.address, "pending");
    const gasLimit = await provider.estimateGas({ from: wallet.address, to: NOBODY, value: 1n });
    assert.strictEqual(gasLimit, 21000n);
    for (let i = 0; i < 2; i++) {
      const nonce = await provider.getTransactionCount(wallet.address, "pending");
      assert.strictEqual(nonce, first + i);
      const signed = await wallet.signTransaction({ chainId: chain, type: 2, nonce, gasLimit, to: NOBODY, value: 1n, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n });
      const hash = await provider.send("eth_sendRawTransaction", [signed]);
      assert.strictEqual(hash, Transaction.from(signed).hash);
    }
    assert.strictEqual(await provider.getTransactionCount(wallet.address, "pending"), first + 2);
    await until("the nonce moves", 30000, async () => (await provider.getTransactionCount(wallet.address, "latest")) === first + 2);
    const twice = await wallet.signTransaction({ chainId: chain, type: 2, nonce: first, gasLimit, to: NOBODY, value: 1n, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n });
    const error = await provider.send("eth_sendRawTransaction", [twice]).then(() => assert.fail("no error"), (e) => e);
    assert(isError(error, "NONCE_EXPIRED"), error.message);
  });
  provider.destroy();
}

async function web3(t, lib, { url, chain, token, abi, holder }) {
  const client = new lib.Web3(url);
  await t.test("web3.js: chain id, accounts, a token's name, decimals and a balance", async () => {
    assert.strictEqual(await client.eth.getChainId(), BigInt(chain));
    assert.deepStrictEqual(await client.eth.getAccounts(), []);
    const contract = new client.eth.Contract(abi, token);
    assert.strictEqual(await contract.methods.name().call(), "Bench Token");
    assert.strictEqual(await contract.methods.decimals().call(), 18n);
    assert((await contract.methods.balanceOf(holder).call()) > 0n);
  });
}

async function run(t) {
  const lib = await libraries(t.world);
  const chain = await t.world.chain();
  const node = t.world.node("clients", { options: ["--development", "--simulator-seed", "clients"] });
  await node.start();
  await node.setup(chain.setup());
  await node.ready();
  const { addresses, abi } = chain.contracts;
  const at = { url: `${node.url}/rpc`, chain: Number(await chain.ask("eth_chainId")), token: addresses.token, abi: abi.Token, holder: addresses.accounts[0] };
  await viem(t, lib, at);
  await ethers(t, at);
  await viemSends(t, lib, at);
  await web3(t, lib, at);
  await more(t, lib, at);
  await watchers(t, lib, node, at);
  await survives(t, node, chain, at);
  await branches(t, lib);
  await node.stop();
}

export default { title: "viem, ethers and web3.js, unmodified, on POST /rpc and over WebSocket", run };
