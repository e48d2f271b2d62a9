/* What answers when there is no network? The wall's page and its files, as they last came.
 *
 * The page comes from the network whenever there is one. What is kept of it has no posts in it: those are
 * kept by kept.js, and shown when the page could not ask for newer ones.
 */
"use strict";

const PATIENCE = 4000; // milliseconds for the network, where something is kept
const GONE = [401, 403, 404, 410]; // then this visitor is to see nothing of it
const worker = /** @type {WorkerScope} */ (/** @type {unknown} */ (self));
const PAGE = new URL(worker.registration.scope).pathname;
const CACHE = `realtime_wall ${PAGE}`;
const LIST = /(<ol class="wall-posts"[^>]*?) data-cursor="[^"]*"([^>]*>)[^]*?<\/ol>/;
const OF_THE_BODY = ["content-length", "content-encoding", "transfer-encoding"]; // which is another one now

worker.addEventListener("install", () => worker.skipWaiting());

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    if (new URL(request.url).pathname === PAGE) event.respondWith(answerPage(event));
  } else if (["script", "style", "image"].includes(request.destination) && isOfThePage(request)) {
    event.respondWith(answerFile(request));
  }
});

/* From a page that came past us, as the first one does. */
worker.addEventListener("message", (event) => {
  const { page, files } = event.data;
  event.waitUntil(
    keepFiles(files)
      .then(() => (page ? fetch(page).then((response) => keepPage(page, response)) : undefined))
      .then(() => event.source.postMessage("kept")),
  );
});

/** @param {Request} request */
function isOfThePage(request) {
  return !request.referrer || new URL(request.referrer).pathname === PAGE;
}

/** @param {WorkerEvent} event */
async function answerPage(event) {
  const { url } = event.request;
  const coming = fetch(event.request);
  const response = await inTime(coming);
  if (response && response.status < 500) {
    event.waitUntil(keepPage(url, response.clone()));
    return response;
  }
  const cache = await caches.open(CACHE);
  return (await cache.match(url)) || (await cache.match(url, { ignoreSearch: true })) || coming;
}

/** @param {Request} request */
async function answerFile(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.url);
  if (!kept) return fetch(request);
  const response = await inTime(fetch(request));
  return response && (response.ok || response.type === "opaque") ? response : kept;
}

/** What the network answers soon; or null. @param {Promise<Response>} coming @returns {Promise<Response | null>} */
function inTime(coming) {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, null));
  return Promise.race([coming.catch(() => null), late]);
}

/* The page without its posts: its script finds by "kept" that it has to fill the list. */
/** @param {string} url @param {Response} response */
async function keepPage(url, response) {
  if (response.type === "opaqueredirect" || response.redirected || GONE.includes(response.status)) {
    await caches.delete(CACHE);
    return;
  }
  if (!response.ok) return;
  const html = await response.text();
  const emptied = html.replace(LIST, '$1 data-cursor="" data-kept$2</ol>');
  if (emptied === html) return; // it has no list that we know
  const headers = new Headers(response.headers);
  for (const name of OF_THE_BODY) headers.delete(name);
  await (await caches.open(CACHE)).put(url, new Response(emptied, { headers }));
}

/** These, in the place of those of an earlier version. @param {string[]} files */
async function keepFiles(files) {
  const cache = await caches.open(CACHE);
  /** @param {string} url */
  const fetchOne = async (url) => {
    const mode = new URL(url).origin === location.origin ? "same-origin" : "no-cors";
    const response = await fetch(url, { mode });
    if (response.ok || response.type === "opaque") await cache.put(url, response);
  };
  await Promise.allSettled(files.map(fetchOne));
  for (const request of await cache.keys()) {
    const { href, pathname, search } = new URL(request.url);
    const isOurs = pathname === PAGE || search === "?kept" || files.includes(href);
    if (!isOurs) await cache.delete(request);
  }
}
