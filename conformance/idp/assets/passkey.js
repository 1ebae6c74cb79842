// Passkeys for the two pages that have them. A form with data-passkey is taken over: its options are fetched, the
// authenticator is asked, and the answer is sent back. Everything else on these pages works without this file.
"use strict";
(() => {
  const toBytes = (text) => {
    const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(raw, (c) => c.charCodeAt(0));
  };
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const post = async (address, body) => {
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const value = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(value.error || "server_error");
    return value;
  };
  const withIDs = (list) => (list || []).map((c) => ({ ...c, id: toBytes(c.id) }));

  const ask = {
    register: async (options) => {
      options.challenge = toBytes(options.challenge);
      options.user.id = toBytes(options.user.id);
      options.excludeCredentials = withIDs(options.excludeCredentials);
      const made = await navigator.credentials.create({ publicKey: options });
      return { made, response: {
        clientDataJSON: toText(made.response.clientDataJSON), attestationObject: toText(made.response.attestationObject),
        transports: made.response.getTransports ? made.response.getTransports() : [] } };
    },
    login: async (options) => {
      options.challenge = toBytes(options.challenge);
      options.allowCredentials = withIDs(options.allowCredentials);
      const made = await navigator.credentials.get({ publicKey: options });
      return { made, response: {
        clientDataJSON: toText(made.response.clientDataJSON), authenticatorData: toText(made.response.authenticatorData),
        signature: toText(made.response.signature), userHandle: made.response.userHandle ? toText(made.response.userHandle) : undefined } };
    },
  };

  const explain = (error) => {
    if (error.name === "NotAllowedError") return "The passkey was not used. Try again when you are ready.";
    switch (error.message) {
      case "no_session": return "Your time to create a passkey is over. Start again at the sign-in page.";
      case "passkey_refused": return "This passkey does not work for this account.";
      default: return "That did not work. Try again, or use another way to sign in.";
    }
  };

  const run = async (form) => {
    const field = form.querySelector("input[name=account]");
    const options = await post(form.dataset.begin, field ? { account: field.value.trim() } : {});
    const { made, response } = await ask[form.dataset.passkey](options.publicKey);
    const done = await post(form.dataset.finish, {
      id: made.id, rawId: toText(made.rawId), type: made.type, authenticatorAttachment: made.authenticatorAttachment || undefined,
      clientExtensionResults: made.getClientExtensionResults(), response });
    location.assign(done.next);
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const status = form.querySelector("[role=alert]");
    const button = form.querySelector("button");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      status.hidden = true;
      button.disabled = true;
      run(form).catch((error) => {
        status.textContent = explain(error);
        status.hidden = false;
      }).finally(() => { button.disabled = false; });
    });
  }

  // The name that was typed goes along to the other ways.
  const field = document.querySelector("#sign-in #account");
  const link = document.getElementById("other-ways");
  if (field && link) {
    link.addEventListener("click", () => {
      const name = field.value.trim();
      link.href = name ? "/other-ways?account=" + encodeURIComponent(name) : "/other-ways";
    });
  }
})();
