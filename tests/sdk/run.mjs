// Runs the parts that are named, or all, and counts.
import { spawn } from "node:child_process";
import fs from "node:fs";
import { add, close, root, test } from "./harness.mjs";

const python = (file, ...args) =>
  new Promise((resolve, reject) => {
    const child = spawn("python3", [`${root}tests/sdk/${file}`, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
    child.on("error", reject).on("close", () => {
      const closing = /^(\d+) passed, (\d+) failed$/m.exec(out);
      console.log(out.replace(closing?.[0] ?? "", "").trim());
      if (!closing) return reject(new Error(`${file} ended without a count`));
      add({ passed: Number(closing[1]), failed: Number(closing[2]) });
      resolve();
    });
  });

/** Runs a part on a chain of its own. */
async function onChain(part) {
  const { startAnvil } = await import("./anvil.mjs");
  const compiled = (await import("./compile.mjs")).compile();
  const chain = await startAnvil();
  try {
    await part(chain, compiled);
  } finally {
    chain.stop();
  }
}

const PARTS = {
  statements: async () => (await import("./statements.mjs")).statements(),
  evidence: async () => (await import("./evidence.mjs")).evidence(),
  attestations: async () => (await import("./attestations.mjs")).attestations(),
  page: async () => (await import("./page.mjs")).aPage(),
  python: () => test("the Python tests ran", () => python("test_python.py")),
  p2p: () => test("the tests of dstack_p2p ran", () => python("test_p2p.py")),
  clients: () => test("the tests of the other languages' calls and of examples/p2p ran", () => python("test_p2p_clients.py", "c", "examples")),
  program: async () => {
    const { program, programs } = await import("./program.mjs");
    if (fs.existsSync(program)) return programs();
    console.log(`skipped: ${program} is not built`);
  },
  contracts: () => test("the contracts' tests ran", async () => onChain((await import("./contracts.mjs")).contracts)),
  ccip: () => test("the tests of CCIP-Read ran", async () => onChain((await import("./ccip.mjs")).ccip)),
};
const named = process.argv.slice(2);
const unknown = named.filter((name) => !PARTS[name]);
if (unknown.length) {
  console.error(`usage: run [${Object.keys(PARTS).join("|")}]...`);
  process.exit(2);
}
const parts = named.length ? named : Object.keys(PARTS);
const others = async () => {
  for (const name of parts) if (name !== "python") await PARTS[name]();
};
await Promise.all([parts.includes("python") && PARTS.python(), others()]); // Python is a process of its own: beside the rest
process.exit(close());
