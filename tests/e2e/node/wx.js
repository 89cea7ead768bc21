// The part of WeChat's mini-program API that the SDK uses, over real sockets (miniprogram-2.11.0.md section 1).
//
// Every user gets a phone of their own: storage, network state and sockets are not shared.

import WebSocket from "ws";

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;

/** How long a busy phone lets frames lie before it looks at them, in ms. */
const BUSY_MS = 20;

/** WeChat's SocketTask on a real WebSocket. */
class SocketTask {
  #handlers = { open: [], message: [], close: [], error: [] };
  #phone;
  #socket = null;
  #deaf = false;
  #lying = [];

  constructor(phone, url) {
    this.url = url;
    this.readyState = CONNECTING;
    this.#phone = phone;
    phone.whenOnline(() => this.#connect());
  }

  #connect() {
    if (this.readyState !== CONNECTING) return; // closed while the phone had no network
    const socket = new WebSocket(this.url, {
      rejectUnauthorized: false,
      handshakeTimeout: 10_000,
      allowSynchronousEvents: false, // as WeChat and browsers do: each frame is a task of its own, promises settle in between
    });
    this.#socket = socket;
    socket.on("open", () => {
      this.readyState = OPEN;
      this.#phone.onFrame("opened", this.url, "");
      this.#emit("open", { header: {} });
    });
    socket.on("message", (data, isBinary) => {
      if (!this.#phone.busy) this.#receive(data, isBinary);
      else if (this.#lying.push([data, isBinary]) === 1) setTimeout(() => this.#catchUp(), BUSY_MS);
    });
    socket.on("error", (error) => this.#emit("error", { errMsg: String(error.message) }));
    socket.on("close", (code, reason) => {
      if (this.#deaf) return;
      this.readyState = CLOSED;
      this.#phone.forget(this);
      this.#phone.onFrame("closed", this.url, `${code} ${reason}`);
      this.#emit("close", { code, reason: reason.toString() });
    });
  }

  #receive(data, isBinary) {
    if (this.#deaf) return;
    if (isBinary) {
      this.#phone.onFrame("received", this.url, `<${data.length} bytes>`);
      this.#emit("message", { data: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) });
      return;
    }
    this.#phone.onFrame("received", this.url, data.toString());
    this.#emit("message", { data: data.toString() });
  }

  /** Takes the frames that lie there one after the other; promises settle in between, but no timer fires. */
  async #catchUp() {
    for (const [data, isBinary] of this.#lying.splice(0)) {
      this.#receive(data, isBinary);
      await new Promise(process.nextTick);
    }
  }

  #emit(kind, event) {
    for (const handler of this.#handlers[kind]) handler(event);
  }

  onOpen(handler) { this.#handlers.open.push(handler); }
  onMessage(handler) { this.#handlers.message.push(handler); }
  onClose(handler) { this.#handlers.close.push(handler); }
  onError(handler) { this.#handlers.error.push(handler); }

  send({ data, success, fail }) {
    if (this.readyState !== OPEN) return fail?.({ errMsg: "sendSocketMessage:fail not open" });
    if (this.#deaf) return success?.();
    this.#phone.onFrame("sent", this.url, typeof data === "string" ? data : `<${data.byteLength} bytes>`);
    this.#socket.send(data, (error) => (error ? fail?.({ errMsg: String(error) }) : success?.()));
  }

  close({ code = 1000, reason = "" } = {}) {
    if (this.#socket) return this.#socket.close(code, reason);
    this.readyState = CLOSED;
    this.#phone.forget(this);
  }

  /** The network breaks: the app hears a close with 1006, the server an abrupt end. */
  cut() { this.#socket?.terminate(); }

  /** The app is gone without a word: it hears and says nothing any more, but the TCP connection stays. */
  goSilent() {
    this.#deaf = true;
    this.#socket?.pause();
  }
}

export class Phone {
  #sockets = new Set();
  #online = true;
  #waiting = [];
  #storage = new Map();

  /** `onFrame(direction, url, text)` is told of every frame. A busy phone looks at what has arrived only now and then. */
  constructor(onFrame, busy) {
    this.onFrame = onFrame;
    this.busy = busy;
  }

  /** The `wx` object for this phone. `page` is what the SDK's pusher and player contexts belong to. */
  get wx() {
    const context = () => ({
      start: ({ success } = {}) => success?.(),
      stop: ({ success } = {}) => success?.(),
      play: ({ success } = {}) => success?.(),
      pause: ({ success } = {}) => success?.(),
      resume: ({ success } = {}) => success?.(),
    });
    return {
      connectSocket: ({ url }) => {
        const task = new SocketTask(this, url);
        this.#sockets.add(task);
        return task;
      },
      getNetworkType: ({ success }) => success({ networkType: "wifi" }),
      onNetworkStatusChange: () => {},
      getSystemInfoSync: () => ({
        brand: "devtools", model: "Node", system: "iOS 10.0.1", platform: "devtools", version: "8.0.5", SDKVersion: "2.30.0",
      }),
      getSetting: ({ success }) => success({ authSetting: { "scope.camera": true, "scope.record": true } }),
      getStorageSync: (key) => this.#storage.get(key) ?? "",
      setStorageSync: (key, value) => void this.#storage.set(key, value),
      createLivePusherContext: context,
      createLivePlayerContext: context,
      showModal: () => {},
      request: ({ url, method = "GET", data, success, fail, complete }) =>
        fetch(url, { method, body: data })
          .then(async (response) => success?.({ statusCode: response.status, data: await response.text() }))
          .catch((error) => fail?.({ errMsg: String(error) }))
          .finally(() => complete?.()),
    };
  }

  /** Runs `connect` now, or as soon as the phone has a network again. */
  whenOnline(connect) {
    if (this.#online) connect();
    else this.#waiting.push(connect);
  }

  forget(task) { this.#sockets.delete(task); }

  /** Breaks every socket. With `stayOffline` new connections wait until `goOnline`. */
  cut(stayOffline) {
    this.#online = !stayOffline;
    for (const task of this.#sockets) task.cut();
  }

  goOnline() {
    this.#online = true;
    for (const connect of this.#waiting.splice(0)) connect();
  }

  goSilent() {
    this.#online = false;
    for (const task of this.#sockets) task.goSilent();
  }
}
