// One headless Chromium with a page per user, each page with storage of its own. Driven by tests/e2e/browser.py.
//
// The page (tests/e2e/web) and the SDK in it are bundled once at the start. Frames are observed through the DevTools protocol, so the
// page's own WebSocket stays untouched.

import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import puppeteer from "puppeteer-core";

import { FLAGS as COMMON_FLAGS } from "./chromium.js";
import { report, serve } from "./remote.js";

const FLAGS = [...COMMON_FLAGS, "--ignore-certificate-errors"];

const SDK = "zego-express-engine-webrtc";
const REFERENCE = "2.14.0"; // the one that is installed under its own name

const web = (name) => fileURLToPath(new URL(`../web/${name}`, import.meta.url));

const bundles = new Map();

/** The page with this version of the SDK in it; `webrtm-2.5.0` is the package for signalling alone. */
async function bundleOf(version) {
  const alone = version.startsWith("webrtm-");
  const { outputFiles } = await build({
    entryPoints: [web(alone ? "webrtm.js" : "page.js")],
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)), // where aliases are looked up
    bundle: true,
    write: false,
    format: "iife",
    define: { global: "window" },
    alias: {
      "sdk-under-test": alone ? `zego-express-engine-${version}` : version === REFERENCE ? SDK : `${SDK}-${version}`,
      // 3.1 to 3.4 leave out the ending, which newer versions of that package insist on.
      "pako/lib/deflate": "pako/lib/deflate.js",
    },
    logLevel: "error",
  });
  return outputFiles[0].contents;
}

/** `/VERSION/` is the page, `/VERSION/page.js` its script, made when it is first asked for; `/peer/` is empty. */
async function servePages() {
  const html = readFileSync(web("index.html"));
  const server = createServer(async (request, response) => {
    if (request.url === "/peer/") return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
    const [, version, file] = /^\/([\w.-]+)\/(page\.js)?$/.exec(request.url) ?? [];
    if (!version) return response.writeHead(404).end();
    if (!bundles.has(version)) bundles.set(version, bundleOf(version));
    const [type, body] = file ? ["text/javascript", await bundles.get(version)] : ["text/html", html];
    response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return `http://127.0.0.1:${server.address().port}/`;
}

const users = new Map();
let browser;
let pages;

/** Reports every WebSocket frame of a page. */
async function observeFrames(page, user) {
  const session = await page.createCDPSession();
  const urls = new Map();
  await session.send("Network.enable");
  session.on("Network.webSocketCreated", ({ requestId, url }) => {
    urls.set(requestId, url);
    report({ user, frame: "opened", socket: url, text: "" });
  });
  session.on("Network.webSocketClosed", ({ requestId }) => report({ user, frame: "closed", socket: urls.get(requestId), text: "" }));
  const frame = (direction) => ({ requestId, response }) =>
    report({ user, frame: direction, socket: urls.get(requestId), text: response.opcode === 1 ? response.payloadData : "<binary>" });
  session.on("Network.webSocketFrameSent", frame("sent"));
  session.on("Network.webSocketFrameReceived", frame("received"));
}

const find = ({ user }) => {
  const found = users.get(user);
  if (!found) throw new Error(`no user ${user}`);
  return found;
};

/** Runs `window.hearth[operation](argument)` in the user's page; what it throws arrives as the SDK threw it. */
async function inPage(user, operation, argument) {
  const outcome = await find({ user }).evaluate(
    async (name, given) => {
      try {
        return { result: (await window.hearth[name](given)) ?? null };
      } catch (thrown) {
        return { thrown: thrown instanceof Error ? String(thrown.stack) : thrown };
      }
    },
    operation,
    argument,
  );
  if ("thrown" in outcome) throw outcome.thrown;
  return outcome.result;
}

await serve(
  {
    async launch({ executable, microphone }) {
      const flags = microphone ? [...FLAGS, `--use-file-for-fake-audio-capture=${microphone}`] : FLAGS;
      [browser, pages] = await Promise.all([puppeteer.launch({ executablePath: executable, headless: true, args: flags }), servePages()]);
    },
    async open({ user, version, ...settings }) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      users.set(user, page);
      page.on("pageerror", (error) => {
        // SDKs of this age ask for statistics in a way that Chromium has given up (web-1x-2x.md section 7); harmless.
        if (!String(error).includes("getStats")) report({ user, thrown: `${error.stack ?? error}` });
      });
      page.on("console", (message) => {
        // The SDK asks the cloud for settings now and then; that it gets none is as it should be.
        if (message.type() === "error" && !message.text().includes("ERR_NAME_NOT_RESOLVED")) report({ user, log: message.text() });
      });
      await observeFrames(page, user);
      await page.exposeFunction("reportToTest", (line) => report({ user, ...line }));
      // 1.4.0 has something to say to the person now and then.
      page.on("dialog", (dialog) => {
        report({ user, log: `dialog: ${dialog.message()}` });
        void dialog.dismiss();
      });
      await page.goto(`${pages}${version}/`);
      await inPage(user, "create", { ...settings, version });
    },
    /** Opens a page that is not ours, to be used like a person would. */
    async visit({ user, url }) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      users.set(user, page);
      await page.goto(url);
    },
    /** Opens an empty page of a secure origin with `peer.js` in it. */
    async openPeer({ user }) {
      const page = await (await browser.createBrowserContext()).newPage();
      users.set(user, page);
      await page.goto(`${pages}peer/`);
      await page.evaluate(`window.hearth = ${readFileSync(web("peer.js"), "utf8")}`);
    },
    async fillIn({ user, fields }) {
      for (const [name, value] of Object.entries(fields)) {
        await find({ user }).$eval(`[name=${name}]`, (input, text) => { input.value = text; }, value);
      }
    },
    click: ({ user, selector }) => find({ user }).click(selector),
    page: ({ user, operation, argument }) => inPage(user, operation, argument),
    call: ({ user, method, args }) => inPage(user, "call", { method, args }),
    async close({ user }) {
      const page = find({ user });
      users.delete(user);
      await page.browserContext().close();
    },
  },
  () => browser?.close(),
);
