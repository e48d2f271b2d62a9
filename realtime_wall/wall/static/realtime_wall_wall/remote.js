/* The remote: whoever directs sees what the audience sees, and each tap names the post that has the stage.
 *
 * What is on, and what would come next, it asks the preview, which is the wall's own page: so the phone and
 * the screens cannot differ in what "next" means.
 */
(function (root) {
  "use strict";

  const SPEEDS = [0.25, 0.5, 1, 2, 4];
  const LISTED = 30;
  const AGAIN = 10000; // milliseconds, from asking how the sources are to asking again
  const STAGE = { width: 1920, height: 1080 };
  /** @type {(selector: string) => any} */
  const find = (selector) => document.querySelector(selector);
  /** @type {(selector: string) => any[]} */
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const { keyOf } = root.WallCard;

  class Remote {
    /** @param {Words} config */
    constructor(config) {
      this._config = config;
      this._words = config.words;
      this._skew = Date.parse(config.now) - Date.now();
      this._pinned = config.pinned;
      /** @type {Directing} */
      this._state = config.director;
      this.apply(this._state);
      this.listSlides(config.slides);
    }

    /** Also what another director has done. @param {Directing} state */
    apply(state) {
      if (state.seq < this._state.seq) return;
      this._state = state;
      const key = (/** @type {string} */ name) => find(`[data-do=${name}]`);
      key("pause").textContent = state.paused ? this._words.play : this._words.pause;
      key("pause").setAttribute("aria-pressed", String(state.paused));
      key("blank").textContent = state.blank ? this._words.unblank : this._words.blank;
      key("blank").setAttribute("aria-pressed", String(state.blank));
      key("slower").disabled = state.speed <= SPEEDS[0];
      key("faster").disabled = state.speed >= SPEEDS[SPEEDS.length - 1];
      find(".remote-speed").textContent = this._words.speed.replace("{}", `×${state.speed}`);
      find("[name=layout]").value = state.layout;
      key("silence").hidden = !state.message;
      key("stop").hidden = !state.countdown;
    }

    // -- what the keys do

    /** @param {string} name */
    press(name) {
      const { paused, blank } = this._state;
      const post = this._stage("current");
      /** @type {Record<string, () => object | null>} */
      const actions = {
        pause: () => ({ paused: !paused, post }),
        blank: () => ({ blank: !blank, post }),
        next: () => this._step("next"),
        back: () => this._step("back"),
        slower: () => this._paced(-1, post),
        faster: () => this._paced(1, post),
        silence: () => ({ message: null }),
        stop: () => ({ countdown: null }),
      };
      return this.direct(actions[name]());
    }

    /** @param {string} where */
    _step(where) {
      const post = this._stage(where);
      if (!post) this._say(this._words.nothing);
      return post ? { post } : null;
    }

    /* Which speed is the next one; where somebody has set one between them, the nearest. */
    /** @param {number} step @param {string} post */
    _paced(step, post) {
      const speeds = step > 0 ? SPEEDS : [...SPEEDS].reverse();
      const speed = speeds.find((one) => (one - this._state.speed) * step > 0);
      return speed ? { speed, post } : null;
    }

    /** A key; or nothing while the preview is not there. @param {string} what */
    _stage(what) {
      const wall = find(".remote-stage iframe").contentWindow.wallOnStage;
      if (!wall) return "";
      return what === "current" ? wall.current : wall[what]();
    }

    // -- posts to choose from

    async list() {
      const answer = await this._ask(`${this._config.posts}?after=`);
      if (!answer) return;
      const rows = answer.posts.slice(0, LISTED).map((/** @type {Post} */ post) => this._row(post));
      find(".remote-choice").replaceChildren(...rows);
    }

    /** @param {Post} post */
    _row(post) {
      const key = keyOf(post);
      const row = element("li", "remote-post");
      row.dataset.key = key;
      const words = element("span", "remote-post-text");
      words.dir = "auto";
      words.append(element("bdi", "wall-name", post.author_name || post.author_username), ` ${post.text}`);
      const show = button(this._words.show, () => this.direct({ post: key }));
      const pin = button("", () => this._pin(key));
      pin.className = "remote-pin";
      row.append(words, show, pin);
      this._mark(row);
      return row;
    }

    /** @param {Slide[]} slides */
    listSlides(slides) {
      const rows = slides.map((slide) => {
        const row = element("li", "remote-post");
        row.append(element("span", "remote-post-text", slide.name), button(this._words.show, () => this.direct({ slide: slide.id })));
        return row;
      });
      find(".remote-slides").replaceChildren(...rows);
      find(".remote-slides-part").hidden = !rows.length;
    }

    /** @param {Post} post */
    heard(post) {
      const rows = find(".remote-choice");
      rows.prepend(this._row(post));
      while (rows.children.length > LISTED) rows.lastElementChild.remove();
    }

    /** @param {string} key */
    heardRemoved(key) {
      for (const row of all(".remote-choice .remote-post")) if (row.dataset.key === key) row.remove();
    }

    /** @param {{ key: string }} pinned */
    heardPinned({ key }) {
      this._pinned = key;
      all(".remote-choice .remote-post").forEach((row) => this._mark(row));
    }

    /** @param {HTMLElement} row */
    _mark(row) {
      const isPinned = row.dataset.key === this._pinned;
      const pin = row.querySelector(".remote-pin");
      if (pin) pin.textContent = isPinned ? this._words.unpin : this._words.pin;
    }

    /** @param {string} key */
    async _pin(key) {
      await this._post(this._config.desk_act, { action: "pin", key: key === this._pinned ? "" : key });
    }

    // -- with the server

    /** @param {object | null | undefined} asked */
    async direct(asked) {
      if (!asked) return;
      this._say("");
      const state = await this._post(this._config.act, asked);
      if (state) this.apply(state);
    }

    /** @param {string} address @param {object} asked */
    _post(address, asked) {
      const headers = { "Content-Type": "application/json", "X-CSRFToken": this._config.csrf };
      return this._ask(address, { method: "POST", headers, body: JSON.stringify(asked) });
    }

    /** @param {string} address */
    async _ask(address, options = {}) {
      let problem;
      try {
        const answer = await root.WallNetwork.ask(address, options);
        if (answer.ok) return await answer.json();
        problem = answer.status === 403 ? this._words.signed_out : `${answer.status}`;
      } catch (error) {
        problem = String(error);
      }
      this._say(this._words.failed.replace("{}", problem));
      return null;
    }

    /** @param {string} words */
    _say(words) {
      find(".desk-said").textContent = words;
    }
  }

  /** @param {string} tag @param {string} kind */
  function element(tag, kind, words = "") {
    const made = document.createElement(tag);
    made.className = kind;
    made.textContent = words;
    return made;
  }

  /** @param {string} words @param {() => void} pressed */
  function button(words, pressed) {
    const made = document.createElement("button");
    made.textContent = words;
    made.type = "button";
    made.addEventListener("click", pressed);
    return made;
  }

  /* The preview is as large as a stage, and drawn smaller. */
  function fit() {
    const place = find(".remote-stage");
    place.querySelector("iframe").style.transform = `scale(${place.clientWidth / STAGE.width})`;
  }

  /** @param {Remote} remote */
  function listen(remote) {
    for (const key of all("[data-do]")) key.addEventListener("click", () => remote.press(key.dataset.do));
    find("[name=layout]").addEventListener("change", () => remote.direct({ layout: find("[name=layout]").value }));
    find(".remote-message").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const { text, seconds } = find(".remote-message").elements;
      remote.direct({ message: { text: text.value, seconds: Number(seconds.value) } });
      text.value = "";
    });
    find(".remote-countdown").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const { text, minutes } = find(".remote-countdown").elements;
      remote.direct({ countdown: { text: text.value, seconds: 60 * Number(minutes.value) } });
    });
    root.addEventListener("resize", fit);
    fit();
  }

  /** @param {Words} config */
  async function watchSources(config) {
    try {
      const answer = await root.WallNetwork.ask(config.problems);
      if (answer.ok) root.showProblems((await answer.json()).problems);
    } catch {
      // The dot of the page says that the server is away.
    }
  }

  function start() {
    const config = root.WallFrame.readConfig("remote-config");
    const remote = new Remote(config);
    listen(remote);
    watchSources(config);
    setInterval(() => document.visibilityState === "visible" && watchSources(config), AGAIN);
    const socket = root.Realtime.connect();
    socket.on("status", root.WallNetwork.statusReporter(config.status));
    /** @type {(react: (message: any) => void) => (message: any, envelope: { channel?: string }) => void} */
    const of = (react) => (message, envelope) => envelope.channel === config.channel && react(message);
    socket.on("wall_directed", of((state) => remote.apply(state)));
    socket.on("wall_slides", of((slides) => remote.listSlides(slides)));
    socket.on("tweet", of((post) => remote.heard(post)));
    socket.on("tweet_removed", of(({ source, id }) => remote.heardRemoved(`${source}:${id}`)));
    socket.on("tweet_pinned", of((pinned) => remote.heardPinned(pinned)));
    socket.subscribe(config.channel, { onSubscribed: () => remote.list(), onGap: () => remote.list() });
  }

  start();
})(globalThis);
