// Evidence about blocks of mainnet, of mainnet's own light-client objects (lightclient-mainnet of the vectors), signed by a key of these tests.
import fs from "node:fs";
import path from "node:path";
import { hexlify } from "ethers";
import { answerOf, clusterOf, fileOf, hashOfSetup } from "./evidence-world.mjs";
import { root } from "./harness.mjs";

const FOLDER = path.join(process.env.KETTLE_VECTORS ?? `${root}../shared/vectors`, "lightclient-mainnet");
/** compute_fork_digest of mainnet; of Fulu with the second row of the blob schedule. */
const DIGESTS = { capella: "bba4da96", deneb: "6a95a1a9", electra: "ad532ceb", fulu: "8c9f62fe" };
const GENESIS_TIME = 1606824023;
const updates = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `update-${from + i}`);

/** From a bootstrap along updates to the attested or finalized header of an object; fork: of the objects, or by their names. */
const ROWS = {
  "a finalized block of Fulu": {
    folder: "fulu-1711", fork: "fulu", bootstrap: "bootstrap-14017856", updates: [], head: "finality_update-14018019", header: "finalized",
    checkpoint: "0x9bcb90ec3a294591b77dd2a58e973578715cdc0e6eeeb286bc06dd120057f18b",
  },
  "six periods of Capella": {
    folder: "capella-862-868", fork: "capella", bootstrap: "bootstrap-7069376", updates: updates(862, 866), head: "optimistic_update-7109431",
    checkpoint: "0x5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275",
  },
  "from Deneb to Electra": {
    folder: "deneb-to-electra-1421-1422", fork: "deneb", bootstrap: "bootstrap-11640864", updates: updates(1421, 1421), head: "update-1422", headFork: "electra",
    checkpoint: "0xd9717ecc253684291f828688f311ba74d05af74c31654f6e14077669fca62f6a",
  },
  "forty-six periods of Deneb": {
    folder: "deneb-1347-1392", fork: "deneb", bootstrap: "bootstrap-11034656", updates: updates(1347, 1391), head: "update-1392",
    checkpoint: "0x2e522016a5ac7d8d57d758b633a25491a43d12750db8f417fd6cf264b7ec5650",
  },
};

export const areThere = fs.existsSync(FOLDER);
export const names = Object.keys(ROWS);

/** The file of a row, and its checkpoint. */
export function mainnetFile(name) {
  const { folder, fork, headFork = fork, header = "attested", checkpoint, ...row } = ROWS[name];
  const read = (file) => fs.readFileSync(path.join(FOLDER, folder, file));
  const object = (file, of) => hexlify(Buffer.concat([Buffer.from(DIGESTS[of], "hex"), read(`${file}.ssz`)]));
  const said = JSON.parse(read(`${row.head}.json`).toString());
  const { [`${header}_header`]: shown, sync_aggregate: aggregate } = (Array.isArray(said) ? said[0] : said).data;
  const issuedAt = GENESIS_TIME + 12 * Number(shown.beacon.slot);
  const { genesis_validators_root, digests } = JSON.parse(fs.readFileSync(`${root}sdk/networks.json`, "utf8")).mainnet;
  const { digest, from } = digests.find((one) => one.from <= issuedAt);
  const age = row.updates.length ? 10 ** 9 : 0; // more than mainnet's bound
  const setup = clusterOf(1, { digest, forks_until: from, genesis_validators_root, name: "mainnet" }, checkpoint, age);
  const x = shown.execution;
  const signers = [...aggregate.sync_committee_bits.slice(2)].reduce((n, c) => n + [...parseInt(c, 16).toString(2)].filter((b) => b === "1").length, 0);
  const finality = header === "finalized" ? 2 : 0;
  const at = { number: x.block_number, hash: x.block_hash, stateRoot: x.state_root, timestamp: x.timestamp, slot: shown.beacon.slot, finality, signers };
  const message = { at, issuedAt: String(issuedAt), validUntil: String(issuedAt + 1800), setup: hashOfSetup(setup) };
  const consensus = {
    bootstrap: object(row.bootstrap, fork),
    updates: row.updates.map((file) => object(file, fork)),
    head: { kind: row.head.split(/[_-]/)[0], header, object: object(row.head, headFork) },
    finality: null,
  };
  return { file: fileOf({ setup, answer: answerOf("BlockStatement", message, undefined, 1), consensus }), checkpoint };
}
