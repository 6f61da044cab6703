// Runs the scenarios of this folder one after the other, beside one chain; see clients.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Report } from "../e2e/lib/report.mjs";
import { World } from "../e2e/lib/world.mjs";

const NAMES = ["prototype", "page", "https"];
const root = fileURLToPath(new URL("../..", import.meta.url));
const given = process.argv.slice(2);
const report = new Report();
const world = new World({ root, build: path.join(root, "build"), quick: false, full: true });
try {
  for (const name of NAMES.filter((name) => !given.length || given.includes(name)))
    await report.scenario(name, (await import(`./${name}.mjs`)).default, world);
} finally {
  await world.close();
}
console.log(report.closingLine());
process.exit(report.failed ? 1 : 0);
