/* What comes next on the stage, and when? It draws nothing: tests/js/queue.test.js runs it in Node.
 *
 * New posts wait here for their turn. When none waits, older ones come round in an order that follows from
 * the posts and the time alone, so that all screens of a wall have the same one without asking each other.
 */
(function (root) {
  "use strict";

  const KEPT = 200; // posts; of more that wait, the oldest have had their chance
  const KEPT_FAIR = 2000; // where each has its least time, and every author his turn
  const PACE = 900; // milliseconds from one arrival to the next
  const BURST = 4; // more waiting posts than this arrive together
  const AT_ONCE = 3; // of a burst, in one task: each card has to be laid out, and a task is to be short
  const HURRY = 3000; // what a post has for itself while more wait than make a burst
  const LATE = 0.6; // of its time, which is too little to begin with

  const { keyOf } = typeof require === "function" ? require("./card.js") : root.WallCard;
  /** @param {Post} post */
  const authorOf = (post) => `${post.source}:${post.retweeted_by_username || post.author_id || post.author_username}`;

  class Queue {
    /** @param {Partial<Rules>} rules see set() @param {number} now milliseconds, as the server's clock has them */
    constructor(rules, now) {
      /** @type {Post[]} */
      this._waiting = []; // posts, oldest first
      /** @type {Map<string, number>} */
      this._turns = new Map(); // author -> when one of his had its turn; the longest ago first
      this._turnCount = 0;
      /** @type {string[]} */
      this._past = []; // keys of the posts that had the stage, and after them those that come again
      this._at = -1; // which of them has it now
      this._burst = { posts: 0, left: 0, inRush: false }; // that arrives: of how many posts, and how many are to come
      this._arrived = now; // when the last post came
      this._directed = { at: 0, post: "", paused: false, speed: 1, held: false, resting: false };
      this.count = 0; // of posts that had the stage
      /** @type {Rules} */
      this._rules = { least: 0, seconds: 12, quiet: 0, single: false };
      this.set(rules);
    }

    /* least: seconds that each has at least; seconds: that each has when all is calm;
     * quiet: seconds without a new post until older ones come round, 0 for never; single: one at a time */
    /** @param {Partial<Rules>} rules */
    set({ least = 0, seconds = 12, quiet = 0, single = false }) {
      this._rules = { least, seconds, quiet, single };
    }

    /* What the director says: paused, speed, and the post that had the stage at the time "at". Or a slide is
     * shown, and all are held for it. */
    /** @param {Partial<Directed>} state */
    direct(state) {
      this._directed = { ...this._directed, ...state };
    }

    get isSingle() {
      return this._rules.single;
    }

    /* Whether all that waits comes at once, and soon. */
    get isFolding() {
      return !this._rules.least && !this._rules.single && !this.isPaused;
    }

    get isPaused() {
      return this._directed.paused || this._directed.held || this.isResting;
    }

    get isResting() {
      return this._directed.resting;
    }

    // -- what waits

    get waiting() {
      return this._waiting.length;
    }

    get keys() {
      return this._waiting.map(keyOf);
    }

    /** @param {string} key */
    has(key) {
      return this._waiting.some((post) => keyOf(post) === key);
    }

    /** @param {Post} post @param {number} now */
    add(post, now) {
      this._waiting.push(post);
      const isFair = this._rules.least > 0;
      if (this._waiting.length > (isFair ? KEPT_FAIR : KEPT)) this._waiting.splice(isFair ? this._excess() : 0, 1);
      this._arrived = now;
    }

    /* The oldest post of whoever has most. */
    _excess() {
      const [authors, counts] = [this._waiting.map(authorOf), new Map()];
      for (const author of authors) counts.set(author, (counts.get(author) || 0) + 1);
      const most = Math.max(...counts.values());
      return authors.findIndex((author) => counts.get(author) === most);
    }

    /** @param {Post} post */
    change(post) {
      this._waiting = this._waiting.map((other) => (keyOf(other) === keyOf(post) ? post : other));
    }

    /** Out of those that wait; the post, if it was one of them. @param {string} key */
    take(key) {
      const index = this._waiting.findIndex((post) => keyOf(post) === key);
      return index < 0 ? null : this._waiting.splice(index, 1)[0];
    }

    /** All that are among these keys. @param {(key: string) => boolean} isWanted */
    takeAll(isWanted) {
      const taken = this._waiting.filter((post) => isWanted(keyOf(post)));
      this._waiting = this._waiting.filter((post) => !isWanted(keyOf(post)));
      return taken;
    }

    // -- what is next

    /* The posts that arrive now, and how many milliseconds later the next may; null when none does.
     * With a pace of 0 they are a part of a burst, and folded is how many others the last part had before it.
     * inRush: the burst comes right behind another one.
     * places(): how many posts can be seen at once. */
    /** @param {() => number} places */
    arrive(places) {
      if (this.isPaused || !this._waiting.length) return null;
      const { least, single } = this._rules;
      if (this.isFolding) return this._fold();
      const post = this._turn();
      this.take(keyOf(post));
      this._note(post);
      const calm = single ? this._step : 0;
      const inHurry = this._waiting.length > BURST ? Math.min(calm, HURRY) : calm;
      const share = (1000 * least) / Math.max(1, least ? places() : 1);
      return { posts: [post], pace: Math.max(PACE, inHurry, share), folded: 0, inRush: false };
    }

    _fold() {
      const { length } = this._waiting;
      if (!this._burst.left) {
        const posts = length > BURST ? length : 1;
        this._burst = { posts, left: posts, inRush: posts > 1 && this._burst.posts > 1 };
      }
      const posts = this._waiting.splice(0, Math.min(this._burst.left, AT_ONCE));
      this._burst.left = Math.min(this._burst.left - posts.length, this._waiting.length); // some may have been taken back
      const isLast = !this._burst.left;
      return { posts, pace: isLast ? PACE : 0, folded: isLast ? this._burst.posts - 1 : 0, inRush: this._burst.inRush };
    }

    /* Next is whose author was longest not shown. */
    _turn() {
      const turns = this._waiting.map((post) => this._turns.get(authorOf(post)) || 0);
      return this._waiting[turns.indexOf(Math.min(...turns))];
    }

    /** @param {Post} post */
    _note(post) {
      this._turns.delete(authorOf(post)); // and is the last one then
      this._turns.set(authorOf(post), (this._turnCount += 1));
      const [first] = this._turns.keys();
      if (this._turns.size > KEPT) this._turns.delete(first);
    }

    get _step() {
      return (1000 * this._rules.seconds) / this._directed.speed;
    }

    /* Older posts come round: which one of these keys has the stage, and in how many milliseconds the next.
     * No key while it is not quiet yet, and no pace when it never will be. */
    /** @param {string[]} keys @param {number} now */
    rotate(keys, now) {
      const { quiet, single } = this._rules;
      if (this.isPaused || (!quiet && !single)) return { key: "", pace: null };
      const calm = single ? 0 : this._arrived + 1000 * quiet - now;
      if (calm > 0) return { key: "", pace: calm };
      const passed = Math.max(0, now - this._directed.at);
      const slot = Math.floor(passed / this._step);
      const left = this._step * (slot + 1) - passed;
      // Who comes in late waits for the others' next change: no post has the stage for a moment only.
      return { key: left < LATE * this._step ? "" : keyInSlot(keys, slot, this._directed.post), pace: left };
    }

    // -- what had the stage

    /** The post with this key has it now. @param {string} key */
    show(key) {
      if (key === this.current) return;
      this.count += 1;
      if (key === this._past[this._at + 1]) this._at += 1;
      else if (key === this.back()) this._at -= 1;
      else {
        this._past = [...this._past.slice(0, this._at + 1), key].slice(-KEPT);
        this._at = this._past.length - 1;
      }
    }

    /** @param {string} key */
    forget(key) {
      const before = this._past.slice(0, this._at + 1).filter((other) => other !== key);
      this._past = [...before, ...this._past.slice(this._at + 1).filter((other) => other !== key)];
      this._at = before.length - 1;
    }

    get current() {
      return this._past[this._at] || "";
    }

    back() {
      return this._past[this._at - 1] || "";
    }

    /* What comes if somebody presses "next": what was gone back from, what waits, or an older one of these. */
    /** @param {string[]} keys */
    next(keys = []) {
      if (this._at + 1 < this._past.length) return this._past[this._at + 1];
      if (this._waiting.length) return keyOf(this._turn());
      return keyInSlot(keys, 1, this.current);
    }
  }

  /* Which of the keys, when they come round one after the other, each once in a round, and each round shuffled.
   * first: the key that has slot 0. */
  /** @param {string[]} keys @param {number} slot */
  function keyInSlot(keys, slot, first = "") {
    if (!keys.length) return "";
    const place = slot + Math.max(0, shuffled(keys, 0).indexOf(first));
    return shuffled(keys, Math.floor(place / keys.length))[place % keys.length];
  }

  /** @param {string[]} keys @param {number} round */
  function shuffled(keys, round) {
    const hashed = keys.map((key) => ({ key, place: hash(`${round} ${key}`) }));
    hashed.sort((one, other) => one.place - other.place || (one.key < other.key ? -1 : 1));
    return hashed.map(({ key }) => key);
  }

  /** FNV-1a, and a last stir: keys that differ in their last sign alone fall far apart. @param {string} text */
  function hash(text) {
    let value = 0x811c9dc5;
    for (let index = 0; index < text.length; index += 1) {
      value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
    }
    value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
    return (value ^ (value >>> 13)) >>> 0;
  }

  const WallQueue = { Queue, keyInSlot, keyOf, KEPT };
  if (typeof module === "object" && module.exports) module.exports = WallQueue;
  else root.WallQueue = WallQueue;
})(typeof globalThis === "object" ? globalThis : self);
