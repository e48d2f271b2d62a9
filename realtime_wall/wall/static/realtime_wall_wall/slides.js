/* A slide lies over the posts for its seconds; they wait for it. What cannot be loaded leaves no hole. */
(function (root) {
  "use strict";

  const SECOND = 1000;

  class Slides {
    /* wall: whose posts are counted; hold(held): they wait meanwhile; isFree(): nothing else has the screen */
    /** @param {Slide[]} slides @param {{ now(): number, count: number }} wall
     * @param {(held: boolean) => void} hold @param {() => boolean} isFree */
    constructor(slides, wall, hold, isFree) {
      this._wall = wall;
      this._hold = hold;
      this._isFree = isFree;
      this._rota = new root.WallRota(slides, wall.now());
      /** @type {Slide[]} */
      this._next = []; // whose turn has come
      /** @type {HTMLElement | null} */
      this._place = null; // what is shown now
      this._timer = 0;
      setInterval(() => this._look(), SECOND);
    }

    /** @param {Slide[]} slides */
    set(slides) {
      this._rota.set(slides);
    }

    /** At once, because the director says so. @param {number} id */
    show(id) {
      const slide = this._rota.get(id);
      if (slide) this._show(slide);
    }

    end() {
      clearTimeout(this._timer);
      if (!this._place) return;
      this._place.remove();
      this._place = null;
      this._hold(false);
    }

    _look() {
      /** @param {Slide} slide */
      const isIn = (slide) => this._next.some(({ id }) => id === slide.id);
      for (const slide of this._rota.due(this._wall.now(), this._wall.count)) if (!isIn(slide)) this._next.push(slide);
      if (this._place || !this._next.length || !this._isFree()) return;
      const [slide] = this._next.splice(0, 1);
      this._show(slide);
    }

    /** @param {Slide} slide */
    _show(slide) {
      this.end();
      const place = draw(slide);
      place.dataset.key = `slide:${slide.name}`; // as it is written down, for the sponsor
      const [media] = place.querySelectorAll("img, video");
      if (media) media.addEventListener("error", () => (slide.text ? media.remove() : this.end()), true);
      if (slide.film) media.addEventListener("ended", () => this.end());
      document.querySelector(".wall-stage")?.append(place);
      this._place = place;
      this._hold(true);
      this._timer = setTimeout(() => this.end(), slide.seconds * SECOND);
    }
  }

  /** Also in the admin, before it is saved. @param {Shown} slide */
  function draw(slide) {
    const place = element("section", "wall-slide");
    if (slide.film) place.append(film(slide));
    else if (slide.picture) place.append(Object.assign(element("img"), { src: slide.picture, alt: slide.text ? "" : slide.name }));
    if (slide.text) place.append(Object.assign(element("p"), { textContent: slide.text, dir: "auto" }));
    return place;
  }

  /** Without sound: so browsers let it begin, and so does the hall. @param {Shown} slide */
  function film(slide) {
    const isStill = root.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const made = Object.assign(element("video"), { muted: true, playsInline: true, autoplay: !isStill, src: slide.film });
    if (slide.picture) made.poster = slide.picture;
    made.setAttribute("aria-label", slide.text || slide.name);
    return made;
  }

  /** @template {keyof HTMLElementTagNameMap} Tag @param {Tag} tag */
  function element(tag, kind = "") {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    return made;
  }

  root.WallSlides = Object.assign(Slides, { draw });
})(globalThis);
