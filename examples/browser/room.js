// An audio room on the official web SDK. Every method and event is the SDK's own; only the server's address is ours.

import { ZegoExpressEngine } from "zego-express-engine-webrtc";

const element = (id) => document.getElementById(id);
const people = new Map(); // userID -> { userName, microphone }

function show(state) {
  if (state) element("state").textContent = state;
  element("people").replaceChildren(
    ...[...people.values()].map(({ userName, microphone }) => {
      const item = document.createElement("li");
      item.textContent = `${userName} – microphone ${microphone}`;
      return item;
    }),
  );
}

/** Plays a stream of somebody else through an audio element of its own. */
async function listen(engine, streamID) {
  const audio = new Audio();
  audio.id = streamID;
  audio.autoplay = true;
  audio.srcObject = await engine.startPlayingStream(streamID, { audio: true, video: false });
  document.body.append(audio);
}

function stopListening(engine, streamID) {
  engine.stopPlayingStream(streamID);
  element(streamID)?.remove();
}

async function join({ server, appId, room, name, token }) {
  const engine = new ZegoExpressEngine(Number(appId), server);
  engine.setLogConfig({ logLevel: "error", remoteLogLevel: "disable" });
  engine.setDebugVerbose(false);
  const streamID = `${room}-${name}`;
  const ownerOf = new Map(); // streamID -> userID

  engine.on("roomStateUpdate", (roomID, state, errorCode, extendedData) => {
    show(errorCode ? `${state} (${errorCode}) ${extendedData ?? ""}` : `${state} in ${roomID} as ${name}`);
  });
  engine.on("roomUserUpdate", (roomID, change, users) => {
    for (const { userID, userName } of users) {
      if (change === "ADD") people.set(userID, { userName, microphone: "off" });
      else people.delete(userID);
    }
    show();
  });
  engine.on("roomStreamUpdate", async (roomID, change, streams) => {
    for (const { streamID: id, user } of streams) {
      if (change === "ADD") {
        ownerOf.set(id, user.userID);
        await listen(engine, id);
      } else {
        stopListening(engine, id);
        setMicrophone(user.userID, "off");
      }
    }
  });
  engine.on("remoteMicStatusUpdate", (id, status) => setMicrophone(ownerOf.get(id), status === "OPEN" ? "on" : "muted"));

  function setMicrophone(userID, microphone) {
    const person = people.get(userID);
    if (person) person.microphone = microphone;
    show();
  }

  await engine.loginRoom(room, token, { userID: name, userName: name }, { userUpdate: true });
  const microphone = await engine.createStream({ camera: { audio: true, video: false } });
  engine.startPublishingStream(streamID, microphone);

  let muted = false;
  element("mute").onclick = () => {
    muted = !muted;
    engine.mutePublishStreamAudio(microphone, muted);
    element("mute").textContent = muted ? "Unmute" : "Mute";
  };
  element("leave").onclick = () => {
    engine.stopPublishingStream(streamID);
    engine.destroyStream(microphone);
    engine.logoutRoom(room);
    location.reload();
  };
}

element("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = Object.fromEntries(new FormData(event.target));
  element("join").hidden = true;
  element("room").hidden = false;
  try {
    await join(form);
  } catch (error) {
    show(`Could not join: ${error.msg ?? error.message ?? JSON.stringify(error)}`);
    element("join").hidden = false;
  }
});
