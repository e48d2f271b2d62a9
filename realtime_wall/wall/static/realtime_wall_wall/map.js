/* The map of a wall: a dot for each post that says where it was written, as it comes, and the counters of places.
 *
 * In the drawing x is 180 + longitude and y is 90 - latitude. Who draws a box on it sees what is inside.
 */
(function (root) {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const SMALLEST = 0.5; // degrees; a click is no box
  const Frame = root.WallFrame;
  const { keyOf } = root.WallCard;

  class WallMap {
    /** @param {SVGSVGElement} drawing @param {Element} places @param {Words} words */
    constructor(drawing, places, words) {
      this._drawing = drawing;
      this._dots = /** @type {SVGGElement} */ (drawing.querySelector(".wall-dots"));
      this._rect = /** @type {SVGRectElement} */ (drawing.querySelector(".wall-box"));
      this._places = places;
      this._words = words;
      /** @type {{ x: number, y: number } | null} */
      this._from = null; // where a box was begun
      drawing.addEventListener("pointerdown", (event) => this._begin(event));
      drawing.addEventListener("pointermove", (event) => this._draw(event));
      drawing.addEventListener("pointerup", (event) => this._end(event));
    }

    /** @param {Post} post */
    receive(post) {
      const { longitude, latitude } = post;
      if (longitude === undefined || latitude === undefined || !this._isInside(longitude, latitude)) return;
      const dot = document.createElementNS(SVG, "path");
      const title = document.createElementNS(SVG, "title");
      title.textContent = [post.author_name, post.place, post.text.slice(0, 140)].filter(Boolean).join(" ");
      dot.setAttribute("d", `M${180 + longitude} ${90 - latitude}h0`);
      dot.dataset.key = keyOf(post);
      dot.append(title);
      this._dots.prepend(dot);
      while (this._dots.children.length > this._words.most) this._dots.lastElementChild?.remove();
      if (post.place) this._count(post.place);
    }

    /** @param {Post} post */
    remove(post) {
      for (const dot of Frame.cardsOf(this._dots)) if (dot.dataset.key === keyOf(post)) dot.remove();
    }

    /** @param {string} place */
    _count(place) {
      const line = Frame.cardsOf(this._places).find((one) => one.dataset.place === place) || this._line(place);
      Object.assign(line.lastElementChild ?? {}, { textContent: String(numberIn(line) + 1) });
      for (let before = line.previousElementSibling; before && numberIn(before) < numberIn(line); before = line.previousElementSibling) {
        before.before(line);
      }
    }

    /** @param {string} place */
    _line(place) {
      const line = document.createElement("li");
      line.dataset.place = place;
      const name = document.createElement("bdi");
      name.textContent = place;
      line.append(name, " ", document.createElement("output"));
      this._places.append(line);
      return line;
    }

    /** @param {number} longitude @param {number} latitude */
    _isInside(longitude, latitude) {
      const [west, south, east, north] = this._words.box;
      const beside = west > east ? longitude >= west || longitude <= east : longitude >= west && longitude <= east;
      return beside && latitude >= south && latitude <= north;
    }

    /** @param {PointerEvent} event */
    _degrees(event) {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this._drawing.getScreenCTM()?.inverse());
      return { x: Math.min(360, Math.max(0, point.x)), y: Math.min(180, Math.max(0, point.y)) };
    }

    /** @param {PointerEvent} event */
    _begin(event) {
      this._from = this._degrees(event);
      this._drawing.setPointerCapture(event.pointerId);
    }

    /** @param {PointerEvent} event */
    _draw(event) {
      if (!this._from) return;
      const to = this._degrees(event);
      const box = { x: Math.min(this._from.x, to.x), y: Math.min(this._from.y, to.y) };
      const size = { width: Math.abs(this._from.x - to.x), height: Math.abs(this._from.y - to.y) };
      for (const [name, value] of Object.entries({ ...box, ...size })) this._rect.setAttribute(name, String(value));
      this._rect.setAttribute("visibility", "visible");
    }

    /** @param {PointerEvent} event */
    _end(event) {
      const [from, to] = [this._from, this._degrees(event)];
      this._from = null;
      this._rect.setAttribute("visibility", "hidden");
      if (!from || Math.abs(from.x - to.x) < SMALLEST || Math.abs(from.y - to.y) < SMALLEST) return;
      const [west, east] = [from.x, to.x].sort((a, b) => a - b).map((x) => (x - 180).toFixed(2));
      const [north, south] = [from.y, to.y].sort((a, b) => a - b).map((y) => (90 - y).toFixed(2));
      root.location.search = `?box=${[west, south, east, north].join(",")}`;
    }
  }

  /** @param {Element} line */
  function numberIn(line) {
    return Number(line.querySelector("output")?.textContent);
  }

  function start() {
    const words = Frame.readConfig("map-config");
    const drawing = /** @type {SVGSVGElement} */ (document.querySelector(".wall-map"));
    const places = /** @type {HTMLElement} */ (document.querySelector(".wall-places"));
    const map = new WallMap(drawing, places, words);
    const list = /** @type {HTMLElement} */ (document.querySelector(".wall-posts"));
    root.WallNetwork.subscribe(words, list, {
      tweet: (post) => map.receive(post),
      tweet_changed: () => {},
      tweet_removed: (post) => map.remove(post),
      gap: () => root.location.reload(),
    });
  }

  start();
})(globalThis);
