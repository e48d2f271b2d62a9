/* How do moderators reach the desk? By key or by thumb; and the server, by the channels of the wall and of its desk. */
(function (root) {
  "use strict";

  /** @type {Record<string, string>} */
  const KEYS = { a: "approve", h: "hide", b: "ban", p: "pin", u: "undo" };
  /** @type {Record<string, number>} */
  const STEPS = { ArrowDown: 1, ArrowUp: -1 };
  /** @type {Record<string, number>} */
  const TABS = { ArrowRight: 1, ArrowLeft: -1 };
  /** @type {(selector: string) => any} */
  const find = (selector) => document.querySelector(selector);
  /** @type {(selector: string) => any[]} */
  const all = (selector) => Array.from(document.querySelectorAll(selector));

  function start() {
    const config = root.WallFrame.readConfig("desk-config");
    const desk = new root.Desk(config);
    listen(desk, config);
    connect(desk, config);
  }

  /** @param {any} desk @param {Words} config */
  function listen(desk, config) {
    for (const button of all(".desk-bar [data-act]")) {
      button.addEventListener("click", () => desk.act(button.dataset.act));
    }
    for (const button of all("[data-phones]")) {
      button.addEventListener("click", () => desk.setPhones(button.dataset.phones === "open"));
    }
    desk.showCode(config.token);
    find(".desk-dump").addEventListener("click", () => desk.dump());
    find(".desk-more").addEventListener("click", () => desk.loadMore());
    find(".desk-mode").addEventListener("change", () => desk.setMode());
    find(".desk-mode").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
    find(".desk-all input").addEventListener("change", () => desk.chooseAll(find(".desk-all input").checked));
    const tabs = all(".desk-tabs [role=tab]");
    for (const tab of tabs) {
      tab.addEventListener("click", () => open(tab));
      tab.addEventListener("keydown", (/** @type {KeyboardEvent} */ { key }) => {
        const step = TABS[key];
        if (!step) return;
        const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
        next.focus();
        open(next);
      });
    }
    const open = (/** @type {HTMLElement} */ chosen) => {
      for (const tab of tabs) {
        tab.setAttribute("aria-selected", String(tab === chosen));
        tab.tabIndex = tab === chosen ? 0 : -1;
      }
      find(".desk-panel").setAttribute("aria-labelledby", chosen.id);
      desk.load(chosen.dataset.state);
    };
    document.addEventListener("keydown", (event) => typed(desk, event));
  }

  /** @param {any} desk @param {KeyboardEvent} event */
  function typed(desk, event) {
    const target = /** @type {Element} */ (event.target);
    const isElsewhere = target.closest("input:not([type=checkbox]), select, textarea, dialog");
    if (isElsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    const action = KEYS[event.key.toLowerCase()];
    if (step) desk.move(step);
    else if (action && !event.repeat) desk.act(action);
    else if (event.key === "x" || (event.key === " " && target.matches(".desk-card"))) desk.toggle();
    else return;
    event.preventDefault();
  }

  /* From the moment when the first list was read, so that nothing is missed and nothing counted twice. */
  /** @param {any} desk @param {Words} config */
  async function connect(desk, config) {
    const socket = root.Realtime.connect();
    socket.on("status", root.WallNetwork.statusReporter(config.status));
    const { cursor } = (await desk.load()) || config;
    /** @type {(channel: string, react: (message: any) => void) => (message: any, envelope: { channel?: string }) => void} */
    const of = (channel, react) => (message, envelope) => envelope.channel === channel && react(message);
    socket.on("desk_post", of(config.desk_channel, (item) => desk.heard(item)));
    socket.on("desk_mode", of(config.desk_channel, (mode) => desk.heardMode(mode)));
    socket.on("tweet", of(config.channel, (post) => desk.heardShown(post)));
    socket.on("tweet_changed", of(config.channel, (post) => desk.heardShown(post)));
    socket.on("tweet_removed", of(config.channel, ({ source, id }) => desk.heardRemoved(`${source}:${id}`)));
    socket.on("tweet_pinned", of(config.channel, (pinned) => desk.heardPinned(pinned)));
    for (const channel of [config.desk_channel, config.channel]) {
      socket.subscribe(channel, { since: cursor, onGap: () => desk.load(), onError: () => desk.say(config.words.signed_out) });
    }
  }

  start();
})(globalThis);
