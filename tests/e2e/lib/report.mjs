// Counts and prints what passed, failed and was skipped.
import { AssertionError } from "node:assert";

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

// What a scenario gets: the world, and test() for each thing that it shows.
class Scenario {
  #report;

  constructor(report, name, world) {
    this.#report = report;
    this.name = name;
    this.world = world;
    this.endings = [];
  }

  say(text) {
    console.log(`   ${text}`);
  }

  // One thing to show. quiet: print it only when it fails (for long tables). Says whether it passed.
  async test(title, run, { quiet = false } = {}) {
    const began = Date.now();
    try {
      const note = await run();
      this.#report.passed++;
      if (!quiet) console.log(`   ok    ${title}${note ? `: ${note}` : ""} (${seconds(began)})`);
      return true;
    } catch (error) {
      this.#report.failed++;
      this.#report.failures.push(`${this.name}: ${title}`);
      const text = error instanceof AssertionError ? error.message.trim() : error.stack;
      console.log(`   FAIL  ${title} (${seconds(began)})\n         ${text.replaceAll("\n", "\n         ")}`);
      return false;
    }
  }

  skip(title, why) {
    this.#report.skipped++;
    console.log(`   skip  ${title}: ${why}`);
  }

  // Something that goes on while later scenarios run; its tests count when it ends.
  background(promise) {
    this.#report.background.push(promise.catch((error) => this.#report.broke(this.name, error)));
  }

  // Waits for all that goes on in the background, before the chain is disturbed.
  async quiet() {
    await Promise.all(this.#report.background);
  }

  // Called at the end of the scenario, in reverse order, whatever happens.
  atEnd(action) {
    this.endings.unshift(action);
  }
}

export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;
  failures = [];
  background = [];

  async scenario(name, { title, run }, world) {
    const began = Date.now();
    const t = new Scenario(this, name, world);
    console.log(`== ${name}: ${title}`);
    try {
      await run(t);
    } catch (error) {
      this.broke(name, error);
    }
    for (const action of t.endings) {
      await Promise.resolve(action()).catch((error) => console.log(`   clean-up: ${error.message}`));
    }
    console.log(`   ${name} took ${seconds(began)}`);
  }

  broke(name, error) {
    this.failed++;
    this.failures.push(`${name}: could not go on`);
    console.log(`   FAIL  ${name}: could not go on: ${error.stack}`);
  }

  async finish() {
    await Promise.all(this.background);
  }

  closingLine() {
    const list = this.failures.map((failure) => `  failed: ${failure}\n`).join("");
    return `${list}e2e: ${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`;
  }
}
