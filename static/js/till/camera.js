// A QR code by the camera: read by the browser where it can, else by a decoder that is loaded when the camera is asked for.
const form = document.querySelector("[data-scan]");
const button = form.querySelector("[data-camera]");
const view = form.querySelector("[data-camera-view]");
const video = view.querySelector("video");
const said = view.querySelector("[data-camera-said]");
const EVERY = 120;
const SIDE = 640;
let stream = null;

if (navigator.mediaDevices?.getUserMedia) button.hidden = false;

async function reader() {
  if ("BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async () => (await detector.detect(video))[0]?.rawValue;
  }
  const { default: decode } = await import("../../vendor/qr/decode.js");
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  return () => {
    const scale = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
    [canvas.width, canvas.height] = [video.videoWidth * scale, video.videoHeight * scale].map(Math.round);
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      return decode(pen.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      return undefined; // no code in this picture
    }
  };
}

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  view.hidden = true;
}

async function look(read) {
  if (!stream) return;
  const found = video.readyState >= 2 && video.videoWidth ? await read() : undefined;
  if (!found) return void setTimeout(look, EVERY, read);
  form.elements.code.value = found;
  stop();
  form.requestSubmit();
}

button.addEventListener("click", async () => {
  view.hidden = false;
  said.textContent = "";
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    await video.play();
    look(await reader());
  } catch {
    said.textContent = view.querySelector("[data-camera-none]").content.textContent;
  }
});
view.querySelector("[data-camera-stop]").addEventListener("click", stop);
