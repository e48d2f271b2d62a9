/* How are the screens? A table on the desk, asked for again and again. */
(function (root) {
  "use strict";

  const AGAIN = 10000; // milliseconds
  const CLOCK = 2; // seconds that a screen's clock may be off

  const words = root.WallFrame.readConfig("desk-config");
  /** @type {(selector: string) => any} */
  const find = (selector) => document.querySelector(selector);

  /** @param {{ name: string, state: string, seen: string, layout: string, post: string, ahead: number }} screen */
  function row({ name, state, seen, layout, post, ahead }) {
    const line = document.createElement("tr");
    const shown = state === "away" ? new Date(seen).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : "";
    const clock = Math.abs(ahead) > CLOCK ? words.words.ahead.replace("{}", ahead) : "";
    line.dataset.state = state;
    for (const [index, text] of [name, words.words[state === "hidden" ? "hidden_page" : state].replace("{}", shown), layout, post, clock].entries()) {
      const cell = document.createElement(index ? "td" : "th");
      if (!index) cell.scope = "row";
      cell.append(Object.assign(document.createElement("bdi"), { textContent: text }));
      line.append(cell);
    }
    return line;
  }

  async function update() {
    try {
      const answer = await root.WallNetwork.ask(words.desk_screens);
      if (!answer.ok) return;
      const { screens, problems } = await answer.json();
      root.showProblems(problems);
      find(".desk-screens tbody").replaceChildren(...screens.map(row));
      find(".desk-screens table").hidden = !screens.length;
    } catch {
      // The dot of the page says that the server is away; the table is of a moment ago.
    }
  }

  update();
  setInterval(() => root.document.visibilityState === "visible" && update(), AGAIN);
})(globalThis);
