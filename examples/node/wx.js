// The part of WeChat's `wx` that the SDK needs for a room without sound. Import it before the SDK.

import WebSocket from "ws";

function connectSocket({ url }) {
  const socket = new WebSocket(url, { allowSynchronousEvents: false }); // one frame per task, as in WeChat
  return {
    get readyState() { return socket.readyState; },
    onOpen: (handler) => socket.on("open", () => handler({})),
    onMessage: (handler) => socket.on("message", (data, isBinary) => handler({ data: isBinary ? data : data.toString() })),
    onClose: (handler) => socket.on("close", (code, reason) => handler({ code, reason: reason.toString() })),
    onError: (handler) => socket.on("error", ({ message }) => handler({ errMsg: message })),
    send: ({ data }) => socket.send(data),
    close: () => socket.close(),
  };
}

const storage = new Map();

globalThis.window ??= undefined; // in WeChat the names exist, without a value
globalThis.navigator ??= undefined;
globalThis.wx = {
  connectSocket,
  getNetworkType: ({ success }) => success({ networkType: "wifi" }),
  onNetworkStatusChange() {},
  getSystemInfoSync: () => ({ brand: "", model: "Node", system: "Node", platform: "devtools", version: "8.0.5", SDKVersion: "2.30.0" }),
  getStorageSync: (key) => storage.get(key) ?? "",
  setStorageSync: (key, value) => storage.set(key, value),
};
