/* Which sources are down? Said on the desk and on the remote, to those who can do something about it. */
(function (root) {
  "use strict";

  /** @type {(selector: string) => any} */
  const find = (selector) => document.querySelector(selector);

  /** @param {{ source: string, problem: string }[]} problems what is the matter with which source */
  function show(problems) {
    find(".desk-problems").hidden = !problems.length;
    const lines = problems.map(({ source, problem }) => {
      const line = document.createElement("li");
      line.append(Object.assign(document.createElement("b"), { textContent: source }), `: ${problem}`);
      return line;
    });
    find(".desk-problems ul").replaceChildren(...lines);
  }

  root.showProblems = show;
})(globalThis);
