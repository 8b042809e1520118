// What an amount would do, asked of the server while it is typed; the last answer counts.
const WAIT = 150;

// `address` makes the question of what is typed now; `label` is told what the button would say, or nothing.
export function live(form, here, address, label) {
  let asked = 0;
  let timer = 0;

  async function count() {
    const turn = ++asked;
    try {
      const reply = await fetch(address(), { redirect: "error" });
      if (!reply.ok || turn !== asked) return;
      const made = new DOMParser().parseFromString(await reply.text(), "text/html").body.firstElementChild;
      here.replaceChildren(made);
      label(made.dataset.button, made);
    } catch {
      label("", null);
    }
  }

  form.querySelector("[data-recount]").hidden = true;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(count, WAIT);
  });
  return count;
}
