// Asks for the Verified ID through the Digital Credentials API where the browser has it, and shows the buttons for it only
// then. What the wallet answers goes to the server as it is: nothing is decided here.
(function () {
  'use strict';
  var section = document.getElementById('digital-credentials');
  if (!section || !window.DigitalCredential || !navigator.credentials) { return; }
  var status = document.getElementById('digital-credentials-status');
  var buttons = Array.prototype.slice.call(section.querySelectorAll('button'));
  var busy = false;
  var otherwise = section.dataset.otherwise; // what else the page offers
  var Otherwise = otherwise.charAt(0).toUpperCase() + otherwise.slice(1);

  function say(text, mistake) {
    status.className = mistake ? 'mistake' : 'note';
    status.textContent = text;
  }

  // Told is an error whose message is for the person.
  function told(text) {
    var error = new Error(text);
    error.told = true;
    return error;
  }

  // Refusal says what an answer of the server means to the person; the reference finds the cause in its log.
  function refusal(answer) {
    var reference = answer.headers.get('Correlation-Id');
    var end = reference ? ' (Reference ' + reference + ')' : '';
    if (answer.status >= 500) { return told('Something that is needed did not answer. Try again in a minute, or ' + otherwise + '.' + end); }
    if (answer.status === 400 && /\/response$/.test(answer.url)) { return told('What your wallet answered cannot be accepted. Try again, or ' + otherwise + '.' + end); }
    return told('This request is over. Start over with a new request.' + end);
  }

  function post(path, fields) {
    fields.csrf = section.dataset.csrf;
    return fetch(section.dataset.base + path, { method: 'POST', body: new URLSearchParams(fields), redirect: 'error' })
      .catch(function () { throw told('The connection was lost. Try again, or ' + otherwise + '.'); })
      .then(function (answer) {
        if (!answer.ok) { throw refusal(answer); }
        return answer.json();
      });
  }

  function allowed(request) {
    var knows = window.DigitalCredential.userAgentAllowsProtocol;
    return !knows || knows.call(window.DigitalCredential, request.protocol);
  }

  function ask(wallet) {
    return post('/digital-credentials/request', { wallet: wallet }).then(function (asked) {
      var requests = asked.requests.filter(allowed);
      if (requests.length === 0) { throw told('This browser cannot ask in any way that your organisation offers. ' + Otherwise + '.'); }
      return navigator.credentials.get({ mediation: 'required', digital: { requests: requests } });
    }).then(function (credential) {
      if (!credential) { throw new DOMException('', 'NotAllowedError'); }
      say('Checking what your wallet showed …');
      return post('/digital-credentials/response', { wallet: wallet, protocol: credential.protocol, data: JSON.stringify(credential.data) });
    }).then(function (done) { window.location.assign(done.next); });
  }

  function explain(error) {
    if (error.told) { return error.message; }
    if (error.name === 'NotAllowedError' || error.name === 'AbortError') {
      return 'Nothing was shared. Try again, or ' + otherwise + '.';
    }
    return 'This browser could not reach a wallet. ' + Otherwise + '.';
  }

  // Set does not disable the buttons: that would take the focus from whoever uses a keyboard.
  function set(now) {
    busy = now;
    buttons.forEach(function (button) { button.setAttribute('aria-disabled', String(now)); });
  }

  buttons.forEach(function (button) {
    button.addEventListener('click', function () {
      if (busy) { return; }
      set(true);
      say('Follow the steps that your browser shows …');
      ask(button.dataset.wallet).catch(function (error) { say(explain(error), true); }).finally(function () { set(false); });
    });
  });
  section.hidden = false;
}());
