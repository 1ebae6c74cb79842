// Passkey ceremonies (WebAuthn Level 3). Everything else on these pages works without scripts.
"use strict";

async function post(path, body) {
  const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || "That did not work. Try again.");
  return answer;
}

async function register() {
  const options = await post("/passkey/register/begin");
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey);
  return post("/passkey/register/finish", (await navigator.credentials.create({ publicKey })).toJSON());
}

async function signIn() {
  const options = await post("/passkey/sign-in/begin");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  return post("/passkey/sign-in/finish", (await navigator.credentials.get({ publicKey })).toJSON());
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  button.addEventListener("click", async () => {
    const problem = document.getElementById("passkey-problem");
    problem.hidden = true;
    button.disabled = true;
    try {
      const answer = await (button.dataset.passkey === "register" ? register() : signIn());
      location.assign(answer.next);
    } catch (error) {
      problem.textContent = error.name === "NotAllowedError" ? "The passkey was cancelled or is not on this device." : error.message;
      problem.hidden = false;
      button.disabled = false;
    }
  });
}
