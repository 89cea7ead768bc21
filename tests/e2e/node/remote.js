// Remote control over JSON lines: pytest writes requests to stdin, this process answers and reports events on stdout.
//
//   request   {"id": 7, "op": "call", ...}
//   answer    {"id": 7, "result": ...} or {"id": 7, "error": {"message": "...", "value": ...}}
//   report    {"user": "alice", "event": "roomStateUpdate", "args": [...]}
//             {"user": "alice", "frame": "sent" | "received" | "opened" | "closed", "socket": "ws://...", "text": "..."}
//             {"user": "alice", "thrown": "..."}: an error in the page that nobody caught
//             {"user": "alice", "log": "..."}
//
// Nothing else may be written to stdout.

import { createInterface } from "node:readline";

/** Sends one report line. */
export function report(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

/** What a thrown value looks like to the test: SDK errors are plain objects, so their fields are kept. */
function describeError(thrown) {
  if (thrown instanceof Error || typeof thrown?.stack === "string") return { message: String(thrown.stack) };
  return { message: typeof thrown === "string" ? thrown : JSON.stringify(thrown), value: thrown ?? null };
}

/**
 * Serves requests until stdin closes, which is how the test ends this process.
 * Requests run concurrently; each operation gets the request's fields.
 */
export async function serve(operations, onEnd = () => {}) {
  process.on("uncaughtException", (error) => report({ log: `uncaught: ${error.stack ?? error}` }));
  process.on("unhandledRejection", (reason) => report({ log: `unhandled rejection: ${describeError(reason).message}` }));
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    Promise.resolve()
      .then(() => operations[request.op](request))
      .then(
        (result) => report({ id: request.id, result: result ?? null }),
        (thrown) => report({ id: request.id, error: describeError(thrown) }),
      );
  }
  await onEnd();
  process.exit(0);
}
