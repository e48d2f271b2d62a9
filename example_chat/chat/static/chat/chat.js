"use strict";

// In no function: what follows needs the client, and a page without it has to say so.
if (typeof io === "undefined") {
  const [door, reason] = ["door", "refusal"].map((id) => document.getElementById(id));
  reason.textContent =
    "The chat's client (Socket.IO) could not be loaded, so nobody can come in. Without internet it needs a copy of its own: " +
    "“make chat” fetches one, once, where there is npm.";
  door.querySelector("button").disabled = true;
  door.addEventListener("submit", (event) => event.preventDefault());
  throw new Error("Socket.IO's client could not be loaded");
}

const byId = (id) => document.getElementById(id);
const { slug: room, channel } = byId("room").dataset;
const log = byId("log");
const socket = io({ autoConnect: false });
const waiting = []; // what was said while away
let isIn = false;
let wasIn = false;
let whisperTo = null; // {name, id}, or the whole room
let here = null; // everybody in the room, by id
let count = 0;

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.auth = { name: byId("name").value.trim() };
  socket.connect();
});

/* Again after each break of the connection: the client comes back by itself, and asks again. */
socket.on("connect", () => {
  socket.emit("subscribe", channel, (answer) => {
    // After a short break the server remembers us, and we are in already.
    if (answer.error && answer.error !== "already_subscribed") return refused();
    if (wasIn && !socket.recovered) note("Some messages were lost with the connection.");
    show(true);
    waiting.splice(0).forEach((send) => send());
  });
});
socket.on("disconnect", () => {
  isIn = false;
  // Not active: the server told us to stay away, as it does when this browser signs out.
  byId("status").textContent = socket.active ? "connection lost" : "disconnected";
});

// The whole truth when we come in; of a crowd only how many there are. Then who comes and goes.
socket.on("presence", ({ people, count: number }) => {
  here = new Map(people.map((person) => [person.id, person]));
  count = number;
  showPeople();
});
socket.on("joined", ({ person }) => {
  if (!here || here.has(person.id)) return; // told of already
  here.set(person.id, person);
  note(`${person.name} joined`);
  showPeople();
});
socket.on("left", ({ person }) => {
  if (!here?.delete(person.id)) return;
  note(`${person.name} left`);
  showPeople();
});
socket.on("message", ({ name, text, private: isPrivate }) => {
  bubble(isPrivate ? `${name}, only to you` : name, text, "theirs", isPrivate);
});
socket.on("system", (text) => note(text, "system"));

byId("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("text").value.trim();
  if (!text) return;
  const to = whisperTo;
  const line = bubble(to ? `Only to ${to.name}` : socket.auth.name, text, "mine", to);
  const send = () => deliver(line, to ? "whisper" : "say", { room, text, to: to?.id });
  if (isIn) send();
  else waiting.push(send);
  byId("text").value = "";
  log.scrollTop = log.scrollHeight;
});

/* The tick comes with the server's answer; without one, nobody knows. */
function deliver(line, name, data) {
  socket.timeout(10000).emit(name, data, (error, answer) => {
    line.classList.add(!error && answer.success ? "delivered" : "failed");
  });
}

function refused() {
  show(false);
  wasIn = false;
  socket.disconnect();
  byId("refusal").textContent = `Somebody here is called ${socket.auth.name} already.`;
}

function show(inside) {
  if (inside && !wasIn) setTimeout(() => byId("text").focus());
  isIn = wasIn = inside;
  byId("door").hidden = inside;
  byId("room").hidden = !inside;
  byId("refusal").textContent = byId("status").textContent = "";
}

function showPeople() {
  const people = [...here.values()];
  byId("status").textContent = people.length ? "" : `${count} people`;
  // Who is whispered to stays until let go, or the next whisper would be for the whole room.
  const isGone = whisperTo && !people.some(({ id }) => id === whisperTo.id);
  const shown = isGone ? [...people, whisperTo] : people;
  byId("people").replaceChildren(...shown.map(personButton));
  showWhisper();
}

/* Press a name to talk to that person only, and again for the whole room. */
function personButton(person) {
  const button = part("button", person.name);
  button.type = "button";
  button.dataset.id = person.id;
  button.disabled = person.id === socket.id;
  button.addEventListener("click", () => {
    whisperTo = whisperTo?.id === person.id ? null : person;
    showWhisper();
    byId("text").focus();
  });
  return button;
}

function showWhisper() {
  for (const button of byId("people").children) {
    button.setAttribute("aria-pressed", button.dataset.id === whisperTo?.id);
  }
  byId("text").placeholder = whisperTo ? `Only to ${whisperTo.name}` : "Message";
}

function bubble(name, text, whose, isPrivate) {
  const last = log.lastElementChild;
  const follows = last && last.dataset.name === name && last.classList.contains(whose);
  const line = add(whose, follows ? "follows" : "starts");
  if (isPrivate) line.classList.add("private");
  line.dataset.name = name;
  const now = new Date().toLocaleTimeString([], { timeStyle: "short" });
  line.append(part("b", name), part("p", text), part("time", now));
  return line;
}

function note(text, ...classes) {
  add("note", ...classes).textContent = text;
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
