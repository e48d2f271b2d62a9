/* Does a text fit into its place? Where a layout's places have a size, the text of a post that does not is written
 * smaller; and when it would be too small for the back of the hall, it ends in an ellipsis, behind a whole line. The
 * director's message, the text of a slide and a ticker's invitation are written so that the screen has all of it, and no
 * word in two parts.
 *
 * How many lines there is room for, no style sheet knows: it depends on the fonts of the machine, and on what else is
 * in the card.
 */
(function (root) {
  "use strict";

  const LAYOUTS = ["spotlight", "grid", "ticker"];
  const COVERS = ".wall-message:not([hidden]), .wall-slide p";
  const INVITATION = ".wall-empty strong"; // of a ticker, above its band
  const SMALLER = 0.94; // from one size to the next
  const LEAST = 0.03; // of the screen's shorter side, which can be read from its other end
  const LEAST_PIXELS = 16;
  const OVERHANG = 0.06; // of a letter's size: so far the fonts of a line may reach out of it
  const EDGE = 0.03; // of a cover's shorter side stays free
  const page = document.documentElement;

  class Fit {
    /** @param {HTMLElement} list */
    constructor(list) {
      this._list = list;
      this._frame = 0;
      /** @type {Set<HTMLElement>} */
      this._fitted = new Set();
      const soon = () => this.soon();
      /** @param {Element | null} place @param {MutationObserverInit} what */
      const watch = (place, what) => place && new MutationObserver(soon).observe(place, what);
      watch(list, { childList: true, subtree: true, attributeFilter: ["class"] });
      watch(page, { attributeFilter: ["data-layout", "data-without"] });
      watch(list.parentElement, { childList: true }); // where slides are put
      watch(document.querySelector(".wall-message"), { childList: true, attributeFilter: ["hidden"] });
      for (const event of ["load", "error"]) list.addEventListener(event, soon, true); // of pictures
      document.fonts.addEventListener("loadingdone", soon);
      root.addEventListener("resize", soon);
      this.soon();
    }

    /* Before the next picture of the screen is drawn, however often it is asked for. */
    soon() {
      if (this._frame || !(this._fitted.size || this._isWanted())) return;
      this._frame = requestAnimationFrame(() => {
        this._frame = 0;
        this._fit();
      });
    }

    _isWanted() {
      return this._isOfPlaces() || document.querySelector(COVERS) !== null;
    }

    _isOfPlaces() {
      return LAYOUTS.includes(page.dataset.layout ?? "");
    }

    _fit() {
      this._fitted.forEach((text) => text.removeAttribute("style"));
      this._fitted.clear();
      const texts = this._isOfPlaces() ? this._shown().map((text) => new Text(text)) : [];
      /** @type {NodeListOf<HTMLElement>} */
      const covers = document.querySelectorAll(page.dataset.layout === "ticker" ? `${COVERS}, ${INVITATION}` : COVERS);
      covers.forEach((cover) => texts.push(new Text(cover, cover.closest(".wall-slide, .wall-invitation") ?? cover)));
      texts.forEach((text) => text.useRoom());
      let cut = texts.filter((text) => text.isCut());
      const least = Math.max(LEAST_PIXELS, LEAST * Math.min(root.innerWidth, root.innerHeight));
      for (let share = SMALLER; cut.length; share *= SMALLER) {
        const smaller = cut.filter((text) => text.writeSmaller(share, least));
        cut.filter((text) => !smaller.includes(text)).forEach((text) => text.end());
        cut = smaller.filter((text) => text.isCut());
      }
      texts.forEach((text) => this._fitted.add(text.element));
    }

    _shown() {
      const single = this._list.querySelector(".wall-current .wall-text");
      if (page.dataset.layout !== "grid" && single) return [/** @type {HTMLElement} */ (single)];
      const end = this._list.getBoundingClientRect().bottom;
      const cards = Array.from(/** @type {HTMLCollectionOf<HTMLElement>} */ (this._list.children));
      const below = cards.findIndex((card) => card.getBoundingClientRect().top >= end - 1);
      const seen = below < 0 ? cards : cards.slice(0, below);
      return seen.flatMap((card) => Array.from(/** @type {NodeListOf<HTMLElement>} */ (card.querySelectorAll(":scope > .wall-text"))));
    }
  }

  class Text {
    /** @param {HTMLElement} element @param {Element} [cover] the whole screen, of which it is */
    constructor(element, cover) {
      this.element = element;
      this._cover = cover;
      const style = root.getComputedStyle(element);
      this._size = parseFloat(style.fontSize);
      this._lines = parseFloat(style.lineHeight) / this._size; // in sizes of a letter
      this._isLimited = style.maxHeight !== "none"; // by the room, else by a number of lines
    }

    useRoom() {
      if (this._cover) this.element.style.overflowWrap = "normal";
      else if (this._isLimited) this.element.style.webkitLineClamp = "none";
    }

    isCut() {
      if (this._cover) return this._isOver(this._cover);
      return this.element.scrollHeight > this.element.clientHeight + OVERHANG * this._size;
    }

    /* What is in the middle reaches out of it on both sides: scrollHeight tells only one. */
    /** @param {Element} cover */
    _isOver(cover) {
      const words = document.createRange();
      words.selectNodeContents(this.element);
      const [inner, outer] = [words, cover].map((one) => one.getBoundingClientRect());
      const edge = EDGE * Math.min(outer.width, outer.height);
      const isBeside = inner.left < outer.left + edge || inner.right > outer.right - edge;
      return isBeside || inner.top < outer.top + edge || inner.bottom > outer.bottom - edge;
    }

    /** Whether it may be as small as that. @param {number} share @param {number} least */
    writeSmaller(share, least) {
      const size = share * this._size;
      if (size < least) return false;
      this.element.style.fontSize = `${size}px`;
      return true;
    }

    end() {
      if (this._cover) this.element.style.overflowWrap = "";
      else if (this._isLimited) this._endBehindLine();
    }

    _endBehindLine() {
      const size = parseFloat(this.element.style.fontSize) || this._size;
      const lines = Math.floor((this.element.clientHeight + OVERHANG * size) / (this._lines * size));
      this.element.style.webkitLineClamp = String(Math.max(1, lines));
    }
  }

  root.WallFit = Fit;
})(globalThis);
