// ---- JSON as strictly as the node's own program reads it: integers apart from other numbers, no member twice, no lone surrogate

const DEPTH_MAX = 64;
const VALUES_MAX = 400000;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const INT64_MAX = (1n << 63n) - 1n;
const INT64_DIGITS_MAX = 20; // its sign counted
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = { true: true, false: false, null: null };

/** Objects become Maps, integers bigints, other numbers numbers. Throws a SyntaxError. */
function parseStrictly(text) {
  let at = 0;
  let values = 0;
  const fail = () => {
    throw new SyntaxError("no JSON");
  };
  const space = () => {
    while (" \t\n\r".includes(text[at]) && at < text.length) at++;
  };
  const expect = (c) => (text[at] === c ? at++ : fail());
  const escape = () => {
    const c = text[at++];
    if (c !== "u") return ESCAPES[c] ?? fail();
    const digits = text.slice(at, (at += 4));
    return /^[0-9a-fA-F]{4}$/.test(digits) ? String.fromCharCode(parseInt(digits, 16)) : fail();
  };
  const string = () => {
    let out = "";
    expect('"');
    for (;;) {
      const from = at;
      while (text[at] !== '"' && text[at] !== "\\" && text[at] >= " ") at++;
      out += text.slice(from, at);
      if (text[at] === '"') break;
      expect("\\");
      out += escape();
    }
    at++;
    return out.includes("\0") || /\p{Surrogate}/u.test(out) ? fail() : out;
  };
  const number = () => {
    NUMBER.lastIndex = at;
    const found = NUMBER.exec(text) ?? fail();
    at = NUMBER.lastIndex;
    if (found[1] !== undefined || found[2] !== undefined) {
      const real = Number(found[0]);
      return Number.isFinite(real) ? real : fail();
    }
    if (found[0].length > INT64_DIGITS_MAX) fail(); // before it is converted: that takes more than linear time
    const whole = BigInt(found[0]);
    return whole > INT64_MAX || whole < -INT64_MAX - 1n ? fail() : whole;
  };
  const members = (depth, close, one) => {
    if (depth >= DEPTH_MAX) fail();
    at++;
    space();
    if (text[at] === close) return at++;
    for (;;) {
      space();
      one();
      space();
      if (text[at] === close) return at++;
      expect(",");
    }
  };
  const value = (depth) => {
    space();
    if (++values > VALUES_MAX) fail();
    if (text[at] === "{") {
      const object = new Map();
      members(depth, "}", () => {
        const name = string();
        if (object.has(name)) fail();
        space();
        expect(":");
        object.set(name, value(depth + 1));
      });
      return object;
    }
    if (text[at] === "[") {
      const list = [];
      members(depth, "]", () => list.push(value(depth + 1)));
      return list;
    }
    if (text[at] === '"') return string();
    for (const word of Object.keys(WORDS))
      if (text.startsWith(word, at)) {
        at += word.length;
        return WORDS[word];
      }
    return number();
  };
  const whole = value(0);
  space();
  return at === text.length ? whole : fail();
}

/** A value without spaces, members in the order of their names: RFC 8785 for what statements are made of. */
function canonical(value) {
  if (value instanceof Map)
    return `{${[...value.keys()]
      .sort()
      .map((name) => `${JSON.stringify(name)}:${canonical(value.get(name))}`)
      .join(",")}}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

const utf8 = (text) => new TextEncoder().encode(text);
const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
const bytesOf = (digits) => fromHex(`0x${digits}`);

const FORMS = { "0x": /^0x((?:[0-9a-f]{2})*)$/i, bare: /^((?:[0-9a-f]{2})*)$/i, any: /^(?:0x)?((?:[0-9a-f]{2})*)$/i };

/**
 * A place in a document, from which members are read by their kind; the first that is wrong is a refusal with the document's code.
 * Where a member is absent or null, opt… readers give undefined. With undefined as its name the place itself is read: an element of a list.
 */
class Place {
  constructor(value, doc, path = "") {
    Object.assign(this, { value, doc, path, used: new Set() });
    doc.places.push(this);
  }

  /** Opens a text: `strict` refuses members that nobody reads. */
  static open(text, code, { strict = false, bytesMax = Infinity, tooLong = code } = {}) {
    const doc = { code, strict, places: [] };
    let value;
    if (utf8(text).length > bytesMax) refuse(tooLong);
    try {
      value = parseStrictly(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      refuse(code, "", "no JSON as it must be");
    }
    if (!(value instanceof Map) && !Array.isArray(value)) refuse(code, "", "neither an object nor a list");
    return new Place(value, doc);
  }

  fail(name, text) {
    const inside = typeof name === "number" ? `[${name}]` : name && this.path ? `.${name}` : (name ?? "");
    refuse(this.doc.code, this.path + inside, text);
  }

  #raw(name) {
    if (name === undefined) return this.value ?? undefined; // the place itself
    if (!(this.value instanceof Map)) this.fail(undefined, "must be an object");
    this.used.add(name);
    return this.value.get(name) ?? undefined;
  }

  has(name) {
    return this.value instanceof Map && (this.value.get(name) ?? undefined) !== undefined;
  }

  /** A member by a reader of values; wanted: it must be there. */
  #read(name, wanted, reader) {
    const value = this.#raw(name);
    if (value !== undefined) return reader(value);
    return wanted ? this.fail(name, "is missing") : undefined;
  }

  #member(name, value) {
    const inside = typeof name === "number" ? `[${name}]` : this.path ? `.${name}` : name;
    return new Place(value, this.doc, this.path + inside);
  }

  #object(name, wanted) {
    return this.#read(name, wanted, (v) =>
      v instanceof Map ? this.#member(name, v) : this.fail(name, "must be an object"),
    );
  }

  object = (name) => this.#object(name, true);
  optObject = (name) => this.#object(name, false);

  /** The elements as places. */
  #list(name, wanted, min, max, alone) {
    return this.#read(name, wanted, (value) => {
      const list = Array.isArray(value) ? value : alone ? [value] : this.fail(name, "must be a list");
      if (list.length < min || list.length > max) this.fail(name, `must have ${min} to ${max} elements`);
      return list.map((one, i) => this.#member(name === undefined ? i : `${name}[${i}]`, one));
    });
  }

  list = (name, min, max) => this.#list(name, true, min, max, false);
  optList = (name, min, max) => this.#list(name, false, min, max, false);
  optValues = (name, max) => this.#list(name, false, 1, max, true);

  #check(name, value, good, text) {
    return good ? value : this.fail(name, text);
  }

  #textOf = (name, min, max) => (v) => {
    const n = typeof v === "string" ? utf8(v).length : -1;
    return this.#check(name, v, n >= min && n <= max, `must be a text of ${min} to ${max} bytes`);
  };
  #u64Of = (name, min, max) => (v) =>
    Number(this.#check(name, v, typeof v === "bigint" && v >= min && v <= max, `must be a number from ${min} to ${max}`));
  #hexOf = (name, min, max, form) => (v) => {
    const found = typeof v === "string" ? FORMS[form].exec(v) : null;
    const n = found ? found[1].length / 2 : -1;
    return this.#check(name, found && bytesOf(found[1]), n >= min && n <= max, `must be ${min} to ${max} bytes as hex`);
  };
  #wordOf = (name, words) => (v) => this.#check(name, v, words.includes(v), `must be one of ${words.join(", ")}`);
  #boolOf = (name) => (v) => this.#check(name, v, typeof v === "boolean", "must be true or false");
  #timeOf = (name) => (v) => {
    const at = typeof v === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(v) ? civil(v.match(/\d+/g)) : undefined;
    return this.#check(name, at, at !== undefined && at >= 0, "must be a time");
  };

  text = (name, min = 0, max = Infinity) => this.#read(name, true, this.#textOf(name, min, max));
  optText = (name, min = 0, max = Infinity) => this.#read(name, false, this.#textOf(name, min, max));
  u64 = (name, min, max) => this.#read(name, true, this.#u64Of(name, min, max));
  optU64 = (name, min, max) => this.#read(name, false, this.#u64Of(name, min, max));
  hex = (name, n, form = "any") => this.#read(name, true, this.#hexOf(name, n, n, form));
  optHex = (name, n, form = "any") => this.#read(name, false, this.#hexOf(name, n, n, form));
  bytes = (name, min, max) => this.#read(name, true, this.#hexOf(name, min, max, "any"));
  optBytes = (name, min, max) => this.#read(name, false, this.#hexOf(name, min, max, "any"));
  word = (name, words) => this.#read(name, true, this.#wordOf(name, words));
  bool = (name) => this.#read(name, true, this.#boolOf(name));
  optBool = (name) => this.#read(name, false, this.#boolOf(name));
  time = (name) => this.#read(name, true, this.#timeOf(name));
  optTime = (name) => this.#read(name, false, this.#timeOf(name));

  /** The names of an object's members, which are free. */
  names() {
    return [...this.value.keys()].map((name) => this.used.add(name) && name);
  }

  skip(name) {
    this.used.add(name);
  }

  /** No member below is left that nobody read. */
  done() {
    if (!this.doc.strict) return;
    for (const place of this.doc.places)
      if (place.value instanceof Map)
        for (const name of place.value.keys()) if (!place.used.has(name)) place.fail(name, "unknown key");
  }
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Year, month, day, hour, minute, second (texts) as Unix seconds; undefined: no such moment. */
function civil(parts) {
  const [y, m, d, h, i, s] = parts.map(Number);
  const leap = (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;
  if (y < 1 || m < 1 || m > 12 || d < 1 || d > DAYS[m - 1] + (m === 2 && leap ? 1 : 0)) return undefined;
  if (h > 23 || i > 59 || s > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(y, m - 1, d);
  date.setUTCHours(h, i, s);
  return date.getTime() / 1000;
}
