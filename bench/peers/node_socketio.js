// Socket.IO's own server, doing what the bench asks of ours.
const http = require("http");
const { Server } = require("socket.io");

const pages = http.createServer((request, response) => {
  const address = new URL(request.url, "http://localhost");
  if (address.pathname === "/publish/") {
    const message = "x".repeat(Number(address.searchParams.get("size")));
    for (let n = 0; n < Number(address.searchParams.get("count")); n += 1) io.emit("message", message);
  }
  if (!address.pathname.startsWith("/socket.io/")) response.end("done");
});
// The bench's clients answer no pings: as for ours, there are none.
const io = new Server(pages, { cors: { origin: true }, pingInterval: 3600000 });
io.on("connection", (socket) => socket.on("add", (numbers, ack) => ack(numbers.reduce((a, b) => a + b, 0))));
pages.listen(Number(process.argv[2]), "127.0.0.1");
