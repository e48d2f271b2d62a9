/* What the pages of a wall have around their posts: the pill, the clock, the count, and pictures that fail. */
(function (root) {
  "use strict";

  const FOLD_SHOWN = 4000;
  const AT_THE_TOP = 80; // pixels; who has scrolled further is reading, and nothing moves
  const RETWEETS = "realtime_wall.retweets";
  const SAID_EVERY = 5000;
  const TICK = 15000; // what is written in minutes need not be updated every second

  /* The pill at the top: how many posts came at once, or wait for a reader who has scrolled down. */
  class More {
    /** @param {string} words @param {() => void} released */
    constructor(words, released) {
      this._pill = /** @type {HTMLElement} */ (document.querySelector(".wall-more"));
      this._words = words;
      this._timer = 0;
      this._held = false;
      if (!this._pill) return;
      this._pill.addEventListener("click", () => root.scrollTo({ top: 0 }));
      root.addEventListener("scroll", () => {
        if (!this._held || root.scrollY > AT_THE_TOP) return;
        this._hide();
        released();
      });
    }

    /** For a moment. @param {number} number */
    flash(number) {
      if (!number) return;
      this._show(number);
      this._held = false;
      this._timer = setTimeout(() => this._hide(), FOLD_SHOWN);
    }

    /** Until the reader is back at the top, or none waits any more. @param {number} number */
    hold(number) {
      if (number) this._show(number);
      else if (this._held) this._hide();
      this._held = number > 0;
    }

    /** @param {number} number */
    _show(number) {
      if (!this._pill) return;
      clearTimeout(this._timer);
      this._pill.textContent = this._words.replace("{}", String(number));
      this._pill.hidden = false;
    }

    _hide() {
      this._held = false;
      this._pill.hidden = true;
    }
  }

  /* Whether retweets are shown: the choice of this browser, kept in it. */
  function startSwitch() {
    const box = /** @type {HTMLInputElement} */ (document.querySelector(".wall-switch input"));
    if (!box) return;
    const page = document.documentElement;
    const choice = () => (box.checked ? "shown" : "hidden");
    const update = () => {
      page.dataset.retweets = choice();
    };
    box.checked = remembered() !== "hidden";
    box.addEventListener("change", () => {
      update();
      remember(choice());
    });
    box.disabled = false;
    update();
  }

  /* A browser that keeps nothing forgets the choice with the page. */
  function remembered() {
    try {
      return root.localStorage.getItem(RETWEETS);
    } catch {
      return null;
    }
  }

  /** @param {string} choice */
  function remember(choice) {
    try {
      root.localStorage.setItem(RETWEETS, choice);
    } catch {
      console.warn("this browser keeps no choice");
    }
  }

  function readCount() {
    const place = document.querySelector(".wall-count");
    return place ? Number(place.textContent) : 0;
  }

  /** @param {number} number */
  function addToCount(number) {
    const total = String(readCount() + number);
    for (const place of document.querySelectorAll(".wall-count")) place.textContent = total;
  }

  /* In a task of its own: what a browser knows of the languages of the world takes it 25 ms to read. */
  function startClock() {
    const place = document.querySelector(".wall-clock");
    if (!place) return;
    setTimeout(() => {
      const words = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
      const update = () => {
        const now = words.format(new Date());
        if (place.textContent !== now) place.textContent = now;
      };
      update();
      setInterval(update, 1000);
    });
  }

  /** A picture that cannot be had leaves no hole: under a face are the initials. @param {Element} list */
  function watchPictures(list) {
    list.addEventListener("error", ({ target }) => target instanceof HTMLImageElement && takeOut(target), true);
    takeOutBroken(list);
  }

  /** Those that failed before they were listened to. @param {Element} element */
  function takeOutBroken(element) {
    for (const picture of element.querySelectorAll("img")) {
      if (picture.complete && !picture.naturalWidth) takeOut(picture);
    }
  }

  /** @param {Element} picture */
  function takeOut(picture) {
    (picture.closest(".wall-media") || picture).remove();
  }

  /** "now" becomes "1 min". @param {Element} list @param {Labels} labels @param {() => number} now */
  function keepTimes(list, labels, now) {
    setInterval(() => {
      for (const time of list.querySelectorAll("time")) {
        const words = root.WallCard.ago(time.dateTime, labels, now());
        if (time.textContent !== words) time.textContent = words;
      }
    }, TICK);
  }

  /* To those who hear a page: what came, politely, and no more than every few seconds. */
  class Announcer {
    /** @param {string} words */
    constructor(words) {
      this._place = document.querySelector(".wall-aloud");
      this._words = words;
      this._sentence = "";
      this._number = 0;
      this._timer = 0;
    }

    /** Of one post its own words may be said; of several how many they are. @param {number} number */
    add(number, sentence = "") {
      this._number += number;
      if (!this._place || !this._number) return;
      this._sentence = this._number === 1 ? sentence : "";
      this._timer = this._timer || setTimeout(() => this._say(), SAID_EVERY);
    }

    _say() {
      if (this._place) this._place.textContent = this._sentence || this._words.replace("{}", String(this._number));
      this._number = 0;
      this._timer = 0;
    }
  }

  /* The button that stops all movement, for who needs more time to read (WCAG 2.2.2). */
  /** @param {{ rest(isResting: boolean): void }} wall */
  function startRest(wall) {
    const button = document.querySelector(".wall-rest");
    if (!button) return;
    button.addEventListener("click", () => {
      const isResting = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(isResting));
      document.documentElement.dataset.resting = isResting ? "yes" : "no";
      wall.rest(isResting);
    });
  }

  /** @param {Element} list @returns {HTMLElement[]} */
  function cardsOf(list) {
    return /** @type {HTMLElement[]} */ (Array.from(list.children));
  }

  /** How many posts can be seen at once, whole. @param {Element} list */
  function placesIn(list) {
    const end = Math.min(root.innerHeight, list.getBoundingClientRect().bottom + 1);
    const isWhole = (/** @type {HTMLElement} */ card) => card.offsetHeight > 0 && card.getBoundingClientRect().bottom <= end;
    return cardsOf(list).slice(0, 12).filter(isWhole).length;
  }

  /** What the server has written for the page's script. @param {string} id */
  function readConfig(id) {
    const element = /** @type {HTMLElement} */ (document.getElementById(id));
    return JSON.parse(element.textContent ?? "");
  }

  const posts = { cardsOf, placesIn, keepTimes, takeOutBroken, watchPictures };
  const around = { Announcer, More, addToCount, readCount, startClock, startRest, startSwitch };
  root.WallFrame = { AT_THE_TOP, ...around, ...posts, readConfig };
})(globalThis);
