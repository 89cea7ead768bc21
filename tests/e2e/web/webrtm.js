// One user of the unmodified zego-express-engine-webrtm in a page: rooms and users, no media. Driven as page.js is.

import { ZegoExpressWebRTMEngine } from "sdk-under-test";

import { makeHubEngine } from "./engines.js";

const EVENTS = ["roomStateUpdate", "roomUserUpdate", "roomOnlineUserCountUpdate", "roomExtraInfoUpdate", "tokenWillExpire"];

let engine;

window.hearth = {
  create({ appId, hub }) {
    engine = makeHubEngine(ZegoExpressWebRTMEngine, "3.3.0", appId, hub);
    for (const event of EVENTS) engine.on(event, (...args) => window.reportToTest({ event, args }));
  },

  call: ({ method, args }) => engine[method](...args),
};
