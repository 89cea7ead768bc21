// How each version of the SDK is pointed at Hearth: the lines of docs/sdk-versions.md.

// From 2.16.1 on the SDK uses a cloud service of its own in place of the server, unless it is told not to.
const HAS_CLOUD_SERVICE = /^2\.(1[6-9]|2\d)\./;

/** For the JSON dialect: 1.4.0 to 2.26.2. */
export function makeEngine(Engine, version, appId, server) {
  const engine = new Engine(appId, server);
  if (HAS_CLOUD_SERVICE.test(version)) engine.zegoWebRTC.setAccess(false);
  return engine;
}

/** For the accesshub: 2.26.0 to 3.12.0. `host` is host:port of the server. `localProxy`: as 3.2.0 has to, but with media in TURN mode. */
export function makeHubEngine(Engine, version, appId, host, localProxy = false) {
  const [major, minor] = version.split(".").map(Number);
  const server = `wss://${host}/ws`;
  if (localProxy) {
    Engine.setLocalProxyConfig({ accesshubProxy: host, loggerProxy: host, detaillogProxy: host }, true);
    return new Engine(appId, server);
  }
  // 2.16 to 2.25 go there, too, and are refused.
  if (major < 3 && minor < 26) return new Engine(appId, server, { accessDomains: [host] });
  if (major < 3 || minor < 2) return new Engine(appId, server, { accessURL: `wss://${host}/accesshub` });
  if (minor === 2) {
    Engine.setLocalProxyConfig({ accesshubProxy: host, loggerProxy: host, detaillogProxy: host }, true);
    const engine = new Engine(appId, server);
    // Else 3.2.0 asks an object for TURN servers that only its cloud proxy has, and nothing is published.
    engine.setEngineConfig({ notProxyRTC: true });
    return engine;
  }
  Engine.setEngineOptions({ customDomain: { accesshub: host, logreport: host, detaillog: host } });
  return new Engine(appId, server);
}
