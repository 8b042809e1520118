// The live sentence, the keys, and sending: a sale is kept in the browser's database first, then sent, so that neither a
// lost answer nor a lost connection makes it none or two. What needs more than that goes as a plain form.
import "./keypad.js";
import { live } from "./live.js";
import { flush, keep, lastShift, momentOf } from "./queue.js";

const form = document.querySelector("[data-sale]");
const here = form.querySelector("[data-gives-here]");
const give = form.querySelector("[data-give]");
const AMOUNT = /^[0-9]{1,9}([.,][0-9]{1,2})?$/;
const value = (name) => form.elements[name]?.value.trim() ?? "";
const ticked = () => new FormData(form).getAll("vouchers").map((one) => ["vouchers", one]);
const address = () => {
  const asked = new URLSearchParams([["amount", value("amount")], ["points", value("points")], ...ticked()]);
  return `${form.dataset.gives}?${asked}`;
};
const count = live(form, here, address, label);

// Asked whether the same is meant again, the button goes on to say so.
function label(text) {
  if (!value("again")) give.textContent = text || give.dataset.plain;
}

// Another amount is another sale: what was asked about the last one is no question any more.
function ask(field) {
  if (field.name !== "amount" || !value("again")) return;
  form.elements.again.remove();
  form.querySelector("[data-twice]").remove();
}

form.addEventListener("input", (event) => ask(event.target));

// A page that comes back from the browser's memory has a number that is used.
addEventListener("pageshow", (event) => event.persisted && location.reload());
if (value("amount")) count(); // typed before this was loaded

// Points as money, rewards, a shop's own number and a manager's PIN are judged by the server alone.
function isPlain() {
  if (form.querySelector("[data-manager]")) return false;
  return AMOUNT.test(value("amount")) && /[1-9]/.test(value("amount")) && !ticked().length && !value("points") && !value("receipt");
}

form.addEventListener("submit", async (event) => {
  if (event.submitter?.name === "recount" || !isPlain() || form.dataset.left) return;
  event.preventDefault();
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  const shift = await lastShift();
  const sale = {
    number: value("number"), member: form.dataset.member, amount: value("amount").replace(",", "."), at: momentOf(shift),
    proof: shift.proof, again: Boolean(form.elements.again?.value),
  };
  const named = `${document.querySelector("#who")?.textContent.trim().replace(/\s+/g, " ")} · ${value("amount")}`;
  try {
    await keep({ ...sale, label: named }, { told: true });
  } catch {
    return plainly();
  }
  const answer = (await flush().catch(() => new Map())).get(sale.number);
  if (answer?.taken) location.assign(answer.url);
  else if (answer) plainly();
  else location.assign(`${document.querySelector("[data-shift]").dataset.home}?queued=1`);
});

// The server says what is the matter, and asks what has to be asked.
function plainly() {
  form.dataset.left = "1";
  form.requestSubmit(give);
}
