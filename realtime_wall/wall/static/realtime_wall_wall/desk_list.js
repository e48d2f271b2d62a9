/* The cards of one tab of the desk: in their order, with one that is current and some that are chosen.
 *
 * All items are kept, but only the first WINDOW of them are in the page: hundreds may wait.
 */
(function (root) {
  "use strict";

  const WINDOW = 40;

  class DeskList {
    /* words: the page's; changed(): what is current, chosen or listed is another. */
    /** @param {HTMLElement} place @param {Words} words
     * @param {{ changed(): void, decide(action: string, items: DeskItem[]): void }} heard */
    constructor(place, words, { changed, decide }) {
      this._place = place;
      this._words = words;
      this._changed = changed;
      this._skew = Date.parse(words.now) - Date.now();
      /** @type {Map<string, { item: DeskItem, order: number }>} */
      this._items = new Map(); // key -> {item, order}
      /** @type {Map<string, any>} */
      this._cards = new Map(); // key -> element, of those in the page
      /** @type {Set<string>} */
      this._chosen = new Set();
      this._first = 0; // orders already given, to both ends
      this._last = 0;
      this.current = "";
      root.WallFrame.keepTimes(place, words.card, () => this._now());
      place.addEventListener("click", ({ target }) => this._clicked(target, decide));
      place.addEventListener("change", ({ target }) => this._ticked(target));
      setInterval(() => this._countDown(), 1000);
    }

    get size() {
      return this._items.size;
    }

    get hiddenSize() {
      return this._items.size - this._cards.size;
    }

    clear() {
      this._items.clear();
      this._cards.clear();
      this._chosen.clear();
      this._place.textContent = "";
      this.current = "";
    }

    /** @param {string} key */
    has(key) {
      return this._items.has(key);
    }

    /** @param {string} key */
    item(key) {
      const entry = this._items.get(key);
      return entry && entry.item;
    }

    /* What an act is about: all that are chosen, else the current one. */
    meant() {
      const keys = this._chosen.size ? [...this._chosen] : [this.current];
      return keys.map((key) => this.item(key)).filter((item) => item !== undefined);
    }

    get chosen() {
      return this._chosen.size;
    }

    /** @param {boolean} isChosen */
    chooseAll(isChosen) {
      this._chosen = new Set(isChosen ? this._items.keys() : []);
      for (const [key, card] of this._cards) card.querySelector(".desk-choose").checked = this._chosen.has(key);
      this._changed();
    }

    /** A new item, or a newer state of one; what came back has the place that it had. @param {DeskItem} item */
    put(item, { atTheTop = false, order = undefined } = {}) {
      const known = this._items.get(item.key);
      const place = known ? known.order : order !== undefined ? order : atTheTop ? --this._first : ++this._last;
      this._items.set(item.key, { item, order: place });
      const card = this._cards.get(item.key);
      if (card) {
        const fresh = this._draw(item);
        card.replaceWith(fresh);
        this._cards.set(item.key, fresh);
      }
      this._fill();
    }

    /** The item's place, with which it can be put back. @param {string} key */
    drop(key) {
      const entry = this._items.get(key);
      if (!entry) return undefined;
      if (key === this.current) this._moveOn();
      const card = this._cards.get(key);
      const hadFocus = card && card.contains(document.activeElement);
      if (card) card.remove();
      this._cards.delete(key);
      this._items.delete(key);
      this._chosen.delete(key);
      this._fill();
      if (hadFocus) this.focus();
      return entry.order;
    }

    /** @param {number} steps */
    move(steps) {
      const keys = root.WallFrame.cardsOf(this._place).map((card) => card.dataset.key ?? "");
      const index = Math.max(0, keys.indexOf(this.current)) + steps;
      if (keys.length) this._makeCurrent(keys[Math.min(Math.max(index, 0), keys.length - 1)]);
      this.focus();
    }

    focus() {
      const card = this._cards.get(this.current);
      if (!card) return;
      card.focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest" });
    }

    toggle() {
      const card = this._cards.get(this.current);
      if (card) card.querySelector(".desk-choose").click();
    }

    // -- drawing

    _fill() {
      const wanted = [...this._items].sort(([, one], [, other]) => one.order - other.order).slice(0, WINDOW);
      const keys = new Set(wanted.map(([key]) => key));
      for (const [key, card] of this._cards) {
        if (keys.has(key)) continue;
        card.remove();
        this._cards.delete(key);
      }
      wanted.forEach(([key, { item }], index) => {
        const at = /** @type {HTMLElement | undefined} */ (this._place.children[index]);
        if (at && at.dataset.key === key) return;
        const card = this._cards.get(key) || this._draw(item);
        this._cards.set(key, card);
        this._place.insertBefore(card, at || null);
      });
      if (!this._cards.has(this.current)) this._makeCurrent(wanted.length ? wanted[0][0] : "");
      else this._changed();
    }

    /** @param {DeskItem} item */
    _draw(item) {
      const card = root.WallCard.wallCard(item.post, this._words.card, this._now());
      card.classList.add("desk-card");
      card.tabIndex = item.key === this.current ? 0 : -1;
      if (item.key === this.current) card.setAttribute("aria-current", "true");
      const line = element("p", "desk-why");
      const box = element("input", "desk-choose");
      box.type = "checkbox";
      box.checked = this._chosen.has(item.key);
      box.setAttribute("aria-label", this._words.words.select);
      line.append(box, ...this._why(item), ...this._film(card));
      const act = item.state === "shown" ? "hide" : "approve";
      const other = element("button", "desk-quick", wordOf(act));
      other.type = "button";
      other.dataset.quick = act;
      line.append(other);
      card.append(line);
      return card;
    }

    /** @param {DeskItem} item */
    _why({ reason, show_at, by }) {
      const words = this._words.words;
      const [kind, ...rest] = reason.split(":");
      const parts = [];
      if (words[`reason_${kind}`]) {
        parts.push(element("span", "desk-reason", words[`reason_${kind}`].replace("{}", rest.join(":"))));
      }
      if (show_at) {
        const due = element("span", "desk-due");
        due.dataset.due = show_at;
        due.textContent = this._left(show_at);
        parts.push(due);
      }
      if (by) parts.push(element("bdi", "desk-by", words.by.replace("{}", by)));
      return parts;
    }

    /** It plays on the stage; who decides looks at it before. @param {HTMLElement} card */
    _film(card) {
      const box = /** @type {HTMLElement | null} */ (card.querySelector(".wall-media[data-film]"));
      if (!box) return [];
      const link = element("a", "desk-film", this._words.words.film);
      Object.assign(link, { href: box.dataset.film, target: "_blank", rel: "noopener noreferrer nofollow" });
      return [link];
    }

    _countDown() {
      const waiting = /** @type {NodeListOf<HTMLElement>} */ (this._place.querySelectorAll(".desk-due"));
      for (const due of waiting) due.textContent = this._left(due.dataset.due ?? "");
    }

    /** @param {string} due */
    _left(due) {
      const seconds = Math.max(0, Math.ceil((Date.parse(due) - this._now()) / 1000));
      return this._words.words.in_seconds.replace("{}", seconds);
    }

    _now() {
      return Date.now() + this._skew;
    }

    // -- what is current, and what is chosen

    _moveOn() {
      const card = this._cards.get(this.current);
      const next = card && (card.nextElementSibling || card.previousElementSibling);
      this._makeCurrent(next ? next.dataset.key : "");
    }

    /** @param {string} key */
    _makeCurrent(key) {
      for (const [each, card] of this._cards) {
        card.tabIndex = each === key ? 0 : -1;
        if (each === key) card.setAttribute("aria-current", "true");
        else card.removeAttribute("aria-current");
      }
      this.current = key;
      this._changed();
    }

    /** @param {any} target @param {(action: string, items: DeskItem[]) => void} decide */
    _clicked(target, decide) {
      const card = target.closest(".desk-card");
      if (!card) return;
      this._makeCurrent(card.dataset.key);
      const quick = target.closest("[data-quick]");
      const item = this.item(card.dataset.key);
      if (quick && item) decide(quick.dataset.quick, [item]);
    }

    /** @param {any} target */
    _ticked(target) {
      if (!target.matches(".desk-choose")) return;
      const { key } = target.closest(".desk-card").dataset;
      if (target.checked) this._chosen.add(key);
      else this._chosen.delete(key);
      this._changed();
    }
  }

  /** Of a key of the desk's bar, which is named once, in the page. @param {string} act */
  function wordOf(act) {
    return document.querySelector(`[data-act="${act}"]`)?.firstChild?.textContent?.trim();
  }

  /** @param {string} tag @param {string} kind @param {string} [words] @returns {any} */
  function element(tag, kind, words) {
    const made = document.createElement(tag);
    made.className = kind;
    if (words !== undefined) made.textContent = words;
    return made;
  }

  root.DeskList = DeskList;
  root.deskElement = element;
})(globalThis);
