// Looks every quarter of a minute whether the voucher was used meanwhile and how long it lasts. Without it, the page is as
// true as when it was loaded.
const PERIOD = 15_000;

async function look() {
  const shown = document.querySelector("[data-fresh]");
  if (!shown || document.visibilityState !== "visible") return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.url !== location.href) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-fresh]");
    if (fresh && fresh.className !== shown.className) location.reload();
    else if (fresh) for (const part of shown.querySelectorAll(".voucher-left")) part.replaceWith(fresh.querySelector(".voucher-left"));
  } catch {
    // Offline: the code stays on the screen.
  }
}

setInterval(look, PERIOD);
document.addEventListener("visibilitychange", look);
