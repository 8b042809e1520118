// A scanner does not wait for a page: what is typed before a field has the focus goes to the field that is meant to have it.
// Loaded before anything is drawn, so that not even the first key is lost. What stood in the field before gives way.
(() => {
  const TAKEN = "input, textarea, select, button, a, summary";
  let kept = "";
  let begun = false;

  function meant() {
    const field = document.querySelector(":is(input, textarea)[autofocus]");
    return field?.getClientRects().length ? field : null;
  }

  function begin(field) {
    begun = true;
    field.value = kept || field.value || (field.dataset.old ?? "");
    field.focus();
    if (!kept) field.select();
  }

  addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (key.length !== 1 || event.ctrlKey || event.altKey || event.metaKey) return;
    const field = meant();
    if (target !== field && target.closest?.(TAKEN)) begun = true;
    else if (!field) kept += document.readyState === "loading" ? key : "";
    else if (!begun) begin(field);
    else if (key !== " ") field.focus();
  }, true);

  addEventListener("DOMContentLoaded", () => {
    const field = meant();
    if (field && !begun && (kept || !document.querySelector("#errors"))) begin(field);
  });
})();
