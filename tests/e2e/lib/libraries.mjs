// More of what libraries do unmodified: contracts deployed, logs of a range, CCIP-Read, simulations; and their older major versions.
import assert from "node:assert";
import http from "node:http";
import { Contract, ContractFactory, JsonRpcProvider, Wallet } from "ethers";
import { WALLET_KEY } from "../../devnet/lib/accounts.mjs";
import { compile } from "../../devnet/lib/compile.mjs";

const MUCH = 10n ** 30n;
const NOBODY = "0x000000000000000000000000000000000c0ffee0";
const RANGE = 20n;

const viemChain = (lib, at) => lib.defineChain({ id: at.chain, name: "devnet", nativeCurrency: { name: "E", symbol: "E", decimals: 18 }, rpcUrls: { default: { http: [at.url] } } });

// What the libraries give of a range of Transfer events, told the same way.
const told = (list) => list.map(({ blockNumber, transactionHash, logIndex }) => [Number(blockNumber), transactionHash, Number(logIndex)]);

async function logs(t, lib, at) {
  const client = lib.createPublicClient({ transport: lib.http(at.url) });
  await t.test("viem, ethers, web3.js, and an older version of each: the same logs of a range", async () => {
    const toBlock = await client.getBlockNumber();
    const fromBlock = toBlock - RANGE;
    const [from, to] = [Number(fromBlock), Number(toBlock)];
    const five = new lib.ethers5.providers.JsonRpcProvider(at.url);
    const six = new JsonRpcProvider(at.url, at.chain, { staticNetwork: true });
    const all = {
      viem: await client.getContractEvents({ address: at.token, abi: at.abi, eventName: "Transfer", fromBlock, toBlock }),
      viem1: await lib.createPublicClient1({ transport: lib.http1(at.url) }).getContractEvents({ address: at.token, abi: at.abi, eventName: "Transfer", fromBlock, toBlock }),
      ethers: (await new Contract(at.token, at.abi, six).queryFilter("Transfer", from, to)).map(({ index, ...log }) => ({ ...log, logIndex: index })),
      ethers5: await new lib.ethers5.Contract(at.token, at.abi, five).queryFilter("Transfer", from, to),
      web3: await new (new lib.Web3(at.url).eth.Contract)(at.abi, at.token).getPastEvents("Transfer", { fromBlock, toBlock }),
      web31: await new (new lib.Web31(at.url).eth.Contract)(at.abi, at.token).getPastEvents("Transfer", { fromBlock: from, toBlock: to }),
    };
    six.destroy();
    for (const [name, list] of Object.entries(all)) assert.deepStrictEqual(told(list), told(all.viem), name);
    return `${all.viem.length} logs`;
  });
}

// A gateway of EIP-3668: what is asked for, times 100. {url, asked, close}
function gateway() {
  const asked = [];
  const server = http.createServer((request, response) => {
    const [, , data] = request.url.split("/");
    asked.push(data);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ data: "0x" + (BigInt(data.replace(".json", "")) * 100n).toString(16).padStart(64, "0") }));
  });
  return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready({ url: `http://127.0.0.1:${server.address().port}/{sender}/{data}.json`, asked, close: () => server.close() })));
}

async function deploys(t, lib, at) {
  const chain = viemChain(lib, at);
  const transport = lib.http(at.url);
  const [client, account] = [lib.createPublicClient({ chain, transport, pollingInterval: 300 }), lib.privateKeyToAccount(WALLET_KEY)];
  const wallet = lib.createWalletClient({ account, chain, transport });
  const { Offchain } = compile("cancun", "Offchain.sol");
  const { url, asked, close } = await gateway();
  let address;
  await t.test("viem: a contract is deployed, filled by the node, and its receipt waited for", async () => {
    const hash = await wallet.deployContract({ abi: Offchain.abi, bytecode: Offchain.bytecode, args: [url] });
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: 40000 });
    assert.strictEqual(receipt.status, "success");
    address = receipt.contractAddress;
    return `${address}, ${receipt.gasUsed} gas`;
  });
  await t.test("CCIP-Read is followed to its end by viem and ethers, and each older version", async () => {
    const provider = new JsonRpcProvider(at.url, at.chain, { staticNetwork: true });
    const five = new lib.ethers5.Contract(address, Offchain.abi, new lib.ethers5.providers.JsonRpcProvider(at.url));
    const one = lib.createPublicClient1({ transport: lib.http1(at.url) });
    const read = { address, abi: Offchain.abi, functionName: "price", args: [7n] };
    assert.strictEqual(await client.readContract(read), 707n);
    assert.strictEqual(await one.readContract(read), 707n);
    assert.strictEqual(await new Contract(address, Offchain.abi, provider).price(7n, { enableCcipRead: true }), 707n);
    assert.strictEqual((await five.price(7n, { ccipReadEnabled: true })).toBigInt(), 707n);
    provider.destroy();
    assert.strictEqual(asked.length, 4);
  });
  close();
}

async function simulates(t, lib, at) {
  const client = lib.createPublicClient({ chain: viemChain(lib, at), transport: lib.http(at.url) });
  await t.test("viem: simulateCalls, with the changes of assets", async () => {
    const calls = [{ to: at.token, abi: at.abi, functionName: "transfer", args: [NOBODY, 5n] }, { to: NOBODY, value: 3n }];
    const { results, assetChanges } = await client.simulateCalls({ account: at.holder, calls, traceAssetChanges: true });
    assert.deepStrictEqual(results.map(({ status }) => status), ["success", "success"]);
    const changes = Object.fromEntries(assetChanges.map(({ token, value }) => [token.symbol, value.diff]));
    assert.strictEqual(changes.BENCH, -5n);
    assert.strictEqual(changes.ETH, -3n);
  });
}

// Each library fills in, signs, sends and waits by itself.
async function send(t, lib, at) {
  const { Offchain } = compile("cancun", "Offchain.sol");
  const provider = new JsonRpcProvider(at.url, at.chain, { staticNetwork: true, cacheTimeout: -1, polling: true });
  provider.pollingInterval = 300;
  await t.test("ethers: a contract is deployed, and a transfer waited for", async () => {
    const wallet = new Wallet(WALLET_KEY, provider);
    const contract = await (await new ContractFactory(Offchain.abi, Offchain.bytecode, wallet).deploy("http://127.0.0.1/")).waitForDeployment();
    assert((await provider.getCode(await contract.getAddress())).length > 100);
    const receipt = await (await wallet.sendTransaction({ to: NOBODY, value: 1n })).wait();
    assert.strictEqual(receipt.gasUsed, 21000n);
  });
  provider.destroy();
  await t.test("ethers 5: a transfer is waited for", async () => {
    const five = new lib.ethers5.providers.JsonRpcProvider(at.url);
    five.pollingInterval = 300;
    const sent = await new lib.ethers5.Wallet(WALLET_KEY, five).sendTransaction({ to: NOBODY, value: 1 });
    assert.strictEqual((await sent.wait()).status, 1);
  });
  for (const [name, Web3] of Object.entries({ "web3.js": lib.Web3, "web3.js 1": lib.Web31 }))
    await t.test(`${name}: a transfer is waited for`, async () => {
      const { eth } = new Web3(at.url);
      const account = eth.accounts.privateKeyToAccount(WALLET_KEY);
      eth.accounts.wallet.add(account);
      const receipt = await eth.sendTransaction({ from: account.address, to: NOBODY, value: "1", gas: 21000 });
      assert.strictEqual(Number(receipt.status), 1);
    });
}

// ---------------------------------------------------------------- older versions

async function viem1(t, lib, at) {
  for (const [name, transport] of Object.entries({ HTTP: lib.http1(at.url), WebSocket: lib.webSocket1(at.url.replace("http", "ws")) })) {
    const client = lib.createPublicClient1({ transport });
    const read = (functionName, args = []) => client.readContract({ address: at.token, abi: at.abi, functionName, args });
    await t.test(`viem 1 over ${name}: chain id, a token, a custom error decoded`, async () => {
      assert.strictEqual(await client.getChainId(), at.chain);
      assert.deepStrictEqual([await read("name"), await read("decimals")], ["Bench Token", 18]);
      assert((await read("balanceOf", [at.holder])) > 0n);
      const request = { address: at.token, abi: at.abi, functionName: "transfer", args: [NOBODY, MUCH], account: at.holder };
      const error = await client.simulateContract(request).then(() => assert.fail("no error"), (e) => e);
      assert.strictEqual(error.walk((e) => e instanceof lib.ContractFunctionRevertedError1)?.data?.errorName, "InsufficientBalance");
    });
    (await client.transport.getSocket?.())?.close();
  }
}

async function ethers5(t, lib, at) {
  const { providers, Contract: Contract5 } = lib.ethers5;
  const socket = new providers.WebSocketProvider(at.url.replace("http", "ws"));
  for (const [name, provider] of Object.entries({ HTTP: new providers.JsonRpcProvider(at.url), WebSocket: socket })) {
    await t.test(`ethers 5 over ${name}: network, a token, a custom error decoded`, async () => {
      const contract = new Contract5(at.token, at.abi, provider);
      assert.strictEqual((await provider.getNetwork()).chainId, at.chain);
      assert.deepStrictEqual([await contract.name(), await contract.decimals()], ["Bench Token", 18]);
      assert((await contract.balanceOf(at.holder)).gt(0));
      const error = await contract.callStatic.transfer(NOBODY, MUCH, { from: at.holder }).then(() => assert.fail("no error"), (e) => e);
      assert.deepStrictEqual([error.code, error.errorName], ["CALL_EXCEPTION", "InsufficientBalance"]);
    });
  }
  await t.test("ethers 5: blocks by subscription", () => new Promise((seen) => socket.once("block", (n) => seen(`block ${n}`))));
  await socket.destroy();
}

async function web31(t, lib, at) {
  const socket = new lib.Web31.providers.WebsocketProvider(at.url.replace("http", "ws"));
  for (const [name, provider] of Object.entries({ HTTP: at.url, WebSocket: socket })) {
    await t.test(`web3.js 1 over ${name}: chain id, accounts, a token`, async () => {
      const client = new lib.Web31(provider);
      assert.deepStrictEqual([await client.eth.getChainId(), await client.eth.getAccounts()], [at.chain, []]);
      const { methods } = new client.eth.Contract(at.abi, at.token);
      assert.deepStrictEqual([await methods.name().call(), await methods.decimals().call()], ["Bench Token", "18"]);
      assert(BigInt(await methods.balanceOf(at.holder).call()) > 0n);
    });
  }
  socket.disconnect();
}

export async function libraries(t, lib, at) {
  await logs(t, lib, at);
  await deploys(t, lib, at);
  await simulates(t, lib, at);
  if (t.world.full) await send(t, lib, at); // some blocks each
  await viem1(t, lib, at);
  await ethers5(t, lib, at);
  await web31(t, lib, at);
}
