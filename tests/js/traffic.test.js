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
