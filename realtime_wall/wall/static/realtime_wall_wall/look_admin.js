/* In the admin: what the wall would look like with what stands in the form, before it is saved. */
(function () {
  "use strict";

  const PAUSE = 400; // milliseconds after the last change
  const WIDTH = 1920;
  const PLAIN = ["layout", "seconds", "quiet", "theme", "font", "logo", "bg", "card", "text", "accent"];
  const COLOURS = ["bg", "card", "text", "accent"];
  /** @type {(selector: string) => any} */
  const find = (selector) => document.querySelector(selector);

  function start() {
    const group = find(".wall-look-preview");
    const first = find("[name=look-0-layout]");
    if (!group || !first) return;
    first.closest(".inline-group").prepend(group);
    group.hidden = false;
    const frame = group.querySelector("iframe");
    const fit = () => {
      frame.style.transform = `scale(${frame.parentElement.clientWidth / WIDTH})`;
    };
    let timer = null;
    const show = () => {
      const query = queryOf(first.form);
      const address = `${group.dataset.wall}?${query}`;
      if (frame.getAttribute("src") !== address) frame.src = address;
      check(group, query);
    };
    first.form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(show, PAUSE);
    });
    COLOURS.forEach(addPicker);
    addEventListener("resize", fit);
    fit();
    show();
  }

  function queryOf(form) {
    const query = new URLSearchParams();
    for (const name of PLAIN) {
      const { value } = form.elements[`look-0-${name}`];
      if (value) query.set(name, value);
    }
    for (const name of ["title", "hashtag", "least"]) if (form.elements[name]) query.set(name, form.elements[name].value);
    if (!query.get("title")) query.delete("title");
    const left = form.querySelectorAll("[name=look-0-left_out]:checked");
    query.set("without", Array.from(left, ({ value }) => value).join(","));
    const badges = form.elements["look-0-badges"].value.split("\n").filter((line) => line.includes("="));
    query.set("badges", badges.map((line) => line.replace("=", ":")).join(","));
    return query;
  }

  /* The contrasts are computed by the server, which refuses what cannot be read. */
  async function check(group, query) {
    const place = group.querySelector(".wall-look-contrasts");
    try {
      const answer = await fetch(`${group.dataset.contrasts}?${query}`);
      const { contrasts, refused } = await answer.json();
      place.replaceChildren(
        ...Object.entries(contrasts).map(([pair, ratio]) => {
          const item = document.createElement("li");
          item.textContent = `${pair}: ${ratio}${refused.includes(pair) ? ` < 4.5` : ""}`;
          item.className = refused.includes(pair) ? "errornote" : "";
          return item;
        }),
      );
    } catch (problem) {
      place.textContent = String(problem);
    }
  }

  /* A colour is chosen, or written; the field is empty for the theme's. */
  function addPicker(name) {
    const field = find(`[name=look-0-${name}]`);
    const picker = document.createElement("input");
    picker.type = "color";
    picker.value = field.value || "#000000";
    picker.setAttribute("aria-label", field.labels[0] ? field.labels[0].textContent : name);
    picker.addEventListener("input", () => {
      field.value = picker.value;
    });
    field.addEventListener("input", () => {
      if (/^#[0-9a-f]{6}$/i.test(field.value)) picker.value = field.value;
    });
    field.after(picker);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
