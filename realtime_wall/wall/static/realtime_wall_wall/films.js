/* The film of the post that has the stage plays: one at a time, without sound, and over its picture.
 *
 * Everywhere else a post shows the picture alone: there is no <video> that nobody looks at, and a film that cannot be
 * had leaves the picture where it was. On a phone it would cost its reader's data, so nothing plays there.
 */
(function (root) {
  "use strict";

  const WIDE = root.matchMedia("(min-width: 56rem)");
  const STILL = root.matchMedia("(prefers-reduced-motion: reduce)");

  class Films {
    constructor() {
      /** @type {HTMLElement | null} */
      this._box = null; // of the post that has the stage, if it has a film
      /** @type {HTMLVideoElement | null} */
      this._film = null; // while there is one that could play
      this._isOver = false; // it has had its time, or cannot be had; when its post comes round again it is tried again
      this._isPaused = false;
      const look = () => this._look();
      for (const query of [WIDE, STILL]) query.addEventListener("change", look);
      document.addEventListener("visibilitychange", look);
    }

    /** @param {Element | null | undefined} card that has the stage now */
    show(card) {
      /** @type {HTMLElement | null} */
      const box = card ? card.querySelector(".wall-media[data-film]") : null;
      if (box !== this._box) {
        this._end();
        this._box = box;
        this._isOver = false;
      }
      this._look();
    }

    /** @param {boolean} isPaused as the posts are */
    pause(isPaused) {
      this._isPaused = isPaused;
      this._look();
    }

    _look() {
      const box = this._box;
      if (!box) return;
      if (STILL.matches || !WIDE.matches) this._end();
      else if (this._isPaused || document.visibilityState !== "visible") this._film?.pause();
      else if (!box.offsetParent) this._end(); // this layout has no pictures
      else if (this._film) play(this._film);
      else if (!this._isOver) this._begin(box);
    }

    /** @param {HTMLElement} box */
    _begin(box) {
      const film = document.createElement("video");
      const end = () => {
        if (film !== this._film) return;
        this._isOver = true;
        this._end();
      };
      Object.assign(film, { muted: true, playsInline: true, loop: box.dataset.kind === "gif", disableRemotePlayback: true });
      film.setAttribute("aria-hidden", "true"); // the picture has the words
      film.addEventListener("playing", () => box.setAttribute("data-playing", ""));
      film.addEventListener("ended", end);
      film.addEventListener("error", end);
      film.src = box.dataset.film || "";
      this._film = film;
      box.append(film);
      play(film);
    }

    /* What it has loaded is let go of. */
    _end() {
      const film = this._film;
      this._film = null;
      this._box?.removeAttribute("data-playing");
      if (!film) return;
      film.remove();
      film.removeAttribute("src");
      film.load();
    }
  }

  /** It may be gone before it has begun. @param {HTMLVideoElement} film */
  function play(film) {
    film.play().catch(() => {});
  }

  root.WallFilms = Films;
})(globalThis);
