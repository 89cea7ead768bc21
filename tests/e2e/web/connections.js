// Every RTCPeerConnection of the page, and what Chromium counts in them. Imported before the SDK, which takes the constructor from `window`.

const PERIOD_MS = 100; // how often counts are looked at
const STEADY = 8; // that many looks without a packet are silence on the wire: a talking stream has 50 packets per second

const connections = new Set();
const moved = { from: 0, to: 0 };

/** From now on the page finds the server's media port at another one, where a network lies in between. */
export const mediaThrough = (from, to) => Object.assign(moved, { from, to });

const network = {};

/** From now on the page is in a network that lets it reach TURN servers and nothing else. */
export const relayOnly = () => Object.assign(network, { iceTransportPolicy: "relay" });

window.RTCPeerConnection = class extends window.RTCPeerConnection {
  constructor(configuration, ...more) {
    super({ ...configuration, ...network }, ...more);
    connections.add(this);
  }

  setRemoteDescription(description) {
    const sdp = description.sdp.replaceAll(` ${moved.from} typ host`, ` ${moved.to} typ host`);
    return super.setRemoteDescription({ type: description.type, sdp });
  }
};

const open = () => [...connections].filter((connection) => connection.connectionState !== "closed");

/** Every statistics object of the connections that are open, of this type. */
async function statistics(type) {
  const found = [];
  for (const connection of open()) {
    for (const entry of (await connection.getStats()).values()) if (entry.type === type) found.push({ ...entry, connection });
  }
  return found;
}

/** A counter of all sound that the page receives. */
async function received(counter) {
  const streams = (await statistics("inbound-rtp")).filter(({ kind }) => kind === "audio");
  return streams.reduce((sum, stream) => sum + (stream[counter] ?? 0), 0);
}

/** Milliseconds of sound that were not there when it was their turn, since the connections began: Chromium had to invent them. */
export async function concealed() {
  return (await received("concealedSamples")) / 48;
}

/** The largest share of packets lost that a sender of the page is told of by the server's reports, 0…1. */
export async function reportedLoss() {
  const told = (await statistics("remote-inbound-rtp")).map(({ fractionLost }) => fractionLost ?? 0);
  return Math.max(0, ...told);
}

async function untilStill(counter, limitMs) {
  const until = performance.now() + limitMs;
  let last = -1;
  for (let still = 0; still < STEADY; ) {
    if (performance.now() > until) throw new Error(`${counter} still rises, to ${last}`);
    const now = await received(counter);
    still = now === last ? still + 1 : 0;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}

/** Resolves when no sound arrives any more, not even silence. */
export const untilNoPackets = (limitMs) => untilStill("packetsReceived", limitMs);

/** How the open connections reach the server: for each one the type of the local candidate in use, and the transport to its relay. */
export async function paths() {
  const found = [];
  for (const connection of open()) {
    const report = await connection.getStats();
    const entries = [...report.values()];
    const transport = entries.find(({ type }) => type === "transport");
    const local = report.get(report.get(transport?.selectedCandidatePairId)?.localCandidateId);
    if (local) found.push({ type: local.candidateType, relay: local.relayProtocol ?? null, protocol: local.protocol });
  }
  return found;
}
