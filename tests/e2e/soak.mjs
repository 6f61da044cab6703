// A node under mixed traffic for a long time: its memory is within what is stated, and does not grow from minute 2 on.
//   SOAK_SECONDS  how long; else ten minutes. tests/soak/run is for hours.
import assert from "node:assert";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import { WebSocket } from "ws";
import * as client from "./lib/client.mjs";
import { sleep } from "./lib/node.mjs";
import { mixed } from "./load.mjs";

const MEMORY_MIB = 256; // docs/operate.md
const FLAT_MIB = 8;
const SAMPLE_MS = 5000;
const BEGINS_MS = 120000; // what is kept has filled until then

const resident = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
const middle = (samples) => [...samples].sort((a, b) => a - b)[samples.length >> 1];

// Once: a listener that goes after some heads, questions of a wallet, a fresh quote, the metrics, a body that never comes.
async function strangers(node, address) {
  const socket = new WebSocket(`${node.url.replace("http", "ws")}/rpc`, { localAddress: address });
  socket.on("error", () => {});
  socket.on("open", () => socket.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}'));
  const half = net.connect({ host: "127.0.0.1", port: node.apiPort, localAddress: address });
  half.on("error", () => {});
  half.write("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{");
  const who = `0x${randomBytes(20).toString("hex")}`;
  const body = JSON.stringify([
    { jsonrpc: "2.0", id: 1, method: "eth_blockNumber", params: [] },
    { jsonrpc: "2.0", id: 2, method: "eth_getBalance", params: [who, "latest"] },
    { jsonrpc: "2.0", id: 3, method: "eth_getBlockByNumber", params: ["latest", true] },
  ]);
  const answers = await Promise.all([
    node.get("/rpc", { method: "POST", body, headers: { "content-type": "application/json" } }),
    node.get(`/v1/attest?nonce=0x${randomBytes(32).toString("hex")}`),
    node.get("/metrics"),
  ]);
  await sleep(2000);
  socket.terminate();
  half.destroy();
  for (const { status, text } of answers) assert([200, 429].includes(status), text);
}

// Says how much there was, and whether it was too much.
function judge(samples) {
  const most = Math.max(...samples.map((s) => s.mib));
  const settled = samples.filter((s) => s.ms >= BEGINS_MS);
  assert(most <= MEMORY_MIB, `${most.toFixed(0)} MiB`);
  if (settled.length < 12) return `at most ${most.toFixed(0)} MiB; too short to tell whether it grows`;
  const third = Math.floor(settled.length / 3);
  const [early, late] = [settled.slice(0, third), settled.slice(-third)].map((part) => middle(part.map((s) => s.mib)));
  const told = `at most ${most.toFixed(0)} MiB; ${early.toFixed(1)} MiB from minute 2 on, ${late.toFixed(1)} MiB at the end`;
  assert(late - early < FLAT_MIB, told);
  return told;
}

async function run(t) {
  const seconds = Number(process.env.SOAK_SECONDS ?? 600);
  const chain = await t.world.chain();
  const node = await t.world.node("soak").begin(chain.setup());
  const pubkey = await client.attest(node);
  const samples = [];
  const began = Date.now();
  let trouble = null;
  let over = false;
  const watch = async () => {
    for (; !over; await sleep(SAMPLE_MS)) samples.push({ ms: Date.now() - began, mib: resident(node.pid) });
  };
  const others = async () => {
    for (let n = 0; !over; n++) await strangers(node, `127.0.1.${1 + (n % 200)}`).catch((error) => (trouble ??= error));
  };
  const beside = [watch(), others()];
  await t.test(`${seconds} s of mixed traffic: every answer signed, or a clear error`, () => mixed(node, chain, pubkey, seconds));
  over = true;
  await Promise.all(beside);
  await t.test("memory is within what is stated, and does not grow from minute 2 on", () => {
    assert.ifError(trouble);
    return judge(samples);
  });
  await t.test("it ends by itself when told to", async () => assert.deepStrictEqual((await node.stop()).code, 0));
}

export default { title: "mixed traffic for a long time", run };
