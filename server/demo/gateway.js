// The media socket, and the sounds whose signalling it carries: one RTCPeerConnection each, the client always offers.

import { DIALECT, Refused, Wire, backoff, pause } from "./wire.js";

const CONNECT_LIMIT_MS = 15000;
const HEARTBEAT_MS = 10000;
const MIC_ON = 0;
const MIC_OFF = 2;
const GIVE_UP = 1; // "action" of CloseSessionPush; every other one means: try again

/** One sound, sent (`kind` is "push") or received ("pull"). */
export class Call {
  pc = null;
  gateway = null;
  sessionId = 0;
  sessionToken = "";
  micOn = true;
  begun = false; // the gateway said once that sound flows; a second time means: start over
  ended = false; // nobody wants it any more
  refused = false; // the server will not have it
  starting = null;

  constructor(kind, streamId, media = null) {
    this.kind = kind;
    this.streamId = streamId;
    this.media = media; // MediaStream: what is sent, or what arrives
  }

  /** Sends sound or silence, and has the listeners told which it is. */
  tellMicrophone() {
    for (const track of this.media.getAudioTracks()) track.enabled = this.micOn;
    const status = { mic_status: this.micOn ? MIC_ON : MIC_OFF, camera_status: MIC_OFF };
    if (this.sessionId) this.gateway.tell("StreamStatusNotify", status, this.sessionId);
  }

  /** Frees everything on both sides; an attempt under way fails by it. `reason`: 0 = done, 1 = will retry. */
  release(reason) {
    if (this.sessionId) this.gateway?.tell("CloseSessionReq", { reason }, this.sessionId);
    this.pc?.close();
    this.pc?.dispatchEvent(new Event("connectionstatechange")); // close() is silent, and somebody may be waiting for the connection
    this.gateway?.remove(this);
    if (this.kind === "pull") this.media = null;
    this.pc = this.gateway = null;
    this.sessionId = 0;
    this.begun = false;
  }
}

/** One media socket. Comes back by itself when it is lost, and takes its sessions over. */
export class Gateway {
  calls = new Set();
  #url;
  #room;
  #wire = null;
  #timer = 0;
  #ready = null;

  constructor(url, room) {
    this.#url = url;
    this.#room = room;
  }

  /** Connects once; later callers wait for the same attempt. */
  ready() {
    this.#ready ??= this.#connect().catch((error) => {
      this.#ready = null;
      throw error;
    });
    return this.#ready;
  }

  /** Connects this sound; throws if that fails, and then whatever there is of it is to be released. */
  async open(call) {
    call.gateway = this;
    this.calls.add(call);
    await this.ready();
    if (call.gateway !== this) throw new Error("released meanwhile");
    const pc = (call.pc = new RTCPeerConnection());
    if (call.kind === "push") pc.addTransceiver(call.media.getAudioTracks()[0], { direction: "sendonly", streams: [call.media] });
    else pc.addTransceiver("audio", { direction: "recvonly" });
    pc.ontrack = ({ track, streams }) => {
      call.media = streams[0] ?? new MediaStream([track]);
      this.#room.changed();
    };
    await pc.setLocalDescription();
    const { appId, userId } = this.#room;
    const answer = await this.request("CreateSessionWithSdpReq", {
      type: call.kind === "push" ? 0 : 1, app_id: String(appId), stream_id: call.streamId, sdp: pc.localDescription.sdp, user_id: userId,
      platform: "", browser: "", sdk_vers: 2140, clientIp: "", media_server_host: "", strAuthParam: "",
    });
    if (call.pc !== pc) {
      this.tell("CloseSessionReq", { reason: 1 }, answer.session_id);
      throw new Error("released while the answer was under way");
    }
    call.sessionId = answer.session_id;
    call.sessionToken = answer.session_token;
    await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    await connected(pc);
    pc.onconnectionstatechange = () => pc.connectionState === "failed" && pc === call.pc && this.#room.restart(call);
  }

  async request(cmd, body, sessionId = 0) {
    return this.#wire.request(cmd, body, { session_id: sessionId });
  }

  /** Sends what needs no answer, if there is a connection. */
  tell(cmd, body, sessionId) {
    this.request(cmd, body, sessionId).catch(() => {});
  }

  remove(call) {
    this.calls.delete(call);
    if (this.calls.size === 0) this.close();
  }

  close() {
    clearInterval(this.#timer);
    this.#room.forget(this.#url);
    this.#wire?.close();
  }

  async #connect() {
    const { appId, userId, roomId, token } = this.#room;
    const header = () => ({ version: "1.0.1", appid: String(appId), user_id: userId });
    const wire = new Wire(this.#url, header, (head, body) => this.#pushed(wire, head, body));
    await wire.opened;
    this.#wire = wire;
    // Sessions that live on from a lost socket are taken over by naming them; their sound was never interrupted.
    const held = [...this.calls].filter((call) => call.sessionId);
    const login = { token, tokenType: 0, roomid: roomId, anchorname: "", sdkversion: DIALECT, osinfo: "" };
    if (held.length) login.sessions = held.map((call) => ({ session_id: call.sessionId, session_token: call.sessionToken }));
    await wire.request("LoginReq", login, { session_id: 0 }).catch((error) => {
      wire.close();
      throw error;
    });
    const beat = () => this.tell("ClientHBReq", { session_ids: [...this.calls].map((call) => call.sessionId).filter(Boolean) }, 0);
    clearInterval(this.#timer);
    this.#timer = setInterval(beat, HEARTBEAT_MS);
    wire.closed.then(() => this.#lost());
  }

  async #lost() {
    clearInterval(this.#timer);
    this.#ready = null;
    for (let attempt = 0; this.calls.size > 0 && attempt < 4; attempt++) {
      try {
        return await this.ready();
      } catch (error) {
        if (error instanceof Refused) break;
        await pause(backoff(attempt));
      }
    }
    for (const call of [...this.calls]) this.#room.restart(call);
  }

  #pushed(wire, { cmd, seq, session_id: sessionId }, body) {
    const acknowledge = (name) => wire.send(name, { result: 0 }, { seq, session_id: sessionId });
    const call = [...this.calls].find((each) => each.sessionId === sessionId);
    if (cmd === "StreamStatusNotifyPush") {
      acknowledge("StreamStatusNotifyPushAck");
      if (call) call.micOn = body.mic_status === MIC_ON;
      this.#room.changed();
    } else if (cmd === "PlayEventPush" && call) {
      if (call.begun) this.#room.restart(call);
      call.begun = true;
    } else if (cmd === "CloseSessionPush") {
      acknowledge("CloseSessionAck");
      if (!call) return;
      call.sessionId = 0; // nothing left to close over there
      if (JSON.parse(body.err_info || "{}").action === GIVE_UP) this.#room.refuse(call);
      else this.#room.restart(call);
    } else if (cmd === "SessionResetPush") {
      acknowledge("SessionResetAck");
      const isHit = (each) => body.cResetType === 0 || body.session_ids?.includes(each.sessionId);
      for (const each of [...this.calls].filter(isHit)) this.#room.restart(each);
    }
  }
}

/** Resolves when the media path is up; rejects when it fails, is closed, or takes too long. */
function connected(pc) {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error("The sound found no way to the server: is its UDP port reachable?"));
    const timer = setTimeout(fail, CONNECT_LIMIT_MS);
    const look = () => {
      if (pc.connectionState === "connected") resolve();
      else if (pc.connectionState === "failed" || pc.connectionState === "closed") fail();
      else return;
      clearTimeout(timer);
      pc.removeEventListener("connectionstatechange", look);
    };
    pc.addEventListener("connectionstatechange", look);
    look();
  });
}
