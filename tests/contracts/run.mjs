// Runs the tests of the membership contract, or writes what is committed of it.
import assert from "node:assert/strict";
import fs from "node:fs";
import { startAnvil } from "../sdk/anvil.mjs";
import { close, root, test } from "../sdk/harness.mjs";
import { artefactPath, artefactText, compile } from "./compile.mjs";
import { fixture } from "./fixture.mjs";

const fixturePath = `${root}tests/data/members.txt`;
const compiled = compile();

/** Runs something on a chain of its own: contracts have the same addresses, and blocks the same times, whenever it runs. */
async function onChain(run) {
  const chain = await startAnvil();
  try {
    return await run(chain);
  } finally {
    chain.stop();
  }
}

const artefact = artefactText(compiled.ours);
const state = await onChain((chain) => fixture(chain, compiled));
if (process.argv[2] === "--write") {
  fs.writeFileSync(artefactPath, artefact);
  fs.writeFileSync(fixturePath, state);
  process.exit(0);
}
await test("the state that tests/unit/test_members.c reads is what the contracts leave", () =>
  assert.equal(fs.readFileSync(fixturePath, "utf8"), state));
await onChain(async (chain) => {
  for (const part of ["interface", "attacks", "members", "addresses", "owner", "model"])
    await (await import(`./${part}.mjs`)).tests(chain, compiled, artefact);
});
process.exit(close());
