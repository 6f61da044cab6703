// ---- the file; rpc/api/grounds.c has the same

const TEXT_MAX = 32 << 20;
const UPDATES_MAX = 64;
const LIST_MAX = 100000;
const NODE_MAX = 65536;
const DEPTH_LIMIT = 64;
const VALUES_LIMIT = 400000;
const ANSWER_MAX = 16 << 20;

/** How deep a text is, and how many values it has, are limits before it is read. */
function withinLimits(text) {
  let depth = 0;
  let values = 0;
  for (let i = 0, inString = false; i < text.length; i++) {
    const c = text[i];
    if (inString) {
      if (c === "\\") i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "[" || c === "{") {
      values++;
      if (++depth > DEPTH_LIMIT) return false;
    } else if ((c === "]" || c === "}") && depth) depth--;
    else if (c === ",") values++;
    if (values > VALUES_LIMIT) return false;
  }
  return true;
}

/** Bytes of a member or an element, 1 to max of them. */
function readBytes(place, name, value, max) {
  const at = [place.path, name].filter(Boolean).join(name?.startsWith("[") ? "" : ".");
  const bytes = bytesFrom(value) ?? refuseGround("malformed", at, "must be bytes as hex");
  if (bytes.length > max) refuseGround("too-long", at);
  return bytes.length ? bytes : refuseGround("malformed", at, "is empty");
}
const readMember = (place, name, max) => {
  place.skip(name);
  return place.has(name) ? readBytes(place, name, place.value.get(name), max) : undefined;
};

function readList(place, name, countMax, max, read = readBytes) {
  place.skip(name);
  const list = place.value instanceof Map ? place.value.get(name) : place.fail(undefined, "must be an object");
  if (!Array.isArray(list)) place.fail(name, "must be a list");
  if (list.length > countMax) refuseGround("too-long", [place.path, name].filter(Boolean).join("."));
  return list.map((one, i) => read(place, `${name}[${i}]`, one, max));
}

function readReceiptsList(place, name, value) {
  if (!Array.isArray(value)) place.fail(name, "must be a list");
  if (value.length > RECEIPTS_MAX) refuseGround("too-long", name);
  return value.map((one, i) => readBytes(place, `${name}[${i}]`, one, BLOCK_MAX));
}

/** JSON as it was written, but for white space; no statement has numbers that are not whole. */
function asWritten(value) {
  if (value instanceof Map) return `{${[...value].map(([name, one]) => `${JSON.stringify(name)}:${asWritten(one)}`).join(",")}}`;
  if (Array.isArray(value)) return `[${value.map(asWritten).join(",")}]`;
  if (typeof value === "number") refuseGround("malformed", "answer");
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

function readStatementOf(value) {
  const text = asWritten(value);
  if (utf8(text).length > ANSWER_MAX) refuseGround("malformed", "answer");
  try {
    return readAnswer(text);
  } catch (error) {
    if (!(error instanceof KettleError)) throw error;
    return refuseGround("malformed", error.field ? `answer.${error.field}` : "answer", error.message);
  }
}

function readConsensusOf(place) {
  const c = place.object("consensus");
  const head = c.object("head");
  return {
    bootstrap: readMember(c, "bootstrap", OBJECT_MAX + 4),
    updates: readList(c, "updates", UPDATES_MAX, OBJECT_MAX + 4),
    kind: head.word("kind", ["update", "finality", "optimistic"]),
    finalized: head.word("header", ["attested", "finalized"]) === "finalized",
    head: readMember(head, "object", OBJECT_MAX + 4) ?? head.fail("object", "is missing"),
    finality: readMember(c, "finality", OBJECT_MAX + 4),
  };
}

const textMember = (place, name) => {
  place.skip(name);
  return place.value.get(name);
};

/** An evidence file, whose form is right in every member; nothing in it was judged. */
function readFile(text) {
  try {
    return readMembers(text);
  } catch (error) {
    throw error instanceof KettleError ? Object.assign(error, { step: STEPS[0] }) : error;
  }
}

function readMembers(text) {
  if (text.length > TEXT_MAX || utf8(text).length > TEXT_MAX || !withinLimits(text)) refuseGround("too-long");
  const place = openFile(text);
  const form = place.text("kettle");
  if (utf8(form).length > 32) refuseGround("too-long", "kettle");
  if (form !== "evidence/1") place.fail("kettle", "must be evidence/1");
  const id = bytesFrom(textMember(place, "id"));
  if (id?.length !== 32) place.fail("id", "must be 32 bytes of hex");
  for (const name of ["setup", "answer"]) if (!place.value.has(name)) place.fail(name, "is missing");
  const [setup, request, answer] = ["setup", "request", "answer"].map((name) => textMember(place, name));
  if (utf8(canonical(setup)).length > SETUP_STATEMENT_MAX) refuseGround("too-long", "setup");
  const file = { id, setup, request: request ?? undefined, consensus: readConsensusOf(place) };
  file.headers = readList(place, "headers", LIST_MAX, HEADER_MAX);
  file.blocks = readList(place, "blocks", LIST_MAX, BLOCK_MAX);
  file.receipts = readList(place, "receipts", LIST_MAX, undefined, readReceiptsList);
  const witness = place.object("witness");
  file.nodes = readList(witness, "state", LIST_MAX, NODE_MAX);
  file.codes = readList(witness, "codes", LIST_MAX, CODE_MAX);
  place.done();
  return { ...file, answer: readStatementOf(answer) };
}

/** The document; a refusal of its reader has the file's step. */
function openFile(text) {
  const place = Place.open(text, "malformed", { strict: true });
  if (!(place.value instanceof Map)) refuseGround("malformed", "", "must be an object");
  return place;
}
