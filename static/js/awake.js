// Keeps the screen on while the code is shown. Where the browser cannot, nothing is missing.
async function hold() {
  if (document.visibilityState !== "visible") return;
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // Low battery or no permission: the screen dims as usual.
  }
}

hold();
document.addEventListener("visibilitychange", hold);
