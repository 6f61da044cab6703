// Holds results of POST /rpc against the schemas of execution-apis (the vectors' kind openrpc-src).
import assert from "node:assert";
import fs from "node:fs";
import path from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import yaml from "js-yaml";

const folders = (dir) => ["eth", "debug", "schemas"].map((name) => path.join(dir, "openrpc-src", name));
const load = (dir) =>
  fs.readdirSync(dir).filter((name) => name.endsWith(".yaml")).map((name) => yaml.load(fs.readFileSync(path.join(dir, name), "utf8")));
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });
const orNull = (name) => ({ oneOf: [ref("notFound"), ref(name)] });

// Results of methods that execution-apis does not describe (any more), in its own words. A header is a block without these.
const NOT_IN_HEADERS = ["size", "transactions", "uncles", "withdrawals"];
const OURS = {
  web3_clientVersion: { type: "string", pattern: "^Kettle/" },
  net_listening: { type: "boolean" },
  eth_getUncleCountByBlockNumber: orNull("uint"),
  eth_getUncleCountByBlockHash: orNull("uint"),
  eth_getHeaderByNumber: orNull("Header"),
  eth_getHeaderByHash: orNull("Header"),
  eth_getRawTransactionByHash: orNull("bytes"),
  eth_getRawTransactionByBlockHashAndIndex: orNull("bytes"),
  eth_getRawTransactionByBlockNumberAndIndex: orNull("bytes"),
  eth_sendRawTransactionSync: ref("ReceiptInfo"),
  eth_subscribe: ref("uint"),
  eth_unsubscribe: { type: "boolean" },
};

export class OpenRpc {
  #validators = new Map();
  #schemas = new Map(Object.entries(OURS));
  #ajv = new Ajv2020({ strict: false });

  // Whether the vectors are there.
  static present(vectors) {
    return folders(vectors).every((dir) => fs.existsSync(dir));
  }

  constructor(vectors) {
    const [eth, debug, schemas] = folders(vectors).map(load);
    for (const method of [...eth, ...debug].flat()) this.#schemas.set(method.name, method.result.schema);
    const all = Object.assign({}, ...schemas);
    all.Header = this.#header(all.Block);
    all.FilterResults = { anyOf: all.FilterResults.oneOf }; // an empty list is one of hashes and one of logs
    this.#ajv.addSchema({ components: { schemas: all } }, "openrpc");
  }

  #header({ properties, required, ...rest }) {
    const kept = Object.entries(properties).filter(([name]) => !NOT_IN_HEADERS.includes(name));
    return { ...rest, properties: Object.fromEntries(kept), required: required.filter((name) => !NOT_IN_HEADERS.includes(name)), additionalProperties: false };
  }

  #validator(method) {
    const schema = this.#schemas.get(method);
    assert(schema, `no schema of ${method}`);
    if (!this.#validators.has(method)) this.#validators.set(method, this.#ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openrpc#/'))));
    return this.#validators.get(method);
  }

  // A result as execution-apis has it, or an AssertionError that says what is wrong with it.
  check(method, result) {
    const valid = this.#validator(method);
    assert(valid(result), `openrpc: ${method}: ${this.#ajv.errorsText(valid.errors)}: ${JSON.stringify(result)?.slice(0, 400)}`);
  }
}
