// Programs that fork the chain of a node, and cast, unmodified: what they ask at their start shares few requests to an upstream.
import assert from "node:assert";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Interface, Wallet } from "ethers";
import { rpc } from "../devnet/lib/rpc.mjs";
import { WALLET_KEY } from "../devnet/lib/accounts.mjs";
import { sleep, until } from "./lib/node.mjs";

const NOBODY = "0x000000000000000000000000000000000c0ffee2";
const POSTS = { anvil: 3, hardhat: 5 }; // with proofs of accounts, at a start; hardhat sends its 60 requests in four waves
const TRIES = 3; // a busy machine tears apart what a program sends side by side

const FORK = {
  anvil: (modules, url, port) => [path.join(modules, "@foundry-rs/anvil-linux-amd64/bin/anvil"), "--fork-url", url, "--port", port],
  hardhat: (modules, url, port, number) => [process.execPath, path.join(modules, "hardhat/internal/cli/bootstrap.js"), "node", "--fork", url, "--fork-block-number", number, "--port", port],
};

// What a program prints.
function output(program, args) {
  return new Promise((resolve, reject) => {
    let text = "";
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (text += data));
    child.on("error", reject);
    child.on("exit", (code) => (code ? reject(new Error(`${args[0]} ended with ${code}: ${text}`)) : resolve(text.trim())));
  });
}

async function cast(t, modules, url, { addresses }) {
  const run = (...args) => output(path.join(modules, "@foundry-rs/cast-linux-amd64/bin/cast"), [...args, "--rpc-url", url]);
  await t.test("cast reads: chain id, a token's name, a balance, a block, logs", async () => {
    assert.match(await run("chain-id"), /^\d+$/);
    assert.strictEqual(await run("call", addresses.token, "name()(string)"), '"Bench Token"');
    assert(BigInt(await run("balance", addresses.accounts[0])) > 0n);
    assert.match(await run("block", "latest"), /stateRoot +0x[0-9a-f]{64}/);
    assert(Array.isArray(JSON.parse(await run("logs", "--from-block", String(Number(await run("block-number")) - 5), "--address", addresses.token, "--json"))));
  });
  await t.test("cast sends, and waits for its receipt", async () => {
    const receipt = JSON.parse(await run("send", NOBODY, "--value", "5", "--private-key", WALLET_KEY, "--json"));
    assert.strictEqual(Number(receipt.status), 1);
    assert.strictEqual(receipt.from, new Wallet(WALLET_KEY).address.toLowerCase());
    assert.strictEqual(await run("balance", NOBODY), "5");
    return `block ${Number(receipt.blockNumber)}`;
  });
}

// One fork: the requests that the upstream saw for its start, and what a contract says in it.
async function fork(t, name, dir, url, proxy, { addresses, abi }) {
  const port = String(t.world.port());
  const mark = proxy.log.length;
  const number = String(Number(await rpc(url, "eth_blockNumber", []))); // hardhat would take one of before the contracts
  const [program, ...args] = FORK[name](path.join(dir, "node_modules"), url, port, number);
  const log = fs.openSync(path.join(dir, "log"), "a");
  const child = spawn(program, args, { cwd: dir, stdio: ["ignore", log, log], env: { ...process.env, HARDHAT_DISABLE_TELEMETRY_PROMPT: "true" } });
  fs.closeSync(log);
  try {
    const local = `http://127.0.0.1:${port}`;
    await until(`${name} answers: ${path.join(dir, "log")}`, 60000, () => rpc(local, "eth_chainId", []));
    const posts = proxy.log.slice(mark).map((entry) => entry.requests ?? []);
    await rpc(local, "evm_mine", []); // a block of its own: hardhat does not know the forks of those before
    const face = new Interface(abi.Token);
    const data = await rpc(local, "eth_call", [{ to: addresses.token, data: face.encodeFunctionData("name") }, "latest"]);
    assert.strictEqual(face.decodeFunctionResult("name", data)[0], "Bench Token");
    return posts.filter((requests) => requests.some(({ method, params }) => method === "eth_getProof" && params[1].length === 0));
  } finally {
    child.kill("SIGKILL");
    await sleep(300);
  }
}

async function forks(t, name, dir, url, proxy, contracts) {
  await t.test(`${name} forks the node and calls a contract: the accounts of its start cost at most ${POSTS[name]} upstream requests`, async () => {
    const counts = [];
    for (let i = 0; i < TRIES && !(counts.at(-1) <= POSTS[name]); i++) counts.push((await fork(t, name, dir, url, proxy, contracts)).length);
    assert(counts.at(-1) > 0 && counts.at(-1) <= POSTS[name], counts.join());
    return counts.join();
  });
}

// A project of hardhat, without anything of its own.
function project(dir, modules, chainId) {
  fs.mkdirSync(dir);
  fs.symlinkSync(modules, path.join(dir, "node_modules"));
  fs.writeFileSync(path.join(dir, "package.json"), '{"name":"forks","private":true}');
  fs.writeFileSync(path.join(dir, "hardhat.config.js"), `module.exports = ${JSON.stringify({ solidity: "0.8.28", networks: { hardhat: { chainId } } })}`);
  return dir;
}

async function run(t) {
  await t.world.packages("forks");
  const modules = fs.realpathSync(path.join(t.world.devnet, "forks", "node_modules"));
  const chain = await t.world.chain();
  const proxy = await t.world.proxy(chain);
  const node = await t.world.node("forks").begin(chain.setup({ execution: proxy.url }));
  const url = `${node.url}/rpc`;
  const dir = project(path.join(t.world.tmp, "forks"), modules, Number(await chain.ask("eth_chainId")));
  await cast(t, modules, url, chain.contracts);
  for (const name of Object.keys(FORK)) await forks(t, name, dir, url, proxy, chain.contracts);
  await node.stop();
}

export default { title: "cast, and forks by anvil and hardhat, on POST /rpc", run };
