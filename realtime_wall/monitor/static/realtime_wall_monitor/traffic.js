// What has gone over the site while this tab was open: readings of counters, and the lines that they make.
"use strict";

/** @typedef {{ time: number } & Record<string, number>} Reading */

const MonitorTraffic = (() => {
  const KEPT = 360; // half an hour, at one reading in five seconds
  const STORE = "realtime_wall_monitor.traffic";
  const [WIDTH, HEIGHT] = [600, 60];

  /* Of a counter how much it grows each second; of anything else what it is. One that fell began anew. */
  /** @param {Reading[]} readings @param {string} name @param {boolean} isCounter */
  function series(readings, name, isCounter) {
    if (!isCounter) return readings.map((reading) => reading[name] ?? 0);
    return readings.slice(1).map((reading, index) => {
      const before = readings[index];
      const grown = (reading[name] ?? 0) - (before[name] ?? 0);
      return grown > 0 ? (1000 * grown) / Math.max(1, reading.time - before.time) : 0;
    });
  }

  /** @param {number[]} values */
  function points(values) {
    const most = Math.max(...values, 1);
    const step = WIDTH / Math.max(1, values.length - 1);
    return values.map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - (HEIGHT * value) / most).toFixed(1)}`).join(" ");
  }

  /** @param {Element} live @param {number} now */
  function read(live, now) {
    /** @type {Reading} */
    const reading = { time: now };
    const cells = /** @type {NodeListOf<HTMLElement>} */ (live.querySelectorAll("[data-figure]"));
    for (const cell of cells) reading[cell.dataset.figure ?? ""] = Number(cell.textContent);
    return reading;
  }

  /** @param {Element} live @param {Storage} store @param {number} now */
  function note(live, store, now) {
    const reading = read(live, now);
    if (Object.keys(reading).length === 1) return [];
    let readings = [];
    try {
      readings = JSON.parse(store.getItem(STORE) || "[]");
    } catch {
      // Something else's: it is written over.
    }
    readings = [...readings, reading].slice(-KEPT);
    store.setItem(STORE, JSON.stringify(readings));
    return readings;
  }

  /** @param {Element} place @param {Reading[]} readings */
  function draw(place, readings) {
    for (const figure of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-series]"))) {
      const values = series(readings, figure.dataset.series ?? "", "counter" in figure.dataset);
      figure.querySelector("polyline")?.setAttribute("points", points(values));
      const last = values[values.length - 1];
      Object.assign(figure.querySelector("output") ?? {}, { textContent: last === undefined ? "" : String(Math.round(last)) });
    }
  }

  /* Into the cell of each channel: how many messages a second it has had since the page before. */
  /** @param {Element} before @param {ParentNode} page @param {number} seconds */
  function drawRates(before, page, seconds) {
    /** @param {ParentNode} place @returns {HTMLElement[]} */
    const cells = (place) => Array.from(place.querySelectorAll("[data-published]"));
    const had = new Map(cells(before).map(({ dataset }) => [dataset.channel, Number(dataset.published)]));
    for (const cell of cells(page)) {
      const grown = Number(cell.dataset.published) - (had.get(cell.dataset.channel) ?? NaN);
      if (grown >= 0) cell.textContent = (grown / Math.max(1, seconds)).toFixed(1); // else it is new here, or began anew
    }
  }

  return { series, points, note, draw, drawRates };
})();

if (typeof module === "object") module.exports = MonitorTraffic;
