/* A world in which nothing happens by itself: its clock, its chance, its network and its page are ours. */
"use strict";

const Realtime = require("../../realtime_wall/static/realtime_wall/realtime.js");

class FakeConnection {
  constructor(url) {
    this.url = url;
    this.sent = [];
    this.closed = false;
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true; // a real one reports it later, or never when the network is gone
  }

  /* What the server does. */
  open(welcome = { session: "s1", ping: 25 }, cursor = "e:0") {
    this.onopen({});
    if (welcome) this.says({ type: "welcome", message: welcome, cursor });
  }

  says(envelope) {
    this.onmessage({ data: typeof envelope === "string" ? envelope : JSON.stringify(envelope) });
  }

  drops(code = 1006, reason = "") {
    this.onclose({ code, reason });
  }

  get last() {
    return this.sent[this.sent.length - 1];
  }
}

class FakeClock {
  constructor() {
    this.waiting = new Map(); // timer -> {act, delay}
    this._last = 0;
  }

  setTimeout(act, delay) {
    this._last += 1;
    this.waiting.set(this._last, { act, delay });
    return this._last;
  }

  clearTimeout(timer) {
    this.waiting.delete(timer);
  }

  /* Everything that waits has waited long enough; or only what waits for no longer than so many milliseconds. */
  pass(milliseconds = Infinity) {
    for (const [timer, { act, delay }] of [...this.waiting]) {
      if (delay > milliseconds || !this.waiting.delete(timer)) continue; // or it was cleared by another
      act();
    }
  }
}

class FakePage extends EventTarget {
  hidden = false;
}

function open({ url = "/ws/", href = "http://wall.example/", chance = 0.5, fetch = null, EventSource } = {}) {
  const connections = [];
  const clock = new FakeClock();
  const page = new FakePage();
  const reported = [];
  class WebSocket extends FakeConnection {
    constructor(address) {
      super(address);
      connections.push(this);
    }
  }
  const world = {
    WebSocket,
    location: { href },
    document: page,
    window: page,
    random: () => chance,
    setTimeout: (act, delay) => clock.setTimeout(act, delay),
    clearTimeout: (timer) => clock.clearTimeout(timer),
    report: (error) => reported.push(error),
    fetch, // without it there is no other way than a WebSocket
    EventSource,
  };
  const socket = Realtime.connect(url, world);
  const server = {
    connections,
    get now() {
      return connections[connections.length - 1];
    },
  };
  const delays = []; // of the waits before it comes back
  socket.on("status", ({ delay }) => delay !== undefined && delays.push(delay));
  return { socket, server, clock, page, reported, delays };
}

/* Until nothing is left to do. */
async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

module.exports = { open, settled };
