/* In the admin: what the wall would look like with what stands in the form, before it is saved. */
(function (root) {
  "use strict";

  const PAUSE = 400; // milliseconds after the last change
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
    let timer = 0;
    let drawing = 0; // of several that are being read the last one counts
    const draw = async () => {
      const number = (drawing += 1);
      const logo = await root.WallPreview.chosenPicture(find("[name=look-0-upload]"));
      if (number === drawing) putLogo(frame.contentDocument, logo);
    };
    const show = () => {
      const query = queryOf(first.form);
      const address = `${group.dataset.wall}?${query}`;
      if (frame.getAttribute("src") === address) draw();
      else frame.src = address;
      check(group, query);
    };
    frame.addEventListener("load", draw);
    first.form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(show, PAUSE);
    });
    COLOURS.forEach(addPicker);
    root.WallPreview.fit(frame);
    show();
  }

  /** In the place of the one that is saved. @param {Document | null} page @param {HTMLCanvasElement | null} logo */
  function putLogo(page, logo) {
    page?.querySelector("canvas.wall-logo")?.remove();
    const saved = /** @type {HTMLElement | null} */ (page?.querySelector("img.wall-logo"));
    if (saved) saved.hidden = Boolean(logo);
    if (!page || !logo) return;
    logo.className = "wall-logo";
    page.querySelector(".wall-header")?.prepend(page.adoptNode(logo));
  }

  /** @param {HTMLFormElement} form */
  function queryOf(form) {
    /** @type {(name: string) => any} */
    const field = (name) => form.elements.namedItem(name);
    const query = new URLSearchParams();
    for (const name of PLAIN) {
      const { value } = field(`look-0-${name}`);
      if (value) query.set(name, value);
    }
    for (const name of ["title", "hashtag", "least"]) if (field(name)) query.set(name, field(name).value);
    if (!query.get("title")) query.delete("title");
    const left = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name=look-0-left_out]:checked"));
    query.set("without", Array.from(left, ({ value }) => value).join(","));
    /** @type {string[]} */
    const badges = field("look-0-badges").value.split("\n").filter((/** @type {string} */ line) => line.includes("="));
    query.set("badges", badges.map((line) => line.replace("=", ":")).join(","));
    return query;
  }

  /** The contrasts are computed by the server, which refuses what cannot be read.
   * @param {HTMLElement} group @param {URLSearchParams} query */
  async function check(group, query) {
    const place = /** @type {HTMLElement} */ (group.querySelector(".wall-look-contrasts"));
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

  /** A colour is chosen, or written; the field is empty for the theme's. @param {string} name */
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
})(globalThis);
