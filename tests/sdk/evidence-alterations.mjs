// What is done to an evidence file: each element removed, altered, doubled, put elsewhere, or one added; each text; each member that was signed.
import { encodeRlp } from "ethers";
import { answerOf, signedAgain, ZERO } from "./evidence-world.mjs";
import { statementDigest } from "../../sdk/js/kettle-verify.mjs";

const ELEMENTS_MAX = 6; // of one list
const PLACES = 6; // of one object

/** A copy that a function changed. */
const changed = (file, change) => {
  const out = structuredClone(file);
  change(out);
  return out;
};

/** Hex with one bit of a byte turned. */
function turned(hex, part) {
  const at = 2 + 2 * Math.floor(((hex.length - 2) / 2) * part);
  const byte = parseInt(hex.slice(at, at + 2), 16) ^ 1;
  return hex.slice(0, at) + byte.toString(16).padStart(2, "0") + hex.slice(at + 2);
}

export const FOREIGN_FIELDS = [
  ZERO, "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347", `0x${"00".repeat(20)}`, ZERO, ZERO, ZERO, `0x${"00".repeat(256)}`,
  "0x", "0x1388", "0x", "0x", "0x", "0x", ZERO, "0x0000000000000000",
];
const FOREIGN_HEADER = encodeRlp(FOREIGN_FIELDS);
const FOREIGN_BLOCK = encodeRlp([FOREIGN_FIELDS, [], []]);
const LISTS = {
  headers: { of: (f) => f.headers, foreign: FOREIGN_HEADER, long: 1025 },
  blocks: { of: (f) => f.blocks, foreign: FOREIGN_BLOCK },
  state: { of: (f) => f.witness.state, foreign: "0xffffff206e6f626f6479", long: 65537 },
  codes: { of: (f) => f.witness.codes, foreign: "0xffffff206e6f626f6479", long: 131073 },
  updates: { of: (f) => f.consensus.updates, foreign: "0x00", long: 65541 },
};

function* ofList(file, name, { of, foreign, long }) {
  const one = (what, change) => [`${name}: ${what}`, () => changed(file, (f) => change(of(f)))];
  const { length } = of(file);
  const step = Math.max(1, Math.ceil(length / ELEMENTS_MAX));
  for (let i = 0; i < length; i += step) {
    yield one(`${i} removed`, (list) => list.splice(i, 1));
    yield one(`${i} altered`, (list) => (list[i] = turned(list[i], 0.5)));
    yield one(`${i} altered at its end`, (list) => (list[i] = turned(list[i], 0.999)));
    yield one(`${i} cut`, (list) => (list[i] = list[i].slice(0, -2)));
    yield one(`${i} twice`, (list) => list.push(list[i]));
  }
  if (length > 1) yield one("first and last change places", (list) => ([list[0], list[length - 1]] = [list[length - 1], list[0]]));
  yield one("a foreign one behind", (list) => list.push(foreign));
  yield one("a foreign one before", (list) => list.unshift(foreign));
  yield one("an empty one", (list) => list.push("0x"));
  yield one("half a byte", (list) => list.push("0x1"));
  yield one("no hex", (list) => list.push(7));
  if (long) yield one("a long one", (list) => list.push(`0x${"00".repeat(long)}`));
}

function* ofReceipts(file) {
  const one = (what, change) => [`receipts: ${what}`, () => changed(file, (f) => change(f.receipts))];
  if (file.receipts.length) {
    yield one("removed", (list) => list.pop());
    yield one("one of a block removed", (list) => list[0].pop());
    yield one("altered", (list) => (list[0][0] = turned(list[0][0], 0.3)));
    yield one("in another order", (list) => list[0].reverse());
    yield one("twice", (list) => list.push(list[0]));
    yield one("an empty one", (list) => list[0].push("0x"));
  }
  yield one("foreign ones", (list) => list.push(["0x00"]));
  yield one("of no transactions", (list) => list.push([]));
  yield one("no list", (list) => list.push("0x00"));
}

function* ofConsensus(file) {
  const one = (what, change) => [`consensus: ${what}`, () => changed(file, (f) => change(f.consensus))];
  const objects = { bootstrap: (c, by) => (c.bootstrap = by(c.bootstrap)), head: (c, by) => (c.head.object = by(c.head.object)) };
  if (file.consensus.finality) objects.finality = (c, by) => (c.finality = by(c.finality));
  if (file.consensus.updates.length) objects.update = (c, by) => (c.updates[0] = by(c.updates[0]));
  for (const [name, set] of Object.entries(objects)) {
    for (let i = 0; i < PLACES; i++) yield one(`${name} altered at ${i}/${PLACES}`, (c) => set(c, (hex) => turned(hex, i / PLACES)));
    yield one(`${name} altered at its end`, (c) => set(c, (hex) => turned(hex, 0.9999)));
    yield one(`${name} cut`, (c) => set(c, (hex) => hex.slice(0, -2)));
    yield one(`${name} longer`, (c) => set(c, (hex) => `${hex}00`));
    yield one(`${name} three bytes`, (c) => set(c, (hex) => hex.slice(0, 8)));
    yield one(`${name} null`, (c) => set(c, () => null));
    yield one(`${name} too long`, (c) => set(c, () => `0x${"00".repeat(65541)}`));
  }
  for (const kind of ["update", "finality", "optimistic", "bootstrap"]) yield one(`head said to be ${kind}`, (c) => (c.head.kind = kind));
  for (const header of ["attested", "finalized", "justified"]) yield one(`header said to be ${header}`, (c) => (c.head.header = header));
  yield one("bootstrap as the head", (c) => (c.head.object = c.bootstrap));
  yield one("head as the finality", (c) => (c.finality = c.head.object));
  yield one("head as an update", (c) => c.updates.push(c.head.object));
  yield one("the first update twice", (c) => c.updates.push(c.updates[0] ?? c.head.object));
  yield one("65 updates", (c) => (c.updates = Array(65).fill("0x00")));
}

/** Texts and their hashes, and members that nobody knows. */
function* ofTexts(file) {
  const one = (what, change) => [`file: ${what}`, () => changed(file, change)];
  const signed = (f) => f.answer.statement ?? f.answer;
  yield one("another version", (f) => (f.kettle = "evidence/2"));
  yield one("a long version", (f) => (f.kettle = "e".repeat(33)));
  yield one("id altered", (f) => (f.id = turned(f.id, 0.9)));
  yield one("id in capitals", (f) => (f.id = `0x${f.id.slice(2).toUpperCase()}`));
  yield one("id cut", (f) => (f.id = f.id.slice(0, -2)));
  yield one("setup altered", (f) => (f.setup.rules.call_gas += 1));
  yield one("setup with more", (f) => (f.setup.more = 1));
  yield one("setup too long", (f) => (f.setup.network.name = "n".repeat(9000)));
  yield one("setup null", (f) => (f.setup = null));
  yield one("request added or removed", (f) => (f.request = f.request ? null : {}));
  yield one("request altered", (f) => (f.request = Array.isArray(f.request) ? [turned(f.request[0], 0.5)] : { ...f.request, topics: [turned(ZERO, 0.1)] }));
  yield one("request absent", (f) => delete f.request);
  yield one("request a text", (f) => (f.request = "0x00"));
  yield one("signature altered", (f) => (signed(f).signature = turned(signed(f).signature, 0.4)));
  yield one("signer altered", (f) => (signed(f).signer = turned(signed(f).signer, 0.4)));
  yield one("recovery of the other key", (f) => (signed(f).signature = turned(signed(f).signature, 0.999).replace(/1a$/, "1c")));
  yield one("signature in capitals", (f) => (signed(f).signature = `0x${signed(f).signature.slice(2).toUpperCase()}`));
  yield one("a statement of another protocol", (f) => (signed(f).domain.name = "Other"));
  yield one("a statement of another chain", (f) => (signed(f).domain.chainId = 1));
  yield one("a result beside", (f) => (f.answer = { statement: signed(f), result: [] }));
  yield one("no statement", (f) => (f.answer = {}));
  yield one("a number that is not whole", (f) => (signed(f).domain.chainId = 1337.5));
  yield one("a member more", (f) => (f.more = 1));
  yield one("a member of consensus more", (f) => (f.consensus.more = 1));
  yield one("a member of the head more", (f) => (f.consensus.head.more = 1));
  yield one("a member of the witness more", (f) => (f.witness.more = []));
  for (const name of ["consensus", "headers", "blocks", "receipts", "witness", "answer", "setup", "id"]) {
    yield one(`${name} absent`, (f) => delete f[name]);
    yield one(`${name} a number`, (f) => (f[name] = 7));
  }
}

/** Another value of a member, of its form. */
function other(value) {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value === 2 ? 1 : value + 1;
  if (value.startsWith("eth_")) return "eth_getTransactionByHash";
  return value.startsWith("0x") ? turned(value === "0x" ? "0x00" : value, 0.5) : String(BigInt(value) + 1n);
}

/** Each member of what was said, signed again by the same key: lies, and others that are none. */
function* ofStatement(file) {
  const { message } = file.answer.statement ?? file.answer;
  const said = (what, change) => [`signed again: ${what}`, () => signedAgain(file, change)];
  for (const [name, value] of Object.entries(message)) {
    if (value === null || typeof value !== "object") yield said(name, (m) => (m[name] = other(value)));
    else for (const inner of Object.keys(value)) yield said(`${name}.${inner}`, (m) => (m[name][inner] = other(value[inner])));
  }
  yield said("everything of the head", (m) => {
    const at = m.at ?? m.to;
    m.issuedAt = String(BigInt(m.issuedAt) + 12n);
    m.validUntil = String(BigInt(m.validUntil) + 12n);
    if (at) at.signers ^= 1;
  });
  yield said("another rule's time", (m) => (m.validUntil = String(BigInt(m.issuedAt) + 1800n)));
  yield said("a time before its own", (m) => (m.validUntil = "0"));
  const [type, text] = ["BlockStatement", JSON.stringify(message.at ?? message.to)];
  if (text) {
    yield ["signed again: of the block alone", () => {
      const seal = Object.fromEntries(["issuedAt", "validUntil", "setup"].map((name) => [name, message[name]]));
      const answer = answerOf(type, { at: JSON.parse(text), ...seal });
      return { ...structuredClone(file), answer, id: statementDigest(answer), request: null };
    }];
  }
  yield ["a lie that nobody signed", () => {
    const lying = signedAgain(file, (m) => (m.at ? (m.at.timestamp = "1") : m.to ? (m.to.timestamp = "1") : (m.stateRoot = ZERO)));
    const statement = lying.answer.statement ?? lying.answer;
    statement.signature = turned(statement.signature, 0.3);
    return lying;
  }];
}

/** All alterations of a file: what is done, and a function that gives the file. */
export function* alterations(file) {
  for (const [name, list] of Object.entries(LISTS)) yield* ofList(file, name, list);
  yield* ofReceipts(file);
  yield* ofConsensus(file);
  yield* ofTexts(file);
  yield* ofStatement(file);
}
