/* Runs one JavaScript block of the docs, given on the standard input: `Realtime` is ours, in a world where
 * nothing happens by itself; every other name that the block does not make is something that can be called,
 * and asked for anything. A word that our client does not have is an error. */
"use strict";

const { open } = require("./fakes.js");

const PRIMITIVES = new Map([
  [Symbol.iterator, () => [][Symbol.iterator]()],
  [Symbol.toPrimitive, () => ""],
  ["then", undefined], // so that it can be awaited
]);
const stub = new Proxy(function () {}, {
  get: (target, key) => (PRIMITIVES.has(key) ? PRIMITIVES.get(key) : stub),
  apply: () => stub,
  construct: () => stub,
  set: () => true,
});
const Realtime = { connect: (url) => open({ url: url || "/ws/", href: "https://site.example/" }).socket };
const LANGUAGE = new Set(["Map", "Object", "Number", "String", "URLSearchParams", "undefined", "console"]);
const world = new Proxy(
  { Realtime, socket: Realtime.connect(), location: { search: "" }, JSON: { parse: () => stub } },
  {
    has: (target, key) => key in target || !LANGUAGE.has(key),
    get: (target, key) => (key === Symbol.unscopables ? undefined : key in target ? target[key] : stub),
  },
);

const code = require("fs").readFileSync(0, "utf8");
new Function("world", `with (world) { return (async () => {\n${code}\n})(); }`)(world).catch((error) => {
  console.error(error);
  process.exit(1);
});
