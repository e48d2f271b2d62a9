/* The wall comes alive: posts arrive at the top, and what was missed is read again after a gap.
 *
 * The page was written from the database after its cursor was taken, so everything that came later
 * comes through the socket, and what the page has already is known by its key, source:id. What comes
 * next, and when, is queue.js; how it looks is a style sheet's.
 */
(function (root) {
  "use strict";

  const { KEPT, Queue, keyOf } = root.WallQueue;
  const WIDE = "(min-width: 56rem)"; // a stage; on a phone older posts do not come round under a reader's thumb

  const Frame = root.WallFrame;

  class Wall {
    /* kept: what a page without network shows; directed(state): what the director says has been read again */
    /** @param {HTMLElement} list @param {Words} words
     * @param {KeptPosts} kept @param {(state: Directing, answer: PostsAnswer) => void} directed */
    constructor(list, words, kept, directed) {
      this._list = list;
      this._words = words;
      this._kept = kept;
      this._directed = directed;
      this._skew = Date.parse(words.now) - Date.now();
      /** @type {Map<string, HTMLElement>} */
      this._cards = new Map(); // key -> element
      /** @type {WeakMap<Post, HTMLElement>} */
      this._drawn = new WeakMap(); // of posts that are about to come in a burst: each in the task that brought it
      this._timer = 0; // until something comes next
      this._isBusy = false; // until then nothing else does
      this._missed = new root.WallMissed(words.posts, () => ({ shown: [...this._cards.keys()], waiting: this._queue.keys }));
      this._pinned = ""; // the key of the post that stays on top
      this._older = new root.WallOlder(this._missed);
      this._queue = new Queue(words, this.now());
      this._films = new root.WallFilms();
      this._depth = new root.WallMotion.Depth(list);
      for (const card of Frame.cardsOf(list)) this._cards.set(card.dataset.key ?? "", card);
      this._latest = Frame.cardsOf(list)[0]?.dataset.key ?? "";
      this._more = new Frame.More(words.more, () => this._next());
      if (words.pinned) this.pin(words.pinned);
      this._mark();
      Frame.keepTimes(list, words.card, () => this.now());
    }

    /** @param {Post} post */
    receive(post) {
      const key = keyOf(post);
      if (this._cards.has(key) || this._queue.has(key)) return;
      this._missed.arrived(key);
      this._latest = key;
      this._queue.add(post, this.now());
      if (this._queue.isFolding) this._drawn.set(post, this._draw(post));
      this._older.add(post);
      Frame.addToCount(1);
      this._next();
    }

    /** Edited: the new card takes the place of the old one, wherever it is. @param {Post} post */
    change(post) {
      const key = keyOf(post);
      this._missed.changed(post);
      this._queue.change(post);
      this._older.change(post);
      const card = this._cards.get(key);
      if (!card) return;
      const changed = this._draw(post);
      changed.className = card.className;
      card.replaceWith(changed);
      this._cards.set(key, changed);
      if (key === this.current) this._films.show(changed);
    }

    /** @param {string} key */
    remove(key) {
      this._missed.removed(key);
      const waited = this._queue.take(key);
      if (this._takeOut(key) || waited) Frame.addToCount(-1);
      this._older.remove(key);
      this._depth.set();
      this._next();
    }

    /** @param {string} key */
    pin(key) {
      const before = this._cards.get(this._pinned);
      if (before) before.classList.remove("wall-pinned");
      this._pinned = key;
      const card = this._cards.get(key);
      if (card) {
        card.classList.add("wall-pinned");
        this._move(() => this._list.prepend(card));
      } else if (key) this.readAgain(); // it is older than what is in the page
      this._mark();
    }

    /* For a moderator: how much of this the page does not show yet as it should. */
    /** @param {{ gone: string[], there: string[] }} check */
    left({ gone, there }) {
      /** @param {string} key */
      const isHere = (key) => this._cards.has(key) || this._queue.has(key);
      return gone.filter(isHere).length + there.filter((key) => !isHere(key)).length;
    }

    // -- the director's

    /** Rules as queue.js has them. @param {Rules} rules */
    set(rules) {
      this._queue.set(rules);
      this._startAgain();
    }

    /** @param {Pick<Directing, "at" | "post" | "speed" | "paused">} state */
    direct(state) {
      this._queue.direct(state);
      if (state.post) this._show(state.post);
      this._startAgain();
    }

    /** While a slide is shown nothing moves behind it. @param {boolean} held */
    hold(held) {
      this._queue.direct({ held });
      this._startAgain();
    }

    get count() {
      return this._queue.count;
    }

    /* Keys of posts: what has the stage, and what would have it after "next" and after "back". */
    get current() {
      return this._queue.current;
    }

    next() {
      return this._queue.next(this._around());
    }

    back() {
      return this._queue.back();
    }

    /** For this page alone, by whoever looks at it. @param {boolean} resting */
    rest(resting) {
      this._queue.direct({ resting });
      this._startAgain();
    }

    _startAgain() {
      this._isBusy = false;
      this._films.pause(this._queue.isPaused);
      this._next();
    }

    /** The post with this key has the stage, wherever it is now. @param {string} key */
    _show(key) {
      if (key === this._queue.current) return true;
      const card = this._cards.get(key);
      const post = card ? null : this._queue.take(key) || this._older.get(key);
      if (!card && !post) {
        this.readAgain();
        return false;
      }
      if (card && key !== this._pinned) this._move(() => this._list.insertBefore(card, this._top()));
      else if (post) this._move(() => this._insert(post, this._top()));
      this._mark(key);
      return true;
    }

    // -- what was missed

    /* After a gap. What is shown stays, and new posts go on arriving, until the answer is there. */
    async readAgain() {
      const found = await this._missed.read(this._latest);
      if (found) this._merge(found.missed, found.noted);
    }

    /* A page that came out of the browser, without posts: it asks before it shows what was kept. */
    async goOn() {
      const answer = (await root.WallKept.inTime(this._missed.all())) || (await this._kept.read());
      if (answer) this._merge(answer, { after: "", arrived: new Set(), removed: new Set(), changed: new Map() });
    }

    /* keys are all posts that the server shows, newest first; posts are those of them we asked for. */
    /** @param {PostsAnswer} answer @param {Noted} noted */
    _merge(answer, { arrived, removed, changed }) {
      const { posts, keys, count, edited = [], pinned = null, staged = null, director, now } = answer;
      const isFirst = !this._cards.size;
      if (now) this._skew = Date.parse(now) - Date.now();
      this._kept.take(answer, arrived);
      const rank = new Map(keys.map((key, index) => [key, index]));
      for (const key of [...this._cards.keys()]) {
        if (!rank.has(key) && !arrived.has(key)) this._takeOut(key);
      }
      for (const post of [...edited, ...changed.values()]) this.change(post);
      const read = posts.map((post) => changed.get(keyOf(post)) || post);
      const known = [...read, ...this._queue.takeAll((/** @type {string} */ key) => rank.has(key))].filter((post) => rank.has(keyOf(post)));
      const missing = known.filter((post) => !this._cards.has(keyOf(post)) && !removed.has(keyOf(post)));
      this._move(() => missing.forEach((post) => this._insert(post, this._below(rank, keyOf(post)))));
      if (missing.length > 1 && !isFirst) this._more.flash(missing.length);
      Frame.addToCount(count - Frame.readCount() + this._queue.waiting);
      this._older.forget();
      if (pinned && !this._cards.has(keyOf(pinned))) this._insert(pinned, this._list.firstChild);
      if (pinned || this._pinned) this.pin(pinned ? keyOf(pinned) : "");
      if (staged && !removed.has(keyOf(staged)) && !this._cards.has(keyOf(staged))) this._insert(staged, this._top());
      this._depth.set();
      if (director) this._directed(director, answer);
      this._mark();
      this._next();
    }

    /* The first card that is older, by the server's order; cards it did not list yet are on top. */
    /** @param {Map<string, number>} rank @param {string} key */
    _below(rank, key) {
      const at = rank.get(key) ?? 0;
      return Frame.cardsOf(this._list).find((card) => (rank.get(card.dataset.key ?? "") ?? -1) > at) || null;
    }

    // -- arriving

    _next() {
      if (this._timer && this._isBusy) return;
      clearTimeout(this._timer);
      this._timer = 0;
      if (root.scrollY > Frame.AT_THE_TOP) {
        this._more.hold(this._queue.waiting);
        return;
      }
      if (this._queue.isResting) this._more.hold(this._queue.waiting);
      /** @type {{ posts: Post[], pace: number, folded: number, inRush: boolean } | null} */
      const arriving = this._queue.arrive(() => Frame.placesIn(this._list));
      if (!arriving) {
        this._rotate();
        return;
      }
      const { posts, pace, folded, inRush } = arriving;
      this._move(() => {
        posts.forEach((post) => this._insert(post, this._top()));
        if (pace) this._mark(keyOf(posts[posts.length - 1])); // before all of it is laid out
      }, inRush);
      this._more.flash(folded);
      this._wait(pace, true);
    }

    /** @param {number} pace @param {boolean} isBusy */
    _wait(pace, isBusy) {
      this._isBusy = isBusy;
      this._timer = setTimeout(() => {
        this._timer = 0;
        this._next();
      }, pace);
    }

    // -- when it is quiet, older posts come round

    _rotate() {
      if (!root.matchMedia(WIDE).matches) return;
      const { key, pace } = this._queue.rotate(this._around(), this.now());
      if (pace === null) return;
      if (key && !this._older.isRead) {
        this._older.read().then((isRead) => isRead && this._next());
        return;
      }
      if (key) this._show(key);
      this._wait(pace, this._queue.isSingle);
    }

    _around() {
      const keys = this._older.keys.length ? this._older.keys : [...this._cards.keys()]; // without network
      return keys.filter((key) => key !== this._pinned);
    }

    // -- the list

    /* The post with this key has the stage; else the one that had it, or the first. */
    _mark(key = this._queue.current) {
      const first = Frame.cardsOf(this._list).find((card) => card.dataset.key !== this._pinned);
      const card = this._cards.get(key) || first || Frame.cardsOf(this._list)[0];
      const before = this._list.querySelector(".wall-current");
      if (before && before !== card) before.classList.remove("wall-current");
      this._films.show(card);
      if (!card) return;
      card.classList.add("wall-current");
      this._list.classList.add("wall-marked");
      this._queue.show(card.dataset.key);
    }

    /** @param {() => void} change @param {boolean} [inRush] */
    _move(change, inRush = false) {
      const moved = () => {
        change();
        this._depth.set();
      };
      if (this._queue.isSingle) moved();
      else root.WallMotion.makeRoom(this._list, moved, inRush);
    }

    /* Above which new posts arrive. */
    _top() {
      const pinned = this._cards.get(this._pinned);
      return pinned ? pinned.nextSibling : this._list.firstChild;
    }

    /** @param {Post} post */
    _draw(post) {
      return root.WallCard.wallCard(post, this._words.card, this.now());
    }

    /** @param {Post} post @param {Node | null} below */
    _insert(post, below) {
      const card = this._drawn.get(post) || this._draw(post);
      if (this._drawn.delete(post)) Frame.takeOutBroken(card); // as soon as it was drawn its pictures were asked for
      this._list.insertBefore(card, below);
      this._cards.set(keyOf(post), card);
      while (this._cards.size > KEPT) this._takeOut(/** @type {HTMLElement} */ (this._list.lastElementChild).dataset.key ?? "");
    }

    /** @param {string} key */
    _takeOut(key) {
      const card = this._cards.get(key);
      if (!card) return false;
      card.remove();
      this._cards.delete(key);
      if (!this._cards.size) this._list.textContent = ""; // without a blank in it, :empty invites
      const hadTheStage = key === this._queue.current;
      this._queue.forget(key);
      if (hadTheStage) this._mark();
      return true;
    }

    /* As the server's clock has it. */
    now() {
      return Date.now() + this._skew;
    }
  }

  root.Wall = Wall;
})(globalThis);
