/* What the pages of a wall have around their posts: the pill, the dot, the clock, and pictures that fail. */
(function (root) {
  "use strict";

  const FOLD_SHOWN = 4000;
  const RETRY = [1000, 2000, 5000, 10000];
  const AT_THE_TOP = 80; // pixels; who has scrolled further is reading, and nothing moves
  const GRACE = 1500; // a connection that is back sooner was never lost, as far as the audience knows
  const RETWEETS = "realtime_wall.retweets";
  const SAID_EVERY = 5000;
  const SLEPT = 10000; // a clock that jumps by more: the machine slept
  const SOON = 500; // until a screen of the event asks again; there are few of them
  const ANSWERED = 800; // else it asks anew
  const PATIENCE = 20000; // on a line that is dead nobody answers, and it may take the browser minutes to notice
  const TOO_MUCH = 1008; // it has sent, and is to wait
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

  /* live; lost, and back by itself; failed from the start; or closed for good. */
  /** @param {Record<string, string>} words */
  function statusReporter(words) {
    const place = /** @type {HTMLElement} */ (document.querySelector(".wall-status"));
    let timer = 0;
    let wasOpen = false;
    const report = (/** @type {string} */ state) => {
      place.dataset.state = state;
      writeIn(place, words[state]);
    };
    /** @param {{ state: string }} status */
    return ({ state }) => {
      if (!place) return;
      if (state !== "open" && state !== "closed") {
        timer = timer || setTimeout(() => report(wasOpen ? "lost" : "failed"), GRACE);
        return;
      }
      clearTimeout(timer);
      timer = 0;
      wasOpen = wasOpen || state === "open";
      const isDown = document.documentElement.dataset.sources === "down";
      report(state !== "open" ? "closed" : isDown ? "behind" : "live");
    };
  }

  /* Connected, but nothing new can come: then the page does not claim to be live. */
  /** @param {boolean} isDown @param {Record<string, string>} words */
  function setDown(isDown, words) {
    const place = /** @type {HTMLElement} */ (document.querySelector(".wall-status"));
    document.documentElement.dataset.sources = isDown ? "down" : "up";
    if (!place || !["live", "behind"].includes(place.dataset.state ?? "")) return;
    place.dataset.state = isDown ? "behind" : "live";
    writeIn(place, words[place.dataset.state]);
  }

  /** @param {HTMLElement} place @param {string} word */
  function writeIn(place, word) {
    const written = place.querySelector(".wall-status-word");
    if (written) written.textContent = word;
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

  function startClock() {
    const place = document.querySelector(".wall-clock");
    if (!place) return;
    const words = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
    const update = () => {
      const now = words.format(new Date());
      if (place.textContent !== now) place.textContent = now;
    };
    update();
    setInterval(update, 1000);
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

  /** As fetch, and no longer. @param {string} address @param {RequestInit} options */
  function ask(address, options = {}, patience = PATIENCE) {
    return fetch(address, { ...options, signal: AbortSignal.timeout(patience) });
  }

  /** What the server answers; null, and a note in the console, when it does not. @param {string} address */
  async function readJson(address) {
    try {
      const answer = await ask(address);
      if (answer.ok) return await answer.json();
      console.warn(`${address} could not be read: ${answer.status}`);
      await answer.text(); // else the browser keeps it
    } catch (problem) {
      console.warn(`${address} could not be read:`, problem);
    }
    return null;
  }

  /** @param {number} delay */
  function pause(delay) {
    return new Promise((resolve) => setTimeout(resolve, delay));
  }

  /* Again and again, until there is an answer; null once it is wanted no more. */
  /** @param {() => Promise<any>} ask @param {() => boolean} isWanted */
  async function askUntil(ask, isWanted) {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await ask();
      if (!isWanted()) return null;
      if (answer) return answer;
      const delay = RETRY[Math.min(attempt, RETRY.length - 1)] * (0.5 + Math.random());
      await pause(delay);
      if (!isWanted()) return null;
    }
  }

  /* To the channel, from the position at which the list was written; "gap" is when to read it again. */
  /** @param {Words} words @param {HTMLElement} list @param {Reacting} reacting */
  function subscribe(words, list, { gap, ...events }) {
    const socket = root.Realtime.connect();
    for (const [event, react] of Object.entries(events)) {
      socket.on(event, (message, { channel }) => channel === words.channel && react(message));
    }
    socket.on("status", statusReporter(words.status));
    wakeUp(socket);
    socket.subscribe(words.channel, {
      since: list.dataset.cursor,
      onGap: gap,
      onSubscribed: ({ cursor }) => {
        // A page that was written without a live server does not know where it stands.
        if (!list.dataset.cursor) gap();
        if (cursor) list.dataset.cursor = cursor;
      },
    });
    return socket;
  }

  /** Of a connection that was lost in its sleep a machine is told late, or never. @param {RealtimeSocket} socket */
  function wakeUp(socket) {
    let before = Date.now();
    setInterval(() => {
      const isAwake = Date.now() - before < SLEPT || document.visibilityState !== "visible"; // or its timers are slow
      before = Date.now();
      if (!isAwake) socket.reconnect();
    }, 1000);
  }

  /* Thousands of pages take their time; a screen asks until the network is there, and is back before the hall has noticed. */
  /** @param {RealtimeSocket} socket @param {string} address of something small */
  function comeBackSoon(socket, address) {
    let isAway = false;
    let isLooking = false;
    const look = async () => {
      isLooking = true;
      let wasThere = true;
      while (isAway) {
        await pause(SOON);
        const isThere = await answersSoon(address);
        // What was begun while it was away may wait long for an answer that got lost.
        if (isAway && isThere) wasThere ? socket.connect() : socket.reconnect();
        wasThere = isThere;
      }
      isLooking = false;
    };
    socket.on("status", ({ state, code }) => {
      isAway = (state === "waiting" && code !== TOO_MUCH) || (isAway && state === "connecting");
      if (isAway && !isLooking) look();
    });
  }

  /** Whatever it answers. @param {string} address */
  function answersSoon(address) {
    return ask(address, { method: "HEAD", cache: "no-store" }, ANSWERED).then(
      () => true,
      () => false,
    );
  }

  const around = { Announcer, More, cardsOf, keepTimes, placesIn, readConfig, setDown, statusReporter };
  const shared = { ...around, ask, askUntil, comeBackSoon, readJson, subscribe, takeOutBroken };
  root.WallFrame = { AT_THE_TOP, ...shared, addToCount, readCount, startClock, startRest, startSwitch, watchPictures };
})(globalThis);
