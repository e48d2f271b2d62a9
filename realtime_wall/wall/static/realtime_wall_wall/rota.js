/* Which slides have their turn? It draws nothing: tests/js/rota.test.js runs it in Node.
 *
 * What comes every so many minutes follows from the clock alone, so that all screens have it at the same time;
 * what comes every so many posts, from what this screen has shown.
 */
(function (root) {
  "use strict";

  const MINUTE = 60000;

  class Rota {
    /** @param {Slide[]} slides @param {number} now milliseconds, as the server's clock has them */
    constructor(slides, now) {
      this._since = now;
      /** @type {Map<number, number>} */
      this._counted = new Map(); // slide's id -> how many posts there were at its last turn
      this._posts = 0;
      this._slides = slides;
    }

    /** @param {Slide[]} slides */
    set(slides) {
      this._slides = slides;
    }

    /** @param {number} id */
    get(id) {
      return this._slides.find((slide) => slide.id === id) || null;
    }

    /* Those whose turn has come since this was asked last; each once, however long ago that was. */
    /** @param {number} now @param {number} posts */
    due(now, posts) {
      const since = this._since;
      this._since = now;
      this._posts = posts;
      return this._slides.filter((slide) => isOn(slide, now) && (this._isTime(slide, since, now) || this._isEnough(slide)));
    }

    /* Slides with the same pause share it: of three every six minutes one comes every two. */
    /** @param {Slide} slide @param {number} since @param {number} now */
    _isTime(slide, since, now) {
      if (!slide.every_minutes) return false;
      const alike = this._slides.filter((other) => other.every_minutes === slide.every_minutes);
      const pause = slide.every_minutes * MINUTE;
      const phase = (pause * alike.indexOf(slide)) / alike.length;
      return Math.floor((now - phase) / pause) > Math.floor((since - phase) / pause);
    }

    /** @param {Slide} slide */
    _isEnough(slide) {
      if (!slide.every_posts) return false;
      if (!this._counted.has(slide.id)) this._counted.set(slide.id, 0);
      if (this._posts - (this._counted.get(slide.id) || 0) < slide.every_posts) return false;
      this._counted.set(slide.id, this._posts);
      return true;
    }
  }

  /** @param {Slide} slide @param {number} now */
  function isOn({ begins, ends }, now) {
    return (!begins || begins <= now) && (!ends || now < ends);
  }

  if (typeof module === "object" && module.exports) module.exports = { Rota };
  else root.WallRota = Rota;
})(typeof globalThis === "object" ? globalThis : self);
