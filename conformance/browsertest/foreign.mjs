// A relying party and a wallet that share nothing with us (party.mjs, wallet.mjs). What they accept, others will.
//
//   node foreign.mjs PROGRAM
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recover, register } from "./party.mjs";
import { Wallet } from "./wallet.mjs";
import { startBrowser, startDemo, startLanding } from "./demo.mjs";

const account = "ada.lindqvist@example.org";
const [program] = process.argv.slice(2);

/** Proves who one is with the demo's wallet. */
async function ourWallet(walk) {
  await walk.prove("ada.lindqvist");
  await walk.present("ada.lindqvist");
}

/** Proves who one is with a wallet of foreign libraries. */
async function foreignWallet(walk) {
  const wallet = await Wallet.create();
  await walk.verify("ada.lindqvist");
  await wallet.accept(await walk.page.locator("#wallet-link").getAttribute("href"));
  await walk.press("return");
  await walk.press("have-verified-id");
  await walk.see("open-wallet");
  await walk.comeBack(await wallet.answer(await walk.page.locator("#open-wallet").getAttribute("href")));
}

const directory = await mkdtemp(join(tmpdir(), "regain-foreign-"));
const landing = await startLanding();
const parties = [await register(directory, "foreign-jwt", landing.redirect, "private_key_jwt"), await register(directory, "foreign-basic", landing.redirect, "client_secret_basic")];
const file = join(directory, "clients.yaml");
await writeFile(file, JSON.stringify({ clients: parties.map((party) => party.entry) })); // JSON is YAML
const demo = await startDemo(program, Number(process.env.REGAIN_BROWSERTEST_PORT ?? 18400) + 10, ["--clients", file]);
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");
try {
  for (const [party, prove, name] of [[parties[0], foreignWallet, "a wallet of oid4vc-ts and sd-jwt-js"], [parties[1], ourWallet, "the demo's wallet"]]) {
    await recover({ browser, demo, party, account }, prove);
    console.log(`ok    openid-client with ${party.entry.token_endpoint_auth_method}, and ${name}`);
  }
} finally {
  await browser.close();
  await demo.stop();
  landing.stop();
  await rm(directory, { recursive: true });
}
