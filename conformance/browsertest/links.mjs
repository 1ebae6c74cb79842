// Links and QR codes, answered by a wallet of foreign libraries (wallet.mjs).
import { Walk } from "./steps.mjs";

/** Gets a Verified ID from the demo's proofing provider, as somebody who comes on their own. */
export async function obtain(browser, demo, wallet) {
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const walk = new Walk(page, demo.urls, undefined);
  await page.goto(`${demo.urls.proofing}/`);
  for (const id of ["begin", "agree", "person-ada.lindqvist", "confirm", "take-selfie"]) await walk.press(id);
  await walk.see("wallet-link");
  await wallet.accept(await page.locator("#wallet-link").getAttribute("href"));
  await context.close();
}

/** Opens the presentation page and returns the link on it. */
export async function linkOn(walk) {
  await walk.press("have-verified-id");
  await walk.see("open-wallet");
  return walk.page.locator("#open-wallet").getAttribute("href");
}

/** The wallet answers, and the browser goes where it says. */
export const answers = (wallet) => async (walk) => walk.comeBack(await wallet.answer(await linkOn(walk)));

/** The wallet answers with an error; the page says so, and the same link still works. */
export const refusesFirst = (wallet) => async (walk) => {
  const link = await linkOn(walk);
  await walk.comeBack(await wallet.refuse(link, "access_denied"));
  await walk.see("wallet-error");
  await walk.comeBack(await wallet.answer(await walk.page.locator("#open-wallet").getAttribute("href")));
};
