// What answers from memory cost under load, beside a server that is libmicrohttpd alone.
import assert from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./node.mjs";

const HAMMER = fileURLToPath(new URL("./hammer.mjs", import.meta.url));
const CONNECTIONS = 64;
const GROWTH_KB = 8 << 10;

const resident = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

// Ticks of processor time that a process has had.
function ticks(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

const tickUs = 1e6 / Number(spawnSync("getconf", ["CLK_TCK"]).stdout);
const pin = (core) => ["taskset", "-c", String(core)];

// {answers, errors, first, us: processor time of the server for each, grown: KB}
async function hammer(port, pid, ms, request) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, ...request });
  const [program, ...args] = [...pin(1), process.execPath, HAMMER, String(port), String(CONNECTIONS), String(ms), body];
  const [time, memory] = [ticks(pid), resident(pid)];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (data) => (text += data));
  await new Promise((done) => child.on("close", done));
  const counts = JSON.parse(text);
  return { ...counts, us: ((ticks(pid) - time) * tickUs) / counts.answers, grown: resident(pid) - memory };
}

async function bare(t, ms, request) {
  const port = t.world.port();
  const child = spawn("taskset", ["-c", "0", path.join(t.world.build, "tests/e2e/bare_server"), String(port)], { stdio: "ignore" });
  try {
    await until("the bare server answers", 10000, async () => (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "x" })).ok);
    return await hammer(port, child.pid, ms, request);
  } finally {
    child.kill("SIGKILL");
  }
}

export async function hammered(t, node, seconds, call) {
  const port = Number(new URL(node.url).port);
  spawnSync("taskset", ["-a", "-p", "-c", "0", String(node.pid)]);
  const requests = { eth_blockNumber: { method: "eth_blockNumber" }, "a hot eth_call": { method: "eth_call", params: [call, "latest"] } };
  for (const [name, request] of Object.entries(requests)) {
    await t.test(`${CONNECTIONS} connections ask for ${name} for ${seconds} s: no error, flat memory`, async () => {
      await hammer(port, node.pid, 3000, request); // what is kept is kept from now on
      const floor = await bare(t, 5000, request);
      const { answers, errors, first, us, grown } = await hammer(port, node.pid, seconds * 1000, request);
      assert.deepStrictEqual([errors, first], [0, null]);
      assert(grown < GROWTH_KB, `${grown} KB more`);
      return `${Math.round(answers / seconds)} a second, ${us.toFixed(1)} µs of processor time for each, ${(us / floor.us).toFixed(2)} of libmicrohttpd alone; ${grown} KB more`;
    });
  }
}
