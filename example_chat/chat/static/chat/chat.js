"use strict";

const { room, name: me, cursor } = document.body.dataset;
const log = document.getElementById("log");
const socket = Realtime.connect();

socket.subscribe(room, {
  since: cursor,
  onGap: () => note("Some messages were lost with the connection."),
  onError: () => note("This room does not let you in. Reload the page to say who you are."),
});
socket.on("message", ({ name, text }) => bubble(name, text));
socket.on("joined", ({ name, people }) => came(`${name} joined`, people));
socket.on("left", ({ name, people }) => came(`${name} left`, people));
socket.on("status", ({ state }) => {
  document.getElementById("status").textContent = state === "open" ? "" : "connection lost";
});

document.getElementById("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = document.getElementById("text");
  const text = input.value.trim();
  if (!text) return;
  const mine = bubble(me, text, "mine");
  // Said while away, it waits for the connection; the tick comes with the answer.
  socket.emit("say", { room, text }, (answer) => {
    mine.classList.add(answer === true ? "delivered" : "failed");
  });
  input.value = "";
  log.scrollTop = log.scrollHeight;
});

function bubble(name, text, whose = "theirs") {
  const last = log.lastElementChild;
  const follows = last && last.dataset.name === name && last.classList.contains(whose);
  const line = add(whose, follows ? "follows" : "starts");
  line.dataset.name = name;
  const now = new Date().toLocaleTimeString([], { timeStyle: "short" });
  line.append(part("b", name), part("p", text), part("time", now));
  return line;
}

function came(news, people) {
  note(news);
  document.getElementById("people").textContent = people.join(", ");
}

function note(text) {
  add("note").textContent = text;
}

/* A new line at the end, kept in view for those who read there. */
function add(...classes) {
  const reading = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const line = part("li", "");
  line.classList.add(...classes);
  log.append(line);
  if (reading) requestAnimationFrame(() => (log.scrollTop = log.scrollHeight));
  return line;
}

function part(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.dir = "auto";
  return made;
}
