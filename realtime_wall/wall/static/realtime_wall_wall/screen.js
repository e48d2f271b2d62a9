/* What does a screen of the event (?screen=NAME) say of itself? What it shows, and what it has shown.
 *
 * What is on the screen is looked at, whatever draws it: each element with a data-key of which half can be seen, or which
 * fills half of the screen. Under a slide, or a message, are no posts.
 */
(function (root) {
  "use strict";

  const REPORT = 10000; // milliseconds
  const SOON = 1000;
  const LATEST = 5000; // more than that was no delay: the machine slept
  const HALF = 0.5;
  const COVER = ".wall-slide"; // what lies over the posts, and is written down itself
  const NEVER = [400, 413, 415]; // what the server will not take when it is sent again either

  class Screen {
    /** @param {string} name @param {Words} words */
    constructor(name, words) {
      this._name = name;
      document.documentElement.dataset.screen = name;
      this._address = words.report;
      this._isSending = false;
      const page = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0"));
      const store = storeOf(`realtime_wall.displays ${words.page} ${name}`);
      this._log = new root.WallDisplayLog.DisplayLog(page.join(""), store);
      /** @type {Map<HTMLElement, string>} */
      this._seen = new Map(); // element -> its key, of those that can be seen
      this._isCovered = false;
      this._watchElements(/** @type {HTMLElement} */ (document.querySelector(".wall-posts")?.parentElement));
      this._watchThePage();
      setInterval(() => this.report(), REPORT);
      setTimeout(() => this.report(), SOON); // when its first posts stand
    }

    /** @param {HTMLElement} stage */
    _watchElements(stage) {
      const thresholds = { threshold: [0, 0.25, HALF, 0.75, 1] };
      let since = firstPaint(); // of what came with the page
      const seen = new IntersectionObserver((entries) => {
        for (const entry of entries) this._look(entry, since);
        since = undefined;
      }, thresholds);
      const watch = (/** @type {Node} */ element) => this._keyed(element).forEach((one) => seen.observe(one));
      watch(stage);
      const leave = (/** @type {HTMLElement} */ element) => {
        seen.unobserve(element);
        this._gone(element);
      };
      new MutationObserver((changes) => {
        for (const { addedNodes, removedNodes } of changes) {
          removedNodes.forEach((node) => this._keyed(node).forEach((one) => one.isConnected || leave(one)));
          addedNodes.forEach(watch);
        }
        this._lookForCover();
      }).observe(stage, { childList: true, subtree: true });
      const message = document.querySelector(".wall-message");
      const look = () => this._lookForCover();
      if (message) new MutationObserver(look).observe(message, { attributes: true, attributeFilter: ["hidden"] });
    }

    _lookForCover() {
      const isCovered = Boolean(document.querySelector(".wall-slide, .wall-message:not([hidden])"));
      if (isCovered === this._isCovered) return;
      this._isCovered = isCovered;
      for (const [element, key] of this._seen) {
        if (isCovered && !element.matches(COVER)) this._log.end(key);
        else if (!isCovered) this._log.begin(key);
      }
    }

    /** @param {Node} node */
    _keyed(node) {
      if (!(node instanceof HTMLElement)) return [];
      const inside = /** @type {HTMLElement[]} */ (Array.from(node.querySelectorAll("[data-key]")));
      return node.dataset.key ? [node, ...inside] : inside;
    }

    /** @param {IntersectionObserverEntry} entry */
    _look({ target, isIntersecting, intersectionRatio, intersectionRect, rootBounds, time }, since = timeOf(time)) {
      if (!(target instanceof HTMLElement) || !target.isConnected) return;
      const { key = "" } = target.dataset;
      const fillsHalf = intersectionRect.height >= HALF * (rootBounds ? rootBounds.height : root.innerHeight);
      if (isIntersecting && (intersectionRatio >= HALF || fillsHalf)) {
        this._seen.set(target, key);
        if (!this._isCovered || target.matches(COVER)) this._log.begin(key, since);
      } else this._gone(target, since);
    }

    /** @param {HTMLElement} element */
    _gone(element, now = Date.now()) {
      const key = this._seen.get(element);
      this._seen.delete(element);
      // Of a post that stands on the screen twice, one may go.
      if (key && ![...this._seen.values()].includes(key)) this._log.end(key, now);
    }

    _watchThePage() {
      const page = document.documentElement;
      const look = () => {
        const isVisible = document.visibilityState === "visible" && page.dataset.blank !== "yes";
        if (isVisible === this._log.isVisible) return;
        this._log.setVisible(isVisible);
        this.report();
      };
      document.addEventListener("visibilitychange", look);
      new MutationObserver(look).observe(page, { attributes: true, attributeFilter: ["data-blank"] });
      root.addEventListener("pagehide", () => {
        this._log.endAll();
        this._log.save();
      });
      look();
    }

    async report() {
      this._log.save();
      if (this._isSending) return;
      this._isSending = true;
      let goesOn = true;
      while (goesOn) goesOn = await this._send(this._log.batch());
      this._isSending = false;
    }

    /** Whether there is more to be sent. @param {Display[]} displays */
    async _send(displays) {
      const body = JSON.stringify({
        screen: this._name,
        now: Date.now(),
        layout: document.documentElement.dataset.layout || "stream",
        post: keyOnStage(),
        visible: this._log.isVisible,
        displays,
      });
      try {
        const headers = { "Content-Type": "application/json" };
        const answer = await root.WallNetwork.ask(this._address, { method: "POST", headers, body });
        await answer.text(); // what is not read is never forgotten: 7 KB each, every ten seconds
        if (!answer.ok) console.warn(`the server does not take what this screen says: ${answer.status}`);
        const isTaken = answer.ok || NEVER.includes(answer.status);
        return this._log.confirm(isTaken) && answer.ok;
      } catch {
        this._log.confirm(false); // without network it waits
        return false;
      }
    }
  }

  /* When what came with the page was first to be seen, which is before its scripts have run. */
  function firstPaint() {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return paint ? Math.round(performance.timeOrigin + paint.startTime) : undefined;
  }

  /** On the clock: of the frame that was looked at, and a busy machine is told of later. @param {number} frame */
  function timeOf(frame) {
    const late = performance.now() - frame;
    return Date.now() - (late > 0 && late < LATEST ? Math.round(late) : 0);
  }

  /* The slide that covers all; else the post that has the stage, or is the newest. */
  function keyOnStage() {
    const on = /** @type {HTMLElement} */ (document.querySelector(COVER) || document.querySelector(".wall-current"));
    return on ? on.dataset.key : "";
  }

  /** A browser that keeps nothing forgets with the page what the server does not have. @param {string} name */
  function storeOf(name) {
    return {
      read() {
        try {
          return JSON.parse(root.localStorage.getItem(name) ?? "null");
        } catch {
          return null;
        }
      },
      /** @param {Display[]} value */
      write(value) {
        try {
          root.localStorage.setItem(name, JSON.stringify(value));
        } catch {
          console.warn("this browser keeps no displays");
        }
      },
    };
  }

  const name = new URLSearchParams(root.location.search).get("screen");
  const words = root.WallFrame.readConfig("wall-config");
  if (name && name.trim()) new Screen(name.trim(), words);
})(globalThis);
