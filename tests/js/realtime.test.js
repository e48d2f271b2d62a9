/* What a page may rely on when its connection comes and goes. */
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");

const { open, settled } = require("./fakes.js");

/* Every envelope of a type that reached the page. */
function heard(socket, type) {
  const messages = [];
  socket.on(type, (message) => messages.push(message));
  return messages;
}

function subscribedTo(channel, options) {
  const scene = open();
  scene.server.now.open();
  scene.socket.subscribe(channel, options);
  scene.server.now.says({ type: "subscribed", channel, cursor: "e:10", id: 1, recovered: false });
  return scene;
}

function comeBack({ server, clock }, code = 1006) {
  server.now.drops(code);
  clock.pass();
  server.now.open();
}

test("the address follows the page: ws for http, wss for https, relative to it", () => {
  assert.equal(open().server.now.url, "ws://wall.example/ws/");
  assert.equal(open({ href: "https://wall.example/a/" }).server.now.url, "wss://wall.example/ws/");
  assert.equal(open({ url: "wss://other.example/ws/" }).server.now.url, "wss://other.example/ws/");
});

test("a message reaches the listeners of its type, with the envelope it came in", () => {
  const { socket, server } = open();
  server.now.open();
  const seen = [];
  socket.on("tweet", (message, envelope) => seen.push([message, envelope.channel]));

  server.now.says({ type: "tweet", message: { id: "1" }, channel: "tweets", cursor: "e:1" });
  server.now.says({ type: "other", message: 2 });

  assert.deepEqual(seen, [[{ id: "1" }, "tweets"]]);
});

// mark.threat("S50")
test("names that every object has mean nothing, wherever they come from", () => {
  const { socket, server } = open();
  server.now.open();
  const seen = heard(socket, "constructor");
  const payload = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}');

  let offset = 0;
  for (const type of ["__proto__", "toString", "hasOwnProperty", "constructor"]) {
    for (const channel of ["__proto__", "constructor", "a"]) {
      server.now.says({ type, message: payload, channel, cursor: `e:${++offset}` });
      server.now.says({ type: "subscribed", channel, cursor: `e:${++offset}`, id: "constructor" });
      server.now.says({ type: "ack", id: type, message: payload });
    }
  }

  assert.equal(seen.length, 3);
  assert.equal({}.polluted, undefined);
  assert.equal(socket.status, "open");
});

test("a listener that was taken off hears nothing more", () => {
  const { socket, server } = open();
  server.now.open();
  const seen = [];
  const listener = (message) => seen.push(message);
  socket.on("x", listener).off("x", listener).off("never", listener);

  server.now.says({ type: "x", message: 1 });

  assert.deepEqual(seen, []);
});

test("a listener that throws is reported and stops nobody else", () => {
  const { socket, server, reported } = open();
  server.now.open();
  socket.on("x", () => {
    throw new Error("mine");
  });
  const seen = heard(socket, "x");

  server.now.says({ type: "x", message: 1 });
  server.now.says({ type: "x", message: 2 });

  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(reported.map(String), ["Error: mine", "Error: mine"]);
});

test("text that is no JSON harms neither the connection nor what follows", () => {
  const { socket, server } = open();
  server.now.open();
  const seen = heard(socket, "x");

  assert.throws(() => server.now.says("<html>"), SyntaxError); // the browser's console shows it
  server.now.says({ type: "x", message: 1 });

  assert.deepEqual(seen, [1]);
});

test("a message that is taken back is an event with what is known of it", () => {
  const { socket, server } = open();
  server.now.open();
  const seen = heard(socket, "retracted");
  const said = { id: 1, position: "e:1", event_id: null };

  server.now.says({ type: "retracted", message: said, channel: "a", cursor: "e:2" });
  server.now.says({ type: "retracted", message: said, channel: "a", cursor: "e:2" });

  assert.deepEqual(seen, [said]);
});

test("a server cannot play our own events", () => {
  const { socket, server } = open();
  const opened = heard(socket, "open");
  server.now.open();

  server.now.says({ type: "open", message: "again" });

  assert.equal(opened.length, 1);
});

// -- events and their answers

test("an emit without an ack carries no id", () => {
  const { socket, server } = open();
  server.now.open();

  socket.emit("add", [1, 2]).subscribe("a").unsubscribe("a").send("hello");

  assert.deepEqual(server.now.sent, [
    { type: "add", message: [1, 2] },
    { type: "subscribe", channel: "a", id: 1 },
    { type: "unsubscribe", channel: "a", id: 2 },
    { type: "message", message: "hello" },
  ]);
});

test("each ack reaches the emit that asked, whatever the order of the answers, and once", () => {
  const { socket, server } = open();
  server.now.open();
  const answers = [];
  socket.emit("a", 1, (message, error) => answers.push(["a", message, error]));
  socket.emit("b", 2, (message, error) => answers.push(["b", message, error]));
  const [a, b] = server.now.sent;

  server.now.says({ type: "ack", id: b.id, message: "two" });
  server.now.says({ type: "ack", id: a.id, message: 0 });
  server.now.says({ type: "ack", id: a.id, message: "twice" });

  assert.deepEqual(answers, [
    ["b", "two", null],
    ["a", 0, null],
  ]);
});

test("an event that failed on the server is answered with the error", () => {
  const { socket, server } = open();
  server.now.open();
  const answers = [];
  socket.emit("a", 1, (...answer) => answers.push(answer));

  server.now.says({ type: "error", id: server.now.last.id, code: "failed", message: "no" });

  assert.deepEqual(answers, [[undefined, { code: "failed", message: "no" }]]);
});

test("an emit that was under way when the connection broke is said to be lost, and not sent again", () => {
  const scene = open();
  scene.server.now.open();
  const answers = [];
  scene.socket.emit("a", 1, (message, error) => answers.push(error.code));

  comeBack(scene);
  comeBack(scene);

  assert.deepEqual(answers, ["lost"]);
  assert.deepEqual(scene.server.now.sent, []);
});

test("emits made while away are sent in order when the connection is back, after the subscriptions", () => {
  const { socket, server } = open();
  socket.emit("first", 1);
  socket.emit("second", 2);
  socket.subscribe("news");
  socket.on("open", () => socket.emit("who I am"));

  server.now.open();

  assert.deepEqual(
    server.now.sent.map(({ type }) => type),
    ["subscribe", "who I am", "first", "second"],
  );
});

test("a hundred emits wait for the connection; the next one is told so", () => {
  const { socket, server } = open();
  const refused = [];
  for (let number = 0; number <= 100; number += 1) {
    socket.emit("n", number, (message, error) => refused.push([number, error.code]));
  }

  assert.deepEqual(refused, [[100, "full"]]);
  server.now.open();
  assert.deepEqual(
    server.now.sent.map(({ message }) => message),
    Array.from({ length: 100 }, (_, number) => number),
  );
});

test("a volatile emit does not wait for the connection", () => {
  const { socket, server } = open();
  const answers = [];
  socket.emit("typing", true, (message, error) => answers.push(error.code), { volatile: true });

  server.now.open();

  assert.deepEqual(server.now.sent, []);
  assert.deepEqual(answers, ["away"]);
});

test("a server that asks is answered with the first answer a listener gives, and once", () => {
  const { socket, server } = open();
  server.now.open();
  socket.on("colour?", () => {});
  socket.on("colour?", ({ of }) => `${of} is green`);
  socket.on("colour?", () => "blue");

  server.now.says({ type: "colour?", message: { of: "the sea" }, id: 4 });
  server.now.says({ type: "colour?", message: { of: "no answer wanted" } });

  assert.deepEqual(server.now.sent, [{ type: "ack", id: 4, message: "the sea is green" }]);
});

test("a listener may close the socket instead of answering", () => {
  const { socket, server, reported } = open();
  server.now.open();
  socket.on("leave", () => socket.close());

  server.now.says({ type: "leave", message: null, id: 4 });

  assert.deepEqual(server.now.sent, []);
  assert.deepEqual(reported, []);
});

test("a channel that we may not hear any more is an error of its subscription, and not asked for again", () => {
  const { socket, server, clock } = open();
  server.now.open();
  const errors = [];
  socket.subscribe("staff", { onError: ({ code }) => errors.push(code) });
  server.now.says({ type: "subscribed", channel: "staff", cursor: "e:1", id: 1 });

  server.now.says({ type: "unsubscribed", channel: "staff" });
  server.now.says({ type: "unsubscribed", channel: "unknown" });
  server.now.drops();
  clock.pass();
  server.now.open();

  assert.deepEqual(errors, ["refused"]);
  assert.deepEqual(server.now.sent, []);
});

// -- coming back

test("each wait may be twice as long as the last, up to fifteen seconds", async () => {
  const { socket, server, clock, delays } = open({ chance: 1 });

  for (let attempt = 0; attempt < 8; attempt += 1) {
    if (socket.status === "connecting") server.now.drops();
    clock.pass();
    await settled();
  }

  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
});

test("the wait is any part of that, so that a thousand pages do not return at once", () => {
  const { server, clock, delays } = open({ chance: 0.25 });

  server.now.drops();
  clock.pass();
  server.now.drops();

  assert.deepEqual(delays, [125, 250]);
});

test("a connection that said something makes the next wait short again", () => {
  const { server, clock, delays } = open({ chance: 1 });
  server.now.drops();
  clock.pass();
  server.now.drops();
  clock.pass();
  server.now.open();

  server.now.drops();

  assert.equal(delays.pop(), 500);
});

test("a connection that was opened and closed without a word does not", () => {
  const { server, clock, delays } = open({ chance: 1 });
  server.now.drops();
  clock.pass();
  server.now.open(null);

  server.now.drops();

  assert.equal(delays.pop(), 1000);
});

test("a silent WebSocket is asked whether it is there, and given up when it does not answer", () => {
  const { socket, server, clock } = open();
  server.now.open({ session: "s1", ping: 7 });

  clock.pass(6999);
  assert.deepEqual(server.now.sent, []);
  clock.pass(7000);
  assert.deepEqual(server.now.sent, [{ type: "heartbeat", id: 1 }]);
  server.now.says({ type: "ack", id: 1, message: null });
  clock.pass(7000);
  assert.equal(socket.status, "open");
  clock.pass(7000);
  assert.equal(server.now.last.type, "heartbeat");
  clock.pass(7000);

  assert.equal(server.connections[0].closed, true);
  assert.equal(socket.status, "waiting");
});

test("what is heard all the time is asked each other time: the answer is a ticket for the return", () => {
  const { server, clock } = open();
  server.now.open({ session: "s1", ticket: "t1" });

  for (let times = 0; times < 4; times += 1) {
    server.now.says({ type: "news", message: 1 });
    clock.pass();
  }

  assert.deepEqual(server.now.sent, [
    { type: "heartbeat", id: 1 },
    { type: "heartbeat", id: 2 },
  ]);
  server.now.says({ type: "ack", id: 2, message: "t2" });
  server.now.drops();
  clock.pass();
  assert.match(server.now.url, /session=s1&ticket=t2/);
  server.now.drops(); // not taken yet
  clock.pass();
  assert.match(server.now.url, /ticket=t2/);
  server.now.open({ session: "s2" });
  server.now.drops();
  clock.pass();
  assert.doesNotMatch(server.now.url, /ticket/);
});

/* One that was on channels, has a ticket, and is on its way back. */
function returning(channels = { a: {} }) {
  const world = open();
  const heard = [];
  for (const [name, options] of Object.entries(channels)) {
    const note = (what) => (value) => heard.push([what, name, value.cursor || value.code || value]);
    const listeners = { onSubscribed: note("subscribed"), onGap: note("gap"), onError: note("error") };
    world.socket.subscribe(name, { ...options, ...listeners });
  }
  world.server.now.open({ session: "s1", ticket: "t1" });
  world.server.now.sent.forEach(({ id, channel }) =>
    world.server.now.says({ type: "subscribed", id, channel, cursor: "e:1" }),
  );
  world.server.now.drops();
  heard.length = 0;
  world.clock.pass();
  const address = new URL(world.server.now.url).searchParams;
  return { ...world, heard, on: address.getAll("on") };
}

test("with a ticket the address says on which channels it was; what needs more than a cursor is said as ever", () => {
  const { server, on, heard } = returning({ a: {}, "b c@d": {}, w: { where: { x: 1 } }, t: { token: "T" }, e: {} });

  server.now.open({ session: "s2" });
  server.now.says({ type: "subscribed", channel: "a", id: "a", cursor: "e:1", recovered: true });
  server.now.says({ type: "gap", channel: "b c@d", id: "b c@d", cursor: "e:7" });
  server.now.says({ type: "error", code: "refused", message: "no", id: "e" });

  assert.deepEqual(on, ["a@e:1", "b c@d@e:1", "e@e:1"]);
  assert.deepEqual(
    server.now.sent.map(({ type, channel, since }) => [type, channel, since]),
    [
      ["subscribe", "w", "e:1"],
      ["subscribe", "t", "e:1"],
    ],
  );
  assert.deepEqual(heard, [
    ["subscribed", "a", "e:1"],
    ["gap", "b c@d", "e:7"],
    ["error", "e", "refused"],
  ]);
});

test("without a ticket channels are asked for as ever", () => {
  const { socket, server, clock } = open();
  socket.subscribe("a");
  server.now.open();
  server.now.drops();
  clock.pass();

  assert.doesNotMatch(server.now.url, /[?&]on=/);
});

test("an address is no longer than proxies let through: the other channels are asked for as ever", () => {
  const names = Array.from({ length: 60 }, (_, number) => `channel-${number}-${"x".repeat(100)}`);
  const { server, on } = returning(Object.fromEntries(names.map((name) => [name, {}])));

  server.now.open({ session: "s2" });

  assert.ok(server.now.url.length < 4500 && on.length > 10, String(on.length));
  assert.deepEqual(
    [...on.map((one) => one.replace("@e:1", "")), ...server.now.sent.map(({ channel }) => channel)],
    names,
  );
});

test("a page that changes its mind while it comes back is heard", () => {
  const { socket, server } = returning({ a: {}, b: {}, c: {} });

  socket.unsubscribe("a");
  socket.subscribe("b", { since: "e:0" });
  socket.unsubscribe("c").subscribe("c");
  server.now.open({ session: "s2" });
  for (const id of ["a", "b", "c"]) server.now.says({ type: "subscribed", channel: id, id, cursor: "e:1" });

  assert.deepEqual(
    server.now.sent.map(({ type, channel, since }) => [type, channel, since]),
    [
      ["subscribe", "b", "e:0"],
      ["unsubscribe", "a", undefined],
    ],
  );
});

test("a WebSocket that opens and is never welcomed is given up", () => {
  const { socket, server, clock } = open();
  server.now.open(null);

  clock.pass();

  assert.equal(server.now.closed, true);
  assert.equal(socket.status, "waiting");
});

for (const code of [1008, 3500, 3999]) {
  test(`close code ${code} means: stay away`, () => {
    const { socket, server, clock } = open();
    server.now.open();

    server.now.drops(code);
    clock.pass();

    assert.equal(server.connections.length, 1);
    assert.equal(socket.status, "closed");
  });
}

for (const code of [1000, 1001, 1006, 1011, 1012, 1013, 3000, 3499, 4000]) {
  test(`close code ${code} means: come back`, () => {
    const { socket, server, clock } = open();
    server.now.open();

    server.now.drops(code);
    assert.equal(socket.status, "waiting");
    clock.pass();

    assert.equal(server.connections.length, 2);
  });
}

for (const reason of ["too much: EVENT_RATE", "too slow: MESSAGE_TIMEOUT"]) {
  test(`who is closed with 1008 for "${reason}" comes back after a long while, and hurries for nothing`, () => {
    const { socket, server, clock, page } = open();
    server.now.open();
    const delays = [];
    socket.on("status", ({ delay }) => delays.push(delay));

    server.now.drops(1008, reason);
    page.dispatchEvent(new Event("visibilitychange"));
    assert.equal(socket.status, "waiting");
    assert.equal(server.connections.length, 1);
    assert.ok(delays[0] >= 30000 && delays[0] <= 60000, String(delays));
    clock.pass();
    assert.equal(server.connections.length, 2);

    server.now.drops(1006); // a loss like any other
    page.dispatchEvent(new Event("visibilitychange"));
    assert.equal(server.connections.length, 3);
  });
}

test("a page that comes into view, or back online, does not wait", () => {
  for (const news of ["visibilitychange", "online"]) {
    const { server, page, clock } = open();
    server.now.drops();

    page.dispatchEvent(new Event(news));

    assert.equal(server.connections.length, 2, news);
    assert.equal(clock.waiting.size, 1, "it waits for the connection only");
  }
});

test("a page that goes out of view hurries nobody", () => {
  const { server, page } = open();
  server.now.drops();
  page.hidden = true;

  page.dispatchEvent(new Event("visibilitychange"));

  assert.equal(server.connections.length, 1);
});

test("after a change of network the old connection is given up, even if it seems alive", () => {
  const { socket, server, page } = open();
  server.now.open();
  const seen = heard(socket, "x");
  const [old] = server.connections;

  page.dispatchEvent(new Event("online"));
  old.says({ type: "x", message: "from the dead" });
  old.drops();

  assert.equal(old.closed, true);
  assert.equal(server.connections.length, 2);
  assert.deepEqual(seen, []);
});

test("a page that closed the socket is left alone until it connects again", () => {
  const { socket, server, clock, page } = open();
  server.now.open();

  socket.close();
  server.now.drops(1000);
  page.dispatchEvent(new Event("online"));
  clock.pass();
  assert.equal(server.connections.length, 1);
  assert.equal(socket.status, "closed");

  socket.connect();
  assert.equal(server.connections.length, 2);
});

test("connecting twice makes one connection", () => {
  const { socket, server } = open();

  socket.connect();

  assert.equal(server.connections.length, 1);
});

test("closing while waiting ends the waiting", () => {
  const { socket, server, clock } = open();
  server.now.drops();

  socket.close();
  clock.pass();

  assert.equal(server.connections.length, 1);
  assert.equal(socket.status, "closed");
});

test("every change of state is told, with the wait that lies ahead", () => {
  const { socket, server, clock } = open();
  const states = heard(socket, "status");
  const closes = heard(socket, "close");
  server.now.open();

  server.now.drops(1012, "restarting");
  clock.pass();

  assert.deepEqual(states, [
    { state: "open" },
    { state: "waiting", code: 1012, delay: 250 },
    { state: "connecting" },
  ]);
  assert.deepEqual(closes, [{ code: 1012, reason: "restarting" }]);
});

// -- missing nothing, and nothing twice

test("a subscription starts from the cursor that the page was rendered with", () => {
  const { socket, server } = open();
  socket.subscribe("tweets", { since: "e:7" });

  server.now.open();

  assert.deepEqual(server.now.sent, [{ type: "subscribe", channel: "tweets", since: "e:7", id: 1 }]);
});

test("a subscription without a cursor starts now, and resumes from there", () => {
  const answers = [];
  const scene = subscribedTo("tweets", { onSubscribed: ({ cursor }) => answers.push(cursor) });
  assert.deepEqual(answers, ["e:10"]);

  comeBack(scene);

  assert.equal(scene.server.now.last.since, "e:10");
});

test("what a recovered subscription missed follows its answer", () => {
  const { socket, server } = open();
  server.now.open();
  const seen = heard(socket, "tweet");
  socket.subscribe("tweets", { since: "e:5" });

  server.now.says({ type: "subscribed", channel: "tweets", cursor: "e:5", id: 1, recovered: true });
  server.now.says({ type: "tweet", message: 6, channel: "tweets", cursor: "e:6" });
  server.now.says({ type: "tweet", message: 10, channel: "tweets", cursor: "e:10" });

  assert.deepEqual(seen, [6, 10]);
});

test("a channel resumes after the last message that was heard on it", () => {
  const scene = subscribedTo("tweets");
  scene.server.now.says({ type: "tweet", message: 1, channel: "tweets", cursor: "e:12" });

  comeBack(scene);

  assert.equal(scene.server.now.last.since, "e:12");
});

test("a wildcard resumes after the last message of any channel that it means", () => {
  const scene = subscribedTo("news*");
  scene.server.now.says({ type: "said", message: 1, channel: "news.a", cursor: "e:12" });
  scene.server.now.says({ type: "said", message: 2, channel: "other", cursor: "e:13" });

  comeBack(scene);

  const { channel, since } = scene.server.now.last;
  assert.deepEqual([channel, since], ["news*", "e:12"]);
});

test("a difference is put together with the message before it, or asked for whole", () => {
  const scene = subscribedTo("state", { delta: true });
  const seen = heard(scene.socket, "message");
  const says = (envelope) => scene.server.now.says({ type: "message", channel: "state", ...envelope });
  assert.equal(scene.server.now.last.delta, true);

  says({ message: { a: 1, b: { c: 2, d: 3 }, e: 4 }, cursor: "e:11" });
  says({ delta: { a: 5, b: { c: null }, e: null }, base: "e:11", cursor: "e:12" });
  says({ delta: { a: 7 }, base: "e:14", cursor: "e:15" }); // of one that never came

  assert.deepEqual(seen, [{ a: 1, b: { c: 2, d: 3 }, e: 4 }, { a: 5, b: { d: 3 } }]);
  assert.deepEqual([scene.server.now.last.type, scene.server.now.last.since], ["subscribe", "e:12"]);
});

test("what is wanted of a channel is said each time", () => {
  const scene = subscribedTo("posts", { where: { team: "red" } });

  comeBack(scene);

  assert.deepEqual(scene.server.now.last.where, { team: "red" });
});

test("a channel's token goes with it each time", () => {
  const scene = subscribedTo("room", { token: "t0" });

  comeBack(scene);

  assert.equal(scene.server.now.last.token, "t0");
});

test("what is not newer than the cursor is dropped", () => {
  const { socket, server } = subscribedTo("tweets");
  const seen = heard(socket, "tweet");

  for (const position of [12, 12, 11, 10, 13, 9]) {
    server.now.says({ type: "tweet", message: position, channel: "tweets", cursor: `e:${position}` });
  }

  assert.deepEqual(seen, [12, 13]);
});

test("positions beyond what a number holds are still told apart", () => {
  const { socket, server } = subscribedTo("tweets");
  const seen = heard(socket, "tweet");

  for (const position of ["99999999999999998", "99999999999999999", "100000000000000000"]) {
    server.now.says({ type: "tweet", message: position, channel: "tweets", cursor: `e:${position}` });
  }

  assert.equal(seen.length, 3);
});

test("a channel that catches up is not held back by a newer message of another", () => {
  const { socket, server } = subscribedTo("tweets");
  server.now.says({ type: "tweet", message: 1, channel: "tweets", cursor: "e:50" });
  const seen = heard(socket, "news");

  socket.subscribe("news", { since: "e:20" });
  server.now.says({ type: "news", message: "old but new to us", channel: "news", cursor: "e:30" });

  assert.deepEqual(seen, ["old but new to us"]);
});

test("a gap is told with the cursor from which on everything follows", () => {
  const gaps = [];
  const { socket, server } = open();
  server.now.open();
  socket.subscribe("tweets", { since: "old:900", onGap: (cursor) => gaps.push(cursor) });
  const seen = heard(socket, "tweet");

  server.now.says({ type: "gap", channel: "tweets", cursor: "new:3", id: 1 });
  server.now.says({ type: "tweet", message: 4, channel: "tweets", cursor: "new:4" });

  assert.deepEqual(gaps, ["new:3"]);
  assert.deepEqual(seen, [4]);
});

test("after a gap the channel resumes from the gap's cursor", () => {
  const scene = open();
  scene.server.now.open();
  scene.socket.subscribe("tweets", { since: "old:900" });
  scene.server.now.says({ type: "gap", channel: "tweets", cursor: "new:3", id: 1 });

  comeBack(scene);

  assert.equal(scene.server.now.last.since, "new:3");
  assert.deepEqual(scene.reported, []); // that nobody asked to be told is no error
});

test("a server that started anew counts from the beginning, and is heard", () => {
  const { socket, server } = subscribedTo("tweets");
  const seen = heard(socket, "tweet");

  server.now.says({ type: "tweet", message: "first of a new log", channel: "tweets", cursor: "f:1" });

  assert.deepEqual(seen, ["first of a new log"]);
});

test("what was broadcast to everyone is resumed through the address", () => {
  const scene = open();
  scene.server.now.open({ session: "s1" }, "e:3");
  scene.server.now.says({ type: "news", message: 1, cursor: "e:5" });

  comeBack(scene);

  assert.equal(scene.server.now.url, "ws://wall.example/ws/?since=e%3A5&session=s1");
});

test("what was broadcast to everyone meanwhile follows the second welcome", () => {
  const scene = open();
  scene.server.now.open({ session: "s1" }, "e:3");
  const seen = heard(scene.socket, "news");
  scene.server.now.drops();
  scene.clock.pass();

  scene.server.now.open({ session: "s2" }, "e:3");
  scene.server.now.says({ type: "news", message: "missed", cursor: "e:6" });

  assert.deepEqual(seen, ["missed"]);
});

test("a gap in what was broadcast to everyone is told, and resumed after", () => {
  const scene = open();
  scene.server.now.open({ session: "s1" }, "old:900");
  const gaps = [];
  scene.socket.on("gap", (message, envelope) => gaps.push(envelope.cursor));
  scene.server.now.drops();
  scene.clock.pass();

  scene.server.now.open({ session: "s2" }, "new:3");
  scene.server.now.says({ type: "gap", channel: null, cursor: "new:3" });
  comeBack(scene);

  assert.deepEqual(gaps, ["new:3"]);
  assert.match(scene.server.now.url, /since=new%3A3&session=s2$/);
});

test("a channel that the server put us into counts from where it says", () => {
  const { socket, server } = open();
  server.now.open();
  const seen = heard(socket, "said");

  server.now.says({ type: "subscribed", channel: "room", cursor: "e:7" });
  for (const position of [7, 8, 8]) {
    server.now.says({ type: "said", message: position, channel: "room", cursor: `e:${position}` });
  }

  assert.deepEqual(seen, [8]);
});

test("a message to us alone carries no cursor and always arrives", () => {
  const { socket, server } = open();
  server.now.open();
  const seen = heard(socket, "x");

  server.now.says({ type: "x", message: 1 });
  server.now.says({ type: "x", message: 1 });

  assert.deepEqual(seen, [1, 1]);
});

test("a refused subscription is told, and not asked for again", () => {
  const refusals = [];
  const scene = open();
  scene.server.now.open();
  const onSubscribed = () => assert.fail("it was refused");
  scene.socket.subscribe("secret", { onError: (error) => refusals.push(error), onSubscribed });

  scene.server.now.says({ type: "error", code: "forbidden", message: "no", id: 1 });
  comeBack(scene);

  assert.deepEqual(refusals, [{ code: "forbidden", message: "no" }]);
  assert.deepEqual(scene.reported, []);
  assert.deepEqual(scene.server.now.sent, []);
});

test("an answer that somebody waited for is told to nobody else", () => {
  const { socket, server } = open();
  server.now.open();
  const errors = heard(socket, "error");
  socket.emit("a", 1, () => {});

  server.now.says({ type: "error", id: server.now.last.id, code: "failed", message: "no" });
  server.now.says({ type: "error", code: "bad_json", message: "what was that?" });

  assert.deepEqual(errors, ["what was that?"]);
});

test("a subscription whose answer was lost is asked for again", () => {
  const scene = open();
  scene.server.now.open();
  scene.socket.subscribe("tweets", { since: "e:7" });

  comeBack(scene);

  assert.deepEqual(scene.server.now.last, { type: "subscribe", channel: "tweets", since: "e:7", id: 2 });
});

test("an unsubscribed channel is not asked for again", () => {
  const scene = subscribedTo("tweets");

  scene.socket.unsubscribe("tweets");
  assert.equal(scene.server.now.last.type, "unsubscribe");
  comeBack(scene);
  assert.deepEqual(scene.server.now.sent, []);

  // Subscribed again, it begins again.
  scene.socket.subscribe("tweets");
  assert.equal(scene.server.now.last.since, undefined);
});

// -- strangers' data

test("a message that names __proto__ changes no object but itself", () => {
  const { socket, server } = open();
  server.now.open();
  const seen = heard(socket, "__proto__");
  const evil = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';

  server.now.says(`{"type":"__proto__","message":${evil},"channel":"__proto__","cursor":"e:1"}`);
  server.now.says(`{"type":"constructor","message":${evil},"channel":"constructor","cursor":"e:1"}`);
  server.now.says(`{"type":"ack","id":"__proto__","message":${evil}}`);
  socket.emit("x", JSON.parse(evil), () => {});

  assert.equal({}.polluted, undefined);
  assert.equal(seen.length, 1);
  assert.deepEqual(Object.keys(seen[0]), ["__proto__", "constructor"]);
});
