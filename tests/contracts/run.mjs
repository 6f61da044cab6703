// Runs the tests of the membership contract, or writes its artefact.
import fs from "node:fs";
import { startAnvil } from "../sdk/anvil.mjs";
import { close } from "../sdk/harness.mjs";
import { artefactPath, artefactText, compile } from "./compile.mjs";

const compiled = compile();
const fresh = artefactText(compiled.ours);
if (process.argv[2] === "--write") {
  fs.writeFileSync(artefactPath, fresh);
  process.exit(0);
}
const chain = await startAnvil();
try {
  for (const part of ["interface", "attacks", "members", "addresses", "owner", "model"])
    await (await import(`./${part}.mjs`)).tests(chain, compiled, fresh);
} finally {
  chain.stop();
}
process.exit(close());
