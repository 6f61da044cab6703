// viem, ethers and web3.js watch a contract across a reorganisation, by subscription and by filter: what was told is taken back in
// ascending order, then the new branch is told, with no gap and nothing twice. The chain is branching.c's.
import assert from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import readline from "node:readline";
import { Contract, JsonRpcProvider, WebSocketProvider } from "ethers";
import { sleep, until } from "./node.mjs";

const ADDRESS = "0x" + "a1".repeat(20);
const ABI = [{ type: "event", name: "Ping", inputs: [{ name: "what", type: "uint256", indexed: false }] }];

// Blocks 11 to 13 of branch 1; then 12 to 14 of branch 2; then 15.
const TOLD = ["+111", "+112", "+113", "-112", "-113", "+212", "+213", "+214", "+215"];

// ethers 6 passes over what is removed.
const added = TOLD.filter((one) => one.startsWith("+"));

const sign = (removed, what) => `${removed ? "-" : "+"}${what}`;

function viem({ createPublicClient }, transport) {
  const seen = [], errors = [];
  let last; // what it asked last: as it stops, that its filter be taken away
  const noting = (options) => {
    const made = transport(options);
    return { ...made, request: (...args) => (last = made.request(...args)) };
  };
  const client = createPublicClient({ transport: noting, pollingInterval: 200 });
  const onLogs = (logs) => seen.push(...logs.map((log) => sign(log.removed, log.args.what)));
  const stop = client.watchContractEvent({ address: ADDRESS, abi: ABI, eventName: "Ping", onLogs, onError: (e) => errors.push(e.message) });
  return { seen, errors, client, stop: () => (stop(), last) };
}

async function ethers(Contract_, provider, event, told) {
  const seen = [];
  const stop = () => provider.destroy();
  await new Contract_(ADDRESS, ABI, provider).on("Ping", (...given) => seen.push(event(given.at(-1))));
  return { seen, errors: [], stop, told };
}

async function web3(lib, url) {
  const client = new lib.Web3(url);
  const seen = [], errors = [];
  const subscription = new client.eth.Contract(ABI, ADDRESS).events.Ping();
  subscription.on("data", ({ removed, returnValues }) => seen.push(sign(removed, returnValues.what)));
  subscription.on("error", (e) => errors.push(e.message));
  await until("web3.js has subscribed", 10000, () => subscription.id);
  return { seen, errors, stop: () => client.provider.disconnect() };
}

async function open(lib, url) {
  const ws = url.replace("http", "ws");
  const polling = new JsonRpcProvider(url, 1, { staticNetwork: true });
  polling.pollingInterval = 200;
  const six = ({ log, args }) => sign(log.removed, args.what);
  const five = ({ removed, args }) => sign(removed, args.what);
  return {
    "viem, subscription": viem(lib, lib.webSocket(ws)),
    "viem, filter": viem(lib, lib.http(url)),
    "viem 1, subscription": viem({ createPublicClient: lib.createPublicClient1 }, lib.webSocket1(ws)),
    "viem 1, filter": viem({ createPublicClient: lib.createPublicClient1 }, lib.http1(url)),
    "ethers, subscription": await ethers(Contract, new WebSocketProvider(ws, 1), six, added),
    "ethers, filter": await ethers(Contract, polling, six, added),
    "ethers 5, subscription": await ethers(lib.ethers5.Contract, new lib.ethers5.providers.WebSocketProvider(ws, 1), five),
    "web3.js, subscription": await web3(lib, ws),
  };
}

export async function branches(t, lib) {
  const port = t.world.port();
  const child = spawn(path.join(t.world.build, "tests/e2e/branching"), [String(port)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = async (line) => {
    if (line) child.stdin.write(`${line}\n`);
    assert.strictEqual((await lines.next()).value, "ok");
  };
  let all = {};
  const reached = (last) =>
    until(`all have seen ${last}`, 30000, () => {
      for (const [name, { seen, errors }] of Object.entries(all)) if (seen.at(-1) !== last) throw new Error(`${name}: ${seen} ${errors}`);
      return true;
    });
  try {
    await t.test("a reorganisation, by eight watchers: logs removed, then the new branch; no gap, nothing twice", async () => {
      await said();
      all = await open(lib, `http://127.0.0.1:${port}/rpc`);
      await sleep(2000); // filters are made by the first poll
      await said("grow 13");
      await reached("+113");
      await said("fork 12 2 14");
      await reached("+214");
      await said("grow 15");
      await reached("+215");
      await sleep(500);
      for (const [name, { seen, errors, told = TOLD }] of Object.entries(all)) assert.deepStrictEqual([seen, errors], [told, []], name);
      return TOLD.join(" ");
    });
  } finally {
    await Promise.allSettled(Object.values(all).map((watcher) => watcher.stop()));
    for (const name of ["viem, subscription", "viem 1, subscription"]) (await (all[name]?.client.transport.getRpcClient?.() ?? all[name]?.client.transport.getSocket?.()))?.close();
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}
