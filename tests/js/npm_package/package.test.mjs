/* The packed package, as it is installed: node --test, in a folder with node_modules/realtime-wall. */
import assert from "node:assert";
import { createRequire } from "node:module";
import { test } from "node:test";

import Realtime, { connect } from "realtime-wall";
import { useChannel, useEvent, useSocket, useStatus } from "realtime-wall/react";
import { draw } from "react";

const require = createRequire(import.meta.url);

class Connection {
  static all = [];
  sent = [];
  constructor(url) {
    this.url = url;
    Connection.all.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.isClosed = true;
  }
  open() {
    this.onopen({});
    this.say({ type: "welcome", message: { session: "s", ping: 25 }, cursor: "e:0" });
  }
  say(envelope) {
    this.onmessage({ data: JSON.stringify(envelope) });
  }
}
const wait = globalThis.setTimeout;
globalThis.setTimeout = (act, delay) => wait(act, delay).unref(); // a heartbeat keeps no test waiting
globalThis.WebSocket = Connection;
globalThis.location = { href: "https://site.example/" };
const newest = () => Connection.all[Connection.all.length - 1];

test("modules and require find the same", () => {
  assert.equal(Realtime, require("realtime-wall"));
  assert.equal(connect, Realtime.connect);
});

test("hooks hear for as long as their component is there", () => {
  const heard = [];
  let text = "first";
  let status;
  const component = draw(() => {
    const socket = useSocket("/live/");
    status = useStatus(socket);
    useChannel(socket, "news", { since: "e:7" });
    const seen = text;
    useEvent(socket, "said", (message) => heard.push([seen, message]));
  });

  assert.match(newest().url, /\/live\//);
  assert.equal(status, "connecting");
  newest().open();
  component.render();
  assert.equal(status, "open");
  assert.deepEqual(newest().sent.map(({ type, channel, since }) => [type, channel, since]), [
    ["subscribe", "news", "e:7"],
  ]);
  newest().say({ type: "said", message: "one", channel: "news", cursor: "e:8" });
  text = "second";
  component.render();
  newest().say({ type: "said", message: "two", channel: "news", cursor: "e:9" });
  assert.deepEqual(heard, [["first", "one"], ["second", "two"]]);
  assert.equal(newest().sent.length, 1);

  component.remove();
  assert.ok(newest().isClosed);
});

test("htmx's extension swaps, triggers, and lets go", () => {
  const done = [];
  let extension;
  const element = (attributes) => ({ getAttribute: (name) => attributes[name] ?? null });
  globalThis.Realtime = Realtime;
  globalThis.document = { body: element({}), addEventListener() {}, hidden: false };
  globalThis.addEventListener = () => {};
  globalThis.htmx = {
    defineExtension: (name, made) => ([extension] = [made, name]),
    swap: (where, html, how) => done.push(["swap", html, how.swapStyle]),
    trigger: (where, name, { message }) => done.push([name, message]),
  };
  require("realtime-wall/htmx");
  const list = element({ "rt-channel": "talk", "rt-event": "comment", "hx-swap": "beforeend", "rt-since": "e:1" });
  const other = element({ "rt-channel": "talk", "rt-event": "changed" });
  for (const elt of [list, other, element({})]) extension.onEvent("htmx:afterProcessNode", { detail: { elt } });
  newest().open();

  newest().say({ type: "comment", message: "<li>", channel: "talk", cursor: "e:2" });
  newest().say({ type: "comment", message: "<li>", channel: "elsewhere", cursor: "e:3" });
  newest().say({ type: "changed", message: { pk: 7 }, channel: "talk", cursor: "e:4" });
  assert.deepEqual(done, [["swap", "<li>", "beforeend"], ["realtime:comment", "<li>"], ["realtime:changed", { pk: 7 }]]);

  const said = () => newest().sent.map(({ type }) => type);
  extension.onEvent("htmx:beforeCleanupElement", { detail: { elt: list } });
  assert.deepEqual(said(), ["subscribe"]);
  extension.onEvent("htmx:beforeCleanupElement", { detail: { elt: other } });
  assert.deepEqual(said(), ["subscribe", "unsubscribe"]);
});
