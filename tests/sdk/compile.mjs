// Compiles the contracts of sdk/solidity and of these tests; warnings are errors.
import fs from "node:fs";
import { createRequire } from "node:module";
import { root } from "./harness.mjs";

const solc = createRequire(import.meta.url)("solc");
const SOURCES = [
  "sdk/solidity/KettleVerifier.sol",
  "sdk/solidity/KettleSigners.sol",
  "sdk/solidity/KettleDigests.sol",
  "sdk/solidity/examples/KettleReader.sol",
  "tests/sdk/contracts/StubSigners.sol",
];
const read = (name) => ({ contents: fs.readFileSync(root + name, "utf8") });

export function compile() {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(SOURCES.map((name) => [name, { content: read(name).contents }])),
    settings: {
      viaIR: true,
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 1000 },
      outputSelection: {
        "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "devdoc", "userdoc"] },
      },
    },
  };
  const out = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  if (out.errors?.length) throw new Error(out.errors.map((e) => e.formattedMessage).join("\n"));
  const contracts = Object.values(out.contracts).flatMap((file) => Object.entries(file));
  return Object.fromEntries(
    contracts.map(([name, { abi, evm, devdoc, userdoc }]) => [
      name,
      { abi, devdoc, userdoc, bytecode: `0x${evm.bytecode.object}`, size: evm.deployedBytecode.object.length / 2 },
    ]),
  );
}
