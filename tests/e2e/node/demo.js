// Tabs of /demo in one headless Chromium, used like a person would: by clicking, typing and listening. Driven by tests/e2e/demo_page.py.

import puppeteer from "puppeteer-core";

import { FLAGS } from "./chromium.js";
import { report, serve } from "./remote.js";

/** In the page, before its own scripts: the microphone is a steady tone (0 = the person refuses it). */
function replaceMicrophone(frequency) {
  navigator.mediaDevices.getUserMedia = async () => {
    if (!frequency) throw new DOMException("Permission denied", "NotAllowedError");
    const audio = new AudioContext();
    const oscillator = new OscillatorNode(audio, { frequency });
    const destination = new MediaStreamAudioDestinationNode(audio, { channelCount: 1 });
    oscillator.connect(new GainNode(audio, { gain: 0.5 })).connect(destination);
    oscillator.start();
    return destination.stream;
  };
}

/** In the page: what a person sees. */
function seen() {
  const text = (element) => element.textContent.trim();
  const shown = (id) => !document.getElementById(id).hidden;
  return {
    view: shown("room-view") ? "room" : "join",
    status: document.getElementById("status").dataset.state,
    alert: shown("alert") ? text(document.getElementById("alert")) : "",
    people: [...document.querySelectorAll(".person")].map((tile) => ({
      userId: tile.dataset.userId,
      name: text(tile.querySelector(".name")),
      me: !tile.querySelector(".you").hidden,
      doing: text(tile.querySelector(".doing")),
      level: Number(tile.style.getPropertyValue("--level")),
    })),
    chat: [...document.querySelectorAll("#chat li")].map((line) => [text(line.querySelector("b")), line.lastChild.textContent]),
  };
}

/** In the page: the loudest frequency (Hz) in what the tile of this person plays, and its level (dB). */
function heard(name) {
  const tile = [...document.querySelectorAll(".person")].find((each) => each.querySelector(".name").textContent === name);
  const stream = tile?.querySelector("audio").srcObject;
  if (!stream) return { frequency: 0, level: -1000 };
  window.ears ??= { audio: new AudioContext({ sampleRate: 48000 }), of: new WeakMap() };
  const { audio, of } = window.ears;
  if (!of.has(stream)) {
    const analyser = new AnalyserNode(audio, { fftSize: 8192, smoothingTimeConstant: 0 });
    audio.createMediaStreamSource(stream).connect(analyser);
    of.set(stream, analyser);
  }
  const analyser = of.get(stream);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(spectrum);
  let peak = 10; // the lowest bins (hum, DC) do not count
  for (let bin = 10; bin < spectrum.length; bin += 1) if (spectrum[bin] > spectrum[peak]) peak = bin;
  return { frequency: (peak * audio.sampleRate) / analyser.fftSize, level: Math.max(spectrum[peak], -1000) };
}

const tabs = new Map();
let browser;

await serve(
  {
    async launch({ executable }) {
      browser = await puppeteer.launch({ executablePath: executable, headless: true, args: FLAGS });
    },
    async open({ user, url, microphone }) {
      // A context and so a window of its own: tabs behind another one are not painted, and what is not painted cannot be clicked.
      const page = await (await browser.createBrowserContext()).newPage();
      tabs.set(user, page);
      // Whatever the page complains about in the console, a violated Content-Security-Policy among it, is for the test to see.
      page.on("pageerror", (error) => report({ user, event: "pageError", args: [String(error.stack ?? error)] }));
      page.on("console", (message) => report({ user, event: "console", args: [message.type(), message.text()] }));
      await page.evaluateOnNewDocument(replaceMicrophone, microphone);
      await page.goto(url);
    },
    click: ({ user, selector }) => tabs.get(user).click(selector),
    async type({ user, selector, text }) {
      await tabs.get(user).type(selector, text);
      await tabs.get(user).keyboard.press("Enter");
    },
    seen: ({ user }) => tabs.get(user).evaluate(seen),
    heard: ({ user, name }) => tabs.get(user).evaluate(heard, name),
    async close({ user }) {
      await tabs.get(user).browserContext().close();
      tabs.delete(user);
    },
  },
  () => browser?.close(),
);
