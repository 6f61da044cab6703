// The interface: nothing of the published contract and of the specification is missing; what is committed is what is compiled.
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "../sdk/harness.mjs";
import { viem } from "../sdk/libraries.mjs";
import { artefactPath } from "./compile.mjs";
import { contract } from "./chain.mjs";

/** Selectors and topics as upstream's scripts and the chain's explorers know them. */
const SELECTORS = `registerInstance(string) 65d0ebe4
registerPeer(string,bytes,bytes,bytes,bytes,string,string,bytes32) d95d3c5c
deactivateInstance(string) 792f2a2e
getPeerEndpoints() 2d5f2786
getActiveInstances() 1429fbee
getInstanceInfo(string) 235c992f
isAppAllowed((string,bytes32,uint256)) fa706ea3
mintNodeAccess(address,string) 9e91b690
setClusterConfig(uint256,bool,uint256) 091a4d83
setDevMode(bool) 7c897da2
addBaseDomain(string) ddceb0e4
setKmsRootAddress(address) faf66ef0
walletToTokenId(address) 9c2806c7
instanceToToken(string) 64f7ef3c
tokenToInstance(uint256) 6a58a261
activeInstances(string) 0ba7df8c
instanceToConnectionUrl(string) 9f373daf
maxNodes() ddf0185f
publicMinting() 53ac010a
mintPrice() 6817c76c
devMode() df6de7f7
allowedBaseDomains(string) aedb6bea
kmsRootAddress() da61992b
totalSupply() 18160ddd
owner() 8da5cb5b
ownerOf(uint256) 6352211e
registerPeer() acbfcf04
updateHeartbeat() 66e61567
instanceToEndpoint(string) c78dcfc7
instanceToNetworkType(string) c0edeada
lastHeartbeat(string) 31a9709d`.split("\n");
const TOPICS = {
  "InstanceRegistered(string,uint256)": "8746befbcafb33fa77849c83242d1fc0c1324f091db9e26981d8e292d872a035",
  "InstanceDeactivated(string)": "23536f4396ae0e6f7502592dc66b3520cb7cffc7a1c9c12d09397d3637d5ec8b",
  "PeerRegistered(string,string)": "cf6aab3c997f0722d26ef35958e7db0dce084d7bdc4427fa6216b32da24ea895",
  "ClusterConfigUpdated(uint256,bool,uint256)": "c7e3927eee14e57d9aedb25b1c922ff9a938913254826e6f4eca0c47fddcef71",
  "KmsRootAddressUpdated(address,address)": "7d427fc0772b1292e85cc467a9cf1201e7d4fa5e6ebaf85111ef19e13ecc01b5",
};

const types = (list) => list.map(({ type, components }) => (components ? `(${types(components)})` : type)).join(",");
const signature = ({ name, inputs }) => `${name}(${types(inputs)})`;
const indexed = ({ inputs }) => inputs.map((input) => input.indexed).join(",");
/** Enums have the ABI type uint8; nothing else differs between a mapping's getter and a function. */
const shape = (item) => `${signature(item)} ${types(item.outputs)} ${item.stateMutability.replace("pure", "view")}`;

function documented({ abi, devdoc, userdoc }) {
  for (const item of abi) {
    const kind = { function: "methods", event: "events", error: "errors", constructor: "methods" }[item.type];
    const id = item.type === "constructor" ? "constructor" : signature(item);
    const of = [devdoc[kind]?.[id] ?? {}].flat()[0];
    const variable = devdoc.stateVariables?.[item.name] !== undefined || userdoc[kind]?.[id];
    assert.ok(variable || item.type === "constructor", id);
    const isGetter = userdoc[kind]?.[id] && of.params === undefined && item.stateMutability === "view";
    if (!isGetter) for (const { name } of item.inputs) if (name) assert.ok(of.params?.[name], `${id}: ${name}`);
  }
}

export async function tests(chain, { ours, base }, fresh) {
  await test("the committed artefact is what a fresh compile gives", () =>
    assert.equal(fs.readFileSync(artefactPath, "utf8"), fresh));
  await test("the code fits the chain's limit of 24,576 bytes", () => {
    const size = (ours.deployed.length - 2) / 2;
    console.log(`code: ${size} bytes; the published contract: ${(base.deployed.length - 2) / 2}`);
    assert.ok(size <= 24576);
  });
  await test("every function and event of the published contract is there, with its results and mutability", () => {
    const have = ours.abi.filter(({ type }) => type === "function").map(shape);
    const want = base.abi.filter(({ type }) => type === "function").map(shape);
    assert.ok(want.length >= 40, `${want.length}`);
    for (const item of want) assert.ok(have.includes(item), item);
    const events = (abi) => abi.filter(({ type }) => type === "event").map((e) => `${signature(e)} ${indexed(e)}`);
    assert.ok(events(base.abi).length === 11, events(base.abi).join(" "));
    for (const event of events(base.abi)) assert.ok(events(ours.abi).includes(event), event);
  });
  await test("selectors and topics are the known ones", () => {
    const functions = ours.abi.filter(({ type }) => type === "function");
    for (const line of SELECTORS) {
      const [text, selector] = line.split(" ");
      const item = functions.find((f) => signature(f) === text);
      assert.ok(item, text);
      assert.equal(viem.toFunctionSelector(item), `0x${selector}`, text);
    }
    for (const [text, topic] of Object.entries(TOPICS)) {
      const item = ours.abi.find((e) => e.type === "event" && signature(e) === text);
      assert.equal(viem.toEventSelector(item), `0x${topic}`, text);
    }
  });
  await test("every function, event, error and parameter is documented", () => documented(ours));
  await test("ERC-165 names itself, ERC-721 and its metadata, and nothing else", async () => {
    const { deploy } = await import("../sdk/anvil.mjs");
    const c = contract(chain, await deploy(chain, ours, [chain.account.address]));
    for (const id of ["0x01ffc9a7", "0x80ac58cd", "0x5b5e139f"]) assert.equal(await c.reads("supportsInterface", id), true);
    for (const id of ["0xffffffff", "0x780e9d63"]) assert.equal(await c.reads("supportsInterface", id), false);
    assert.equal(await c.reads("name"), "DStack Cluster NFT");
    assert.equal(await c.reads("symbol"), "DSTACK");
  });
}
