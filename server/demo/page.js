// The page of the demo: forms, the list of people, level meters, chat. What goes over the wire is in room.js.

import { Room } from "./room.js";
import { Refused } from "./wire.js";

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const server = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const TREES = ["Amber", "Birch", "Cedar", "Copper", "Hazel", "Juniper", "Maple", "Rowan"];
const ANIMALS = ["Fox", "Heron", "Lynx", "Otter", "Owl", "Robin", "Wren"];
const randomName = () => `${pick(TREES)} ${pick(ANIMALS)}`;
const TINTS = 7;
const CHAT_LINES = 200;
const METER_MS = 80;
const FALL = 0.05; // of the meter, per METER_MS

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const userId = `demo-${hex(crypto.getRandomValues(new Uint8Array(5)))}`;
let room = null;
let microphone = null; // MediaStream of this tab
let audio = null; // AudioContext, for the meters only
const tiles = new Map(); // userId → {element, media, meter}

// --- the server and its token

async function credentials(roomId) {
  let response;
  try {
    response = await fetch(`/demo/token?${new URLSearchParams({ user_id: userId, room_id: roomId })}`);
  } catch {
    throw new Error("Hearth does not answer. Is it still running?");
  }
  if (!response.ok) throw new Error(`Hearth gives no token: ${await response.text()}`);
  return response.json();
}

const REASONS = new Map([
  [1008, "The token is not accepted."],
  [1010, "The token has expired."],
  [1011, "The token is not accepted."],
  [1000002002, "The token is not accepted."],
  [1000001105, "The room is full."],
]);

function explain(error) {
  if (!(error instanceof Refused)) return error.message;
  return `${REASONS.get(error.code) ?? "The server refused it."} (${error.message})`;
}

// --- joining and leaving

async function join(event) {
  event.preventDefault();
  complain("");
  audio ??= new AudioContext(); // made during the click, or the browser keeps it suspended
  audio.resume();
  const name = $("name").value.trim() || randomName();
  const roomId = $("room").value.trim();
  $("join").disabled = true;
  room = new Room({ server, roomId, userId, userName: name, credentials: () => credentials(roomId) });
  room.addEventListener("state", ({ detail }) => showState(detail.state, detail.why));
  room.addEventListener("change", showPeople);
  room.addEventListener("said", ({ detail }) => addLine(detail));
  room.addEventListener("trouble", ({ detail }) => complain(detail.why));
  room.addEventListener("ended", ({ detail }) => {
    leave();
    complain(detail.why);
  });
  try {
    await room.join();
  } catch (error) {
    room.leave();
    room = null;
    showState("idle");
    complain(explain(error));
    return;
  } finally {
    $("join").disabled = false;
  }
  $("room-title").textContent = roomId;
  document.title = `${roomId} · Hearth demo`;
  $("second-tab").href = `/demo?${new URLSearchParams({ room: roomId })}`;
  show("room-view");
  $("room-title").focus();
  if ($("with-mic").checked) await switchMicrophone();
}

function leave() {
  room?.leave();
  room = null;
  closeMicrophone();
  for (const userId of [...tiles.keys()]) removeTile(userId);
  $("chat").replaceChildren();
  document.title = "Hearth demo";
  showState("idle");
  complain("");
  show("join-view");
  $("join").focus();
}

async function switchMicrophone() {
  const here = room;
  complain("");
  if (room.publishing) {
    room.setMicrophone(!room.micOn);
    return;
  }
  closeMicrophone();
  $("mic").disabled = true;
  try {
    microphone = await openMicrophone();
    if (room !== here) throw new Error("left meanwhile");
    await room.publish(microphone);
  } catch (error) {
    closeMicrophone();
    if (room === here && room) complain(explain(error));
  } finally {
    $("mic").disabled = false;
    if (room) showPeople();
  }
}

function closeMicrophone() {
  microphone?.getTracks().forEach((track) => track.stop());
  microphone = null;
}

async function openMicrophone() {
  if (!navigator.mediaDevices) throw new Error("The browser gives the microphone only to https pages and to http://127.0.0.1.");
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    const text = {
      NotAllowedError:
        "The browser was told not to give the microphone to this page. You still hear the others. " +
        "To talk, allow it beside the page's address, then switch the microphone on.",
      NotFoundError: "No microphone was found. You still hear the others.",
      NotReadableError: "The microphone is in use by another program.",
    };
    throw new Error(text[error.name] ?? `The microphone cannot be used: ${error.message}`);
  }
}

// --- what is seen (texts from others only ever become textContent)

function show(view) {
  for (const id of ["join-view", "room-view"]) $(id).hidden = id !== view;
}

function complain(text) {
  $("alert").textContent = text;
  $("alert").hidden = !text;
}

function showState(state, why = "") {
  const text = { connecting: "Connecting…", connected: "Connected", reconnecting: "Connection lost, reconnecting…" };
  $("status").dataset.state = state;
  $("status").textContent = (text[state] ?? "Not connected") + (why ? ` (${why})` : "");
}

function showPeople() {
  if (!room) return;
  const people = room.people;
  const present = new Set(people.map((person) => person.userId));
  for (const userId of [...tiles.keys()]) if (!present.has(userId)) removeTile(userId);
  for (const person of people) {
    const tile = tiles.get(person.userId) ?? addTile(person);
    const doing = !person.onAir ? "listening" : person.micOn ? "on air" : "muted";
    tile.element.dataset.doing = doing;
    tile.element.querySelector(".doing").textContent = doing;
    if (tile.media !== person.media) connectSound(tile, person);
  }
  $("people-title").textContent = people.length === 1 ? "Only you are here" : `${people.length} people`;
  $("mic").setAttribute("aria-checked", String(room.micOn));
  $("mic-state").textContent = room.micOn ? "on" : "off";
}

function addTile(person) {
  const element = $("person").content.firstElementChild.cloneNode(true);
  element.dataset.userId = person.userId;
  element.querySelector(".name").textContent = person.name;
  element.querySelector(".you").hidden = !person.me;
  const avatar = element.querySelector(".avatar");
  avatar.textContent = [...person.name][0]?.toUpperCase() ?? "?";
  avatar.dataset.tint = [...person.userId].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % TINTS;
  $("people").append(element);
  const tile = { element, media: null, source: null, meter: null, level: 0 };
  tiles.set(person.userId, tile);
  return tile;
}

function removeTile(userId) {
  const tile = tiles.get(userId);
  tiles.delete(userId);
  tile.source?.disconnect();
  tile.element.querySelector("audio").srcObject = null;
  tile.element.remove();
}

/** Plays a person's sound (not my own) and taps it for the meter. */
function connectSound(tile, { media, me }) {
  tile.source?.disconnect();
  Object.assign(tile, { media, source: null, meter: null });
  if (!me) tile.element.querySelector("audio").srcObject = media;
  if (!media) return;
  tile.source = audio.createMediaStreamSource(media);
  tile.meter = audio.createAnalyser();
  tile.meter.fftSize = 1024;
  tile.source.connect(tile.meter);
}

/** Loudness from 0 (-55 dBFS or less) to 1 (-5 dBFS). */
function loudness(meter) {
  const samples = new Float32Array(meter.fftSize);
  meter.getFloatTimeDomainData(samples);
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-12) + 55) / 50));
}

setInterval(() => {
  for (const tile of tiles.values()) {
    tile.level = Math.max(tile.meter ? loudness(tile.meter) : 0, tile.level - FALL); // rises at once, falls slowly: easier to read
    tile.element.style.setProperty("--level", tile.level.toFixed(2));
  }
}, METER_MS);

function addLine({ name, text, at }) {
  const time = document.createElement("time");
  time.textContent = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const who = document.createElement("b");
  who.textContent = name;
  const line = document.createElement("li");
  line.append(time, who, text);
  $("chat").append(line);
  while ($("chat").childElementCount > CHAT_LINES) $("chat").firstElementChild.remove();
  line.scrollIntoView({ block: "nearest" });
}

async function say(event) {
  event.preventDefault();
  const text = $("line").value.trim();
  if (!text) return;
  try {
    await room.say(text);
    $("line").value = "";
    complain("");
  } catch (error) {
    complain(`Not sent. ${explain(error)}`);
  }
}

// --- start

$("name").value = query.get("name") ?? randomName();
$("room").value = query.get("room") ?? "fireside";
$("with-mic").checked = query.get("mic") !== "off";
$("server-url").textContent = server;
$("join-form").addEventListener("submit", join);
$("chat-form").addEventListener("submit", say);
$("mic").addEventListener("click", switchMicrophone);
$("leave").addEventListener("click", leave);
addEventListener("pagehide", () => room?.leave());
$("own-app").addEventListener("toggle", async () => {
  try {
    $("app-id").textContent = (await credentials($("room").value)).app_id;
  } catch (error) {
    $("app-id").textContent = error.message;
  }
});
