/* What did a page miss while it was away? Asked until the server answers; meanwhile what happens is noted. */
(function (root) {
  "use strict";

  const { keyOf } = root.WallQueue;

  class Missed {
    /* address: of posts.json; known: the keys that the page has, first those that it shows */
    /** @param {string} address @param {() => { shown: string[], waiting: string[] }} known */
    constructor(address, known) {
      this._address = address;
      this._known = known;
      /** @type {Noted | null} */
      this._noted = null; // what happened while it is being read
    }

    /** @param {string} key */
    arrived(key) {
      if (this._noted) this._noted.arrived.add(key);
    }

    /** @param {string} key */
    removed(key) {
      if (this._noted) this._noted.removed.add(key);
    }

    /** @param {Post} post */
    changed(post) {
      if (this._noted) this._noted.changed.set(keyOf(post), post);
    }

    /** The answer and what happened meanwhile; null when another gap has made it stale. @param {string} latest */
    async read(latest) {
      const after = this._noted ? this._noted.after : latest;
      /** @type {Noted} */
      const noted = { after, arrived: new Set(), removed: new Set(), changed: new Map() };
      this._noted = noted;
      const missed = await root.WallNetwork.askUntil(() => this._complete(after), () => this._noted === noted);
      if (!missed) return null;
      this._noted = null;
      return { missed, noted };
    }

    /* All posts that a page may show, once; null when they cannot be had. */
    async all() {
      return this._ask("");
    }

    /* What somebody has approved was stored before the last post that we have: all are read then. */
    /** @param {string} after @returns {Promise<PostsAnswer | null>} */
    async _complete(after) {
      const missed = await this._ask(after);
      if (!missed || !after) return missed;
      const { shown, waiting } = this._known();
      const known = new Set([...missed.posts.map(keyOf), ...shown, ...waiting]);
      const expected = missed.keys.slice(0, shown.length + missed.posts.length);
      return expected.every((key) => known.has(key)) ? missed : this._ask("");
    }

    /** @param {string} after @returns {Promise<PostsAnswer | null>} */
    _ask(after) {
      return root.WallNetwork.readJson(`${this._address}?after=${encodeURIComponent(after)}`);
    }
  }

  root.WallMissed = Missed;
})(globalThis);
