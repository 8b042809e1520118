// After a sale the till goes back to its first page by itself, unless somebody does something; Undo ends with its time.
import "./shift.js";

const page = document.querySelector("[data-leave]");
const undo = document.querySelector("[data-undo]");
const field = document.querySelector("#code");

if (page) {
  const timer = setTimeout(() => location.assign(document.querySelector("[data-shift]").dataset.home), Number(page.dataset.leave) * 1000);
  for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => clearTimeout(timer), { once: true });
}
if (undo) {
  setTimeout(() => undo.remove(), Number(undo.dataset.seconds) * 1000);
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || field?.value) return;
    event.preventDefault();
    undo.requestSubmit();
  });
}
