/* The browser's end: one connection that comes back by itself and catches up.
 * How to use it is in docs/reference/client.rst. */
(function (/** @type {any} */ root) {
  "use strict";

  const VIOLATION = 1008;
  const FIRST_DELAY = 500; // milliseconds
  const LONGEST_DELAY = 15000;
  const SLOWED_DOWN_DELAY = 60000;
  const BUFFERED = 100;
  const LOCAL = new Set(["open", "close", "status"]);
  const REPLIES = new Set(["ack", "subscribed", "unsubscribed", "gap", "error"]);
  const POSITIONS = new Set(["welcome", "subscribed", "gap"]); // may be further back
  /** @type {import("../../../npm/index").Socket["transport"][]} */
  const TRANSPORTS = ["websocket", "eventsource", "polling"]; // the best first
  const TRIES = 2;
  const OPEN_WITHIN = 8000;
  const LONGEST = 3000; // address
  const HEARTBEAT = 25000; // or what the server says
  const EVERYONE = "";
  const GAP = -4;
  const RETRACTED = -5;

  // Known only while the script is read.
  const DEFAULT_URL = root.document?.currentScript?.dataset.url || "/ws/";

  class Socket {
    constructor(url, world) {
      this.session = null;
      this.transport = this._wanted = TRANSPORTS[0];
      this._world = world;
      this._url = url;
      this._connection = null;
      this._attempts = 0;
      this._failures = 0;
      this._retry = alarm(world);
      this._opening = alarm(world);
      this._silence = alarm(world);
      this._heartbeat = HEARTBEAT;
      this._lastId = 0;
      this._listeners = new Map();
      this._answers = new Map();
      this._subscriptions = new Map();
      this._cursors = new Map();
      this._buffer = []; // emits
      this._listenToThePage();
      this.connect();
    }

    on(type, listener) {
      this._listeners.set(type, [...this._heardBy(type), listener]);
      return this;
    }

    off(type, listener) {
      this._listeners.set(type, this._heardBy(type).filter((other) => other !== listener));
      return this;
    }

    emit(type, message, ack, { volatile = false } = {}) {
      if (this.status === "open") this._say({ type, message }, ack && ((reply) => this._answer(ack, reply)));
      else if (volatile) this._answer(ack, { code: "away", message: "not connected" });
      else if (this._buffer.length < BUFFERED) this._buffer.push([type, message, ack]);
      else this._answer(ack, { code: "full", message: "too many messages wait for the connection" });
      return this;
    }

    send(text, ack) {
      return this.emit("message", text, ack);
    }

    subscribe(channel, options) {
      if (options?.since && this._cursors.set(channel, options.since)) this._answers.delete(channel);
      this._subscriptions.set(channel, { ...options });
      if (this.status === "open") this._subscribeNow(channel);
      return this;
    }

    unsubscribe(channel) {
      this._subscriptions.delete(channel);
      this._cursors.delete(channel);
      if (this.status === "open") this._say({ type: "unsubscribe", channel }, () => {});
      return this;
    }

    close() {
      this._retry();
      if (this._connection) this._giveUp("closed by the page", 1000, false);
      else this._become("closed", { code: 1000 });
    }

    connect() {
      if (this._connection) return;
      this._retry();
      this.transport = this._wanted;
      this._become("connecting");
      const connection = this._newConnection();
      connection.isUnproved = true; // a proxy may open it and let nothing through
      const unlessGivenUp = (react) => (event) => this._connection === connection && react(event);
      connection.onopen = unlessGivenUp(() => this._opened());
      connection.onmessage = unlessGivenUp((event) => this._received(JSON.parse(event.data)));
      connection.onclose = unlessGivenUp(({ code, reason }) => this._lost(code, reason));
      this._connection = connection;
      this._opening(() => this._giveUp("no answer"), OPEN_WITHIN);
    }

    reconnect() {
      if (this._connection) this._giveUp("the network changed");
      this._hurry();
    }

    _newConnection() {
      const address = this._address();
      if (this.transport !== "websocket") return new OneWay(this.transport, address, this._world);
      for (const [channel, { where, delta, token }] of this._subscriptions) {
        if (!this._ticket || where || delta || token || address.href.length > LONGEST) continue;
        address.searchParams.append("on", `${channel}@${this._cursors.get(channel) || ""}`);
        this._answers.set(channel, this._subscribed(channel));
      }
      return new this._world.WebSocket(address.href);
    }

    _address() {
      const address = new URL(this._url, this._world.location.href);
      address.protocol = address.protocol.replace("http", "ws");
      const query = { since: this._cursors.get(EVERYONE), session: this.session, ticket: this._ticket };
      for (const [name, value] of Object.entries(query)) if (value) address.searchParams.set(name, value);
      return address;
    }

    _opened() {
      // A WebSocket has to be welcomed as well.
      if (this.transport !== "websocket") this._opening();
      for (const channel of this._subscriptions.keys()) this._answers.has(channel) || this._subscribeNow(channel);
      this._become("open");
      this._tell("open");
      // Last: a listener may speak first.
      for (const waiting of this._buffer.splice(0)) this.emit(...waiting);
    }

    _giveUp(reason, code = 1006, again = true) {
      this._connection.close();
      this._lost(code, reason, again);
    }

    _lost(code, reason, again = comesBack(code, reason)) {
      const hasFailed = this._connection.isUnproved;
      this._connection = null;
      this._opening();
      this._silence();
      if (again && hasFailed) this._failedToOpen();
      const unanswered = this._answers.values();
      this._answers = new Map();
      this._tell("close", { code, reason });
      if (again) this._wait(code);
      else this._become("closed", { code });
      for (const answer of unanswered) answer({ code: "lost", message: "the connection was lost" });
    }

    async _failedToOpen() {
      const failed = this.transport;
      if (!(await isThere(this._address(), this._world)) || this._wanted !== failed) return;
      if ((this._failures += 1) < TRIES) return;
      this._failures = 0;
      this._wanted = TRANSPORTS[(TRANSPORTS.indexOf(failed) + 1) % TRANSPORTS.length];
    }

    _proved() {
      this._heard = true;
      const connection = this._connection;
      if (this.transport === "websocket" && connection.isUnproved) {
        connection.isUnproved = false;
        this._opening();
        this._listenForSilence();
      }
      if (connection.isUnproved) return;
      this._failures = 0;
      this._wanted = this.transport;
    }

    /* Of a half-open WebSocket browsers tell nothing; and the answer is a new ticket. */
    _listenForSilence(asked = false) {
      this._heard = false;
      this._silence(() => {
        if (asked) return this._heard ? this._listenForSilence() : this._giveUp("no answer");
        this._say({ type: "heartbeat" }, ({ code, message }) => code || (this._ticket = message));
        return this._listenForSilence(true);
      }, this._heartbeat);
    }

    /* Full jitter: pages do not return all at once. */
    _wait(code) {
      this._isSlowedDown = code === VIOLATION;
      const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this._attempts);
      const share = this._world.random();
      const delay = Math.round(this._isSlowedDown ? ((1 + share) / 2) * SLOWED_DOWN_DELAY : share * ceiling);
      this._attempts += 1;
      this._retry(() => this._return(), delay);
      this._become("waiting", { code, delay });
    }

    /* After many that failed browsers keep a WebSocket back, a request never. */
    _return() {
      if (this._attempts < 5 || this._attempts % 8 === 0) return this.connect();
      isThere(this._address(), this._world).then((there) => {
        if (this.status === "waiting") there ? this.connect() : this._wait();
      });
    }

    _become(state, detail) {
      this.status = state;
      this._tell("status", { state, ...detail });
    }

    _listenToThePage() {
      const { document, window } = this._world;
      document?.addEventListener("visibilitychange", () => document.hidden || this._hurry());
      // The connection went with the network, unsaid.
      window?.addEventListener("online", () => this.reconnect());
    }

    _hurry() {
      if (this.status === "waiting" && !this._isSlowedDown) this.connect();
    }

    _say(envelope, answer) {
      if (answer) this._answers.set((envelope.id = this._lastId += 1), answer);
      this._connection.send(JSON.stringify(envelope));
    }

    _answer(ack, { message, code }) {
      this._call(ack, ...(code ? [undefined, { code, message }] : [message, null]));
    }

    _subscribeNow(channel) {
      const { where, delta, token } = this._subscriptions.get(channel);
      const since = this._cursors.get(channel);
      this._say({ type: "subscribe", channel, since, where, delta, token }, this._subscribed(channel));
    }

    _subscribed(channel) {
      return (reply) => {
        const subscription = this._subscriptions.get(channel);
        if (reply.code === "lost") return;
        if (reply.type === "error") return this._refused(channel, reply);
        if (!subscription) return this.unsubscribe(channel);
        this._cursors.set(channel, reply.cursor);
        if (reply.type === "gap") this._call(subscription.onGap, reply.cursor);
        else this._call(subscription.onSubscribed, reply);
      };
    }

    _refused(channel, { code, message }) {
      const subscription = this._subscriptions.get(channel);
      this._subscriptions.delete(channel);
      this._call(subscription?.onError, { code, message });
    }

    _received(envelope) {
      const { type, message, channel, cursor, id } = envelope;
      if (type === "welcome") {
        this.session = message.session;
        this._ticket = message.ticket;
        this._heartbeat = 1000 * message.ping || HEARTBEAT;
      }
      this._proved();
      this._attempts = 0; // to have opened is not enough
      if (REPLIES.has(type) && id !== undefined) {
        const answer = this._answers.get(id);
        this._answers.delete(id);
        answer?.(envelope);
      } else if (type === "unsubscribed") {
        this._cursors.delete(channel);
        this._refused(channel, { code: "refused", message: "not any more" });
      } else if (type === "gap" && channel) {
        this._cursors.set(channel, cursor); // we read too slowly
        this._call(this._subscriptions.get(channel)?.onGap, cursor);
      } else if (!LOCAL.has(type) && this._isWhole(envelope) && this._isNew(envelope)) {
        const answer = this._tell(type, envelope.message, envelope);
        if (id !== undefined && this.status === "open") this._say({ type: "ack", id, message: answer });
      }
    }

    /* A difference needs the message before, or is asked for whole. */
    _isWhole(envelope) {
      const { channel, cursor, delta, base } = envelope;
      const subscription = this._subscriptions.get(channel);
      if (!subscription?.delta) return true;
      if (delta !== undefined) {
        if (subscription.before?.cursor !== base) {
          this._subscribeNow(channel);
          return false;
        }
        envelope.message = merged(subscription.before.message, delta);
      }
      if (cursor && envelope.type !== "retracted") subscription.before = { cursor, message: envelope.message };
      return true;
    }

    _isNew({ type, channel, cursor }) {
      if (!cursor) return true;
      const known = this._cursors.get(channel || EVERYONE);
      if (known && !POSITIONS.has(type) && !isNewer(cursor, known)) return false;
      this._cursors.set(channel || EVERYONE, cursor);
      for (const name of this._subscriptions.keys()) {
        if (name.endsWith("*") && channel?.startsWith(name.slice(0, -1))) this._cursors.set(name, cursor);
      }
      return true;
    }

    _heardBy(type) {
      return this._listeners.get(type) || [];
    }

    _tell(type, message, envelope) {
      const answers = this._heardBy(type).map((listener) => this._call(listener, message, envelope));
      return answers.find((answer) => answer !== undefined);
    }

    _call(listener, ...args) {
      try {
        return listener?.(...args);
      } catch (error) {
        const { report } = this._world;
        report(error);
      }
    }
  }

  /* Looks like a WebSocket. A poll for each channel says from where to hear all. */
  class OneWay {
    constructor(kind, address, world) {
      this._kind = kind;
      this._world = world;
      this._base = beside("../events/", address);
      this._cursors = new Map();
      this._tokens = new Map();
      this._position = null; // of all
      this._silence = 2 * HEARTBEAT;
      this._polls = new AbortController();
      this._stop = () => {};
      this.onopen = this.onmessage = this.onclose = null;
      isThere(address, world).then((there) => {
        if (!there) this._lose();
        else if (!this._closed) this.onopen();
      });
    }

    close() {
      this._closed = true;
      this._stop();
      this._polls.abort();
    }

    send(text) {
      const { type, channel, since, id, where, token } = JSON.parse(text);
      if (type === "subscribe" && where) {
        this._refuse(id, "one_way", "where needs a WebSocket");
      } else if (type === "subscribe") {
        this._tokens.set(channel, token);
        this._subscribe(channel, since, id).catch(() => this._lose());
      } else if (type === "unsubscribe") {
        this._cursors.delete(channel);
        this._says({ type: "unsubscribed", channel, id });
        this._listen();
      } else if (id !== undefined && type !== "ack") {
        this._refuse(id, "one_way", `nothing can be said by ${this._kind}`);
      }
    }

    async _subscribe(channel, since, id) {
      const answer = await this._ask("poll", [channel], since, OPEN_WITHIN, this._polls);
      if (this._closed) return;
      const { status, headers } = answer.response;
      const refusal = status >= 400 && status < 500 && headers.get("X-Nginx-PushStream-Explain"); // no proxy's
      if (refusal) return this._refuse(id, "refused", refusal);
      const { items, cursor } = toldBy(answer);
      this._silence = Math.max(2000 * headers.get("Realtime-Heartbeat") || 2 * HEARTBEAT, OPEN_WITHIN);
      const gap = items.find((item) => item.id === GAP);
      if (gap) this._says({ type: "gap", channel, cursor: gap.cursor, id });
      else this._says({ type: "subscribed", channel, cursor: since || cursor, id, recovered: !!since });
      items.forEach((item) => item === gap || this._hear(item));
      this._cursors.set(channel, cursor);
      if (!this._position || isNewer(this._position, cursor)) this._position = cursor;
      this._listen();
    }

    _listen() {
      this._stop();
      this._stop = () => {};
      if (this._closed || !this._cursors.size) return;
      if (this._kind === "eventsource") this._listenToEvents();
      else this._pollOn();
    }

    _listenToEvents() {
      const address = this._address("ev", [...this._cursors.keys()], this._position);
      address.searchParams.set("unnamed", "1"); // else each name would need a listener
      const source = new this._world.EventSource(address.href, { withCredentials: true });
      const silence = alarm(this._world);
      const lose = () => this._lose(); // it would return without our cursors
      source.onmessage = (event) => {
        this.isUnproved = false;
        silence(lose, this._silence);
        try {
          const item = JSON.parse(event.data);
          this._hear(item);
          if (item.cursor) this._position = item.cursor;
        } catch {
          lose();
        }
      };
      source.onerror = lose;
      silence(lose, OPEN_WITHIN);
      this._stop = () => {
        silence();
        source.close();
      };
    }

    async _pollOn() {
      const controller = new AbortController();
      const stop = () => controller.abort();
      this._stop = stop;
      try {
        while (this._stop === stop) {
          const answer = await this._ask("lp", [...this._cursors.keys()], this._position, this._silence, controller);
          if (this._stop !== stop) return;
          const { items, cursor } = toldBy(answer);
          this.isUnproved = false;
          items.forEach((item) => this._hear(item));
          this._position = cursor;
        }
      } catch {
        if (this._stop === stop) this._lose();
      }
    }

    _hear({ id, channel, text, event, cursor }) {
      if (id <= 0 && id !== GAP && id !== RETRACTED) return;
      const known = this._cursors.get(channel);
      const moves = !known || (cursor && isNewer(cursor, known)); // of several gaps the last
      if (known && moves) this._cursors.set(channel, cursor);
      if (id === GAP) this._says({ type: "gap", channel, cursor: moves ? cursor : known });
      else if (moves) this._says({ type: event || "message", message: text, channel, cursor });
    }

    _address(kind, channels, since) {
      const address = new URL(`${kind}/${channels.map(encodeURIComponent).join("/")}`, this._base);
      if (since) address.searchParams.set("since", since);
      for (const channel of channels) {
        const token = this._tokens.get(channel);
        if (token) address.searchParams.append("token", token);
      }
      return address;
    }

    _ask(kind, channels, since, limit, controller) {
      return ask(this._address(kind, channels, since), this._world, limit, controller, "include");
    }

    _says(envelope) {
      if (!this._closed) this.onmessage({ data: JSON.stringify(envelope) });
    }

    _refuse(id, code, message) {
      this._says({ type: "error", code, message, id });
    }

    _lose() {
      if (this._closed) return;
      this.close();
      this.onclose({ code: 1006, reason: "" });
    }
  }

  /* A timer: each call begins it anew, or stops it. */
  function alarm({ setTimeout, clearTimeout }) {
    let timer;
    return (act, delay) => {
      clearTimeout(timer);
      timer = act && setTimeout(act, delay);
    };
  }

  function beside(path, address) {
    return new URL(path, address.href.replace(/^ws/, "http"));
  }

  /* Given up when no more comes: browsers wait for ever. */
  async function ask(address, world, limit, controller, credentials) {
    const silence = alarm(world);
    const goOn = () => silence(() => controller.abort(), limit);
    goOn();
    try {
      const { fetch } = world; // browsers refuse world.fetch()
      const response = await fetch(address.href, { cache: "no-store", signal: controller.signal, credentials });
      return { response, text: await textOf(response, goOn) };
    } finally {
      silence();
    }
  }

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

  /* Throws when a proxy has answered, or cut it short. */
  function toldBy({ response, text }) {
    if (response.status === 304) return { items: [], cursor: response.headers.get("ETag").match(/"(.+)"/)[1] };
    const items = text.split("\r\n").filter(Boolean).map((line) => JSON.parse(line));
    // Not the ETag: the end may be cut off.
    const { cursor } = items.filter((item) => item.cursor).pop();
    return { items, cursor };
  }

  function isThere(address, world) {
    return ask(beside("../health/", address), world, OPEN_WITHIN, new AbortController()).then(
      ({ response }) => response.ok,
      () => false,
    );
  }

  function comesBack(code, reason) {
    return code === VIOLATION ? /^too (much|slow): /.test(reason) : !(code >= 3500 && code <= 3999);
  }

  /* Positions outgrow numbers; another epoch is always news. */
  function isNewer(cursor, known) {
    const [epoch, position] = cursor.split(":");
    const [knownEpoch, knownPosition] = known.split(":");
    return epoch !== knownEpoch || BigInt(position) > BigInt(knownPosition);
  }

  /* RFC 7396 */
  function merged(old, patch) {
    const isObject = (value) => value && typeof value === "object" && !Array.isArray(value);
    if (!isObject(patch)) return patch;
    const found = isObject(old) ? { ...old } : {};
    for (const [name, value] of Object.entries(patch)) {
      if (value === null) delete found[name];
      else if (name !== "__proto__") found[name] = merged(found[name], value);
    }
    return found;
  }

  function connect(url, world = {}) {
    const { WebSocket, EventSource, location, document, setTimeout, clearTimeout, fetch } = root;
    const ours = { WebSocket, EventSource, location, document, setTimeout, clearTimeout, fetch };
    const window = document && root;
    const report = root.reportError || console.error;
    return new Socket(url || DEFAULT_URL, { ...ours, window, report, random: Math.random, ...world });
  }

  /** @type {typeof import("../../../npm/index").default} */
  const Realtime = { connect };
  if (typeof module === "object" && module.exports) module.exports = Realtime;
  else root.Realtime = Realtime;
})(typeof globalThis === "object" ? globalThis : self);
