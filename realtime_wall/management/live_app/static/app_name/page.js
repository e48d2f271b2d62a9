const socket = Realtime.connect();

socket.on("said", show);
socket.subscribe("{{ app_name }}", {
  since: document.body.dataset.cursor,
  onGap: () => show("(something is lost)"),
});

document.getElementById("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = document.getElementById("text");
  socket.emit("{{ app_name }}.say", input.value, (answer, error) => {
    if (error) show("(not delivered)");
  });
  input.value = "";
});

function show(text) {
  const item = document.createElement("li");
  item.textContent = text; // never innerHTML: a stranger wrote it
  document.getElementById("log").append(item);
}
