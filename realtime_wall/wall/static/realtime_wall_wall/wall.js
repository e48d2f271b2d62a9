/* The wall comes alive: posts arrive at the top, and what was missed is read again after a gap.
 *
 * The page was written from the database after its cursor was taken, so everything that came later
 * comes through the socket, and what the page has already is known by its key, source:id.
 */
(function (root) {
  "use strict";

  const KEPT = 200; // cards in the page; beyond, the oldest are taken out
  const PACE = 900; // milliseconds from one arrival to the next
  const BURST = 4; // more waiting posts than this arrive in one step
  const ARRIVAL = 300;
  const RETRY = [1000, 2000, 5000, 10000];

  const Frame = root.WallFrame;
  const keyOf = (post) => `${post.source}:${post.id}`;
  const authorOf = (post) => `${post.source}:${post.retweeted_by_username || post.author_id || post.author_username}`;

  class Wall {
    constructor(list, words, kept) {
      this._list = list;
      this._words = words;
      this._kept = kept; // what a page without network shows
      this._skew = Date.parse(words.now) - Date.now();
      this._cards = new Map(); // key -> element
      this._waiting = []; // posts that have arrived and are not shown yet, oldest first
      this._timer = null; // until the next arrival
      this._reading = null; // what happened while the missed posts are being read
      this._turns = new Map(); // author -> when one of his had its turn; the longest ago first
      this._turnCount = 0;
      this._pinned = ""; // the key of the post that stays on top
      for (const card of list.children) this._cards.set(card.dataset.key, card);
      const [top] = list.children;
      this._latest = top ? top.dataset.key : "";
      if (words.pinned) this.pin(words.pinned);
      this._more = new Frame.More(words.more, () => this._next());
      Frame.keepTimes(list, words.card, () => this._now());
    }

    receive(post) {
      const key = keyOf(post);
      if (this._cards.has(key) || this._waiting.some((other) => keyOf(other) === key)) return;
      if (this._reading) this._reading.arrived.add(key);
      this._latest = key;
      this._waiting = [...this._waiting, post].slice(-KEPT);
      addToCount(1);
      this._next();
    }

    /* Edited: the new card takes the place of the old one, wherever it is. */
    change(post) {
      const key = keyOf(post);
      if (this._reading) this._reading.changed.set(key, post);
      this._waiting = this._waiting.map((other) => (keyOf(other) === key ? post : other));
      const card = this._cards.get(key);
      if (!card) return;
      const changed = root.WallCard.wallCard(post, this._words.card, this._now());
      card.replaceWith(changed);
      this._cards.set(key, changed);
    }

    remove(key) {
      if (this._reading) this._reading.removed.add(key);
      const waited = this._waiting.length;
      this._waiting = this._waiting.filter((post) => keyOf(post) !== key);
      if (this._takeOut(key) || this._waiting.length < waited) addToCount(-1);
      this._next();
    }

    pin(key) {
      const before = this._cards.get(this._pinned);
      if (before) before.classList.remove("wall-pinned");
      this._pinned = key;
      const card = this._cards.get(key);
      if (card) {
        card.classList.add("wall-pinned");
        this._move(() => this._list.prepend(card));
      } else if (key) this.readAgain(); // it is older than what is in the page
    }

    /* For a moderator: how much of this the page does not show yet as it should. */
    left({ gone, there }) {
      const isHere = (key) => this._cards.has(key) || this._waiting.some((post) => keyOf(post) === key);
      return gone.filter(isHere).length + there.filter((key) => !isHere(key)).length;
    }

    /* After a gap. What is shown stays, and new posts go on arriving, until the answer is there. */
    async readAgain() {
      const after = this._reading ? this._reading.after : this._latest;
      const reading = { after, arrived: new Set(), removed: new Set(), changed: new Map() };
      this._reading = reading; // takes over from a reading that another gap made stale
      for (let attempt = 0; this._reading === reading; attempt += 1) {
        const missed = await this._read(after);
        if (this._reading !== reading) return;
        if (missed) {
          this._reading = null;
          this._merge(missed, reading);
          return;
        }
        const delay = RETRY[Math.min(attempt, RETRY.length - 1)];
        await new Promise((resolve) => setTimeout(resolve, delay * (0.5 + Math.random())));
      }
    }

    /* A page that came out of the browser, without posts: it asks before it shows what was kept. */
    async goOn() {
      const answer = (await root.WallKept.inTime(this._read(""))) || (await this._kept.read());
      if (answer) this._merge(answer, { arrived: new Set(), removed: new Set(), changed: new Map() });
    }

    async _read(after) {
      try {
        const answer = await fetch(`${this._words.posts}?after=${encodeURIComponent(after)}`);
        if (answer.ok) return await this._completed(await answer.json(), after);
        console.warn(`the wall could not read what it missed: ${answer.status}`);
      } catch (error) {
        console.warn("the wall could not read what it missed:", error);
      }
      return null;
    }

    /* What somebody has approved was stored before the last post that we have: all are read then. */
    async _completed(missed, after) {
      const known = new Set([...missed.posts.map(keyOf), ...this._cards.keys(), ...this._waiting.map(keyOf)]);
      const shown = missed.keys.slice(0, this._list.children.length + missed.posts.length);
      return !after || shown.every((key) => known.has(key)) ? missed : this._read("");
    }

    /* keys are all posts that the server shows, newest first; posts are those of them we asked for. */
    _merge(answer, { arrived, removed, changed }) {
      const { posts, keys, count, edited = [], pinned = null, now } = answer;
      const isFirst = !this._cards.size;
      this._skew = Date.parse(now) - Date.now();
      this._kept.take(answer, arrived);
      const rank = new Map(keys.map((key, index) => [key, index]));
      for (const key of [...this._cards.keys()]) {
        if (!rank.has(key) && !arrived.has(key)) this._takeOut(key);
      }
      for (const post of [...edited, ...changed.values()]) this.change(post);
      const known = [...posts.map((post) => changed.get(keyOf(post)) || post), ...this._waiting].filter((post) => rank.has(keyOf(post)));
      this._waiting = this._waiting.filter((post) => !rank.has(keyOf(post)));
      const missing = known.filter((post) => !this._cards.has(keyOf(post)) && !removed.has(keyOf(post)));
      this._move(() => missing.forEach((post) => this._insert(post, this._below(rank, keyOf(post)))));
      if (missing.length > 1 && !isFirst) this._more.flash(missing.length);
      addToCount(count - readCount() + this._waiting.length);
      if (pinned && !this._cards.has(keyOf(pinned))) this._insert(pinned, this._list.firstChild);
      if (pinned || this._pinned) this.pin(pinned ? keyOf(pinned) : "");
      this._next();
    }

    /* The first card that is older, by the server's order; cards it did not list yet are on top. */
    _below(rank, key) {
      const isOlder = (card) => rank.get(card.dataset.key) > rank.get(key);
      return Array.from(this._list.children).find(isOlder) || null;
    }

    // -- arriving

    _next() {
      if (this._timer) return;
      if (root.scrollY > Frame.AT_THE_TOP) {
        this._more.hold(this._waiting.length);
        return;
      }
      if (!this._waiting.length) return;
      const { arriving, pace } = this._words.least ? this._turn() : this._burst();
      const folded = arriving.length - 1;
      this._move(() => arriving.forEach((post) => this._insert(post, this._top())));
      this._more.flash(folded);
      this._timer = setTimeout(() => {
        this._timer = null;
        this._next();
      }, pace);
    }

    _burst() {
      const folded = this._waiting.length > BURST ? this._waiting.length - 1 : 0;
      return { arriving: this._waiting.splice(0, folded + 1), pace: PACE };
    }

    /* One at a time, so that each stays for its least time; next is whose author was longest not shown. */
    _turn() {
      const turns = this._waiting.map((post) => this._turns.get(authorOf(post)) || 0);
      const [post] = this._waiting.splice(turns.indexOf(Math.min(...turns)), 1);
      this._turns.delete(authorOf(post)); // and is the last one then
      this._turns.set(authorOf(post), (this._turnCount += 1));
      if (this._turns.size > KEPT) this._turns.delete(this._turns.keys().next().value);
      const isWhole = (card) => card.getBoundingClientRect().bottom <= root.innerHeight;
      const places = Math.max(1, Array.from(this._list.children).slice(0, 12).filter(isWhole).length);
      return { arriving: [post], pace: Math.max(PACE, (1000 * this._words.least) / places) };
    }

    /* The others make room: the list starts where it was and slides to where it is now. */
    _move(change) {
      const before = this._list.offsetHeight;
      const [formerTop] = this._list.children;
      change();
      const added = this._list.offsetHeight - before;
      const [top] = this._list.children;
      if (top === formerTop) return;
      if (root.scrollY > Frame.AT_THE_TOP) {
        root.scrollBy(0, added); // what is being read stays where it is
        return;
      }
      if (root.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
      const timing = { duration: ARRIVAL, easing: "cubic-bezier(0.2, 0.7, 0.2, 1)" };
      const shift = Math.min(added, root.innerHeight);
      this._list.animate([{ transform: `translateY(${-shift}px)` }, { transform: "none" }], timing);
      top.animate([{ opacity: 0 }, { opacity: 1 }], timing);
    }

    /* Above which new posts arrive. */
    _top() {
      const pinned = this._cards.get(this._pinned);
      return pinned ? pinned.nextSibling : this._list.firstChild;
    }

    _insert(post, below) {
      const card = root.WallCard.wallCard(post, this._words.card, this._now());
      this._list.insertBefore(card, below);
      this._cards.set(keyOf(post), card);
      while (this._cards.size > KEPT) this._takeOut(this._list.lastElementChild.dataset.key);
    }

    _takeOut(key) {
      const card = this._cards.get(key);
      if (!card) return false;
      card.remove();
      this._cards.delete(key);
      if (!this._cards.size) this._list.textContent = ""; // without a blank in it, :empty invites
      return true;
    }

    _now() {
      return Date.now() + this._skew;
    }
  }

  // -- the count

  function readCount() {
    const place = document.querySelector(".wall-count");
    return place ? Number(place.textContent) : 0;
  }

  function addToCount(number) {
    const total = readCount() + number;
    for (const place of document.querySelectorAll(".wall-count")) place.textContent = total;
  }

  async function start() {
    const list = document.querySelector(".wall-posts");
    const words = JSON.parse(document.getElementById("wall-config").textContent);
    const kept = new root.WallKept.KeptPosts(words);
    const wall = new Wall(list, words, kept);
    Frame.watchPictures(list);
    Frame.startSwitch();
    Frame.startClock();
    if (list.dataset.kept !== undefined) await wall.goOn();
    else root.WallKept.keepPage(words);
    kept.fill();
    const both = (react) => [kept, wall].forEach(react); // first of all it is not kept any more
    const socket = Frame.subscribe(words, list, {
      tweet: (post) => both((one) => one.receive(post)),
      tweet_changed: (post) => both((one) => one.change(post)),
      tweet_removed: (post) => both((one) => one.remove(keyOf(post))),
      tweet_pinned: ({ key }) => both((one) => one.pin(key)),
      gap: () => wall.readAgain(),
    });
    // A screen of the event has a name, and confirms what its moderators decide.
    const screen = new URLSearchParams(root.location.search).get("screen");
    if (!screen) return;
    Frame.comeBackSoon(socket);
    socket.on("wall_check", (check) => ({ screen, left: wall.left(check) }));
    socket.subscribe(words.screens);
  }

  start();
})(globalThis);
