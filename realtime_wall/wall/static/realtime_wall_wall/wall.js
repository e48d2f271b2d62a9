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
  const FOLD_SHOWN = 4000;
  const AT_THE_TOP = 80; // pixels; who has scrolled further is reading, and nothing moves
  const GRACE = 1500; // a connection that is back sooner was never lost, as far as the audience knows
  const RETRY = [1000, 2000, 5000, 10000];

  const keyOf = (post) => `${post.source}:${post.id}`;

  class Wall {
    constructor(list, words) {
      this._list = list;
      this._words = words;
      this._skew = Date.parse(words.now) - Date.now();
      this._cards = new Map(); // key -> element
      this._waiting = []; // posts that have arrived and are not shown yet, oldest first
      this._timer = null; // until the next arrival
      this._reading = null; // what happened while the missed posts are being read
      for (const card of list.children) this._cards.set(card.dataset.key, card);
      const [top] = list.children;
      this._latest = top ? top.dataset.key : "";
      this._more = new More(words.more, () => this._next());
      setInterval(() => this._tellTimes(), 15000);
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

    async _read(after) {
      try {
        const answer = await fetch(`${this._words.posts}?after=${encodeURIComponent(after)}`);
        if (answer.ok) return await answer.json();
        console.warn(`the wall could not read what it missed: ${answer.status}`);
      } catch (error) {
        console.warn("the wall could not read what it missed:", error);
      }
      return null;
    }

    /* keys are all posts that the server shows, newest first; posts are those of them we asked for. */
    _merge({ posts, keys, count, edited = [] }, { arrived, removed, changed }) {
      const rank = new Map(keys.map((key, index) => [key, index]));
      for (const key of [...this._cards.keys()]) {
        if (!rank.has(key) && !arrived.has(key)) this._takeOut(key);
      }
      for (const post of [...edited, ...changed.values()]) this.change(post);
      const known = [...posts.map((post) => changed.get(keyOf(post)) || post), ...this._waiting].filter((post) => rank.has(keyOf(post)));
      this._waiting = this._waiting.filter((post) => !rank.has(keyOf(post)));
      const missing = known.filter((post) => !this._cards.has(keyOf(post)) && !removed.has(keyOf(post)));
      this._move(() => missing.forEach((post) => this._insert(post, this._below(rank, keyOf(post)))));
      if (missing.length > 1) this._more.tell(missing.length);
      addToCount(count - readCount() + this._waiting.length);
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
      if (root.scrollY > AT_THE_TOP) {
        this._more.hold(this._waiting.length);
        return;
      }
      if (!this._waiting.length) return;
      const folded = this._waiting.length > BURST ? this._waiting.length - 1 : 0;
      const arriving = this._waiting.splice(0, folded + 1);
      this._move(() => arriving.forEach((post) => this._insert(post, this._list.firstChild)));
      this._more.tell(folded);
      this._timer = setTimeout(() => {
        this._timer = null;
        this._next();
      }, PACE);
    }

    /* The others make room: the list starts where it was and slides to where it is now. */
    _move(change) {
      const before = this._list.offsetHeight;
      const [formerTop] = this._list.children;
      change();
      const added = this._list.offsetHeight - before;
      const [top] = this._list.children;
      if (top === formerTop) return;
      if (root.scrollY > AT_THE_TOP) {
        root.scrollBy(0, added); // what is being read stays where it is
        return;
      }
      if (root.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
      const timing = { duration: ARRIVAL, easing: "cubic-bezier(0.2, 0.7, 0.2, 1)" };
      const shift = Math.min(added, root.innerHeight);
      this._list.animate([{ transform: `translateY(${-shift}px)` }, { transform: "none" }], timing);
      top.animate([{ opacity: 0 }, { opacity: 1 }], timing);
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

    _tellTimes() {
      for (const time of this._list.querySelectorAll("time")) {
        const words = root.WallCard.ago(time.dateTime, this._words.card, this._now());
        if (time.textContent !== words) time.textContent = words;
      }
    }
  }

  /* The pill at the top: how many posts came at once, or wait for a reader who has scrolled down. */
  class More {
    constructor(words, released) {
      this._pill = document.querySelector(".wall-more");
      this._words = words;
      this._timer = null;
      this._held = false;
      if (!this._pill) return;
      this._pill.addEventListener("click", () => root.scrollTo({ top: 0 }));
      root.addEventListener("scroll", () => {
        if (!this._held || root.scrollY > AT_THE_TOP) return;
        this._hide();
        released();
      });
    }

    /* For a moment. */
    tell(number) {
      if (!number) return;
      this._show(number);
      this._held = false;
      this._timer = setTimeout(() => this._hide(), FOLD_SHOWN);
    }

    /* Until the reader is back at the top, or none waits any more. */
    hold(number) {
      if (number) this._show(number);
      else if (this._held) this._hide();
      this._held = number > 0;
    }

    _show(number) {
      if (!this._pill) return;
      clearTimeout(this._timer);
      this._pill.textContent = this._words.replace("{}", number);
      this._pill.hidden = false;
    }

    _hide() {
      this._held = false;
      this._pill.hidden = true;
    }
  }

  // -- the frame

  function readCount() {
    const place = document.querySelector(".wall-count");
    return place ? Number(place.textContent) : 0;
  }

  function addToCount(number) {
    const total = readCount() + number;
    for (const place of document.querySelectorAll(".wall-count")) place.textContent = total;
  }

  function statusTeller(words) {
    const place = document.querySelector(".wall-status");
    let timer = null;
    const tell = (state) => {
      place.dataset.state = state;
      place.querySelector(".wall-status-word").textContent = words[state];
    };
    return ({ state }) => {
      if (!place) return;
      if (state !== "open") {
        timer = timer || setTimeout(() => tell("lost"), GRACE);
        return;
      }
      clearTimeout(timer);
      timer = null;
      tell("live");
    };
  }

  function startClock() {
    const place = document.querySelector(".wall-clock");
    if (!place) return;
    const words = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
    const tell = () => {
      const now = words.format(new Date());
      if (place.textContent !== now) place.textContent = now;
    };
    tell();
    setInterval(tell, 1000);
  }

  /* A picture that cannot be had leaves no hole: under a face are the initials. */
  function watchPictures(list) {
    const takeOut = (picture) => (picture.closest(".wall-media") || picture).remove();
    list.addEventListener("error", ({ target }) => target.tagName === "IMG" && takeOut(target), true);
    for (const picture of list.querySelectorAll("img")) {
      if (picture.complete && !picture.naturalWidth) takeOut(picture); // failed before we listened
    }
  }

  function start() {
    const list = document.querySelector(".wall-posts");
    const words = JSON.parse(document.getElementById("wall-config").textContent);
    const wall = new Wall(list, words);
    watchPictures(list);
    startClock();
    const socket = root.Realtime.connect();
    const ours = (react) => (message, { channel }) => channel === words.channel && react(message);
    socket.on("tweet", ours((post) => wall.receive(post)));
    socket.on("tweet_changed", ours((post) => wall.change(post)));
    socket.on("tweet_removed", ours((post) => wall.remove(keyOf(post))));
    socket.on("status", statusTeller(words.status));
    socket.subscribe(words.channel, {
      since: list.dataset.cursor,
      onGap: () => wall.readAgain(),
      onSubscribed: ({ cursor }) => {
        // A page that was written without a live server does not know where it stands.
        if (!list.dataset.cursor) wall.readAgain();
        list.dataset.cursor = cursor;
      },
    });
  }

  start();
})(globalThis);
