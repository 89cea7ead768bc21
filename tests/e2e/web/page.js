// One user of the unmodified zego-express-engine-webrtc in a page. Driven by node/browser.js through `window.hearth`.

import { concealed, mediaThrough, paths, relayOnly, reportedLoss, untilNoPackets } from "./connections.js";

import { ZegoExpressEngine } from "sdk-under-test";

import { makeEngine, makeHubEngine } from "./engines.js";
import { Listener, audio, tone } from "./listening.js";

const EVENTS = [
  "roomStateUpdate", "roomStateChanged", "roomUserUpdate", "roomOnlineUserCountUpdate", "roomStreamUpdate", "streamExtraInfoUpdate",
  "roomExtraInfoUpdate", "tokenWillExpire", "IMRecvBroadcastMessage", "IMRecvBarrageMessage", "IMRecvCustomCommand",
  "publisherStateUpdate", "playerStateUpdate", "remoteMicStatusUpdate", "remoteCameraStatusUpdate", "updateOnlineCount",
  "playQualityUpdate", "publishQualityUpdate", "recvRoomTransparentMessage",
  "recvExperimentalAPI",
];

let engine;
let sdk;
const lost = new Set();
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  for (const command of lost) if (typeof data === "string" && data.includes(`"${command}"`)) return;
  send.call(this, data);
};
const published = new Map();
const played = new Map();

const listener = (streamId) => {
  const found = played.get(streamId);
  if (!found) throw new Error(`${streamId} is not played here`);
  return found;
};

/** Bytes in what an event tells, as the text that they are. */
const withText = (value) =>
  value?.content instanceof Uint8Array ? { ...value, content: new TextDecoder().decode(value.content) } : value;

async function startPublishing(streamId, source, option) {
  const stream = await engine.createStream(source);
  published.set(streamId, stream);
  // 2.x answers true or false, 3.x a promise.
  if (!(await engine.startPublishingStream(streamId, stream, option))) throw new Error("startPublishingStream answered false");
}

window.hearth = {
  /** `hub`: the host with the accesshub, for the SDKs that are to use it; the others talk JSON to `server`. */
  create({ appId, server, version, hub, localProxy }) {
    sdk = version;
    engine = hub ? makeHubEngine(ZegoExpressEngine, sdk, appId, hub, localProxy) : makeEngine(ZegoExpressEngine, sdk, appId, server);
    engine.setLogConfig({ logLevel: "disable", remoteLogLevel: "disable" });
    engine.setDebugVerbose(false);
    for (const event of EVENTS) engine.on(event, (...args) => window.reportToTest({ event, args: args.map(withText) }));
  },

  /** `await engine[method](...args)`; what cannot be said in JSON is left out. */
  async call({ method, args }) {
    const result = await engine[method](...args);
    return result instanceof MediaStream ? null : result;
  },

  async publishTone({ streamId, frequency, amplitude, option }) {
    await audio.resume();
    await startPublishing(streamId, { custom: { source: tone(frequency, amplitude) } }, option);
  },

  /** The machine's microphone, without the processing that takes a steady tone for noise. */
  async publishMicrophone({ streamId, option }) {
    await startPublishing(streamId, { camera: { audio: true, video: false, ANS: false, AGC: false, AEC: false } }, option);
  },

  /** Microphone and camera, for an app that also shows people. */
  async publishCamera({ streamId, option }) {
    await startPublishing(streamId, { camera: { audio: true, video: true, ANS: false, AGC: false, AEC: false } }, option);
  },

  turnOverTcp() {
    (engine.zegoWebRTC ?? engine).setTurnOverTcpOnly(true);
  },

  muteMicrophone({ streamId, mute }) {
    // In 1.4.0 the switch is the wrong way round (web-1x-2x.md section 7).
    return engine.mutePublishStreamAudio(published.get(streamId), sdk === "1.4.0" ? !mute : mute);
  },

  /** 3.12.0: bytes to some users or to all. */
  sendTransparent({ roomId, text, to }) {
    const recvUserList = to.map((userID) => ({ userID }));
    return engine.sendTransparentMessage(roomId, { sendMode: 0, sendType: 0, content: new TextEncoder().encode(text), recvUserList });
  },

  stopPublishing({ streamId }) {
    engine.stopPublishingStream(streamId);
    engine.destroyStream(published.get(streamId));
    published.delete(streamId);
  },

  async play({ streamId }) {
    await audio.resume();
    played.set(streamId, new Listener(await engine.startPlayingStream(streamId, { audio: true, video: false })));
  },

  stopPlaying({ streamId }) {
    listener(streamId).stop();
    played.delete(streamId);
    engine.stopPlayingStream(streamId);
  },

  /** From now on requests with this command get lost on the way. */
  loseRequests({ command }) {
    lost.add(command);
  },

  hearTone: ({ streamId, frequency, limitMs }) => listener(streamId).untilTone(frequency, limitMs),
  hearSilence: ({ streamId, limitMs }) => listener(streamId).untilSilence(limitMs),

  concealed: () => concealed(),
  untilNoPackets: ({ limitMs }) => untilNoPackets(limitMs),
  paths: () => paths(),
  mediaThrough: ({ from, to }) => void mediaThrough(from, to),
  relayOnly: () => void relayOnly(),
  reportedLoss: () => reportedLoss(),
};
