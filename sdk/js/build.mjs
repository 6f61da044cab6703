// Builds kettle-verify.mjs: our source as it is, then the primitives bundled into one function, with their licences.
//   node build.mjs          writes it        node build.mjs --check   compares it with a fresh build
// Before: npm ci --ignore-scripts (in this folder).
import fs from "node:fs";
import { build } from "esbuild";

const here = new URL(".", import.meta.url).pathname;
const VENDORED = ["@noble/curves", "@noble/hashes"];

async function vendored() {
  const bundle = await build({
    entryPoints: [`${here}src/primitives.mjs`],
    absWorkingDir: here,
    bundle: true,
    format: "iife",
    globalName: "primitives",
    minifySyntax: true,
    minifyWhitespace: true,
    minifyIdentifiers: false,
    lineLimit: 160,
    legalComments: "none",
    target: "es2022",
    write: false,
  });
  return bundle.outputFiles[0].text;
}

function licences() {
  return VENDORED.map((name) => {
    const { version } = JSON.parse(fs.readFileSync(`${here}node_modules/${name}/package.json`, "utf8"));
    const text = fs.readFileSync(`${here}node_modules/${name}/LICENSE`, "utf8").trim();
    return `/*!\n * ${name} ${version}, the parts that are used\n *\n${text.replace(/^/gm, " * ").replace(/ +$/gm, "")}\n */`;
  }).join("\n");
}

const source = fs.readFileSync(`${here}src/kettle-verify.mjs`, "utf8");
const built = `${source}
// ---- vendored, unchanged but for being bundled: see the licences
${licences()}
function vendoredPrimitives() {
${await vendored()}return primitives;
}
`;
const target = `${here}kettle-verify.mjs`;
if (process.argv[2] === "--check") {
  if (fs.readFileSync(target, "utf8") !== built) {
    console.error("sdk/js/kettle-verify.mjs is not what sdk/js/build.mjs builds from src/");
    process.exit(1);
  }
} else {
  fs.writeFileSync(target, built);
}
