/* What a screen writes down of itself: with a clock, a store and a server of the test's own. */
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const { test } = require("node:test");

const WALL = path.join(__dirname, "../../realtime_wall/wall/static/realtime_wall_wall");
const { DisplayLog } = require(path.join(WALL, "display_log.js"));

function logOf({ stored = null, page = "p1" } = {}) {
  const world = { now: 0, stored };
  const store = { read: () => world.stored, write: (value) => (world.stored = JSON.parse(JSON.stringify(value))) };
  world.log = new DisplayLog(page, store, () => world.now);
  return world;
}

const short = ({ key, from, to, visible }) => `${key} ${from}-${to}${visible ? "" : " unseen"}`;
const sent = (log) => log.batch().map(short);

test("each post is written down with when it came and went", () => {
  const world = logOf();
  world.log.begin("a");
  world.now = 3000;
  world.log.begin("b");
  world.now = 5000;
  world.log.end("a");
  world.log.end("never was there");

  assert.deepEqual(sent(world.log), ["a 0-5000"]);
});

test("a card that is drawn anew was never away", () => {
  const world = logOf();
  world.log.begin("a");
  world.now = 3000;
  world.log.end("a");
  world.now = 3100;
  world.log.begin("a");
  world.now = 7000;
  world.log.end("a");
  world.now = 8000;
  world.log.begin("a");
  world.log.endAll();

  assert.deepEqual(sent(world.log), ["a 0-7000", "a 8000-8000"]);
});

test("what nobody could see is another display", () => {
  const world = logOf();
  world.log.begin("a");
  world.now = 1000;
  world.log.setVisible(false);
  world.now = 4000;
  world.log.setVisible(true);
  world.now = 5000;
  world.log.endAll();

  assert.deepEqual(sent(world.log), ["a 0-1000", "a 1000-4000 unseen", "a 4000-5000"]);
});

test("what the server has not taken is sent again, and what it has taken is not", () => {
  const world = logOf();
  for (let index = 0; index < 250; index += 1) {
    world.log.begin(`x:${index}`);
    world.now += 1000;
    world.log.endAll();
  }
  const first = world.log.batch();
  assert.equal(first.length, 200);
  assert.equal(world.log.confirm(false), true);
  assert.deepEqual(world.log.batch(), first);
  assert.equal(world.log.confirm(true), true);
  assert.equal(world.log.batch().length, 50);
  assert.equal(world.log.confirm(true), false);
  assert.equal(new Set(first.map(({ number }) => number)).size, 200);
});

test("the page that comes after a broken one sends what that had, and numbers its own", () => {
  const before = logOf();
  before.log.begin("a");
  before.now = 6000;
  before.log.save(); // and then the lights went out

  const after = logOf({ stored: before.stored, page: "p2" });
  after.now = 6100;
  after.log.begin("a");
  after.log.endAll();

  assert.deepEqual(sent(after.log), ["a 0-6000", "a 6100-6100"]);
  assert.deepEqual(after.log.batch().map(({ page, number }) => [page, number]), [["p1", 1], ["p2", 1]]);
});

test("without network for days the oldest give way, but not those on their way", () => {
  const world = logOf();
  const show = (key) => {
    world.log.begin(key);
    world.now += 1000;
    world.log.endAll();
  };
  for (let index = 0; index < 5000; index += 1) show(`x:${index}`);
  const onTheirWay = world.log.batch();
  show("x:5000");
  assert.equal(world.log.confirm(true), true);

  assert.equal(onTheirWay[0].key, "x:0");
  assert.equal(world.log.batch()[0].key, "x:201");
});
