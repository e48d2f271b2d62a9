/* What a visitor searches for, one post at a time.
 *
 * The server looks through what arrives on the wall for each visitor's words, and sends what has them. A
 * post is shown for ten seconds; what arrives meanwhile waits, and of too many the oldest are left out. Those
 * that had their time are listed beside it, or below.
 */
(function (root) {
  "use strict";

  const SHOWN = 10000; // milliseconds
  const FADE = 400;
  const MOST = 20; // posts that wait: three minutes
  const LISTED = 20; // posts that had their time
  const SEEN = 500; // keys that are remembered, so that no post is shown twice

  const Frame = root.WallFrame;
  const { keyOf } = root.WallCard;

  /* The posts that had their time, the last one first. */
  class Earlier {
    /** @param {HTMLElement} place @param {(post: Post) => HTMLElement} draw */
    constructor(place, draw) {
      this._place = place;
      this._list = /** @type {HTMLElement} */ (place.querySelector(".wall-posts"));
      this._draw = draw;
    }

    /** @param {Post} post */
    add(post) {
      this._list.prepend(this._draw(post));
      while (this._list.children.length > LISTED) this._list.lastElementChild?.remove();
      this._place.hidden = false;
    }

    /** @param {Post} post */
    change(post) {
      this._find(keyOf(post))?.replaceWith(this._draw(post));
    }

    /** @param {string} key */
    remove(key) {
      this._find(key)?.remove();
      this._place.hidden = !this._list.children.length;
    }

    clear() {
      this._list.textContent = "";
      this._place.hidden = true;
    }

    /** @param {string} key */
    _find(key) {
      const cards = /** @type {HTMLElement[]} */ (Array.from(this._list.children));
      return cards.find((card) => card.dataset.key === key);
    }
  }

  /* The posts that are shown one after the other. */
  class Carousel {
    /** @param {HTMLElement} list @param {HTMLElement} queue @param {(post: Post) => HTMLElement} draw
     * @param {Record<string, string>} words @param {Earlier} earlier */
    constructor(list, queue, draw, words, earlier) {
      this._earlier = earlier;
      /** @type {Post | null} */
      this._post = null; // that is shown
      this._list = list;
      this._queue = queue;
      this._draw = draw;
      this._words = words;
      /** @type {Post[]} */
      this._waiting = []; // oldest first
      this._leftOut = 0;
      /** @type {Set<string>} */
      this._seen = new Set();
      this._shown = ""; // the key
      this._timer = 0; // while a post has its time
    }

    /** @param {Post} post */
    receive(post) {
      // The original is what was searched for; who passes it on says nothing new.
      if (post.retweeted_by || this._seen.has(keyOf(post))) return;
      this._seen.add(keyOf(post));
      const [oldest] = this._seen;
      if (this._seen.size > SEEN) this._seen.delete(oldest);
      this._waiting.push(post);
      if (this._waiting.length > MOST) {
        this._waiting.shift();
        this._leftOut += 1;
      }
      this._next();
    }

    /** @param {Post} post */
    change(post) {
      this._waiting = this._waiting.map((other) => (keyOf(other) === keyOf(post) ? post : other));
      this._earlier.change(post);
      if (this._shown !== keyOf(post)) return;
      this._post = post;
      this._list.replaceChildren(this._draw(post));
    }

    /** @param {string} key */
    remove(key) {
      this._waiting = this._waiting.filter((post) => keyOf(post) !== key);
      this._earlier.remove(key);
      if (this._shown === key) {
        this._list.textContent = "";
        this._shown = "";
        this._post = null;
        this._release();
      }
      this._report();
    }

    /* What is taken back from now on, nobody tells us: only what is shown stays. */
    forget() {
      this._earlier.clear();
    }

    /* What waits is forgotten; what is shown stays. */
    stop() {
      this.forget();
      this._waiting = [];
      this._leftOut = 0;
      this._release();
      this._report();
    }

    clear() {
      this.stop();
      this._seen.clear();
      this._post = null;
      this._shown = "";
      this._list.textContent = "";
    }

    _release() {
      clearTimeout(this._timer);
      this._timer = 0;
      this._next();
    }

    _next() {
      const [post] = this._timer ? [] : this._waiting.splice(0, 1);
      if (post) {
        this._show(post);
        this._timer = setTimeout(() => this._release(), SHOWN);
      }
      this._report();
    }

    /** @param {Post} post */
    _show(post) {
      if (this._post) this._earlier.add(this._post);
      this._post = post;
      this._shown = keyOf(post);
      const card = this._draw(post);
      const [before] = this._list.children;
      const put = () => {
        if (this._shown !== keyOf(post)) return; // taken back while the one before it faded
        this._list.replaceChildren(card);
        if (isCalm()) card.animate([{ opacity: 0 }, { opacity: 1 }], FADE);
      };
      if (!before || !isCalm()) put();
      else before.animate([{ opacity: 1 }, { opacity: 0 }], { duration: FADE, fill: "forwards" }).onfinish = put;
    }

    _report() {
      const parts = [];
      if (this._waiting.length) parts.push(this._words.waiting.replace("{}", String(this._waiting.length)));
      if (this._leftOut) parts.push(this._words.left_out.replace("{}", String(this._leftOut)));
      this._queue.textContent = parts.join(" · ");
    }
  }

  function isCalm() {
    return !root.matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  /* The box, its buttons, and what is shown below them. */
  class Search {
    /** @param {HTMLFormElement} form @param {RealtimeSocket} socket
     * @param {Carousel} carousel @param {Record<string, string>} words */
    constructor(form, socket, carousel, words) {
      this._socket = socket;
      this._carousel = carousel;
      this._words = words;
      this._status = document.querySelector(".wall-search-status");
      this._field = /** @type {HTMLInputElement} */ (form.elements.namedItem("term"));
      this._listen = /** @type {HTMLButtonElement} */ (form.querySelector(".wall-listen"));
      this._stop = /** @type {HTMLButtonElement} */ (form.querySelector(".wall-stop"));
      this._term = ""; // that is searched for
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (!this._listen.disabled) this._begin(this._field.value.trim());
      });
      this._stop.addEventListener("click", () => this._end());
      socket.on("status", ({ state }) => this._connected(state === "open"));
      this._connected(socket.status === "open");
    }

    /** @param {boolean} isOpen */
    _connected(isOpen) {
      this._listen.disabled = !isOpen;
      if (!isOpen) this._carousel.forget();
      if (isOpen && this._term) this._ask(this._term); // the server has forgotten us
      else if (this._term) this._report("lost");
    }

    /** @param {string} term */
    _begin(term) {
      if (!term) return;
      this._carousel.clear();
      this._ask(term);
    }

    /** @param {string} term */
    _ask(term) {
      this._term = term;
      this._stop.disabled = false;
      this._report("asking");
      this._socket.emit("listen", term, (answer, error) => {
        if (this._term !== term) return;
        if (error && error.code === "lost") return;
        if (answer && answer.success) this._report("listening", answer.term);
        else this._refused(answer ? answer.message : (error && error.message) || "");
      });
    }

    /** @param {string} reason */
    _refused(reason) {
      this._term = "";
      this._stop.disabled = true;
      this._report("refused", reason);
    }

    _end() {
      this._term = "";
      this._stop.disabled = true;
      this._socket.emit("stop", null, null, { volatile: true });
      this._carousel.stop();
      this._report("stopped");
      this._field.focus();
    }

    get isListening() {
      return Boolean(this._term);
    }

    /** @param {string} what */
    _report(what, detail = "") {
      if (this._status) this._status.textContent = this._words[what].replace("{}", () => detail);
    }
  }

  /* X draws its own posts in a frame that can reach nothing of this page; ours are cards. */
  /** @param {any} config @param {(post: Post) => HTMLElement} plain */
  function drawing(config, plain) {
    return (/** @type {Post} */ post) => {
      const card = plain(post);
      if (!config.embed || !/^x(_|$)/.test(post.source) || !/^[0-9]{1,20}$/.test(post.id)) return card;
      const frame = document.createElement("iframe");
      frame.className = "wall-embed";
      frame.title = config.words.framed;
      frame.setAttribute("sandbox", "allow-scripts allow-popups allow-popups-to-escape-sandbox");
      frame.setAttribute("referrerpolicy", "no-referrer");
      const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
      const address = config.embed.replace(/0\/$/, `${post.id}/?theme=${dark ? "dark" : "light"}`);
      // It is asked for first: an error page in a frame is nothing to look at.
      fetch(address).then(
        (answer) => {
          if (!answer.ok) return;
          frame.src = address;
          card.replaceChildren(frame);
          card.classList.add("wall-embedding");
        },
        () => {},
      );
      return card;
    };
  }

  function start() {
    /** @type {(selector: string) => any} */
    const find = (selector) => document.querySelector(selector);
    const config = Frame.readConfig("search-config");
    const list = find(".wall-carousel .wall-posts");
    const page = find(".wall-search-page");
    const skew = Date.parse(config.now) - Date.now();
    const now = () => Date.now() + skew;
    const plain = (/** @type {Post} */ post) => root.WallCard.wallCard(post, config.card, now());
    const earlier = new Earlier(find(".wall-earlier"), plain);
    const draw = drawing(config, plain);
    const carousel = new Carousel(list, find(".wall-queue"), draw, config.words, earlier);
    const socket = root.Realtime.connect();
    const search = new Search(find(".wall-search"), socket, carousel, config.words);
    Frame.watchPictures(page);
    Frame.keepTimes(page, config.card, now);
    socket.on("status", root.WallNetwork.statusReporter(config.status));
    // What comes over a channel is not what was searched for.
    /** @type {(react: (message: any) => void) => (message: any, envelope: { channel?: string }) => void} */
    const ours = (react) => (message, envelope) => !envelope.channel && search.isListening && react(message);
    socket.on("tweet", ours((post) => carousel.receive(post)));
    socket.on("tweet_changed", ours((post) => carousel.change(post)));
    socket.on("tweet_removed", (post) => carousel.remove(keyOf(post)));
  }

  start();
})(globalThis);
