/* What does a screen show that is loaded again without network? The posts that it had, as it last knew them.
 *
 * They are kept in the browser beside the page and its files (worker.js). What is taken back leaves them at
 * once; and a page that comes out of the browser asks the server first, as long as that answers soon.
 */
(function (root) {
  "use strict";

  const MOST = 100; // posts
  const PAUSE = 1000; // milliseconds between two writes, but for what is taken back
  const PATIENCE = 2000; // for the server, before what is kept is shown

  const { keyOf } = root.WallCard;

  class KeptPosts {
    /** @param {Words} words */
    constructor(words) {
      const isItsPage = root.location.pathname === words.page;
      this._caches = isItsPage && root.caches ? root.caches : null; // only where the page is kept as well
      this._cache = `realtime_wall ${words.page}`;
      this._source = words.posts;
      this._address = new URL(`${words.posts}?kept`, root.location.href).href;
      /** @type {string[]} */
      this._keys = []; // newest first
      /** @type {Map<string, Post>} */
      this._posts = new Map(); // key -> post
      /** @type {Partial<PostsAnswer>} */
      this._about = {}; // what else the server said with them
      /** @type {Set<string>} */
      this._removed = new Set(); // an answer that was on its way does not bring them back
      this._timer = null;
      this._writing = Promise.resolve();
    }

    /* As the server's answer (posts.json) was; null when nothing is kept. */
    async read() {
      if (!this._caches) return null;
      try {
        const found = await this._caches.match(this._address, { cacheName: this._cache });
        if (!found) return null;
        const answer = await found.json();
        this.take(answer);
        return { ...answer, now: new Date(Date.now() + answer.skew).toISOString() };
      } catch (problem) {
        console.warn("what was kept could not be read:", problem);
        return null;
      }
    }

    /* All that is shown, beside what is read one by one as it happens. */
    async fill() {
      const answer = this._caches && (await root.WallNetwork.readJson(this._source));
      if (answer) this.take(answer);
    }

    /** The server's answer: all that is shown, and the posts that were asked for. @param {PostsAnswer} answer */
    take({ posts, keys, edited = [], now, ...about }, arrived = new Set()) {
      for (const post of [...posts, ...edited]) this._posts.set(keyOf(post), post);
      this._about = now ? { ...about, skew: Date.parse(now) - Date.now() } : about;
      const listed = new Set(keys);
      const newer = this._keys.filter((key) => arrived.has(key) && !listed.has(key));
      this._keys = [...newer, ...keys].filter((key) => !this._removed.has(key));
      this._later();
    }

    /** @param {Post} post */
    receive(post) {
      const key = keyOf(post);
      this._removed.delete(key);
      if (!this._posts.has(key)) this._keys = [key, ...this._keys];
      this.change(post);
    }

    /** @param {Post} post */
    change(post) {
      if (!this._removed.has(keyOf(post))) this._posts.set(keyOf(post), post);
      this._later();
    }

    /** @param {string} key */
    remove(key) {
      this._removed.add(key);
      this._posts.delete(key);
      this._keys = this._keys.filter((other) => other !== key);
      const { pinned, staged } = this._about;
      if (pinned && keyOf(pinned) === key) this._about.pinned = null;
      if (staged && keyOf(staged) === key) this._about.staged = null;
      return this._write();
    }

    /** @param {string} key */
    pin(key) {
      this._about.pinned = this._posts.get(key) || null;
      this._later();
    }

    /** @param {Directing} state */
    direct(state) {
      this._about.director = state;
      this._about.staged = this._posts.get(state.post) || null;
      this._later();
    }

    _later() {
      this._timer = this._timer || setTimeout(() => this._write(), PAUSE);
    }

    /* One after the other, so that what is older never overwrites what is newer. */
    _write() {
      clearTimeout(this._timer);
      this._timer = null;
      const all = this._posts;
      this._keys = this._keys.filter((key) => all.has(key)).slice(0, MOST);
      this._posts = new Map(this._keys.map((key) => [key, /** @type {Post} */ (all.get(key))]));
      const answer = { ...this._about, posts: [...this._posts.values()], keys: this._keys };
      const write = async () => {
        if (!this._caches) return;
        const cache = await this._caches.open(this._cache);
        await cache.put(this._address, new Response(JSON.stringify(answer)));
      };
      this._writing = this._writing.then(write).catch((problem) => console.warn("nothing is kept:", problem));
      return this._writing;
    }
  }

  /** A server that does not answer soon is taken for away. @template Answer @param {Promise<Answer>} answering
   * @returns {Promise<Answer | null>} */
  function inTime(answering) {
    return Promise.race([answering, new Promise((resolve) => setTimeout(resolve, PATIENCE, null))]);
  }

  /* Have the page kept, with its files; it says so in data-kept when that is done. Again when it has other pictures. */
  /** @param {Words} words */
  async function keepPage(words) {
    const workers = root.navigator.serviceWorker;
    if (!workers || root.location.pathname !== words.page) return;
    workers.onmessage = ({ data }) => {
      if (data === "kept") document.documentElement.dataset.kept = "";
    };
    try {
      /** @type {RegistrationOptions} */
      const options = { scope: words.page, updateViaCache: "none" };
      const { installing, waiting, active } = await workers.register(words.worker, options);
      const files = document.querySelectorAll("script[src], link[href], body > :not(main) img[src]");
      (installing || waiting || active)?.postMessage({
        page: workers.controller ? "" : root.location.href, // else it was kept as it came
        files: [...Array.from(files, addressOf), ...picturesOf(words.slides || [])],
      });
    } catch (problem) {
      console.warn("this page will not be there without network:", problem);
    }
  }

  /** Those that are this site's own: of others a browser would set megabytes aside. @param {Slide[]} slides */
  function picturesOf(slides) {
    const addresses = slides.filter(({ picture }) => picture).map(({ picture }) => new URL(picture, root.location.href));
    return addresses.filter(({ origin }) => origin === root.location.origin).map(({ href }) => href);
  }

  /** @param {Element} element of one of the page's files */
  function addressOf(element) {
    return element instanceof HTMLLinkElement ? element.href : /** @type {HTMLScriptElement} */ (element).src;
  }

  root.WallKept = { KeptPosts, inTime, keepPage };
})(globalThis);
