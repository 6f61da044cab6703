// Writes what the tests of kettle-evidence.mjs rest on.
//   node make-evidence.mjs codes       tests/sdk/evidence-codes.json: what `kettle verify --evidence` says of each file and of what is made of it
//                                      ($KETTLE, or build/kettle)
//   node make-evidence.mjs mainnet     tests/data/evidence/mainnet-block.json: a statement about a block of mainnet, of mainnet's own objects
//                                      ($KETTLE_VECTORS, or ../shared/vectors), signed by a key of these tests
import fs from "node:fs";
import { alterations } from "./evidence-alterations.mjs";
import { cases, isKept } from "./evidence-cases.mjs";
import { mainnetFile } from "./evidence-mainnet.mjs";
import { root } from "./harness.mjs";
import { judgedByProgram } from "./program.mjs";

function codes() {
  const out = {};
  for (const [name, one] of Object.entries(cases())) {
    const judged = judgedByProgram(one.network, one.checkpoint);
    out[name] = { "": judged(JSON.stringify(one.file)) };
    for (const [what, alter] of alterations(one.file)) if (isKept(name, what)) out[name][what] = judged(JSON.stringify(alter()));
    judged.end();
  }
  fs.writeFileSync(`${root}tests/sdk/evidence-codes.json`, `${JSON.stringify(out, null, 1)}\n`);
}

function mainnet() {
  const { file } = mainnetFile("a finalized block of Fulu");
  fs.mkdirSync(`${root}tests/data/evidence`, { recursive: true });
  fs.writeFileSync(`${root}tests/data/evidence/mainnet-block.json`, `${JSON.stringify(file)}\n`);
}

const made = { codes, mainnet }[process.argv[2]];
if (!made) throw new Error("usage: make-evidence.mjs codes|mainnet");
made();
