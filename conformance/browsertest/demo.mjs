// Starts `regain demo` and a browser, and ends both.
import { spawn } from "node:child_process";
import dns from "node:dns";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

// Names under .localhost are this machine, whatever the resolver says (RFC 6761 §6.3): for everything that fetches here.
const lookup = dns.lookup;
dns.lookup = (host, options, done) => lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, options, done);

/** Starts the demo and returns the base URLs that it prints, by name, and the directory of its own files. */
export async function startDemo(program, port, more = []) {
  const demo = spawn(program, ["demo", "--port", String(port), ...more], { stdio: ["ignore", "pipe", "inherit"] });
  const urls = {};
  let directory;
  const ended = new Promise((resolve) => demo.once("exit", resolve));
  for await (const line of createInterface({ input: demo.stdout })) {
    const match = /^ {2}(main IdP|Regain|proofing|wallet)\s+(http\S+)/.exec(line);
    if (match) urls[match[1]] = match[2];
    directory = /^The configuration, .* are in (.+)$/.exec(line)?.[1];
    if (directory) break;
  }
  if (Object.keys(urls).length !== 4 || !directory) throw new Error("the demo did not print its four addresses, and where its files are");
  demo.stdout.resume();
  return { urls, directory, stop: async () => { demo.kill("SIGINT"); await ended; } };
}

/** Returns the id that a directory file of the demo has for an account. */
export async function accountID(file, name) {
  const text = await readFile(file, "utf8");
  return new RegExp(`^ +id: (.+)\\n +name: ${name}$`, "m").exec(text)[1];
}

/** Starts a server to which a relying party has its people sent back. As brokers do, it sends them on to another origin. */
export async function startLanding() {
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url, "http://localhost");
    if (pathname !== "/callback") return response.end("at the application");
    return response.writeHead(303, { location: `http://127.0.0.1:${server.address().port}/application${search}` }).end();
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return { redirect: `http://localhost:${server.address().port}/callback`, stop: () => server.close() };
}

/** Waits until a page was sent on by the landing at redirect, and returns the URL at which it came back there. */
export async function back(page, redirect) {
  await page.waitForURL((url) => url.pathname === "/application");
  return redirect + new URL(page.url()).search;
}

/** Starts Debian's Chromium. It has to be told about names under .localhost too. */
export function startBrowser(executablePath) {
  return chromium.launch({
    executablePath, headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
  });
}

/** Notes what the pages of a context complain about on their console, but for the refusals that a test is after. */
export function listen(context, complaints) {
  context.on("console", (message) => { if (message.type() === "error" && !/status of 40[03]|status of 422/.test(message.text())) complaints.push(`${message.text()} ${message.location().url}`); });
  context.on("weberror", (error) => complaints.push(String(error.error())));
}

/** Gives a page an authenticator that holds passkeys, and says yes for its user. */
export async function addAuthenticator(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
}
