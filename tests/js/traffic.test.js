/* The lines of the admin's live page. */
"use strict";

const assert = require("node:assert");
const { test } = require("node:test");

const Traffic = require("../../realtime_wall/monitor/static/realtime_wall_monitor/traffic.js");

const live = (figures) => ({
  querySelectorAll: () => Object.entries(figures).map(([figure, textContent]) => ({ dataset: { figure }, textContent })),
});
const store = () => {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text) };
};

test("a counter is drawn by how much it grows each second, and one that fell began anew", () => {
  const readings = [
    { time: 0, sent: 100, here: 5 },
    { time: 5000, sent: 150, here: 7 },
    { time: 15000, sent: 150 },
    { time: 20000, sent: 20, here: 2 },
  ];

  assert.deepEqual(Traffic.series(readings, "sent", true), [10, 0, 0]);
  assert.deepEqual(Traffic.series(readings, "here", false), [5, 7, 0, 2]);
  assert.equal(Traffic.points([0, 5, 10]), "0.0,60.0 300.0,30.0 600.0,0.0");
  assert.equal(Traffic.points([]), "");
});

test("readings are kept for as long as the tab is open, and not without an end", () => {
  const tab = store();
  tab.setItem("realtime_wall_monitor.traffic", "{");

  for (let now = 0; now < 400; now += 1) Traffic.note(live({ sockets: String(now) }), tab, now);
  const readings = Traffic.note(live({ sockets: "400" }), tab, 400);

  assert.equal(readings.length, 360);
  assert.deepEqual(readings[359], { time: 400, sockets: 400 });
  assert.deepEqual(Traffic.note(live({}), tab, 401), []);
});

test("a channel's rate is what was published since the page before, where that had it", () => {
  const page = (published) => {
    const cells = Object.entries(published).map(([channel, number]) => ({ dataset: { channel, published: String(number) } }));
    return { cells, querySelectorAll: () => cells };
  };
  const after = page({ busy: 30, quiet: 5, anew: 1, new: 7 });

  Traffic.drawRates(page({ busy: 10, quiet: 5, anew: 9 }), after, 5);

  assert.deepEqual(after.cells.map((cell) => cell.textContent), ["4.0", "0.0", undefined, undefined]);
});
