// The time that one program believes in: orders to clock_shim.c.
import fs from "node:fs";
import path from "node:path";

const ORDERS_LEN = 32;

export class Clock {
  #file;
  #seq = 0;

  // source: what the kernel says it keeps time by.
  constructor({ dir, build, source }) {
    fs.mkdirSync(dir, { recursive: true });
    this.#file = path.join(dir, "clock");
    const named = path.join(dir, "clocksource");
    fs.writeFileSync(named, `${source}\n`);
    fs.writeFileSync(this.#file, Buffer.alloc(ORDERS_LEN));
    this.env = {
      LD_PRELOAD: path.join(build, "tests", "e2e", "clock_shim.so"),
      CLOCK_SHIM: this.#file,
      CLOCK_SHIM_SOURCE: named,
    };
  }

  // From now on: so far from the truth, and at such rates.
  set({ offsetMs = 0, rate = 1, rawRate = 1 }) {
    const orders = Buffer.alloc(ORDERS_LEN);
    orders.writeBigInt64LE(BigInt(offsetMs), 8);
    orders.writeDoubleLE(rate, 16);
    orders.writeDoubleLE(rawRate, 24);
    const file = fs.openSync(this.#file, "r+");
    fs.writeSync(file, orders, 8, ORDERS_LEN - 8, 8);
    orders.writeUInt32LE(++this.#seq, 0);
    fs.writeSync(file, orders, 0, 4, 0); // last: from here on they count
    fs.closeSync(file);
  }

  right() {
    this.set({});
  }
}
