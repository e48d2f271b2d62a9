/* How the wall looks, changed while the page is open: its frame, its colours, and what is shown of a post. */
(function (root) {
  "use strict";

  const page = document.documentElement;
  /** @type {(selector: string) => any} */
  const find = (selector) => document.querySelector(selector);
  /** @type {(selector: string) => any[]} */
  const all = (selector) => Array.from(document.querySelectorAll(selector));

  /** @param {Look} look as the server has it, with what the page's address asks for in its place */
  function dress(look) {
    page.dataset.theme = look.theme;
    page.dataset.without = look.left_out.join(" ");
    document.title = look.title;
    find(".wall-title").textContent = look.title;
    writeHashtag(look.hashtag);
    drawLogo(look.logo);
    for (const badge of all(".wall-source")) {
      const { [badge.dataset.source]: words = badge.dataset.source } = look.badges;
      if (badge.textContent !== words) badge.textContent = words;
    }
    loadStyle(look.number);
  }

  /** @param {string} hashtag */
  function writeHashtag(hashtag) {
    for (const place of all(".wall-hashtag bdi, .wall-invitation bdi")) place.textContent = hashtag;
    if (find(".wall-hashtag") || !hashtag) return;
    const place = document.createElement("p");
    place.className = "wall-hashtag";
    place.append(Object.assign(document.createElement("bdi"), { textContent: hashtag }));
    find(".wall-title").after(place);
  }

  /** @param {string} address */
  function drawLogo(address) {
    const before = find(".wall-logo");
    if (before && before.getAttribute("src") === address) return;
    if (before) before.remove();
    if (!address) return;
    const logo = Object.assign(document.createElement("img"), { className: "wall-logo", alt: "", src: address });
    find(".wall-header").prepend(logo);
  }

  /** The new colours, once they are there: in between are the old ones, and not none. @param {number} number */
  function loadStyle(number) {
    const before = find("link[data-look]");
    if (!before) return;
    const address = new URL(before.href);
    address.searchParams.set("v", String(number));
    if (address.href === before.href) return;
    const link = before.cloneNode();
    link.href = address.href;
    link.addEventListener("load", () => before.remove());
    before.after(link);
  }

  root.WallLook = { dress };
})(globalThis);
