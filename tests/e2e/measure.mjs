import assert from "node:assert";
import { execFile } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { BODY_AT } from "./attest.mjs";
import { lineOf } from "../docs/blocks.mjs";

const FIRMWARE_LEN = 0x4000;
const VOLUME_LEN = 0x1000; // the configuration volume: first in the file
const PAGE = 0x1000;
const SECTION_LEN = 32;
const GUID_FOOTER = "de82b596b21ff745baeaa366c55a082d";
const GUID_TDVF = "35657ae44a989847865e4685a7bf8ec2";
const GUID_GLOBAL = "61dfe48bca93d211aa0d00e098032b8c";
const GUID_SECURITY = "cbb219d73a3d9645a3bcdad00e67656f";
// EFI variable Boot0000 as it stands in the event log of a real machine (dstack, quote-report.json).
const BOOT0000 =
  "090100002c0055006900410070007000000004071400c9bdb87cebf8344faaea3ee4af6516a10406140021aa2c46147603" +
  "45836e8ab6f46623317fff0400";
const AT = { mrtd: 136, rtmr0: 328, rtmr1: 376, rtmr2: 424, rtmr3: 472 }; // in a TD report
const MEMORY = 3 * 2 ** 30;
const CMDLINE = "console=hvc0 panic=1";

const u16 = (n) => Buffer.from([n & 255, n >> 8]);
const u32 = (n) => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(n);
  return b;
};
const u64 = (n) => {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(n));
  return b;
};
const hex = (text) => Buffer.from(text, "hex");
const sha384 = (...parts) => crypto.createHash("sha384").update(Buffer.concat(parts)).digest();
const register = (digests) => digests.reduce((value, digest) => sha384(value, digest), Buffer.alloc(48));
const pattern = (n, salt) => Buffer.from(Array.from({ length: n }, (_, i) => (i * salt + (i >> 7)) & 255));

// --- the files ---

const SECTIONS = [
  { at: VOLUME_LEN, len: 0x3000, address: 0xffffd000, size: 0x3000, type: 0, attributes: 1 },
  { at: 0, len: VOLUME_LEN, address: 0xffffc000, size: VOLUME_LEN, type: 1, attributes: 0 },
  { at: 0, len: 0, address: 0x810000, size: 0x4000, type: 3, attributes: 0 },
  { at: 0, len: 0, address: 0x809000, size: 0x2000, type: 2, attributes: 0 },
];

function firmware() {
  const file = pattern(FIRMWARE_LEN, 11);
  const sections = SECTIONS.map((s) =>
    Buffer.concat([u32(s.at), u32(s.len), u64(s.address), u64(s.size), u32(s.type), u32(s.attributes)]),
  );
  const descriptor = Buffer.concat([Buffer.from("TDVF"), u32(16 + SECTION_LEN * SECTIONS.length), u32(1), u32(SECTIONS.length), ...sections]);
  const distance = 0x400;
  descriptor.copy(file, FIRMWARE_LEN - distance);
  const table = Buffer.concat([u32(distance), u16(22), hex(GUID_TDVF), u16(40), hex(GUID_FOOTER)]);
  table.copy(file, FIRMWARE_LEN - 32 - table.length);
  return file;
}

// A bzImage whose one PE section covers all behind the headers.
const HEADERS = 0x400;
function kernel() {
  const file = pattern(0x2000, 5);
  file.write("MZ", 0, "latin1");
  file.writeUInt32LE(0x40, 0x3c);
  Buffer.concat([Buffer.from("PE\0\0"), u16(0x8664), u16(1), Buffer.alloc(12), u16(160), u16(0), u16(0x20b)]).copy(file, 0x40);
  file.writeUInt32LE(HEADERS, 0x58 + 60);
  file.writeUInt32LE(6, 0x58 + 108);
  file.fill(0, 0x58 + 112, 0x58 + 160);
  file.writeUInt32LE(file.length - HEADERS, 0xf8 + 16);
  file.writeUInt32LE(HEADERS, 0xf8 + 20);
  file.write("HdrS", 0x202, "latin1");
  file.writeUInt16LE(0x20f, 0x206);
  file[0x211] = 1;
  file[0x236] = 0x3f;
  return file;
}

// --- what they measure to: the same rules in another formulation ---

function mrtd(file, pagesFirst) {
  const record = (name, address) => Buffer.concat([Buffer.from(name.padEnd(16, "\0"), "latin1"), u64(address)], 128);
  const stream = [];
  for (const s of SECTIONS) {
    const adds = [];
    const extends_ = [];
    for (let at = 0; at < s.size; at += PAGE) {
      adds.push([record("MEM.PAGE.ADD", s.address + at)]);
      const chunks = [];
      for (let i = at; s.attributes & 1 && i < at + PAGE; i += 256)
        chunks.push(record("MR.EXTEND", s.address + i), file.subarray(s.at + i, s.at + i + 256));
      extends_.push(chunks);
    }
    stream.push(...(pagesFirst ? [adds, extends_] : adds.map((add, i) => [add, extends_[i]])).flat(2));
  }
  return sha384(...stream);
}

function handOffBlock() {
  const low = MEMORY >= 0xb0000000 ? 0x80000000 : MEMORY;
  const ranges = [
    [7, 0, 0x809000],
    [0, 0x809000, 0x80b000],
    [7, 0x80b000, 0x810000],
    [0, 0x810000, 0x814000],
    [7, 0x814000, low],
    [7, 2 ** 32, 2 ** 32 + MEMORY - low],
  ];
  const resources = ranges.map(([type, from, until]) =>
    Buffer.concat([u16(3), u16(48), Buffer.alloc(20), u32(type), u32(7), u64(from), u64(until - from)]),
  );
  const end = 0x809000 + 56 + 48 * ranges.length + 8;
  return sha384(u16(1), u16(56), u32(0), u32(9), Buffer.alloc(36), u64(end), ...resources);
}

function kernelDigest(file, initrdLen) {
  const patched = Buffer.from(file);
  if (initrdLen === undefined) return authenticode(patched); // as built: QEMU from 10.2 on
  patched[0x210] = 0xb0;
  patched[0x211] |= 0x80;
  patched.writeUInt32LE(0xfe00, 0x224);
  patched.writeUInt32LE(0x20000, 0x228);
  patched.writeUInt32LE(Math.floor((0x80000000 - 0x28000 - 1 - initrdLen) / PAGE) * PAGE, 0x218);
  patched.writeUInt32LE(initrdLen, 0x21c);
  return authenticode(patched);
}

function authenticode(file) {
  return sha384(file.subarray(0, 0x58 + 64), file.subarray(0x58 + 68, 0x58 + 144), file.subarray(0x58 + 152));
}

function expected(files) {
  const variable = (guid, name) => sha384(hex(guid), u64(name.length), u64(0), Buffer.from(name, "utf16le"));
  const separator = sha384(Buffer.alloc(4));
  const text = (words) => sha384(Buffer.from(words));
  const events = {
    rtmr0: [
      handOffBlock(),
      sha384(files.firmware.subarray(0, VOLUME_LEN)),
      ...["SecureBoot", "PK", "KEK"].map((name) => variable(GUID_GLOBAL, name)),
      ...["db", "dbx"].map((name) => variable(GUID_SECURITY, name)),
      separator,
      ...["loader", "rsdp", "tables"].map((name) => sha384(files[name])),
      sha384(Buffer.alloc(2)),
      sha384(hex(BOOT0000)),
    ],
    rtmr1: [
      kernelDigest(files.kernel, files.initrd.length),
      text("Calling EFI Application from Boot Option"),
      separator,
      text("Exit Boot Services Invocation"),
      text("Exit Boot Services Returned with Success"),
    ],
    rtmr2: [sha384(Buffer.from(CMDLINE + " initrd=initrd\0", "utf16le")), sha384(files.initrd)],
  };
  const asBuilt = [kernelDigest(files.kernel), ...events.rtmr1.slice(1)];
  return { events, asBuilt, mrtd: [mrtd(files.firmware, false), mrtd(files.firmware, true)] };
}

// An answer of GET /v1/attest of a TD that was booted from these files. Nobody has signed its quote: measure asks for no signature.
function evidence(quote, { mrtd: [, mrtdPagesFirst], events }, runtime) {
  const body = Buffer.from(quote);
  const put = (name, value) => value.copy(body, BODY_AT + AT[name]);
  const log = Object.entries(events).flatMap(([name, digests]) =>
    digests.map((digest, i) => ({
      imr: Number(name.at(-1)),
      event_type: name === "rtmr0" && i >= 8 && i <= 10 ? 10 : 0x80000001,
      digest: digest.toString("hex"),
      event: "",
      event_payload: "",
    })),
  );
  for (const { event, event_payload } of runtime)
    log.push({ imr: 3, event_type: 0x08000001, digest: "", event, event_payload });
  put("mrtd", mrtdPagesFirst);
  for (const name of ["rtmr0", "rtmr1", "rtmr2"]) put(name, register(events[name]));
  const digests = runtime.map(({ event, event_payload }) => sha384(u32(0x08000001), Buffer.from(`:${event}:`), hex(event_payload)));
  put("rtmr3", runtime.length ? register(digests) : Buffer.alloc(48));
  return {
    kettle: "attestation/2",
    evidence_type: 2,
    quote: "0x" + body.toString("hex"),
    event_log: JSON.stringify(log),
    pubkey: "0x02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    node_pubkey: "0x02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    cluster_statement: {},
    node_statement: {},
    unbound: { provider: "dstack", vm_config: "{}" },
  };
}

async function run(t) {
  const program = path.join(t.world.build, "kettle");
  const dir = fs.mkdtempSync(path.join(t.world.tmp, "measure-"));
  const files = { firmware: firmware(), kernel: kernel(), initrd: pattern(10001, 3) };
  for (const [i, name] of ["loader", "rsdp", "tables", "compose"].entries()) files[name] = pattern(100 + i, 13 + i);
  const file = (name) => path.join(dir, name);
  const write = (name, content) => {
    fs.writeFileSync(file(name), Buffer.isBuffer(content) ? content : JSON.stringify(content));
    return file(name);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  write("metadata.json", { bios: "firmware", kernel: "kernel", initrd: "initrd", cmdline: CMDLINE, version: "0.5.5" });
  const want = expected(files);
  const value = (name) => register(want.events[name]).toString("hex");
  const image = ["--image", dir, "--memory", "3G"];
  const acpi = ["loader", "rsdp", "tables"].flatMap((name) => [`--acpi-${name}`, file(name)]);
  const measure = (...args) =>
    new Promise((resolve) => {
      execFile(program, ["measure", ...args], (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
    });
  const measured = async (...args) => {
    const { code, stdout, stderr } = await measure(...args);
    assert.strictEqual(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const fails = async (pattern, ...args) => {
    const { code, stdout, stderr } = await measure(...args);
    assert.deepStrictEqual([code, stdout], [1, ""]);
    assert.match(stderr, pattern);
  };
  const entry = {
    name: "image",
    mrtd: want.mrtd.map((digest) => digest.toString("hex")),
    rtmr0: [value("rtmr0")],
    rtmr1: [value("rtmr1"), register(want.asBuilt).toString("hex")],
    rtmr2: value("rtmr2"),
  };
  const quote = fs.readFileSync(new URL("../data/tdx/quote.bin", import.meta.url));
  const trusted = write("evidence.json", evidence(quote, want, []));

  await t.test("an image's registers are those that another implementation finds", async () =>
    assert.deepStrictEqual(await measured(...image, ...acpi), entry),
  );
  await t.test("files one by one give the same", async () => {
    const one = ["firmware", "kernel", "initrd"].flatMap((name) => [`--${name}`, file(name)]);
    assert.deepStrictEqual(await measured(...one, "--cmdline", CMDLINE, "--memory", String(MEMORY), ...acpi), entry);
  });
  await t.test("--events lists every digest; those of ACPI tables are unknown without them", async () => {
    const { mrtd, ...registers } = await measured(...image, "--events");
    assert.deepStrictEqual(Object.values(mrtd), entry.mrtd);
    for (const [name, digests] of Object.entries(want.events)) {
      const known = digests.map((digest, i) => (name === "rtmr0" && i >= 8 && i <= 10 ? null : digest.toString("hex")));
      assert.deepStrictEqual(registers[name].events.map(({ digest }) => digest), known);
      assert.strictEqual(registers[name].value, name === "rtmr0" ? null : value(name));
    }
  });
  await t.test("without ACPI tables there is no entry, but with a pinned RTMR0", async () => {
    await fails(/RTMR0 is not known/, ...image);
    const pin = "ab".repeat(48);
    assert.deepStrictEqual(await measured(...image, "--rtmr0", pin), { ...entry, rtmr0: [pin] });
    await fails(/rtmr0/, ...image, "--rtmr0", "abcd");
  });
  await t.test("a trusted boot supplies the ACPI digests", async () => {
    assert.deepStrictEqual(await measured(...image, "--evidence", trusted), entry);
    assert.deepStrictEqual(await measured(...image, ...acpi, "--evidence", trusted), entry);
  });
  const documented = (begins, gaps) => lineOf(t.world.root, "docs/measure.md", `measure ${begins}`, { "4G": "3G", "boot.json": trusted, ...gaps }).slice(1);
  await t.test("the line of docs/measure.md for an image", async () => {
    const { rtmr3, ...registers } = await measured(...documented("--image", { "dstack-0.5.5": dir, "app-compose.json": file("compose") }));
    assert.deepStrictEqual(registers, { ...entry, name: "blue" });
    assert.deepStrictEqual(rtmr3.require["compose-hash"], [crypto.createHash("sha256").update(files.compose).digest("hex")]);
  });
  await t.test("evidence of a host that hands the kernel over as built is of the image, too", async () => {
    const newer = write("newer.json", evidence(quote, { ...want, events: { ...want.events, rtmr1: want.asBuilt } }, []));
    const { code, stdout, stderr } = await measure(...image, "--evidence", newer);
    assert.deepStrictEqual([code, JSON.parse(stdout)], [0, entry]);
    assert.match(stderr, /hands the kernel over as it was built/);
  });
  await t.test("evidence of another boot is refused, and the event named", async () => {
    const other = (change) => {
      const files2 = { ...files };
      change(files2);
      return write("other.json", evidence(quote, expected(files2), []));
    };
    const last = (buffer) => Buffer.concat([buffer.subarray(0, -1), Buffer.from([buffer.at(-1) ^ 1])]);
    await fails(/RTMR2 differs from event 1 on: initrd/, ...image, "--evidence", other((f) => (f.initrd = last(f.initrd))));
    await fails(/RTMR1 differs from event 0 on: kernel/, ...image, "--evidence", other((f) => (f.kernel = last(f.kernel))));
    await fails(/MRTD is not that of this firmware/, ...image, "--evidence", other((f) => (f.firmware = last(f.firmware))));
    await fails(/RTMR0 differs from event 10 on: ACPI tables/, ...image, ...acpi, "--evidence", other((f) => (f.tables = last(f.tables))));
    await fails(/RTMR0 differs from event 0 on: hand-off/, "--image", dir, "--memory", "2G", "--evidence", trusted);
  });
  await t.test("evidence whose log does not give its registers is refused", async () => {
    const broken = evidence(quote, want, []);
    broken.event_log = broken.event_log.replace(want.events.rtmr0[8].toString("hex"), "00".repeat(48));
    await fails(/E_EVENTLOG|E_RTMR/, ...image, "--evidence", write("broken.json", broken));
  });
  await t.test("what RTMR3 has to say goes into the entry", async () => {
    const hash = crypto.createHash("sha256").update(files.compose).digest("hex");
    const args = ["--compose", file("compose"), "--key-provider", "kms", "--event", "app-id=00ff", "--event", "app-id=11ff"];
    assert.deepStrictEqual((await measured(...image, ...acpi, ...args)).rtmr3, {
      mode: "events",
      require: { "compose-hash": [hash], "key-provider-name": ["kms"], "app-id": ["00ff", "11ff"] },
    });
    await fails(/app-id/, ...image, ...acpi, "--event", "app-id=xyz");
  });
  await t.test("--explain says the first register and event that differ, and what is behind it", async () => {
    const explain = (path) => measure(...image, "--explain", "--evidence", path);
    const same = await explain(trusted);
    assert.deepStrictEqual([same.code, same.stdout], [0, `MRTD, RTMR0, RTMR1 and RTMR2 of ${trusted} are those of the image\n`]);
    const other = expected({ ...files, initrd: pattern(files.initrd.length, 5) });
    const told = await explain(write("other.json", evidence(quote, other, [])));
    assert.strictEqual(told.code, 1);
    assert.match(told.stderr, /RTMR2 differs from event 1 on: initrd\n.*behind it: the initial RAM disk \(--initrd\)/);
    const alone = await explain(write("alone.bin", Buffer.from(evidence(quote, other, []).quote.slice(2), "hex")));
    assert.match(alone.stderr, /RTMR2 differs; without an event log/);
  });
  await t.test("--measurement: the registers of a document of dstack 0.6, and the image's name", async () => {
    const text = (s) => Buffer.concat([Buffer.from([0x60 | s.length]), Buffer.from(s)]);
    const bytes = (b) => Buffer.concat([Buffer.from(b.length < 24 ? [0x40 | b.length] : [0x58, b.length]), b]);
    const map = (...pairs) => Buffer.concat([Buffer.from([0xa0 | (pairs.length / 2)]), ...pairs]);
    const digest = (register, i) => bytes(want.events[register][i]);
    const ranges = Buffer.from([0x89, 0x10, 0, 2, 0, 2, 7, 4]); // of SECTIONS: 0x809 + 2 pages (the block), 0x810 + 4
    const document = map(
      text("version"), Buffer.from([3]),
      text("image"), map(text("cmdline_sha384"), digest("rtmr2", 0), text("kernel_authenticode"), digest("rtmr1", 0),
        text("initrd_sha384"), digest("rtmr2", 1)),
      text("tdvf"), map(text("ovmf"), text("pre202505"),
        text("mrtd"), map(text("single_pass"), bytes(want.mrtd[0]), text("two_pass"), bytes(want.mrtd[1])),
        text("td_hob"), bytes(ranges)),
    );
    const path = write("measurement.tdx.cbor", document);
    const sums = `${crypto.createHash("sha256").update(document).digest("hex")}  measurement.tdx.cbor\n`;
    const args = ["--measurement", path, "--memory", "3G", "--checksums", write("sums", Buffer.from(sums))];
    const events = await measured(...args, ...acpi, "--events");
    assert.strictEqual(events.os_image_hash, crypto.createHash("sha256").update(sums).digest("hex"));
    assert.strictEqual(events.rtmr0.events[0].digest, want.events.rtmr0[0].toString("hex"));
    assert.strictEqual(events.rtmr1.value, value("rtmr1"));
    assert.strictEqual(events.rtmr2.value, value("rtmr2"));
    const made = await measured(...args, "--rtmr0", value("rtmr0"));
    assert.deepStrictEqual(made, { ...entry, rtmr1: [value("rtmr1")] });
    const line = documented("--measurement", {
      "measurement.tdx.cbor": path, "sha256sum.txt": file("sums"), "--evidence": [], "boot.json": ["--rtmr0", value("rtmr0")] });
    assert.deepStrictEqual(await measured(...line), { ...made, name: "blue" }, line.join(" "));
    const named = await measured(...args, ...acpi, "--by-image", "--name", "blue");
    assert.deepStrictEqual(named, { name: "blue", dstack_image: { os_image_hash: events.os_image_hash,
      acpi: [8, 9, 10].map((i) => want.events.rtmr0[i].toString("hex")) } });
    const any = await measured(...args, "--by-image", "--acpi-unverified", "--name", "blue");
    assert.deepStrictEqual(any, { name: "blue", dstack_image: { os_image_hash: events.os_image_hash, acpi: "unverified" } });
    await fails(/digests of the ACPI tables are not known/, ...args, "--by-image");
    await fails(/another hash/, "--measurement", write("measurement.tdx.cbor", Buffer.concat([document.subarray(0, -1), Buffer.from([5])])),
      ...args.slice(2), "--rtmr0", value("rtmr0"));
    await fails(/2816 MiB/, "--measurement", path, "--memory", "1G", "--rtmr0", value("rtmr0"));
  });
  await t.test("--known names the releases of a quote's registers", async () => {
    const list = { version: 1, registers: [...entry.mrtd.map((digest) => ["mrtd", digest]), ["rtmr1", value("rtmr1")], ["rtmr2", value("rtmr2")]]
      .map(([register, value]) => ({ register, value, what: `blue ${register}` })) };
    const known = await measure("--known", write("list.json", list), "--evidence", trusted);
    assert.deepStrictEqual([known.code, known.stdout],
      [0, "mrtd: blue mrtd\nrtmr0: of no release in the list\nrtmr1: blue rtmr1\nrtmr2: blue rtmr2\n"]);
    list.registers.pop();
    const other = await measure("--known", write("list.json", list), "--evidence", trusted);
    assert.strictEqual(other.code, 1);
    assert.match(other.stdout, /rtmr2: of no release/);
    const real = new URL("../data/measure/releases.json", import.meta.url).pathname;
    assert.match((await measure("--known", real, "--evidence", trusted)).stdout, /mrtd: of no release/);
  });
  await t.test("--theirs names the inputs in which another build differs", async () => {
    const ours = { cmdline: "a", files: { "etc/kettle/kettle.json": "01", "lib/x": "02" }, packages: [{ name: "libc6", version: "1" }] };
    write("kettle-image.json", ours);
    const compare = (theirs) => measure("--image", dir, "--theirs", write("theirs.json", theirs));
    assert.deepStrictEqual(await compare(ours), { code: 0, stdout: "", stderr: "" });
    const told = await compare({ ...ours, files: { ...ours.files, "etc/kettle/kettle.json": "03" }, packages: [{ name: "libc6", version: "2" }] });
    assert.strictEqual(told.code, 1);
    assert.strictEqual(told.stdout, 'files[etc/kettle/kettle.json] differs: ours "01", theirs "03"\n' +
      'packages[libc6] differs: ours {"name":"libc6","version":"1"}, theirs {"name":"libc6","version":"2"}\n');
  });
  // appliance-facts E: what dstack's own tool computes for this release, on a machine of 256 GiB.
  const release = process.env.DSTACK_IMAGE;
  if (!release) t.skip("a release of dstack", "DSTACK_IMAGE names no folder with the files of dstack-nvidia-0.5.4.1");
  else
    await t.test("the registers of dstack-nvidia-0.5.4.1", async () => {
      const made = await measured("--image", release, "--checksums", path.join(release, "sha256sum.txt"), "--memory", "256G", "--events");
      const list = JSON.parse(fs.readFileSync(new URL("../data/measure/releases.json", import.meta.url))).registers;
      const known = (name) => list.find(({ register, what }) => register === name && what === "dstack-nvidia 0.5.4.1").value;
      assert.strictEqual(made.os_image_hash, "86b181377635db21c415f9ece8cc8505f7d4936ad3be7043969005a8c4690c1a");
      assert.ok(Object.values(made.mrtd).includes(known("mrtd")));
      assert.deepStrictEqual([made.rtmr1.value, made.rtmr2.value], [known("rtmr1"), known("rtmr2")]);
    });
  await t.test("--policy writes a policy to a file", async () => {
    const out = file("policy.json");
    const { code, stdout } = await measure(...image, ...acpi, "--name", "blue", "--policy", "--output", out);
    assert.deepStrictEqual([code, stdout], [0, ""]);
    assert.deepStrictEqual(JSON.parse(fs.readFileSync(out)), { version: 1, mode: "list", images: [{ ...entry, name: "blue" }] });
  });
  await t.test("wrong usage is told from failure", async () => {
    const usage = async (...args) => assert.strictEqual((await measure(...args)).code, 2, args.join(" "));
    const document = ["--measurement", file("kernel"), "--memory", "4G"], sums = ["--checksums", file("kernel")];
    await usage(...document, "--by-image");
    await usage(...document, ...sums, "--acpi-unverified");
    await usage(...document, ...sums, ...acpi, "--by-image", "--acpi-unverified");
    await usage();
    await usage("--image", dir);
    await usage(...image, "--memory", "3X");
    await usage(...image, "--memory", "-1");
    await usage(...image, "--memory", "99999999T");
    await usage(...image, "--acpi-rsdp", file("rsdp"));
    await usage(...image, "--event", "=00");
    await usage(...image, "--event", "compose-hash=00");
    await usage(...image, "extra");
    await usage(...image, "--explain");
    await usage(...image, "--measurement", file("kernel"));
    await usage("--known", file("kernel"));
    await usage("--theirs", file("kernel"));
    await usage(...image, "--nothing");
    assert.strictEqual((await measure("--help")).code, 0);
    await fails(/No such file/, "--image", file("none"), "--memory", "3G");
    await fails(/vga=/, ...image, "--cmdline", "vga=791", ...acpi);
  });
}

export default { title: "kettle measure: an image's registers against another implementation, policy entries", run };
