// A WebSocket with JSON frames {header, body}, requests answered by seq. Both dialects, /ws and the media socket, are made so.

const ANSWER_LIMIT_MS = 6000;

export const DIALECT = "2.14.0"; // the SDK version whose behaviour this client has

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Milliseconds to wait before try number `attempt`; uneven, so that many clients do not come back all at once. */
export const backoff = (attempt) => Math.min(500 * 2 ** attempt, 8000) * (0.75 + Math.random() / 2);

/** The server said no. `code` is its err_code (room) or result (media). */
export class Refused extends Error {
  constructor(code, text) {
    super(text || `error ${code}`);
    this.code = code;
  }
}

export class Wire {
  #socket;
  #header;
  #onPush;
  #seq = 0;
  #waiting = new Map();

  /** `header()` returns the fields that every frame carries; `onPush(header, body)` gets what nobody asked for. */
  constructor(url, header, onPush) {
    this.#header = header;
    this.#onPush = onPush;
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    this.closed = new Promise((resolve) => this.#socket.addEventListener("close", resolve));
    this.opened = new Promise((resolve, reject) => {
      this.#socket.onopen = resolve;
      this.closed.then(() => reject(new Error("the server cannot be reached")));
    });
    this.opened.catch(() => {}); // whoever waits for it handles it
    this.closed.then(() => this.#waiting.forEach(({ reject }) => reject(new Error("the connection was lost"))));
  }

  /** Sends a request and returns the body of its answer; throws Refused, or Error when none comes. */
  async request(cmd, body, header = {}) {
    const seq = ++this.#seq;
    this.send(cmd, body, { ...header, seq });
    let timer;
    try {
      const answer = await new Promise((resolve, reject) => {
        this.#waiting.set(seq, { resolve, reject });
        timer = setTimeout(() => reject(new Error(`no answer to ${cmd}`)), ANSWER_LIMIT_MS);
      });
      const code = answer.err_code ?? answer.result ?? 0;
      if (code !== 0) throw new Refused(code, answer.err_message || answer.strError);
      return answer;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(seq);
    }
  }

  send(cmd, body, header = {}) {
    if (this.#socket.readyState !== WebSocket.OPEN) throw new Error("not connected");
    this.#socket.send(JSON.stringify({ header: { ...this.#header(), cmd, ...header }, body }));
  }

  close() {
    this.#socket.close();
  }

  #receive({ header, body }) {
    // A push has a counter of its own, which may equal the seq of a request under way: names tell them apart.
    const isPush = header.cmd.startsWith("push_") || header.cmd.endsWith("Push");
    if (isPush) this.#onPush(header, body);
    else this.#waiting.get(header.seq)?.resolve(body);
  }
}
