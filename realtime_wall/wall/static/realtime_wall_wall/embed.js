/* A wall in a page of another site:
 *
 *     <script src="https://wall.example/wall/embed.js" async></script>
 *     <realtime-wall wall="hall-2" theme="light" height="600"></realtime-wall>
 *
 * wall is the slug, without which it is the main one; theme is dark, light, or as the reader's system is. It is a
 * frame: nothing of the wall can reach the page around it, and the other way round.
 */
(function (root) {
  "use strict";

  const TALL = "600"; // pixels
  const SLUG = /^[-a-zA-Z0-9_]+$/;
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const base = new URL("./", script.src);

  class RealtimeWall extends HTMLElement {
    static observedAttributes = ["wall", "theme", "height", "title"];

    connectedCallback() {
      this._draw();
    }

    attributeChangedCallback() {
      if (this.isConnected) this._draw();
    }

    _draw() {
      const slug = this.getAttribute("wall") || "";
      const address = new URL(SLUG.test(slug) ? `${slug}/embed/` : "embed/", base);
      const theme = this.getAttribute("theme");
      if (theme) address.searchParams.set("theme", theme);
      const shadow = this.shadowRoot || this.attachShadow({ mode: "open" });
      const frame = shadow.querySelector("iframe") || document.createElement("iframe");
      frame.title = this.title || "Wall";
      frame.loading = "lazy";
      frame.height = this.getAttribute("height") || TALL;
      // The site's policy may forbid styles in attributes; it does not forbid these.
      Object.assign(frame.style, { width: "100%", border: "0", display: "block" });
      if (frame.src !== address.href) frame.src = address.href;
      if (!frame.isConnected) shadow.append(frame);
      this.style.display ||= "block";
    }
  }

  if (!root.customElements.get("realtime-wall")) root.customElements.define("realtime-wall", RealtimeWall);
})(globalThis);
