// A WebRTC client without an SDK, in a page: what the SDKs never ask for (RED, NACK) can be asked for here (test_media_features.py), and
// two such clients can do without a server (bench/loss). The file is one expression: an object of functions, which browser.js evaluates in
// the page.
({
  connections: {},
  played: {},

  /** The microphone as it is, without the processing of calls. */
  microphone: () => navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } }),

  /** An offer to publish the microphone. `red`: with RED (RFC 2198), preferred; `nack`: offer to send lost packets again. */
  async offerToPublish({ name, red, nack }) {
    const connection = (this.connections[name] = new RTCPeerConnection());
    const [track] = (await this.microphone()).getAudioTracks();
    connection.addTransceiver(track, { direction: "sendonly" });
    return this.offer(connection, { red, nack });
  },

  /** An offer to play. */
  async offerToPlay({ name, red, nack }) {
    const connection = (this.connections[name] = new RTCPeerConnection());
    connection.addTransceiver("audio", { direction: "recvonly" });
    connection.ontrack = ({ streams: [stream] }) => {
      this.played[name] = stream;
      const player = new Audio();
      player.srcObject = stream;
      void player.play();
    };
    return this.offer(connection, { red, nack });
  },

  /** Publishes the microphone to another page: the answer to its offer to play, with all candidates in it. */
  async answerWithMicrophone({ name, offer }) {
    const connection = (this.connections[name] = new RTCPeerConnection());
    const stream = await this.microphone();
    await connection.setRemoteDescription({ type: "offer", sdp: offer });
    connection.addTrack(stream.getAudioTracks()[0], stream);
    await connection.setLocalDescription(await connection.createAnswer());
    while (connection.iceGatheringState !== "complete") {
      await new Promise((changed) => connection.addEventListener("icegatheringstatechange", changed, { once: true }));
    }
    return connection.localDescription.sdp;
  },

  /** What is heard of a played connection from now on: mono, 16 bits, little-endian, in base64. */
  async record({ name, seconds, rate }) {
    const tape = `registerProcessor("tape", class extends AudioWorkletProcessor {
      process([[channel]]) {
        if (channel) this.port.postMessage(channel.slice());
        return true;
      }
    });`;
    const context = new AudioContext({ sampleRate: rate });
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([tape], { type: "text/javascript" })));
    const node = new AudioWorkletNode(context, "tape", { channelCount: 1, channelCountMode: "explicit" });
    const heard = new Int16Array(seconds * rate);
    let filled = 0;
    const full = new Promise((resolve) => {
      node.port.onmessage = ({ data }) => {
        for (const sample of data.subarray(0, heard.length - filled)) heard[filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
        if (filled === heard.length) resolve();
      };
    });
    context.createMediaStreamSource(this.played[name]).connect(node);
    await full;
    await context.close();
    let text = "";
    for (const byte of new Uint8Array(heard.buffer)) text += String.fromCharCode(byte);
    return btoa(text);
  },

  async offer(connection, { red, nack }) {
    // Chromium offers RED in any case, but only sends it where it is preferred.
    const { codecs } = RTCRtpReceiver.getCapabilities("audio");
    const isRed = ({ mimeType }) => mimeType === "audio/red";
    connection.getTransceivers()[0].setCodecPreferences([...(red ? codecs.filter(isRed) : []), ...codecs.filter((codec) => !isRed(codec))]);
    const { sdp } = await connection.createOffer();
    const wanted = nack ? sdp.replace(/a=rtpmap:(\d+) opus\/48000\/2\r\n/, "$&a=rtcp-fb:$1 nack\r\n") : sdp;
    await connection.setLocalDescription({ type: "offer", sdp: wanted });
    return wanted;
  },

  async answered({ name, answer }) {
    await this.connections[name].setRemoteDescription({ type: "answer", sdp: answer });
  },

  /** The connection's statistics by their type; of the pairs of candidates the one in use. */
  async statistics({ name }) {
    const found = {};
    for (const entry of (await this.connections[name].getStats()).values()) {
      if (entry.type !== "candidate-pair" || entry.nominated) found[entry.type] = entry;
    }
    return found;
  },
});
