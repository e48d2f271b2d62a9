/* The posts that come round when it is quiet: all of them, or those in the page, and never a few of them. */
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const { test } = require("node:test");

const WALL = path.join(__dirname, "../../realtime_wall/wall/static/realtime_wall_wall");
globalThis.WallQueue = require(path.join(WALL, "queue.js"));
globalThis.WallKept = { inTime: (answering) => answering };
require(path.join(WALL, "older.js"));

const post = (id) => ({ source: "x", id: String(id) });

/** The posts of a server that answers like this, one after the other: ids, or null for no answer. */
function olderOf(...answers) {
  const all = async () => {
    const ids = answers.shift();
    return ids && { posts: ids.map(post) };
  };
  return new globalThis.WallOlder({ all });
}

test("all that the server has are read once, and what comes later is one of them", async () => {
  const older = olderOf([2, 1]);
  assert.equal(older.isRead, false);

  assert.equal(await older.read(), true);
  older.add(post(3));

  assert.deepEqual([older.isRead, older.keys], [true, ["x:1", "x:2", "x:3"]]);
});

test("while they cannot be had there are none, and with a new post they are asked for again", async () => {
  const older = olderOf(null, [3, 2, 1]);
  assert.equal(await older.read(), true);
  assert.deepEqual([older.isRead, older.keys], [true, []]);

  older.add(post(3)); // alone it would come round for ever
  assert.deepEqual([older.isRead, older.keys], [false, []]);

  await older.read();
  assert.deepEqual(older.keys, ["x:1", "x:2", "x:3"]);
});

test("what is taken back while they are read is none of them", async () => {
  const older = olderOf([2, 1]);
  const reading = older.read();
  older.remove("x:1");

  await reading;
  assert.deepEqual(older.keys, ["x:2"]);
});
