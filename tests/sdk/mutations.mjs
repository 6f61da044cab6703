// Every way to alter one byte of a statement: of each member of its message, of its chain id, of its signature, of the signer it names.
import { typedData } from "../../sdk/js/kettle-verify.mjs";

const flipHex = (hex, byte) => {
  const at = 2 + 2 * byte;
  return hex.slice(0, at) + (parseInt(hex.slice(at, at + 2), 16) ^ 1).toString(16).padStart(2, "0") + hex.slice(at + 2);
};

function* flips(type, value) {
  const bits = Number(/^uint(\d+)$/.exec(type)?.[1] ?? 0);
  for (let byte = 0; byte < bits / 8; byte++) {
    const flipped = BigInt(value) ^ (1n << BigInt(8 * byte));
    yield typeof value === "number" ? Number(flipped) : flipped.toString();
  }
  if (type === "bool") yield !value;
  if (type === "string")
    for (let at = 0; at < value.length; at++)
      yield value.slice(0, at) + String.fromCharCode(value.charCodeAt(at) ^ 1) + value.slice(at + 1);
  if (bits || type === "bool" || type === "string") return;
  for (let byte = 0; byte < (value.length - 2) / 2; byte++) yield flipHex(value, byte);
  if (type === "bytes") yield `${value}00`;
  if (type === "bytes" && value.length > 2) yield value.slice(0, -2);
}

function* leaves(types, type, value, path) {
  for (const { name, type: kind } of types[type])
    if (types[kind]) yield* leaves(types, kind, value[name], [...path, name]);
    else yield [kind, [...path, name]];
}

/** Pairs of (name of the member, altered copy). */
export function* mutations(statement) {
  const { types } = typedData(statement);
  const places = [
    ...leaves(types, statement.type, statement.message, ["message"]),
    ["uint48", ["domain", "chainId"]],
    ["signature", ["signature"]],
    ["address", ["signer"]],
  ];
  for (const [type, path] of places) {
    const value = path.reduce((object, name) => object[name], statement);
    for (const flipped of flips(type, value)) {
      const copy = structuredClone(statement);
      path.slice(0, -1).reduce((object, name) => object[name], copy)[path.at(-1)] = flipped;
      yield [path.join("."), copy];
    }
  }
}
