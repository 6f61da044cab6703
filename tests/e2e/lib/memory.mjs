// Where a secret stands in a live process: every page that is there and can be read, as a core would have it, and each file
// of a folder. The locked pages (which no core and no swap has) are told apart from all others.
import fs from "node:fs";
import path from "node:path";

// What is there of a process: [{from, locked, bytes}].
export function pages(pid) {
  const all = [];
  let range;
  for (const line of fs.readFileSync(`/proc/${pid}/smaps`, "latin1").split("\n")) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S)\S+ \S+ \S+ \S+ *(.*)/.exec(line);
    if (head) range = { from: Number(`0x${head[1]}`), to: Number(`0x${head[2]}`), reads: head[3] === "r" && !head[4].startsWith("[v"), rss: 0 };
    else if (/^Rss:/.test(line)) range.rss = Number(/\d+/.exec(line)[0]);
    else if (/^VmFlags:/.test(line) && range.reads && range.rss) all.push({ ...range, locked: / lo\b/.test(line) });
  }
  const memory = fs.openSync(`/proc/${pid}/mem`, "r");
  try {
    return all.flatMap(({ from, to, locked }) => {
      const bytes = Buffer.alloc(to - from);
      try {
        fs.readSync(memory, bytes, 0, bytes.length, from);
      } catch (error) {
        if (error.code === "EIO" || error.code === "EFAULT") return []; // it went away meanwhile
        throw error;
      }
      return [{ from, locked, bytes }];
    });
  } finally {
    fs.closeSync(memory);
  }
}

// A secret as it is, turned round, and as text.
const forms = (secret) => [secret, Buffer.from(secret).reverse(), Buffer.from(secret.toString("hex")), Buffer.from(secret.toString("base64").replace(/=+$/, ""))];

// {locked, elsewhere}: how often it stands in locked pages, and in all others.
export function standsIn(image, secret) {
  const found = { locked: 0, elsewhere: 0 };
  for (const { locked, bytes } of image)
    for (const form of forms(secret))
      for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, at + 1)) found[locked ? "locked" : "elsewhere"]++;
  return found;
}

// The files of a folder that have it.
export function filesWith(dir, secret) {
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => {
      const bytes = fs.readFileSync(file);
      return forms(secret).some((form) => bytes.includes(form));
    });
}
