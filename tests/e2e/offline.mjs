import assert from "node:assert";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { roundTrips } from "../devnet/lib/proxy.mjs";
import { Recorded } from "./lib/recorded.mjs";

const LIST_ROUNDS = 2;

// Runs the helper, which makes the calls through the node's own upstream code; one object per call.
function runCalls(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0) return reject(new Error(`${path.basename(program)} ended with ${code}`));
      resolve(
        text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line)),
      );
    });
  });
}

// How often each number occurs: "2: 130 times, 1: 5 times".
function tally(numbers) {
  const counts = new Map();
  for (const n of numbers) counts.set(n, (counts.get(n) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([n, times]) => `${n}: ${times} times`)
    .join(", ");
}

// Accounts, slots and codes that a call can have read: each round trip proves at least one of them.
const keysOf = (call) => 2 * call.accounts.length + call.slots.length + 2;

async function runBlock(program, vectors, upstream, block, lists) {
  upstream.lists = lists;
  upstream.log.length = 0;
  const results = await runCalls(program, [upstream.url, vectors, block]);
  assert.strictEqual(results.length, upstream.calls.length, "one line per call");
  const name = (r) => upstream.calls[r.id]?.id ?? r.id;
  const wrong = results.filter((r) => !r.ok).map((r) => `${name(r)}: ${r.why}`);
  assert.strictEqual(wrong.length, 0, `${wrong.length} calls went wrong:\n${wrong.slice(0, 30).join("\n")}`);
  const limit = (r) => (lists ? LIST_ROUNDS : keysOf(upstream.calls[r.id]));
  const slow = results.filter((r) => r.again !== 0 || r.rounds > limit(r));
  const list = slow.map((r) => `${name(r)}: ${r.rounds} round trips, for the same block again ${r.again}`);
  assert.strictEqual(slow.length, 0, `${slow.length} calls took too many:\n${list.slice(0, 30).join("\n")}`);
  const counted = roundTrips(upstream.log);
  const told = results.reduce((sum, r) => sum + r.rounds, 0);
  assert.strictEqual(counted, told, "round trips counted here, and as the node says");
  return `${results.length} calls; round trips ${tally(results.map((r) => r.rounds))}; the same block again 0`;
}

async function run(t) {
  const folder = path.join(t.world.vectors, "mainnet-calls");
  if (!fs.existsSync(folder)) return t.skip("mainnet calls", `no folder ${folder}`);
  const program = path.join(t.world.build, "tests", "e2e", "offline_call");
  assert(fs.existsSync(program), `no program ${program}`);
  for (const block of fs.readdirSync(folder).sort()) {
    const upstream = await new Recorded(path.join(folder, block)).start(t.world.port());
    try {
      await t.test(`block ${block}: without eth_createAccessList, and without what was not recorded`, () =>
        runBlock(program, t.world.vectors, upstream, block, false),
      );
      await t.test(`block ${block}: with it at most ${LIST_ROUNDS} round trips`, () =>
        runBlock(program, t.world.vectors, upstream, block, true),
      );
    } finally {
      await upstream.close();
    }
  }
}

export default { title: "recorded mainnet state behind an offline RPC: every call, round trips counted", run };
