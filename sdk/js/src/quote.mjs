// ---- quotes of TDX guests, versions 4 and 5, and their event logs

const QUOTE_MAX = 32768;
const EVENT_LOG_MAX = 1 << 20;
const INTEL_VENDOR = bytesOf("939a7233f79c4ca9940a0db3957f0607");
const TD_FIELDS = [
  ["tcbSvn", 16],
  ["mrSeam", 48],
  ["mrSignerSeam", 48],
  ["seamAttributes", 8],
  ["tdAttributes", 8],
  ["xfam", 8],
  ["mrTd", 48],
  ["mrConfigId", 48],
  ["mrOwner", 48],
  ["mrOwnerConfig", 48],
  ["rtmr0", 48],
  ["rtmr1", 48],
  ["rtmr2", 48],
  ["rtmr3", 48],
  ["reportData", 64],
];
const TD15_FIELDS = [
  ["tcbSvn2", 16],
  ["mrServiceTd", 48],
];

function parseEnclave(whole) {
  const r = new Reader(whole);
  const enclave = { whole, cpuSvn: r.take(16), miscSelect: r.take(4) };
  r.take(28);
  enclave.attributes = r.take(16);
  r.take(32 + 32); // MRENCLAVE, reserved
  enclave.mrSigner = r.take(32);
  r.take(96);
  enclave.isvProdId = r.le(2);
  enclave.isvSvn = r.le(2);
  r.take(60);
  enclave.reportData = r.take(64);
  return enclave;
}

/** Exactly three certificates with line ends between them, and perhaps one NUL behind. */
function splitChain(text) {
  const found = /^((?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\r\n]*-----END CERTIFICATE-----[\r\n]*){3})\0?$/.exec(text);
  return found ? found[1].match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) : refuse("E_PEM");
}

function parseSignature(q, section) {
  const r = new Reader(section);
  q.signature = r.take(64);
  q.attestationKey = r.take(64);
  const [outerType, outerSize] = [r.le(2), r.le(4)];
  if (r.bad) refuse("E_TRUNCATED");
  if (outerType !== 6) refuse("E_CERTTYPE_OUTER");
  if (outerSize !== r.left) refuse("E_CERTSIZE");
  q.qe = parseEnclave(r.take(384));
  q.qeSignature = r.take(64);
  const authLength = r.le(2);
  if (authLength > 1024) refuse("E_LIMIT");
  q.qeAuth = r.take(authLength);
  const [innerType, innerSize] = [r.le(2), r.le(4)];
  if (r.bad) refuse("E_CERTSIZE");
  if (innerType !== 5) refuse("E_CERTTYPE_INNER");
  const chain = r.take(innerSize);
  if (!r.done) refuse("E_CERTSIZE");
  q.certificates = splitChain(latin1(chain));
}

/** The fields of a quote; no signature is looked at. Behind its end there may be zeros only. */
function parseQuote(bytes) {
  if (bytes.length > QUOTE_MAX) refuse("E_LIMIT");
  const r = new Reader(bytes);
  const q = { version: r.le(2) };
  const [keyType, teeType] = [r.le(2), r.le(4)];
  r.take(4);
  const vendor = r.take(16);
  r.take(20);
  if (r.bad) refuse("E_TRUNCATED");
  if (q.version !== 4 && q.version !== 5) refuse("E_VERSION");
  if (keyType !== 2) refuse("E_KEYTYPE");
  if (teeType !== 0x81) refuse("E_TEETYPE");
  if (!same(vendor, INTEL_VENDOR)) refuse("E_VENDOR");
  q.bodyType = 2;
  if (q.version === 5) {
    q.bodyType = r.le(2);
    const size = r.le(4);
    if (r.bad) refuse("E_TRUNCATED");
    if (q.bodyType !== 2 && q.bodyType !== 3) refuse("E_BODYTYPE");
    if (size !== (q.bodyType === 2 ? 584 : 648)) refuse("E_BODYSIZE");
  }
  q.td = {};
  for (const [name, n] of [...TD_FIELDS, ...(q.bodyType === 3 ? TD15_FIELDS : [])]) q.td[name] = r.take(n);
  if (r.bad) refuse("E_TRUNCATED");
  q.signed = bytes.subarray(0, r.at);
  const section = r.take(r.le(4));
  if (r.bad) refuse("E_TRUNCATED");
  if (r.take(r.left).some((byte) => byte)) refuse("E_TRAILING");
  parseSignature(q, section);
  return q;
}

// ---- event log

const RUNTIME = 0x08000001;
const EVENT_NAME = /^[!#-9;-[\]-~]{1,256}$/; // printable ASCII without space, '"', ':' and '\'

function runtimeDigest(place, name, payload) {
  const version = place.optU64("version", 1, 2) ?? (place.value.has("version") ? place.fail("version", "must be 1 or 2") : 1);
  if (version === 1) return sha384(concat([1, 0, 0, 8], utf8(":"), utf8(name), utf8(":"), payload));
  const preimage = utf8(`{"name":"${name}","payload":"${digits(payload)}","type":${RUNTIME}}`);
  if (!same(place.bytes("preimage", 0, Infinity), preimage)) place.fail("preimage", "is not the canonical form");
  return sha384(preimage);
}

function readEvent(place) {
  const imr = place.u64("imr", 0, 3);
  const type = place.u64("event_type", 0, 0xffffffff);
  const given = place.optText("digest") ? place.hex("digest", 48) : undefined;
  const name = typeof place.value.get("event") === "string" ? place.text("event") : "";
  if (imr !== 3) {
    if (type === RUNTIME) place.fail("event_type", "is that of runtime events");
    return { imr, name, digest: given ?? place.fail("digest", "is missing"), payload: new Uint8Array(0) };
  }
  const payload = place.bytes("event_payload", 0, Infinity);
  if (type !== RUNTIME) place.fail("event_type", "is not that of runtime events");
  if (!EVENT_NAME.test(name)) place.fail("event", "is no name");
  const digest = runtimeDigest(place, name, payload);
  if (given && !same(given, digest)) place.fail("digest", "is not that of name and payload");
  return { imr, name, digest, payload };
}

/** A log that leads to the quote's registers: its events. */
function checkEventLog(text, td) {
  const root = Place.open(text, "E_EVENTLOG", { bytesMax: EVENT_LOG_MAX, tooLong: "E_LIMIT" });
  const events = root.list(undefined, 0, 4096).map(readEvent);
  const registers = [0, 1, 2, 3].map(() => new Uint8Array(48));
  for (const { imr, digest } of events) registers[imr] = sha384(concat(registers[imr], digest));
  registers.forEach((value, i) => same(value, td[`rtmr${i}`]) || refuse("E_EVENTLOG"));
  return events;
}

/** The payload of the one event of this name, which must stand before system-ready. */
function eventPayload(events, name) {
  const at = events.flatMap((event, i) => (event.imr === 3 && event.name === name ? [i] : []));
  const ready = events.findIndex((event) => event.imr === 3 && event.name === "system-ready");
  if (at.length > 1) refuse("E_EVENTLOG");
  if (!at.length || ready < 0 || at[0] > ready) refuse("E_EVENT_REQUIRED");
  return events[at[0]].payload;
}
