// What a refund of the typed amount takes back, said before it is done; sent once, however often it is pressed.
import { live } from "./live.js";

const form = document.querySelector("[data-refund]");
if (form) {
  const take = form.querySelector("[data-take]");
  const { amount } = form.elements;
  const address = () => `${form.dataset.takes}?${new URLSearchParams({ amount: amount.value })}`;
  live(form, form.querySelector("[data-takes-here]"), address, (text, made) => {
    take.textContent = text || take.dataset.plain;
    take.disabled = Boolean(made?.querySelector(".field-error"));
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
