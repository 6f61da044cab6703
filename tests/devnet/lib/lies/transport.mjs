// Lies below the meaning: connections, HTTP, encodings. Each is [what it does, how]. It may change x.status, x.headers,
// x.type and x.body of the finished answer, or deal with the socket itself and return true.
import zlib from "node:zlib";

const mebibytes = (x, normally) => Number(x.arg ?? normally) << 20;
const replaced = (text) => (x) => {
  x.body = Buffer.from(text);
};
const status = (code, body, type) => (x) => {
  x.status = code;
  x.type = type ?? x.type;
  x.body = Buffer.from(body);
};
// The object in x.body with one more member, given as raw bytes.
const withMember = (x, ...bytes) =>
  Buffer.concat([Buffer.from(x.body.toString().trimEnd().slice(0, -1)), ...bytes.map((b) => Buffer.from(b))]);

function drip(x) {
  let at = 0;
  x.res.writeHead(200, { "content-type": x.type, "content-length": x.body.length });
  const timer = setInterval(
    () => {
      if (at < x.body.length && !x.res.destroyed) return x.res.write(x.body.subarray(at, ++at));
      clearInterval(timer);
      x.res.end();
    },
    Number(x.arg ?? 200),
  );
  return true;
}

function endless(x) {
  const spaces = Buffer.alloc(65536, 32);
  const more = () => {
    while (!x.res.destroyed && x.res.write(spaces));
    if (!x.res.destroyed) x.res.once("drain", more);
  };
  x.res.writeHead(200, { "content-type": x.type });
  x.res.write("{");
  more();
  return true;
}

// An answer written by hand, because Node.js would not write it.
function raw(x, headers, body = x.body) {
  x.res.socket.write(`HTTP/1.1 200 OK\r\ncontent-type: ${x.type}\r\n${headers}\r\n`);
  x.res.socket.end(body);
  return true;
}

export const transport = {
  drop: ["close the connection without answering", (x) => (x.res.socket.destroy(), true)],
  drop_mid: [
    "headers and half of the body, then close",
    (x) => {
      x.res.writeHead(200, { "content-type": x.type, "content-length": x.body.length });
      x.res.write(x.body.subarray(0, x.body.length >> 1));
      setTimeout(() => x.res.socket?.destroy(), 50);
      return true;
    },
  ],
  reset: ["TCP reset", (x) => (x.res.socket.resetAndDestroy(), true)],
  delay: ["wait arg ms (5000) before answering", (x) => new Promise((done) => setTimeout(done, Number(x.arg ?? 5000)))],
  hang: ["take the request and never answer", () => true],
  drip: ["one byte of the body every arg ms (200)", drip],
  endless: ["a valid start, then an endless chunked body of spaces", endless],
  http_429: [
    "429 with Retry-After (arg seconds, 1)",
    (x) => {
      x.headers["retry-after"] = String(x.arg ?? 1);
      status(429, '{"message":"rate limited"}')(x);
    },
  ],
  http_500: ["500 with plain text", status(500, "internal error", "text/plain")],
  http_503: ["503 (a beacon node that is syncing)", status(503, '{"code":503,"message":"Node is currently syncing"}')],
  http_404: ["404", status(404, '{"code":404,"message":"not found"}')],
  http_206: [
    "206 with half of the body",
    (x) => {
      x.status = 206;
      x.body = x.body.subarray(0, x.body.length >> 1);
    },
  ],
  redirect: [
    "302 to arg (an unroutable address)",
    (x) => {
      x.headers.location = x.arg ?? "http://192.0.2.1/";
      status(302, "")(x);
    },
  ],
  truncate: [
    "body cut at arg percent (60), content-length to match",
    (x) => {
      x.body = x.body.subarray(0, Math.floor((x.body.length * Number(x.arg ?? 60)) / 100));
    },
  ],
  length_long: [
    "content-length larger than the body, connection kept open",
    (x) => {
      x.res.writeHead(200, { "content-type": x.type, "content-length": x.body.length + 1000 });
      x.res.write(x.body);
      return true;
    },
  ],
  length_short: [
    "content-length smaller than the body",
    (x) => raw(x, `content-length: ${x.body.length >> 1}\r\nconnection: close\r\n`),
  ],
  bad_chunk: [
    "malformed chunked encoding",
    (x) => raw(x, "transfer-encoding: chunked\r\n", Buffer.concat([Buffer.from("zz\r\n"), x.body])),
  ],
  not_http: ["an answer that is not HTTP", (x) => (x.res.socket.end("SSH-2.0-OpenSSH_9.2\r\n"), true)],
  header_flood: [
    "4000 response headers",
    (x) => {
      const flood = Array.from({ length: 4000 }, (_, i) => `x-h${i}: ${"a".repeat(50)}\r\n`).join("");
      return raw(x, `${flood}content-length: ${x.body.length}\r\n`);
    },
  ],
  huge: [
    "valid JSON followed by arg MiB (64) of white space",
    (x) => {
      x.body = Buffer.concat([x.body, Buffer.alloc(mebibytes(x, 64), 32)]);
    },
  ],
  huge_string: [
    "valid JSON with one more member of arg MiB (64)",
    (x) => {
      x.body = withMember(x, ',"pad":"', Buffer.alloc(mebibytes(x, 64), 97), '"}');
    },
  ],
  gzip_bomb: [
    "gzip that inflates to arg MiB (512) of white space",
    (x) => {
      const one = zlib.gzipSync(Buffer.alloc(1 << 20, 32));
      x.body = Buffer.concat([zlib.gzipSync(x.body), ...Array(Number(x.arg ?? 512)).fill(one)]);
      x.headers["content-encoding"] = "gzip";
    },
  ],
  deep_json: [
    "JSON nested arg levels (200000)",
    (x) => {
      const levels = Number(x.arg ?? 200000);
      x.body = Buffer.from("[".repeat(levels) + "]".repeat(levels));
    },
  ],
  not_json: ["an HTML page with status 200", status(200, "<html><body>Just a moment...</body></html>", "text/html")],
  wrong_type: [
    "the right body as text/plain",
    (x) => {
      x.type = "text/plain";
    },
  ],
  empty: ["an empty body, status 200", replaced("")],
  json_null: ["the JSON value null", replaced("null")],
  json_array: ["a JSON array instead of an object", replaced("[]")],
  bad_utf8: [
    "invalid UTF-8 in one more member",
    (x) => {
      x.body = withMember(x, ',"x":"', [0xff, 0xfe, 0xc0, 0x80], '"}');
    },
  ],
  nul_byte: [
    "a NUL byte in the middle of the body",
    (x) => {
      const half = x.body.length >> 1;
      x.body = Buffer.concat([x.body.subarray(0, half), Buffer.from([0]), x.body.subarray(half)]);
    },
  ],
  trailing: [
    "garbage after the JSON value",
    (x) => {
      x.body = Buffer.concat([x.body, Buffer.from("}garbage")]);
    },
  ],
  dup_keys: [
    "every member of the top object twice, the second time null",
    (x) => {
      const members = Object.entries(JSON.parse(x.body)).map(([k, v]) => [JSON.stringify(k), JSON.stringify(v)]);
      x.body = Buffer.from(`{${members.map(([k, v]) => `${k}:${v},${k}:null`).join(",")}}`);
    },
  ],
  body_flip: [
    "one bit flipped at arg percent (50) of the body",
    (x) => {
      x.body = Buffer.from(x.body);
      x.body[Math.min(x.body.length - 1, Math.floor((x.body.length * Number(x.arg ?? 50)) / 100))] ^= 1;
    },
  ],
  body_extend: [
    "32 zero bytes appended",
    (x) => {
      x.body = Buffer.concat([x.body, Buffer.alloc(32)]);
    },
  ],
};
