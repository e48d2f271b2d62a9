/* Which slides have their turn, by the clock and by what was shown. */
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const { test } = require("node:test");

const WALL = path.join(__dirname, "../../realtime_wall/wall/static/realtime_wall_wall");
const { Rota } = require(path.join(WALL, "rota.js"));

const MINUTE = 60_000;
const slide = (id, more) => ({ id, every_posts: 0, every_minutes: 0, begins: null, ends: null, ...more });

/* The ids that are due, minute by minute. */
function minutes(rota, from, to) {
  const found = [];
  for (let minute = from; minute <= to; minute += 1) found.push(rota.due(minute * MINUTE, 0).map(({ id }) => id).join("+"));
  return found.join(" ").replace(/ +/g, " ").trim();
}

test("slides with the same pause share it, and come in their order", () => {
  const rota = new Rota([1, 2, 3].map((id) => slide(id, { every_minutes: 6 })), 0);

  assert.equal(minutes(rota, 1, 12), "2 3 1 2 3 1");
});

test("screens that were opened at different times show a slide at the same time", () => {
  const slides = [slide(1, { every_minutes: 5 })];
  const [early, late] = [new Rota(slides, 0), new Rota(slides, 7.5 * MINUTE)];
  minutes(early, 1, 9);

  for (const rota of [early, late]) {
    assert.deepEqual(rota.due(10 * MINUTE - 1, 0), []);
    assert.equal(rota.due(10 * MINUTE, 0).length, 1);
  }
});

test("every so many posts, counted from its last turn", () => {
  const rota = new Rota([slide(1, { every_posts: 3 })], 0);

  assert.deepEqual([1, 2, 3, 4, 5, 6, 12].map((posts) => rota.due(0, posts).length), [0, 0, 1, 0, 0, 1, 1]);
});

test("not before it begins, nor when it has ended; once after a long sleep", () => {
  const rota = new Rota([slide(1, { every_minutes: 1, begins: 5 * MINUTE, ends: 8 * MINUTE })], 0);

  assert.equal(minutes(rota, 1, 10), "1 1 1");
  const slept = new Rota([slide(1, { every_minutes: 1 })], 0);
  assert.equal(slept.due(600 * MINUTE, 0).length, 1);
});

test("what was changed counts from then on", () => {
  const rota = new Rota([slide(1, { every_minutes: 1 })], 0);
  rota.set([slide(2, { every_minutes: 1 })]);

  assert.equal(rota.due(MINUTE, 0)[0].id, 2);
  assert.equal(rota.get(1), null);
});
