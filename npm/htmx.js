/* An extension of htmx: an element hears a channel, for as long as it is in the page.
 *
 *     <ul hx-ext="realtime" rt-channel="comments.7" rt-event="comment" hx-swap="beforeend"></ul>
 *
 * HTML that is published as this event is put into the element as hx-swap says. Anything else, and HTML too,
 * triggers "realtime:comment" on it, so that others can ask for what they show:
 *
 *     <div hx-ext="realtime" rt-channel="orders" rt-event="changed" hx-trigger="realtime:changed" hx-get="/orders/">
 *
 * rt-since is a cursor to begin with. One socket is shared by all; rt-url on the body is where it connects.
 */
(function (root) {
  "use strict";

  const heard = new Map(); // element -> {channel, type, listener}
  const counts = new Map(); // channel -> how many elements
  let socket = null;

  function connected() {
    if (!socket) socket = root.Realtime.connect(root.document.body.getAttribute("rt-url") || undefined);
    return socket;
  }

  function begin(element) {
    const channel = element.getAttribute("rt-channel");
    if (!channel || heard.has(element)) return;
    const type = element.getAttribute("rt-event") || "message";
    const listener = (message, envelope) => {
      if (envelope.channel === channel) show(element, type, message, envelope);
    };
    heard.set(element, { channel, type, listener });
    connected().on(type, listener);
    counts.set(channel, (counts.get(channel) || 0) + 1);
    if (counts.get(channel) === 1) socket.subscribe(channel, { since: element.getAttribute("rt-since") });
  }

  function show(element, type, message, envelope) {
    const swapStyle = element.getAttribute("hx-swap") || element.getAttribute("data-hx-swap");
    if (typeof message === "string" && swapStyle) root.htmx.swap(element, message, { swapStyle });
    root.htmx.trigger(element, `realtime:${type}`, { message, envelope });
  }

  function end(element) {
    const known = heard.get(element);
    if (!known) return;
    heard.delete(element);
    socket.off(known.type, known.listener);
    counts.set(known.channel, counts.get(known.channel) - 1);
    if (counts.get(known.channel)) return;
    counts.delete(known.channel);
    socket.unsubscribe(known.channel);
  }

  root.htmx.defineExtension("realtime", {
    onEvent(name, event) {
      const element = (event.detail && event.detail.elt) || event.target;
      if (name === "htmx:afterProcessNode") begin(element);
      else if (name === "htmx:beforeCleanupElement") end(element);
      return true;
    },
  });
})(typeof globalThis === "object" ? globalThis : self);
