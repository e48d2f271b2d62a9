/* How does a page of the wall get news and answers, and what does it say while it gets none? */
(function (root) {
  "use strict";

  const PATIENCE = 20000; // on a line that is dead nobody answers, and it may take the browser minutes to notice
  const RETRY = [1000, 2000, 5000, 10000];
  const GRACE = 1500; // a connection that is back sooner was never lost, as far as the audience knows
  const SLEPT = 10000; // a clock that jumps by more: the machine slept
  const SOON = 500; // until a screen of the event asks again; there are few of them
  const ANSWERED = 800; // else it asks anew
  const TOO_MUCH = 1008; // it has sent, and is to wait

  // -- the dot

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

  // -- answers

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

  // -- news

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

  root.WallNetwork = { ask, askUntil, comeBackSoon, readJson, setDown, statusReporter, subscribe };
})(globalThis);
