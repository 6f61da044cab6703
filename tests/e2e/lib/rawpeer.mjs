// A peer of libp2p over TCP by hand, one step after the other, so that each can be done wrongly: multistream, Noise XX, yamux.
import crypto from "node:crypto";
import net from "node:net";

const sha256 = (...parts) => crypto.createHash("sha256").update(Buffer.concat(parts)).digest();
const hmac = (key, ...parts) => crypto.createHmac("sha256", key).update(Buffer.concat(parts)).digest();
const X25519_DER = Buffer.from("302a300506032b656e032100", "hex");
const raw = (key) => key.export({ type: "spki", format: "der" }).subarray(-32);
const dh = (privateKey, theirs) =>
  crypto.diffieHellman({ privateKey, publicKey: crypto.createPublicKey({ key: Buffer.concat([X25519_DER, theirs]), format: "der", type: "spki" }) });

function expand(ck, input) {
  const temporary = hmac(ck, input), first = hmac(temporary, Buffer.from([1]));
  return [first, hmac(temporary, first, Buffer.from([2]))];
}

function nonceOf(n) {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(BigInt(n), 4);
  return nonce;
}

function seal(key, n, plain, ad = Buffer.alloc(0)) {
  const c = crypto.createCipheriv("chacha20-poly1305", key, nonceOf(n), { authTagLength: 16 });
  c.setAAD(ad, { plaintextLength: plain.length });
  return Buffer.concat([c.update(plain), c.final(), c.getAuthTag()]);
}

function open(key, n, box, ad = Buffer.alloc(0)) {
  const c = crypto.createDecipheriv("chacha20-poly1305", key, nonceOf(n), { authTagLength: 16 });
  c.setAAD(ad, { plaintextLength: box.length - 16 });
  c.setAuthTag(box.subarray(-16));
  return Buffer.concat([c.update(box.subarray(0, -16)), c.final()]);
}

export const varint = (n) => {
  const out = [];
  for (; n > 127; n = Math.floor(n / 128)) out.push((n % 128) | 128);
  return Buffer.from([...out, n]);
};
export const line = (text) => Buffer.concat([varint(text.length + 1), Buffer.from(`${text}\n`)]);
export const field = (number, bytes) => Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);

// A frame of yamux.
export function frame(type, flags, stream, length, body = Buffer.alloc(0)) {
  const head = Buffer.alloc(12);
  head.writeUInt8(type, 1);
  head.writeUInt16BE(flags, 2);
  head.writeUInt32BE(stream, 4);
  head.writeUInt32BE(length, 8);
  return Buffer.concat([head, body]);
}

export class RawPeer {
  #got = Buffer.alloc(0);
  #wake = () => {};
  #sent = 0;
  closed = false;
  received = 0;

  // from: the address that it comes from.
  constructor(port, from = "127.0.0.1") {
    this.socket = net.connect({ port, host: "127.0.0.1", localAddress: from });
    this.socket.setNoDelay();
    this.socket.on("data", (bytes) => {
      this.received += bytes.length;
      if (this.#got.length < 1 << 20) this.#got = Buffer.concat([this.#got, bytes]);
      this.#wake();
    });
    this.socket.on("error", () => {});
    this.ended = new Promise((resolve) =>
      this.socket.on("close", () => {
        this.closed = true;
        this.#wake();
        resolve(Date.now());
      }),
    );
  }

  send(bytes) {
    if (!this.closed) this.socket.write(bytes);
  }

  async read(n) {
    while (this.#got.length < n) {
      if (this.closed) throw new Error("closed");
      await new Promise((resolve) => (this.#wake = resolve));
    }
    const out = this.#got.subarray(0, n);
    this.#got = this.#got.subarray(n);
    return out;
  }

  async readLine() {
    const [n] = await this.read(1); // no line here is longer than 127 bytes
    return (await this.read(n)).toString().trim();
  }

  async negotiate(protocol) {
    this.send(Buffer.concat([line("/multistream/1.0.0"), line(protocol)]));
    return [await this.readLine(), await this.readLine()];
  }

  // Noise XX as the initiator, then yamux, which its payload names.
  async upgrade() {
    await this.negotiate("/noise");
    const [e, s, identity] = ["x25519", "x25519", "ed25519"].map((type) => crypto.generateKeyPairSync(type));
    let h = Buffer.from("Noise_XX_25519_ChaChaPoly_SHA256"), ck = h, k, n = 0;
    const mix = (bytes) => (h = sha256(h, bytes));
    const key = (secret) => ([[ck, k], n] = [expand(ck, secret), 0]);
    const opens = (box) => {
      const plain = open(k, n++, box, h);
      mix(box);
      return plain;
    };
    const seals = (plain) => {
      const box = seal(k, n++, plain, h);
      mix(box);
      return box;
    };
    mix(Buffer.alloc(0));
    mix(raw(e.publicKey));
    mix(Buffer.alloc(0));
    this.#record(raw(e.publicKey));
    const second = await this.#readRecord();
    mix(second.subarray(0, 32));
    const re = second.subarray(0, 32);
    key(dh(e.privateKey, re));
    const rs = opens(second.subarray(32, 80));
    key(dh(e.privateKey, rs));
    opens(second.subarray(80));
    const payload = Buffer.concat([
      field(1, Buffer.concat([Buffer.from("08011220", "hex"), raw(identity.publicKey)])),
      field(2, crypto.sign(null, Buffer.concat([Buffer.from("noise-libp2p-static-key:"), raw(s.publicKey)]), identity.privateKey)),
      field(4, field(2, Buffer.from("/yamux/1.0.0"))),
    ]);
    const third = seals(raw(s.publicKey));
    key(dh(s.privateKey, re));
    this.#record(Buffer.concat([third, seals(payload)]));
    this.key = expand(ck, Buffer.alloc(0))[0];
  }

  #record(bytes) {
    const head = Buffer.alloc(2);
    head.writeUInt16BE(bytes.length);
    this.send(Buffer.concat([head, bytes]));
  }

  async #readRecord() {
    return this.read((await this.read(2)).readUInt16BE());
  }

  // Inside Noise.
  say(plain) {
    for (let at = 0; at < plain.length; at += 65000) this.#record(seal(this.key, this.#sent++, plain.subarray(at, at + 65000)));
  }

  // Opens a stream and says what follows; nobody reads the answer.
  stream(id, ...parts) {
    const body = Buffer.concat(parts);
    this.say(Buffer.concat([frame(1, 1, id, 0), frame(0, 0, id, body.length, body)]));
  }

  destroy() {
    this.socket.destroy();
  }
}
