/* How do the others make room for a post? The list starts where it was, and slides to where it is now; what is too
 * far down to be seen has no part in it. In a rush nothing slides: no eye follows a page of posts each second, and a
 * browser without a graphics card would draw all the time. */
(function (root) {
  "use strict";

  const ARRIVAL = 300; // milliseconds
  const NEAR = 12; // cards, which a usual screen does not show
  const LOWEST = 3.5; // how high a card is at least, in sizes of its letters: a name, a line, and its edges

  /** @param {HTMLElement} list @param {() => void} change @param {boolean} [inRush] */
  function makeRoom(list, change, inRush = false) {
    const former = new Set(list.children);
    const [formerTop] = list.children;
    change();
    const top = /** @type {HTMLElement | undefined} */ (list.firstElementChild);
    if (!top || top === formerTop) return;
    const added = former.has(top) ? 0 : between(top, /** @type {HTMLElement} */ (formerTop)); // else it has only moved
    if (root.scrollY > root.WallFrame.AT_THE_TOP) {
      root.scrollBy(0, added); // what is being read stays where it is
      return;
    }
    if (inRush || root.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const timing = { duration: ARRIVAL, easing: "cubic-bezier(0.2, 0.7, 0.2, 1)" };
    const shift = Math.min(added + leftOf(list), root.innerHeight);
    list.animate([{ transform: `translateY(${-shift}px)` }, { transform: "none" }], timing);
    top.animate([{ opacity: 0 }, { opacity: 1 }], timing);
  }

  /* How far down the card that was on top is now. The list's height does not tell: as many cards may have left it
   * below as came. */
  /** @param {HTMLElement} top @param {HTMLElement | undefined} formerTop */
  function between(top, formerTop) {
    if (!formerTop || document.documentElement.dataset.layout === "grid") return 0; // where cards move aside, not down
    return formerTop.offsetParent ? formerTop.offsetTop - top.offsetTop : root.innerHeight;
  }

  /* How far the list still had to slide, for the posts just before: from here on it slides for all of them. */
  /** @param {HTMLElement} list */
  function leftOf(list) {
    const running = list.getAnimations();
    if (!running.length) return 0;
    const left = -new DOMMatrixReadOnly(root.getComputedStyle(list).transform).m42;
    running.forEach((animation) => animation.cancel());
    return left;
  }

  /* Cards far down are not painted until somebody comes to them, which nobody does on a screen of the event: there they
   * are not laid out either (wall.css). Else with each post that arrives all of them would move. */
  class Depth {
    /** @param {HTMLElement} list */
    constructor(list) {
      this._list = list;
      this._near = NEAR;
      this._measure();
      root.addEventListener("resize", () => this._measure());
    }

    _measure() {
      const lowest = LOWEST * parseFloat(root.getComputedStyle(this._list).fontSize);
      this._near = Math.max(NEAR, Math.ceil(root.innerHeight / lowest));
      this.set();
    }

    set() {
      Array.from(this._list.children, (card, index) => card.classList.toggle("wall-far", index >= this._near));
    }
  }

  root.WallMotion = { Depth, makeRoom };
})(globalThis);
