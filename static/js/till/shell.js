// The page without a connection: a card and an amount are noted for later. Balances are not known, rewards are refused.
import "./keypad.js";
import { keep, lastShift, lockShift, momentOf, newNumber, waiting } from "./queue.js";

const shell = document.querySelector("[data-shell]");
const form = shell.querySelector("[data-shell-form]");
const error = shell.querySelector("[data-shell-error]");
const said = shell.querySelector("[data-shell-said]");
const [card, amount] = [form.elements.card, form.elements.amount];
const AMOUNT = /^[0-9]{1,9}([.,][0-9]{1,2})?$/;
const shift = await lastShift();
const locked = shell.querySelector("[data-shell-locked]");
let timer = 0;

if (shift && Date.parse(shift.until) > Date.now() + (shift.offset ?? 0)) {
  form.hidden = false;
  card.focus();
  locked.hidden = !shift.locked;
  for (const name of ["keydown", "pointerdown"]) addEventListener(name, wait);
  wait();
} else {
  const nobody = shell.querySelector("[data-shell-nobody]");
  nobody.textContent = shell.dataset.nobody;
  nobody.hidden = false;
}

function wait() {
  clearTimeout(timer);
  if (!shift.locked) timer = setTimeout(lock, shift.idle * 1000);
}

// What is noted from here on waits for somebody's PIN.
async function lock() {
  await lockShift();
  shift.locked = true;
  locked.hidden = false;
  said.textContent = "";
  form.reset();
}

const symbols = (text) => text.trim().split("/").filter(Boolean).at(-1)?.toUpperCase().replace(/[\s-]/g, "") ?? "";

async function hindrance() {
  const [number, paid] = [symbols(card.value), amount.value.trim()];
  if (number.length === 14) return [shell.dataset.voucher, card];
  if (!/^[0-9A-Z]{10}$/.test(number)) return [shell.dataset.card, card];
  if (!AMOUNT.test(paid) || Number(paid.replace(",", ".")) === 0) return [shell.dataset.amount, amount];
  if (Number(paid.replace(",", ".")) > shift.mostAmount) return [`${shell.dataset.most} ${shift.mostAmount}`, amount];
  if ((await waiting()).length >= shift.mostReceipts) return [shell.dataset.many, card];
  return null;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  said.textContent = "";
  // A scanner's Enter after the card leads on to the amount.
  if (card.value && !amount.value && symbols(card.value).length === 10) return amount.focus();
  const hindered = await hindrance();
  error.hidden = !hindered;
  if (hindered) {
    error.textContent = hindered[0];
    return hindered[1].focus();
  }
  const number = symbols(card.value);
  const sale = { number: newNumber(), member: number, amount: amount.value.trim().replace(",", "."), at: momentOf(shift) };
  if (!shift.locked) sale.proof = shift.proof;
  await keep({ ...sale, label: `… ${number.slice(-4)} · ${sale.amount}` });
  said.textContent = shift.locked ? shell.dataset.keptLocked : shell.dataset.kept;
  form.reset();
  card.focus();
});
