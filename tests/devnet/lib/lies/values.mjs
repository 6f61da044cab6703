// Small changes to hex strings, numbers and trees, shared by the lies.
export const clone = (x) => JSON.parse(JSON.stringify(x));
export const isHex = (s) => typeof s === "string" && /^0x[0-9a-fA-F]*$/.test(s);
export const quantity = (n) => "0x" + Math.max(0, n).toString(16);
export const plusOne = (s) => (s.startsWith("0x") ? "0x" + (BigInt(s) + 1n).toString(16) : String(BigInt(s) + 1n));

// One bit of byte `at` flipped; negative: from the end.
export function flip(hex, at = -1) {
  if (!isHex(hex) || hex.length < 4) return hex === "0x" ? "0x01" : hex;
  const bytes = Buffer.from(hex.length % 2 ? "0" + hex.slice(2) : hex.slice(2), "hex");
  bytes[at < 0 ? Math.max(0, bytes.length + at) : Math.min(at, bytes.length - 1)] ^= 1;
  return "0x" + bytes.toString("hex");
}

// Replaces every string of a tree by f(key, string).
export function walk(tree, f) {
  if (!tree || typeof tree !== "object") return;
  for (const key of Object.keys(tree)) {
    if (typeof tree[key] === "string") tree[key] = f(key, tree[key]);
    else walk(tree[key], f);
  }
}
