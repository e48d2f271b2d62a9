/* The browser's end of a realtime_wall server: one connection that comes back by itself.
 *
 *     const socket = Realtime.connect();
 *     socket.on("greeting", (message) => console.log(message));
 *     socket.emit("add", [1, 2], (sum, error) => console.log(error || sum));
 *     socket.subscribe("news", { since: cursorFromThePage, onGap: readTheNewsAgain });
 *
 * What a listener returns is the answer, when the server asked for one (socket.call).
 *
 * It is a WebSocket. Where a proxy lets none through it is an EventSource, or a loop of long polls: then
 * channels are heard as before, with the same cursors, but nothing can be said; socket.transport tells.
 *
 * What was missed while the connection was away arrives when it is back, once and in order. What the
 * server can not tell any more is announced by onGap; it is never skipped in silence.
 *
 * Events of our own: "status" ({state, delay, code}; state is connecting, open, waiting or closed),
 * "open", "close" ({code, reason}) and "gap" (some of what was broadcast to everyone is lost).
 */
(function (root) {
  "use strict";

  const VIOLATION = 1008;
  const FIRST_DELAY = 500; // milliseconds: the ceiling of the first wait, doubled for each further one
  const LONGEST_DELAY = 15000;
  const SLOWED_DOWN_DELAY = 60000; // for who has sent too much
  const BUFFERED = 100; // emits kept while away; more than that is an application that should notice
  const LOCAL = new Set(["open", "close", "status"]);
  const REPLIES = new Set(["ack", "subscribed", "unsubscribed", "gap", "error"]);
  // The server says where we stand: everything after their cursor follows.
  const POSITIONS = new Set(["welcome", "subscribed", "gap"]);
  // The ways to the server, the best first. The others hear channels, and can say nothing.
  const TRANSPORTS = ["websocket", "eventsource", "polling"];
  const TRIES = 2; // failures to open in a row, while the server is there, before the next way is tried
  // Milliseconds. Some proxies take a request and never answer, or cut a connection and tell only one end.
  const OPEN_WITHIN = 8000;
  const HEARTBEAT = 25000; // how long a server is silent at most, until it has said so itself
  const EVERYONE = ""; // messages to everyone name no channel

  // The script tag says where the server is; it can be asked only while the script is read.
  const script = root.document && root.document.currentScript;
  const DEFAULT_URL = (script && script.dataset.url) || "/ws/";

  /* RFC 7396: null takes out. */
  function merged(old, patch) {
    if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
    const found = old !== null && typeof old === "object" && !Array.isArray(old) ? { ...old } : {};
    for (const [name, value] of Object.entries(patch)) {
      if (value === null) delete found[name];
      else if (name !== "__proto__") found[name] = merged(found[name], value);
    }
    return found;
  }

  class Socket {
    constructor(url, world) {
      this.session = null;
      this._world = world;
      this._url = url;
      this._connection = null;
      this._timer = null;
      this._attempts = 0;
      this._failures = 0; // to open, in a row, in the present way
      this._opening = null; // the timer that gives up on it
      this._silence = null; // the timer that asks a silent server whether it is there
      this._heartbeat = HEARTBEAT;
      this.transport = TRANSPORTS[0];
      this._wanted = TRANSPORTS[0]; // for the next connection
      this._lastId = 0;
      this._listeners = new Map(); // type -> functions
      this._answers = new Map(); // id -> the function that waits for the reply
      this._subscriptions = new Map(); // channel -> {onGap, onSubscribed, onError}
      this._cursors = new Map(); // channel -> the newest cursor seen there
      this._buffer = []; // emits made while away
      this._listenToThePage();
      this.connect();
    }

    on(type, listener) {
      this._listeners.set(type, [...(this._listeners.get(type) || []), listener]);
      return this;
    }

    off(type, listener) {
      this._listeners.set(type, (this._listeners.get(type) || []).filter((other) => other !== listener));
      return this;
    }

    /* The answer comes as ack(message, null), or as ack(undefined, {code, message}) when there will be
     * none. While away, emits wait for the connection, unless they are volatile. */
    emit(type, message, ack, { volatile = false } = {}) {
      const entry = { envelope: { type, message }, ack };
      if (this.status === "open") this._emitNow(entry);
      else if (volatile) this._answer(ack, { code: "away", message: "not connected" });
      else if (this._buffer.length < BUFFERED) this._buffer.push(entry);
      else this._answer(ack, { code: "full", message: "too many messages wait for the connection" });
      return this;
    }

    send(text, ack) {
      return this.emit("message", text, ack);
    }

    /* where: {field: value}, of what is wanted; delta: messages may come as differences, put together here. */
    /** @param {string} channel @param {Subscription} how */
    subscribe(channel, { since = null, where, delta, onGap, onSubscribed, onError } = {}) {
      if (since) this._cursors.set(channel, since);
      this._subscriptions.set(channel, { where, delta, onGap, onSubscribed, onError });
      if (this.status === "open") this._subscribeNow(channel);
      return this;
    }

    unsubscribe(channel) {
      this._subscriptions.delete(channel);
      this._cursors.delete(channel);
      if (this.status === "open") this._ask({ type: "unsubscribe", channel }, () => {});
      return this;
    }

    close() {
      this._stopWaiting();
      if (this._connection) this._giveUp(1000, "closed by the page", false);
      else this._become("closed", { code: 1000 });
    }

    /* Needed only after close(), or to come back sooner than planned. */
    connect() {
      if (this._connection) return;
      this._stopWaiting();
      this.transport = this._wanted;
      this._become("connecting");
      const connection = this._newConnection();
      connection.isUnproved = true; // a proxy may open a connection and let nothing through
      // A connection that was given up may still speak: only the present one is heard.
      const ifPresent = (react) => (event) => this._connection === connection && react(event);
      connection.onopen = ifPresent(() => this._opened());
      connection.onmessage = ifPresent((event) => this._received(event.data));
      connection.onclose = ifPresent(({ code, reason }) => this._lost(code, reason, comesBack(code, reason)));
      this._connection = connection;
      this._opening = this._world.setTimeout(() => this._giveUp(1006, "no answer", true), OPEN_WITHIN);
    }

    /* For who knows that the connection is dead before the browser does. */
    reconnect() {
      if (this._connection) this._giveUp(1006, "the network changed", true);
      this._hurry();
    }

    // -- the connection

    _newConnection() {
      if (this.transport === "websocket") return new this._world.WebSocket(this._address());
      return new OneWay(this.transport, new URL(this._url, this._world.location.href), this._world);
    }

    _address() {
      const address = new URL(this._url, this._world.location.href);
      address.protocol = address.protocol.replace("http", "ws");
      if (this._cursors.has(EVERYONE)) address.searchParams.set("since", this._cursors.get(EVERYONE));
      if (this.session) address.searchParams.set("session", this.session);
      return address.href;
    }

    _opened() {
      // A WebSocket is welcomed as well; the others are asked for something next, with limits of their own.
      if (this.transport !== "websocket") this._world.clearTimeout(this._opening);
      for (const channel of this._subscriptions.keys()) this._subscribeNow(channel);
      this._become("open");
      this._tell("open");
      // After "open", so that a listener can say who we are before what has waited is said.
      for (const { envelope, ack } of this._buffer.splice(0)) this.emit(envelope.type, envelope.message, ack);
    }

    _giveUp(code, reason, again) {
      this._connection.close();
      this._lost(code, reason, again);
    }

    _lost(code, reason, again) {
      const hasFailed = this.status === "connecting" || this._connection.isUnproved;
      this._connection = null;
      this._world.clearTimeout(this._opening);
      this._world.clearTimeout(this._silence);
      if (again && hasFailed) this._failedToOpen();
      const unanswered = [...this._answers.values()];
      this._answers.clear();
      this._tell("close", { code, reason });
      if (again) this._wait(code);
      else this._become("closed", { code });
      const loss = { type: "error", code: "lost", message: "the connection was lost" };
      for (const answer of unanswered) answer(loss);
    }

    /* It may be a proxy's fault; if the server is away, another way leads nowhere either. */
    _failedToOpen() {
      if (!this._world.fetch) return;
      const failed = this.transport;
      isThere(this._address(), this._world).then((there) => {
        if (!there || this._wanted !== failed) return;
        this._failures += 1;
        if (this._failures < TRIES) return;
        this._failures = 0;
        this._wanted = TRANSPORTS[(TRANSPORTS.indexOf(failed) + 1) % TRANSPORTS.length];
      });
    }

    /* Something has come: this way leads to the server. */
    _proved() {
      this._heard = true;
      const connection = this._connection;
      const isNew = this.transport === "websocket" && connection.isUnproved;
      if (isNew) connection.isUnproved = false;
      if (connection.isUnproved) return;
      this._failures = 0;
      this._wanted = this.transport;
      if (!isNew) return;
      this._world.clearTimeout(this._opening);
      this._listenForSilence();
    }

    /* Of a WebSocket through which nothing comes any more a browser tells nothing while nobody cuts it. */
    _listenForSilence(asked = false) {
      this._heard = false;
      this._silence = this._world.setTimeout(() => {
        if (this._heard) return this._listenForSilence();
        if (asked) return this._giveUp(1006, "no answer", true);
        this._ask({ type: "heartbeat" }, () => {});
        return this._listenForSilence(true);
      }, this._heartbeat);
    }

    /* Full jitter: a thousand pages that lost the same server do not return in the same moment. */
    _wait(code) {
      this._isSlowedDown = code === VIOLATION;
      const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this._attempts);
      const share = this._world.random();
      const delay = Math.round(this._isSlowedDown ? ((1 + share) / 2) * SLOWED_DOWN_DELAY : share * ceiling);
      this._attempts += 1;
      this._timer = this._world.setTimeout(() => this.connect(), delay);
      this._become("waiting", { code, delay });
    }

    _stopWaiting() {
      this._world.clearTimeout(this._timer);
      this._timer = null;
    }

    _become(state, detail) {
      this.status = state;
      this._tell("status", { state, ...detail });
    }

    _listenToThePage() {
      const { document, window } = this._world;
      if (document) {
        document.addEventListener("visibilitychange", () => {
          if (document.visibilityState === "visible") this._hurry();
        });
      }
      if (window) {
        // With the network went the connection, though nobody may have told it yet.
        window.addEventListener("online", () => this.reconnect());
      }
    }

    _hurry() {
      if (this.status === "waiting" && !this._isSlowedDown) this.connect();
    }

    // -- what we say

    _emitNow({ envelope, ack }) {
      if (ack) this._ask(envelope, (reply) => this._answer(ack, reply));
      else this._connection.send(JSON.stringify(envelope));
    }

    _ask(envelope, answer) {
      this._lastId += 1;
      this._answers.set(this._lastId, answer);
      this._connection.send(JSON.stringify({ ...envelope, id: this._lastId }));
    }

    _answer(ack, reply) {
      if (reply.type === "ack") this._call(ack, reply.message, null);
      else this._call(ack, undefined, { code: reply.code, message: reply.message });
    }

    _subscribeNow(channel) {
      const { where, delta } = this._subscriptions.get(channel);
      this._ask({ type: "subscribe", channel, since: this._cursors.get(channel), where, delta }, (reply) => {
        const subscription = this._subscriptions.get(channel);
        if (!subscription || reply.code === "lost") return;
        if (reply.type === "error") {
          this._subscriptions.delete(channel);
          this._call(subscription.onError, { code: reply.code, message: reply.message });
          return;
        }
        this._cursors.set(channel, reply.cursor); // everything after it follows
        if (reply.type === "gap") this._call(subscription.onGap, reply.cursor);
        else this._call(subscription.onSubscribed, reply);
      });
    }

    // We may not hear this channel any more, and need not ask for it when we come back.
    _expelled(channel) {
      const subscription = this._subscriptions.get(channel);
      this._subscriptions.delete(channel);
      this._cursors.delete(channel);
      if (subscription) this._call(subscription.onError, { code: "refused", message: "not any more" });
    }

    // -- what we hear

    _received(text) {
      const envelope = JSON.parse(text);
      if (envelope.type === "welcome") {
        this.session = envelope.message.session;
        this._heartbeat = 1000 * envelope.message.ping || HEARTBEAT;
      }
      this._proved();
      this._attempts = 0; // a server that takes us in but says nothing has not earned a quick return
      if (REPLIES.has(envelope.type) && envelope.id !== undefined) {
        const answer = this._answers.get(envelope.id);
        this._answers.delete(envelope.id);
        if (answer) answer(envelope);
        return;
      }
      if (envelope.type === "unsubscribed") return this._expelled(envelope.channel);
      if (envelope.type === "gap" && envelope.channel) {
        this._cursors.set(envelope.channel, envelope.cursor); // left out, because we read too slowly
        this._call((this._subscriptions.get(envelope.channel) || {}).onGap, envelope.cursor);
        return;
      }
      if (LOCAL.has(envelope.type) || !this._isWhole(envelope) || !this._isNew(envelope)) return;
      const answer = this._tell(envelope.type, envelope.message, envelope);
      if (envelope.id !== undefined && this.status === "open") {
        this._connection.send(JSON.stringify({ type: "ack", id: envelope.id, message: answer }));
      }
    }

    /* A difference is put together with the message before it; without that one, it is asked for again whole. */
    _isWhole(envelope) {
      const { channel, cursor, delta, base } = envelope;
      const subscription = this._subscriptions.get(channel);
      if (!subscription || !subscription.delta) return true;
      if (delta !== undefined) {
        const { before } = subscription;
        if (!before || before.cursor !== base) {
          this._subscribeNow(channel);
          return false;
        }
        envelope.message = merged(before.message, delta);
      }
      if (cursor && envelope.type !== "retracted") subscription.before = { cursor, message: envelope.message };
      return true;
    }

    /* Whether we have not had it before; from now on we have. What carries no cursor was for us alone. */
    _isNew({ type, channel, cursor }) {
      if (!cursor) return true;
      const known = this._cursors.get(channel || EVERYONE);
      if (known && !POSITIONS.has(type) && !isNewer(cursor, known)) return false;
      this._cursors.set(channel || EVERYONE, cursor);
      for (const name of this._subscriptions.keys()) {
        if (name.endsWith("*") && channel && channel.startsWith(name.slice(0, -1))) this._cursors.set(name, cursor);
      }
      return true;
    }

    /* The first answer that a listener gives. */
    _tell(type, message, envelope) {
      const listeners = this._listeners.get(type) || [];
      const answers = listeners.map((listener) => this._call(listener, message, envelope));
      return answers.find((answer) => answer !== undefined);
    }

    /* A listener that throws is reported; the others, and we, go on. */
    _call(listener, ...args) {
      try {
        return listener && listener(...args);
      } catch (error) {
        this._world.report(error);
        return undefined;
      }
    }
  }

  /* What stands in for a WebSocket where none gets through. To the socket it looks like one; each channel is
   * first asked for by a poll, which says from where on the stream of all of them has to be heard. Whatever
   * goes wrong ends it: the socket comes back, with the cursors of what it has heard. */
  class OneWay {
    constructor(kind, address, world) {
      this._kind = kind;
      this._world = world;
      this._base = new URL("../events/", address.href.replace(/^ws/, "http"));
      this.onopen = this.onmessage = this.onclose = (/** @type {any} */ _event) => {}; // as of a WebSocket
      this._cursors = new Map(); // channel -> up to where it was told
      this._position = null; // up to where all of them were
      this._silence = 2 * HEARTBEAT; // after which a stream is taken for dead
      this._requests = new Set(); // those under way: the functions that give them up
      this._stop = () => {};
      this.isUnproved = true; // until a stream has said something, or a poll was answered
      isThere(this._base, world, "../health/").then((there) => {
        if (this._closed) return;
        if (there) this.onopen({});
        else this._lose();
      });
    }

    close() {
      this._closed = true;
      this._stop();
      for (const giveUp of this._requests) giveUp(new Error("closed"));
    }

    send(text) {
      const { type, channel, since, id, where } = JSON.parse(text);
      if (type === "subscribe" && where) {
        this._says({ type: "error", code: "one_way", message: "where needs a WebSocket", id });
      } else if (type === "subscribe") {
        this._subscribe(channel, since, id).catch(() => this._lose());
      } else if (type === "unsubscribe") {
        this._cursors.delete(channel);
        this._says({ type: "unsubscribed", channel, id });
        this._listen();
      } else if (id !== undefined && type !== "ack") {
        this._says({ type: "error", code: "one_way", message: `nothing can be said by ${this._kind}`, id });
      }
    }

    async _subscribe(channel, since, id) {
      const answer = await this._ask("poll", [channel], since, OPEN_WITHIN);
      if (this._closed) return;
      const refusal = refusalOf(answer);
      if (refusal) {
        this._says({ type: "error", code: "refused", message: refusal, id });
        return;
      }
      const { items, cursor } = toldBy(answer);
      const heartbeat = 1000 * answer.response.headers.get("Realtime-Heartbeat") || HEARTBEAT;
      this._silence = Math.max(2 * heartbeat, OPEN_WITHIN);
      const gap = items.find((item) => item.id === GAP);
      if (gap) this._says({ type: "gap", channel, cursor: gap.cursor, id });
      else this._says({ type: "subscribed", channel, cursor: since || cursor, id, recovered: Boolean(since) });
      items.forEach((item) => item === gap || this._hear(item));
      this._cursors.set(channel, cursor);
      if (!this._position || isNewer(this._position, cursor)) this._position = cursor;
      this._listen();
    }

    /* Hear all channels from where all of them were told. */
    _listen() {
      this._stop();
      this._stop = () => {};
      if (this._closed || !this._cursors.size) return;
      if (this._kind === "eventsource") this._listenToEvents();
      else this._pollOn();
    }

    _listenToEvents() {
      const address = this._address("ev", [...this._cursors.keys()], this._position);
      address.searchParams.set("unnamed", "1"); // named events are heard by those only who know the names
      const source = new this._world.EventSource(address.href, { withCredentials: true });
      let timer;
      const listenFor = (limit) => {
        this._world.clearTimeout(timer);
        timer = this._world.setTimeout(() => this._lose(), limit);
      };
      source.onmessage = (event) => {
        this.isUnproved = false;
        listenFor(this._silence);
        const item = parsed(event.data);
        if (item) this._hear(item);
        else this._lose();
      };
      source.onerror = () => this._lose(); // we come back by ourselves, with our own cursor
      listenFor(OPEN_WITHIN); // the first thing that it is sent comes at once
      this._stop = () => {
        this._world.clearTimeout(timer);
        source.close();
      };
    }

    _pollOn() {
      let stopped = false;
      let giveUp = (/** @type {Error} */ _reason) => {};
      this._stop = () => {
        stopped = true;
        giveUp(new Error("stopped"));
      };
      const poll = async () => {
        while (!stopped) {
          const asked = this._ask("lp", [...this._cursors.keys()], this._position, this._silence);
          giveUp = asked.giveUp;
          const answer = await asked;
          if (stopped) return;
          const { items, cursor } = toldBy(answer);
          this.isUnproved = false;
          items.forEach((item) => this._hear(item));
          this._position = cursor;
        }
      };
      poll().catch(() => stopped || this._lose());
    }

    _hear({ id, channel, text, event, cursor }) {
      if (id <= 0 && id !== GAP && id !== RETRACTED) return;
      const known = this._cursors.get(channel);
      const moves = !known || (cursor && isNewer(cursor, known)); // of several gaps only the last does
      if (known && moves) this._cursors.set(channel, cursor);
      if (known && moves && this._kind === "eventsource") this._position = cursor;
      if (id === GAP) this._says({ type: "gap", channel, cursor: moves ? cursor : known });
      else if (moves) this._says({ type: event || "message", message: text, channel, cursor });
    }

    _address(kind, channels, since) {
      const address = new URL(`${kind}/${channels.map(encodeURIComponent).join("/")}`, this._base);
      if (since) address.searchParams.set("since", since);
      return address;
    }

    _ask(kind, channels, since, limit) {
      const address = this._address(kind, channels, since);
      const asked = ask(address.href, this._world, limit, { credentials: "include" });
      this._requests.add(asked.giveUp);
      const forget = () => this._requests.delete(asked.giveUp);
      asked.then(forget, forget);
      return asked;
    }

    _says(envelope) {
      if (!this._closed) this.onmessage({ data: JSON.stringify(envelope) });
    }

    _lose() {
      if (this._closed) return;
      this.close();
      this.onclose({ code: 1006, reason: "" });
    }
  }

  const GAP = -4;
  const RETRACTED = -5;

  /* One request: a promise of {response, text}, with a way to give it up. A browser waits for as long as it
   * takes, and only so many of them at once: it is given up when nothing of its answer has come for a while. */
  function ask(href, world, limit, options) {
    const controller = new AbortController();
    let timer;
    let giveUp;
    const asked = new Promise((resolve, reject) => {
      giveUp = (reason) => {
        world.clearTimeout(timer);
        reject(reason);
        controller.abort();
      };
      const goOn = () => {
        world.clearTimeout(timer);
        timer = world.setTimeout(() => giveUp(new Error("no answer")), limit);
      };
      goOn();
      world
        .fetch(href, { cache: "no-store", signal: controller.signal, ...options })
        .then(async (response) => ({ response, text: response.status === 200 ? await textOf(response, goOn) : "" }))
        .then(resolve, reject)
        .then(() => world.clearTimeout(timer));
    });
    return Object.assign(asked, { giveUp });
  }

  /* A long answer over a slow line takes its time: goOn is called for each part. */
  async function textOf(response, goOn) {
    if (!response.body) return response.text();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      goOn();
      text += decoder.decode(value, { stream: true });
    }
  }

  /* What a poll was answered, and up to where. Throws when a proxy has answered, or has cut it short. */
  function toldBy({ response, text }) {
    if (response.status === 304) return { items: [], cursor: response.headers.get("ETag").match(/"(.+)"/)[1] };
    const items = text.split("\r\n").filter(Boolean).map((line) => JSON.parse(line));
    // Not the ETag: of an answer without a length, what is missing at its end shows nowhere.
    const { cursor } = items.filter((item) => item.cursor).pop();
    if (response.status !== 200) throw new Error(String(response.status));
    return { items, cursor };
  }

  /* Why our server refuses, in its own words: what a proxy says is a failure like any other. */
  function refusalOf({ response }) {
    return response.status >= 400 && response.status < 500 && response.headers.get("X-Nginx-PushStream-Explain");
  }

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  /* Whether the server of this address answers plain requests. */
  function isThere(address, world, health = "../health/") {
    const page = new URL(health, String(address).replace(/^ws/, "http"));
    return ask(page.href, world, OPEN_WITHIN).then(
      ({ response }) => response.ok,
      () => false,
    );
  }

  /* A violation is final, but for what time mends: the client has sent too much, or too slowly. */
  function comesBack(code, reason) {
    return code === VIOLATION ? /^too (much|slow): /.test(reason) : !(code >= 3500 && code <= 3999);
  }

  /* Cursors read epoch:position. A position has more digits than a number holds, so it is compared as
   * text; another epoch is another server's log, which is always news. */
  function isNewer(cursor, known) {
    const [epoch, position] = cursor.split(":");
    const [knownEpoch, knownPosition] = known.split(":");
    if (epoch !== knownEpoch) return true;
    if (position.length !== knownPosition.length) return position.length > knownPosition.length;
    return position > knownPosition;
  }

  function connect(url, world) {
    const ours = {
      WebSocket: root.WebSocket,
      location: root.location,
      document: root.document,
      window: root.document && root,
      random: Math.random,
      setTimeout: (/** @type {Function} */ act, /** @type {number} */ delay) => root.setTimeout(act, delay),
      clearTimeout: (/** @type {number} */ timer) => root.clearTimeout(timer),
      fetch: root.fetch && ((/** @type {string} */ address, /** @type {RequestInit} */ options) => root.fetch(address, options)),
      EventSource: root.EventSource,
      report: (error) => (root.reportError || console.error)(error),
    };
    return new Socket(url || DEFAULT_URL, { ...ours, ...world });
  }

  const Realtime = { connect };
  if (typeof module === "object" && module.exports) module.exports = Realtime;
  else root.Realtime = Realtime;
})(typeof globalThis === "object" ? globalThis : self);
