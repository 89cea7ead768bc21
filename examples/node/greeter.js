// Joins a room, greets everybody who comes, and tells who is on the air.
//
//   node greeter.js SERVER APP_ID ROOM TOKEN

import "./wx.js";

const { ZegoExpressEngine } = (await import("zego-express-engine-miniprogram")).default;

const [server, appId, room, token] = process.argv.slice(2);
if (!token) {
  console.error("usage: node greeter.js SERVER APP_ID ROOM TOKEN");
  process.exit(2);
}

const engine = new ZegoExpressEngine(Number(appId), server);
engine.setLogConfig({ logLevel: "disable", remoteLogLevel: "disable" });

engine.on("roomStateUpdate", (roomID, state, errorCode) => {
  console.log(`${roomID}: ${state}${errorCode ? ` (${errorCode})` : ""}`);
  if (state === "DISCONNECTED") process.exit(errorCode ? 1 : 0);
});

engine.on("roomUserUpdate", (roomID, change, users) => {
  for (const { userID, userName } of users) {
    console.log(`${userName} ${change === "ADD" ? "came" : "left"}`);
    if (change === "ADD") engine.sendCustomCommand(roomID, `Welcome, ${userName}!`, [userID]).catch(console.error);
  }
});

engine.on("roomStreamUpdate", (roomID, change, streams) => {
  for (const { streamID, user } of streams) {
    console.log(`${user.userName} ${change === "ADD" ? "is on the air with" : "took off the air"} ${streamID}`);
  }
});

engine.on("IMRecvBroadcastMessage", (roomID, messages) => {
  for (const { fromUser, message } of messages) console.log(`${fromUser.userName}: ${message}`);
});

process.on("SIGINT", () => engine.logoutRoom(room));

await engine.loginRoom(room, token, { userID: "greeter", userName: "Greeter" }, { userUpdate: true });
