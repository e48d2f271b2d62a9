// What do the official parsers make of this? One JSON line in, one JSON line out.
//
// In:  {"parser": "socketio" | "engineio", "messages": [text or {"$bytes": base64}, ...]}
// Out: {"packets": [...], "refused": true or false}

"use strict";

const readline = require("node:readline");
const engineio = require("engine.io-parser");
const { Decoder } = require("socket.io-parser");

function socketioPackets(messages, packets) {
  const decoder = new Decoder();
  decoder.on("decoded", ({ type, nsp, id, data }) => packets.push({ type, nsp, id, data }));
  for (const message of messages) decoder.add(message);
}

function engineioPackets(messages, packets) {
  for (const packet of messages.flatMap((body) => engineio.decodePayload(body))) {
    if (packet.type === "error") throw new Error(packet.data);
    packets.push(packet);
  }
}

// A Buffer has a toJSON of its own: by the time JSON.stringify shows its value, it is one no more.
function readable(key, value) {
  if (Buffer.isBuffer(this[key])) return { $bytes: this[key].toString("base64") };
  if (typeof value === "number" && !Number.isFinite(value)) return { $number: String(value) };
  return value;
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { parser, messages } = JSON.parse(line);
  const read = messages.map((message) =>
    typeof message === "string" ? message : Buffer.from(message.$bytes, "base64"),
  );
  const packets = [];
  let refused = false;
  try {
    (parser === "socketio" ? socketioPackets : engineioPackets)(read, packets);
  } catch {
    refused = true;
  }
  process.stdout.write(JSON.stringify({ packets, refused }, readable) + "\n");
});
