// The choice System, Light or Dark: kept in a cookie, so that the server draws the page right the first time.
const root = document.documentElement;
const group = document.querySelector("[data-scheme-choice]");

function show() {
  for (const button of group.children) button.setAttribute("aria-pressed", String(button.value === (root.dataset.scheme ?? "")));
}

if (group) {
  group.hidden = false;
  show();
  group.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.value) root.dataset.scheme = button.value;
    else delete root.dataset.scheme;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `scheme=${button.value}; Path=/; Max-Age=${button.value ? 31536000 : 0}; SameSite=Lax${secure}`;
    show();
  });
}
