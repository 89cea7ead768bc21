// A WebRTC client without an SDK, in a page: what the SDKs never ask for (RED, NACK) can be asked for here. See test_media_features.py.
// The file is one expression: an object of functions, which browser.js evaluates in the page.
({
  connections: {},

  /** An offer to publish the microphone. `red`: with RED (RFC 2198), preferred; `nack`: offer to send lost packets again. */
  async offerToPublish({ name, red, nack }) {
    const connection = (this.connections[name] = new RTCPeerConnection());
    const [track] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks();
    connection.addTransceiver(track, { direction: "sendonly" });
    return this.offer(connection, { red, nack });
  },

  /** An offer to play. */
  async offerToPlay({ name, red, nack }) {
    const connection = (this.connections[name] = new RTCPeerConnection());
    connection.addTransceiver("audio", { direction: "recvonly" });
    connection.ontrack = ({ streams: [stream] }) => {
      const player = new Audio();
      player.srcObject = stream;
      void player.play();
    };
    return this.offer(connection, { red, nack });
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
