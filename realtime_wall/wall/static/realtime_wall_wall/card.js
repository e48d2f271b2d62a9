/* One post as one card.
 *
 * The same card is written by the server in templates/realtime_wall_wall/card.html, and a test holds
 * the two together. A post is a stranger's: its text goes in as text, its addresses only when they
 * cannot be a script.
 */
(function (root) {
  "use strict";

  const TONES = 12; // colours for people without a picture: .wall-tone-0 to .wall-tone-11
  const WEB = /^https?:\/\/[^\x00-\x20\x7f-\xa0\\]+$/i;
  const OURS = /^[A-Za-z0-9_.@\/-]+$/;

  /** @param {{ source: string, id: string }} post */
  function keyOf({ source, id }) {
    return `${source}:${id}`;
  }

  /* labels: {badges, now, minutes, hours, days, retweeted, edited, passed_on, static, pictures}, now: milliseconds */
  /** @param {Post} post @param {Labels} labels @param {number} now */
  function wallCard(post, labels, now) {
    const card = element("li", { class: "wall-card", "data-source": post.source, "data-key": keyOf(post) });
    card.dataset.length = lengthOf(post.text);
    if (post.retweeted_by) card.append(retweet(post, labels));
    card.append(avatar(post, labels), author(post), time(post, labels, now));
    if (post.source) card.append(badge(post, labels));
    card.append(text(post));
    if (post.poll && post.poll.length) card.append(poll(post.poll));
    if (post.passed_on) card.append(element("p", { class: "wall-passed-on" }, labels.passed_on.replace("{}", String(post.passed_on))));
    const media = firstMedia(post, labels);
    if (media) card.append(media);
    const link = post.link && safeUrl(post.link.url);
    if (post.link && link) card.append(preview(link, post.link, labels));
    return card;
  }

  /** @param {Post} post @param {Labels} labels */
  function retweet(post, labels) {
    const line = element("p", { class: "wall-retweet" }, `${labels.retweeted} `);
    line.append(element("bdi", {}, post.retweeted_by));
    return line;
  }

  /** @param {Post} post @param {Labels} labels */
  function avatar(post, labels) {
    const name = post.author_name || post.author_username || "";
    const tone = `wall-avatar wall-tone-${toneOf(post.author_username || name)}`;
    const face = linkOrSpan(post.author_url, tone);
    if (face.tagName === "A") face.tabIndex = -1; // the name beside it leads to the same page
    face.setAttribute("aria-hidden", "true");
    face.textContent = initialsOf(name);
    const source = safeUrl(post.author_avatar, oursOf(labels));
    if (source) face.append(picture(source, ""));
    return face;
  }

  /** @param {Post} post */
  function author(post) {
    const line = element("p", { class: "wall-author" });
    const who = linkOrSpan(post.author_url, "wall-who");
    const username = post.author_username;
    who.append(element("bdi", { class: "wall-name" }, post.author_name || username));
    if (username) who.append(" ", element("bdi", { class: "wall-handle" }, `@${username}`));
    line.append(who);
    return line;
  }

  /** @param {Post} post @param {Labels} labels @param {number} now */
  function time(post, labels, now) {
    const when = linkOrSpan(post.url, "wall-when");
    when.append(element("time", { datetime: post.created_at }, ago(post.created_at, labels, now)));
    if (post.edited) when.append(" ", element("span", { class: "wall-edited" }, labels.edited));
    return when;
  }

  /** @param {Post} post @param {Labels} labels */
  function badge(post, labels) {
    const { [post.source]: words = post.source } = labels.badges;
    return element("span", { class: "wall-source", "data-source": post.source }, words);
  }

  /** @param {Post} post */
  function text(post) {
    const block = element("p", { class: "wall-text", dir: "auto" });
    const { lang = "" } = post;
    if (/^[a-z]{2}$/.test(lang)) block.setAttribute("lang", lang);
    block.append(...linked(post.text, post.entities || []));
    return block;
  }

  /* Entities count code points; a JavaScript string counts halves of them. */
  /** @param {string} words @param {Entity[]} entities */
  function linked(words, entities) {
    const points = Array.from(words);
    const parts = [];
    let done = 0;
    for (const entity of [...entities].sort((one, other) => one.start - other.start)) {
      const { start, end, kind } = entity;
      const href = safeUrl(entity.url);
      if (!href || !(start >= done && end > start && end <= points.length)) continue;
      const shown = points.slice(start, end).join("");
      if (kind === "emoji") {
        parts.push(points.slice(done, start).join(""), emoji(href, shown));
        done = end;
        continue;
      }
      const link = anchor(href, "wall-link");
      link.dataset.kind = kind === "hashtag" || kind === "mention" ? kind : "url";
      link.append(kind === "url" ? entity.text || shown : shown);
      parts.push(points.slice(done, start).join(""), link);
      done = end;
    }
    parts.push(points.slice(done).join(""));
    return parts.filter((part) => part !== "");
  }

  /** @param {string} src @param {string} shown */
  function emoji(src, shown) {
    const image = picture(src, shown);
    image.className = "wall-emoji";
    image.title = shown;
    return image;
  }

  /** @param {string[]} options */
  function poll(options) {
    const list = element("ul", { class: "wall-poll" });
    for (const option of options) list.append(element("li", { dir: "auto" }, option));
    return list;
  }

  /** @param {string} href @param {Link} link @param {Labels} labels */
  function preview(href, link, labels) {
    const card = anchor(href, "wall-preview");
    const source = safeUrl(link.picture, oursOf(labels));
    if (source) card.append(picture(source, ""));
    card.append(element("bdi", { class: "wall-preview-title" }, link.title));
    if (link.description) card.append(element("bdi", { class: "wall-preview-words" }, link.description));
    return card;
  }

  /** @param {Post} post @param {Labels} labels */
  function firstMedia(post, labels) {
    for (const media of post.media || []) {
      const source = safeUrl(media.url, oursOf(labels));
      if (!source) continue;
      const box = element("span", { class: "wall-media", "data-kind": media.kind });
      const film = safeUrl(media.film, oursOf(labels));
      if (film) box.dataset.film = film; // films.js plays it
      box.append(picture(source, media.alt || ""));
      return box;
    }
    return null;
  }

  // -- what a card is made of

  /** @param {string} tag @param {Record<string, string>} attributes @param {string} [words] */
  function element(tag, attributes, words) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (words !== undefined) made.textContent = words;
    return made;
  }

  /** @param {string} href @param {string} kind */
  function anchor(href, kind) {
    return element("a", { class: kind, href, target: "_blank", rel: "noopener noreferrer nofollow" });
  }

  /** @param {string | undefined} url @param {string} kind */
  function linkOrSpan(url, kind) {
    const href = safeUrl(url);
    return href ? anchor(href, kind) : element("span", { class: kind });
  }

  /** @param {string} src @param {string} alt */
  function picture(src, alt) {
    return element("img", { src, alt, referrerpolicy: "no-referrer", decoding: "async" });
  }

  /* The address if it is one of the web, or of this site's own pictures; or nothing. */
  /** @param {unknown} url @param {string[]} [ours] */
  function safeUrl(url, ours) {
    if (typeof url !== "string") return "";
    if (WEB.test(url)) return url;
    const isOurs = (ours || []).some((place) => url.startsWith(place));
    return isOurs && OURS.test(url) && !url.includes("..") ? url : "";
  }

  /* Where this site's own pictures are: its static files, and what came from phones. */
  /** @param {Labels} labels */
  function oursOf(labels) {
    return [labels.static, labels.pictures].filter(Boolean);
  }

  /* How much there is to read decides how large it is written. */
  /** @param {string} words */
  function lengthOf(words) {
    const count = Array.from(words).length;
    if (count <= 12 && !/[\p{L}\p{N}]/u.test(words)) return "symbols";
    if (count <= 70) return "short";
    return count <= 180 ? "medium" : "long";
  }

  /** @param {string} name */
  function initialsOf(name) {
    const starts = name
      .split(/\s+/)
      .map((word) => Array.from(word)[0] || "")
      .filter((start) => /[\p{L}\p{N}]/u.test(start));
    const [first = "?"] = starts;
    const last = starts.length > 1 ? starts[starts.length - 1] : "";
    return (first + last).toUpperCase();
  }

  /** @param {string} name */
  function toneOf(name) {
    return Array.from(name).reduce((sum, point) => sum + (point.codePointAt(0) || 0), 0) % TONES;
  }

  /** @param {string} created @param {Labels} labels @param {number} now */
  function ago(created, labels, now) {
    const minutes = Math.floor((now - Date.parse(created)) / 60000);
    if (!(minutes >= 1)) return labels.now;
    if (minutes < 60) return labels.minutes.replace("{}", minutes);
    if (minutes < 1440) return labels.hours.replace("{}", Math.floor(minutes / 60));
    return labels.days.replace("{}", Math.floor(minutes / 1440));
  }

  const Card = { wallCard, ago, keyOf };
  if (typeof module === "object" && module.exports) module.exports = Card;
  else root.WallCard = Card;
})(typeof globalThis === "object" ? globalThis : self);
