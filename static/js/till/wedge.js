// A scanner types like a person, only faster, and ends with Enter. Wherever the page is, what it reads is looked up; a key
// that it presses touches no button. A person's keys are left alone: a field is typed into slower than FAST (milliseconds
// from key to key), and on a button nobody types a code at all.
const FAST = 35;
const SLOW = 1000;
const LEAST = 8;
// Fields that are meant for what is scanned.
const TAKES = "[data-scan] input, [data-takes-scans] input, input[data-takes-scans]";
const { home } = document.querySelector("[data-shift]").dataset;
let typed = "";
let last = 0;

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const fast = event.timeStamp - last < (event.target.matches?.("input, textarea, select") ? FAST : SLOW);
  last = event.timeStamp;
  if (event.key === "Enter" && typed.length >= LEAST && fast) {
    if (!event.target.matches?.(TAKES)) {
      event.preventDefault();
      event.stopPropagation();
      location.assign(`${home}?code=${encodeURIComponent(typed)}`);
    }
    typed = "";
  } else if (event.key.length === 1) {
    typed = fast ? typed + event.key : event.key;
  } else if (event.key !== "Shift") {
    typed = "";
  }
}, true);
