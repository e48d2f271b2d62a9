/* The desk: moderators decide, by key or by thumb, and see at once what the others decide. */
(function (root) {
  "use strict";

  const KEYS = { a: "approve", h: "hide", b: "ban", p: "pin", u: "undo" };
  const SEEN = { approve: ["waiting", "hidden"], hide: ["waiting", "shown"] };
  const find = (selector) => document.querySelector(selector);
  /** @returns {HTMLElement[]} */
  const all = (/** @type {string} */ selector) => Array.from(document.querySelectorAll(selector));

  class Desk {
    constructor(config) {
      this._config = config;
      this._words = config.words;
      this._tab = "waiting";
      this._next = null; // behind which more of the tab are
      this._waiting = 0;
      this._acts = []; // that can be undone, the last one at the end
      this._loading = 0; // of several answers the last that was asked for counts
      this._pinned = config.pinned;
      this._list = new root.DeskList(find(".desk-list"), config, {
        changed: () => this._update(),
        decide: (action, items) => this.decide(action, items),
      });
      root.WallFrame.watchPictures(find(".desk-list"));
    }

    // -- what is listed

    async load(tab = this._tab) {
      this._tab = tab;
      const loading = (this._loading += 1);
      const answer = await this._ask(`${this._config.posts}?state=${tab}`);
      if (!answer || loading !== this._loading) return answer;
      this._list.clear();
      this._next = null;
      find(".desk-list").classList.toggle("desk-bans", tab === "banned");
      if (tab === "banned") this._showBans(answer.bans);
      else this._take(answer);
      this._update();
      return answer;
    }

    async loadMore() {
      if (!this._next) return;
      const answer = await this._ask(`${this._config.posts}?state=${this._tab}&behind=${this._next}`);
      if (answer) this._take(answer);
    }

    _take({ items, next, waiting }) {
      this._next = next;
      this._waiting = waiting;
      for (const item of items) this._list.put(item);
      this._update();
    }

    /* Somebody, or the clock, has decided; or a post has come. */
    heard(item) {
      if (item.state === "waiting" && item.was !== "waiting") this._waiting += 1;
      if (item.state !== "waiting" && item.was === "waiting") this._waiting -= 1;
      if (item.state !== this._tab) this._list.drop(item.key);
      else if (this._tab !== "waiting") this._list.put(item, { atTheTop: true });
      else if (!this._next || this._list.has(item.key)) this._list.put(item);
      this._update();
    }

    heardShown(post) {
      const item = { key: `${post.source}:${post.id}`, state: "shown", reason: "", show_at: null, by: "", post };
      if (this._tab === "shown") this._list.put(item, { atTheTop: true });
    }

    heardRemoved(key) {
      if (this._tab === "shown") this._list.drop(key);
    }

    heardMode({ mode, delay, by }) {
      const form = find(".desk-mode");
      form.elements.mode.value = mode;
      form.elements.delay.value = delay;
      this._update();
      if (by !== this._config.me) this._say(this._words.mode.replace("{}", form.elements.mode.selectedOptions[0].text));
    }

    heardPinned({ key }) {
      this._pinned = key;
      this._update();
    }

    // -- what is decided

    act(action) {
      const items = this._list.meant();
      if (action === "undo") return this.undo();
      if (!items.length) return undefined;
      if (action === "ban") return this.askForBan(items[0]);
      if (action === "pin") return this.pin(items[0]);
      return this.decide(action, items);
    }

    async decide(action, items) {
      const meant = items.filter((item) => SEEN[action].includes(item.state));
      if (!meant.length) return;
      const orders = meant.map((item) => this._list.drop(item.key));
      const posts = meant.map(({ key, state }) => ({ key, seen: state }));
      const answer = await this._post({ action, posts });
      if (!answer) {
        meant.forEach((item, index) => this._list.put(item, { order: orders[index] }));
        return;
      }
      const words = action === "approve" ? this._words.approved : this._words.hidden;
      this._done(answer, words.replace("{}", this._named(meant)));
    }

    async undo() {
      const act = this._acts.pop();
      if (!act) {
        this._say(this._words.nothing_to_undo);
        return;
      }
      const answer = await this._post({ action: "undo", act });
      if (!answer) this._acts.push(act);
      else {
        this._changed({ ...answer, act: "" });
        this._done(answer, this._words.undone, false);
      }
    }

    /* Of the wall itself, by us; its mode comes to all by the channel. */
    _changed({ act, key, token }) {
      if (act) this._acts.push(act);
      if (key !== undefined) this.heardPinned({ key });
      if (token !== undefined) this.showCode(token);
      this._update();
    }

    async dump() {
      const answer = await this._post({ action: "dump" });
      if (answer) this._done(answer, this._words.dumped.replace("{}", answer.decided.length));
    }

    askForBan(item) {
      const dialog = find(".desk-ban");
      find(".desk-ban-name").textContent = item.post.retweeted_by || item.post.author_name || item.post.author_username;
      dialog.returnValue = "";
      dialog.onclose = () => {
        if (dialog.returnValue) this.ban(item, dialog.returnValue === "everywhere", Number(dialog.querySelector("select").value));
        this._list.focus();
      };
      dialog.showModal();
    }

    async ban(item, everywhere, seconds) {
      const answer = await this._post({ action: "ban", key: item.key, everywhere, seconds });
      if (answer) this._done(answer, this._words.banned.replace("{}", this._named([item])));
    }

    async lift(ban, row) {
      const answer = await this._post({ action: "unban", ban: ban.id });
      if (!answer) return;
      row.remove();
      this._done(answer, this._words.lifted.replace("{}", ban.name), false);
    }

    async pin(item) {
      if (item.state !== "shown") return;
      const answer = await this._post({ action: "pin", key: item.key === this._pinned ? "" : item.key });
      if (answer) this._changed(answer);
    }

    async setMode() {
      const { mode, delay } = find(".desk-mode").elements;
      const answer = await this._post({ action: "mode", mode: mode.value, delay: Number(delay.value) });
      if (!answer) return;
      this._changed(answer);
      this._say(this._words.mode.replace("{}", mode.selectedOptions[0].text));
    }

    async setPhones(open) {
      const answer = await this._post({ action: "phones", open });
      if (answer) this._changed(answer);
    }

    showCode(token) {
      const [place, link] = [find(".desk-code"), find(".desk-code a")];
      place.hidden = find("[data-phones=close]").hidden = !token;
      if (!token) return;
      link.href = `${this._config.post}?t=${token}`;
      link.firstElementChild.src = `${this._config.code}?t=${token}`; // another one is another picture
    }

    // -- what is said about it

    async _done(answer, words, canBeUndone = true) {
      if (canBeUndone && answer.decided.length) this._acts.push(answer.act);
      for (const { key, state } of answer.late) if (state !== this._tab) this._list.drop(key);
      const late = answer.late.length ? this._words.late.replace("{}", answer.late.map(({ key }) => key).join(", ")) : "";
      const said = answer.decided.length || !late ? [words, late] : [late];
      this._say(said.filter(Boolean).join(" · "));
      if (this._list.size < 20) this.loadMore();
      if (!answer.decided.length) return;
      const confirmed = await this._post({ action: "confirm", act: answer.act });
      if (confirmed) this._say([...said, this._screens(confirmed.screens, answer.pages)].filter(Boolean).join(" · "));
    }

    _screens({ confirmed, missing, seconds }, pages) {
      const total = confirmed.length + missing.length;
      if (!total) return this._words.no_screens.replace("{}", pages);
      const [count, of, time] = [confirmed.length, total, seconds.toFixed(1)];
      const words = this._words.screens.replace("{}", count).replace("{}", of).replace("{}", time);
      return missing.length ? `${words}, ${this._words.missing.replace("{}", missing.join(", "))}` : words;
    }

    _named(items) {
      if (items.length > 1) return this._words.posts.replace("{}", items.length);
      const { post } = items[0];
      return post.retweeted_by || post.author_name || post.author_username || items[0].key;
    }

    _say(words) {
      find(".desk-said").textContent = words;
    }

    _update() {
      if (!this._list) return; // while it is being made
      const { mode } = find(".desk-mode").elements;
      find(".desk-count").textContent = this._waiting > 0 ? this._waiting : "";
      find(".desk-delay").hidden = find(".desk-dump").hidden = mode.value !== "delayed";
      find(".desk-all").hidden = this._list.size < 2;
      find(".desk-all input").checked = this._list.size > 0 && this._list.chosen === this._list.size;
      const unseen = this._list.hiddenSize + (this._tab === "waiting" ? Math.max(0, this._waiting - this._list.size) : 0);
      const more = find(".desk-more");
      more.hidden = !unseen && !this._next;
      more.textContent = this._words.more.replace("{}", unseen || "…");
      const empty = find(".desk-empty");
      empty.hidden = find(".desk-list").children.length > 0;
      empty.textContent = this._words[`empty_${this._tab}`];
      const meant = this._list.meant();
      for (const button of all(".desk-bar [data-act]")) this._offer(button, meant);
      for (const card of find(".desk-list").children) card.classList.toggle("desk-pinned", card.dataset.key === this._pinned);
    }

    _offer(button, meant) {
      const { act } = button.dataset;
      const fits = SEEN[act] ? meant.some(({ state }) => SEEN[act].includes(state)) : meant.length === 1;
      if (act === "undo") button.disabled = !this._acts.length;
      else button.disabled = !fits || (act === "pin" && meant[0].state !== "shown");
      button.setAttribute("aria-pressed", String(act === "pin" && meant.length === 1 && meant[0].key === this._pinned));
      if (act !== "pin") button.removeAttribute("aria-pressed");
    }

    _showBans(bans) {
      for (const ban of bans) {
        const row = root.deskElement("li", "desk-banned");
        const words = [ban.source, ban.until ? this._words.until.replace("{}", new Date(ban.until).toLocaleString()) : this._words.for_good];
        if (ban.everywhere) words.push(this._words.everywhere);
        if (ban.by) words.push(this._words.by.replace("{}", ban.by));
        const button = root.deskElement("button", "desk-plain", this._words.lift);
        button.type = "button";
        button.addEventListener("click", () => this.lift(ban, row));
        const who = root.deskElement("bdi", "wall-name", ban.name);
        row.append(who, root.deskElement("span", "desk-by", words.join(" · ")), button);
        find(".desk-list").append(row);
      }
    }

    // -- with the server

    _post(asked) {
      const headers = { "Content-Type": "application/json", "X-CSRFToken": this._config.csrf };
      return this._ask(this._config.act, { method: "POST", headers, body: JSON.stringify(asked) });
    }

    async _ask(address, options = {}) {
      let problem;
      try {
        const answer = await fetch(address, options);
        if (answer.ok) return await answer.json();
        problem = answer.status === 403 ? this._words.signed_out : `${answer.status}`;
        const reason = answer.headers.get("Content-Type") === "application/json" ? (await answer.json()).error : "";
        if (answer.status !== 403 && reason) problem = reason;
      } catch (error) {
        problem = String(error);
      }
      this._say(this._words.failed.replace("{}", problem));
      return null;
    }
  }

  function start() {
    const config = JSON.parse(document.getElementById("desk-config").textContent);
    const desk = new Desk(config);
    listen(desk, config);
    connect(desk, config);
  }

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
    find(".desk-mode").addEventListener("submit", (event) => event.preventDefault());
    find(".desk-all input").addEventListener("change", ({ target }) => desk._list.chooseAll(target.checked));
    const tabs = all(".desk-tabs [role=tab]");
    for (const tab of tabs) {
      tab.addEventListener("click", () => open(tab));
      tab.addEventListener("keydown", ({ key }) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
        if (!step) return;
        const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
        next.focus();
        open(next);
      });
    }
    const open = (chosen) => {
      for (const tab of tabs) {
        tab.setAttribute("aria-selected", String(tab === chosen));
        tab.tabIndex = tab === chosen ? 0 : -1;
      }
      find(".desk-panel").setAttribute("aria-labelledby", chosen.id);
      desk.load(chosen.dataset.state);
    };
    document.addEventListener("keydown", (event) => typed(desk, event));
  }

  function typed(desk, event) {
    const isElsewhere = event.target.closest("input:not([type=checkbox]), select, textarea, dialog");
    if (isElsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const action = KEYS[event.key.toLowerCase()];
    if (step) desk._list.move(step);
    else if (action && !event.repeat) desk.act(action);
    else if (event.key === "x" || (event.key === " " && event.target.matches(".desk-card"))) desk._list.toggle();
    else return;
    event.preventDefault();
  }

  /* From the moment when the first list was read, so that nothing is missed and nothing counted twice. */
  async function connect(desk, config) {
    const socket = root.Realtime.connect();
    socket.on("status", root.WallFrame.statusReporter(config.status));
    const { cursor } = (await desk.load()) || config;
    const of = (channel, react) => (message, envelope) => envelope.channel === channel && react(message);
    socket.on("desk_post", of(config.desk_channel, (item) => desk.heard(item)));
    socket.on("desk_mode", of(config.desk_channel, (mode) => desk.heardMode(mode)));
    socket.on("tweet", of(config.channel, (post) => desk.heardShown(post)));
    socket.on("tweet_changed", of(config.channel, (post) => desk.heardShown(post)));
    socket.on("tweet_removed", of(config.channel, ({ source, id }) => desk.heardRemoved(`${source}:${id}`)));
    socket.on("tweet_pinned", of(config.channel, (pinned) => desk.heardPinned(pinned)));
    for (const channel of [config.desk_channel, config.channel]) {
      socket.subscribe(channel, { since: cursor, onGap: () => desk.load(), onError: () => desk._say(config.words.signed_out) });
    }
  }

  start();
})(globalThis);
