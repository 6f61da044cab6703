// One address floods, each in its own way; others ask on, each from an address of its own of 127.0.0.0/8.
import assert from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { Interface } from "ethers";
import { parseTwice } from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";

const FLOOD = fileURLToPath(new URL("lib/flood.mjs", import.meta.url));
const MEMORY_MIB = 256; // docs/operate.md
const [BLOCK_MS, CALL_MS] = [50, 3000]; // p99
const QUOTE_MS = 2000;
const REPORT_DATA_AT = 568;
const END_MS = 4000; // from SIGTERM, though nobody reads the log; where time is measured

const ROWS = [
  ["loops", "80 connections with calls of 50 million gas"],
  ["left", "72 calls a second that nobody waits for"],
  ["slow", "4 addresses with 256 bodies each that hardly come"],
  ["websockets", "4 addresses with 128 WebSockets each, on which messages of 5 MiB do not end"],
  ["idle", "1,000 idle connections"],
  ["quotes", "fresh quotes without end, of a provider that takes 2 s for each"],
];

// A guest agent that takes its time: the quote of another run, with the report data that is asked for.
function slowAgent(quote, port) {
  const server = http.createServer(async (request, answer) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const asked = Buffer.concat(chunks).length ? JSON.parse(Buffer.concat(chunks)) : {};
    const bytes = Buffer.from(quote, "hex");
    Buffer.from(asked.report_data ?? "", "hex").copy(bytes, REPORT_DATA_AT);
    await sleep(server.quick ? 0 : QUOTE_MS);
    answer.end(JSON.stringify({ quote: bytes.toString("hex"), event_log: "[]", report_data: asked.report_data, vm_config: "" }));
  });
  server.quick = true;
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done(server)));
}

// One request on a connection of its own or a kept one: {status, ms}; status 0: none came.
function ask(node, address, { agent = false, path: route, body }) {
  const began = performance.now();
  return new Promise((done) => {
    const method = body ? "POST" : "GET";
    const headers = body ? { "content-type": "application/json", "content-length": body.length } : {};
    const end = (status) => done({ status, ms: performance.now() - began });
    const options = { host: "127.0.0.1", port: node.apiPort, path: route, method, headers, agent, localAddress: address };
    const r = http.request(options, (answer) => {
      answer.resume().on("end", () => end(answer.statusCode)).on("error", () => end(0));
    });
    r.setTimeout(30000, () => r.destroy());
    r.on("error", () => end(0));
    r.end(body);
  });
}

// Calls that nobody has made before.
let fresh = 0x20000;
function freshCall({ addresses, abi }) {
  const someone = "0x" + (++fresh).toString(16).padStart(40, "0");
  return JSON.stringify({ to: addresses.token, data: new Interface(abi.Token).encodeFunctionData("balanceOf", [someone]) });
}

// Asks every so many ms until the end: all answers.
async function asks(node, address, everyMs, endAt, what) {
  const answers = [];
  while (Date.now() < endAt) {
    const next = Date.now() + everyMs;
    answers.push(await ask(node, address, what()));
    await sleep(Math.max(0, next - Date.now()));
  }
  return answers;
}

const part = (times, share) => times.sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))];

const told = (answers) => {
  const times = answers.map((a) => a.ms);
  const good = answers.filter((a) => a.status === 200).length;
  return { count: answers.length, good, p50: part(times, 0.5), p99: part(times, 0.99) };
};

const line = (name, { count, good, p50, p99 }) => `${name} ${good} of ${count}, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

function mostMemory(node) {
  const status = fs.readFileSync(`/proc/${node.pid}/status`, "utf8");
  return Math.ceil(Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024);
}

function flooding(kind, node, ms, pinned) {
  const command = [process.execPath, FLOOD, kind, String(node.apiPort), String(ms)];
  const nice = ["nice", "-n", "10", ...command];
  const [program, ...args] = pinned ? ["taskset", "-c", "1", ...nice] : nice;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  return new Promise((done) => child.on("close", () => done(text.trim())));
}

// What others are answered for some time: {block, call, rss}.
async function others(node, chain, ms) {
  const endAt = Date.now() + ms;
  const kept = new http.Agent({ keepAlive: true });
  const [blocks, anew, calls, more] = await Promise.all([
    asks(node, "127.0.0.11", 20, endAt, () => ({ path: "/block", agent: kept })),
    asks(node, "127.0.0.12", 50, endAt, () => ({ path: "/block" })),
    asks(node, "127.0.0.13", 100, endAt, () => ({ path: "/call", body: freshCall(chain.contracts) })),
    asks(node, "127.0.0.14", 100, endAt, () => ({ path: "/call", body: freshCall(chain.contracts) })),
  ]);
  kept.destroy();
  return { block: told([...blocks, ...anew]), call: told([...calls, ...more]), rss: mostMemory(node) };
}

const text = ({ block, call, rss }) => `${line("/block", block)}; ${line("/call", call)}; at most ${rss} MiB`;

// quiet: what it is without a flood, where time is measured; a machine that does other things as well tells nothing by it.
async function row(t, node, chain, kind, quiet) {
  const ms = t.world.full ? 20000 : 1500;
  const flood = flooding(kind, node, ms + 500, quiet);
  await sleep(500); // it has begun
  const got = await others(node, chain, ms);
  const told = `${text(got)}; the flood got ${await flood}`;
  node.assertAlive();
  assert.strictEqual(got.block.good, got.block.count, told);
  assert.strictEqual(got.call.good, got.call.count, told);
  assert(got.rss <= MEMORY_MIB, told);
  assert(!quiet || (got.block.p99 < BLOCK_MS + quiet.block.p99 && got.call.p99 < CALL_MS + quiet.call.p99), told);
  return told;
}

// Ready, with a slow guest agent for its quotes.
async function begin(t, chain) {
  const donor = await t.world.node("floods-quote").begin(chain.setup());
  const { quote } = parseTwice((await donor.get("/attest")).text);
  await donor.stop();
  const port = t.world.port();
  const agent = await slowAgent(quote, port);
  t.atEnd(() => agent.close());
  const env = { DSTACK_SIMULATOR_ENDPOINT: `http://127.0.0.1:${port}` };
  const options = ["--development", "--tee", "dstack", "--log-level", "debug"];
  const node = await t.world.node("floods", { env, options, stalled: true }).begin(chain.setup());
  agent.quick = false;
  return Object.assign(node, { agent });
}

// Eight clients' calls at once, of which each proof comes with 64 MiB of something else.
async function padded(t, chain) {
  const proxy = await t.world.proxy(chain);
  const node = await t.world.node("padded").begin(chain.setup({ execution: proxy.url }));
  await t.test("an execution RPC that pads its answers: eight calls at once are refused, within the memory that is stated", async () => {
    const eight = () => Promise.all(Array.from({ length: 8 }, (_, i) => ask(node, `127.0.0.${20 + i}`, { path: "/call", body: freshCall(chain.contracts) })));
    const before = mostMemory(node);
    for (const lie of ["huge_string", "huge"]) {
      proxy.lie(lie, { arg: 64 });
      for (const { status } of await eight()) assert([502, 503].includes(status), `${lie}: ${status}`);
      assert(proxy.told[lie] > 0, `${lie} was not told`);
    }
    proxy.honest();
    const rss = mostMemory(node);
    assert(rss <= MEMORY_MIB, `${rss} MiB`);
    await until("it answers again", 30000, async () => (await ask(node, "127.0.0.20", { path: "/call", body: freshCall(chain.contracts) })).status === 200);
    return `${before} MiB before, at most ${rss} MiB`;
  });
  await node.stop();
}

async function run(t) {
  const chain = await t.world.chain();
  const node = await begin(t, chain);
  const measured = t.world.full && os.cpus().length >= 2;
  if (measured) spawnSync("taskset", ["-a", "-c", "-p", "0", String(node.pid)]);
  const quiet = measured ? await others(node, chain, 10000) : null;
  if (quiet) t.say(`without a flood: ${text(quiet)}`);
  for (const [kind, what] of ROWS)
    await t.test(`while one floods with ${what}, all others are answered`, () =>
      row(t, node, chain, kind, quiet),
    );
  await t.test("nobody read its standard error all the while, which kept nothing up; and it ends when it is told to", async () => {
    node.agent.quick = true;
    await sleep(QUOTE_MS); // the last quote has come
    const { code, signal, ms } = await node.stop();
    assert.deepStrictEqual([code, signal], [0, null]);
    assert(!quiet || ms < END_MS, `${ms} ms`);
    return `after ${ms} ms`;
  });
  if (t.world.full) await padded(t, chain);
}

export default { title: "one address floods, all others are served", run };
