/* What did a page miss while it was away? Asked until the server answers; meanwhile what happens is noted. */
(function (root) {
  "use strict";

  const { keyOf } = root.WallQueue;
  const RETRY = [1000, 2000, 5000, 10000];

  class Missed {
    /* address: of posts.json; known: the keys that the page has, first those that it shows */
    constructor(address, known) {
      this._address = address;
      this._known = known;
      this._noted = null; // what happened while it is being read
    }

    arrived(key) {
      if (this._noted) this._noted.arrived.add(key);
    }

    removed(key) {
      if (this._noted) this._noted.removed.add(key);
    }

    changed(post) {
      if (this._noted) this._noted.changed.set(keyOf(post), post);
    }

    /* The answer and what happened meanwhile; null when another gap has made this reading stale. */
    async read(latest) {
      const after = this._noted ? this._noted.after : latest;
      const noted = { after, arrived: new Set(), removed: new Set(), changed: new Map() };
      this._noted = noted;
      for (let attempt = 0; this._noted === noted; attempt += 1) {
        const missed = await this._complete(after);
        if (this._noted !== noted) return null;
        if (missed) {
          this._noted = null;
          return { missed, noted };
        }
        const delay = RETRY[Math.min(attempt, RETRY.length - 1)];
        await new Promise((resolve) => setTimeout(resolve, delay * (0.5 + Math.random())));
      }
      return null;
    }

    /* All posts that a page may show, once; null when they cannot be had. */
    async all() {
      return this._ask("");
    }

    /* What somebody has approved was stored before the last post that we have: all are read then. */
    async _complete(after) {
      const missed = await this._ask(after);
      if (!missed || !after) return missed;
      const { shown, waiting } = this._known();
      const known = new Set([...missed.posts.map(keyOf), ...shown, ...waiting]);
      const expected = missed.keys.slice(0, shown.length + missed.posts.length);
      return expected.every((key) => known.has(key)) ? missed : this._ask("");
    }

    async _ask(after) {
      try {
        const answer = await fetch(`${this._address}?after=${encodeURIComponent(after)}`);
        if (answer.ok) return await answer.json();
        console.warn(`the wall could not read what it missed: ${answer.status}`);
      } catch (error) {
        console.warn("the wall could not read what it missed:", error);
      }
      return null;
    }
  }

  root.WallMissed = Missed;
})(globalThis);
