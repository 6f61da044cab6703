// The prototype's client: parses bodies twice and checks signatures with OpenSSL, which shares no code with the node.
import assert from "node:assert";
import crypto from "node:crypto";

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const QUOTE_SIGNED_LEN = 632; // header and TD report
const REPORT_DATA_AT = 568;

function keyOf(pubkey) {
  const point = crypto.ECDH.convertKey(pubkey, "secp256k1", "hex", "base64url", "uncompressed");
  const bytes = Buffer.from(point, "base64url");
  const [x, y] = [bytes.subarray(1, 33), bytes.subarray(33)].map((part) => part.toString("base64url"));
  return crypto.createPublicKey({ key: { kty: "EC", crv: "secp256k1", x, y }, format: "jwk" });
}

function checkSignature(pubkey, signature, text) {
  assert.match(signature, /^[0-9a-f]{128}$/, "64 bytes as hex");
  const bytes = Buffer.from(signature, "hex");
  const valid = crypto.verify("sha256", Buffer.from(text), { key: keyOf(pubkey), dsaEncoding: "ieee-p1363" }, bytes);
  assert(valid, `the signature does not verify over ${text}`);
  assert(BigInt("0x" + signature.slice(64)) <= CURVE_ORDER / 2n, "the signature has a high s");
}

export const parseTwice = (body) => JSON.parse(JSON.parse(body));

const ok = (answer) => assert.strictEqual(answer.status, 200, `${answer.status} ${answer.text}`);

// GET /attest: checks what the quote binds, and its own signature; returns the cluster's public key.
export async function attest(node) {
  const answer = await node.get("/attest");
  ok(answer);
  const { quote, pubkey, ...rest } = parseTwice(answer.text);
  assert.deepStrictEqual(rest, {});
  assert.match(pubkey, /^0[23][0-9a-f]{64}$/);
  const bytes = Buffer.from(quote, "hex");
  const expected = crypto.createHash("sha256").update("register").update(pubkey).digest("hex") + "00".repeat(32);
  assert.strictEqual(bytes.subarray(REPORT_DATA_AT, REPORT_DATA_AT + 64).toString("hex"), expected, "report_data");
  assert.strictEqual(bytes.readUInt16LE(0), 4, "quote version");
  const key = bytes.subarray(QUOTE_SIGNED_LEN + 4 + 64, QUOTE_SIGNED_LEN + 4 + 128);
  const [x, y] = [key.subarray(0, 32), key.subarray(32)].map((part) => part.toString("base64url"));
  const jwk = crypto.createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const signature = bytes.subarray(QUOTE_SIGNED_LEN + 4, QUOTE_SIGNED_LEN + 4 + 64);
  const signed = bytes.subarray(0, QUOTE_SIGNED_LEN);
  assert(crypto.verify("sha256", signed, { key: jwk, dsaEncoding: "ieee-p1363" }, signature), "the quote's signature");
  return pubkey;
}

// GET /block: the verified number.
export async function block(node, pubkey) {
  const answer = await node.get("/block");
  ok(answer);
  const inner = parseTwice(answer.text);
  assert.deepStrictEqual(Object.keys(inner), ["signature", "blocknum"]);
  assert.match(inner.blocknum, /^[1-9][0-9]*$/);
  checkSignature(pubkey, inner.signature, inner.blocknum);
  return Number(inner.blocknum);
}

// The verified response in the body of a POST /call answered with 200: {Success: "0x..."} or "Error".
export function response(answer, pubkey) {
  ok(answer);
  const inner = parseTwice(answer.text);
  assert.deepStrictEqual(Object.keys(inner), ["signature", "response"]);
  checkSignature(pubkey, inner.signature, JSON.stringify(inner.response));
  if (inner.response !== "Error") {
    assert.deepStrictEqual(Object.keys(inner.response), ["Success"]);
    assert.match(inner.response.Success, /^0x([0-9a-f]{2})*$/);
  }
  return inner.response;
}

// A call and the height that it was answered at: asked again while the head moves. answer is the raw one.
export async function callAtHeight(node, call, pubkey) {
  for (let tries = 0; ; tries++) {
    const before = await block(node, pubkey);
    const answer = await node.call(call);
    const after = await block(node, pubkey);
    if (before === after) return { answer, height: before };
    assert(tries < 20, "the head moves during every call");
  }
}

// The RFC 9457 object of a refusal; of a route of the prototype status and detail, from its {"error": ...}.
export function problem(answer) {
  assert(answer.status >= 400, `${answer.status} ${answer.text}`);
  const object = JSON.parse(answer.text);
  if (typeof object === "string") {
    const inner = JSON.parse(object);
    assert.deepStrictEqual([Object.keys(inner), typeof inner.error], [["error"], "string"], answer.text);
    return { status: answer.status, detail: inner.error };
  }
  for (const member of ["type", "title", "detail"]) assert.strictEqual(typeof object[member], "string", answer.text);
  assert.strictEqual(object.status, answer.status, answer.text);
  return object;
}
