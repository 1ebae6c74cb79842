// Asks for the Verified ID through the Digital Credentials API where the browser has it, and shows the buttons for it only
// then. What the wallet answers goes to the server as it is: nothing is decided here.
(function () {
  'use strict';
  var section = document.getElementById('digital-credentials');
  if (!section || !window.DigitalCredential || !navigator.credentials) { return; }
  var status = document.getElementById('digital-credentials-status');
  var buttons = Array.prototype.slice.call(section.querySelectorAll('button'));

  function post(path, fields) {
    fields.csrf = section.dataset.csrf;
    return fetch(section.dataset.base + path, { method: 'POST', body: new URLSearchParams(fields), redirect: 'error' })
      .then(function (answer) {
        return answer.json().then(function (body) {
          if (!answer.ok) { throw new Error(body.error_description || 'The answer was not accepted.'); }
          return body;
        });
      });
  }

  function allowed(request) {
    var knows = window.DigitalCredential.userAgentAllowsProtocol;
    return !knows || knows.call(window.DigitalCredential, request.protocol);
  }

  function ask(wallet) {
    return post('/digital-credentials/request', { wallet: wallet }).then(function (asked) {
      var requests = asked.requests.filter(allowed);
      if (requests.length === 0) { throw new Error('This browser speaks none of the protocols that are offered. Choose another way.'); }
      return navigator.credentials.get({ mediation: 'required', digital: { requests: requests } });
    }).then(function (credential) {
      if (!credential) { throw new DOMException('', 'NotAllowedError'); }
      status.textContent = 'Checking what your wallet showed …';
      return post('/digital-credentials/response', { wallet: wallet, protocol: credential.protocol, data: JSON.stringify(credential.data) });
    }).then(function (done) { window.location.assign(done.next); });
  }

  function explain(error) {
    if (error.name === 'NotAllowedError' || error.name === 'AbortError') {
      return 'Nothing was shared. Try again, or choose another way below.';
    }
    if (error.name === 'NotSupportedError' || error.name === 'TypeError') {
      return 'This browser could not reach a wallet. Choose another way below.';
    }
    return error.message;
  }

  buttons.forEach(function (button) {
    button.addEventListener('click', function () {
      buttons.forEach(function (b) { b.disabled = true; });
      status.textContent = 'Follow the steps that your browser shows …';
      ask(button.dataset.wallet).catch(function (error) { status.textContent = explain(error); })
        .finally(function () { buttons.forEach(function (b) { b.disabled = false; }); });
    });
  });
  section.hidden = false;
}());
