/* What was on this screen, from when to when, and could it be seen? Kept until the server has it. */
(function (root) {
  "use strict";

  const MOST = 5000; // displays that wait for the network: a day of a busy wall; the oldest give way
  const BATCH = 200; // in one report
  const BLINK = 200; // milliseconds: a card that was drawn anew was never away

  /* A clock gives milliseconds, a store has read() and write(value). */
  class DisplayLog {
    /** @param {string} page @param {DisplayStore} store */
    constructor(page, store, clock = Date.now) {
      this._page = page;
      this._store = store;
      this._clock = clock;
      /** @type {Map<string, Display>} */
      this._open = new Map(); // key -> the display that goes on
      this._number = 0;
      this._isVisible = true;
      this._sending = 0; // of the oldest, which are not touched any more
      // What was on when an earlier page ended, or broke down, was on until it last said so.
      this._done = store.read() || [];
    }

    /** @param {string} key */
    begin(key, now = this._clock()) {
      if (this._open.has(key)) return;
      const before = this._done.findLastIndex((one) => one.key === key && one.page === this._page);
      const last = before >= this._sending ? this._done[before] : null;
      if (last && now - last.to <= BLINK && last.visible === this._isVisible) {
        this._done.splice(before, 1);
        this._open.set(key, last);
      } else {
        this._number += 1;
        const display = { page: this._page, number: this._number, key, from: now, to: now, visible: this._isVisible };
        this._open.set(key, display);
      }
    }

    /** @param {string} key */
    end(key, now = this._clock()) {
      const display = this._open.get(key);
      if (!display) return;
      display.to = Math.max(display.from, now);
      this._open.delete(key);
      this._done.push(display);
      if (this._done.length <= MOST) return;
      this._done.splice(this._sending, this._done.length - MOST);
    }

    endAll() {
      for (const key of [...this._open.keys()]) this.end(key);
    }

    /** In the background, blanked, or back: that is another display of the same post. @param {boolean} isVisible */
    setVisible(isVisible) {
      if (isVisible === this._isVisible) return;
      const keys = [...this._open.keys()];
      this.endAll();
      this._isVisible = isVisible;
      for (const key of keys) this.begin(key);
    }

    get isVisible() {
      return this._isVisible;
    }

    /* The oldest that the server does not have yet, until confirm(). */
    batch() {
      this._sending = Math.min(BATCH, this._done.length);
      return this._done.slice(0, this._sending);
    }

    /** The server has them, or will never take them; or not, and they are sent again. @param {boolean} isTaken */
    confirm(isTaken) {
      if (isTaken) this._done.splice(0, this._sending);
      this._sending = 0;
      this.save();
      return this._done.length > 0;
    }

    /* As far as it has come: the machine may break down. */
    save() {
      const now = this._clock();
      this._store.write([...this._done, ...Array.from(this._open.values(), (one) => ({ ...one, to: now }))]);
    }
  }

  const Log = { DisplayLog };
  if (typeof module === "object" && module.exports) module.exports = Log;
  else root.WallDisplayLog = Log;
})(typeof globalThis === "object" ? globalThis : self);
