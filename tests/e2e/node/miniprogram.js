// Several mini-program users in one process, each with the unmodified zego-express-engine-miniprogram loaded afresh
// in a realm of its own, so that no state is shared. Driven by tests/e2e/miniprogram.py.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import vm from "node:vm";

import { report, serve } from "./remote.js";
import { Phone } from "./wx.js";

const require = createRequire(import.meta.url);
const scripts = new Map();

/** The SDK of a version, compiled once. 2.11.0 has the package's plain name. */
function sdk(version) {
  if (!scripts.has(version)) {
    const file = require.resolve(`zego-express-engine-miniprogram${version === "2.11.0" ? "" : `-${version}`}`);
    scripts.set(version, new vm.Script(`(function (module, exports) {${readFileSync(file, "utf8")}\n})`, { filename: file }));
  }
  return scripts.get(version);
}

/** `HEARTH_E2E_SDK_LOG=1`: what the SDK itself logs goes into the trace. */
const verbose = Boolean(process.env.HEARTH_E2E_SDK_LOG);

/** The engine's events, as the package's typings list them. */
const EVENTS = [
  "roomStateUpdate", "roomStateChanged", "roomUserUpdate", "roomOnlineUserCountUpdate", "roomStreamUpdate", "streamExtraInfoUpdate",
  "roomExtraInfoUpdate", "recvReliableMessage", "tokenWillExpire", "IMRecvBroadcastMessage", "IMRecvBarrageMessage",
  "IMRecvCustomCommand", "publisherStateUpdate", "playerStateUpdate", "publishQualityUpdate", "playQualityUpdate",
];

class User {
  #timers = new Set();

  constructor({ user, appId, server, multiRoom, busy, version, hub }) {
    this.phone = new Phone((frame, socket, text) => report({ user, frame, socket, text }), busy);
    this.page = { data: {}, setData: (data, done) => { Object.assign(this.page.data, data); report({ user, event: "setData", args: [data] }); done?.(); } };
    this.realm = vm.createContext({
      wx: this.phone.wx,
      window: undefined, // as in WeChat: the names exist, without a value
      navigator: undefined,
      console: this.#console(user),
      setTimeout: (callback, ms, ...args) => this.#timer(setTimeout, callback, ms, args),
      setInterval: (callback, ms, ...args) => this.#timer(setInterval, callback, ms, args),
      clearTimeout: (timer) => { this.#timers.delete(timer); clearTimeout(timer); },
      clearInterval: (timer) => { this.#timers.delete(timer); clearInterval(timer); },
    });
    const module = { exports: {} };
    sdk(version).runInContext(this.realm).call(module.exports, module, module.exports);
    if (hub) {
      // From 3.x on the one documented call that points the SDK at a server.
      module.exports.ZegoExpressEngine.setEngineOptions(this.#inside({ customDomain: { accesshub: hub, logreport: hub, detaillog: hub } }));
    }
    this.engine = new module.exports.ZegoExpressEngine(appId, this.#inside(server));
    this.engine.setLogConfig(this.#inside({ logLevel: verbose ? "debug" : "disable", remoteLogLevel: "disable" }));
    this.engine.setDebugVerbose(false);
    for (const event of EVENTS) this.engine.on(event, (...args) => report({ user, event, args }));
    if (multiRoom) this.engine.enableMultiRoom(true);
    this.engine.initContext({ wxContext: this.page, pushAtr: "pusher", playAtr: "players" });
  }

  /** A copy made inside the user's realm, so that `instanceof Array` and the like hold there. */
  #inside(value) {
    return vm.runInContext(`(${JSON.stringify(value) ?? "undefined"})`, this.realm);
  }

  #timer(start, callback, ms, args) {
    const timer = start((...given) => {
      if (start === setTimeout) this.#timers.delete(timer);
      callback(...given);
    }, ms, ...args);
    this.#timers.add(timer);
    return timer;
  }

  #console(user) {
    const write = (...words) => report({ user, log: words.map(String).join(" ").slice(0, 500) });
    const chatter = verbose ? write : () => {};
    return { log: chatter, info: chatter, debug: chatter, warn: chatter, error: write, table: chatter };
  }

  call(method, args) {
    return this.engine[method](...args.map((argument) => this.#inside(argument)));
  }

  /** `pusher.start()` as a page calls it: answers with the RTMP address that the page's <live-pusher> would be given. */
  async startPusher(streamId, option) {
    const pusher = this.engine.getPusherInstance() ?? this.engine.createPusher();
    await pusher.start(streamId, this.#inside(option));
    return pusher.attributes.url;
  }

  stopPusher() { this.engine.getPusherInstance().stop(); }

  startPlayer(streamId, option) { void this.engine.getPlayerInstance(streamId).play(this.#inside(option)); }

  stopPlayer(streamId) { this.engine.getPlayerInstance(streamId).stop(); }

  /** A state code of the page's <live-pusher> or <live-player>. */
  componentState(streamId, code) { this.engine.updatePlayerState(streamId, { detail: { code, message: "" } }); }

  /** The app is gone: no timer fires and nothing is sent any more. `silently` leaves the TCP connection open. */
  vanish(silently) {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.phone.goSilent();
    if (!silently) this.phone.cut(true);
  }
}

const users = new Map();
const find = ({ user }) => {
  const found = users.get(user);
  if (!found) throw new Error(`no user ${user}`);
  return found;
};

await serve({
  create: (request) => { users.set(request.user, new User(request)); },
  call: (request) => find(request).call(request.method, request.args),
  startPusher: (request) => find(request).startPusher(request.streamId, request.option),
  stopPusher: (request) => find(request).stopPusher(),
  startPlayer: (request) => find(request).startPlayer(request.streamId, request.option),
  stopPlayer: (request) => find(request).stopPlayer(request.streamId),
  componentState: (request) => find(request).componentState(request.streamId, request.code),
  cut: (request) => find(request).phone.cut(request.stayOffline),
  goOnline: (request) => find(request).phone.goOnline(),
  vanish: (request) => find(request).vanish(request.silently),
  dispose: (request) => { find(request).vanish(false); users.delete(request.user); },
});
