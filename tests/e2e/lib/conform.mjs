// Holds every answer of a node against openapi.yaml. With OPENAPI_RECORD, a folder, one answer of each sort is written there.
import assert from "node:assert";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import Ajv2020 from "ajv/dist/2020.js";
import yaml from "js-yaml";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export const document = yaml.load(fs.readFileSync(path.join(ROOT, "openapi.yaml"), "utf8"));

const ajv = new Ajv2020({ strict: false });
ajv.addSchema(document, "openapi");
const compiled = new Map();

// The validator of a schema inside the document.
export function validator(schema) {
  const text = JSON.stringify(schema).replaceAll('"#/', '"openapi#/');
  if (!compiled.has(text)) compiled.set(text, ajv.compile(JSON.parse(text)));
  return compiled.get(text);
}

const escaped = (text) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
const paths = Object.keys(document.paths).map((name) => [name, new RegExp(`^${escaped(name).replace(/\{[a-z]+\}/g, "[^/]+")}/?$`)]);

// What a response says, wherever it stands.
export const resolved = (response) => (response.$ref ? document.components.responses[response.$ref.split("/").at(-1)] : response);

// The description of an answer: [where, response], or nothing for what no path describes.
export function described(method, pathname, status) {
  const found = paths.find(([name, pattern]) => pattern.test(pathname) && document.paths[name][method.toLowerCase()]);
  if (!found) return null;
  const { responses } = document.paths[found[0]][method.toLowerCase()];
  return { name: found[0], code: responses[status] ? String(status) : "default", response: resolved(responses[status] ?? responses.default) };
}

const check = (schema, value, what) => {
  const valid = validator(schema);
  assert(valid(value), `openapi.yaml: ${what}: ${ajv.errorsText(valid.errors)}: ${JSON.stringify(value).slice(0, 300)}`);
};

function record(method, d, type, value) {
  const dir = process.env.OPENAPI_RECORD;
  if (!dir) return;
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, `${method} ${d.name} ${d.code}`.replaceAll("/", "_")), JSON.stringify({ method, path: d.name, code: d.code, type, value }));
}

let held = false;

// Whether answers are held against the document from now on.
export function hold(on) {
  held = on;
}

// An answer as openapi.yaml has it, or an AssertionError that says what is wrong with it.
export function conform(url, method, answer) {
  const { pathname } = new URL(url);
  if (!held || pathname === "/rpc" || !["GET", "POST"].includes(method)) return;
  const found = described(method, pathname, answer.status);
  if (!found) assert(answer.status >= 400, `openapi.yaml: does not know ${method} ${pathname}, which was answered ${answer.status}`);
  const d = found ?? { name: "", code: "default", response: { content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } } };
  const what = `${method} ${pathname} ${answer.status}`;
  assert(d.code !== "default" || answer.status >= 400, `openapi.yaml: ${what}: not described`);
  const type = answer.headers["content-type"] ?? "";
  const content = Object.entries(d.response.content).find(([name]) => name === type || name === type.split(";")[0]);
  if (!content && answer.status === 413 && !answer.text) return; // cut off in the middle of a body
  assert(content, `openapi.yaml: ${what}: content type ${type}`);
  const json = type.includes("json");
  const value = json ? JSON.parse(answer.text) : answer.text;
  check(content[1].schema, value, what);
  const inner = found && document.paths[found.name][method.toLowerCase()]["x-inner"];
  if (inner && typeof value === "string") check(answer.status === 200 ? inner : { $ref: "#/components/schemas/PrototypeRefusal" }, JSON.parse(value), what);
  if (found) record(method, found, type.split(";")[0], value);
}
