// Sales that wait to be sent, in the browser's own database: each with its number and the proof of its cashier, so that
// the server takes it once, however often it is sent and whatever happens to this browser meanwhile.
const strip = document.querySelector("[data-queue]");
const shift = document.querySelector("[data-shift]");
// Sales of this very page, which says itself what became of them.
const mine = new Set();

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("till", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("sales", { keyPath: "number" });
      asked.result.createObjectStore("refused", { keyPath: "number" });
      asked.result.createObjectStore("shift", { keyPath: "id" });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function run(store, mode, act) {
  const base = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = base.transaction(store, mode, { durability: "strict" });
      const asked = act(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(asked?.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    base.close();
  }
}

const all = (store) => run(store, "readonly", (rows) => rows.getAll());
const put = (store, row) => run(store, "readwrite", (rows) => rows.put(row));
const drop = (store, key) => run(store, "readwrite", (rows) => rows.delete(key));

export const waiting = () => all("sales");
const proved = async () => (await waiting()).filter((sale) => sale.proof);
export const rememberShift = (facts) => put("shift", { id: "last", ...facts });
// Nobody is there any more: what is noted from now on waits for a PIN beside the connection.
export const lockShift = async () => put("shift", { ...(await lastShift()), id: "last", locked: true });
export const lastShift = () => run("shift", "readonly", (rows) => rows.get("last"));

// A number that nobody else makes: fifty random bits.
export function newNumber() {
  const symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return `T${Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => symbols[byte % 32]).join("")}`;
}

// The server's time, by the difference that was seen when a colleague was last there.
export const momentOf = (shift) => new Date(Date.now() + (shift.offset ?? 0)).toISOString();

export async function keep(sale, { told = false } = {}) {
  if (told) mine.add(sale.number);
  await put("sales", sale);
  await show();
}

// Send what waits; the answers, by their numbers. Only one page of this browser sends at a time.
export async function flush() {
  const answers = new Map();
  await navigator.locks.request("till-queue", async () => {
    for (let sales = await proved(); sales.length; sales = await proved()) {
      const asked = sales.slice(0, 50).map(({ label, ...sale }) => sale);
      const reply = await fetch(strip.dataset.sales, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ sales: asked }),
        keepalive: asked.length < 20,
      });
      if (!reply.ok) break;
      const told = (await reply.json()).answers;
      for (const answer of told) {
        const { label } = sales.find((one) => one.number === answer.number);
        if (!answer.taken && !mine.has(answer.number)) await put("refused", { number: answer.number, label, detail: answer.detail });
        await drop("sales", answer.number);
        answers.set(answer.number, answer);
      }
      if (!told.length) break;
    }
  });
  await show();
  return answers;
}

async function forget(store, number) {
  await drop(store, number);
  await show();
}

// Whoever has entered the PIN since answers for a sale that was noted while the till was locked.
async function vouch(sale) {
  await put("sales", { ...sale, proof: shift.dataset.proof, vouched: true });
  await flush().catch(show);
}

export async function show() {
  if (!strip) return;
  const [sales, refused] = [await waiting(), await all("refused")];
  strip.querySelector("[data-queue-offline]").hidden = navigator.onLine;
  strip.querySelector("[data-queue-waiting]").hidden = !sales.length;
  strip.querySelector("[data-queue-count]").textContent = String(sales.length);
  const unproved = sales.filter((sale) => !sale.proof);
  const rows = [...refused.map(refusedRow), ...(shift ? unproved.map(unprovedRow) : [])];
  strip.querySelector("[data-queue-refused]").replaceChildren(...rows);
  strip.hidden = navigator.onLine && !sales.length && !refused.length;
}

const refusedRow = (one) =>
  lineOf(`${strip.dataset.refused} ${one.label} · ${one.detail}`, [[strip.dataset.forget, () => forget("refused", one.number)]]);

const unprovedRow = (sale) =>
  lineOf(`${strip.dataset.unproved} ${sale.label}`, [
    [strip.dataset.vouch, () => vouch(sale)],
    [strip.dataset.drop, () => forget("sales", sale.number)],
  ]);

function lineOf(words, buttons) {
  const [row, text] = ["li", "span"].map((name) => document.createElement(name));
  text.textContent = words;
  row.append(text);
  for (const [name, act] of buttons) {
    const button = document.createElement("button");
    button.textContent = name;
    button.className = "button button--plain";
    button.type = "button";
    button.addEventListener("click", act);
    row.append(button);
  }
  return row;
}

const again = () => flush().catch(show);
if (strip) {
  addEventListener("online", again);
  addEventListener("offline", show);
  setInterval(again, 20_000);
  again();
  if ("serviceWorker" in navigator) navigator.serviceWorker.register(strip.dataset.worker).catch(() => {});
}
