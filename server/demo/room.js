// A small client of Hearth: the JSON room dialect on /ws, as the ZEGO web SDK 2.9 – 2.14 speaks it. Sound is in gateway.js.
//
// It is here to be read, and to try a server without installing anything. An app uses the official SDK instead.

import { Call, Gateway } from "./gateway.js";
import { DIALECT, Refused, Wire, backoff, pause } from "./wire.js";

const WEB_CLIENT = 3;
const PUBLISH_TRIES = 3;
const STREAM = { begin: 2001, added: 12001, removed: 12002 };

/**
 * One user in one room: login, heartbeat, people, streams, chat, and coming back after a lost connection.
 *
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
    const onAir = this.#streams.has(this.#mine?.streamId);
    const me = { userId: this.userId, name: this.userName, me: true, onAir, micOn: this.micOn, media: this.#mine?.media ?? null };
    return [me].concat(
      others.map(([userId, name]) => {
        const call = this.#playing.get(streamOf.get(userId));
        return { userId, name, me: false, onAir: streamOf.has(userId), micOn: call?.micOn ?? true, media: call?.media ?? null };
      }),
    );
  }

  get publishing() {
    return Boolean(this.#mine);
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
    this.#mine.tellMicrophone();
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
        user_state_flag: 1, room_create_flag: 1, client_type: WEB_CLIENT, user_count_limit: 0, relate_service: "", login_logic: 1,
        proto_format: "json",
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
      await wire.request("hb", { reserve: 0 });
    } catch {
      wire.close(); // no answer, or the session is not known any more: #keepConnected logs in again
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
      for (const { id_name: userId, nick_name: name, msg_content: text, send_time: at } of body.chat_data) {
        this.#emit("said", { name: name || userId, text, at });
      }
    } else if (cmd === "push_kickout") {
      this.#end();
      const why = body.reason === 1 ? "You joined from another place." : "The server ended your stay in this room.";
      this.#emit("ended", { why: body.custom_reason || why });
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
    for (const call of this.#playing.values()) if (!call.pc && !call.refused) this.#start(call).catch(() => {});
    this.changed();
  }

  /** Begins anew with a sound whose path is broken. */
  restart(call) {
    if (call.ended || call.refused) return;
    call.release(1);
    this.#start(call).catch((error) => this.#emit("trouble", { why: error.message }));
  }

  /** The server will not have this sound. */
  refuse(call) {
    call.refused = true;
    call.release(0);
    if (call === this.#mine && !call.starting) {
      this.#mine = null;
      this.#emit("trouble", { why: "The server took you off the air." });
    }
    this.changed();
  }

  #start(call, tries = Infinity) {
    const attempts = async () => {
      for (let attempt = 1; !call.ended; attempt++) {
        try {
          return await this.#negotiate(call);
        } catch (error) {
          call.release(1);
          if (call.refused) throw new Error("The server does not let you go on the air.");
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
    const { urls } = await this.#ask("webrtc_url", {
      stream_id: streamId, ptype: kind, signals: [...this.#gateways.keys()], header_kvs: [], retry: 0, center_ability: true,
      dispatch_type: 0,
    });
    const gateway = this.#gateways.get(urls[0]) ?? new Gateway(urls[0], this);
    this.#gateways.set(urls[0], gateway);
    await gateway.open(call);
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
    call.tellMicrophone();
    this.changed();
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
