/* The archive goes on by itself: older posts at its end as the reader comes there, new ones on its top.
 *
 * The server wrote the first page, and every page says where the next one begins, so nothing comes
 * twice. What is new comes through the socket from where the first page was read. Without this script
 * the link at the end leads to the next page.
 */
(function (root) {
  "use strict";

  const MOST = 2000; // cards in the page; beyond, whole pages at the end are taken out
  const WAITING = 200; // new posts while the reader is further down; beyond, they are read afterwards
  const PAGE = 50;
  const AHEAD = "1200px"; // the next page is fetched while the reader is so far from the end

  const Frame = root.WallFrame;
  const { keyOf } = root.WallCard;

  /** @typedef {{ posts: Post[], next: string }} Page */

  class Archive {
    /** @param {HTMLElement} list @param {Words} words */
    constructor(list, words) {
      this._list = list;
      this._words = words;
      this._skew = Date.parse(words.now) - Date.now();
      this._isNewest = !words.page;
      this._older = /** @type {HTMLElement} */ (document.querySelector(".wall-older"));
      this._link = /** @type {HTMLAnchorElement} */ (this._older.querySelector("a"));
      this._observer = new IntersectionObserver(
        (seen) => seen.some((one) => one.isIntersecting) && this._goOn(),
        { rootMargin: AHEAD },
      );
      /** @type {Map<string, HTMLElement>} */
      this._cards = new Map(); // key -> element
      /** @type {Post[]} */
      this._waiting = []; // new posts, oldest first, for when the reader is back at the top
      /** @type {(() => void)[] | null} */
      this._later = null; // what happened while everything is being read again
      this._isLoading = false;
      this._announcer = new Frame.Announcer(words.found);
      for (const card of Frame.cardsOf(list)) this._cards.set(card.dataset.key ?? "", card);
      this._pages = [{ keys: [...this._cards.keys()], next: words.next }];
      this._more = new Frame.More(words.found, () => this._show());
      Frame.keepTimes(list, words.card, () => this._now());
      this._watchTheEnd();
    }

    // -- what happens live

    /** @param {Post} post */
    receive(post) {
      if (this._later) this._later.push(() => this.receive(post));
      else if (this._isNewest && !this._isKnown(post) && this._isWanted(post)) {
        this._waiting.push(post);
        this._show();
      }
    }

    /** @param {Post} post */
    change(post) {
      if (this._later) this._later.push(() => this.change(post));
      const key = keyOf(post);
      this._waiting = this._waiting.map((other) => (keyOf(other) === key ? post : other));
      const card = this._cards.get(key);
      if (!card) return;
      const changed = this._card(post);
      card.replaceWith(changed);
      this._cards.set(key, changed);
    }

    /** @param {string} key */
    remove(key) {
      if (this._later) this._later.push(() => this.remove(key));
      this._waiting = this._waiting.filter((post) => keyOf(post) !== key);
      this._takeOut(key);
      this._show();
    }

    /** @param {Post} post */
    _isKnown(post) {
      const key = keyOf(post);
      return this._cards.has(key) || this._waiting.some((other) => keyOf(other) === key);
    }

    /** The server's rule: all words, each in the text or in a name. @param {Post} post */
    _isWanted(post) {
      /** @type {{ words: string[], author: string, sources: string[] }} */
      const { words, author, sources } = /** @type {any} */ (this._words);
      /** @param {string | undefined} text @param {string} word */
      const has = (text, word) => (text || "").toLowerCase().includes(word.toLowerCase());
      const fields = [post.text, post.author_name, post.author_username];
      return (
        words.every((word) => fields.some((field) => has(field, word))) &&
        (!author || (post.author_username || "").toLowerCase() === author.toLowerCase()) &&
        (!sources.length || sources.includes(post.source))
      );
    }

    _show() {
      if (root.scrollY > Frame.AT_THE_TOP) {
        this._more.hold(Math.min(this._waiting.length, WAITING));
        return;
      }
      this._more.hold(0);
      const arriving = this._waiting.splice(0);
      if (arriving.length > WAITING) this.readAgain(1);
      else for (const post of arriving) this._insert(post);
      this._announcer.add(arriving.length);
      this._trim();
    }

    /* In its place by time; what is older than all that is here comes with the pages that follow. */
    /** @param {Post} post */
    _insert(post) {
      const isOlder = (/** @type {HTMLElement} */ card) => (card.querySelector("time")?.dateTime ?? "") <= post.created_at;
      const below = Frame.cardsOf(this._list).find(isOlder) || null;
      if (!below && this._next) return;
      const card = this._card(post);
      this._list.insertBefore(card, below);
      this._cards.set(keyOf(post), card);
      this._pages[0].keys.push(keyOf(post));
    }

    /** @param {string} key */
    _takeOut(key) {
      const card = this._cards.get(key);
      if (!card) return;
      card.remove();
      this._cards.delete(key);
      if (!this._cards.size) this._list.textContent = ""; // without a blank in it, :empty says so
    }

    // -- page by page

    get _next() {
      return this._pages[this._pages.length - 1].next;
    }

    _watchTheEnd() {
      this._observer.observe(this._older);
      this._link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || this._cards.size >= MOST) return;
        event.preventDefault();
        this._goOn();
      });
      this._showNext();
    }

    async _goOn() {
      if (!this._next || this._isLoading || this._later || this._cards.size >= MOST) return;
      this._isLoading = true;
      this._list.setAttribute("aria-busy", "true");
      const after = this._pages[this._pages.length - 1];
      const found = await this._read(after.next, PAGE);
      this._list.removeAttribute("aria-busy");
      this._isLoading = false;
      const isStale = after !== this._pages[this._pages.length - 1]; // the list became another one meanwhile
      if (!found && !isStale) return; // the link is there
      if (!isStale) this._append(found);
      this._lookAtTheEnd();
    }

    /* The observer reports changes only: a short page leaves the end in view. */
    _lookAtTheEnd() {
      this._observer.unobserve(this._older);
      this._observer.observe(this._older);
    }

    /** @param {Page} page */
    _append({ posts, next }) {
      const fresh = posts.filter((post) => !this._cards.has(keyOf(post)));
      const cards = fresh.map((post) => this._card(post));
      for (const card of cards) this._cards.set(card.dataset.key ?? "", card);
      this._list.append(...cards);
      this._pages.push({ keys: fresh.map(keyOf), next });
      // What waited for the reader may have come with the page.
      this._waiting = this._waiting.filter((post) => !this._cards.has(keyOf(post)));
      this._more.hold(Math.min(this._waiting.length, WAITING));
      this._showNext();
    }

    _showNext() {
      const query = new URLSearchParams(this._words.query);
      if (this._next) query.set("page", this._next);
      this._link.href = `?${query}`;
      this._older.hidden = !this._next;
    }

    /* The page stays as large as a browser can bear. */
    _trim() {
      while (this._cards.size > MOST && this._pages.length > 1) {
        for (const key of this._pages.pop()?.keys ?? []) this._takeOut(key);
      }
      if (this._cards.size > MOST) this.readAgain(1);
      else this._showNext();
    }

    /* After a gap: as many pages as are here, as they are now. What comes meanwhile is done afterwards. */
    async readAgain(number = this._pages.length) {
      /** @type {(() => void)[]} */
      const later = [];
      const stale = this._later || [];
      this._later = later;
      /** @type {Page[]} */
      const pages = [];
      while (pages.length < number) {
        /** @type {string} */
        const place = pages.length ? pages[pages.length - 1].next : this._words.page;
        /** @type {Page | null} */
        const found = await root.WallNetwork.askUntil(() => this._read(place, PAGE), () => this._later === later);
        if (!found) return; // another gap: that one reads it all
        pages.push(found);
        if (!found.next) break;
      }
      this._later = null;
      this._start(pages);
      for (const event of [...stale, ...later]) event();
    }

    /** @param {Page[]} pages */
    _start(pages) {
      const height = root.scrollY > Frame.AT_THE_TOP ? this._list.offsetHeight : null;
      this._list.textContent = "";
      this._cards.clear();
      this._pages = [];
      for (const page of pages) this._append(page);
      if (height !== null) root.scrollBy(0, this._list.offsetHeight - height);
      this._lookAtTheEnd();
    }

    /** @param {string} page @param {number} limit */
    async _read(page, limit) {
      const query = new URLSearchParams(this._words.query);
      if (page) query.set("page", page);
      query.set("limit", String(limit));
      return root.WallNetwork.readJson(`${this._words.api}?${query}`);
    }

    /** @param {Post} post */
    _card(post) {
      return root.WallCard.wallCard(post, this._words.card, this._now());
    }

    _now() {
      return Date.now() + this._skew;
    }
  }

  function start() {
    const list = /** @type {HTMLElement} */ (document.querySelector(".wall-posts"));
    const words = Frame.readConfig("archive-config");
    const archive = new Archive(list, words);
    Frame.watchPictures(list);
    Frame.startSwitch();
    root.WallNetwork.subscribe(words, list, {
      tweet: (post) => archive.receive(post),
      tweet_changed: (post) => archive.change(post),
      tweet_removed: (post) => archive.remove(keyOf(post)),
      gap: () => archive.readAgain(),
    });
  }

  start();
})(globalThis);
