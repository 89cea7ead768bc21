// Recognises a tone in a MediaStream by its spectrum.

const FFT_SIZE = 8192; // 5.9 Hz per bin at 48 kHz
const PERIOD_MS = 50; // how often the spectrum is looked at
const AUDIBLE_DB = -60; // a tone's bin; digital silence and comfort noise lie below -100
const SILENT_DB = -75;
const STEADY = 4; // that many looks in a row make a finding

export const audio = new AudioContext({ sampleRate: 48000 });

/** Listens to one stream until `stop()`. */
export class Listener {
  constructor(stream) {
    // Chromium only decodes a remote WebRTC track for WebAudio while a media element plays it too.
    this.element = new Audio();
    this.element.srcObject = stream;
    this.element.muted = true;
    void this.element.play();
    this.stream = stream;
    this.analyser = new AnalyserNode(audio, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 });
    this.#attach();
    this.spectrum = new Float32Array(this.analyser.frequencyBinCount);
    this.watches = new Set();
    this.timer = setInterval(() => this.look(), PERIOD_MS);
  }

  /** A source node keeps the track that it began with; when the SDK opens a session anew, it puts another track into the same stream. */
  #attach() {
    this.source?.disconnect();
    [this.track] = this.stream.getAudioTracks();
    this.source = this.track && audio.createMediaStreamSource(this.stream);
    this.source?.connect(this.analyser);
  }

  /** The strongest frequency in Hz and its level in dB; the lowest bins (hum, DC) do not count. */
  look() {
    if (this.stream.getAudioTracks()[0] !== this.track) this.#attach();
    this.analyser.getFloatFrequencyData(this.spectrum);
    let peak = 10;
    for (let bin = 10; bin < this.spectrum.length; bin += 1) if (this.spectrum[bin] > this.spectrum[peak]) peak = bin;
    this.heard = { frequency: (peak * audio.sampleRate) / FFT_SIZE, level: this.spectrum[peak] };
    for (const watch of this.watches) watch(this.heard);
  }

  #until(matches, what, limitMs) {
    return new Promise((resolve, reject) => {
      let inARow = 0;
      const end = (settle, value) => {
        clearTimeout(timer);
        this.watches.delete(watch);
        settle(value);
      };
      const watch = (heard) => {
        inARow = matches(heard) ? inARow + 1 : 0;
        if (inARow >= STEADY) end(resolve, heard);
      };
      const timer = setTimeout(() => end(reject, new Error(`no ${what}, but ${JSON.stringify(this.heard)}`)), limitMs);
      this.watches.add(watch);
    });
  }

  /** Resolves when the loudest thing in the stream is this tone. */
  untilTone(frequency, limitMs) {
    return this.#until(isTone(frequency), `tone of ${frequency} Hz`, limitMs);
  }

  untilSilence(limitMs) {
    return this.#until(({ level }) => level < SILENT_DB, "silence", limitMs);
  }

  stop() {
    clearInterval(this.timer);
    this.source?.disconnect();
    this.element.srcObject = null;
  }
}

function isTone(frequency) {
  return (heard) => heard.level > AUDIBLE_DB && Math.abs(heard.frequency - frequency) < 12;
}

/** A MediaStream with a steady tone. `amplitude`: 0…1. */
export function tone(frequency, amplitude = 0.5) {
  const oscillator = new OscillatorNode(audio, { frequency });
  const volume = new GainNode(audio, { gain: amplitude });
  const destination = new MediaStreamAudioDestinationNode(audio, { channelCount: 1 });
  oscillator.connect(volume).connect(destination);
  oscillator.start();
  return destination.stream;
}
