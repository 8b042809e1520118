// While a colleague is there: remembers the proof of it for sales without a connection, and locks after minutes of nothing, also offline.
import { lockShift, rememberShift } from "./queue.js";

const { dataset } = document.querySelector("[data-shift]");
const idle = Number(dataset.idle) * 1000;
let timer = 0;

rememberShift({
  proof: dataset.proof,
  until: dataset.until,
  offset: Date.parse(dataset.now) - Date.now(),
  shop: dataset.shop,
  idle: Number(dataset.idle),
  mostAmount: Number(dataset.mostAmount),
  mostReceipts: Number(dataset.mostReceipts),
}).catch(() => {});

// What was typed waits in the address to which the PIN leads back.
function unfinished() {
  const form = document.querySelector("[data-sale]");
  const address = new URL(location.href);
  for (const [name, value] of form ? new FormData(form) : []) {
    if (value && !["csrfmiddlewaretoken", "number", "again", "member_code", "manager", "manager_pin"].includes(name)) address.searchParams.set(name, value);
  }
  return address.pathname + address.search;
}

// Without a connection the PIN cannot be checked: the page that knows nobody takes the place of this one.
async function lock() {
  await lockShift().catch(() => {});
  location.replace(navigator.onLine ? `${dataset.lock}?next=${encodeURIComponent(unfinished())}` : dataset.offline);
}

const leaving = document.querySelector(".till-lock");
leaving?.addEventListener("submit", async (event) => {
  if (leaving.dataset.left) return;
  event.preventDefault();
  leaving.dataset.left = "1";
  await lockShift().catch(() => {});
  leaving.requestSubmit(event.submitter);
});

function wait() {
  clearTimeout(timer);
  timer = setTimeout(lock, idle);
}

for (const name of ["keydown", "pointerdown"]) addEventListener(name, wait);
wait();

document.querySelector("[data-print]")?.addEventListener("click", () => print());
for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
