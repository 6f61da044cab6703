// What scenarios of orders share: images of simulated nodes, a policy's text, and the operators with `kettle order`.
import assert from "node:assert";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as client from "./client.mjs";
import { lineOf } from "../../docs/blocks.mjs";

const run = promisify(execFile);

// What a simulated node measures, from its quote: MRTD, and RTMR0 to RTMR3.
const TD_AT = 48, MRTD_AT = TD_AT + 136, RTMR_AT = TD_AT + 328;
const register = (quote, at) => quote.subarray(at, at + 48).toString("hex");
const image = (name, quote) => ({
  name,
  mrtd: crypto.createHash("sha384").update(name).digest("hex"),
  rtmr0: register(quote, RTMR_AT),
  rtmr1: register(quote, RTMR_AT + 48),
  rtmr2: register(quote, RTMR_AT + 96),
  rtmr3: { mode: "exact", value: register(quote, RTMR_AT + 144) },
});

export const member = (t, scenario, name, imageName, port = t.world.port()) => ({
  name,
  node: t.world.node(`${scenario}-${name}`, {
    options: ["--development", "--simulator-seed", scenario, "--simulator-image", imageName],
  }),
  port,
});

export const keys = async ({ node }) => {
  const answer = await node.get("/v1/keys");
  assert.strictEqual(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
};

// Who was given keys, as a node was told.
export const releases = async ({ node }) => {
  const answer = await node.get("/v1/keys/releases");
  assert.strictEqual(answer.status, 200, answer.text);
  return JSON.parse(answer.text).releases;
};

// Policies that admit images by their names, in the words of a quote of a node that is thrown away.
async function policies(t, scenario, chain) {
  const one = member(t, scenario, "probe", "image-a");
  await one.node.begin(chain.setup({ peers: [], port: one.port }));
  const quote = Buffer.from(client.parseTwice((await one.node.get("/attest")).text).quote, "hex");
  const { simulator_root } = (await one.node.status()).tee;
  await one.node.stop();
  assert.strictEqual(register(quote, MRTD_AT), image("image-a", quote).mrtd);
  return (...names) => ({ version: 1, mode: "list", simulator_root, images: names.map((n) => image(n, quote)) });
}

// The lines of docs/overlay.md, for these nodes and files.
const DOC = "docs/overlay.md";
const three = (members) => ({ "--node": [], "http://a:3032": members.flatMap(({ node }) => ["--node", node.url]), "http://b:3032": [], "http://c:3032": [] });
export const sendLine = (t, members, file) => lineOf(t.world.root, DOC, "order send", { ...three(members), "signed.json": file });

// One operator: {policy, policy_signers, kettle, file, order}. order(nodes, admitted, ...options) prepares, signs, and
// returns {file, order, said}.
export async function operator(t, scenario, chain) {
  const dir = path.join(t.world.tmp, scenario);
  fs.mkdirSync(dir);
  const kettle = (...args) => run(path.join(t.world.build, "kettle"), args);
  const file = (name) => path.join(dir, name);
  const signer = crypto.createECDH("secp256k1");
  signer.generateKeys();
  fs.writeFileSync(file("signer"), signer.getPrivateKey("hex").padStart(64, "0"));
  const policy = await policies(t, scenario, chain);
  let count = 0;
  return {
    policy,
    policy_signers: { threshold: 1, keys: [`0x${signer.getPublicKey("hex", "compressed")}`] },
    kettle,
    file,
    order: async (members, admitted, ...options) => {
      const [text, unsigned, signed] = ["policy", "order", "signed"].map((name) => file(`${name}-${count}`));
      count++;
      fs.writeFileSync(text, JSON.stringify(policy(...admitted)));
      const prepare = lineOf(t.world.root, DOC, "order prepare --policy new-policy.json", { ...three(members), "new-policy.json": text, "order.json": unsigned });
      const said = await kettle(...prepare, ...options);
      await kettle(...lineOf(t.world.root, DOC, "order sign", { "operator-1.hex": file("signer"), "order-1.json": signed, "order.json": unsigned }));
      return { policy: text, unsigned, file: signed, order: JSON.parse(fs.readFileSync(signed)), said: said.stderr };
    },
  };
}
