/* Which posts come round when it is quiet? All that the server shows, read when they are wanted first. */
(function (root) {
  "use strict";

  const { KEPT, keyOf } = root.WallQueue;

  class Older {
    /** @param {{ all(): Promise<PostsAnswer | null> }} missed who asks the server */
    constructor(missed) {
      this._missed = missed;
      /** @type {Map<string, Post> | null} */
      this._posts = null; // key -> post, the oldest first; null while they could not be had
      this._isRead = false; // or that was tried
      /** @type {Set<string> | null} */
      this._removed = null; // what was taken back while they are being read
    }

    get isRead() {
      return this._isRead;
    }

    get keys() {
      return this._posts ? [...this._posts.keys()] : [];
    }

    /** @param {string} key */
    get(key) {
      return this._posts ? this._posts.get(key) : undefined;
    }

    /** @param {Post} post */
    add(post) {
      if (!this._posts) {
        this._isRead = false; // now they may be had
        return;
      }
      this._posts.set(keyOf(post), post);
      for (const oldest of this._posts.keys()) {
        if (this._posts.size <= KEPT) break;
        this._posts.delete(oldest);
      }
    }

    /** @param {Post} post */
    change(post) {
      if (this._posts && this._posts.has(keyOf(post))) this._posts.set(keyOf(post), post);
    }

    /** @param {string} key */
    remove(key) {
      if (this._posts) this._posts.delete(key);
      if (this._removed) this._removed.add(key);
    }

    /* They are read again, when they are wanted. */
    forget() {
      this._posts = null;
      this._isRead = false;
    }

    /** Whether they are there now; without network, or where it is silent, there are none. @returns {Promise<boolean>} */
    async read() {
      if (this._removed) return false; // it is being read
      /** @type {Set<string>} */
      const removed = new Set();
      this._removed = removed;
      const all = await root.WallKept.inTime(this._missed.all());
      this._removed = null;
      const posts = all && all.posts.reverse().filter((post) => !removed.has(keyOf(post)));
      this._posts = posts && new Map(posts.map((post) => [keyOf(post), post]));
      this._isRead = true;
      return true;
    }
  }

  root.WallOlder = Older;
})(globalThis);
