import assert from "node:assert";
import { spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import tls from "node:tls";
import { BODY_AT, policyOf, verify } from "./attest.mjs";
import * as client from "./lib/client.mjs";
import { request, until } from "./lib/node.mjs";

const OID_QUOTE = Buffer.from("060a2b0601040183e73d0101", "hex"); // 1.3.6.1.4.1.62397.1.1
const REPORT_DATA_AT = BODY_AT + 520;

// A man in the middle: its own key, and a certificate for 127.0.0.1 (openssl req -x509 -newkey ec ... -days 36500).
const RELAY_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEoqIB5FtCcVilS1u
nCY1P1IItU1guqb9m31N3GiaA2mhRANCAAQ4UwWhVMTaVtLrfBL6wDJsuxnE0DSp
dWoP5/FZxlu4jxpMI1/eZx+miVh/h3f/H9OEpuXiIbnm1kLgI29PKJ4t
-----END PRIVATE KEY-----`;
const RELAY_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBiDCCAS6gAwIBAgIUdKCaRRxuHsOPdNa5lQ27lNQR6m0wCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFcmVsYXkwIBcNMjYxMTIxMDgxODAzWhgPMjEyNjEwMjgwODE4
MDNaMBAxDjAMBgNVBAMMBXJlbGF5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
OFMFoVTE2lbS63wS+sAybLsZxNA0qXVqD+fxWcZbuI8aTCNf3mcfpolYf4d3/x/T
hKbl4iG55tZC4CNvTyieLaNkMGIwHQYDVR0OBBYEFOXSgxVRAqLj+mS8ps89zMHN
lNMDMB8GA1UdIwQYMBaAFOXSgxVRAqLj+mS8ps89zMHNlNMDMA8GA1UdEwEB/wQF
MAMBAf8wDwYDVR0RBAgwBocEfwAAATAKBggqhkjOPQQDAgNIADBFAiA3OYW1n//k
GFOYwTi6f0aMIF/XrGVCArApJfgyRjsRzAIhALVvSIgTsHAYyP0Rnp5vMtPDHIYa
BVijwBOgoNKydagl
-----END CERTIFICATE-----`;

// The certificate that a TLS server on this port shows.
function certificateAt(port) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate());
      socket.end();
    });
    socket.on("error", reject);
  });
}

// The quote in a certificate: OID, OCTET STRING (extnValue), OCTET STRING, quote; lengths in two bytes.
function quoteOf(certificate) {
  const at = certificate.raw.indexOf(OID_QUOTE) + OID_QUOTE.length;
  assert(at >= OID_QUOTE.length, "no quote in the certificate");
  assert.deepStrictEqual([...certificate.raw.subarray(at, at + 2)], [0x04, 0x82]);
  assert.deepStrictEqual([...certificate.raw.subarray(at + 4, at + 6)], [0x04, 0x82]);
  const length = certificate.raw.readUInt16BE(at + 6);
  return certificate.raw.subarray(at + 8, at + 8 + length);
}

// An HTTPS server with a certificate of its own that hands everything on to the node.
function relay(node, port) {
  const server = https.createServer({ key: RELAY_KEY, cert: RELAY_CERTIFICATE }, async (query, answer) => {
    const { status, text } = await request(node.url + query.url);
    answer.writeHead(status).end(text);
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

async function run(t) {
  const chain = await t.world.chain();
  const node = await t.world.node("ratls").begin({ ...chain.setup(), api_tls: true });
  const program = path.join(t.world.build, "kettle");
  const certificate = await certificateAt(node.apiPort);
  const quote = quoteOf(certificate);
  const policy = path.join(node.dir, "policy.json");
  fs.writeFileSync(policy, JSON.stringify(policyOf(quote)));
  await until("the node's own quote is verified", 30000, async () => (await node.status()).tee.verified);
  const failures = ({ steps }) => steps.filter((step) => !step.ok).map(({ step, code }) => `${step}: ${code}`);

  await t.test("the certificate's quote is over the hash of its key", () => {
    const spki = certificate.publicKey.export({ type: "spki", format: "der" });
    const expected = crypto.createHash("sha512").update("ratls-cert:").update(spki).digest("hex");
    assert.strictEqual(quote.subarray(REPORT_DATA_AT, REPORT_DATA_AT + 64).toString("hex"), expected);
    assert(certificate.verify(certificate.publicKey), "not signed by its own key");
    assert.strictEqual(certificate.ca, false);
  });
  await t.test("a client that has the certificate is served, plain HTTP is not", async () => {
    const ca = certificate.toString();
    client.parseTwice((await request(`${node.url}/block`, { ca })).text);
    await assert.rejects(request(`http://127.0.0.1:${node.apiPort}/block`));
  });
  await t.test("verify --ra-tls: the connection ends in the attested TD", async () => {
    const result = await verify(program, ["--policy", policy, "--ra-tls", node.url]);
    assert.deepStrictEqual([failures(result), result.holds], [[], true]);
    assert(result.steps.some(({ step }) => step === "tls"));
  });
  await t.test("verify without --ra-tls wants a known issuer", async () => {
    const result = await verify(program, ["--policy", policy, node.url]);
    assert.deepStrictEqual([failures(result), result.code], [["attestation: null"], 3]);
    assert.match(result.steps.at(-1).detail, /its certificate is a RA-TLS one, for which no issuer vouches: give --ra-tls/);
  });
  await t.test("quote takes the base URL, and with --ra-tls such a certificate", () => {
    const quoteOf = (...args) => spawnSync(program, ["quote", ...args], { encoding: "utf8" });
    const plain = quoteOf(node.url), good = quoteOf("--ra-tls", "--json", `${node.url}/`);
    assert.deepStrictEqual([plain.status, good.status], [3, 0], plain.stderr + good.stderr);
    assert.match(plain.stderr, /RA-TLS/);
    assert.strictEqual(JSON.parse(good.stdout).cluster_statement.network.name, "devnet");
  });
  await t.test("a relay is found by its certificate, though all that it hands on is genuine", async () => {
    const own = await relay(node, t.world.port());
    const result = await verify(program, ["--policy", policy, "--ra-tls", `https://127.0.0.1:${own.address().port}`]);
    own.close();
    own.closeAllConnections();
    assert.deepStrictEqual([failures(result), result.code], [["tls: E_CERT"], 1]);
  });
  await node.stop();
}

export default { title: "HTTPS with a certificate that carries a quote", run };
