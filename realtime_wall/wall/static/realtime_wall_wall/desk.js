/* The desk: what moderators decide, and what they see at once of what the others decide. */
(function (root) {
  "use strict";

  /** @type {Record<string, string[]>} */
  const SEEN = { approve: ["waiting", "hidden"], hide: ["waiting", "shown"] };
  /** @type {(selector: string) => any} */
  const find = (selector) => document.querySelector(selector);
  /** @type {(selector: string) => any[]} */
  const all = (selector) => Array.from(document.querySelectorAll(selector));

  class Desk {
    /** @param {Words} config */
    constructor(config) {
      this._config = config;
      this._words = config.words;
      this._tab = "waiting";
      /** @type {number | null} */
      this._next = null; // behind which more of the tab are
      this._waiting = 0;
      /** @type {string[]} */
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

    /** @param {{ items: DeskItem[], next: number | null, waiting: number }} page */
    _take({ items, next, waiting }) {
      this._next = next;
      this._waiting = waiting;
      for (const item of items) this._list.put(item);
      this._update();
    }

    /** Somebody, or the clock, has decided; or a post has come. @param {DeskItem} item */
    heard(item) {
      if (item.state === "waiting" && item.was !== "waiting") this._waiting += 1;
      if (item.state !== "waiting" && item.was === "waiting") this._waiting -= 1;
      if (item.state !== this._tab) this._list.drop(item.key);
      else if (this._tab !== "waiting") this._list.put(item, { atTheTop: true });
      else if (!this._next || this._list.has(item.key)) this._list.put(item);
      this._update();
    }

    /** @param {Post} post */
    heardShown(post) {
      const item = { key: `${post.source}:${post.id}`, state: "shown", reason: "", show_at: null, by: "", post };
      if (this._tab === "shown") this._list.put(item, { atTheTop: true });
    }

    /** @param {string} key */
    heardRemoved(key) {
      if (this._tab === "shown") this._list.drop(key);
    }

    /** @param {{ mode: string, delay: number, by: string }} mode */
    heardMode({ mode, delay, by }) {
      const form = find(".desk-mode");
      form.elements.mode.value = mode;
      form.elements.delay.value = delay;
      this._update();
      if (by !== this._config.me) this.say(this._words.mode.replace("{}", form.elements.mode.selectedOptions[0].text));
    }

    /** @param {{ key: string }} pinned */
    heardPinned({ key }) {
      this._pinned = key;
      this._update();
    }

    // -- what is decided

    /** @param {string} action */
    act(action) {
      const items = this._list.meant();
      if (action === "undo") return this.undo();
      if (!items.length) return undefined;
      if (action === "ban") return this.askForBan(items[0]);
      if (action === "pin") return this.pin(items[0]);
      return this.decide(action, items);
    }

    /** @param {string} action @param {DeskItem[]} items */
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
        this.say(this._words.nothing_to_undo);
        return;
      }
      const answer = await this._post({ action: "undo", act });
      if (!answer) this._acts.push(act);
      else {
        this._changed({ ...answer, act: "" });
        this._done(answer, this._words.undone, false);
      }
    }

    /** Of the wall itself, by us; its mode comes to all by the channel. @param {DeskChange} change */
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

    /** @param {DeskItem} item */
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

    /** @param {DeskItem} item @param {boolean} everywhere @param {number} seconds */
    async ban(item, everywhere, seconds) {
      const answer = await this._post({ action: "ban", key: item.key, everywhere, seconds });
      if (answer) this._done(answer, this._words.banned.replace("{}", this._named([item])));
    }

    /** @param {DeskBan} ban @param {HTMLElement} row */
    async lift(ban, row) {
      const answer = await this._post({ action: "unban", ban: ban.id });
      if (!answer) return;
      row.remove();
      this._done(answer, this._words.lifted.replace("{}", ban.name), false);
    }

    /** @param {DeskItem} item */
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
      this.say(this._words.mode.replace("{}", mode.selectedOptions[0].text));
    }

    /** @param {boolean} open */
    async setPhones(open) {
      const answer = await this._post({ action: "phones", open });
      if (answer) this._changed(answer);
    }

    /** @param {string} token */
    showCode(token) {
      const [place, link] = [find(".desk-code"), find(".desk-code a")];
      place.hidden = find("[data-phones=close]").hidden = !token;
      if (!token) return;
      link.href = `${this._config.post}?t=${token}`;
      link.firstElementChild.src = `${this._config.code}?t=${token}`; // another one is another picture
    }

    // -- what is said about it

    /** @param {DeskAct} answer @param {string} words */
    async _done(answer, words, canBeUndone = true) {
      if (canBeUndone && answer.decided.length) this._acts.push(answer.act);
      for (const { key, state } of answer.late) if (state !== this._tab) this._list.drop(key);
      const late = answer.late.length ? this._words.late.replace("{}", answer.late.map(({ key }) => key).join(", ")) : "";
      const said = answer.decided.length || !late ? [words, late] : [late];
      this.say(said.filter(Boolean).join(" · "));
      if (this._list.size < 20) this.loadMore();
      if (!answer.decided.length) return;
      const confirmed = await this._post({ action: "confirm", act: answer.act });
      if (confirmed) this.say([...said, this._screens(confirmed.screens, answer.pages)].filter(Boolean).join(" · "));
    }

    /** @param {{ confirmed: string[], missing: string[], seconds: number }} screens @param {number} pages */
    _screens({ confirmed, missing, seconds }, pages) {
      const total = confirmed.length + missing.length;
      if (!total) return this._words.no_screens.replace("{}", pages);
      const [count, of, time] = [confirmed.length, total, seconds.toFixed(1)];
      const words = this._words.screens.replace("{}", count).replace("{}", of).replace("{}", time);
      return missing.length ? `${words}, ${this._words.missing.replace("{}", missing.join(", "))}` : words;
    }

    /** @param {DeskItem[]} items */
    _named(items) {
      if (items.length > 1) return this._words.posts.replace("{}", items.length);
      const { post } = items[0];
      return post.retweeted_by || post.author_name || post.author_username || items[0].key;
    }

    /** @param {string} words */
    say(words) {
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

    /** @param {HTMLButtonElement} button @param {DeskItem[]} meant */
    _offer(button, meant) {
      const { act = "" } = button.dataset;
      const fits = SEEN[act] ? meant.some(({ state }) => SEEN[act].includes(state)) : meant.length === 1;
      if (act === "undo") button.disabled = !this._acts.length;
      else button.disabled = !fits || (act === "pin" && meant[0].state !== "shown");
      button.setAttribute("aria-pressed", String(act === "pin" && meant.length === 1 && meant[0].key === this._pinned));
      if (act !== "pin") button.removeAttribute("aria-pressed");
    }

    /** @param {DeskBan[]} bans */
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

    // -- what is current, and what is chosen

    /** @param {boolean} isChosen */
    chooseAll(isChosen) {
      this._list.chooseAll(isChosen);
    }

    /** @param {number} steps */
    move(steps) {
      this._list.move(steps);
    }

    toggle() {
      this._list.toggle();
    }

    // -- with the server

    /** @param {object} asked */
    _post(asked) {
      const headers = { "Content-Type": "application/json", "X-CSRFToken": this._config.csrf };
      return this._ask(this._config.act, { method: "POST", headers, body: JSON.stringify(asked) });
    }

    /** @param {string} address */
    async _ask(address, options = {}) {
      let problem;
      try {
        const answer = await root.WallNetwork.ask(address, options);
        if (answer.ok) return await answer.json();
        problem = answer.status === 403 ? this._words.signed_out : `${answer.status}`;
        const reason = answer.headers.get("Content-Type") === "application/json" ? (await answer.json()).error : "";
        if (answer.status !== 403 && reason) problem = reason;
      } catch (error) {
        problem = String(error);
      }
      this.say(this._words.failed.replace("{}", problem));
      return null;
    }
  }

  root.Desk = Desk;
})(globalThis);
