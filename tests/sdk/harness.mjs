// Counts tests. A test is a sentence and a function that throws when the sentence is not true.
import fs from "node:fs";

let passed = 0;
let failed = 0;

export async function test(sentence, run) {
  try {
    await run();
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED: ${sentence}\n  ${String(error?.stack ?? error).replace(/\n/g, "\n  ")}`);
  }
}

/** Adds what a test in another language counted. */
export function add(count) {
  passed += count.passed;
  failed += count.failed;
}

export function close() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

export const root = new URL("../../", import.meta.url).pathname;
export const vectors = JSON.parse(fs.readFileSync(`${root}sdk/vectors.json`, "utf8"));
