// ---- DER, PEM, certificates and revocation lists of Intel's SGX hierarchy

/** Reads bytes from the left; turns bad at the first that are missing, and is asked once. */
class Reader {
  constructor(bytes, bad = false) {
    Object.assign(this, { bytes, at: 0, bad });
  }
  get left() {
    return this.bad ? 0 : this.bytes.length - this.at;
  }
  get done() {
    return !this.bad && this.at === this.bytes.length;
  }
  take(n) {
    if (this.bad || n > this.bytes.length - this.at) {
      this.bad = true;
      return new Uint8Array(0);
    }
    return this.bytes.subarray(this.at, (this.at += n));
  }
  le(n) {
    return this.take(n).reduceRight((x, byte) => x * 256 + byte, 0);
  }
  be(n) {
    return this.take(n).reduce((x, byte) => x * 256 + byte, 0);
  }

  // DER: definite lengths in their shortest form

  get tag() {
    return this.left ? this.bytes[this.at] : 0;
  }
  #length() {
    const first = this.be(1);
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) this.bad = true;
    const n = this.be(count);
    if (n < 0x80 || n < 256 ** (count - 1)) this.bad = true;
    return n;
  }
  value(tag) {
    if (this.tag !== tag) this.bad = true;
    this.take(1);
    return this.take(this.#length());
  }
  whole(tag) {
    const from = this.at;
    this.value(tag);
    return this.bad ? new Uint8Array(0) : this.bytes.subarray(from, this.at);
  }
  enter(tag) {
    const value = this.value(tag);
    return new Reader(value, this.bad);
  }
  /** An INTEGER or ENUMERATED that is not negative: big-endian, without leading zeros. */
  unsigned(tag = INTEGER) {
    const v = this.value(tag);
    if (!v.length || v[0] & 0x80 || (v.length > 1 && v[0] === 0 && !(v[1] & 0x80))) this.bad = true;
    return v[0] === 0 ? v.subarray(1) : v;
  }
  bool() {
    const v = this.value(BOOLEAN);
    if (v.length !== 1 || (v[0] !== 0 && v[0] !== 0xff)) this.bad = true;
    return v[0] === 0xff;
  }
  time() {
    const utc = this.tag === UTC_TIME;
    const text = latin1(this.value(utc ? UTC_TIME : GENERAL_TIME));
    const found = (utc ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text);
    const parts = found?.slice(1);
    if (parts && utc) parts[0] = (Number(parts[0]) < 50 ? "20" : "19") + parts[0];
    const at = parts && civil(parts);
    if (at === undefined) this.bad = true;
    return at ?? 0;
  }
}

const [BOOLEAN, INTEGER, BITS, OCTETS, OID, ENUM, UTC_TIME, GENERAL_TIME, SEQUENCE, SET] = [
  0x01, 0x02, 0x03, 0x04, 0x06, 0x0a, 0x17, 0x18, 0x30, 0x31,
];
const ECDSA_SHA256 = bytesOf("300a06082a8648ce3d040302");
const P256_SPKI = bytesOf("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
const ID = { cn: "550403", keyUsage: "551d0f", constraints: "551d13", subjectKey: "551d0e", authorityKey: "551d23", number: "551d14" };
const ID_SGX = "2a864886f84d010d01";
const TEXT_TAGS = [0x0c, 0x13, 0x14, 0x16]; // UTF8String, PrintableString, TeletexString, IA5String
const SIGNATURE = 0x80;
const CA_USAGE = 0x04 | 0x02; // keyCertSign, cRLSign

const latin1 = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
const digits = (bytes) => toHex(bytes).slice(2);
const concat = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const bigOf = (bytes) => (bytes.length ? BigInt(toHex(bytes)) : 0n);

/** Bytes of base64 in its one spelling, line ends aside; undefined: it is none. */
function base64(text) {
  const plain = text.replace(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain)) return undefined;
  const binary = atob(plain);
  return btoa(binary) === plain ? Uint8Array.from(binary, (c) => c.charCodeAt(0)) : undefined;
}

/** A PEM block at the start of a text: its bytes and the text behind it. */
function takePem(text, label, code) {
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const stop = text.indexOf("-", begin.length);
  const bytes = text.startsWith(begin) && text.startsWith(end, stop) && base64(text.slice(begin.length, stop));
  if (!bytes) refuse(code);
  return { bytes, rest: text.slice(stop + end.length), block: text.slice(0, stop + end.length) };
}

/** SEQUENCE { what is signed, algorithm, signature }. */
function signedOf(der) {
  const whole = new Reader(der);
  const r = whole.enter(SEQUENCE);
  const parts = { tbs: r.whole(SEQUENCE), algorithm: r.whole(SEQUENCE) };
  const bits = r.enter(BITS);
  const unused = bits.be(1);
  parts.signature = bits.take(bits.left);
  return bits.bad || unused !== 0 || !r.done || !whole.done ? undefined : parts;
}

/** "good", "bad", or "point" when the key is none or r, s out of range. A high s is taken, as everywhere in X.509 and quotes. */
function p256(rs, digest, key) {
  const [r, s] = [bigOf(rs.subarray(0, 32)), bigOf(rs.subarray(32))];
  if (r === 0n || s === 0n || r >= P256_ORDER || s >= P256_ORDER || !isP256Point(key)) return "point";
  return verifyP256(rs, digest, key) ? "good" : "bad";
}

function signatureHolds({ tbs, signature }, key) {
  const whole = new Reader(signature);
  const r = whole.enter(SEQUENCE);
  const numbers = [r.unsigned(), r.unsigned()];
  if (!r.done || !whole.done || numbers.some((n) => n.length > 32)) return false;
  const rs = new Uint8Array(64);
  numbers.forEach((n, i) => rs.set(n, 32 * (i + 1) - n.length));
  return p256(rs, sha256(tbs), key) === "good";
}

/** {oid, critical, value} of each; undefined: malformed. */
function extensionsOf(list) {
  const out = [];
  while (list.left) {
    const e = list.enter(SEQUENCE);
    const oid = digits(e.value(OID));
    const critical = e.tag === BOOLEAN ? e.bool() : false;
    const value = e.value(OCTETS);
    if (!e.done) return undefined;
    out.push({ oid, critical, value });
  }
  return list.bad ? undefined : out;
}

function commonNames(name) {
  const names = [];
  const list = new Reader(name).enter(SEQUENCE);
  while (list.left) {
    const set = list.enter(SET);
    while (set.left) {
      const pair = set.enter(SEQUENCE);
      const oid = digits(pair.value(OID));
      const tag = pair.tag;
      const value = pair.value(tag);
      if (!pair.done) refuse("E_CERT");
      if (oid === ID.cn) names.push(TEXT_TAGS.includes(tag) && value.length < 128 ? latin1(value) : refuse("E_CERT"));
    }
    if (set.bad) refuse("E_CERT");
  }
  if (list.bad || names.length > 1) refuse("E_CERT");
  return names[0] ?? refuse("E_CHAINNAME");
}

/** What of a certificate stands in its extensions. */
function readExtensions(c, list) {
  const find = (oid) => {
    const found = list.filter((e) => e.oid === oid);
    if (found.length > 1) refuse(oid === ID_SGX ? "E_SGXEXT" : "E_CERT");
    return found[0];
  };
  if (list.some(({ oid }, i) => find(oid) !== list[i])) refuse("E_CERT");
  const within = (oid, read) => {
    const e = find(oid);
    if (!e) return undefined;
    const r = new Reader(e.value);
    const out = read(r);
    return r.done ? out : refuse("E_CERT");
  };
  c.subjectKey = within(ID.subjectKey, (r) => r.value(OCTETS));
  c.authorityKey = within(ID.authorityKey, (r) => {
    const inner = r.enter(SEQUENCE);
    return inner.tag === 0x80 ? inner.value(0x80) : undefined;
  });
  if (!find(ID.constraints)?.critical || !find(ID.keyUsage)?.critical) refuse("E_CHAINUSAGE");
  within(ID.constraints, (r) => {
    const inner = r.enter(SEQUENCE);
    c.ca = inner.tag === BOOLEAN ? inner.bool() : false;
    c.pathLength = inner.tag === INTEGER ? Number(bigOf(inner.unsigned())) : -1;
    if (!inner.done) refuse("E_CERT");
  });
  c.usage = within(ID.keyUsage, (r) => r.value(BITS)[1] ?? 0);
  c.sgx = find(ID_SGX)?.value;
  if (c.sgx?.length > 1024) refuse("E_SGXEXT");
  const known = [ID.constraints, ID.keyUsage, ID.subjectKey, ID.authorityKey, ID_SGX];
  if (list.some((e) => e.critical && !known.includes(e.oid))) refuse("E_CHAINUSAGE");
}

/** One certificate of a PEM text, and what stands behind it. */
function readCertificate(text) {
  const { bytes: der, rest, block } = takePem(text, "CERTIFICATE", "E_PEM");
  if (der.length > 4096) refuse("E_LIMIT");
  const parts = signedOf(der) ?? refuse("E_CERT");
  if (!same(parts.algorithm, ECDSA_SHA256)) refuse("E_CERTKEY");
  const whole = new Reader(parts.tbs);
  const t = whole.enter(SEQUENCE);
  const version = t.enter(0xa0);
  const c = { der, block, parts };
  if (bigOf(version.unsigned()) !== 2n || !version.done) refuse("E_CERT");
  c.serial = bigOf(t.value(INTEGER));
  if (!same(t.whole(SEQUENCE), parts.algorithm)) refuse("E_CERT");
  c.issuer = t.whole(SEQUENCE);
  const validity = t.enter(SEQUENCE);
  c.notBefore = validity.time();
  c.notAfter = validity.time();
  c.subject = t.whole(SEQUENCE);
  const spki = t.whole(SEQUENCE);
  for (const tag of [0x81, 0x82]) if (t.tag === tag) t.value(tag);
  const outer = t.enter(0xa3);
  const list = extensionsOf(outer.enter(SEQUENCE));
  if (!validity.done || !list || !outer.done || !t.done || !whole.done) refuse("E_CERT");
  if (spki.length !== P256_SPKI.length + 64 || !same(spki.subarray(0, P256_SPKI.length), P256_SPKI)) refuse("E_CERTKEY");
  c.key = spki.subarray(P256_SPKI.length);
  c.cn = commonNames(c.subject);
  readExtensions(c, list);
  return { certificate: c, rest };
}

/** Exactly so many certificates, line ends and perhaps one NUL behind them. */
function readChain(text, count) {
  if (utf8(text).length > 16384) refuse("E_LIMIT");
  const certificates = [];
  for (let rest = text.replace(/\0$/, ""); rest; ) {
    if (certificates.length === count) refuse("E_CHAINLEN");
    const one = readCertificate(rest);
    certificates.push(one.certificate);
    rest = one.rest.replace(/^[\r\n]+/, "");
  }
  return certificates.length === count ? certificates : refuse("E_CHAINLEN");
}

// ---- revocation lists

const CRL_MAX = 1 << 20;

/** DER of a list that a text holds as PEM or hex. */
function crlDer(text) {
  if (utf8(text).length > 2 * CRL_MAX + 4096) refuse("E_LIMIT");
  const bare = text.replace(/[\r\n]+$/, "");
  let der;
  if (text.startsWith("-----BEGIN")) {
    const pem = takePem(text, "X509 CRL", "E_CRL");
    der = /^[\r\n]*$/.test(pem.rest) ? pem.bytes : refuse("E_CRL");
  } else der = /^(?:[0-9a-f]{2})+$/i.test(bare) ? bytesOf(bare) : refuse("E_CRL");
  const r = new Reader(der);
  r.value(SEQUENCE);
  if (!r.done) refuse("E_CRL");
  return der.length <= CRL_MAX ? der : refuse("E_LIMIT");
}

function crlEntries(list) {
  const serials = new Set();
  while (list.left) {
    const e = list.enter(SEQUENCE);
    serials.add(bigOf(e.unsigned()));
    e.time();
    const extensions = e.tag === SEQUENCE ? extensionsOf(e.enter(SEQUENCE)) : [];
    if (!extensions || extensions.some(({ critical }) => critical) || !e.done) refuse("E_CRL");
  }
  return list.bad ? refuse("E_CRL") : serials;
}

function crlExtensions(crl, t) {
  if (t.tag === 0) return;
  const outer = t.enter(0xa0);
  const list = extensionsOf(outer.enter(SEQUENCE));
  if (!list || !outer.done || list.some(({ critical }) => critical)) refuse("E_CRL");
  for (const { oid, value } of list) {
    const r = new Reader(value);
    if (oid === ID.number) {
      if (crl.number !== undefined) refuse("E_CRL");
      const number = r.unsigned();
      crl.number = r.done && number.length <= 20 ? bigOf(number) : refuse("E_CRL");
    } else if (oid === ID.authorityKey) {
      if (crl.keyId) refuse("E_CRL");
      const inner = r.enter(SEQUENCE);
      crl.keyId = inner.value(0x80);
      if (!inner.done || !r.done) refuse("E_CRL");
    }
  }
}

function parseCrl(der) {
  const parts = signedOf(der) ?? refuse("E_CRL");
  const whole = new Reader(parts.tbs);
  const t = whole.enter(SEQUENCE);
  const version = t.unsigned();
  if (version.length !== 1 || version[0] !== 1 || !same(t.whole(SEQUENCE), parts.algorithm)) refuse("E_CRL");
  const crl = { parts, issuer: t.whole(SEQUENCE), thisUpdate: t.time(), nextUpdate: t.time(), serials: new Set() };
  if (t.bad) refuse("E_CRL");
  if (t.tag === SEQUENCE) crl.serials = crlEntries(t.enter(SEQUENCE));
  crlExtensions(crl, t);
  return t.done ? crl : refuse("E_CRL");
}

/** That der is a list of this issuer, valid now. */
function checkCrl(der, issuer, now) {
  if (!der) refuse("E_CRL_MISSING");
  const crl = parseCrl(der);
  if (!same(crl.issuer, issuer.subject)) refuse("E_CRL_ISSUER");
  if (crl.number === undefined || !crl.keyId) refuse("E_CRL_EXT");
  if (!same(crl.keyId, issuer.subjectKey ?? [])) refuse("E_CRL_ISSUER");
  if (!same(crl.parts.algorithm, ECDSA_SHA256) || !signatureHolds(crl.parts, issuer.key)) refuse("E_CRL_SIG");
  if (now < crl.thisUpdate || now > crl.nextUpdate) refuse("E_CRL_TIME");
  return crl;
}

// ---- chains

/** What a certificate must be to stand at one place of a chain. */
const PLACES = {
  root: { names: ["SGX Root CA"], ca: true, pathLength: 1, usage: CA_USAGE, not: 0 },
  ca: { names: ["SGX PCK", "CA"], ca: true, pathLength: 0, usage: CA_USAGE, not: 0 },
  pck: { names: ["SGX PCK Certificate"], ca: false, pathLength: -1, usage: SIGNATURE, not: CA_USAGE },
  signer: { names: ["SGX TCB Signing"], ca: false, pathLength: -1, usage: SIGNATURE, not: CA_USAGE },
};

function checkCertificate(c, issuer, place, now) {
  if (!same(c.issuer, issuer.subject)) refuse("E_CHAINORDER");
  if (!c.authorityKey?.length || !same(c.authorityKey, issuer.subjectKey ?? [])) refuse("E_CHAINORDER");
  if (!signatureHolds(c.parts, issuer.key)) refuse("E_CHAINSIG");
  if (c.ca !== place.ca || c.pathLength !== place.pathLength) refuse("E_CHAINUSAGE");
  if ((c.usage & place.usage) !== place.usage || c.usage & place.not) refuse("E_CHAINUSAGE");
  if (now < c.notBefore || now > c.notAfter) refuse("E_CHAINTIME");
  if (!place.names.every((name) => c.cn.includes(name))) refuse("E_CHAINNAME");
}

function checkRoot(c, rootCrl, root, now) {
  if (!same(c.der, root)) refuse("E_ROOT");
  checkCertificate(c, c, PLACES.root, now);
  return checkCrl(rootCrl, c, now);
}

/** Intermediate and root with both lists; which of them ends first, and the lists. */
function checkCa(ca, last, rootCrl, pckCrl, root, now) {
  const rootList = checkRoot(last, rootCrl, root, now);
  checkCertificate(ca, last, PLACES.ca, now);
  if (rootList.serials.has(ca.serial)) refuse("E_REVOKED");
  const pckList = checkCrl(pckCrl, ca, now);
  return { pckList, until: Math.min(rootList.nextUpdate, pckList.nextUpdate, ca.notAfter, last.notAfter) };
}

/** The PCK chain of a quote: the leaf's key, the platform's SGX extension, the PCK list, until when it holds. */
function checkPckChain(blocks, { rootCrl, pckCrl }, root, now) {
  const [leaf, ca, last] = blocks.map((block) => readCertificate(block).certificate);
  if (!same(last.der, root) && (same(ca.der, root) || same(leaf.der, root))) refuse("E_CHAINORDER");
  const { pckList, until } = checkCa(ca, last, rootCrl, pckCrl, root, now);
  checkCertificate(leaf, ca, PLACES.pck, now);
  if (pckList.serials.has(leaf.serial)) refuse("E_REVOKED");
  if (!leaf.sgx) refuse("E_SGXEXT");
  return { key: leaf.key, sgx: sgxOf(leaf.sgx), pckList, until: Math.min(until, leaf.notAfter) };
}

/** The TCB signing chain: the signer's key, until when it holds. */
function checkSigner(pem, rootCrl, root, now) {
  const [signer, last] = readChain(pem, 2);
  if (!same(last.der, root) && same(signer.der, root)) refuse("E_CHAINORDER");
  const list = checkRoot(last, rootCrl, root, now);
  checkCertificate(signer, last, PLACES.signer, now);
  if (list.serials.has(signer.serial)) refuse("E_REVOKED");
  return { key: signer.key, until: Math.min(list.nextUpdate, signer.notAfter, last.notAfter) };
}

// ---- the SGX extension of a PCK certificate: each field exactly once

/** {arc: reader of its value} of a list of SEQUENCE { OID prefix.arc, value }. */
function sgxFields(list, prefix, highest) {
  const fields = {};
  while (list.left) {
    const field = list.enter(SEQUENCE);
    const oid = digits(field.value(OID));
    const arc = parseInt(oid.slice(prefix.length), 16);
    const good = !field.bad && oid.startsWith(prefix) && oid.length === prefix.length + 2 && arc >= 1 && arc <= highest;
    if (!good || fields[arc]) refuse("E_SGXEXT");
    fields[arc] = field;
  }
  return list.bad ? refuse("E_SGXEXT") : fields;
}

/** The value of a field, which must be there. */
function sgxField(fields, arc, read) {
  if (!fields[arc]) refuse("E_SGXEXT");
  const value = read(fields[arc]);
  return fields[arc].done ? value : refuse("E_SGXEXT");
}

const octets = (n) => (r) => {
  const v = r.value(OCTETS);
  return v.length === n ? v : refuse("E_SGXEXT");
};
const smallNumber = (tag, n) => (r) => {
  const v = r.unsigned(tag);
  return v.length <= n ? Number(bigOf(v)) : refuse("E_SGXEXT");
};

function sgxOf(der) {
  const whole = new Reader(der);
  const fields = sgxFields(whole.enter(SEQUENCE), ID_SGX, 7);
  if (!whole.done) refuse("E_SGXEXT");
  const tcb = sgxFields(fields[2]?.enter(SEQUENCE) ?? refuse("E_SGXEXT"), `${ID_SGX}02`, 18);
  const components = Uint8Array.from({ length: 16 }, (_, i) => sgxField(tcb, i + 1, smallNumber(INTEGER, 1)));
  const sgx = {
    ppid: sgxField(fields, 1, octets(16)),
    components: sgxField(fields, 2, () => components),
    pceSvn: sgxField(tcb, 17, smallNumber(INTEGER, 2)),
    pceId: sgxField(fields, 3, octets(2)),
    fmspc: sgxField(fields, 4, octets(6)),
  };
  if (sgxField(fields, 5, smallNumber(ENUM, 1)) > 2) refuse("E_SGXEXT");
  if (fields[6]) sgxField(fields, 6, octets(16));
  if (fields[7]) {
    const flags = sgxFields(fields[7].enter(SEQUENCE), `${ID_SGX}07`, 3);
    for (const arc of Object.keys(flags)) sgxField(flags, arc, (r) => r.bool());
    if (!fields[7].done) refuse("E_SGXEXT");
  }
  if (!same(sgxField(tcb, 18, octets(16)), components)) refuse("E_SGXEXT");
  return sgx;
}
