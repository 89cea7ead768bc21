// A small client of Hearth: the JSON room dialect on /ws and the media socket, as the ZEGO web SDK 2.9 – 2.14 speaks them.
//
// It is here to be read, and to try a server without installing anything. An app uses the official SDK instead.
//
//   Room     one user in one room: login, heartbeat, people, streams, chat, and coming back after a lost connection
//   Gateway  one media socket; carries the signalling of all sounds whose address the room gave
//   Call     one sound, sent ("push") or received ("pull"): one RTCPeerConnection each, the client always offers
//   Wire     a WebSocket with JSON frames {header, body}, requests answered by seq

const DIALECT = "2.14.0"; // the SDK version whose behaviour this client has
const WEB_CLIENT = 3;
const ANSWER_LIMIT_MS = 6000;
const CONNECT_LIMIT_MS = 15000;
const PUBLISH_TRIES = 3;
const MIC_ON = 0;
const MIC_OFF = 2;
const STREAM = { begin: 2001, added: 12001, removed: 12002, changed: 12003 };
const LOG_IN_AGAIN = new Set([105, 152, 2001, 1000000105, 1000000152]); // heartbeat answers: the session is not known any more

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const backoff = (attempt) => Math.min(500 * 2 ** attempt, 8000) * (0.75 + Math.random() / 2);

/** The server said no. `code` is its err_code (room) or result (media). */
export class Refused extends Error {
  constructor(code, text) {
    super(text || `error ${code}`);
    this.code = code;
  }
}

class Wire {
  #socket;
  #header;
  #onPush;
  #seq = 0;
  #waiting = new Map();

  /** `header()` returns the fields that every frame carries; `onPush(header, body)` gets what nobody asked for. */
  constructor(url, header, onPush) {
    this.#header = header;
    this.#onPush = onPush;
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    this.closed = new Promise((resolve) => this.#socket.addEventListener("close", resolve));
    this.opened = new Promise((resolve, reject) => {
      this.#socket.onopen = resolve;
      this.closed.then(() => reject(new Error("the server cannot be reached")));
    });
    this.opened.catch(() => {}); // whoever waits for it handles it
    this.closed.then(() => this.#waiting.forEach(({ reject }) => reject(new Error("the connection was lost"))));
  }

  /** Sends a request and returns the body of its answer; throws Refused, or Error when none comes. */
  async request(cmd, body, header = {}) {
    const seq = ++this.#seq;
    this.send(cmd, body, { ...header, seq });
    let timer;
    try {
      const answer = await new Promise((resolve, reject) => {
        this.#waiting.set(seq, { resolve, reject });
        timer = setTimeout(() => reject(new Error(`no answer to ${cmd}`)), ANSWER_LIMIT_MS);
      });
      const code = answer.err_code ?? answer.result ?? 0;
      if (code !== 0) throw new Refused(code, answer.err_message || answer.strError);
      return answer;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(seq);
    }
  }

  send(cmd, body, header = {}) {
    if (this.#socket.readyState !== WebSocket.OPEN) throw new Error("not connected");
    this.#socket.send(JSON.stringify({ header: { ...this.#header(), cmd, ...header }, body }));
  }

  close() {
    this.#socket.close();
  }

  #receive({ header, body }) {
    // A push has a counter of its own, which may equal the seq of a request under way: names tell them apart.
    const isPush = header.cmd.startsWith("push_") || header.cmd.endsWith("Push");
    if (isPush) this.#onPush(header, body);
    else this.#waiting.get(header.seq)?.resolve(body);
  }
}

class Call {
  pc = null;
  gateway = null;
  sessionId = 0;
  sessionToken = "";
  micOn = true;
  begun = false; // the gateway said once that sound flows; a second time means: start over
  ended = false;
  starting = null;

  constructor(kind, streamId, media = null) {
    this.kind = kind;
    this.streamId = streamId;
    this.media = media; // MediaStream: what is sent, or what arrives
  }

  /** Frees everything on both sides; the call may be started again unless it is `ended`. `reason`: 0 = done, 1 = will retry. */
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

class Gateway {
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
    const sessions = [...this.calls].filter((call) => call.sessionId).map((call) => ({ session_id: call.sessionId, session_token: call.sessionToken }));
    const login = { token, tokenType: 0, roomid: roomId, anchorname: "", sdkversion: DIALECT, osinfo: "", ...(sessions.length && { sessions }) };
    await wire.request("LoginReq", login, { session_id: 0 }).catch((error) => {
      wire.close();
      throw error;
    });
    const beat = () => this.tell("ClientHBReq", { session_ids: [...this.calls].map((call) => call.sessionId).filter(Boolean) }, 0);
    clearInterval(this.#timer);
    this.#timer = setInterval(beat, 10000);
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
      if (call) call.sessionId = 0; // nothing left to close over there
      if (call) this.#room.restart(call);
    } else if (cmd === "SessionResetPush") {
      acknowledge("SessionResetAck");
      for (const each of [...this.calls]) if (body.cResetType === 0 || body.session_ids?.includes(each.sessionId)) this.#room.restart(each);
    }
  }
}

/**
 * Events: "change" (look at `people`), "state" (detail: {state, why}; connecting, connected, reconnecting, left),
 * "said" (detail: {name, text, at}), "ended" (detail: {why}; the server closed the door), "trouble" (detail: {why}).
 */
export class Room extends EventTarget {
  #server;
  #credentials;
  #wire = null;
  #session = { session_id: "0", room_session_id: "0" };
  #timer = 0;
  #left = false;
  #users = new Map(); // userId → name
  #streams = new Map(); // streamId → userId
  #streamSeq = 0;
  #userSeq = 0;
  #playing = new Map(); // streamId → Call
  #mine = null;
  #gateways = new Map(); // url → Gateway

  /** `credentials()` returns {app_id, token} for this user and room, a fresh one at each login. */
  constructor({ server, roomId, userId, userName, credentials }) {
    super();
    Object.assign(this, { roomId, userId, userName, appId: 0, token: "" });
    this.#server = server;
    this.#credentials = credentials;
  }

  async join() {
    this.#state("connecting");
    await this.#login();
    this.#keepConnected();
  }

  leave() {
    this.#end();
    this.#state("left");
  }

  /** Everybody in the room, me first: {userId, name, me, onAir, micOn, media}. */
  get people() {
    const streamOf = new Map([...this.#streams].map(([streamId, userId]) => [userId, streamId]));
    const others = [...this.#users].filter(([userId]) => userId !== this.userId);
    const me = { userId: this.userId, name: this.userName, me: true, onAir: this.#streams.has(this.#mine?.streamId), micOn: this.micOn, media: this.#mine?.media ?? null };
    return [me].concat(
      others.map(([userId, name]) => {
        const call = this.#playing.get(streamOf.get(userId));
        return { userId, name, me: false, onAir: streamOf.has(userId), micOn: call?.micOn ?? true, media: call?.media ?? null };
      }),
    );
  }

  get micOn() {
    return Boolean(this.#mine?.micOn);
  }

  /** Goes on the air with this sound; throws when the server refuses or the media path does not come up. */
  async publish(media) {
    const call = (this.#mine = new Call("push", `demo-${this.userId}`, media));
    try {
      await this.#start(call, PUBLISH_TRIES);
    } catch (error) {
      call.ended = true;
      this.#mine = null;
      throw error;
    } finally {
      this.changed();
    }
  }

  /** Mutes or unmutes what is on the air; the others are told. */
  setMicrophone(on) {
    this.#mine.micOn = on;
    this.#tellMicrophone();
    this.changed();
  }

  async say(text) {
    await this.#ask("im_chat", { msg_category: 1, msg_type: 1, msg_priority: 1, msg_content: text });
    this.#emit("said", { name: this.userName, text, at: Date.now() });
  }

  // --- room socket

  async #login() {
    const { app_id: appId, token } = await this.#credentials();
    Object.assign(this, { appId, token });
    const wire = new Wire(this.#server, () => this.#header(), (head, body) => this.#pushed(head.cmd, body));
    try {
      await wire.opened;
      const hello = await wire.request("login", {
        id_name: this.userId, nick_name: this.userName, role: 2, token, third_token: token, version: DIALECT, room_name: this.roomId,
        user_state_flag: 1, room_create_flag: 1, client_type: WEB_CLIENT, user_count_limit: 0, relate_service: "", login_logic: 1, proto_format: "json",
      });
      const resumed = hello.session_id === this.#session.session_id;
      this.#session = { user_id: hello.user_id, session_id: hello.session_id, room_session_id: hello.room_session_id };
      this.#wire = wire;
      await this.#readUsers();
      if (this.#left) throw new Error("left meanwhile");
      this.#timer = setInterval(() => this.#beat(wire), hello.hearbeat_interval);
      if (!resumed) for (const call of this.#calls()) call.release(1); // they belonged to a session that is no more
      this.#setStreams(hello);
      this.#state("connected");
      if (this.#mine && !resumed) this.restart(this.#mine);
      else if (this.#mine?.pc) this.#announce(this.#mine).catch(() => this.restart(this.#mine));
    } catch (error) {
      wire.close();
      throw error;
    }
  }

  async #keepConnected() {
    while (!this.#left) {
      await this.#wire.closed;
      clearInterval(this.#timer);
      for (let attempt = 0; !this.#left; attempt++) {
        this.#state("reconnecting");
        await pause(backoff(attempt));
        try {
          if (!this.#left) await this.#login();
          break;
        } catch (error) {
          this.#state("reconnecting", error instanceof Refused ? error.message : "");
        }
      }
    }
  }

  #header() {
    return { Protocol: "req", appid: this.appId, room_id: this.roomId, biz_version: "", ...this.#session };
  }

  async #ask(cmd, body) {
    if (!this.#wire) throw new Error("not connected");
    return this.#wire.request(cmd, body);
  }

  async #beat(wire) {
    try {
      const { stream_seq: seq } = await wire.request("hb", { reserve: 0 });
      if (seq !== undefined && seq !== this.#streamSeq) await this.#readStreams();
    } catch (error) {
      if (!(error instanceof Refused) || LOG_IN_AGAIN.has(error.code)) wire.close(); // and #keepConnected logs in again
    }
  }

  #pushed(cmd, body) {
    if (cmd === "push_userlist_update") {
      if (body.user_list_seq !== this.#userSeq + body.user_actions.length) return void this.#readUsers().catch(() => {});
      this.#userSeq = body.user_list_seq;
      for (const { Action, IdName, NickName } of body.user_actions) {
        if (Action === 1) this.#users.set(IdName, NickName);
        else this.#users.delete(IdName);
      }
      this.changed();
    } else if (cmd === "push_stream_update") {
      if (body.stream_seq !== this.#streamSeq + body.stream_info.length) return void this.#readStreams().catch(() => {});
      this.#streamSeq = body.stream_seq;
      for (const { stream_id: streamId, anchor_id_name: owner } of body.stream_info) {
        if (body.stream_cmd === STREAM.removed) this.#streams.delete(streamId);
        else if (body.stream_cmd === STREAM.added) this.#streams.set(streamId, owner);
      }
      this.#follow();
    } else if (cmd === "push_im_chat") {
      for (const line of body.chat_data) this.#emit("said", { name: line.nick_name || line.id_name, text: line.msg_content, at: line.send_time });
    } else if (cmd === "push_kickout") {
      this.#end();
      this.#emit("ended", { why: body.custom_reason || (body.reason === 1 ? "You joined from another place." : "The server ended your stay in this room.") });
    }
  }

  async #readUsers() {
    const users = new Map();
    for (let next = 0, last = -1; next !== last + 1 || last === -1; ) {
      const page = await this.#ask("user_list", { user_index: next, sort_type: 0 });
      for (const { id_name: userId, nick_name: name } of page.user_baseinfos) users.set(userId, name);
      this.#userSeq = page.server_user_seq;
      next = page.ret_user_index + 1;
      last = page.server_user_index;
      if (page.user_baseinfos.length === 0) break;
    }
    this.#users = users;
    this.changed();
  }

  async #readStreams() {
    this.#setStreams(await this.#ask("stream_info", { reserve: 0 }));
  }

  #setStreams({ stream_seq: seq, stream_info: list }) {
    this.#streamSeq = seq;
    this.#streams = new Map(list.map((each) => [each.stream_id, each.anchor_id_name]));
    this.#follow();
  }

  // --- sound

  /** Plays every stream of the others, and nothing else. */
  #follow() {
    for (const [streamId, call] of this.#playing) {
      if (this.#streams.has(streamId)) continue;
      this.#playing.delete(streamId);
      call.ended = true;
      call.release(0);
    }
    for (const [streamId, owner] of this.#streams) {
      if (owner === this.userId || this.#playing.has(streamId)) continue;
      this.#playing.set(streamId, new Call("pull", streamId));
    }
    for (const call of this.#playing.values()) if (!call.pc) this.#start(call);
    this.changed();
  }

  /** Begins anew with a sound whose path is broken. */
  restart(call) {
    if (call.ended || call.starting) return;
    call.release(1);
    this.#start(call).catch((error) => this.#emit("trouble", { why: error.message }));
  }

  #start(call, tries = Infinity) {
    const attempts = async () => {
      for (let attempt = 1; !call.ended; attempt++) {
        try {
          return await this.#negotiate(call);
        } catch (error) {
          call.release(1);
          if (attempt >= tries) throw error;
          await pause(backoff(attempt));
        }
      }
    };
    call.starting ??= attempts().finally(() => (call.starting = null));
    return call.starting;
  }

  async #negotiate(call) {
    const { kind, streamId } = call;
    const question = { stream_id: streamId, ptype: kind, signals: [...this.#gateways.keys()], header_kvs: [], retry: 0, center_ability: true, dispatch_type: 0 };
    const { urls } = await this.#ask("webrtc_url", question);
    const gateway = this.#gateways.get(urls[0]) ?? new Gateway(urls[0], this);
    this.#gateways.set(urls[0], gateway);
    call.gateway = gateway;
    gateway.calls.add(call);
    await gateway.ready();

    const pc = (call.pc = new RTCPeerConnection());
    if (kind === "push") pc.addTransceiver(call.media.getAudioTracks()[0], { direction: "sendonly", streams: [call.media] });
    else pc.addTransceiver("audio", { direction: "recvonly" });
    pc.ontrack = ({ track, streams }) => {
      call.media = streams[0] ?? new MediaStream([track]);
      this.changed();
    };
    await pc.setLocalDescription();
    const answer = await gateway.request("CreateSessionWithSdpReq", {
      type: kind === "push" ? 0 : 1, app_id: String(this.appId), stream_id: streamId, sdp: pc.localDescription.sdp, user_id: this.userId,
      platform: "", browser: "", sdk_vers: 2140, clientIp: "", media_server_host: "", strAuthParam: "",
    });
    call.sessionId = answer.session_id;
    call.sessionToken = answer.session_token;
    if (call.ended) return call.release(0); // hung up while the answer was under way
    await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    await connected(pc);
    pc.onconnectionstatechange = () => pc.connectionState === "failed" && pc === call.pc && this.restart(call);
    if (kind === "push") await this.#announce(call);
  }

  /** Tells the room that my stream is on the air, unless it knows. */
  async #announce(call) {
    if (!this.#streams.has(call.streamId)) {
      const message = JSON.stringify({ stream_id: call.streamId, extra_info: "" });
      const { stream_seq: seq } = await this.#ask("stream", { sub_cmd: STREAM.begin, stream_msg: message });
      this.#streamSeq = seq;
      this.#streams.set(call.streamId, this.userId);
    }
    this.#tellMicrophone();
    this.changed();
  }

  #tellMicrophone() {
    const call = this.#mine;
    for (const track of call?.media.getAudioTracks() ?? []) track.enabled = call.micOn;
    if (call?.sessionId) call.gateway.tell("StreamStatusNotify", { mic_status: call.micOn ? MIC_ON : MIC_OFF, camera_status: MIC_OFF }, call.sessionId);
  }

  #calls() {
    return this.#mine ? [...this.#playing.values(), this.#mine] : [...this.#playing.values()];
  }

  #end() {
    this.#left = true;
    clearInterval(this.#timer);
    for (const call of this.#calls()) {
      call.ended = true;
      call.release(0);
    }
    this.#ask("logout", { reserve: 0, login_logic: 1 }).catch(() => {}); // without a connection the grace period ends it
    this.#wire?.close();
  }

  forget(gatewayUrl) {
    this.#gateways.delete(gatewayUrl);
  }

  changed() {
    this.#emit("change");
  }

  #state(state, why = "") {
    this.#emit("state", { state, why });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function connected(pc) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the sound found no way to the server (is its UDP port reachable?)")), CONNECT_LIMIT_MS);
    const look = () => {
      if (pc.connectionState === "connected") resolve();
      else if (pc.connectionState === "failed" || pc.connectionState === "closed") reject(new Error("the sound found no way to the server"));
      else return;
      clearTimeout(timer);
      pc.removeEventListener("connectionstatechange", look);
    };
    pc.addEventListener("connectionstatechange", look);
    look();
  });
}
