// Compiles the membership contract and the published one that it replaces; gives what is committed of the first.
import fs from "node:fs";
import { createRequire } from "node:module";
import { root } from "../sdk/harness.mjs";
import { viem } from "../sdk/libraries.mjs";

const require = createRequire(new URL("../sdk/package.json", import.meta.url));
const solc = require("solc");
const OURS = "sdk/solidity/DstackP2PMembership.sol";
/** contracts/src/DstackMembershipNFT.sol of Account-Link/dstack-nft-cluster at 4d7f03e, unaltered, with that project's settings. */
const BASE = "tests/contracts/base/DstackMembershipNFT.sol";
const SETTINGS = {
  viaIR: true,
  evmVersion: "cancun",
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: "none", appendCBOR: false }, // no file name or comment is part of the code
};
const OUTPUT = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "storageLayout", "devdoc", "userdoc"];
const read = (name) => {
  const path = name.startsWith("@openzeppelin/") ? require.resolve(name) : root + name;
  return { contents: fs.readFileSync(path, "utf8") };
};

export const artefactPath = `${root}sdk/solidity/DstackP2PMembership.json`;

export function compile() {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries([OURS, BASE].map((name) => [name, { content: read(name).contents }])),
    settings: { ...SETTINGS, outputSelection: { "*": { "*": OUTPUT } } },
  };
  const out = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  if (out.errors?.length) throw new Error(out.errors.map((e) => e.formattedMessage).join("\n"));
  const contract = (file, name) => {
    const { abi, evm, storageLayout, devdoc, userdoc } = out.contracts[file][name];
    const [bytecode, deployed] = [evm.bytecode.object, evm.deployedBytecode.object].map((hex) => `0x${hex}`);
    return { abi, bytecode, deployed, storageLayout, devdoc, userdoc };
  };
  return { ours: contract(OURS, "DstackP2PMembership"), base: contract(BASE, "DstackMembershipNFT") };
}

/** What is committed: everything that a deployment and a reader of its storage need. */
function artefact({ abi, bytecode, deployed, storageLayout }) {
  const typeNames = Object.fromEntries(Object.entries(storageLayout.types).map(([id, { label }]) => [id, label]));
  const variable = ({ label, slot, offset, type }) => ({ label, slot: Number(slot), offset, type: typeNames[type] });
  const structs = Object.values(storageLayout.types).filter(({ members }) => members);
  return {
    contract: "DstackP2PMembership",
    compiler: solc.version(),
    settings: SETTINGS,
    codeHash: viem.keccak256(deployed),
    abi,
    storage: storageLayout.storage.map(variable),
    structs: Object.fromEntries(structs.map(({ label, members }) => [label, members.map(variable)])),
    bytecode,
  };
}

/** The artefact as JSON, one line for each function, event, error and variable. */
export function artefactText(contract) {
  const member = ([name, value]) =>
    Array.isArray(value)
      ? ` "${name}": [\n${value.map((item) => `  ${JSON.stringify(item)}`).join(",\n")}\n ]`
      : ` "${name}": ${JSON.stringify(value)}`;
  return `{\n${Object.entries(artefact(contract)).map(member).join(",\n")}\n}\n`;
}
