// The WebSocket server that most of Node.js uses, doing what the bench asks of ours.
const http = require("http");
const { WebSocketServer, WebSocket } = require("ws");

const pages = http.createServer((request, response) => {
  const address = new URL(request.url, "http://localhost");
  if (address.pathname === "/publish/") {
    const message = JSON.stringify("x".repeat(Number(address.searchParams.get("size"))));
    for (let n = 0; n < Number(address.searchParams.get("count")); n += 1)
      for (const client of sockets.clients) if (client.readyState === WebSocket.OPEN) client.send(message);
  }
  response.end("done");
});
const sockets = new WebSocketServer({ server: pages, perMessageDeflate: false });
pages.listen(Number(process.argv[2]), "127.0.0.1");
