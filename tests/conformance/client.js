// The official client, told what to do by the tests: a command a line comes in, and what happened goes out.
"use strict";

const net = require("node:net");
const readline = require("node:readline");
const { setTimeout: sleep } = require("node:timers/promises");
const { io } = require("socket.io-client");

const sockets = new Map();

const plain = (value) => {
  if (Buffer.isBuffer(value)) return { $bytes: value.toString("base64") };
  if (value instanceof ArrayBuffer) return plain(Buffer.from(value));
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Object)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
};

const live = (value) => {
  if (Array.isArray(value)) return value.map(live);
  if (value instanceof Object) {
    if ("$bytes" in value) return Buffer.from(value.$bytes, "base64");
    if ("$date" in value) return new Date(value.$date);
    if ("$nan" in value) return NaN;
    if ("$undefined" in value) return undefined;
    if ("$view" in value) return Uint8Array.from(value.$view);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, live(item)]));
  }
  return value;
};

const tell = (client, what, value) =>
  process.stdout.write(JSON.stringify({ client, what, value: plain(value) }) + "\n");

const commands = {
  open({ client, url, options, answers, stock }) {
    if (options.parser) options.parser = require(`socket.io-${options.parser}-parser`);
    const socket = io(url, { forceNew: true, reconnectionDelay: 20, reconnectionDelayMax: 100, ...options });
    sockets.set(client, socket);
    socket.on("connect", () => tell(client, "connect", { id: socket.id, recovered: socket.recovered }));
    socket.on("disconnect", (reason) => tell(client, "disconnect", reason));
    socket.on("connect_error", (error) =>
      tell(client, "connect_error", { message: error.message, data: error.data ?? null })
    );
    socket.onAny((name, ...args) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : null;
      tell(client, "event", [name, ...args]);
      if (ack && answers && name in answers) ack(...live(answers[name]));
    });
    // As programs write it that know nothing of this server: the callback is the second argument.
    for (const name of stock || []) socket.on(name, (value, callback) => callback(value));
    // What is not heard of otherwise: the change of transport.
    socket.io.on("open", () => {
      socket.io.engine.on("upgrade", (transport) => tell(client, "upgrade", transport.name));
    });
  },
  emit: ({ client, args }) => sockets.get(client).emit(...live(args)),
  ask({ client, args, number }) {
    sockets.get(client).emit(...live(args), (...answer) => tell(client, "ack", [number, ...answer]));
  },
  ask_in_time({ client, args, number, milliseconds }) {
    const told = (error, ...answer) => tell(client, "ack", [number, error ? error.message : null, ...answer]);
    sockets.get(client).timeout(milliseconds).emit(...live(args), told);
  },
  connect: ({ client }) => sockets.get(client).connect(),
  disconnect: ({ client }) => sockets.get(client).disconnect(),
  // The TCP connection is gone without a word.
  cut: ({ client }) => sockets.get(client).io.engine.transport.ws?.terminate(),
  // The client believes so, and the server has noticed nothing.
  half_open({ client }) {
    const transport = sockets.get(client).io.engine.transport;
    transport.doClose = () => {};
    transport.ws.onmessage = () => {};
    transport.onClose();
  },
  // What it would come back with.
  secret: ({ client }) => tell(client, "secret", [sockets.get(client)._pid, sockets.get(client)._lastOffset]),
  transport: ({ client }) => tell(client, "transport", sockets.get(client).io.engine.transport.name),
  // A way to the server on which everything takes its time.
  slow_road({ client, port, longest }) {
    const flow = (from, to) => {
      let before = Promise.resolve(); // one after the other, as they were sent
      const later = (act) => {
        before = before.then(() => sleep(Math.random() * longest)).then(act);
      };
      from.on("data", (data) => later(() => to.destroyed || to.write(data)));
      from.on("end", () => later(() => to.end()));
      from.on("error", () => to.destroy());
    };
    const road = net.createServer((near) => {
      const far = net.connect(port, "127.0.0.1");
      flow(near, far);
      flow(far, near);
    });
    road.listen(0, "127.0.0.1", () => tell(client, "road", road.address().port));
  },
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line);
  commands[command.do](command);
});
process.stdin.on("end", () => process.exit());
