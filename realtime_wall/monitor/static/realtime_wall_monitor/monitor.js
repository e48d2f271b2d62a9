// Brings the page up to date every few seconds: not while somebody chooses or writes, nor while nobody looks.
"use strict";

(() => {
  const found = document.getElementById("live");
  if (!found) return;
  const live = found;
  let drawn = Date.now();
  const isInUse = () =>
    document.hidden || live.contains(document.activeElement) || live.querySelector("input:checked");

  /* Only where its place is, on the page that has the figures. */
  function drawTraffic() {
    const traffic = document.getElementById("traffic");
    if (traffic) MonitorTraffic.draw(traffic, MonitorTraffic.note(live, sessionStorage, Date.now()));
  }

  async function refresh() {
    if (isInUse()) return;
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return; // signed out meanwhile: a reload says so
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("live");
    if (fresh && !isInUse()) {
      MonitorTraffic.drawRates(live, fresh, (Date.now() - drawn) / 1000);
      drawn = Date.now();
      live.replaceChildren(...fresh.childNodes);
    }
    drawTraffic();
  }

  async function run() {
    try {
      await refresh();
    } catch {
      // The server restarts, perhaps.
    }
    setTimeout(run, 1000 * Number(live.dataset.seconds));
  }

  drawTraffic();
  setTimeout(run, 1000 * Number(live.dataset.seconds));
})();
