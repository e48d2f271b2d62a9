/* How do the others make room for a post? The list starts where it was, and slides to where it is now. */
(function (root) {
  "use strict";

  const ARRIVAL = 300; // milliseconds

  /** @param {HTMLElement} list @param {() => void} change */
  function makeRoom(list, change) {
    const before = list.offsetHeight;
    const [formerTop] = list.children;
    change();
    const added = list.offsetHeight - before;
    const [top] = list.children;
    if (top === formerTop) return;
    if (root.scrollY > root.WallFrame.AT_THE_TOP) {
      root.scrollBy(0, added); // what is being read stays where it is
      return;
    }
    if (!top || root.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const timing = { duration: ARRIVAL, easing: "cubic-bezier(0.2, 0.7, 0.2, 1)" };
    const shift = Math.min(added + leftOf(list), root.innerHeight);
    list.animate([{ transform: `translateY(${-shift}px)` }, { transform: "none" }], timing);
    top.animate([{ opacity: 0 }, { opacity: 1 }], timing);
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

  root.WallMotion = { makeRoom };
})(globalThis);
