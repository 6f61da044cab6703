// A publisher of trusted pods in plain JavaScript: the few bytes of protobuf that it needs, and a check of what a provider's quote binds.
// It shares nothing with the program: bytes from overlay/tpod/pod.h's field numbers, report data from overlay/tpod/attest.h's formula.
import assert from "node:assert";
import crypto from "node:crypto";

const REPORT_DATA_AT = 48 + 520; // in a quote: header, then the TD's report
const VARINT = 0;
const BYTES = 2;

function varint(n) {
  const out = [];
  for (; n > 127n; n >>= 7n) out.push(Number((n & 127n) | 128n));
  return Buffer.from([...out, Number(n)]);
}

const number = (field, n) => Buffer.concat([varint(BigInt((field << 3) | VARINT)), varint(BigInt.asUintN(64, BigInt(n)))]);
const bytes = (field, b) => Buffer.concat([varint(BigInt((field << 3) | BYTES)), varint(BigInt(b.length)), Buffer.from(b)]);
const message = (...fields) => Buffer.concat(fields);

// {field: [values]}: numbers as BigInt, the rest as bytes.
function read(buffer) {
  const out = {};
  let at = 0;
  const take = () => {
    let n = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(buffer[at++]);
      n |= (byte & 127n) << shift;
      if (byte < 128n) return n;
    }
  };
  while (at < buffer.length) {
    const key = take();
    let value = take();
    if ((key & 7n) === BigInt(BYTES)) value = buffer.subarray(at, (at += Number(value)));
    else assert.strictEqual(key & 7n, BigInt(VARINT));
    (out[key >> 3n] ??= []).push(value);
  }
  return out;
}

// One request on a stream of its own, one response.
async function call(connection, name, request) {
  const stream = await connection.newStream(name);
  await stream.sink([Buffer.concat([varint(BigInt(request.length)), request])]);
  const parts = [];
  for await (const part of stream.source) parts.push(Buffer.from(part.subarray()));
  const all = Buffer.concat(parts);
  let head = 1;
  while (all[head - 1] & 128) head++;
  return read(all.subarray(head));
}

// The provider's evidence, whose quote is over this connection's two ends and a nonce drawn now.
export async function attest(connection, self, name = "/trusted-pods/attest/0.0.1") {
  const nonce = crypto.randomBytes(32);
  const answer = await call(connection, name, message(bytes(1, nonce), number(2, 1)));
  assert.strictEqual(answer[4], undefined, `error: ${answer[4]}`);
  assert.strictEqual(answer[2][0], 1n, "the version of what is bound");
  const evidence = JSON.parse(answer[1][0].toString());
  const quote = Buffer.from(evidence.quote.slice(2), "hex");
  const ids = [connection.remotePeer, self].map((id) => id.toMultihash().bytes);
  const bound = message(Buffer.from("tpod-attest/1"), nonce, ...ids.map((id) => message(varint(BigInt(id.length)), Buffer.from(id))));
  const want = crypto.createHash("sha512").update(bound).digest("hex");
  assert.strictEqual(quote.subarray(REPORT_DATA_AT, REPORT_DATA_AT + 64).toString("hex"), want, "report_data");
  return { quote, evidence, capacity: read(answer[3][0]) };
}

// A Kademlia server's answer, with its length, that tells of one peer these addresses. id, addresses: as libp2p has them.
export function toldOf(id, addresses) {
  const peer = message(bytes(1, id.toMultihash().bytes), ...addresses.map((a) => bytes(2, a.bytes)));
  const answer = message(number(1, 4), bytes(8, peer));
  return message(varint(BigInt(answer.length)), answer);
}

export const capacity = (connection, name = "/trusted-pods/provisioning-capacity/0.0.1") => call(connection, name, Buffer.alloc(0));

// One container, its image under the first key. pricing: bytes of the table that was offered; undefined: none.
export async function provision(connection, { key, keyIdx = 0, pricing }) {
  const image = message(bytes(1, Buffer.from("bafyimage")), number(2, keyIdx));
  const port = message(number(1, 80), bytes(3, Buffer.from("example.local")));
  const container = message(bytes(1, Buffer.from("web")), bytes(2, image), bytes(6, port));
  const request = message(bytes(1, bytes(1, container)), bytes(2, bytes(1, Buffer.from(key))), ...(pricing ? [bytes(4, pricing)] : []));
  const answer = await call(connection, "/trusted-pods/provision-service/0.0.1", request);
  const addresses = (answer[2] ?? []).map(read);
  return { error: answer[1]?.[0].toString(), addresses: addresses.map((a) => `${a[1][0]} ${a[2][0]} ${a[3][0]}`) };
}
