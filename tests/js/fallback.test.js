/* What a page may rely on where no WebSocket gets through. */
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");

const { open, settled } = require("./fakes.js");

/* A server that answers plain requests: each of ours waits until the test answers it. */
class Server {
  constructor() {
    this.asked = []; // {url, answer}
    this.sources = [];
    this.isThere = true;
    const server = this;
    this.EventSource = class {
      constructor(url) {
        this.url = new URL(url);
        server.sources.push(this);
      }

      close() {
        this.closed = true;
      }

      says(item) {
        this.onmessage({ data: JSON.stringify(item) });
      }
    };
    this.fetch = (href, { signal }) => {
      const url = new URL(href);
      if (url.pathname === "/health/") return Promise.resolve({ ok: this.isThere, text: async () => "" });
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        this.asked.push({ url, signal, resolve, reject });
      });
    };
  }

  /* Answers the oldest request by something that is not ours. */
  async answerBy(response) {
    const asked = this.asked.shift();
    asked.resolve({ headers: new Map(), ...response });
    await settled();
    return asked;
  }

  /* Answers the oldest request: items, none of them for 304, or another status. */
  async answer(items, cursor, status = items.length ? 200 : 304, explain = null) {
    const { url, resolve } = this.asked.shift();
    const headers = new Map([
      ["ETag", `W/"${cursor}"`],
      ["X-Nginx-PushStream-Explain", explain],
      ["Realtime-Heartbeat", "20"],
    ]);
    resolve({ status, headers, text: async () => items.map((item) => JSON.stringify(item)).join("\r\n") });
    await settled();
    return url;
  }
}

/* A page whose WebSockets never open, until it has changed over to the next way. */
async function blocked(prepare = () => {}) {
  const http = new Server();
  const scene = open(http);
  prepare(scene);
  for (let times = 0; times < 2; times += 1) {
    scene.server.now.drops();
    await settled();
    scene.clock.pass();
    await settled();
  }
  assert.equal(scene.socket.transport, "eventsource");
  return { ...scene, http };
}

/* And whose EventSources are refused, too. */
async function blockedTwice(prepare) {
  const scene = await blocked(prepare);
  for (let times = 0; times < 2; times += 1) {
    await scene.http.answer([], "e:5");
    scene.http.sources[times].onerror({});
    await settled();
    scene.clock.pass();
    await settled();
  }
  assert.equal(scene.socket.transport, "polling");
  return scene;
}

function item(id, channel, text, cursor, more = {}) {
  return { id, channel, text, cursor, ...more };
}

test("after two WebSockets that do not open while the server is there, the next way is tried", async () => {
  const { socket, server } = await blocked();

  assert.equal(server.connections.length, 2);
  assert.equal(socket.status, "open");
});

test("while the server is away, a WebSocket is tried again and nothing else", async () => {
  const http = new Server();
  http.isThere = false;
  const { socket, server, clock } = open(http);
  for (let times = 0; times < 4; times += 1) {
    server.now.drops();
    await settled();
    clock.pass();
  }

  assert.equal(socket.transport, "websocket");
  assert.equal(server.connections.length, 5);
});

/* Its server is away, and it has had so many waits. */
async function away(waits) {
  const http = new Server();
  http.isThere = false;
  const scene = open(http);
  for (let times = 0; times < waits; times += 1) {
    if (scene.socket.status === "connecting") scene.server.now.drops();
    await settled();
    scene.clock.pass();
    await settled();
  }
  return { ...scene, http };
}

test("after five WebSockets that failed in a row a request asks first, but before each eighth return", async () => {
  const { server, clock, http, socket } = await away(24);
  assert.equal(server.connections.length, 5 + 3);
  server.now.drops(); // the last of them
  clock.pass();
  await settled();
  assert.equal(socket.status, "waiting");

  http.isThere = true;
  clock.pass();
  await settled();
  assert.equal(server.connections.length, 9);
  server.now.open();
  assert.equal(socket.status, "open");
});

test("who closes, or hurries, while a request asks is not disturbed by its answer", async () => {
  const { server, clock, page, socket } = await away(6);
  clock.pass(); // it asks
  page.dispatchEvent(new Event("online"));
  server.now.open();
  await settled();
  assert.equal(socket.status, "open");

  const closed = await away(6);
  closed.http.isThere = true;
  closed.clock.pass();
  closed.socket.close();
  await settled();
  assert.equal(closed.socket.status, "closed");
  assert.equal(closed.server.connections.length, 5);
});

test("a WebSocket that was open and is lost is no reason for another way", async () => {
  const http = new Server();
  const { socket, server, clock } = open(http);
  for (let times = 0; times < 4; times += 1) {
    server.now.open();
    server.now.drops();
    await settled();
    clock.pass();
  }

  assert.equal(socket.transport, "websocket");
});

test("a handshake that is never answered is given up", async () => {
  const http = new Server();
  const { socket, server, clock } = open(http);
  clock.pass();
  await settled();

  assert.equal(server.now.closed, true);
  assert.equal(socket.status, "waiting");
});

test("channels are heard on, from the cursor that the page knows", async () => {
  const heard = [];
  const { socket, http } = await blocked(({ socket }) => {
    socket.subscribe("news", { since: "e:5" });
    socket.on("said", (message, envelope) => heard.push([message, envelope.channel, envelope.cursor]));
  });
  const url = await http.answer([item(7, "news", "missed", "e:7", { event: "said" })], "e:9");
  http.sources[0].says(item(8, "news", "live", "e:10", { event: "said" }));

  assert.equal(url.pathname, "/events/poll/news");
  assert.equal(url.searchParams.get("since"), "e:5");
  assert.equal(http.sources[0].url.pathname, "/events/ev/news");
  assert.equal(http.sources[0].url.searchParams.get("since"), "e:7"); // the last that it has had
  assert.deepEqual(heard, [["missed", "news", "e:7"], ["live", "news", "e:10"]]);
  assert.equal(socket.transport, "eventsource");
});

test("a channel that joins later makes nobody hear anything twice", async () => {
  const heard = [];
  const { socket, http } = await blocked(({ socket }) => {
    socket.subscribe("a", { since: "e:1" });
    socket.on("message", (message) => heard.push(message));
  });
  await http.answer([], "e:5");
  http.sources[0].says(item(1, "a", "a6", "e:6"));
  socket.subscribe("b", { since: "e:2" });
  await http.answer([item(1, "b", "b3", "e:3")], "e:6");

  const both = http.sources[1];
  assert.equal(http.sources[0].closed, true);
  assert.equal(both.url.pathname, "/events/ev/a/b");
  both.says(item(1, "a", "a6", "e:6"));
  both.says(item(2, "b", "b7", "e:7"));
  assert.deepEqual(heard, ["a6", "b3", "b7"]);
});

test("a channel that is asked for again takes nothing from the others", async () => {
  const { socket, http } = await blocked(({ socket }) => {
    socket.subscribe("a", { since: "e:1" });
    socket.subscribe("b", { since: "e:1" });
  });
  await http.answer([], "e:5");
  await http.answer([], "e:5");
  socket.subscribe("a", { since: "e:5" });
  await http.answer([item(1, "a", "a9", "e:9")], "e:9");

  assert.equal(http.sources.pop().url.searchParams.get("since"), "e:5", "b was told up to there only");
});

test("tokens are shown for the channels that have one", async () => {
  const { http } = await blocked(({ socket }) => {
    socket.subscribe("open");
    socket.subscribe("closed", { token: "t/1" });
  });
  const asked = [await http.answer([], "e:5"), await http.answer([], "e:5")];
  const stream = http.sources.pop().url;

  assert.deepEqual(asked.map((url) => url.searchParams.get("token")), [null, "t/1"]);
  assert.deepEqual(stream.searchParams.getAll("token"), ["t/1"]);
});

test("a gap is told to its channel, at first and later", async () => {
  const gaps = [];
  const { http } = await blocked(({ socket }) => {
    socket.subscribe("news", { since: "old:5", onGap: (cursor) => gaps.push(cursor) });
  });
  await http.answer([item(-4, "news", null, "e:9")], "e:9");
  http.sources[0].says(item(-4, "news", null, "e:20"));

  assert.deepEqual(gaps, ["e:9", "e:20"]);
});

test("what is kept after a gap is heard", async () => {
  const heard = [];
  const { http } = await blocked(({ socket }) => {
    socket.subscribe("news", { since: "e:1", onGap: (cursor) => heard.push(`gap ${cursor}`) });
    socket.on("message", (message) => heard.push(message));
  });
  await http.answer([item(-4, "news", null, "e:5"), item(7, "news", "kept", "e:6")], "e:9");

  assert.deepEqual(heard, ["gap e:5", "kept"]);
});

test("of several gaps at once each is told, though only the last moves on", async () => {
  const gaps = [];
  const { http } = await blocked(({ socket }) => {
    for (const channel of ["a", "b"]) {
      socket.subscribe(channel, { since: "e:5", onGap: (cursor) => gaps.push([channel, cursor]) });
    }
  });
  await http.answer([], "e:5");
  await http.answer([], "e:5");
  http.sources[http.sources.length - 1].says(item(-4, "a", null, ""));
  http.sources[http.sources.length - 1].says(item(-4, "b", null, "e:9"));

  assert.deepEqual(gaps, [["a", "e:5"], ["b", "e:9"]]);
});

test("what is refused is told with its reason", async () => {
  const errors = [];
  const { http } = await blocked(({ socket }) => {
    socket.subscribe("secret", { onError: (error) => errors.push(error) });
  });
  await http.answer([], "e:0", 403, "Channel id not authorized for this method.");

  assert.deepEqual(errors, [{ code: "refused", message: "Channel id not authorized for this method." }]);
});

test("nothing can be said, and who asks is told so", async () => {
  const answers = [];
  const { socket } = await blocked();
  socket.emit("vote", 1, (...answer) => answers.push(answer));

  assert.deepEqual(answers, [[undefined, { code: "one_way", message: "nothing can be said by eventsource" }]]);
});

test("what is lost comes back the same way, from where it was", async () => {
  const { socket, http, clock } = await blocked(({ socket }) => {
    socket.subscribe("news", { since: "e:5" });
  });
  await http.answer([], "e:5");
  http.sources[0].says({ id: -1, channel: "", text: "", cursor: "" });
  http.sources[0].says(item(1, "news", "x", "e:8"));
  http.sources[0].onerror({});
  assert.equal(socket.status, "waiting");
  clock.pass();
  await settled();
  const url = await http.answer([], "e:8");

  assert.equal(http.sources[0].closed, true);
  assert.equal(url.searchParams.get("since"), "e:8");
  assert.equal(socket.transport, "eventsource");
});

test("where no EventSource gets through either, polls are asked one after the other", async () => {
  const heard = [];
  const { http } = await blockedTwice(({ socket }) => {
    socket.subscribe("news", { since: "e:5" });
    socket.on("message", (message) => heard.push(message));
  });
  await http.answer([], "e:5");
  const first = await http.answer([item(1, "news", "one", "e:6"), item(2, "news", "two", "e:7")], "e:7");
  const second = await http.answer([], "e:9");
  const third = await http.answer([item(3, "news", "three", "e:10")], "e:10");

  assert.deepEqual([first, second, third].map((url) => url.searchParams.get("since")), ["e:5", "e:7", "e:9"]);
  assert.equal(first.pathname, "/events/lp/news");
  assert.deepEqual(heard, ["one", "two", "three"]);
});

test("a message that is taken back is told as by a WebSocket", async () => {
  const retracted = [];
  const { http } = await blocked(({ socket }) => {
    socket.subscribe("news");
    socket.on("retracted", (message) => retracted.push(message));
  });
  await http.answer([], "e:5");
  http.sources[0].says(item(-5, "news", { position: "e:3" }, "e:6", { event: "retracted" }));

  assert.deepEqual(retracted, [{ position: "e:3" }]);
});

const PING = { id: -1, channel: "", text: "", cursor: "" };
const WHAT_A_PROXY_SAYS = {
  "a body that breaks off": { status: 200, text: () => Promise.reject(new TypeError("network error")) },
  "a page of its own": { status: 200, text: async () => "<html>Log in to this network</html>" },
  "an empty body": { status: 200, text: async () => "" },
  "half an item": { status: 200, text: async () => '{"id":7,"channel":"ne' },
  "502": { status: 502, text: async () => "<html>Bad gateway</html>" },
  "a refusal of its own": { status: 403, text: async () => "<html>Forbidden</html>" },
  "304 without a cursor": { status: 304, text: async () => "" },
};

for (const [name, answer] of Object.entries(WHAT_A_PROXY_SAYS)) {
  test(`a subscription that is answered by ${name} is asked for again, from where it was`, async () => {
    const heard = [];
    const { socket, http, clock } = await blocked(({ socket }) => {
      socket.subscribe("news", { since: "e:5", onError: (error) => heard.push(error) });
      socket.on("message", (message) => heard.push(message));
    });
    await http.answerBy({ headers: new Map(), ...answer });
    assert.equal(socket.status, "waiting");
    clock.pass();
    await settled();
    const again = await http.answer([item(1, "news", "one", "e:6")], "e:6");

    assert.equal(again.searchParams.get("since"), "e:5");
    assert.deepEqual(heard, ["one"]);
  });

  test(`a long poll that is answered by ${name} is no end of hearing`, async () => {
    const heard = [];
    const { socket, http, clock } = await blockedTwice(({ socket }) => {
      socket.subscribe("news", { since: "e:5" });
      socket.on("message", (message) => heard.push(message));
    });
    await http.answer([], "e:5");
    await http.answerBy(answer);
    assert.equal(socket.status, "waiting");
    clock.pass();
    await settled();
    await http.answer([item(1, "news", "one", "e:6")], "e:6");

    assert.deepEqual(heard, ["one"]);
  });
}

test("a request that is not answered is given up, so that a browser has room for the next", async () => {
  const { socket, http, clock } = await blocked(({ socket }) => socket.subscribe("news", { since: "e:5" }));
  const [{ signal }] = http.asked;

  clock.pass(7999);
  assert.equal(socket.status, "open");
  clock.pass(8000);
  await settled();

  assert.equal(signal.aborted, true);
  assert.equal(socket.status, "waiting");
});

test("a long poll has as much time as the server says, and a long answer more", async () => {
  const heard = [];
  const { socket, http, clock } = await blockedTwice(({ socket }) => {
    socket.subscribe("news", { since: "e:5" });
    socket.on("message", (message) => heard.push(message));
  });
  await http.answer([], "e:5");
  clock.pass(39999);
  const parts = [];
  const body = { getReader: () => ({ read: () => new Promise((resolve) => parts.push(resolve)) }) };
  await http.answerBy({ status: 200, body });
  const [[before]] = clock.waiting;
  parts[0]({ value: new TextEncoder().encode(JSON.stringify(item(1, "news", "one", "e:6"))) });
  await settled();

  assert.equal(clock.waiting.has(before), false, "it begins anew with each part");
  parts[1]({ done: true });
  await settled();
  assert.deepEqual(heard, ["one"]);
  clock.pass(40000);
  await settled();
  assert.equal(socket.status, "waiting");
});

test("of an answer that was cut between two messages the rest is asked for", async () => {
  const { http } = await blockedTwice(({ socket }) => socket.subscribe("news", { since: "e:5" }));
  await http.answer([], "e:5");
  await http.answer([item(1, "news", "one", "e:6")], "e:9");
  const next = await http.answer([], "e:9");

  assert.equal(next.searchParams.get("since"), "e:6");
});

test("an EventSource that opens and lets nothing through leads on to polls", async () => {
  const { socket, http, clock } = await blocked(({ socket }) => socket.subscribe("news", { since: "e:5" }));
  for (let times = 0; times < 2; times += 1) {
    await http.answer([], "e:5");
    http.sources[times].onopen?.({});
    clock.pass(8000);
    await settled();
    assert.equal(http.sources[times].closed, true);
    clock.pass();
    await settled();
  }

  assert.equal(socket.transport, "polling");
});

test("an EventSource that falls silent is given up", async () => {
  const { socket, http, clock } = await blocked(({ socket }) => socket.subscribe("news", { since: "e:5" }));
  await http.answer([], "e:5");
  http.sources[0].says(PING);

  clock.pass(39999);
  assert.equal(socket.status, "open");
  clock.pass(40000);

  assert.equal(http.sources[0].closed, true);
  assert.equal(socket.status, "waiting");
});

test("what is no item ends an EventSource, which comes back", async () => {
  const { socket, http } = await blocked(({ socket }) => socket.subscribe("news", { since: "e:5" }));
  await http.answer([], "e:5");
  http.sources[0].onmessage({ data: "<html>" });

  assert.equal(socket.status, "waiting");
});

test("who closes leaves no request behind", async () => {
  const { socket, http } = await blockedTwice(({ socket }) => socket.subscribe("news", { since: "e:5" }));
  await http.answer([], "e:5");
  const [{ signal }] = http.asked;
  socket.close();

  assert.equal(signal.aborted, true);
});

test("a way that is given up while the next connection begins is that one's, not yet changed", async () => {
  const http = new Server();
  const health = [];
  const { socket, server, clock } = open({
    EventSource: http.EventSource,
    fetch: () => new Promise((resolve) => health.push(resolve)),
  });
  for (let times = 0; times < 2; times += 1) {
    server.now.drops();
    clock.pass(1000);
  }
  health.forEach((resolve) => resolve({ ok: true }));
  await settled();
  assert.equal(socket.transport, "websocket"); // which is being opened
  server.now.open();
  server.now.drops();
  clock.pass();

  assert.equal(server.connections.length, 4); // and was proved
});

test("an address elsewhere is kept, and so is its scheme", async () => {
  const http = new Server();
  const asked = [];
  const { socket, server, clock } = open({
    ...http,
    url: "wss://live.example/site/ws/",
    fetch: (href) => {
      asked.push(href);
      return Promise.resolve({ ok: true });
    },
  });
  server.now.drops();
  await settled();
  socket.close();
  clock.pass();

  assert.deepEqual(asked, ["https://live.example/site/health/"]);
});
