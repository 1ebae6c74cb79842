// A main IdP that shares nothing with us: panva's oidc-provider, which signs nobody in itself but federates to Regain with
// panva's openid-client, as the broker inside an IdP does: requests in the query, PKCE, a form-posted response, the ID
// token and userinfo. An application of another origin
// signs in at the IdP and never hears of Regain.
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import * as client from "openid-client";
import Provider from "oidc-provider";

const secret = () => randomBytes(32).toString("base64url");

/** Reads the body of a request. */
async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

export class MainIdP {
  /** Starts the IdP at a port of this machine. upstream() returns the openid-client configuration for Regain. */
  static async start() {
    const idp = new MainIdP();
    idp.server = createServer((request, response) => idp.serve(request, response).catch((error) => { idp.failure = error; response.writeHead(500).end(String(error)); }));
    await new Promise((resolve) => { idp.server.listen(0, "127.0.0.1", resolve); });
    idp.issuer = `http://localhost:${idp.server.address().port}`;
    idp.application = { client_id: "application", client_secret: secret(), redirect_uris: [`http://127.0.0.1:${idp.server.address().port}/application/callback`] };
    idp.provider = new Provider(idp.issuer, {
      clients: [idp.application],
      cookies: { keys: [secret()] },
      features: { devInteractions: { enabled: false } },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      loadExistingGrant: async (ctx) => { // the application is the organisation's own: nobody is asked for consent
        const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope("openid");
        await grant.save();
        return grant;
      },
    });
    idp.attempts = new Map();
    return idp;
  }

  get redirect() { return `${this.issuer}/broker/callback`; }

  async serve(request, response) {
    const { pathname } = new URL(request.url, this.issuer);
    if (pathname.startsWith("/application/")) return response.end("the application");
    if (pathname === "/broker/callback") return this.comeBack(request, response);
    if (!pathname.startsWith("/interaction/")) return this.provider.callback()(request, response);
    const [, , uid, done] = pathname.split("/");
    if (done) return this.provider.interactionFinished(request, response, this.attempts.get(uid).result, { mergeWithLastSubmission: false });
    return this.federate(uid, response);
  }

  /** Sends the browser to Regain. The application's login_hint is not passed on: Regain asks for the account. */
  async federate(uid, response) {
    const verifier = client.randomPKCECodeVerifier();
    const attempt = { verifier, state: client.randomState(), nonce: client.randomNonce() };
    this.attempts.set(uid, attempt);
    const url = client.buildAuthorizationUrl(this.upstream, {
      redirect_uri: this.redirect, scope: "openid profile", state: attempt.state, nonce: attempt.nonce, response_mode: "form_post",
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    response.writeHead(303, { location: url.href }).end();
  }

  /** Takes Regain's answer, a cross-site form that carries none of the IdP's cookies, and goes on in the interaction. */
  async comeBack(request, response) {
    const body = await bodyOf(request);
    const state = new URLSearchParams(body).get("state");
    const [uid, attempt] = [...this.attempts].find(([, a]) => a.state === state);
    const answer = new Request(this.redirect, { method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded" } });
    try {
      const tokens = await client.authorizationCodeGrant(this.upstream, answer, { pkceCodeVerifier: attempt.verifier, expectedState: attempt.state, expectedNonce: attempt.nonce, idTokenExpected: true });
      const { sub } = tokens.claims();
      attempt.claims = tokens.claims();
      attempt.info = await client.fetchUserInfo(this.upstream, tokens.access_token, sub);
      attempt.result = { login: { accountId: sub, amr: tokens.claims().amr, acr: tokens.claims().acr } };
    } catch (error) {
      if (!error.error) throw error;
      attempt.result = { error: error.error, error_description: error.error_description };
    }
    this.last = attempt;
    response.writeHead(303, { location: `/interaction/${uid}/done` }).end();
  }

  stop() { this.server.close(); }
}
