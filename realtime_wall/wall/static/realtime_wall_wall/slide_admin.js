/* In the admin: what a slide would look like with what stands in the form, before it is saved. */
(function (root) {
  "use strict";

  const PAUSE = 400; // milliseconds after the last change

  function start() {
    const group = /** @type {HTMLElement | null} */ (document.querySelector(".wall-look-preview"));
    const form = /** @type {HTMLFormElement | null} */ (document.querySelector("#slide_form"));
    const frame = group?.querySelector("iframe");
    if (!group || !form || !frame) return;
    /** @type {Record<string, string>} by the id of the wall */
    const addresses = JSON.parse(document.getElementById("wall-addresses")?.textContent ?? "{}");
    let timer = 0;
    let drawing = 0; // of several that wait for their picture the last one counts
    const draw = async () => {
      const number = (drawing += 1);
      const picture = await root.WallPreview.chosenPicture(form.querySelector("[name=upload]"));
      if (number === drawing && frame.contentDocument) put(frame.contentDocument, slideOf(form), picture);
    };
    const show = () => {
      const address = addresses[field(form, "wall")];
      group.hidden = !address;
      if (!address) return;
      if (frame.getAttribute("src") === address) draw();
      else frame.src = address;
      root.WallPreview.fit(frame);
    };
    frame.addEventListener("load", draw);
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(show, PAUSE);
    });
    show();
  }

  /** @param {HTMLFormElement} form @param {string} name @returns {string} */
  function field(form, name) {
    const found = /** @type {HTMLInputElement | null} */ (form.elements.namedItem(name));
    return found?.value ?? "";
  }

  /** @param {HTMLFormElement} form */
  function slideOf(form) {
    const [name, text, picture, film] = ["name", "text", "picture", "film"].map((name) => field(form, name));
    return { name, text, picture, film };
  }

  /** As the stage draws it. @param {Document} page @param {Shown} slide @param {HTMLCanvasElement | null} picture */
  function put(page, slide, picture) {
    page.querySelector(".wall-slide-preview")?.remove();
    const draw = page.defaultView?.WallSlides?.draw;
    if (!draw || !(slide.text || slide.picture || slide.film || picture)) return;
    const place = draw(picture ? { ...slide, picture: "" } : slide);
    place.classList.add("wall-slide-preview");
    if (picture && !slide.film) place.prepend(page.adoptNode(picture));
    page.querySelector(".wall-stage")?.append(place);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})(globalThis);
