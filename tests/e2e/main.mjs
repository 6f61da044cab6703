// Runs scenarios one after the other; see run. A scenario is a module with a default export {title, run(t)}.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { hold } from "./lib/conform.mjs";
import { Report } from "./lib/report.mjs";
import { World } from "./lib/world.mjs";

// In this order: what only watches the shared chain, then what disturbs it.
const SCENARIOS = ["measure", "offline", "overlay-interop", "hostile", "unverified", "tpod", "page", "live", "lightclient", "setup", "badrequests", "pages", "rpc", "clients", "statements", "liar", "cluster", "rotation", "clock", "gloas", "roundtrips", "load", "floods", "lies", "attest", "invented", "ratls", "curl", "restart", "capella"];

if (process.env.E2E_FULL === "1") SCENARIOS.splice(SCENARIOS.indexOf("rotation"), 0, "forks", "rolling", "recover", "membership", "muster", "tpod-paid", "standing"); // over a minute each, or large packages

// In these every answer of a node is held against openapi.yaml.
const DESCRIBED = ["setup", "page", "statements", "lightclient", "standing"];

const APART = ["soak", "overlay-soak"]; // only when it is named: takes as long as one likes

function usage(message) {
  console.error(`${message}\nusage: run [--build DIR] [NAME ...]; names: ${SCENARIOS.join(" ")}`);
  process.exit(2);
}

const root = fileURLToPath(new URL("../..", import.meta.url));
let build = path.join(root, "build");
const names = [];
for (let i = 2; i < process.argv.length; i++) {
  const argument = process.argv[i];
  if (argument === "--list") {
    console.log(SCENARIOS.join("\n"));
    process.exit(0);
  } else if (argument === "--build") {
    if (!process.argv[++i]) usage("--build needs a folder");
    build = path.resolve(process.argv[i]);
  } else if ([...SCENARIOS, ...APART].includes(argument)) names.push(argument);
  else usage(`no such scenario: ${argument}`);
}
if (!fs.existsSync(path.join(build, "kettle"))) {
  console.error(`e2e: no program ${path.join(build, "kettle")}; build it first (tools/setup)`);
  process.exit(1);
}

const report = new Report();
const world = new World({ root, build, quick: process.env.E2E_QUICK === "1", full: process.env.E2E_FULL === "1" });
for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
]) {
  process.once(signal, async () => {
    await world.close();
    process.exit(status);
  });
}
const chosen = names.length ? [...SCENARIOS, ...APART].filter((name) => names.includes(name)) : SCENARIOS;
try {
  if (chosen.includes("capella") && chosen.length > 1) world.capella().catch(() => {}); // takes two minutes to be ready
  for (const name of chosen) {
    hold(DESCRIBED.includes(name));
    await report.scenario(name, (await import(`./${name}.mjs`)).default, world);
  }
  await report.finish();
} finally {
  await world.close();
}
console.log(report.closingLine());
process.exit(report.failed ? 1 : 0);
