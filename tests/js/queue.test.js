/* What comes next on the stage, and when: without a page, and with a clock of the test's own. */
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const { test } = require("node:test");

const WALL = path.join(__dirname, "../../realtime_wall/wall/static/realtime_wall_wall");
const { Queue, keyInSlot, keyOf } = require(path.join(WALL, "queue.js"));

const post = (id, author = id) => ({ source: "x", id: String(id), author_id: String(author) });
const keys = (count) => Array.from({ length: count }, (_, index) => `x:${index}`);
const oneByOne = { seconds: 10, single: true };

function drain(queue, places = 1) {
  const ids = [];
  for (let step = queue.arrive(() => places); step; step = queue.arrive(() => places)) ids.push(...step.posts.map(({ id }) => id));
  return ids.join(" ");
}

test("a few arrive one after the other, a burst at once", () => {
  const queue = new Queue({}, 0);
  for (const id of [1, 2, 3]) queue.add(post(id), 0);
  assert.deepEqual(queue.arrive(() => 5), { posts: [post(1)], pace: 900, folded: 0, inRush: false });

  for (const id of [4, 5, 6, 7, 8]) queue.add(post(id), 0);
  const parts = [1, 2, 3].map(() => queue.arrive(() => 5));
  assert.deepEqual(parts.map(({ posts }) => posts.map(({ id }) => id).join(" ")), ["2 3 4", "5 6 7", "8"]);
  assert.deepEqual(parts.map(({ pace, folded }) => [pace, folded]), [[0, 0], [0, 0], [900, 6]]);
});

test("bursts that come back to back are a rush, from the second on until one post comes alone", () => {
  const queue = new Queue({}, 0);
  const arrivals = (count) => {
    for (let id = 0; id < count; id += 1) queue.add(post(id), 0);
    const parts = [];
    for (let part = queue.arrive(() => 5); part; part = part.pace ? null : queue.arrive(() => 5)) parts.push(part.inRush);
    return parts;
  };

  assert.deepEqual([1, 6, 6, 5, 1, 6].map(arrivals), [
    [false], [false, false], [true, true], [true, true], [false], [false, false],
  ]);
});

test("what is taken back, or comes, between two parts of a burst makes no other burst of it", () => {
  const queue = new Queue({}, 0);
  for (const id of [1, 2, 3, 4, 5, 6]) queue.add(post(id), 0);
  queue.arrive(() => 5);
  for (const id of [4, 5]) queue.take(`x:${id}`);
  queue.add(post(7), 0);

  assert.deepEqual(queue.arrive(() => 5).posts, [post(6), post(7)]);
  assert.equal(queue.arrive(() => 5), null);
});

test("with a least time each has its turn, author by author, for its share of the places", () => {
  const queue = new Queue({ least: 9 }, 0);
  for (const id of [1, 2, 3]) queue.add(post(id, "flood"), 0);
  queue.add(post(4, "other"), 0);

  assert.equal(queue.arrive(() => 3).pace, 3000);
  assert.equal(drain(queue), "4 2 3");
});

test("10,000 of one among 1,000 others in ten minutes: every other has his turn, each for five seconds", () => {
  const [SPAN, PLACES] = [600_000, 6];
  const arrivals = Array.from({ length: 10_000 }, (_, n) => [(n * SPAN) / 10_000, post(`f${n}`, "flood")]);
  for (let n = 0; n < 1000; n += 1) arrivals.push([(n * SPAN) / 1000 + 0.5, post(`o${n}`, `other${n}`)]);
  arrivals.sort(([one], [other]) => one - other);
  const queue = new Queue({ least: 5 }, 0);
  const shown = [];
  let [now, next] = [0, 0];
  for (let due = 0; next < arrivals.length || queue.waiting; ) {
    if (next < arrivals.length && arrivals[next][0] <= due) {
      now = Math.max(now, arrivals[next][0]);
      queue.add(arrivals[next][1], now);
      next += 1;
      continue;
    }
    now = due;
    const step = queue.arrive(() => PLACES);
    for (const { id } of step ? step.posts : []) shown.push({ id, at: now });
    due = now + (step ? step.pace : 100);
  }

  assert.equal(new Set(shown.map(({ id }) => id).filter((id) => id.startsWith("o"))).size, 1000);
  const seen = shown.slice(PLACES).map(({ at }, index) => at - shown[index].at); // until it is pushed out
  assert.ok(Math.min(...seen) >= 5000, `${Math.min(...seen)} ms`);
  const last = Math.max(...shown.filter(({ id }) => id.startsWith("o")).map(({ at }) => at));
  assert.ok(last < 2 * SPAN, `the last other came after ${last / 1000} s`);
});

test("one at a time, each has its seconds, and fewer while many wait", () => {
  const queue = new Queue(oneByOne, 0);
  for (let id = 1; id <= 7; id += 1) queue.add(post(id), 0);

  const paces = [];
  for (let step = queue.arrive(() => 1); step; step = queue.arrive(() => 1)) paces.push(step.pace);
  assert.deepEqual(paces, [3000, 3000, 10000, 10000, 10000, 10000, 10000]);
});

test("the director's speed shortens the seconds, and a pause keeps all where they are", () => {
  const queue = new Queue(oneByOne, 0);
  queue.add(post(1), 0);
  queue.direct({ paused: true, speed: 2 });
  assert.equal(queue.arrive(() => 1), null);
  assert.deepEqual(queue.rotate(keys(3), 5000), { key: "", pace: null });

  queue.direct({ paused: false });
  assert.equal(queue.arrive(() => 1).pace, 5000);
});

test("each older post comes round once in a round, and rounds differ", () => {
  const all = keys(20);
  const round = (number) => all.map((_, index) => keyInSlot(all, 20 * number + index));

  assert.deepEqual(new Set(round(0)), new Set(all));
  assert.deepEqual(new Set(round(1)), new Set(all));
  assert.notDeepEqual(round(0), round(1));
  assert.notDeepEqual(round(0), all);
});

test("over many rounds of lists that change nobody is shown much more than another", () => {
  const shown = new Map();
  for (let slot = 0; slot < 4000; slot += 1) {
    const key = keyInSlot(keys(slot % 7 ? 20 : 19), slot);
    shown.set(key, (shown.get(key) || 0) + 1);
  }
  const counts = [...shown.values()];
  assert.equal(counts.length, 20);
  assert.ok(Math.min(...counts) > 140 && Math.max(...counts) < 260, counts.join(" "));
});

test("screens that were opened at different times, and have the posts in another order, show the same", () => {
  const early = new Queue(oneByOne, 0);
  const late = new Queue(oneByOne, 90_000);
  for (const queue of [early, late]) queue.direct({ at: 1000, post: "x:3" });

  for (let now = 91_000; now < 600_000; now += 10_000) {
    const shown = early.rotate(keys(9), now);
    assert.deepEqual(shown, late.rotate(keys(9).reverse(), now));
    assert.equal(shown.pace, 10_000);
  }
  assert.equal(early.rotate(keys(9), 1000).key, "x:3");
});

test("what would have the stage for a moment only waits for the others' next change", () => {
  const queue = new Queue(oneByOne, 0);

  assert.deepEqual(queue.rotate(keys(5), 7000), { key: "", pace: 3000 });
  assert.equal(queue.rotate(keys(5), 10_000).pace, 10_000);
});

test("in a stream older posts come round only once it is quiet", () => {
  const queue = new Queue({ seconds: 10, quiet: 60 }, 0);
  queue.add(post(1), 30_000);
  queue.arrive(() => 1);

  assert.deepEqual(queue.rotate(keys(5), 40_000), { key: "", pace: 50_000 });
  assert.notEqual(queue.rotate(keys(5), 90_000).key, "");
  queue.set({ seconds: 10, quiet: 0 });
  assert.equal(queue.rotate(keys(5), 90_000).pace, null);
});

test("back leads to what was before, and next forward again, then to what waits, then round", () => {
  const queue = new Queue({}, 0);
  for (const key of ["x:1", "x:2", "x:3"]) queue.show(key);
  queue.add(post(4), 0);

  assert.equal(queue.back(), "x:2");
  queue.show("x:2");
  assert.equal(queue.next(), "x:3");
  queue.show("x:3");
  assert.equal(queue.next(), "x:4");
  queue.take("x:4");
  assert.equal(queue.next(["x:3", "x:1"]), "x:1");
});

test("what was taken back is neither before nor next", () => {
  const queue = new Queue({}, 0);
  for (const key of ["x:1", "x:2", "x:3"]) queue.show(key);
  queue.forget("x:2");
  assert.equal(queue.current, "x:3");
  assert.equal(queue.back(), "x:1");

  queue.add(post(5), 0);
  assert.equal(keyOf(queue.take("x:5")), "x:5");
  assert.equal(queue.next(), "");
});
