/* The browser's end of a realtime_wall server: one WebSocket that comes back by itself.
 *
 *     const socket = Realtime.connect();
 *     socket.on("greeting", (message) => console.log(message));
 *     socket.emit("add", [1, 2], (sum, error) => console.log(error || sum));
 *     socket.subscribe("news", { since: cursorFromThePage, onGap: readTheNewsAgain });
 *
 * What a listener returns is the answer, when the server asked for one (socket.call).
 *
 * What was missed while the connection was away arrives when it is back, once and in order. What the
 * server can not tell any more is announced by onGap; it is never skipped in silence.
 *
 * Events of our own: "status" ({state, delay, code}; state is connecting, open, waiting or closed),
 * "open", "close" ({code, reason}) and "gap" (some of what was broadcast to everyone is lost).
 */
(function (root) {
  "use strict";

  const FIRST_DELAY = 500; // milliseconds: the ceiling of the first wait, doubled for each further one
  const LONGEST_DELAY = 15000;
  const BUFFERED = 100; // emits kept while away; more than that is an application that should notice
  const LOCAL = new Set(["open", "close", "status"]);
  const REPLIES = new Set(["ack", "subscribed", "unsubscribed", "gap", "error"]);
  // The server says where we stand: everything after their cursor follows.
  const POSITIONS = new Set(["welcome", "subscribed", "gap"]);
  const EVERYONE = ""; // messages to everyone name no channel

  // The script tag says where the server is; it can be asked only while the script is read.
  const script = root.document && root.document.currentScript;
  const DEFAULT_URL = (script && script.dataset.url) || "/ws/";

  class Socket {
    constructor(url, world) {
      this.session = null;
      this._world = world;
      this._url = url;
      this._connection = null;
      this._timer = null;
      this._attempts = 0;
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

    subscribe(channel, { since = null, onGap, onSubscribed, onError } = {}) {
      if (since) this._cursors.set(channel, since);
      this._subscriptions.set(channel, { onGap, onSubscribed, onError });
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
      this._become("connecting");
      const connection = new this._world.WebSocket(this._address());
      // A connection that was given up may still speak: only the present one is heard.
      const ifPresent = (react) => (event) => this._connection === connection && react(event);
      connection.onopen = ifPresent(() => this._opened());
      connection.onmessage = ifPresent((event) => this._received(event.data));
      connection.onclose = ifPresent((event) => this._lost(event.code, event.reason, comesBack(event.code)));
      this._connection = connection;
    }

    // -- the connection

    _address() {
      const address = new URL(this._url, this._world.location.href);
      address.protocol = address.protocol.replace("http", "ws");
      if (this._cursors.has(EVERYONE)) address.searchParams.set("since", this._cursors.get(EVERYONE));
      if (this.session) address.searchParams.set("session", this.session);
      return address.href;
    }

    _opened() {
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
      this._connection = null;
      const unanswered = [...this._answers.values()];
      this._answers.clear();
      this._tell("close", { code, reason });
      if (again) this._wait(code);
      else this._become("closed", { code });
      const loss = { type: "error", code: "lost", message: "the connection was lost" };
      for (const answer of unanswered) answer(loss);
    }

    /* Full jitter: a thousand pages that lost the same server do not return in the same moment. */
    _wait(code) {
      const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this._attempts);
      const delay = Math.round(this._world.random() * ceiling);
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
        window.addEventListener("online", () => {
          // With the network went the connection, though nobody may have told it yet.
          if (this._connection) this._giveUp(1006, "the network changed", true);
          this._hurry();
        });
      }
    }

    _hurry() {
      if (this.status === "waiting") this.connect();
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
      this._ask({ type: "subscribe", channel, since: this._cursors.get(channel) }, (reply) => {
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
      this._attempts = 0; // a server that takes us in but says nothing has not earned a quick return
      if (REPLIES.has(envelope.type) && envelope.id !== undefined) {
        const answer = this._answers.get(envelope.id);
        this._answers.delete(envelope.id);
        if (answer) answer(envelope);
        return;
      }
      if (envelope.type === "unsubscribed") return this._expelled(envelope.channel);
      if (envelope.type === "welcome") this.session = envelope.message.session;
      if (LOCAL.has(envelope.type) || !this._isNew(envelope)) return;
      const answer = this._tell(envelope.type, envelope.message, envelope);
      if (envelope.id !== undefined && this.status === "open") {
        this._connection.send(JSON.stringify({ type: "ack", id: envelope.id, message: answer }));
      }
    }

    /* Whether we have not had it before; from now on we have. What carries no cursor was for us alone. */
    _isNew({ type, channel, cursor }) {
      if (!cursor) return true;
      const known = this._cursors.get(channel || EVERYONE);
      if (known && !POSITIONS.has(type) && !isNewer(cursor, known)) return false;
      this._cursors.set(channel || EVERYONE, cursor);
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

  function comesBack(code) {
    return code !== 1008 && !(code >= 3500 && code <= 3999);
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
      setTimeout: (...args) => root.setTimeout(...args),
      clearTimeout: (...args) => root.clearTimeout(...args),
      report: (error) => (root.reportError || console.error)(error),
    };
    return new Socket(url || DEFAULT_URL, { ...ours, ...world });
  }

  const Realtime = { connect };
  if (typeof module === "object" && module.exports) module.exports = Realtime;
  else root.Realtime = Realtime;
})(typeof globalThis === "object" ? globalThis : self);
