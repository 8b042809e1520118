// The lock: keys on the screen, a clock that goes, and sales of before that are still sent.
import "./keypad.js";
import "./queue.js";

const clock = document.querySelector("[data-clock] time");
const ahead = Date.parse(clock.dateTime) - Date.now();
const zone = clock.dateTime.slice(-6);

function tick() {
  const [sign, hours, minutes] = [zone[0] === "-" ? -1 : 1, Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  const there = new Date(Date.now() + ahead + sign * (hours * 60 + minutes) * 60_000);
  clock.textContent = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "numeric", minute: "2-digit", timeZone: "UTC" }).format(there);
}

setInterval(tick, 10_000);
