// The proxy by hand: GET /_evil/lies, /_evil/tell?lie=NAME[&only=][&arg=][&count=][&skip=], /_evil/honest, /_evil/log.
// usage: evil-proxy --rpc URL --beacon URL [--port N] [--other-beacon URL] [--access-lists]
import http from "node:http";
import { parseArgs } from "node:util";
import { LIES, startProxy } from "./proxy.mjs";

const text = { type: "string" };
const { values } = parseArgs({
  options: { rpc: text, beacon: text, port: text, "other-beacon": text, "access-lists": { type: "boolean" } },
});
if (!values.rpc || !values.beacon) {
  console.error("usage: evil-proxy --rpc URL --beacon URL [--port N] [--other-beacon URL] [--access-lists]");
  process.exit(2);
}
const port = Number(values.port ?? 18510);
const proxy = await startProxy({
  port,
  rpc: values.rpc,
  beacon: values.beacon,
  otherBeacon: values["other-beacon"],
  accessLists: values["access-lists"],
});
const number = (query, name) => (query.has(name) ? Number(query.get(name)) : undefined);
const controls = {
  "/_evil/lies": () =>
    Object.fromEntries(Object.entries(LIES).map(([name, lie]) => [name, { ...lie, on: String(lie.on) }])),
  "/_evil/honest": () => proxy.honest(),
  "/_evil/log": () => proxy.log.slice(-500),
  "/_evil/tell": (query) =>
    proxy.lie(query.get("lie"), {
      only: query.get("only") ?? undefined,
      arg: query.get("arg") ?? undefined,
      count: number(query, "count"),
      skip: number(query, "skip"),
    }),
};
http
  .createServer((request, res) => {
    const url = new URL(request.url, "http://localhost");
    const answer = (status, value) =>
      res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value, null, 1) + "\n");
    try {
      if (!controls[url.pathname]) return answer(404, { controls: Object.keys(controls) });
      answer(200, controls[url.pathname](url.searchParams) ?? { lies: proxy.lies });
    } catch (error) {
      answer(400, { error: error.message });
    }
  })
  .listen(port + 1, "127.0.0.1", () =>
    console.log(`relaying at ${proxy.url}; controls at http://127.0.0.1:${port + 1}/_evil/lies`),
  );
